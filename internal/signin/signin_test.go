package signin_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Somebody logs in: the broker reads what we ask, and we read who he is and for whom he acts.
// How the answer comes makes no difference, nor whether it was kept in a store meanwhile.
func TestSomebodyLogsIn(t *testing.T) {
	for address, way := range map[string]func(*signin.Config){byArtifact: asIs, byForm: inForms} {
		s := at(t, morning, way)
		request, begun := s.begin(signin.Options{})
		if request.Level != etoegang.LoA3 || request.Service != "10" || request.Force || request.Passive {
			t.Errorf("the broker reads %+v", request)
		}
		var pending signin.Pending
		if err := pending.UnmarshalBinary(sure(begun.MarshalBinary())); err != nil {
			t.Fatal(err)
		}
		s.now = morning.Add(time.Minute)
		brought := inForm(s.answer(request.ID, address, asItIs), pending)
		if address == byArtifact {
			brought = s.behindArtifact(s.answer(request.ID, address, asItIs), pending, func(*saml.Resolved) {})
		}
		v, err := s.door.Finish(context.Background(), pending, brought)
		if err != nil {
			t.Fatal(err)
		}
		if v.Acting != (signin.Acting{Register: cast().register.entity, Pseudonym: sure(etoegang.ParseSpecificPseudonym(pseudonym))}) {
			t.Errorf("it is %v of %v", v.Acting.Pseudonym.Text(), v.Acting.Register)
		}
		if v.Company != company || v.Name != bakery || !v.Intermediary.IsZero() {
			t.Errorf("he acts for %+v", v)
		}
		if v.Level != etoegang.LoA3 || !v.LoggedIn.Equal(s.now) {
			t.Errorf("level %v at %v", v.Level, v.LoggedIn)
		}
		if v.Assertion != (signin.Used{Issuer: cast().broker.entity, ID: "_combined", Until: s.now.Add(2*time.Minute + 2*time.Second)}) {
			t.Errorf("to be remembered is %+v", v.Assertion)
		}
	}
}

// An employee of an intermediary acts for its client.
func TestWhoActsForAClient(t *testing.T) {
	s := at(t, morning, inForms)
	request, pending := s.begin(signin.Options{})
	v, err := s.door.Finish(context.Background(), pending, inForm(s.answer(request.ID, byForm, func(a *says) {
		a.statement.Intermediary, a.combined.Intermediary = accountants, accountants
	}), pending))
	if err != nil || v.Intermediary != accountants {
		t.Errorf("%+v, %v", v, err)
	}
}

// A broker that takes no requests in an address gets a form.
func TestBrokerWithFormsAlone(t *testing.T) {
	s := at(t, morning, func(c *signin.Config) {
		broker := cast().broker.participant()
		broker.SignOn = []saml.Endpoint{{Binding: saml.BindingArtifact, Location: "https://broker.test/other"}, {Binding: saml.BindingPOST, Location: signOn}}
		c.Directory = saml.NewDirectory(broker)
	})
	out, pending, err := s.door.Begin(signin.Options{Force: true})
	if err != nil || out.Form == nil {
		t.Fatalf("%v, %v", out, err)
	}
	if request := s.read(out, pending); !request.Force || request.Level != etoegang.LoA3 {
		t.Errorf("the broker reads %+v", request)
	}
}

// Answers are asked for at an address that we have.
func TestWhereAnswersAreAskedFor(t *testing.T) {
	for consumer, way := range map[string]func(*signin.Config){"1": asIs, "2": inForms} {
		if request, _ := at(t, morning, way).begin(signin.Options{}); request.Consumer != consumer {
			t.Errorf("the broker reads %+v, want %s", request, consumer)
		}
	}
}

// A broker whose metadata have ended is asked for nothing.
func TestBrokerWhoseMetadataEnd(t *testing.T) {
	s := at(t, morning, func(c *signin.Config) {
		broker := cast().broker.participant()
		broker.SignOn, broker.Until = []saml.Endpoint{{Binding: saml.BindingRedirect, Location: signOn}}, morning.Add(time.Hour)
		c.Directory = saml.NewDirectory(broker)
	})
	s.begin(signin.Options{})
	s.now = morning.Add(time.Hour)
	if _, _, err := s.door.Begin(signin.Options{}); !errors.Is(err, signin.ErrNoBroker) {
		t.Errorf("%v", err)
	}
}

// refusals are answers by which nobody is logged in, and what our own pages are told.
var refusals = map[string]struct {
	change func(*says)
	want   error
	reads  string // in the error
}{
	"cancelled":              {refuses(saml.ResponderAuthnFailed, ""), signin.ErrCancelled, "Responder/AuthnFailed"},
	"cancelled at register":  {refuses(saml.ResponderAuthnFailed, "cancelled"), signin.ErrCancelled, ""},
	"no mandate":             {refuses(saml.ResponderAuthnFailed, "no-mandate"), signin.ErrRefused, ""},
	"not found out":          {refuses(saml.ResponderFailed, ""), signin.ErrNotAnswered, ""},
	"not supported":          {refuses(saml.RequesterUnsupported, ""), signin.ErrNotAnswered, ""},
	"refused by another":     {func(a *says) { refuses(saml.ResponderAuthnFailed, "")(a); a.by = cast().authenticator }, signin.ErrUnbelieved, ""},
	"refused another":        {func(a *says) { refuses(saml.ResponderAuthnFailed, "")(a); a.response.InResponseTo = "_other" }, signin.ErrUnbelieved, "another request"},
	"to another request":     {func(a *says) { a.response.InResponseTo = "_other" }, signin.ErrUnbelieved, "another request"},
	"for another request":    {func(a *says) { a.combined.InResponseTo = "_other" }, signin.ErrUnbelieved, "subject-confirmation"},
	"to elsewhere":           {func(a *says) { a.response.Destination = byArtifact }, signin.ErrUnbelieved, "destination"},
	"for elsewhere":          {func(a *says) { a.combined.Recipient = byArtifact }, signin.ErrUnbelieved, "subject-confirmation"},
	"for another provider":   {func(a *says) { a.combined.Audience = cast().register.entity }, signin.ErrUnbelieved, "audience"},
	"expired":                {func(a *says) { a.combined.Issued, a.combined.Until = ago(10*time.Minute), ago(3*time.Second) }, signin.ErrUnbelieved, "no longer valid"},
	"of the future":          {func(a *says) { a.combined.Issued = morning.Add(3 * time.Second) }, signin.ErrUnbelieved, "not valid yet"},
	"wrong key":              {func(a *says) { a.by = cast().authenticator }, signin.ErrUnbelieved, "signature"},
	"wrong key of assertion": {func(a *says) { a.of = cast().register }, signin.ErrUnbelieved, "signature"},
	"of a rival broker": {func(a *says) {
		a.by, a.of, a.response.Issuer, a.combined.Issuer = cast().rival, cast().rival, cast().rival.entity, cast().rival.entity
	}, signin.ErrUnbelieved, "whom we have not asked"},
	"a log-in of yesterday": {func(a *says) { a.login.LoggedIn = ago(24 * time.Hour) }, signin.ErrUnbelieved, "too long ago"},
	"a log-in of tomorrow":  {func(a *says) { a.login.LoggedIn = ago(-24 * time.Hour) }, signin.ErrUnbelieved, "from-the-future"},
	"a log-in elsewhere":    {func(a *says) { a.login.Audiences = a.login.Audiences[:2] }, signin.ErrUnbelieved, "audience"},
	"another person":        {func(a *says) { a.combined.Acting = person(strings.ToUpper(pseudonym)) }, signin.ErrUnbelieved, "another person"},
	"nobody":                {func(a *says) { a.combined.Acting, a.statement.Acting = nil, nil }, signin.ErrUnbelieved, "nobody who acts"},
	"a number for a person": {func(a *says) { a.combined.Acting, a.statement.Acting = person("123456782"), person("123456782") }, signin.ErrUnbelieved, "specific pseudonym"},
	"another company":       {func(a *says) { a.combined.Represented = companies(accountants.KvK.LegalSubject()) }, signin.ErrUnbelieved, "something else"},
	"no company":            {func(a *says) { a.combined.Represented, a.statement.Represented = nil, nil }, signin.ErrUnbelieved, "no company"},
	"a company without a KvK": {func(a *says) {
		a.combined.Represented, a.statement.Represented = companies(rsin.LegalSubject()), companies(rsin.LegalSubject())
	}, signin.ErrNoKvK, ""},
	"another service":           {func(a *says) { a.otherService() }, signin.ErrUnbelieved, "another service"},
	"a Deny":                    {func(a *says) { a.statement.Permit = false }, signin.ErrUnbelieved, "something else"},
	"too low":                   {func(a *says) { a.combined.Level = etoegang.LoA2Plus }, saml.ErrLevel, "loa3 is needed"},
	"raised above the mandate":  {func(a *says) { a.statement.Used = etoegang.LoA2Plus }, signin.ErrUnbelieved, "raised"},
	"raised above the log-in":   {func(a *says) { a.login.Level = etoegang.LoA2Plus }, signin.ErrUnbelieved, "raised"},
	"limited to establishments": {func(a *says) { a.branchOnly() }, saml.ErrEstablishments, ""},
}

func ago(d time.Duration) time.Time { return morning.Add(-d) }

func refuses(status saml.Status, message string) func(*says) {
	return func(a *says) { a.response.Status, a.response.Message = status, message }
}

func (a *says) otherService() {
	other := sure(etoegang.ParseServiceUUID("00000002-0000-4000-8000-000000000000"))
	a.statement.ServiceUUIDs, a.combined.ServiceUUID, a.login.ServiceUUID = []etoegang.ServiceUUID{other}, other, other
}

func (a *says) branchOnly() {
	a.statement.Establishments = []etoegang.EstablishmentNumber{branch}
	a.combined.Establishments = a.statement.Establishments
}

// Nobody is logged in by an answer that says no, is not to our request, for us, here and now,
// or says what nobody has signed. The error says which, and names nobody.
func TestNobodyIsLoggedIn(t *testing.T) {
	for what, c := range refusals {
		t.Run(what, func(t *testing.T) {
			s := at(t, morning, inForms)
			request, pending := s.begin(signin.Options{})
			v, err := s.door.Finish(context.Background(), pending, inForm(s.answer(request.ID, byForm, c.change), pending))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.reads) || v.Company != (etoegang.KvKNumber{}) {
				t.Errorf("%v, want %v: %s", err, c.want, c.reads)
			}
			for _, secret := range []string{pseudonym, company.Text(), rsin.Text(), bakery} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("the error names %s: %v", secret, err)
				}
			}
		})
	}
}

// The reasons of a refusal are there for whoever words the page.
func TestReasonsOfARefusal(t *testing.T) {
	s := at(t, morning, inForms)
	request, pending := s.begin(signin.Options{})
	_, err := s.door.Finish(context.Background(), pending, inForm(s.answer(request.ID, byForm, refuses(saml.ResponderAuthnFailed, "revoked level-too-low")), pending))
	if refusal := (*saml.Refusal)(nil); !errors.As(err, &refusal) || refusal.Message != "revoked level-too-low" {
		t.Errorf("%v", err)
	}
}

// Whoever changes a letter of an answer, or takes a signature away, logs nobody in.
func TestAlteredAnswers(t *testing.T) {
	s := at(t, morning, inForms)
	request, pending := s.begin(signin.Options{})
	good := string(s.answer(request.ID, byForm, asItIs))
	altered := map[string]string{"empty": "", "no XML": "hello", "the beginning": good[:len(good)/2], "twice": good + good}
	for _, part := range []string{"status:Success", request.ID, ":loa3", ":loa4", "_subject", "Permit", service.String(), "2026-03-02T09:32:00Z", cast().ours.entity.String()} {
		for i := range strings.Count(good, part) {
			altered[fmt.Sprint(part, " ", i)] = replaceAt(good, part, flip(part), i)
		}
	}
	for i := range strings.Count(good, "<ds:Signature ") {
		altered[fmt.Sprint("without signature ", i)] = withoutSignature(good, i)
	}
	if len(altered) < 25 {
		t.Fatalf("only %d alterations", len(altered))
	}
	for what, doc := range altered {
		if _, err := s.door.Finish(context.Background(), pending, inForm([]byte(doc), pending)); !errors.Is(err, signin.ErrUnbelieved) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.door.Finish(context.Background(), pending, inForm([]byte(good), pending)); err != nil {
		t.Errorf("the answer as it was: %v", err)
	}
}

// flip changes the last letter of a text.
func flip(text string) string {
	last := text[len(text)-1] ^ 1
	return text[:len(text)-1] + string(last)
}

// replaceAt replaces one occurrence.
func replaceAt(text, old, by string, number int) string {
	parts := strings.Split(text, old)
	return strings.Join(parts[:number+1], old) + by + strings.Join(parts[number+1:], old)
}

func withoutSignature(text string, number int) string {
	from := 0
	for range number + 1 {
		from += strings.Index(text[from:], "<ds:Signature ") + 1
	}
	to := from + strings.Index(text[from:], "</ds:Signature>") + len("</ds:Signature>")
	return text[:from-1] + text[to:]
}

// What the browser brings must be of a log-in that it has begun, and not long ago.
func TestAnswersThatNobodyWaitsFor(t *testing.T) {
	s := at(t, morning, inForms)
	request, pending := s.begin(signin.Options{})
	_, other := s.begin(signin.Options{})
	good := inForm(s.answer(request.ID, byForm, asItIs), pending)
	for what, c := range map[string]struct {
		begun  signin.Pending
		answer signin.Answer
		want   error
	}{
		"nothing was begun":     {signin.Pending{}, signin.Answer{Response: good.Response}, signin.ErrNotBegun},
		"another was begun":     {other, good, signin.ErrNotBegun},
		"another's answer":      {other, signin.Answer{Response: good.Response, Relay: other.Relay()}, signin.ErrUnbelieved},
		"no RelayState":         {pending, signin.Answer{Response: good.Response}, signin.ErrNotBegun},
		"nothing":               {pending, signin.Answer{Relay: pending.Relay()}, signin.ErrUnbelieved},
		"both":                  {pending, signin.Answer{Response: good.Response, Artifact: "AAQA", Relay: pending.Relay()}, signin.ErrUnbelieved},
		"no base64":             {pending, signin.Answer{Response: "<Response/>", Relay: pending.Relay()}, signin.ErrUnbelieved},
		"as it was to be":       {pending, good, nil},
		"no artifact":           {pending, signin.Answer{Artifact: "AAQA", Relay: pending.Relay()}, signin.ErrUnbelieved},
		"a stranger's artifact": {pending, signin.Answer{Artifact: saml.NewArtifact(cast().ours.entity, 0).String(), Relay: pending.Relay()}, signin.ErrUnbelieved},
		"a rival's artifact":    {pending, signin.Answer{Artifact: saml.NewArtifact(cast().rival.entity, 0).String(), Relay: pending.Relay()}, signin.ErrUnbelieved},
		"an artifact of no use": {pending, signin.Answer{Artifact: saml.NewArtifact(cast().broker.entity, 7).String(), Relay: pending.Relay()}, signin.ErrUnbelieved},
	} {
		if _, err := s.door.Finish(context.Background(), c.begun, c.answer); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	if _, err := s.door.Finish(context.Background(), pending, signin.Answer{Artifact: saml.NewArtifact(cast().rival.entity, 0).String(), Relay: pending.Relay()}); !strings.Contains(err.Error(), "not our broker's") {
		t.Errorf("a rival is asked: %v", err)
	}
	s.now = morning.Add(30*time.Minute + time.Second)
	if _, err := s.door.Finish(context.Background(), pending, inForm(s.answer(request.ID, byForm, asItIs), pending)); !errors.Is(err, signin.ErrLate) {
		t.Errorf("after half an hour: %v", err)
	}
}

// An artifact gives its answer once, to a broker that is there, and only what it signs.
func TestArtifactsThatGiveNothing(t *testing.T) {
	s := at(t, morning, asIs)
	request, pending := s.begin(signin.Options{})
	doc := s.answer(request.ID, byArtifact, asItIs)
	for what, c := range map[string]struct {
		change func(*saml.Resolved)
		want   error
	}{
		"as it is":             {func(*saml.Resolved) {}, nil},
		"used":                 {func(r *saml.Resolved) { r.Message = nil }, signin.ErrUnreached},
		"to another question":  {func(r *saml.Resolved) { r.InResponseTo = "_other" }, signin.ErrUnbelieved},
		"old":                  {func(r *saml.Resolved) { r.Issued = ago(time.Hour) }, signin.ErrUnbelieved},
		"of another":           {func(r *saml.Resolved) { r.Issuer = cast().rival.entity }, signin.ErrUnbelieved},
		"to the other address": {func(r *saml.Resolved) { r.Message = sure(xmlsec.Restore(s.answer(request.ID, byForm, asItIs))) }, signin.ErrUnbelieved},
		"of a cancelled log-in": {func(r *saml.Resolved) {
			r.Message = sure(xmlsec.Restore(s.answer(request.ID, byArtifact, refuses(saml.ResponderAuthnFailed, ""))))
		}, signin.ErrCancelled},
	} {
		if _, err := s.door.Finish(context.Background(), pending, s.behindArtifact(doc, pending, c.change)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	brought := s.behindArtifact(doc, pending, func(*saml.Resolved) {})
	away := errors.New("connection refused")
	s.resolve = func([]byte) ([]byte, error) { return nil, away }
	if _, err := s.door.Finish(context.Background(), pending, brought); !errors.Is(err, signin.ErrUnreached) || !errors.Is(err, away) {
		t.Errorf("the broker is away: %v", err)
	}
}

// The time that fetching takes is no reason to believe an answer that has ended meanwhile, nor
// to take one for a message of the future.
func TestFetchingTakesTime(t *testing.T) {
	s := at(t, morning, asIs)
	request, pending := s.begin(signin.Options{})
	for took, want := range map[time.Duration]error{20 * time.Second: nil, 3 * time.Minute: signin.ErrUnbelieved} {
		s.now = morning
		doc := s.answer(request.ID, byArtifact, asItIs)
		brought := s.behindArtifact(doc, pending, func(r *saml.Resolved) { s.now = s.now.Add(took); r.Issued = s.now })
		if _, err := s.door.Finish(context.Background(), pending, brought); !errors.Is(err, want) {
			t.Errorf("after %v: %v", took, err)
		}
	}
}

// Before grave acts one logs in anew. What counts is when the authentication service saw the
// user, whatever the broker says of its own answer.
func TestLoggingInAnew(t *testing.T) {
	s := at(t, morning, inForms)
	for _, c := range []struct {
		force bool
		seen  time.Duration // before the request
		want  error
	}{
		{true, 0, nil},
		{true, -time.Minute, nil},
		{true, 2 * time.Second, nil}, // clocks differ
		{true, 3 * time.Second, signin.ErrNotAnew},
		{true, time.Hour, signin.ErrNotAnew},
		{false, time.Hour, nil},
	} {
		s.now = morning
		request, pending := s.begin(signin.Options{Force: c.force})
		if request.Force != c.force {
			t.Errorf("ForceAuthn is %v", request.Force)
		}
		s.now = morning.Add(2 * time.Minute)
		v, err := s.door.Finish(context.Background(), pending, inForm(s.answer(request.ID, byForm, func(a *says) { a.login.LoggedIn = ago(c.seen) }), pending))
		if !errors.Is(err, c.want) || err == nil && !v.LoggedIn.Equal(ago(c.seen)) {
			t.Errorf("seen %v before, forced %v: %v", c.seen, c.force, err)
		}
	}
}

// The service's level is demanded of the answer too, and the level of a log-in is the broker's,
// which is the lowest of all.
func TestLevels(t *testing.T) {
	for _, c := range []struct {
		asked, login, mandate, given etoegang.AssuranceLevel
	}{
		{etoegang.LoA3, etoegang.LoA4, etoegang.LoA3, etoegang.LoA3},
		{etoegang.LoA2Plus, etoegang.LoA3, etoegang.LoA3, etoegang.LoA2Plus},
	} {
		s := at(t, morning, func(of *signin.Config) { inForms(of); of.Service.Level = c.asked })
		request, pending := s.begin(signin.Options{})
		v, err := s.door.Finish(context.Background(), pending, inForm(s.answer(request.ID, byForm, func(a *says) {
			a.login.Level, a.statement.Used, a.combined.Level = c.login, c.mandate, c.given
		}), pending))
		if err != nil || v.Level != c.given || request.Level != c.asked {
			t.Errorf("%+v: %v, level %v, asked %v", c, err, v.Level, request.Level)
		}
	}
}

// Our metadata are ours, and say where answers go, with which keys, and what people log in for.
func TestMetadata(t *testing.T) {
	s := at(t, morning, asIs)
	doc := sure(s.door.Metadata())
	all, _, err := saml.ParseMetadata(doc, saml.Trust{Certificates: []*x509.Certificate{cast().ours.signer.Certificate}}, morning)
	if err != nil {
		t.Fatal(err)
	}
	p := all[0]
	if p.Entity != cast().ours.entity || p.Name != "Mandated" || len(p.Signing) != 1 || len(p.Encryption) != 1 || !p.Until.Equal(morning.Add(7*24*time.Hour)) {
		t.Errorf("they say %+v", p)
	}
	if c, ok := p.Consumer(""); !ok || c.Location != byArtifact || c.Binding != saml.BindingArtifact {
		t.Errorf("by default answers go to %+v", c)
	}
	if c, ok := p.Consumer("2"); !ok || c.Location != byForm || c.Binding != saml.BindingPOST {
		t.Errorf("forms go to %+v", c)
	}
	for _, want := range []string{
		`AuthnRequestsSigned="true" WantAssertionsSigned="true"`,
		`<md:AttributeConsumingService index="10" isDefault="true"><md:ServiceName xml:lang="en">Manage mandates</md:ServiceName><md:ServiceName xml:lang="nl">Machtigingen beheren</md:ServiceName>` +
			`<md:RequestedAttribute Name="urn:etoegang:1.11:attribute-represented:CompanyName" isRequired="false">`,
	} {
		if !bytes.Contains(doc, []byte(want)) {
			t.Errorf("they do not say %s: %s", want, doc)
		}
	}
}

// A door that could not work is not made, and the error says what to do.
func TestDoorsThatCouldNotWork(t *testing.T) {
	other := cast().register
	for want, change := range map[string]func(*signin.Config){
		"no service provider":     func(c *signin.Config) { c.Entity = other.entity },
		"is no broker":            func(c *signin.Config) { c.Broker = other.entity },
		"no address for answers":  func(c *signin.Config) { c.Artifact, c.Post = "", "" },
		"no way to resolve":       func(c *signin.Config) { c.Resolve = nil },
		"no key to encrypt to":    func(c *signin.Config) { c.Openers = nil },
		"not among those that we": func(c *signin.Config) { c.Signing = other.keys() },
		"fetch them anew":         func(c *signin.Config) { c.Directory = saml.NewDirectory() },
		"no SingleSignOnService":  func(c *signin.Config) { c.Directory = saml.NewDirectory(cast().broker.participant()) },
		"not between 1 and 65535": func(c *signin.Config) { c.Service = signin.Service{} },
		"another organisation": func(c *signin.Config) {
			c.Service.ID = sure(etoegang.ParseServiceID("urn:etoegang:DV:00000001000000010000:services:1"))
		},
		"no ServiceUUID":               func(c *signin.Config) { c.Service.UUID = etoegang.ServiceUUID{} },
		"has it at loa2":               func(c *signin.Config) { c.Service.Highest = etoegang.LoA2 },
		"its level is loa1":            func(c *signin.Config) { c.Service.Level = etoegang.LoA1 },
		"no name in any language":      func(c *signin.Config) { c.Service.Names = nil },
		"is not https":                 func(c *signin.Config) { c.Post = "http://mandates.test/acs" },
		"nobody could read our metada": func(c *signin.Config) { c.Artifact = "javascript:alert(1)" },
	} {
		s := &scene{t: t, now: morning}
		c := s.good()
		change(&c)
		if _, err := signin.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// What is kept of a log-in is read from a store, where something else may lie.
func TestPendingOfNobody(t *testing.T) {
	var p signin.Pending
	if err := p.UnmarshalBinary([]byte("?")); err == nil {
		t.Error("anything is a log-in that was begun")
	}
}

// FuzzFinish: no bytes that a browser or a broker sends make the door fall over, and nobody
// comes in but the one whom all have signed for.
func FuzzFinish(f *testing.F) {
	s := at(f, morning, asIs)
	begun := func(address string) (p signin.Pending) {
		if err := p.UnmarshalBinary(fmt.Appendf(nil, `{"id":"_asked","relay":"_relay","begun":"2026-03-02T09:29:00Z","address":%q}`, address)); err != nil {
			f.Fatal(err)
		}
		return p
	}
	posted, fetched := begun(byForm), begun(byArtifact)
	for _, c := range refusals {
		f.Add(s.answer("_asked", byForm, c.change), "")
	}
	good := s.answer("_asked", byForm, asItIs)
	if _, err := s.door.Finish(context.Background(), posted, inForm(good, posted)); err != nil {
		f.Fatal(err)
	}
	f.Add(good, "")
	f.Add(bytes.Replace(good, []byte(":loa3"), []byte(":lo<!-- -->a3"), 1), "")
	f.Add(good, saml.NewArtifact(cast().broker.entity, 0).String())
	f.Fuzz(func(t *testing.T, doc []byte, artifact string) {
		pending, brought := posted, signin.Answer{Response: base64.StdEncoding.EncodeToString(doc), Relay: "_relay"}
		if artifact != "" {
			pending, brought = fetched, signin.Answer{Artifact: artifact, Relay: "_relay"}
			s.resolve = func([]byte) ([]byte, error) { return doc, nil }
		}
		v, err := s.door.Finish(context.Background(), pending, brought)
		if err != nil {
			return
		}
		if v.Acting.Pseudonym.Text() != pseudonym || v.Acting.Register != cast().register.entity || v.Company != company || v.Level != etoegang.LoA3 || v.Assertion.ID != "_combined" {
			t.Fatalf("%+v came in with %s", v, doc)
		}
	})
}
