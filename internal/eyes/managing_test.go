package eyes_test

import (
	"fmt"
	"strings"
	"testing"
)

// keeper is a walker who manages mandates at the sandbox's register.
type keeper struct {
	*walker
	words map[string]string
	home  string // address of his mandate's page
}

// managingSays are the words of the register's pages.
var managingSays = map[string]map[string]string{
	"nl": {
		"overview": "Machtigingen van Bakkerij De Korenbloem (KvK-nummer 12345678)",
		"log in":   "Log in met eHerkenning", "begin chain": "Machtig een intermediair", "kvk chain": "KvK-nummer van de intermediair",
		"next": "Volgende", "what": "Waarvoor, en tot wanneer?", "check": "Klopt dit?",
		"confirm chain": "Geef deze machtiging", "done active": "De machtiging geldt nu", "place /clients": "Klanten",
		"search client": "Zoek een klant", "search": "Zoek", "assign": "Wijs een medewerker aan",
		"who assign": "Wie handelt voor deze klant?", "confirm assign": "Wijs deze medewerker aan", "revoke": "Trek in",
		"revoke title": "Wilt u deze machtiging intrekken?", "done revoked": "De machtiging is ingetrokken: niemand kan ermee inloggen",
	},
	"en": {
		"overview": "Mandates of Bakkerij De Korenbloem (KvK number 12345678)",
		"log in":   "Log in with eHerkenning", "begin chain": "Mandate an intermediary", "kvk chain": "KvK number of the intermediary",
		"next": "Next", "what": "For what, and until when?", "check": "Is this right?",
		"confirm chain": "Grant this mandate", "done active": "The mandate is in force now", "place /clients": "Clients",
		"search client": "Search for a client", "search": "Search", "assign": "Assign an employee",
		"who assign": "Who acts for this client?", "confirm assign": "Assign this employee", "revoke": "Revoke",
		"revoke title": "Do you want to revoke this mandate?", "done revoked": "The mandate is revoked: nobody can log in with it",
	},
}

// comesIn logs in at the register's pages, from the start page of the sandbox.
func comesIn(w *walker, who string) *keeper {
	w.t.Helper()
	k := &keeper{walker: w, words: managingSays[w.say["language"]]}
	w.page.Click(w.say["managing"])
	k.presses("log in")
	w.see("authn")
	w.page.Click(who)
	w.click("me")
	return k
}

// sees looks at a page, which has that heading.
func (k *keeper) sees(title string) {
	k.t.Helper()
	if k.comesTo(title, title, strings.Join(k.page.Texts("h1"), " / ")) {
		k.page.Axe()
	}
}

// presses presses what the pages call by that word.
func (k *keeper) presses(word string) {
	k.t.Helper()
	k.page.Click(k.words[word])
}

// mandates lets the office file the VAT return.
func (k *keeper) mandates() {
	k.t.Helper()
	k.sees(k.words["overview"])
	k.presses("begin chain")
	k.page.Fill(k.words["kvk chain"], "87654321")
	k.presses("next")
	k.sees(k.words["what"])
	k.page.Click(fmt.Sprintf("css=input[name=services][value='%s']", mustOpen(k.t).Network.Services["vat"].UUID))
	k.presses("next")
	k.sees(k.words["check"])
	k.presses("confirm chain")
	k.reads(k.words["done active"], "Administratiekantoor Telraam")
	k.home = k.page.URL()
}

// assigns lets an employee of the office act for its new client.
func (k *keeper) assigns(who string) {
	k.t.Helper()
	k.presses("place /clients")
	k.page.Fill(k.words["search client"], "korenb")
	k.presses("search")
	k.sees(k.words["place /clients"])
	k.presses("assign")
	k.sees(k.words["who assign"])
	k.page.Click("css=select[name=person]")
	k.page.Type(who)
	k.presses("next")
	k.presses("next") // all that the client has entrusted to the office
	k.sees(k.words["check"])
	k.presses("confirm assign")
	k.reads(k.words["done active"], who)
}

func (k *keeper) revokes() {
	k.t.Helper()
	k.page.Go(k.home)
	k.presses("revoke")
	k.sees(k.words["revoke title"])
	k.presses("revoke")
	k.reads(k.words["done revoked"])
}

// files goes to the tax service, as far as the register lets one.
func (w *walker) files(who string) {
	w.t.Helper()
	w.page.Go(mustOpen(w.t).Address + "/vat/")
	w.click("log in")
	w.page.Click(who)
	w.click("me")
}

// The bakery mandates its accountant at the register, who assigns an employee; she logs in at
// the tax service for the bakery, until the bakery revokes: then the page says why she cannot.
// One walk after the other, since both change the same mandates.
func TestSandboxManaging(t *testing.T) {
	t.Parallel()
	const employee = "Sanne Teller"
	for name, o := range walks {
		t.Run(name, func(t *testing.T) {
			baker, office, w := comesIn(walk(t, o), "Petra Korst"), comesIn(walk(t, o), "Quinten Vos"), walk(t, o)
			w.files(employee)
			w.see("none")

			baker.mandates()
			office.assigns(employee)
			w.files(employee)
			w.see("in")
			w.reads("Bakkerij De Korenbloem", "12345678", "87654321")

			baker.revokes()
			w.files(employee)
			w.see("none")
			w.reads(w.say["revoked"])
			w.click("leave")
			w.see("refused")
			w.reads("revoked")

			w.page.Go(mustOpen(t).Address + "/logins/")
			w.reads(w.say["pages"])
		})
	}
}
