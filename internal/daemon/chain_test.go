package daemon_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// elsewhere lets Anna act for a client whose mandate stands in the second register, and of
// which the first has noted that.
func (s *scene) elsewhere(name, kvk string) {
	s.t.Helper()
	client, scope := harness.Company(name, kvk, ""), harness.For(s.vat, etoegang.LoA3)
	relation, err := s.n.First.ChainElsewhere(client, office, scope, s.n.Second)
	if err == nil {
		_, err = s.n.First.Assign(relation, office, s.anna, scope)
	}
	if err == nil {
		_, err = s.n.Second.Chain(client, office, scope)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// confirmed is the broker's second question, which its first answer obliges it to ask.
func (s *scene) confirmed(v *harness.Visit) *harness.Result {
	s.t.Helper()
	if confirm := v.Reply.Statement.Confirm; confirm != s.n.Second.Entity {
		s.t.Fatalf("the first register wants %q to confirm", confirm)
	}
	second, err := s.n.Broker.Confirm(ctx, &v.Result, s.n.Second)
	if err != nil {
		s.t.Fatal(err)
	}
	return second
}

// chainThrough goes the whole way of a chain: the user chooses a client at the first register,
// where every step is at the next of its nodes, and the second confirms it over the back
// channel. The provider reads the client and the office.
func (s *scene) chainThrough(nodes ...*harness.RegisterNode) {
	s.t.Helper()
	v, browser := s.send("relay"), s.n.Visitor()
	at := func(page *harness.VisitorPage, node *harness.RegisterNode) *harness.VisitorPage {
		to := must(url.Parse(page.Address()))
		to.Host = must(url.Parse(node.DoorEndpoint)).Host
		return s.sees(browser.Open(ctx, to.String()))
	}
	page := s.arrives(browser, v)
	page = at(page, nodes[0])
	if !strings.Contains(page.Text, "ook nog bij een ander register gecontroleerd") {
		s.t.Errorf("of the client elsewhere nothing is said: %s", page.Text)
	}
	page = at(s.sees(page.Search(ctx, "slager")), nodes[1])
	back := s.sees(page.Choose(ctx, "Slagerij Vos"))
	v.At(nodes[2])
	if reply := s.answered(v, back); !reply.Permitted() {
		s.t.Fatalf("the first register: %+v", reply)
	}
	// The first register names the client to the second and to nobody else.
	if read, err := v.Represented(); err == nil {
		s.t.Errorf("the provider reads %v in what is for the second register", read)
	}
	second := s.confirmed(v)
	if second.Reply == nil || !second.Reply.Permitted() || second.Reply.Statement.Used != etoegang.LoA3 {
		s.t.Fatalf("the second register: HTTP %d, %+v", second.HTTPStatus, second.Reply)
	}
	read, err := second.Represented()
	if err != nil || read[0].Text() != "55599999" || second.Reply.Statement.Intermediary().KvK != office.KvK {
		s.t.Errorf("the provider reads %v through %v, %v", read, second.Reply.Statement.Intermediary().KvK, err)
	}
	if second.Reply.Statement.Confirm != (etoegang.EntityID{}) {
		s.t.Error("a second register wants a third")
	}
}

// Two registers, each a daemon with files of its own.
func TestChainAcrossTwoRegisters(t *testing.T) {
	s := withClients(t, harness.Options{TwoRegisters: true, TLS: true}, "Bloemist Bos")
	s.elsewhere("Slagerij Vos", "55599999")
	s.chainThrough(s.n.First, s.n.First, s.n.First)
	if got := s.outcomes(); got != "Choose Permit" {
		t.Errorf("the first register recorded %s", got)
	}
}

// Two nodes of the first register on PostgreSQL and Redis: query, search, choice and the
// resolution of the answer each come to another one than the step before.
// The database has a clock of its own, and so the network has the real one.
func TestChainAcrossReplicas(t *testing.T) {
	place, redis := servers.Shared(t).DSN(), servers.Redis(t, servers.RedisOptions{}).Addr()
	s := withClients(t, harness.Options{TwoRegisters: true, Nodes: 2, RealTime: true, Configure: func(settings map[string]any) {
		if strings.HasSuffix(settings["entity"].(string), ":9001") {
			settings["register"], settings["journal"] = place, place
			settings["guard"], settings["redis"] = "redis", map[string]any{"addresses": []string{redis}}
		}
	}}, "Bloemist Bos")
	s.elsewhere("Slagerij Vos", "55599999")
	one, other := s.n.First, s.n.Replicas[0]
	s.chainThrough(other, one, other)
	s.chainThrough(one, other, one)
}

// The client took the mandate back at the second register after the user had chosen him at
// the first: the second says no, and there is no page to say it on.
func TestRevokedBetweenChoiceAndConfirmation(t *testing.T) {
	s := withClients(t, harness.Options{TwoRegisters: true})
	client, scope := harness.Company("Slagerij Vos", "55599999", ""), harness.For(s.vat, etoegang.LoA3)
	relation := must(s.n.First.ChainElsewhere(client, office, scope, s.n.Second))
	must(s.n.First.Assign(relation, office, s.anna, scope))
	held := must(s.n.Second.Chain(client, office, scope))
	v := s.send("")
	back := s.sees(s.arrives(s.n.Visitor(), v).Choose(ctx, "Slagerij Vos"))
	s.answered(v, back)
	if err := s.n.Second.Revoke(held); err != nil {
		t.Fatal(err)
	}
	if second := s.confirmed(v); second.Reply.Status != saml.ResponderAuthnFailed || second.Reply.Message != "revoked" {
		t.Errorf("%+v", second.Reply)
	}
}

// A second register, or somebody before it, gives the answer to another question: the broker
// does not take it for the answer to his.
func TestSecondRegisterAnswersAnotherQuestion(t *testing.T) {
	s := withClients(t, harness.Options{TwoRegisters: true}, "Bloemist Bos")
	s.elsewhere("Slagerij Vos", "55599999")
	permitted := func() *harness.Visit {
		v := s.send("")
		s.answered(v, s.sees(s.arrives(s.n.Visitor(), v).Choose(ctx, "Slagerij Vos")))
		return v
	}
	first, v := s.confirmed(permitted()), permitted()
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", saml.ContentType)
		_, _ = w.Write(first.Received)
	}))
	defer between.Close()
	second := *s.n.Second
	second.Endpoint = between.URL
	if got, err := s.n.Broker.Confirm(ctx, &v.Result, &second); err == nil {
		t.Errorf("the broker reads %+v", got.Reply)
	}
}

// looksElsewhere lets the first register's users look for clients at other registers.
func looksElsewhere(settings map[string]any) { looksFor(settings, 2*time.Second) }

func looksFor(settings map[string]any, patience time.Duration) {
	settings["chain"] = map[string]any{"elsewhere": "mandated", "discovery": patience.String()}
}

// withOffice is a scene in which the office has mandated Anna itself, and has clients at the
// second register of which nobody has told the first.
func withOffice(t *testing.T, o harness.Options, clients ...string) *scene {
	t.Helper()
	o.TwoRegisters = true
	if o.Configure == nil {
		o.Configure = looksElsewhere
	}
	s := withClients(t, o)
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: office, Person: s.anna, Scope: harness.For(s.vat, etoegang.LoA3)})
	for i, name := range clients {
		must(s.n.Second.Chain(harness.Company(name, fmt.Sprintf("%08d", 66600000+i), ""), office, harness.For(s.vat, etoegang.LoA3)))
	}
	return s
}

// seek presses the button that asks other registers for the clients of the office.
func (s *scene) seek(page *harness.VisitorPage) *harness.VisitorPage {
	s.t.Helper()
	return s.sees(page.Press(ctx, "Zoek klanten van "+office.Name+" bij andere registers"))
}

// The second register holds the mandates of Anna's clients, and nobody has told the first. She
// lets it ask, chooses one of those that are named, and the second confirms that one.
func TestClientsFoundElsewhere(t *testing.T) {
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("Verre Klant %c%c", 'A'+i/26, 'A'+i%26))
	}
	s := withOffice(t, harness.Options{TLS: true}, names...)
	v := s.send("")
	page := s.seek(s.arrives(s.n.Visitor(), v))
	if page.Title != "Klanten van "+office.Name+" bij andere registers" || len(page.Offers) != 25 || !strings.Contains(page.Text, "bij een ander register gecontroleerd") {
		t.Fatalf("%q: %s", page.Title, page.Text)
	}
	if next := s.sees(page.Follow(ctx, "Volgende organisaties")); len(next.Offers) != 5 || next.Offers[0].Name != "Verre Klant AZ" {
		t.Errorf("the second page: %+v", next.Offers)
	}
	found := s.sees(page.Send(ctx, url.Values{"elsewhere": page.Checked()["elsewhere"], "search": {"klant bc"}}))
	if len(found.Offers) != 1 {
		t.Fatalf("found %+v", found.Offers)
	}
	if strings.Contains(found.Address(), "klant") {
		t.Errorf("the address says %s", found.Address())
	}
	s.answered(v, s.sees(found.Choose(ctx, "Verre Klant BC")))
	second := s.confirmed(v)
	if second.Reply == nil || !second.Reply.Permitted() {
		t.Fatalf("the second register: %+v", second.Reply)
	}
	if read, err := second.Represented(); err != nil || read[0].Text() != "66600028" {
		t.Errorf("the provider reads %v, %v", read, err)
	}
	records := s.records()
	if last := records[len(records)-1]; last.Outcome != "Permit" || !last.Rules.OwnElsewhere || !strings.HasPrefix(last.Represented, "unknown:") {
		t.Errorf("recorded: %+v", last)
	}
	// Who knows the whole number asks for that client alone.
	page = s.seek(s.arrives(s.n.Visitor(), s.send("")))
	one := s.sees(page.Send(ctx, url.Values{"elsewhere": page.Checked()["elsewhere"], "search": {"66600007"}}))
	if len(one.Offers) != 1 || one.Offers[0].Name != "Verre Klant AH" {
		t.Errorf("by number: %+v", one.Offers)
	}
}

// A client has given the office two mandates that reach the service: it is offered once.
func TestClientWithTwoMandatesIsOfferedOnce(t *testing.T) {
	s := withOffice(t, harness.Options{}, "Verre Klant")
	client := harness.Company("Verre Klant", "66600000", "")
	must(s.n.Second.Chain(client, office, mandate.Scope{mandate.Everything(etoegang.LoA3)}))
	page := s.seek(s.arrives(s.n.Visitor(), s.send("")))
	if len(page.Offers) != 1 || page.Offers[0].Name != client.Name {
		t.Errorf("offered are %+v", page.Offers)
	}
}

// What a register names is no promise: the client has taken the mandate back since, and the
// second register says so. Discovery never decides.
func TestFoundElsewhereAndGone(t *testing.T) {
	s := withOffice(t, harness.Options{})
	held := must(s.n.Second.Chain(harness.Company("Verre Klant", "66600000", ""), office, harness.For(s.vat, etoegang.LoA3)))
	v := s.send("")
	page := s.seek(s.arrives(s.n.Visitor(), v))
	if err := s.n.Second.Revoke(held); err != nil {
		t.Fatal(err)
	}
	s.answered(v, s.sees(page.Choose(ctx, "Verre Klant")))
	if second := s.confirmed(v); second.Reply.Message != "revoked" {
		t.Errorf("%+v", second.Reply)
	}
}

// The other register does not answer: the page says which, and that clients may be missing.
func TestRegisterThatIsSilent(t *testing.T) {
	s := withOffice(t, harness.Options{}, "Verre Klant")
	if err := s.n.Second.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	page := s.seek(s.arrives(s.n.Visitor(), s.send("")))
	if len(page.Offers) != 0 || !strings.Contains(page.Text, "Niet ieder register gaf antwoord") || !strings.Contains(page.Text, s.n.Second.Title) {
		t.Errorf("%s", page.Text)
	}
}

// A register whose metadata name no address cannot be asked: the log says that, and no more.
func TestRegisterThatCannotBeAsked(t *testing.T) {
	var log strings.Builder
	s := withOffice(t, harness.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, "Verre Klant")
	file := filepath.Join(s.n.Folder, "metadata-second-register.xml")
	signer := s.n.Second.Signer()
	keys := []xmlsec.Key{{Name: signer.KeyName, Certificate: signer.Certificate}}
	d := saml.Description{
		ID: saml.NewID(), Name: "urn:etoegang:1.13:T:2", Entity: s.n.Second.Entity, Until: s.n.Now().Add(24 * time.Hour),
		Organisation: s.n.Second.Title, Contact: "desk@second.test", Signing: keys, Encryption: keys, Authz: s.n.Second.Address,
	}
	if err := os.WriteFile(file, must(d.Sign(s.n.Scheme.Signer())).Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.n.First.Reload(); err != nil {
		t.Fatal(err)
	}
	s.seek(s.arrives(s.n.Visitor(), s.send("")))
	if err := s.n.First.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if want := s.n.Second.Entity.String() + ": not-offered\""; !strings.Contains(log.String(), want) {
		t.Errorf("no %q in the log:\n%s", want, log.String())
	}
}

// Where the office assigns its clients, nobody is asked; and whom the office has not mandated
// itself for this service has no button, nor can he send what another's button sends.
func TestWhoMayLookElsewhere(t *testing.T) {
	s := withClients(t, harness.Options{TwoRegisters: true}, "Slagerij Vos")
	page := s.arrives(s.n.Visitor(), s.send(""))
	if strings.Contains(page.Text, "andere registers") {
		t.Errorf("it is offered without the setting: %s", page.Text)
	}
	s = withOffice(t, harness.Options{}, "Verre Klant")
	theirs := s.arrives(s.n.Visitor(), s.send(""))
	bob := s.n.NewPerson("Bob")
	must(s.n.First.Direct(bakery, bob, harness.For(s.vat, etoegang.LoA3)))
	must(s.n.First.Direct(harness.Company("Slagerij Vos", "55500000", ""), bob, harness.For(s.vat, etoegang.LoA3)))
	v, err := s.n.Broker.Send(harness.Question{Person: bob, Service: s.vat}, "")
	if err != nil {
		t.Fatal(err)
	}
	his := s.arrives(s.n.Visitor(), v)
	if strings.Contains(his.Text, office.Name) {
		t.Errorf("Bob is offered the clients of %s: %s", office.Name, his.Text)
	}
	token := theirs.Button("Zoek klanten van " + office.Name + " bij andere registers")
	if got := s.sees(his.Send(ctx, url.Values{"elsewhere": {token}})); token == "" || got.Status != http.StatusBadRequest {
		t.Errorf("what another's button sends: HTTP %d: %s", got.Status, got.Text)
	}
}

// An office with more clients elsewhere than a page is for: none is shown, the page says so,
// and who types the number of one finds him.
func TestTooManyElsewhere(t *testing.T) {
	// The other register has two thousand to tell of, perhaps on a busy machine.
	s := withOffice(t, harness.Options{Configure: func(settings map[string]any) { looksFor(settings, time.Minute) }})
	_, err := s.n.Second.Register().Change(ctx, register.Author{Who: "test", Why: "many"}, func(t *register.Tx) error {
		a, err := t.PutOrganisation(office)
		for i := 0; err == nil && i <= server.MostFound; i++ {
			var b mandate.Organisation
			if b, err = t.PutOrganisation(harness.Company(fmt.Sprint("Verre Klant ", i), fmt.Sprintf("%08d", 66600000+i), "")); err == nil {
				year := mandate.Validity{From: mandate.StartOfDay(t.Now()), To: mandate.AddYears(mandate.StartOfDay(t.Now()), 1)}
				_, err = t.Grant(mandate.Mandate{Kind: mandate.Chain, Grantor: b, Intermediary: a, Scope: harness.For(s.vat, etoegang.LoA3), State: mandate.Active, Validity: year}, register.GrantOptions{})
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page := s.seek(s.arrives(s.n.Visitor(), s.send("")))
	if len(page.Offers) != 0 || !strings.Contains(page.Text, "te veel klanten") {
		t.Fatalf("%s", page.Text)
	}
	one := s.sees(page.Send(ctx, url.Values{"elsewhere": page.Checked()["elsewhere"], "search": {"66600777"}}))
	if len(one.Offers) != 1 || one.Offers[0].Name != "Verre Klant 777" {
		t.Errorf("by number: %s", one.Text)
	}
}
