package eyes_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/look"
)

// keeper is a walker who manages mandates at the sandbox's register.
type keeper struct {
	*walker
	words look.Words
}

// managingSays are the words of the register's pages.
var managingSays = look.Texts{
	"log in":                   {NL: "Log in met eHerkenning", EN: "Log in with eHerkenning"},
	"overview":                 {NL: "Machtigingen van {company}", EN: "Mandates of {company}"},
	"overview staff":           {NL: "Werk van het register", EN: "Work of the register"},
	"named":                    {NL: "{name} (KvK-nummer {kvk})", EN: "{name} (KvK number {kvk})"},
	"begin chain":              {NL: "Machtig een intermediair", EN: "Mandate an intermediary"},
	"begin person":             {NL: "Machtig een medewerker", EN: "Mandate an employee"},
	"begin paper":              {NL: "Leg een machtiging op papier vast", EN: "Record a mandate that came on paper"},
	"begin many":               {NL: "Vraag veel klanten tegelijk", EN: "Ask many clients at once"},
	"kvk chain":                {NL: "KvK-nummer van de intermediair", EN: "KvK number of the intermediary"},
	"kvk paper":                {NL: "KvK-nummer van wie de machtiging geeft", EN: "KvK number of the one who grants the mandate"},
	"next":                     {NL: "Volgende", EN: "Next"},
	"who chain":                {NL: "Wie wilt u machtigen?", EN: "Whom do you want to mandate?"},
	"who person":               {NL: "Welke medewerker wilt u machtigen?", EN: "Which employee do you want to mandate?"},
	"who paper":                {NL: "Wat staat er op papier?", EN: "What is on the paper?"},
	"who assign":               {NL: "Wie handelt voor deze klant?", EN: "Who acts for this client?"},
	"what":                     {NL: "Waarvoor, en tot wanneer?", EN: "For what, and until when?"},
	"check":                    {NL: "Klopt dit?", EN: "Is this right?"},
	"confirm chain":            {NL: "Geef deze machtiging", EN: "Grant this mandate"},
	"confirm person":           {NL: "Geef deze machtiging", EN: "Grant this mandate"},
	"confirm paper":            {NL: "Leg dit vast", EN: "Record this"},
	"confirm assign":           {NL: "Wijs deze medewerker aan", EN: "Assign this employee"},
	"confirm many":             {NL: "Vraag het aan {n} klant | Vraag het aan {n} klanten", EN: "Ask {n} client | Ask {n} clients"},
	"done active":              {NL: "De machtiging geldt nu", EN: "The mandate is in force now"},
	"done awaiting-signatures": {NL: "Vastgelegd: er moet nog iemand anders tekenen", EN: "Recorded: somebody else must still sign"},
	"done revoked":             {NL: "De machtiging is ingetrokken: niemand kan ermee inloggen", EN: "The mandate is revoked: nobody can log in with it"},
	"mandate number":           {NL: "Machtiging {number}", EN: "Mandate {number}"},
	"request number":           {NL: "Aanvraag {number}", EN: "Request {number}"},
	"waiting for you":          {NL: "Er wacht {n} aanvraag op uw antwoord | Er wachten {n} aanvragen op uw antwoord", EN: "{n} request waits for your answer | {n} requests wait for your answer"},
	"answer them":              {NL: "Bekijk de aanvragen", EN: "See the requests"},
	"place /requests":          {NL: "Aanvragen", EN: "Requests"},
	"place /clients":           {NL: "Klanten", EN: "Clients"},
	"accept":                   {NL: "Ik ga akkoord", EN: "I agree"},
	"signed waits":             {NL: "U hebt getekend. Nu moet nog iemand anders tekenen.", EN: "You have signed. Now somebody else must sign, too."},
	"recorded waits":           {NL: "U hebt dit vastgelegd. Nu moet een collega het bekijken en akkoord gaan.", EN: "You have recorded this. Now a colleague must look at it and agree."},
	"four eyes":                {NL: "Bekijk de bewijsstukken zelf. Wie dit vastlegde, kan niet ook akkoord gaan.", EN: "Look at the evidence yourself. Whoever recorded this cannot agree to it as well."},
	"note paper":               {NL: "Dit geldt pas als een andere medewerker van het register de bewijsstukken heeft gezien en akkoord gaat.", EN: "This is in force only once another of the register's staff has seen the evidence and agrees."},
	"somebody new":             {NL: "Iemand anders", EN: "Somebody else"},
	"person name":              {NL: "Naam van de medewerker", EN: "Name of the employee"},
	"authenticator":            {NL: "Authenticatiedienst van de medewerker", EN: "Authentication service of the employee"},
	"pseudonym":                {NL: "Pseudoniem van de medewerker", EN: "Pseudonym of the employee"},
	"search client":            {NL: "Zoek een klant", EN: "Search for a client"},
	"search":                   {NL: "Zoek", EN: "Search"},
	"assign":                   {NL: "Wijs een medewerker aan", EN: "Assign an employee"},
	"revoke":                   {NL: "Trek in", EN: "Revoke"},
	"revoke title":             {NL: "Wilt u deze machtiging intrekken?", EN: "Do you want to revoke this mandate?"},
	"list":                     {NL: "Uw lijst", EN: "Your list"},
	"many will":                {NL: "Aan {n} klant wordt een machtiging gevraagd | Aan {n} klanten wordt een machtiging gevraagd", EN: "{n} client will be asked for a mandate | {n} clients will be asked for a mandate"},
	"many over":                {NL: "De aanvragen zijn verstuurd", EN: "The requests are sent"},
	"many done":                {NL: "Aan {n} klant is een machtiging gevraagd | Aan {n} klanten is een machtiging gevraagd", EN: "{n} client was asked for a mandate | {n} clients were asked for a mandate"},
	"asked":                    {NL: "Klanten die nog moeten antwoorden", EN: "Clients who must still answer"},
	"print letter":             {NL: "Brief", EN: "Letter"},
	"letter title":             {NL: "Verzoek om een machtiging", EN: "Request for a mandate"},
	"state active":             {NL: "Geldig", EN: "In force"},
	"state revoked":            {NL: "Ingetrokken", EN: "Revoked"},
	"offboard":                 {NL: "Beëindig alles van {name}", EN: "End everything of {name}"},
	"offboard title":           {NL: "Vertrekt {name}?", EN: "Is {name} leaving?"},
	"offboard sure":            {NL: "Alles van {name} stopt, in één keer", EN: "Everything of {name} ends, at once"},
	"offboarded":               {NL: "Alles is beëindigd", EN: "Everything has ended"},
}

// comesIn logs in at the register's pages, from the start page of the sandbox.
func comesIn(w *walker, who string) *keeper {
	w.t.Helper()
	k := &keeper{walker: w, words: managingSays.In(look.Language(w.say["language"]))}
	w.page.Click(w.say["managing"])
	k.presses("log in")
	w.see("authn")
	w.page.Click(who)
	w.click("me")
	return k
}

// sees looks at a page, which has that heading. axe-core looks at one page of a kind.
func (k *keeper) sees(title string, fill ...any) {
	k.t.Helper()
	if k.comesTo(title, k.words.Say(title, fill...), strings.Join(k.page.Texts("h1"), " / ")) {
		k.page.Axe()
		k.page.Shot(k.look + "-" + strings.NewReplacer(" ", "-", "/", "").Replace(title))
	}
}

// overview looks at the page on which everybody begins who manages a company's mandates.
func (k *keeper) overview(company, kvk string) {
	k.t.Helper()
	k.sees("overview", "company", k.words.Say("named", "name", company, "kvk", kvk))
}

// presses presses what the pages call by that word.
func (k *keeper) presses(word string, fill ...any) {
	k.t.Helper()
	k.page.Click(k.words.Say(word, fill...))
}

// says fails the test if the page does not say that.
func (k *keeper) says(word string, fill ...any) {
	k.t.Helper()
	k.reads(k.words.Say(word, fill...))
}

// chooses is the step in which one says what a mandate is for: a service of the sandbox.
func (k *keeper) chooses(service string) {
	k.t.Helper()
	k.sees("what")
	k.page.Click(fmt.Sprintf("css=input[name=services][value='%s']", mustOpen(k.t).Network.Services[service].UUID))
	k.presses("next")
}

// confirms agrees to what he reads, and gives the number of the mandate.
func (k *keeper) confirms(kind, done string) (number string) {
	k.t.Helper()
	k.sees("check")
	k.presses("confirm " + kind)
	k.says("done " + done)
	_, number, _ = strings.Cut(k.page.URL(), "/mandates/")
	number, _, _ = strings.Cut(number, "?")
	k.sees("mandate number", "number", number)
	return number
}

// goes opens a page of the register's.
func (k *keeper) goes(path string) {
	k.t.Helper()
	k.page.Go(mustOpen(k.t).Network.First.Pages + path)
}

// mandates lets an intermediary act for the company.
func (k *keeper) mandates(kvk, service string) (number string) {
	k.t.Helper()
	k.presses("begin chain")
	k.sees("who chain")
	k.page.Fill(k.words.Say("kvk chain"), kvk)
	k.presses("next")
	k.chooses(service)
	return k.confirms("chain", "active")
}

// seeks looks for a client.
func (k *keeper) seeks(client string) {
	k.t.Helper()
	k.goes("/clients")
	k.page.Fill(k.words.Say("search client"), client)
	k.presses("search")
	k.sees("place /clients")
}

// assigns lets an employee of the office act for a client.
func (k *keeper) assigns(client, who string) (number string) {
	k.t.Helper()
	k.seeks(client)
	k.presses("assign")
	k.sees("who assign")
	k.page.Click("css=select[name=person]")
	k.page.Type(who)
	k.presses("next")
	k.presses("next") // all that the client has entrusted to the office
	number = k.confirms("assign", "active")
	k.reads(who)
	return number
}

func (k *keeper) revokes(number string) {
	k.t.Helper()
	k.goes("/mandates/" + number)
	k.presses("revoke")
	k.sees("revoke title")
	k.presses("revoke")
	k.says("done revoked")
}

// answers agrees to the one request that waits for him, and gives the number of the mandate.
func (k *keeper) answers(reads ...string) (number string) {
	k.t.Helper()
	k.goes("/")
	k.reads(k.words.Count("waiting for you", 1))
	k.presses("answer them")
	k.sees("place /requests")
	k.page.Click("css=tbody a >> nth=0")
	_, number, _ = strings.Cut(k.page.URL(), "/requests/")
	k.sees("request number", "number", number)
	k.reads(reads...)
	k.presses("accept")
	k.says("done active")
	return number
}

// cannotAnswer fails the test if he could agree to a request himself, and does not read why not.
func (k *keeper) cannotAnswer(number, why string) {
	k.t.Helper()
	k.goes("/requests/" + number)
	k.sees("request number", "number", number)
	if buttons := k.page.Texts("form[action$='/accept'] button"); len(buttons) > 0 {
		k.t.Errorf("%s: who began it can agree to it: %q", k.look, buttons)
	}
	k.says(why)
}

// employee is somebody who is new to the network, and has a means to log in.
type employee struct{ name, pseudonym string }

func newEmployee(t *testing.T, name string) employee {
	t.Helper()
	s := mustOpen(t)
	certificate, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	response, err := client.Post(s.Address+"/api/persons", "application/json", bytes.NewReader([]byte(fmt.Sprintf(`{"name": %q}`, name))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var made struct{ Pseudonym string }
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("adding %s: %s, %v", name, response.Status, err)
	}
	return employee{name, made.Pseudonym}
}

// names fills in an employee whom the company does not know yet.
func (k *keeper) names(e employee) {
	k.t.Helper()
	if len(k.page.Texts("select[name=person]")) > 0 {
		k.page.Click("css=select[name=person]")
		k.page.Type(k.words.Say("somebody new"))
		k.page.Unfold()
	}
	k.page.Fill(k.words.Say("person name"), e.name)
	k.page.Fill(k.words.Say("authenticator"), mustOpen(k.t).Network.Authenticator.Entity.String())
	k.page.Fill(k.words.Say("pseudonym"), e.pseudonym)
}

// files goes to the tax service, as far as the register lets one.
func (w *walker) files(who string) {
	w.t.Helper()
	w.page.Go(mustOpen(w.t).Address + "/vat/")
	w.click("log in")
	w.page.Click(who)
	w.click("me")
}

// filesFor goes there and is let in. Who was refused less than a lease ago may be asked first.
func (w *walker) filesFor(who string, reads ...string) {
	w.t.Helper()
	w.files(who)
	if w.page.Title() == w.say["title"] {
		w.page.Click("css=.rows button[name=choice]")
	}
	w.see("in")
	w.reads(reads...)
}

// filesNot goes there, and the register knows nothing that he may do.
func (w *walker) filesNot(who string, why ...string) {
	w.t.Helper()
	w.files(who)
	w.see("none")
	w.reads(why...)
}

// manages walks both ways, one after the other, since both change the same mandates.
func manages(t *testing.T, scene func(*testing.T, func() *walker)) {
	t.Parallel()
	for name, o := range walks {
		t.Run(name, func(t *testing.T) { scene(t, func() *walker { return walk(t, o) }) })
	}
}

// mostInteractions is how much a baker may have to do until his accountant is mandated.
const mostInteractions = 12

// The bakery mandates its accountant at the register, who assigns an employee; she logs in at
// the tax service for the bakery, until the bakery revokes: then the page says why she cannot.
// Counted is what the baker does from the sandbox's start page until the mandate is in force, his
// log-in included: a click, a key and a field filled in are one each.
func TestSandboxManaging(t *testing.T) {
	const sanne = "Sanne Teller"
	manages(t, func(t *testing.T, walks func() *walker) {
		baker, office, w := comesIn(walks(), "Petra Korst"), comesIn(walks(), "Quinten Vos"), walks()
		w.filesNot(sanne)

		baker.overview("Bakkerij De Korenbloem", "12345678")
		loggedIn := baker.page.Interactions()
		number := baker.mandates("87654321", "vat")
		all := baker.page.Interactions()
		t.Logf("%d interactions from the overview to a mandate in force, %d with the log-in", all-loggedIn, all)
		if all > mostInteractions {
			t.Errorf("%d interactions", all)
		}
		baker.reads("Administratiekantoor Telraam")
		office.assigns("korenb", sanne)
		w.filesFor(sanne, "Bakkerij De Korenbloem", "12345678", "87654321")

		baker.revokes(number)
		w.filesNot(sanne, w.say["revoked"])
		w.click("leave")
		w.see("refused")
		w.reads("revoked")

		w.page.Go(mustOpen(t).Address + "/logins/")
		w.reads(w.say["pages"])
	})
}

// What comes on paper is recorded by one of the register's staff. It holds nothing until another
// has looked at the evidence and confirmed it: then the employee logs in at the tax service.
func TestSandboxPaper(t *testing.T) {
	manages(t, func(t *testing.T, walks func() *walker) {
		tim, ursula, w := comesIn(walks(), "Tim Visser"), comesIn(walks(), "Ursula Smit"), walks()
		e := newEmployee(t, "Papier "+w.say["language"])
		tim.sees("overview staff")
		tim.presses("begin paper")
		tim.sees("who paper")
		tim.page.Fill(tim.words.Say("kvk paper"), "40001007")
		tim.names(e)
		today := time.Now()
		for _, paper := range []string{"form", "extract"} {
			tim.page.Click("css=input[name=" + paper + "-day]")
			for _, text := range []string{today.Format("2"), today.Format("1"), today.Format("2006"), "box 7"} {
				tim.page.Type(text)
				tim.page.Press("Tab")
			}
		}
		tim.presses("next")
		tim.chooses("vat")
		tim.says("note paper")
		number := tim.confirms("paper", "awaiting-signatures")
		tim.cannotAnswer(number, "recorded waits")
		w.filesNot(e.name)

		ursula.answers("box 7", ursula.words.Say("four eyes"), e.name)
		w.filesFor(e.name, "Autobedrijf Aalders", "40001007")
	})
}

// Two directors bind the brewery together. What one has signed holds nothing until the other has
// signed the same: then the employee logs in for the brewery, until one of them revokes.
func TestSandboxTwoDirectors(t *testing.T) {
	manages(t, func(t *testing.T, walks func() *walker) {
		victor, wendela, w := comesIn(walks(), "Victor Maan"), comesIn(walks(), "Wendela Maan"), walks()
		e := newEmployee(t, "Brouwer "+w.say["language"])
		victor.overview("Brouwerij De Halve Maan", "89012345")
		victor.presses("begin person")
		victor.sees("who person")
		victor.names(e)
		victor.presses("next")
		victor.chooses("vat")
		number := victor.confirms("person", "awaiting-signatures")
		victor.cannotAnswer(number, "signed waits")
		w.filesNot(e.name)

		wendela.answers(e.name)
		w.filesFor(e.name, "Brouwerij De Halve Maan", "89012345")
		wendela.revokes(number)
		w.filesNot(e.name, w.say["revoked"])
	})
}

// The office asks nine hundred clients at once, from a list. It reads first what becomes of each
// line; a page goes on by itself until all are asked; then each client has a letter. One of them
// finds the request, and agrees to it.
func TestSandboxNineHundred(t *testing.T) {
	service := map[string]string{"nl": "subsidy", "en": "notice"} // each can be asked for once
	var list strings.Builder
	list.WriteString("KvK-nummer;Naam\r\n")
	for i := range 900 {
		fmt.Fprintf(&list, "4%07d;\r\n", 1000+7*i)
	}
	manages(t, func(t *testing.T, walks func() *walker) {
		office, client := comesIn(walks(), "Quinten Vos"), comesIn(walks(), "Xander Aalders")
		office.goes("/clients")
		office.presses("begin many")
		office.sees("begin many")
		office.page.Upload(office.words.Say("list"), "clients.csv", list.String())
		office.presses("next")
		office.chooses(service[office.say["language"]])
		office.reads(office.words.Count("many will", 900), "40001000", "40007293")
		office.page.Fits()
		office.page.Click(office.words.Count("confirm many", 900))
		office.page.Waits(office.words.Say("many over"))
		office.sees("many over")
		office.reads(office.words.Count("many done", 900))
		office.presses("asked")
		office.sees("asked")
		office.page.Click(fmt.Sprintf("css=tbody a:has-text('%s') >> nth=0", office.words.Say("print letter")))
		office.sees("letter title")
		office.reads("Aalders", "Administratiekantoor Telraam")

		client.overview("Aannemersbedrijf Aalders", "40001000")
		number := client.answers("Administratiekantoor Telraam")
		office.goes("/mandates/" + number)
		office.says("state active")
		office.reads("Aannemersbedrijf Aalders")
	})
}

// An employee leaves: one page ends all that the office has given her, for itself and for its
// clients, and she logs in for nobody from that moment on.
func TestSandboxLeaves(t *testing.T) {
	const yara = "Yara Telgen"
	manages(t, func(t *testing.T, walks func() *walker) {
		office, w := comesIn(walks(), "Quinten Vos"), walks()
		number := office.assigns("40001014", yara)
		w.filesFor(yara, "Bakkerij Aalders", "40001014", "87654321")

		office.presses("offboard", "name", yara)
		office.sees("offboard title", "name", yara)
		office.reads(office.words.Say("offboard sure", "name", yara), office.words.Say("mandate number", "number", number))
		office.presses("offboard", "name", yara)
		office.sees("offboarded")
		w.filesNot(yara, w.say["revoked"])
		office.goes("/mandates/" + number)
		office.says("state revoked")
	})
}
