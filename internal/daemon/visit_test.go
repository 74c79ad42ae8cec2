package daemon_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
)

// The choice cannot be recorded, so nothing is permitted. The user has done nothing wrong and
// is not told that he has: he goes back with what the broker hears at such times.
func TestChoiceThatCannotBeRecorded(t *testing.T) {
	s := withClients(t, harness.Options{}, "Slagerij Vos")
	v := s.send("")
	page := s.arrives(s.n.Visitor(), v)
	mend := s.fail("journal.db", "records")
	reply := s.answered(v, s.sees(page.Choose(ctx, "Slagerij Vos")))
	if reply.Status != saml.ResponderFailed || reply.Message != "" || reply.Statement != nil {
		t.Errorf("%+v", reply)
	}
	if got := s.metric(`mandated_refusals_total{why="Indeterminate"}`); got != "1" {
		t.Errorf("counted %q times", got)
	}
	mend()
	if got := s.outcomes(); got != "Choose" {
		t.Errorf("recorded: %s", got)
	}
}

// Over TLS the secret counts only under the name that nobody else of our domain can set.
func TestCookieUnderAnotherName(t *testing.T) {
	s := withClients(t, harness.Options{TLS: true}, "Slagerij Vos")
	response, _ := s.visit(user(t), s.send("").Address)
	for _, cookie := range response.Cookies() {
		r := must(http.NewRequest(http.MethodGet, must(response.Location()).String(), nil))
		r.AddCookie(&http.Cookie{Name: strings.TrimPrefix(cookie.Name, "__Host-"), Value: cookie.Value})
		planted, err := user(t).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = planted.Body.Close()
		if !strings.HasPrefix(cookie.Name, "__Host-") || planted.StatusCode != http.StatusForbidden {
			t.Errorf("without the prefix of %s: HTTP %d", cookie.Name, planted.StatusCode)
		}
	}
}

// Who works for many clients logs in many times an hour: a visit that is over soon leaves
// nothing in the browser.
func TestCookiesGo(t *testing.T) {
	s := withClients(t, harness.Options{}, "Slagerij Vos")
	for what, ends := range map[string]func(*harness.VisitorPage) (*harness.VisitorPage, error){
		"choosing": func(p *harness.VisitorPage) (*harness.VisitorPage, error) { return p.Choose(ctx, "Slagerij Vos") },
		"leaving":  func(p *harness.VisitorPage) (*harness.VisitorPage, error) { return p.Leave(ctx) },
	} {
		last := s.sees(ends(s.arrives(s.n.Visitor(), s.send(""))))
		if cookie := last.Header.Get("Set-Cookie"); !strings.Contains(cookie, "Max-Age=120;") {
			t.Errorf("after %s: %q", what, cookie)
		}
	}
}

// The record of a Deny names the assertion that says so, also when the user has read why
// before it leaves.
func TestStatementOfADenyThatWasRead(t *testing.T) {
	s := withClients(t, harness.Options{})
	s.configure(func(settings map[string]any) {
		settings["peers"] = map[string]any{s.n.Broker.Entity.String(): map[string]any{"refusals": "statement"}}
	})
	s.restart()
	if err := s.n.First.Revoke(s.mandate); err != nil {
		t.Fatal(err)
	}
	v := s.send("")
	reply := s.answered(v, s.sees(s.arrives(s.n.Visitor(), v).Leave(ctx)))
	if reply.Statement == nil || reply.Permitted() {
		t.Fatalf("%+v", reply)
	}
	if records := s.records(); len(records) != 1 || records[0].Assertion != reply.Statement.ID {
		t.Errorf("%s left, and recorded is %+v", reply.Statement.ID, records)
	}
}

// The second half of a chain has no user (HM-MR chain authorization). A broker that asks for
// it through a browser gets its answer, whatever that is.
func TestAConfirmationIsNoVisit(t *testing.T) {
	services := append(harness.DefaultServices(),
		harness.Service{Name: "excise", Provider: "tax service", Level: etoegang.LoA2},
		harness.Service{Name: "portal", Provider: "tax service", Level: etoegang.LoA2, Behind: []string{"vat", "excise"}})
	s := &scene{t: t, n: harness.Start(t, harness.Options{Browser: true, TwoRegisters: true, Services: services})}
	s.anna = s.n.NewPerson("Anna")
	everything := mandate.Scope{mandate.Everything(etoegang.LoA3)}
	known := must(s.n.First.ChainElsewhere(bakery, office, everything, s.n.Second))
	must(s.n.First.Assign(known, office, s.anna, everything))
	given := must(s.n.Second.Chain(bakery, office, everything))
	first, err := s.n.Broker.Authorize(ctx, harness.Question{Person: s.anna, Service: s.n.Services["portal"]})
	if err != nil || !first.Reply.Permitted() {
		t.Fatalf("%v: %+v", err, first)
	}
	for _, permitted := range []bool{true, false} {
		if !permitted {
			if err := s.n.Second.Revoke(given); err != nil {
				t.Fatal(err)
			}
		}
		v := must(s.n.Broker.SendConfirm(first, s.n.Second, ""))
		if reply := s.answered(v, s.arrives(s.n.Visitor(), v)); reply.Permitted() != permitted {
			t.Errorf("%+v", reply)
		}
	}
}

// One company and several services behind a portal: there is something to choose. Until the
// user has done so nothing is permitted, and the record does not say that it was.
func TestAPortalOfOneCompanyIsAChoice(t *testing.T) {
	services := append(harness.DefaultServices(),
		harness.Service{Name: "excise", Provider: "tax service", Level: etoegang.LoA2},
		harness.Service{Name: "portal", Provider: "tax service", Level: etoegang.LoA2, Behind: []string{"vat", "excise"}})
	s := &scene{t: t, n: harness.Start(t, harness.Options{Browser: true, Services: services})}
	s.anna = s.n.NewPerson("Anna")
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: bakery, Person: s.anna, Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}})
	v := must(s.n.Broker.Send(harness.Question{Person: s.anna, Service: s.n.Services["portal"]}, ""))
	reply := s.answered(v, s.sees(s.arrives(s.n.Visitor(), v).Leave(ctx)))
	if got := s.outcomes(); reply.Message != "cancelled" || got != "Choose" {
		t.Errorf("the broker hears %q, and recorded is: %s", reply.Message, got)
	}
	// Over SOAP nobody is there to choose: all services are opened, as before.
	if direct, err := s.n.Broker.Authorize(ctx, harness.Question{Person: s.anna, Service: s.n.Services["portal"]}); err != nil || !direct.Reply.Permitted() || len(direct.Reply.Statement.Opened) != 2 {
		t.Errorf("over SOAP: %v, %+v", err, direct.Reply)
	}
}

// A broker's queries may no longer come in forms: a visit that one of them began is over.
func TestVisitOfAQueryThatMayNoLongerCome(t *testing.T) {
	s := withClients(t, harness.Options{Configure: func(settings map[string]any) {
		settings["peers"] = map[string]any{"urn:etoegang:HM:00000003520354760000:entities:9004": map[string]any{"allow": []string{"post"}}}
	}}, "Slagerij Vos")
	query := must(s.n.Broker.Bare(s.question(), s.n.First.Door))
	page := s.sees(s.sees(s.n.Visitor().Open(ctx, s.n.First.DoorEndpoint)).Send(ctx, url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(query)}}))
	if len(page.Offers) != 2 {
		t.Fatalf("%q: %s", page.Title, page.Text)
	}
	settings := must(os.ReadFile(s.n.First.Config))
	if err := os.WriteFile(s.n.First.Config, bytes.ReplaceAll(settings, []byte("- post"), []byte("- no-environment")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.n.First.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := s.sees(page.Choose(ctx, "Slagerij Vos")); got.Status != http.StatusBadRequest || got.Back != "" {
		t.Errorf("HTTP %d, %q: %s", got.Status, got.Back, got.Text)
	}
}
