package eyes_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/eyes"
	"github.com/mandated/mandated/internal/look"
)

// gallery has every part of a page, as a room would use it.
type gallery struct{ say look.Words }

// galleryWords are those of the gallery alone.
var galleryWords = look.Texts{
	"site": {NL: "Machtigingen beheren", EN: "Manage mandates"}, "start": {NL: "Overzicht", EN: "Overview"}, "mandates": {NL: "Machtigingen", EN: "Mandates"},
	"requests": {NL: "Aanvragen", EN: "Requests"}, "people": {NL: "Medewerkers", EN: "Employees"}, "accessibility": {NL: "Toegankelijkheid", EN: "Accessibility"},
	"privacy": {NL: "Privacy", EN: "Privacy"}, "out": {NL: "Uitloggen", EN: "Log out"},

	"overview": {NL: "Machtigingen van Bakkerij De Korenbloem", EN: "Mandates of Bakkerij De Korenbloem"},
	"intro":    {NL: "Hier ziet u wie namens uw organisatie mag handelen.", EN: "Here you see who may act for your organisation."},
	"new":      {NL: "Geef een machtiging", EN: "Grant a mandate"}, "import": {NL: "Lees een bestand in", EN: "Import a file"},
	"saved": {NL: "De machtiging is vastgelegd", EN: "The mandate is granted"}, "savedT": {NL: "Anna de Vries kan vanaf 1 december 2026 inloggen.", EN: "Anna de Vries can log in from 1 December 2026."},
	"soon": {NL: "Drie machtigingen verlopen binnenkort", EN: "Three mandates expire soon"}, "soonT": {NL: "Verleng ze op tijd.", EN: "Renew them in time."}, "soonL": {NL: "Bekijk welke", EN: "See which"},
	"away": {NL: "Wij konden het handelsregister niet bereiken", EN: "We could not reach the business register"}, "awayT": {NL: "Probeer het over een paar minuten nog eens.", EN: "Try again in a few minutes."},
	"news": {NL: "Op zondag zijn wij een uur dicht", EN: "On Sunday we are closed for an hour"},
	"who":  {NL: "Medewerker", EN: "Employee"}, "what": {NL: "Dienst", EN: "Service"}, "level": {NL: "Niveau", EN: "Level"}, "until": {NL: "Geldig tot", EN: "Valid until"},
	"state": {NL: "Stand", EN: "State"}, "uses": {NL: "Gebruikt", EN: "Used"}, "do": {NL: "Wat u kunt doen", EN: "What you can do"},
	"valid": {NL: "Geldig", EN: "Valid"}, "suspended": {NL: "Stilgezet", EN: "Suspended"}, "revoked": {NL: "Ingetrokken", EN: "Revoked"}, "asked": {NL: "Aangevraagd", EN: "Requested"},
	"change": {NL: "Wijzig", EN: "Change"}, "revoke": {NL: "Trek in", EN: "Revoke"}, "of": {NL: "machtiging van {name}", EN: "mandate of {name}"},
	"everything": {NL: "Alle diensten van de Belastingdienst", EN: "All services of the Tax Administration"}, "establishment": {NL: "Alleen vestiging 000012345678", EN: "Establishment 000012345678 only"},
	"details": {NL: "Wat betekenen de niveaus?", EN: "What do the levels mean?"}, "detailsT": {NL: "Een hoger niveau geeft meer zekerheid over wie er inlogt.", EN: "A higher level gives more certainty about who logs in."},

	"grant": {NL: "Wie wilt u machtigen?", EN: "Whom do you want to mandate?"}, "step1": {NL: "Medewerker", EN: "Employee"}, "step2": {NL: "Diensten en duur", EN: "Services and duration"}, "step3": {NL: "Controleren", EN: "Check"},
	"name": {NL: "Naam van de medewerker", EN: "Name of the employee"}, "nameW": {NL: "Vul de naam van de medewerker in", EN: "Enter the name of the employee"},
	"mail": {NL: "E-mailadres", EN: "Email address"}, "mailH": {NL: "Wij sturen hier één bericht heen.", EN: "We send one message to it."},
	"kvk": {NL: "KvK-nummer", EN: "KvK number"}, "kvkH": {NL: "Acht cijfers", EN: "Eight digits"}, "kvkW": {NL: "Vul een KvK-nummer van acht cijfers in", EN: "Enter a KvK number of eight digits"},
	"from": {NL: "Vanaf welke dag?", EN: "From which day?"}, "fromH": {NL: "Bijvoorbeeld 1 12 2026", EN: "For example 1 12 2026"}, "fromW": {NL: "Vul een dag in die bestaat", EN: "Enter a day that exists"},
	"eh": {NL: "Welk niveau?", EN: "Which level?"}, "eh3H": {NL: "Met een middel dat aan de balie is opgehaald", EN: "With a means that was fetched at a desk"}, "ehW": {NL: "Kies een niveau", EN: "Choose a level"},
	"services": {NL: "Voor welke diensten?", EN: "For which services?"}, "vat": {NL: "Btw-aangifte", EN: "VAT return"}, "permit": {NL: "Omgevingsvergunning", EN: "Environmental permit"},
	"vestiging": {NL: "Voor welke vestiging?", EN: "For which establishment?"}, "all": {NL: "Alle vestigingen", EN: "All establishments"}, "mill": {NL: "Molenstraat 1, Utrecht", EN: "Molenstraat 1, Utrecht"},
	"why": {NL: "Toelichting", EN: "Explanation"}, "proof": {NL: "Volmacht (PDF)", EN: "Power of attorney (PDF)"}, "on": {NL: "Ga verder", EN: "Go on"}, "later": {NL: "Bewaar voor later", EN: "Keep for later"}, "cancel": {NL: "Annuleer", EN: "Cancel"},

	"sure": {NL: "Weet u zeker dat u deze machtiging intrekt?", EN: "Are you sure that you revoke this mandate?"}, "sureT": {NL: "Intrekken kan niet ongedaan worden gemaakt", EN: "Revoking cannot be undone"},
	"sure1": {NL: "Anna de Vries kan meteen niet meer inloggen.", EN: "Anna de Vries can no longer log in, at once."}, "sure2": {NL: "Wij sturen haar daarover een bericht.", EN: "We send her a message about it."},
	"yes": {NL: "Trek de machtiging in", EN: "Revoke the mandate"}, "no": {NL: "Nee, ga terug", EN: "No, go back"},

	"reading": {NL: "Het bestand klanten.csv wordt gelezen", EN: "The file klanten.csv is being read"}, "read": {NL: "Inlezen", EN: "Import"},

	"figures": {NL: "Cijfers", EN: "Figures"}, "weekT": {NL: "Gebruik per dienst in november 2026", EN: "Use by service in November 2026"}, "weekA": {NL: "De btw-aangifte is verreweg het meest gebruikt.", EN: "The VAT return is used most by far."},
	"times": {NL: "Aantal keren", EN: "Number of times"}, "daysT": {NL: "Machtigingen per dienst", EN: "Mandates by service"}, "daysA": {NL: "De meeste zijn geldig.", EN: "Most are valid."},

	"empty": {NL: "Er zijn nog geen aanvragen", EN: "There are no requests yet"}, "emptyT": {NL: "Als iemand u om een machtiging vraagt, staat die hier.", EN: "When somebody asks you for a mandate, it is shown here."},
	"sent": {NL: "Ontvangen", EN: "Received"},
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// newGallery serves it.
func newGallery(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+look.StylePath, look.Style)
	for path, parts := range map[string]func(g gallery, r *http.Request) look.Page{
		"GET /{$}": gallery.overview, "GET /grant": gallery.grant, "POST /grant": gallery.wrong, "GET /revoke": gallery.revoke,
		"GET /progress": gallery.progress, "GET /figures": gallery.figures, "GET /requests": gallery.requests,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			g := gallery{galleryWords.In(look.LanguageOf(r))}
			page := parts(g, r)
			page.Site = g.site(r)
			look.Show(w, r, http.StatusOK, page)
		})
	}
	mux.HandleFunc("POST /sent", func(w http.ResponseWriter, r *http.Request) {
		g := gallery{galleryWords.In(look.LanguageOf(r))}
		look.Show(w, r, http.StatusOK, look.Page{Title: g.say.Say("sent"), Parts: []look.Part{look.Paragraph{Text: r.FormValue(look.TokenField) + r.FormValue("do")}}})
	})
	s := httptest.NewServer(look.Switch(mux))
	t.Cleanup(s.Close)
	return s.URL
}

func (g gallery) link(name, address string) look.Link {
	return look.Link{Text: g.say.Say(name), Address: address}
}

func (g gallery) site(r *http.Request) look.Site {
	s := look.Site{
		Name: g.say.Say("site"), Home: "/",
		Account: &look.Account{Name: "Johanna van der Berg", For: "Bakkerij De Korenbloem", Link: &look.Link{Text: "E-mail", Address: "/contact"}, LogOut: &look.Form{Address: "/sent", Buttons: []look.Button{{Text: g.say.Say("out"), Kind: look.Secondary}}}},
		Footer:  []look.Link{g.link("accessibility", "/#a"), g.link("privacy", "/#p")},
	}
	for _, place := range []struct{ name, address string }{{"mandates", "/"}, {"requests", "/requests"}, {"figures", "/figures"}, {"read", "/progress"}} {
		s.Nav = append(s.Nav, look.NavItem{Link: g.link(place.name, place.address), Current: r.URL.Path == place.address})
	}
	return s
}

func (g gallery) overview(*http.Request) look.Page {
	say := g.say
	mandate := func(name, note string, uses string, kind look.Kind, state string) look.Row {
		links := []look.Link{
			{Text: say.Say("change"), About: say.Say("of", "name", name), Address: "/grant"}, {Text: say.Say("revoke"), About: say.Say("of", "name", name), Address: "/revoke"}}
		return look.Row{{Text: name, Address: "/revoke"}, {Text: say.Say("everything"), Note: note}, {Text: "EH3"}, {Text: say.Date(day(2027, 12, 31))},
			{State: &look.State{Kind: kind, Text: say.Say(state)}}, {Text: uses}, {Links: links}}
	}
	return look.Page{
		Title: say.Say("overview"), Crumbs: []look.Link{g.link("start", "/")},
		Parts: []look.Part{
			look.Notice{Kind: look.Done, Title: say.Say("saved"), Text: say.Say("savedT")},
			look.Paragraph{Text: say.Say("intro"), Lead: true},
			look.Actions{{Link: g.link("new", "/grant")}, {Link: g.link("import", "/progress"), Kind: look.Secondary}},
			look.Notice{Kind: look.Warning, Title: say.Say("soon"), Text: say.Say("soonT"), Links: []look.Link{g.link("soonL", "/?soon")}},
			look.Notice{Kind: look.Error, Title: say.Say("away"), Text: say.Say("awayT")},
			look.Notice{Title: say.Say("news")},
			look.Table{
				Caption: say.Say("mandates"),
				Columns: []look.Column{{Title: say.Say("who"), Names: true}, {Title: say.Say("what")}, {Title: say.Say("level")},
					{Title: say.Say("until")}, {Title: say.Say("state")}, {Title: say.Say("uses"), Number: true}, {Title: say.Say("do"), Unseen: true}},
				Rows: []look.Row{
					mandate("Anna de Vries", "", "1", look.Done, "valid"), mandate("Bram Jansen", say.Say("establishment"), "12", look.Warning, "suspended"),
					mandate("Cornelia Wijnberg-Hottentottententoonstelling", "", say.Number(1234), look.Error, "revoked"), mandate("Dirk", "", "0", look.Info, "asked"),
				},
				Paging: &look.Paging{First: 26, Last: 29, Begin: "/?b", Next: "/?n"},
			},
			look.Heading{Text: "Anna de Vries"},
			look.Description{
				{Term: say.Say("who"), Value: look.Cell{Text: "Anna de Vries"}, Change: "/grant#who"},
				{Term: say.Say("what"), Value: look.Cell{Text: say.Say("everything"), Note: say.Say("establishment")}, Change: "/grant#what"},
				{Term: say.Say("state"), Value: look.Cell{State: &look.State{Kind: look.Done, Text: say.Say("valid")}}},
				{Term: "ID", Value: look.Cell{Text: "urn:uuid:7b2f0a52-5f0c-4f3e-9a53-6b86a4a4f9c1", Code: true}},
			},
			look.Details{Summary: say.Say("details"), Parts: []look.Part{look.Paragraph{Text: say.Say("detailsT")}, look.List{Items: []string{"EH2+", "EH3", "EH4"}}}},
		},
	}
}

func (g gallery) fields(wrong bool) []look.Part {
	say := g.say
	w := func(name string) string {
		if wrong {
			return say.Say(name)
		}
		return ""
	}
	return []look.Part{
		look.Field{Name: "name", Label: say.Say("name"), Error: w("nameW"), Input: look.TextInput{Autocomplete: "off"}},
		look.Field{Name: "mail", Label: say.Say("mail"), Hint: say.Say("mailH"), Optional: true, Input: look.TextInput{Type: "email", Autocomplete: "off"}},
		look.Field{Name: "kvk", Label: say.Say("kvk"), Hint: say.Say("kvkH"), Error: w("kvkW"), Input: look.NumberInput{Value: "1234", MaxLength: 8}},
		look.Field{Name: "from", Label: say.Say("from"), Hint: say.Say("fromH"), Error: w("fromW"), Input: look.DateInput{Day: "31", Month: "11", Year: "2026"}},
		look.Field{Name: "level", Label: say.Say("eh"), Error: w("ehW"), Input: look.RadioInput{{Value: "eh2+", Label: "EH2+"}, {Value: "eh3", Label: "EH3", Hint: say.Say("eh3H"), Chosen: !wrong}}},
		look.Field{Name: "service", Label: say.Say("services"), Input: look.CheckInput{{Value: "vat", Label: say.Say("vat"), Chosen: true}, {Value: "permit", Label: say.Say("permit")}}},
		look.Field{Name: "place", Label: say.Say("vestiging"), Input: look.SelectInput{{Label: say.Say("all")}, {Value: "1", Label: say.Say("mill"), Chosen: true}}},
		look.Field{Name: "why", Label: say.Say("why"), Optional: true, Input: look.AreaInput{}},
		look.Field{Name: "proof", Label: say.Say("proof"), Optional: true, Input: look.FileInput{Accept: ".pdf"}},
	}
}

func (g gallery) form(wrong bool) look.Page {
	cancel := g.link("cancel", "/")
	return look.Page{
		Title: g.say.Say("grant"), Crumbs: []look.Link{g.link("start", "/"), g.link("mandates", "/")},
		Parts: []look.Part{
			look.Steps{Names: []string{g.say.Say("step1"), g.say.Say("step2"), g.say.Say("step3")}, Now: 2},
			look.Form{Address: "/grant", Token: "one-time", Parts: g.fields(wrong), Cancel: &cancel,
				Buttons: []look.Button{{Text: g.say.Say("on")}, {Text: g.say.Say("later"), Kind: look.Secondary, Name: "do", Value: "later"}}},
		},
	}
}

func (g gallery) grant(*http.Request) look.Page { return g.form(false) }
func (g gallery) wrong(*http.Request) look.Page { return g.form(true) }

func (g gallery) revoke(*http.Request) look.Page {
	say, cancel := g.say, g.link("no", "/")
	return look.Page{Title: say.Say("sure"), Crumbs: []look.Link{g.link("start", "/"), g.link("mandates", "/")}, Parts: []look.Part{look.Confirm{
		Title: say.Say("sureT"), Consequences: []string{say.Say("sure1"), say.Say("sure2")},
		About: look.Description{{Term: say.Say("who"), Value: look.Cell{Text: "Anna de Vries"}}, {Term: say.Say("what"), Value: look.Cell{Text: say.Say("everything")}}},
		Form:  look.Form{Address: "/sent", Token: "once", Buttons: []look.Button{{Text: say.Say("yes"), Name: "do", Value: "revoke"}}, Cancel: &cancel},
	}}}
}

func (g gallery) progress(*http.Request) look.Page {
	return look.Page{Title: g.say.Say("read"), Parts: []look.Part{
		look.Progress{What: g.say.Say("reading"), Done: 312_400, Of: 1_000_000, Every: time.Hour},
	}}
}

func (g gallery) figures(*http.Request) look.Page {
	say := g.say
	return look.Page{Title: say.Say("figures"), Parts: []look.Part{
		look.Bars{Title: say.Say("weekT"), About: say.Say("weekA"), What: say.Say("what"), Count: say.Say("times"),
			Rows: []look.Bar{{Label: say.Say("vat"), Value: 12345}, {Label: say.Say("permit"), Value: 4321}, {Label: say.Say("everything"), Value: 17}, {Label: "UWV", Value: 0}}},
		look.Stacks{Title: say.Say("daysT"), About: say.Say("daysA"), What: say.Say("what"),
			Parts: []look.State{{Kind: look.Done, Text: say.Say("valid")}, {Kind: look.Info, Text: say.Say("asked")}, {Kind: look.Warning, Text: say.Say("suspended")}, {Kind: look.Error, Text: say.Say("revoked")}},
			Rows:  []look.Stack{{Label: say.Say("vat"), Values: []int64{1200, 340, 80, 12}}, {Label: say.Say("permit"), Note: say.Say("establishment"), Values: []int64{20, 0, 300, 0}}}},
	}}
}

func (g gallery) requests(*http.Request) look.Page {
	return look.Page{Title: g.say.Say("requests"), Parts: []look.Part{
		look.Table{Caption: g.say.Say("requests"), Empty: &look.Empty{Title: g.say.Say("empty"), Text: g.say.Say("emptyT"), Links: []look.Action{{Link: g.link("new", "/grant"), Kind: look.Secondary}}}},
	}}
}

// galleryLooks are the ways in which the gallery is looked at: all that leave a page little
// room or take its colours away, with scripts and without.
var galleryLooks = map[string]eyes.Options{
	"phone":  {Language: "nl", Width: 320, Height: 640},
	"zoomed": {Language: "en", Zoom: 4, Script: true},
	"desk":   {Language: "en"},
	"dark":   {Language: "nl", Dark: true, Width: 768, Script: true},
	"forced": {Language: "en", ForcedColors: true, Dark: true},
	"paper":  {Language: "nl", Print: true, Width: 794},
}

// Every part of a page can be seen, read and heard, however one looks at it.
func TestGallery(t *testing.T) {
	t.Parallel()
	at := newGallery(t)
	for name, o := range galleryLooks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := eyes.Open(t, o).Go(at + "/")
			see := func(what string) {
				page.Fits()
				page.Axe()
				page.Shot("gallery-" + name + "-" + what)
				if page.Language() != o.Language {
					t.Errorf("%s is in %q", what, page.Language())
				}
			}
			page.Unfold()
			see("overview")
			for _, path := range []string{"revoke", "progress", "figures", "requests", "grant"} {
				page.Go(at + "/" + path)
				see(path)
			}
			if !o.Print { // on paper there are no buttons
				page.Click(galleryWords.In(look.Language(o.Language)).Say("on"))
				see("wrong")
			}
		})
	}
}

// Somebody without a mouse fills in a form: everything on the way shows that it has the
// focus. What is wrong is where the focus is then, and leads to the field; and the switch of
// language leaves nobody elsewhere.
func TestGalleryByKeyboard(t *testing.T) {
	t.Parallel()
	at := newGallery(t)
	for _, script := range []bool{true, false} {
		page := eyes.Open(t, eyes.Options{Script: script, Dark: script}).Go(at + "/grant?page=2")
		page.TabTo("Naar de inhoud")
		page.TabTo("English")
		page.Press("Enter")
		if page.URL() != at+"/grant?page=2" || page.Language() != "en" {
			t.Errorf("in %s at %s", page.Language(), page.URL())
		}
		page.TabTo("Go on")
		page.Press("Enter")
		if title := page.Title(); title != "Error: Whom do you want to mandate? - Manage mandates" {
			t.Fatalf("at %q", title)
		}
		page.Press("Tab")
		if name := page.Focused(); name != "Enter the name of the employee" {
			t.Errorf("after what is wrong comes %q", name)
		}
		page.Press("Enter", "Tab")
		page.Type("Anna")
		if page.Value("Name of the employee") != "Anna" && page.Value("Email address") != "Anna" {
			t.Error("the link does not lead to its field")
		}
	}
}
