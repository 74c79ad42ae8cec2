package harness_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
)

var (
	ctx    = context.Background()
	bakery = harness.Company("Bakkerij De Korenbloem", "12345678", "123456782")
	farm   = harness.Company("Boerderij Zonzicht", "23456789", "")
	office = harness.Company("Kantoor Telraam", "87654321", "")
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// permitted checks that the answer is a Permit and that the provider reads the company.
func permitted(t *testing.T, r *harness.Result, kvk string) {
	t.Helper()
	if r.Reply == nil || !r.Reply.Permitted() {
		t.Fatalf("not permitted: HTTP %d, %+v", r.HTTPStatus, r.Reply)
	}
	represented := must[[]etoegang.LegalSubject](t)(r.Represented())
	if len(represented) == 0 || represented[0].Text() != kvk {
		t.Errorf("the provider reads %d identifiers, not that of %s", len(represented), kvk)
	}
}

// A bakery's own bookkeeper files a tax return, over TLS with client certificates.
func TestDirect(t *testing.T) {
	n := harness.Start(t, harness.Options{TLS: true})
	anna, vat := n.NewPerson("Anna"), n.Services["vat"]
	id := must[mandate.ID](t)(n.First.Direct(bakery, anna, harness.For(vat, etoegang.LoA3)))
	ask := func() *harness.Result {
		return must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: vat}))
	}
	first := ask()
	permitted(t, first, "12345678")
	if first.Reply.Statement.Used != etoegang.LoA3 {
		t.Errorf("used level %v", first.Reply.Statement.Used)
	}
	acting := must[string](t)(first.Acting())
	if again := must[string](t)(ask().Acting()); acting != again || len(acting) != 64+1+32 {
		t.Errorf("the specific pseudonym must stay the same: %q, %q", acting, again)
	}

	if err := n.First.Revoke(id); err != nil {
		t.Fatal(err)
	}
	refused := ask()
	if refused.Reply.Permitted() || !slices.Equal(refused.Reply.Codes(), []string{"revoked"}) {
		t.Errorf("after revocation: %+v", refused.Reply)
	}
	// A provider that still holds the old answer asks whether it is so, and hears no.
	recheck := must[*harness.Result](t)(n.Recheck(ctx, n.First, first))
	if recheck.Reply.Statement == nil || recheck.Reply.Statement.Decision != "Deny" || recheck.Reply.Statement.Message != "revoked" {
		t.Errorf("recheck after revocation: %+v", recheck.Reply)
	}
}

// An accountant's employee acts for a client; both halves stand in one register.
func TestChainInOneRegister(t *testing.T) {
	n := harness.Start(t, harness.Options{})
	daan, vat := n.NewPerson("Daan"), n.Services["vat"]
	scope := harness.For(vat, etoegang.LoA3)
	for _, client := range []mandate.Organisation{bakery, farm} {
		chain := must[mandate.ID](t)(n.First.Chain(client, office, scope))
		must[mandate.ID](t)(n.First.Assign(chain, office, daan, scope))
	}
	unnamed := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: daan, Service: vat}))
	if unnamed.Reply.Permitted() || !slices.Equal(unnamed.Reply.Codes(), []string{"choice-needed"}) {
		t.Errorf("with two clients and none named: %+v", unnamed.Reply)
	}
	named := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: daan, Service: vat, Company: farm.KvK}))
	permitted(t, named, "23456789")
	if got := named.Reply.Statement.Intermediary().KvK.Text(); got != "87654321" {
		t.Errorf("intermediary %s", got)
	}
	recheck := must[*harness.Result](t)(n.Recheck(ctx, n.First, named))
	if !recheck.Reply.Permitted() {
		t.Errorf("recheck: %+v", recheck.Reply)
	}
}

// The employee's register knows only its own half; the client's register confirms.
func TestChainAcrossTwoRegisters(t *testing.T) {
	n := harness.Start(t, harness.Options{TwoRegisters: true})
	daan, vat := n.NewPerson("Daan"), n.Services["vat"]
	scope := harness.For(vat, etoegang.LoA3)
	relation := must[mandate.ID](t)(n.First.ChainElsewhere(bakery, office, scope, n.Second))
	must[mandate.ID](t)(n.First.Assign(relation, office, daan, harness.For(vat, etoegang.LoA4)))
	held := must[mandate.ID](t)(n.Second.Chain(bakery, office, scope))

	first := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: daan, Service: vat, Login: etoegang.LoA4}))
	if !first.Reply.Permitted() || first.Reply.Statement.Confirm != n.Second.Entity {
		t.Fatalf("the first register must name the second: %+v", first.Reply)
	}
	if _, err := first.Represented(); err == nil {
		t.Error("the provider can read what was meant for the second register")
	}
	second := must[*harness.Result](t)(n.Broker.Confirm(ctx, first, n.Second))
	permitted(t, second, "12345678")
	if s := second.Reply.Statement; s.Used != etoegang.LoA3 || !s.Confirm.IsZero() || s.Intermediary().KvK.Text() != "87654321" {
		t.Errorf("second statement: used %v, confirm %v", s.Used, s.Confirm)
	}
	// A confirmation does not outlive what it confirms.
	n.Clock().Advance(100 * time.Second)
	late := must[*harness.Result](t)(n.Broker.Confirm(ctx, first, n.Second))
	permitted(t, late, "12345678")
	if end := late.Reply.Statement.NotOnOrAfter; end.After(first.Reply.Statement.NotOnOrAfter) {
		t.Errorf("the confirmation lasts until %v, the statement until %v", end, first.Reply.Statement.NotOnOrAfter)
	}
	for _, at := range []*harness.RegisterNode{n.First, n.Second} {
		recheck := must[*harness.Result](t)(n.Recheck(ctx, at, first, second))
		if !recheck.Reply.Permitted() {
			t.Errorf("recheck at %s: %+v", at.Name, recheck.Reply)
		}
	}
	if err := n.Second.Revoke(held); err != nil {
		t.Fatal(err)
	}
	refused := must[*harness.Result](t)(n.Broker.Confirm(ctx, first, n.Second))
	if refused.Reply.Permitted() || !slices.Equal(refused.Reply.Codes(), []string{"revoked"}) {
		t.Errorf("after revocation: %+v", refused.Reply)
	}
}

// Every mistake is refused, each in its own way, although the mandate is there.
func TestMistakes(t *testing.T) {
	n := harness.Start(t, harness.Options{})
	anna, vat := n.NewPerson("Anna"), n.Services["vat"]
	must[mandate.ID](t)(n.First.Direct(bakery, anna, harness.For(vat, etoegang.LoA3)))
	for _, c := range []struct {
		mistake harness.Mistake
		word    string // what a known sender is told
		fault   bool   // an unbelievable message gets a SOAP fault
	}{
		{harness.Expired, "expired", false},
		{harness.WrongAudience, "audience", false},
		{harness.Replayed, "replayed", false},
		{harness.SkewedClock, "from-the-future", false},
		{harness.Altered, "", true},
		{harness.WrongKey, "", true},
	} {
		r := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: vat, Mistake: c.mistake}))
		if c.fault {
			if r.Fault == "" || !strings.Contains(r.Fault, "soap:Client") {
				t.Errorf("%s: %d %s", c.mistake, r.HTTPStatus, r.Received)
			}
			continue
		}
		if r.Reply == nil || r.Reply.Permitted() || !slices.Equal(r.Reply.Codes(), []string{c.word}) {
			t.Errorf("%s: %+v", c.mistake, r.Reply)
		}
	}
}

// With one statement a provider could otherwise find out for whom else the person may act,
// one KvK number after the other.
func TestRecheckIsAboutTheSameCompany(t *testing.T) {
	n := harness.Start(t, harness.Options{})
	anna, vat := n.NewPerson("Anna"), n.Services["vat"]
	for _, company := range []mandate.Organisation{bakery, farm} {
		must[mandate.ID](t)(n.First.Direct(company, anna, harness.For(vat, etoegang.LoA3)))
	}
	first := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: vat, Company: bakery.KvK}))
	permitted(t, first, "12345678")
	if same := must[*harness.Result](t)(n.Recheck(ctx, n.First, first)); !same.Reply.Permitted() {
		t.Errorf("about the same company: %v", same.Reply.Codes())
	}
	for why, company := range map[string]mandate.Organisation{"another employer": farm, "a company unknown here": office} {
		other := must[*harness.Result](t)(n.RecheckAbout(ctx, n.First, []etoegang.LegalSubject{company.KvK.LegalSubject()}, first))
		if other.Reply.Permitted() || !slices.Equal(other.Reply.Codes(), []string{"other-company"}) {
			t.Errorf("about %s: permitted %v, %v", why, other.Reply.Permitted(), other.Reply.Codes())
		}
	}
}

// A register may have several daemons on the same stores: each knows what was told to any
// other, a message that one has answered none answers again, and all are asked under the
// one address of the register.
func TestReplicas(t *testing.T) {
	n := harness.Start(t, harness.Options{Nodes: 3, RealTime: true}) // whoever attaches has no other time
	if len(n.Replicas) != 2 {
		t.Fatalf("beside the first daemon there are %d", len(n.Replicas))
	}
	anna, vat := n.NewPerson("Anna"), n.Services["vat"]
	id := must[mandate.ID](t)(n.First.Direct(bakery, anna, harness.For(vat, etoegang.LoA3)))
	everybody := append([]*harness.RegisterNode{n.First}, n.Replicas...)
	seen := map[string]bool{}
	for _, node := range everybody {
		if node.Address != n.First.Address || seen[node.Endpoint] || seen[node.Operations] || seen[node.Config] {
			t.Errorf("a daemon at %s, %s, with %s, has the address %s", node.Endpoint, node.Operations, node.Config, node.Address)
		}
		seen[node.Endpoint], seen[node.Operations], seen[node.Config] = true, true, true
		permitted(t, must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: vat, At: node})), "12345678")
	}
	if n.First.Endpoint != n.First.Address {
		t.Errorf("the first daemon answers at %s, and its address is %s", n.First.Endpoint, n.First.Address)
	}

	answered := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: vat, At: n.Replicas[0]}))
	copied := must[*http.Response](t)(http.Post(n.Replicas[1].Endpoint, saml.ContentType, bytes.NewReader(answered.Sent)))
	body := string(must[[]byte](t)(io.ReadAll(copied.Body)))
	_ = copied.Body.Close()
	if !answered.Reply.Permitted() || !strings.Contains(body, ">replayed<") {
		t.Errorf("a message that another daemon has answered: %s", body)
	}

	if err := n.Replicas[1].Revoke(id); err != nil {
		t.Fatal(err)
	}
	if err := n.Save(anna); err != nil {
		t.Fatal(err)
	}
	attached, people, err := harness.Attach(n.Folder)
	if err != nil || len(attached.Replicas) != 2 {
		t.Fatalf("attached to %d replicas: %v", len(attached.Replicas), err)
	}
	for _, node := range append([]*harness.RegisterNode{attached.First}, attached.Replicas...) {
		r := must[*harness.Result](t)(attached.Broker.Authorize(ctx, harness.Question{Person: people["Anna"], Service: attached.Services["vat"], At: node}))
		if r.Reply.Permitted() || !slices.Equal(r.Reply.Codes(), []string{"revoked"}) {
			t.Errorf("after revocation at another daemon, %s says %v", node.Endpoint, r.Reply.Codes())
		}
	}

	must[mandate.ID](t)(n.Replicas[0].Direct(bakery, anna, harness.For(vat, etoegang.LoA3)))
	for _, node := range everybody { // at once: nobody remembers the Deny of a moment ago
		permitted(t, must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: vat, At: node})), "12345678")
	}
}

// Whoever knows of a change asks for an answer that knows of it too. An answer says for
// which revision it is good; of a revision that the register does not have nothing can be
// found out.
func TestAtLeastRevision(t *testing.T) {
	n := harness.Start(t, harness.Options{})
	anna, vat := n.NewPerson("Anna"), n.Services["vat"]
	must[mandate.ID](t)(n.First.Direct(bakery, anna, harness.For(vat, etoegang.LoA3)))
	q := harness.Question{Person: anna, Service: vat}
	first := must[*harness.Result](t)(n.Broker.Authorize(ctx, q))
	q.AtLeast = first.Revision
	again := must[*harness.Result](t)(n.Broker.Authorize(ctx, q))
	permitted(t, again, "12345678")
	if first.Revision == 0 || again.Revision < first.Revision {
		t.Errorf("good for revision %d, and then for %d", first.Revision, again.Revision)
	}
	q.AtLeast = again.Revision + 1000
	unknown := must[*harness.Result](t)(n.Broker.Authorize(ctx, q))
	if unknown.Reply.Status != saml.ResponderFailed || unknown.Reply.Statement != nil || unknown.Revision != 0 {
		t.Errorf("of a revision that is not there: %+v, good for %d", unknown.Reply, unknown.Revision)
	}
}

// manage is what people log in for at the register's own pages.
var manage = harness.Service{Name: "manage", Provider: "register pages", Level: etoegang.LoA3}

// The pages of the register are a provider with the register's key, and have none of their own.
func TestManagingHasTheRegistersKey(t *testing.T) {
	n := harness.Start(t, harness.Options{Manage: &manage, Browser: true, SignOn: []saml.Endpoint{{Binding: saml.BindingRedirect, Location: "https://broker.test/sso/1.13"}}})
	if pages := n.Providers["register pages"]; !pages.Signer().Certificate.Equal(n.First.Signer().Certificate) {
		t.Error("the pages sign with another key than the register")
	}
	var names []string
	for _, file := range must[[]os.DirEntry](t)(os.ReadDir(filepath.Join(n.Folder, "keys"))) {
		names = append(names, file.Name())
	}
	if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, "pages") }) || !slices.Contains(names, "provider-tax-service.key") {
		t.Errorf("there are the keys %q", names)
	}
}

// Nobody could log in at pages without a door for browsers, or where the broker takes no log-ins:
// no such network is opened.
func TestManagingNeedsTheBroker(t *testing.T) {
	for want, o := range map[string]harness.Options{
		"Browser": {Manage: &manage, SignOn: []saml.Endpoint{{Binding: saml.BindingRedirect, Location: "https://broker.test/sso/1.13"}}},
		"SignOn":  {Manage: &manage, Browser: true},
	} {
		if n, err := harness.Open(ctx, t.TempDir(), o); err == nil || n != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", want, err)
		}
	}
}
