package harness_test

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Every idea of the corpus as signed messages over HTTP: the answer that a broker or
// provider reads is the one that the core decided.
func TestCorpusOverHTTP(t *testing.T) {
	cases := must[[]corpus.Case](t)(corpus.Load("../../testdata/decisions"))
	for _, c := range corpus.Part(cases) {
		t.Run(c.Name, func(t *testing.T) {
			if s := c.World.Services[c.Service]; s != nil && !s.Public && !c.Question.TestNetwork {
				t.Skip("the harness is a test network")
			}
			t.Parallel()
			want := decision.Decide(c.Facts(), c.Question) // before the parties are renamed
			if c.Question.Chosen && want.Outcome != decision.Permit {
				t.Skip("what is not offered cannot be chosen over HTTP")
			}
			p := perform(t, c)
			p.compare(t, want, p.ask(t))
		})
	}
}

// performance is one case on a network of its own.
type performance struct {
	c       corpus.Case
	n       *harness.Network
	service harness.Service
}

// perform starts a network that holds the world of the case: the catalogue arrives as a
// new version does, and the parties take the names that they have in the network.
func perform(t *testing.T, c corpus.Case) *performance {
	t.Helper()
	n := harness.Start(t, harness.Options{
		Clock: harness.NewClock(c.Question.At), TwoRegisters: true, Browser: c.Question.Chosen,
		Services: []harness.Service{
			{Name: "1", Provider: "first", Level: etoegang.LoA2}, {Name: "2", Provider: "second", Level: etoegang.LoA2}, {Name: "3", Provider: "third", Level: etoegang.LoA2},
		},
		Configure: func(settings map[string]any) {
			// Every message is a test of both engines, of which either may be the first.
			settings["xmlsec"] = map[string]any{"engine": cmp.Or(os.Getenv("MANDATED_XML_ENGINE"), "fast"), "cross_check": 1}
			if !c.Question.ConfirmHere.IsZero() {
				settings["chain"] = map[string]any{"same_register": "confirm"}
			}
			if c.Question.Certified != etoegang.NoLevel {
				settings["certified"] = c.Question.Certified.String()
			}
		},
	})
	rename(&c, n)
	if err := c.World.Fill(ctx, n.First.Register()); err != nil {
		t.Fatal(err)
	}
	publish(t, c, n)
	p := &performance{c: c, n: n}
	p.service.ID, p.service.UUID = c.Asked()
	for _, home := range n.Providers {
		if home.Entity.OIN() == p.service.ID.Provider() {
			p.service.Home = home
		}
	}
	return p
}

// rename gives the world's participants the names that they have in the network.
func rename(c *corpus.Case, n *harness.Network) {
	if !c.Question.Actor.IsZero() {
		c.Question.Actor.Authenticator = n.Authenticator.Entity
	}
	if !c.Question.ConfirmHere.IsZero() {
		c.Question.ConfirmHere = n.First.Entity
	}
	for i := range c.World.Persons {
		c.World.Persons[i].Subject.Authenticator = n.Authenticator.Entity
	}
	for i := range c.World.Mandates {
		m := &c.World.Mandates[i]
		if !m.Person.Subject.IsZero() {
			m.Person.Subject.Authenticator = n.Authenticator.Entity
		}
		if !m.Register.IsZero() {
			m.Register = n.Second.Entity
		}
	}
}

func publish(t *testing.T, c corpus.Case, n *harness.Network) {
	t.Helper()
	spec := c.World.Catalogue(c.Question.At)
	spec.Version = "urn:etoegang:1.13:service-catalogue:T:2"
	e := catalogue.Build(spec)
	signer := n.Scheme.Signer()
	signer.X509 = true
	if err := signer.Sign(e); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(n.Folder, "catalogue.xml"), e.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := n.First.Reload(); err != nil {
		t.Fatal(err)
	}
}

// ask asks the question of the case in the way of its kind.
func (p *performance) ask(t *testing.T) *harness.Result {
	t.Helper()
	q := p.c.Question
	if q.Chosen {
		return p.choose(t)
	}
	asking := saml.Asking{
		ID: saml.NewID(), Issuer: p.n.Broker.Entity, Destination: p.n.First.Address, Issued: p.n.Now(), Consumer: "1",
		Audience: p.service.Home.Entity, ServiceID: p.service.ID, ServiceUUID: p.service.UUID, Level: q.Asked,
	}
	asker := p.n.Broker.Party
	switch q.Question {
	case decision.Authorize:
		login, _ := p.login(t, p.n.First, q.Actor.Pseudonym.Text())
		asking.Assertions = []*xmlsec.Element{login}
		if !q.Represented.IsZero() {
			asking.Represented = []*xmlsec.Element{must[*xmlsec.Element](t)(saml.SealName(q.Represented.Type(), q.Represented.Text(), p.n.First.Recipient()))}
		}
	case decision.Confirm:
		login, link := p.login(t, p.n.Second, strings.Repeat("a", 64))
		first, _ := p.statement(t, p.n.Second, link, p.n.First.Entity)
		asking.Assertions = []*xmlsec.Element{login, first}
	case decision.Recheck:
		asker = p.service.Home
		asking.Issuer, asking.Audience, asking.Consumer = asker.Entity, etoegang.EntityID{}, ""
		asking.Represented = []*xmlsec.Element{saml.PlainName(q.Represented)}
		asking.Through = q.Intermediary
		asking.Assertions = []*xmlsec.Element{p.combination(t)}
	}
	return must[*harness.Result](t)(p.n.Send(ctx, asker, asking, p.n.First))
}

// choose asks as the user's browser does, and chooses what the case says on the page.
func (p *performance) choose(t *testing.T) *harness.Result {
	t.Helper()
	q := p.c.Question
	v := must[*harness.Visit](t)(p.n.Broker.Send(harness.Question{
		Person: mandate.Person{Subject: q.Actor}, Service: p.service, Login: q.Authentication, Asked: q.Asked,
	}, ""))
	page := must[*harness.VisitorPage](t)(p.n.Visitor().Open(ctx, v.Address))
	if page.Back == "" && len(page.Offers) > 0 {
		page = must[*harness.VisitorPage](t)(page.Send(ctx, url.Values{"choice": {p.offer(t, page).Token}}))
	}
	if page.Back == "" { // several services behind a portal
		form := page.Checked()
		if len(q.Services) > 0 {
			form.Del("service")
		}
		for _, s := range q.Services {
			form.Add("service", s.String())
		}
		page = must[*harness.VisitorPage](t)(page.Send(ctx, form))
	}
	if err := p.n.Broker.Receive(ctx, v, page.Back); err != nil {
		t.Fatal(err)
	}
	return &v.Result
}

// offer is the one in a list that the case chooses.
func (p *performance) offer(t *testing.T, page *harness.VisitorPage) harness.Offer {
	t.Helper()
	q := p.c.Question
	name := func(number string) string {
		for _, o := range p.c.World.Companies {
			if o.KvK.Text() == number && number != "" {
				return o.Name
			}
		}
		return ""
	}
	through := name(q.Intermediary.KvK.Text())
	for _, o := range page.Offers {
		says := func(words string) bool { return strings.Contains(o.Text, words) }
		if o.Token != "" && o.Name == name(q.Represented.Text()) && says("Via") == (through != "") && says("Via "+through) == (through != "") &&
			says("vestiging") == (len(q.Establishments) > 0) && says("ander register") == (q.ConfirmAt == corpus.Elsewhere) {
			return o
		}
	}
	t.Fatalf("%s: it is not offered: %s", p.c.Idea, page.Text)
	return harness.Offer{}
}

// combination is what the provider got before: from this register in one statement, or
// with this register as the second.
func (p *performance) combination(t *testing.T) *xmlsec.Element {
	t.Helper()
	first, second := p.n.First, etoegang.EntityID{}
	actor := p.c.Question.Actor.Pseudonym.Text()
	if p.c.Question.Actor.IsZero() {
		first, second, actor = p.n.Second, p.n.First.Entity, strings.Repeat("a", 64)
	}
	login, link := p.login(t, first, actor)
	statement, link := p.statement(t, first, link, second)
	advice := []*xmlsec.Element{login, statement}
	if !second.IsZero() {
		confirmed, _ := p.statement(t, p.n.First, link, etoegang.EntityID{})
		advice = append(advice, confirmed)
	}
	now := p.n.Now()
	return must[*xmlsec.Element](t)(saml.Combination{
		ID: saml.NewID(), Issuer: p.n.Broker.Entity, NameID: saml.NewID(), Issued: now, Until: now.Add(time.Minute),
		Recipient: p.service.Home.Consumer, InResponseTo: saml.NewID(), Audience: p.service.Home.Entity,
		Level: etoegang.LoA3, Authenticator: p.n.Authenticator.Entity, Advice: advice, ServiceID: p.service.ID, ServiceUUID: p.service.UUID,
	}.Sign(p.n.Broker.Signer()))
}

func (p *performance) login(t *testing.T, at *harness.RegisterNode, pseudonym string) (*xmlsec.Element, saml.Link) {
	t.Helper()
	acting := must[*xmlsec.Element](t)(saml.SealName(etoegang.TypePseudo, pseudonym, at.Recipient()))
	now := p.n.Now()
	login := saml.Login{
		ID: saml.NewID(), Issuer: p.n.Authenticator.Entity, NameID: saml.NewID(), Issued: now, Until: now.Add(time.Minute),
		Recipient: p.n.Broker.Consumer, InResponseTo: saml.NewID(),
		Audiences: []etoegang.EntityID{p.n.Broker.Entity, at.Entity, p.service.Home.Entity},
		Level:     p.c.Question.Authentication, Representation: true, Registry: at.Entity, Acting: acting, ServiceUUID: p.service.UUID,
	}
	e := must[*xmlsec.Element](t)(login.Sign(p.n.Authenticator.Signer()))
	return e, saml.Link{ID: login.ID, Signature: signatureOf(e)}
}

// statement is a Permit as a register gave it before.
func (p *performance) statement(t *testing.T, by *harness.RegisterNode, rests saml.Link, confirm etoegang.EntityID) (*xmlsec.Element, saml.Link) {
	t.Helper()
	q, now := p.c.Question, p.n.Now()
	answer := saml.Answer{
		ID: saml.NewID(), Issuer: by.Entity, Subject: saml.NewID(), Issued: now, Until: now.Add(time.Minute),
		Links: []saml.Link{rests}, Permit: true, Confirm: confirm, Echo: true,
		ServiceID: p.service.ID, ServiceUUIDs: []etoegang.ServiceUUID{p.service.UUID}, Asked: q.Asked, Used: q.Previous,
		Intermediary: q.Intermediary, Establishments: q.Establishments,
		Represented: []*xmlsec.Element{must[*xmlsec.Element](t)(saml.SealName(q.Represented.Type(), q.Represented.Text(), p.n.First.Recipient()))},
	}
	if by == p.n.First { // our own statements are bound to their company
		answer.Subject = server.StatementName(p.n.First.Register().Key("pseudonym"), answer.ID, p.company())
	}
	e := must[*xmlsec.Element](t)(answer.Sign(by.Signer()))
	return e, saml.Link{ID: answer.ID, Signature: signatureOf(e)}
}

// company is the KvK number of the company asked about, be it known or not.
func (p *performance) company() etoegang.KvKNumber {
	subject := p.c.Question.Represented
	for _, o := range p.c.World.Companies {
		if o.Is(subject) {
			return o.KvK
		}
	}
	number, _ := etoegang.ParseKvKNumber(subject.Text()) // in the corpus, strangers are named by it
	return number
}

// signatureOf reads the signature that was just made.
func signatureOf(e *xmlsec.Element) string {
	text := string(e.Bytes())
	_, rest, _ := strings.Cut(text, "<ds:SignatureValue>")
	value, _, _ := strings.Cut(rest, "<")
	return value
}

// compare holds what came over the wire against what the core decided.
func (p *performance) compare(t *testing.T, want decision.Decision, got *harness.Result) {
	t.Helper()
	if got.Reply == nil {
		t.Fatalf("no answer: HTTP %d: %s", got.HTTPStatus, got.Received)
	}
	var codes []string
	for _, code := range want.Codes() {
		codes = append(codes, string(code))
	}
	switch want.Outcome {
	case decision.Permit:
		p.comparePermit(t, want.Options[0], got.Reply)
	case decision.Choose:
		if got.Reply.Permitted() || !slices.Equal(got.Reply.Codes(), []string{"choice-needed"}) {
			t.Errorf("%s: want choice-needed, got %v", p.c.Idea, got.Reply.Codes())
		}
	case decision.Deny:
		if got.Reply.Permitted() || !slices.Equal(got.Reply.Codes(), codes) {
			t.Errorf("%s: want %v, got %v", p.c.Idea, codes, got.Reply.Codes())
		}
		if fault := want.Codes()[0].AskersFault(); fault != (got.Reply.Status == saml.RequesterUnsupported) {
			t.Errorf("%s: status %s", p.c.Idea, got.Reply.Status.Short())
		}
	}
}

func (p *performance) comparePermit(t *testing.T, want decision.Option, got *saml.Reply) {
	t.Helper()
	if !got.Permitted() {
		t.Fatalf("%s: want a Permit, got %s %v", p.c.Idea, got.Status.Short(), got.Codes())
	}
	s := got.Statement
	through := etoegang.Intermediary{}
	if want.Intermediary != nil {
		through.KvK = want.Intermediary.KvK
	}
	confirm := map[etoegang.EntityID]etoegang.EntityID{
		{}: {}, corpus.Here: p.n.First.Entity, corpus.Elsewhere: p.n.Second.Entity,
	}[want.ConfirmAt]
	if s.Used != want.Used || s.Intermediary() != through || s.Confirm != confirm || !slices.Equal(s.Establishments, want.Establishments) {
		t.Errorf("%s: used %v, confirm %v, %d establishments; want used %v, confirm %v, %d", p.c.Idea,
			s.Used, s.Confirm, len(s.Establishments), want.Used, confirm, len(want.Establishments))
	}
	if portal := p.c.World.Services[p.c.Service].Portal(); portal && !slices.Equal(s.Opened, want.Services) {
		t.Errorf("%s: opens %v, want %v", p.c.Idea, s.Opened, want.Services)
	}
	if p.c.Question.Question == decision.Recheck {
		return
	}
	reader, identifiers := p.service.Home, want.Identifiers
	if !confirm.IsZero() {
		identifiers = []etoegang.LegalSubject{want.Represented.KvK.LegalSubject()}
		reader = map[etoegang.EntityID]*harness.Party{p.n.First.Entity: p.n.First.Party, p.n.Second.Entity: p.n.Second.Party}[confirm]
	}
	read, err := s.OpenRepresented(reader.Entity, reader.Openers())
	if err != nil || !slices.Equal(read, identifiers) {
		t.Errorf("%s: %d identifiers read, want %s (%v)", p.c.Idea, len(read), types(identifiers), err)
	}
}

func types(list []etoegang.LegalSubject) string {
	var out []string
	for _, s := range list {
		out = append(out, s.Type().Short())
	}
	return fmt.Sprint(out)
}
