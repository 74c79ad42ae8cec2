package eyes_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/eyes"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
)

// newOffice is a scene in which Anna may act for so many clients of her office, and in which
// something is wrong with a few.
func newOffice(t *testing.T, clients int) *scene {
	t.Helper()
	services := append(harness.DefaultServices(),
		harness.Service{Name: "excise", Provider: "tax service", Level: etoegang.LoA2},
		harness.Service{Name: "portal", Provider: "tax service", Level: etoegang.LoA2, Behind: []string{"vat", "excise"}})
	n := harness.Start(t, harness.Options{Browser: true, TLS: true, Services: services})
	s := &scene{t, n, harness.Question{Person: n.NewPerson("Anna"), Service: n.Services["vat"]}}
	office, everything := harness.Company("Kantoor Rekenaar", "87654321", ""), mandate.Scope{mandate.Everything(etoegang.LoA3)}
	s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: office, Person: s.q.Person, Scope: everything})
	s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: harness.Company("Lage Landen Administratie en Belastingadvies Internationaal B.V.", "55500910", ""),
		Person: s.q.Person, Scope: mandate.Scope{mandate.Everything(etoegang.LoA2)}})
	for i := range clients {
		client := harness.Company(fmt.Sprintf("Klant %02d Beheer", i), fmt.Sprintf("%08d", 55500000+i), "")
		chain := s.grant(mandate.Mandate{Kind: mandate.Chain, Grantor: client, Intermediary: office, Scope: everything})
		s.grant(mandate.Mandate{Kind: mandate.Assignment, Client: chain, Grantor: office, Person: s.q.Person, Scope: everything})
	}
	return s
}

func (s *scene) grant(m mandate.Mandate) mandate.ID {
	s.t.Helper()
	id, err := s.n.First.Grant(m)
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// back is what the broker reads when the browser is back.
func (s *scene) back(v *harness.Visit, page *eyes.Page) *saml.Reply {
	s.t.Helper()
	if err := s.n.Broker.Receive(ctx, v, page.URL()); err != nil {
		s.t.Fatalf("%v: at %s", err, page.URL())
	}
	return v.Reply
}

// says are the words of the pages by language.
var says = map[string]map[string]string{
	"nl": {"title": "Voor welke organisatie logt u in?", "none": "U kunt nu voor niemand inloggen", "search": "Zoek een organisatie", "find": "Zoek",
		"choose": "Kies", "next": "Volgende organisaties", "cancel": "Annuleer het inloggen", "leave": "Terug naar de website",
		"level": "te laag niveau", "services": "Voor welke diensten logt u in?", "on": "Ga verder", "one": "Kies minstens één dienst."},
	"en": {"title": "For which organisation do you log in?", "none": "You cannot log in for anybody now", "search": "Search for an organisation", "find": "Search",
		"choose": "Choose", "next": "Next organisations", "cancel": "Cancel the log-in", "leave": "Back to the website",
		"level": "too low", "services": "For which services do you log in?", "on": "Go on", "one": "Choose at least one service."},
}

// Anna works for many clients and has no mouse: with the keyboard alone she searches, finds
// and chooses, on a phone and at 400 %, with and without scripts, in her own language.
func TestChoosingByKeyboard(t *testing.T) {
	t.Parallel()
	s := newOffice(t, 30)
	everyLook(t, func(user *eyes.Browser, language, look string) {
		user.Intercept(s.n.Broker.Consumer)
		say := says[language]
		v := s.send("relay")
		page := user.Go(v.Address)
		if page.Title() != say["title"] || page.Language() != language || !page.Has(say["level"]) {
			t.Errorf("%s: %q in %q: %s", look, page.Title(), page.Language(), page.Text())
		}
		page.Fits()
		page.Axe()
		page.Shot("choose-" + look)
		page.TabTo(say["search"])
		page.Type("17 beh")
		page.Press("Enter")
		if names := page.Texts(".rows h3"); len(names) != 1 || names[0] != "Klant 17 Beheer" {
			t.Fatalf("%s: found %q", look, names)
		}
		page.Fits()
		page.Axe()
		page.TabTo(say["choose"] + " Klant 17 Beheer, " + map[string]string{"nl": "Via", "en": "Through"}[language] + " Kantoor Rekenaar")
		page.Press("Enter")
		if reply := s.back(v, page); !reply.Permitted() || reply.Statement.Intermediary().KvK.Text() != "87654321" {
			t.Errorf("%s: %+v", look, reply)
		}
	})
}

// The back button goes from page to page of the list, a reload shows the same, two clicks
// are one choice, and when all is over the page says that.
func TestBackAndForth(t *testing.T) {
	t.Parallel()
	s := newOffice(t, 30)
	for _, script := range []bool{true, false} {
		user := eyes.Open(t, eyes.Options{Script: script})
		user.Intercept(s.n.Broker.Consumer)
		v := s.send("")
		page := user.Go(v.Address)
		first := page.Texts(".rows h3")
		page.Click("Volgende organisaties")
		second := page.Texts(".rows h3")
		page.Reload()
		if again := page.Texts(".rows h3"); strings.Join(again, "") != strings.Join(second, "") || strings.Join(first, "") == strings.Join(second, "") {
			t.Errorf("first %q, then %q, reloaded %q", first, second, again)
		}
		page.Back()
		if back := page.Texts(".rows h3"); strings.Join(back, "") != strings.Join(first, "") {
			t.Errorf("back at %q", back)
		}
		page.DoubleClick("css=.rows button[name=choice] >> nth=0")
		if reply := s.back(v, page); !reply.Permitted() {
			t.Errorf("script %v: %+v", script, reply)
		}
		page.Back()
		if page.Status() != http.StatusGone || !page.Has("U bent al klaar") {
			t.Errorf("script %v: back at HTTP %d: %s", script, page.Status(), page.Text())
		}
		page.Axe()
	}
}

// The user goes without choosing: cancelled, or because there is nothing to choose; both
// pages say what happens then.
func TestLeaving(t *testing.T) {
	t.Parallel()
	s := newOffice(t, 2)
	stranger := s.q
	stranger.Person = s.n.NewPerson("Stranger")
	bothLooks(t, func(user *eyes.Browser, language, look string) {
		user.Intercept(s.n.Broker.Consumer)
		say := says[language]
		v := s.send("")
		page := user.Go(v.Address)
		page.Click(say["cancel"])
		if reply := s.back(v, page); reply.Status != saml.ResponderAuthnFailed || reply.Message != "cancelled" {
			t.Errorf("%s: %+v", look, reply)
		}
		v, err := s.n.Broker.Send(stranger, "")
		if err != nil {
			t.Fatal(err)
		}
		page.Go(v.Address)
		if page.Title() != say["none"] {
			t.Errorf("%s: %q: %s", look, page.Title(), page.Text())
		}
		page.Fits()
		page.Axe()
		page.Shot("none-" + look)
		page.TabTo(say["leave"])
		page.Press("Enter")
		if reply := s.back(v, page); reply.Message != "no-mandate-to-person" {
			t.Errorf("%s: %+v", look, reply)
		}
	})
}

// Behind a portal one ticks services, and hears it when none is ticked.
func TestChoosingServices(t *testing.T) {
	t.Parallel()
	s := newOffice(t, 1)
	s.q.Service = s.n.Services["portal"]
	bothLooks(t, func(user *eyes.Browser, language, look string) {
		user.Intercept(s.n.Broker.Consumer)
		say := says[language]
		v := s.send("")
		page := user.Go(v.Address)
		page.Click(say["choose"] + " Klant 00 Beheer")
		if page.Title() != say["services"] {
			t.Fatalf("%s: %q: %s", look, page.Title(), page.Text())
		}
		page.Fits()
		page.Axe()
		page.Shot("services-" + look)
		page.Click("vat")
		page.Click("excise")
		page.Click(say["on"])
		if !page.Has(say["one"]) {
			t.Fatalf("%s: %s", look, page.Text())
		}
		page.Axe()
		page.Shot("services-none-" + look)
		page.Click("excise")
		page.Click(say["on"])
		if reply := s.back(v, page); !reply.Permitted() || len(reply.Statement.Opened) != 1 {
			t.Errorf("%s: %+v", look, reply.Statement)
		}
	})
}

// A page that was copied into another browser, and one whose time has passed, say so.
func TestVisitsThatAreNotHis(t *testing.T) {
	t.Parallel()
	s := newOffice(t, 1)
	user, other := eyes.Open(t, eyes.Options{}), eyes.Open(t, eyes.Options{Language: "en"})
	page := user.Go(s.send("").Address)
	stolen := other.Go(page.URL())
	if stolen.Status() != http.StatusForbidden || stolen.Title() != "This page belongs to another browser" {
		t.Errorf("HTTP %d, %q", stolen.Status(), stolen.Title())
	}
	stolen.Axe()
	stolen.Shot("elsewhere")
	s.n.Clock().Advance(16 * time.Minute)
	page.Click("Kies Klant 00 Beheer")
	if page.Status() != http.StatusGone {
		t.Errorf("HTTP %d: %s", page.Status(), page.Text())
	}
	page.Axe()
	page.Shot("over")
	if at, err := url.Parse(page.URL()); err != nil || strings.Contains(at.String(), "Klant") || strings.Contains(at.String(), "5550") {
		t.Errorf("the address says %s", page.URL())
	}
}

// Anna's office has clients at another register, of which nobody has told hers. She presses the
// button, reads whom it names and who did not answer, searches and chooses.
func TestLookingElsewhere(t *testing.T) {
	n := harness.Start(t, harness.Options{Browser: true, TLS: true, TwoRegisters: true, Configure: func(settings map[string]any) {
		settings["chain"] = map[string]any{"elsewhere": "mandated", "discovery": "500ms"}
	}})
	s := &scene{t, n, harness.Question{Person: n.NewPerson("Anna"), Service: n.Services["vat"]}}
	office, vat := harness.Company("Kantoor Rekenaar", "87654321", ""), harness.For(s.q.Service, etoegang.LoA3)
	s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: office, Person: s.q.Person, Scope: vat})
	s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: harness.Company("Bakkerij", "12345678", ""), Person: s.q.Person, Scope: vat})
	for i := range 30 {
		client := harness.Company(fmt.Sprintf("Verre Klant %02d", i), fmt.Sprintf("%08d", 66600000+i), "")
		if _, err := n.Second.Chain(client, office, vat); err != nil {
			t.Fatal(err)
		}
	}
	words := map[string][3]string{
		"nl": {"Zoek klanten van Kantoor Rekenaar bij andere registers", "Klanten van Kantoor Rekenaar bij andere registers", "Niet ieder register gaf antwoord"},
		"en": {"Look for clients of Kantoor Rekenaar at other registers", "Clients of Kantoor Rekenaar at other registers", "Not every register has answered"},
	}
	bothLooks(t, func(user *eyes.Browser, language, look string) {
		user.Intercept(n.Broker.Consumer)
		v := s.send("")
		page := user.Go(v.Address)
		page.Axe()
		page.Click(words[language][0])
		if page.Title() != words[language][1] || len(page.Texts(".rows h3")) != 25 {
			t.Fatalf("%s: %q: %s", look, page.Title(), page.Text())
		}
		page.Fits()
		page.Axe()
		page.Shot("elsewhere-" + look)
		page.Fill(says[language]["search"], "klant 27")
		page.Press("Enter")
		page.Click(says[language]["choose"] + " Verre Klant 27")
		if reply := s.back(v, page); !reply.Permitted() || reply.Statement.Confirm != n.Second.Entity {
			t.Errorf("%s: %+v", look, reply)
		}
	})
	if err := n.Second.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	bothLooks(t, func(user *eyes.Browser, language, look string) {
		page := user.Go(s.send("").Address)
		page.Click(words[language][0])
		if !page.Has(words[language][2]) {
			t.Errorf("%s: %s", look, page.Text())
		}
		page.Fits()
		page.Axe()
		page.Shot("silent-" + look)
	})
}
