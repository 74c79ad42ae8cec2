package eyes_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mandated/mandated/internal/eyes"
	"github.com/mandated/mandated/internal/sandbox"
)

// openSandbox opens the one sandbox of all tests here. None changes anything in it but its
// log and what others do not look at, so they may walk through it all at once.
var openSandbox = sync.OnceValues(func() (*sandbox.Sandbox, error) {
	folder, err := os.MkdirTemp("", "sandbox-eyes-")
	if err != nil {
		return nil, err
	}
	s, err := sandbox.Open(ctx, folder, sandbox.Options{Listen: "127.0.0.1:0"})
	closeSandbox = func() error { return errors.Join(s.Stop(ctx), os.RemoveAll(folder)) }
	return s, err
})

var closeSandbox = func() error { return nil }

func TestMain(m *testing.M) {
	code := m.Run()
	if err := closeSandbox(); err != nil {
		fmt.Fprintln(os.Stderr, "closing the sandbox:", err)
		code = 1
	}
	os.Exit(code)
}

// walker is somebody on his way through the sandbox, who looks closely at each page.
type walker struct {
	t    *testing.T
	look string // language and size, for the names of pictures
	say  map[string]string
	page *eyes.Page
}

// walks are how people walk: in Dutch without script on a phone, in English with script at
// 400 %.
var walks = map[string]eyes.Options{
	"nl": {Language: "nl", Width: 320, Height: 640},
	"en": {Language: "en", Zoom: 4, Script: true},
}

// walk opens a browser at the start page of the sandbox.
func walk(t *testing.T, o eyes.Options) *walker {
	t.Helper()
	user := eyes.Open(t, o) // first, since it may skip the test
	s, err := openSandbox()
	if err != nil {
		t.Fatalf("opening the sandbox: %v", err)
	}
	say := map[string]string{}
	for _, words := range []map[string]map[string]string{says, sandboxSays} {
		for key, text := range words[o.Language] {
			say[key] = text
		}
	}
	w := &walker{t: t, look: fmt.Sprintf("sandbox-%s-%d", o.Language, o.Width), say: say, page: user.Go(s.Address)}
	w.see("start")
	return w
}

// everyWalk walks both ways at once.
func everyWalk(t *testing.T, scene func(*walker)) {
	t.Parallel()
	for name, o := range walks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scene(walk(t, o))
		})
	}
}

// sandboxSays are the words of the sandbox's pages, besides those of the register's.
var sandboxSays = map[string]map[string]string{
	"nl": {
		"language": "nl", "start": "Oefenen met eHerkenning", "vat": "Belastingdienst: btw-aangifte", "permit": "Gemeente: vergunning", "portal": "Provincie: portaal",
		"authn": "Wie bent u?", "almost": "U bent bijna klaar", "in": "U bent ingelogd", "refused": "U bent niet ingelogd", "problem": "Dit gaat niet",
		"log in": "Inloggen met eHerkenning", "me": "Ik ben dit", "give up": "Annuleren", "go on": "Ga verder",
		"to vat": "Naar de belastingdienst (verhaal van %s)", "cancelled": "Het inloggen is afgebroken",
		"other ways": "Andere manieren", "other level": "ander betrouwbaarheidsniveau", "level 2+": "niveau 2+",
		"messages": "Bekijk de berichten van deze inlog", "log": "De berichten van een inlog", "logins": "Alle keren dat er is ingelogd",
		"reads": "Wat de dienstverlener leest", "through": "Via", "wrong": "doet niet mee",
		"seek":     "Klanten van Administratiekantoor Telraam bij andere registers",
		"managing": "Naar het machtigingenregister", "revoked": "De machtiging is ingetrokken", "pages": "beheerpagina's",
		"api": "De API voor programma's", "join": "Metadata controleren of laten meedoen", "fault": "Fout", "choose it": "Kiezen", "chosen": "Voor uw volgende inlog is gekozen: expired",
	},
	"en": {
		"language": "en", "start": "Practise with eHerkenning", "vat": "Tax service: VAT return", "permit": "Municipality: permit", "portal": "Province: portal",
		"authn": "Who are you?", "almost": "You are almost there", "in": "You are logged in", "refused": "You are not logged in", "problem": "This does not work",
		"log in": "Log in with eHerkenning", "me": "This is me", "give up": "Cancel", "go on": "Go on",
		"to vat": "Go to the tax service (story of %s)", "cancelled": "The log-in was cancelled",
		"other ways": "Other ways", "other level": "another level of assurance", "level 2+": "level 2+",
		"messages": "Look at the messages of this log-in", "log": "The messages of a log-in", "logins": "All log-ins",
		"reads": "What the service provider reads", "through": "Through", "wrong": "does not take part",
		"seek":     "Clients of Administratiekantoor Telraam at other registers",
		"managing": "Go to the mandate register", "revoked": "The mandate was withdrawn", "pages": "management pages",
		"api": "The API for programs", "join": "Check metadata or let them join", "fault": "Fault", "choose it": "Choose", "chosen": "Chosen for your next log-in: expired",
	},
}

// seen are the pages that axe-core has looked at, by look and name: it takes its time, and
// the same page is on many ways.
var seen sync.Map

// see looks at a page, which is the one that is expected. The explanation of a log-in has a
// test of its own.
func (w *walker) see(name string) {
	w.t.Helper()
	if w.comesTo(name, w.say[name], w.page.Title()) && name != "log" {
		w.page.Axe()
		w.page.Shot(w.look + "-" + name)
	}
}

// comesTo fails the test unless the page is called as it should be, is in the walker's language
// and fits. It tells whether nobody has seen the page of that name in this look before.
func (w *walker) comesTo(name, want, got string) (first bool) {
	w.t.Helper()
	if got != want || w.page.Language() != w.say["language"] {
		w.t.Fatalf("%s: want %q, got %q in %q at %s: %s", w.look, want, got, w.page.Language(), w.page.URL(), w.page.Text())
	}
	w.page.Fits()
	_, before := seen.LoadOrStore(w.look+name, true)
	return !before
}

func (w *walker) click(what string) {
	w.t.Helper()
	w.page.Click(w.say[what])
}

// reads fails the test if something cannot be read on the page.
func (w *walker) reads(all ...string) {
	w.t.Helper()
	text := w.page.Text()
	for _, want := range all {
		if !strings.Contains(text, want) {
			w.t.Errorf("%s: %q does not say %q but: %s", w.look, w.page.Title(), want, text)
		}
	}
}

// step goes one page on as somebody of that name, and tells where it came from; "": this is
// an end.
func (w *walker) step(who string) string {
	w.t.Helper()
	title := w.page.Title()
	for name, on := range map[string]func(){
		"vat":      func() { w.click("log in") },
		"permit":   func() { w.click("log in") },
		"authn":    func() { w.page.Click(who); w.click("me") },
		"almost":   func() { w.click("go on") },
		"portal":   func() { w.click("log in") },
		"title":    func() { w.choose(who) },
		"seek":     func() { w.pick("Kaasmakerij De Wei") },
		"services": func() { w.click("on") },
		"none":     func() { w.click("leave") },
	} {
		if title == w.say[name] {
			w.see(name)
			on()
			return name
		}
	}
	return ""
}

// choose chooses for whom somebody logs in, as his story says.
func (w *walker) choose(who string) {
	w.t.Helper()
	switch who {
	case "Noor Willems":
		w.pick("Atelier Draad")
	case "Mila Peeters":
		w.page.Click("css=button[name=elsewhere]")
	case "Otto Brands":
		w.pick("Boerderij Zonzicht")
	default:
		w.chooseClient()
	}
}

// pick presses the button of a company.
func (w *walker) pick(company string) {
	w.t.Helper()
	w.page.Click(fmt.Sprintf(`css=.rows li:has-text("%s") button[name=choice]`, company))
}

// chooseClient looks for one of many clients and chooses it.
func (w *walker) chooseClient() {
	w.t.Helper()
	w.page.Fill(w.say["search"], "kwekerij zijl")
	w.page.Click("css=form[role=search] button")
	if names := w.page.Texts(".rows h3"); len(names) != 1 || names[0] != "Kwekerij Zijlstra" {
		w.t.Fatalf("%s: found %q", w.look, names)
	}
	w.page.Click("css=.rows button[name=choice]")
}

// toTheEnd goes on until the log-in ends, and gives the names of the pages on the way.
func (w *walker) toTheEnd(who string) (way []string) {
	w.t.Helper()
	for range 10 {
		from := w.step(who)
		if from == "" {
			return way
		}
		way = append(way, from)
	}
	w.t.Fatalf("%s: %s comes to no end: %q", w.look, who, way)
	return nil
}

// story is one of the start page.
type story struct{ who, promise, link string }

// stories are those that the start page tells.
func (w *walker) stories() (all []story) {
	w.t.Helper()
	names, promises := w.page.Texts(".stories strong"), w.page.Texts(".stories p:nth-child(2)")
	if len(names) == 0 || len(names) != len(promises) {
		w.t.Fatalf("%s: stories of %q: %q", w.look, names, promises)
	}
	for i, who := range names {
		all = append(all, story{who, promises[i], fmt.Sprintf("css=.stories a >> nth=%d", i)})
	}
	return all
}

// facts are what a story's promise says that a provider reads: numbers, and the code of a
// reason.
var facts = regexp.MustCompile(`\d{8,}|\(([a-z][a-z-]+)\)`)

// ends are how the stories end that everybody knows, in words by language. Stories that are
// new end as they promise.
var ends = map[string]struct{ page, nl, en string }{
	"Anna de Vries": {"in", "Bakkerij De Korenbloem", "Bakkerij De Korenbloem"},
	"Bilal Haddad":  {"in", "Alleen voor vestiging", "For this establishment alone"},
	"Carla Smit":    {"in", "Boerderij Zonzicht", "Boerderij Zonzicht"},
	"Dirk Postma":   {"in", "Kwekerij Zijlstra", "Kwekerij Zijlstra"},
	"Elif Yilmaz":   {"in", "Bloemisterij Tulp", "Bloemisterij Tulp"},
	"Fatima Bakker": {"refused", "de machtiging is op een lager niveau vastgelegd dan de dienst nodig heeft", "the mandate was registered at a lower level than the service needs"},
	"Gerrit Visser": {"refused", "de machtiging is niet voor deze dienst", "the mandate does not cover this service"},
	"Hanna Mulder":  {"refused", "de machtiging is verlopen", "the mandate has expired"},
	"Noor Willems":  {"in", "Atelier Draad", "Atelier Draad"},
	"Mila Peeters":  {"in", "Kaasmakerij De Wei", "Kaasmakerij De Wei"},
	"Otto Brands":   {"in", "Dienst achter het portaal", "Service behind the portal"},
}

// behind are those who hear it from the provider alone: what goes wrong in their stories goes
// wrong between the parties, where there is no page.
var behind = map[string]bool{"Ilse Kok": true, "Jaap Meijer": true, "Karim El Amrani": true, "Lotte Jansen": true}

// Everybody of the start page logs in by clicks alone, and it ends as the start page says:
// the provider reads it, or tells in plain words why not.
func TestSandboxStories(t *testing.T) {
	everyWalk(t, func(w *walker) {
		told := map[string]bool{}
		for _, s := range w.stories() {
			told[s.who] = true
			w.page.Click(s.link)
			way := w.toTheEnd(s.who)
			end, known := ends[s.who]
			if known {
				w.see(end.page)
				w.reads(map[string]string{"nl": end.nl, "en": end.en}[w.say["language"]])
			}
			if w.page.Title() == w.say["refused"] && !behind[s.who] && !strings.Contains(fmt.Sprint(way), "none") {
				w.t.Errorf("%s: %s is refused without having seen why: %q", w.look, s.who, way)
			}
			for _, fact := range facts.FindAllString(s.promise, -1) {
				w.reads(strings.Trim(fact, "()"))
			}
			w.page.Go(mustOpen(w.t).Address)
		}
		for who := range ends {
			if !told[who] {
				w.t.Errorf("%s: the start page does not tell of %s", w.look, who)
			}
		}
	})
}

func mustOpen(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	s, err := openSandbox()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Whoever gives up is back at the provider, which says that nothing has happened; whoever
// logs in at too low a level reads that there.
func TestSandboxTurnsBack(t *testing.T) {
	everyWalk(t, func(w *walker) {
		w.page.Click(fmt.Sprintf(w.say["to vat"], "Anna de Vries"))
		w.step("")
		w.see("authn")
		w.click("give up")
		w.see("refused")
		w.reads(w.say["cancelled"], "Responder/AuthnFailed")

		w.page.Go(mustOpen(w.t).Address + "/vat/")
		w.step("")
		w.page.Click("Dirk Postma")
		w.click("me")
		w.see("title")
		w.click("cancel")
		w.see("refused")
		w.reads(w.say["cancelled"], "Responder/AuthnFailed")

		w.page.Go(mustOpen(w.t).Address + "/vat/")
		w.step("")
		w.click("other level")
		w.page.Click(w.say["level 2+"])
		w.toTheEnd("Anna de Vries")
		w.see("refused")
		w.reads("authentication-too-low")
	})
}

// Where messages travel in forms the user presses a button in between, and the provider reads
// the same.
func TestSandboxForms(t *testing.T) {
	everyWalk(t, func(w *walker) {
		w.page.Go(mustOpen(w.t).Address + "/vat/")
		w.click("other ways")
		w.page.Axe()
		w.page.Click("css=input[name=request][value=post]")
		w.page.Click("css=input[name=answer][value=post]")
		if way := w.toTheEnd("Carla Smit"); strings.Count(fmt.Sprint(way), "almost") != 2 {
			w.t.Errorf("%s: the way was %q", w.look, way)
		}
		w.see("in")
		w.reads("23456789", "87654321")
	})
}

// Somebody without a mouse logs in from the start page to the provider, and looks at the
// messages then. He always sees where he is.
func TestSandboxByKeyboard(t *testing.T) {
	everyWalk(t, func(w *walker) {
		enter := func(name string) {
			w.page.TabTo(name)
			w.page.Press("Enter")
		}
		enter(fmt.Sprintf(w.say["to vat"], "Dirk Postma"))
		enter(w.say["log in"])
		w.see("authn")
		for range 10 {
			w.page.Press("Tab")
			if strings.HasPrefix(w.page.Focused(), "Anna de Vries") {
				break
			}
		}
		w.page.Press("ArrowDown", "ArrowDown", "ArrowDown")
		if on := w.page.Focused(); !strings.HasPrefix(on, "Dirk Postma") || !w.page.Checked("Dirk Postma") {
			w.t.Fatalf("%s: three down from Anna is %q", w.look, on)
		}
		enter(w.say["me"])
		w.see("title")
		w.page.TabTo(w.say["search"])
		w.page.Type("kwekerij zijl")
		w.page.Press("Enter")
		enter(w.say["choose"] + " Kwekerij Zijlstra, " + w.say["through"] + " Administratiekantoor Telraam")
		w.see("in")
		w.reads("Kwekerij Zijlstra")
		w.page.TabTo(w.page.Texts("main a")[0])
		w.page.Press("Enter")
		w.see("log")
	})
}

// The messages of a log-in are explained on a page that everybody can read, with all details
// open as well; its links lead where they say, and it tells what the provider reads.
func TestSandboxExplains(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]eyes.Options{"nl": walks["nl"], "en": walks["en"], "at a desk": {Language: "nl"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := walk(t, o)
			w.page.Click(fmt.Sprintf(w.say["to vat"], "Elif Yilmaz"))
			w.toTheEnd("Elif Yilmaz")
			w.click("messages")
			w.see("log")
			w.reads(w.say["reads"], "34567890", "87654321", "Bloemisterij Tulp")
			address, desk := w.page.URL(), o.Width == 0 && o.Zoom == 0
			w.page.Shot(w.look + "-log")
			if !desk {
				w.page.Unfold()
			}
			w.page.Fits()
			w.page.Axe()

			w.page.Click("css=td a >> nth=13") // on so long a page it takes its time to find a name
			if w.page.URL() != address+"#message-14" {
				w.t.Errorf("the answer is at %s", w.page.URL())
			}
			w.page.Click("css=#message-14 .up a")
			if w.page.URL() != address+"#overview" {
				w.t.Errorf("the overview is at %s", w.page.URL())
			}
			if desk { // there is room for the drawing
				w.page.Click("css=svg a >> nth=2")
				if w.page.URL() != address+"#message-3" {
					w.t.Errorf("the third arrow leads to %s", w.page.URL())
				}
			}
			w.page.Click("css=nav a >> nth=0")
			w.see("logins")
			w.page.Click("css=main li a >> nth=0")
			w.see("log")
		})
	}
}

// What went wrong is told on a page like any other: with a step that makes no sense, and with
// metadata that cannot be read.
func TestSandboxTroubles(t *testing.T) {
	everyWalk(t, func(w *walker) {
		s := mustOpen(w.t)
		w.page.Go(s.Address + "/vat/acs/1.13")
		if w.page.Status() != http.StatusBadRequest {
			w.t.Errorf("HTTP %d", w.page.Status())
		}
		w.see("problem")
		path := filepath.Join(s.Providers(), w.say["language"]+".xml")
		if err := os.WriteFile(path, []byte("Dear reader,"), 0o600); err != nil {
			w.t.Fatal(err)
		}
		defer func() { _ = os.Remove(path) }()
		w.page.Go(s.Address)
		w.reads(w.say["language"] + ".xml " + w.say["wrong"])
		w.page.Fits()
		w.page.Axe()
		w.page.Shot(w.look + "-trouble")
	})
}

// Whoever makes software finds the pages that are for him, and can choose a fault, as well as
// anybody else can use the rest.
func TestSandboxForMakers(t *testing.T) {
	everyWalk(t, func(w *walker) {
		w.click("api")
		w.see("api")
		w.page.Back()
		w.click("join")
		w.see("join")
		w.page.Back()
		w.page.Click("css=#fault")
		w.page.Type("expired")
		w.click("choose it")
		w.reads(w.say["chosen"])
		w.page.Fits()
		w.page.Axe()
	})
}
