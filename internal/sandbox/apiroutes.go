package sandbox

import (
	"net/http"

	"github.com/mandated/mandated/internal/look"
)

// route is one thing that programs can ask. The page of the API is made of this list.
type route struct {
	Method, Path string
	What         look.Text
	Example      string // a body; "": none is needed
	call         call
}

// Pattern is the route as people write it.
func (r route) Pattern() string { return r.Method + " " + r.Path }

// apiRoutes is the one list of what the API answers.
func (s *Sandbox) apiRoutes() []route {
	return []route{
		{"GET", "/api/scenarios", look.Text{NL: "De verhalen van de startpagina, elk met wat u naar POST /api/logins stuurt om het te spelen.", EN: "The stories of the start page, each with what you send to POST /api/logins to play it."}, "", s.looking(s.listScenarios)},
		{"GET", "/api/persons", look.Text{NL: "Wie er kan inloggen.", EN: "Who can log in."}, "", s.looking(s.listPersons)},
		{"POST", "/api/persons", look.Text{NL: "Voeg een persoon toe.", EN: "Add a person."}, `{"name": "Pim Pietersen"}`, s.adding(s.addPerson)},
		{"GET", "/api/companies", look.Text{NL: "Alle bedrijven, 100 per keer; ?after=KVK gaat verder.", EN: "All companies, 100 at a time; ?after=KVK goes on."}, "", s.looking(s.listCompanies)},
		{"POST", "/api/companies", look.Text{NL: "Voeg een bedrijf toe. rsin mag wegblijven.", EN: "Add a company. rsin may be left out."}, `{"name": "Drukkerij Letter", "kvk": "90123456"}`, s.adding(s.addCompany)},
		{"GET", "/api/mandates", look.Text{NL: "De machtigingen van een register, 100 per keer: ?register=first of second, ?company=KVK, ?person=NAAM, ?after=ID.", EN: "The mandates of a register, 100 at a time: ?register=first or second, ?company=KVK, ?person=NAME, ?after=ID."}, "", s.looking(s.listMandates)},
		{"POST", "/api/mandates", look.Text{NL: "Leg een machtiging vast. kind is direct (company machtigt person), chain (company machtigt intermediary) of assignment (intermediary laat person handelen voor client, het id van een chain). register is first of second. Staat een keten in het tweede register, leg hem dan daar vast én in first met confirmed_by: second. from, until en establishments mogen wegblijven.", EN: "Record a mandate. kind is direct (company mandates person), chain (company mandates intermediary) or assignment (intermediary lets person act for client, the id of a chain). register is first or second. If a chain is in the second register, record it there and also in first with confirmed_by: second. from, until and establishments may be left out."},
			`{"kind": "direct", "register": "first", "company": "90123456", "person": "Pim Pietersen", "services": [{"service": "vat", "level": "loa3"}]}`, s.looking(s.addMandate)},
		{"DELETE", "/api/mandates/{id}", look.Text{NL: "Trek een machtiging in.", EN: "Revoke a mandate."}, "", s.looking(s.revokeMandate)},
		{"GET", "/api/managing", look.Text{NL: "Waar machtigingen worden beheerd: de pagina's en de API van het eerste register, en de map met de certificaten van programma's.", EN: "Where mandates are managed: the pages and the API of the first register, and the folder with the certificates of programs."}, "", s.looking(s.showManaging)},
		{"GET", "/api/faults", look.Text{NL: "De fouten, elk met wat er misgaat en wat er dan gebeurt.", EN: "The faults, each with what goes wrong and what happens then."}, "", s.listFaults},
		{"PUT", "/api/faults/next", look.Text{NL: "Kies wat er misgaat in de eerstvolgende inlog, van wie dan ook. Leeg: niets.", EN: "Choose what goes wrong in the next log-in, whosever it is. Empty: nothing."}, `{"fault": "expired"}`, s.nextFault},
		{"POST", "/api/logins", look.Text{NL: "Log in zonder browser: de zandbak speelt de gebruiker bij provider (permit, vat of portal) tot het einde. Alleen provider en person moeten. Kies met company (KvK-nummer), establishment en services; level is het niveau van inloggen; fault is wat er misgaat; cancel is authenticator of register; request is artifact, redirect of post, en answer artifact of post.", EN: "Log in without a browser: the sandbox plays the user at provider (permit, vat or portal) to the end. Only provider and person are needed. Choose with company (KvK number), establishment and services; level is that of logging in; fault is what goes wrong; cancel is authenticator or register; request is artifact, redirect or post, and answer artifact or post."},
			`{"provider": "vat", "person": "Anna de Vries"}`, s.logIn},
		{"GET", "/api/logins", look.Text{NL: "De laatste 200 keer dat er is ingelogd, ook vanuit browsers.", EN: "The last 200 log-ins, also those in browsers."}, "", s.looking(s.listLogins)},
		{"GET", "/api/logins/{id}", look.Text{NL: "Eén inlog, met wat de dienstverlener las.", EN: "One log-in, with what the provider read."}, "", s.looking(s.showLogin)},
		{"PUT", "/api/logins/{id}/fault", look.Text{NL: "Kies wat er vanaf nu misgaat in een inlog die nog bezig is.", EN: "Choose what goes wrong from now on in a log-in that is under way."}, `{"fault": "register-down"}`, s.looking(s.faultOfLogin)},
		{"GET", "/api/logins/{id}/messages", look.Text{NL: "Alle berichten van een inlog: zoals ze verstuurd zijn, en met uitleg.", EN: "All messages of a log-in: as they were sent, and explained."}, "", s.looking(s.showMessages)},
		{"GET", "/api/logins/{id}/messages/{number}", look.Text{NL: "Eén bericht als XML, zoals het verstuurd is. Het eerste is 1.", EN: "One message as XML, as it was sent. The first is 1."}, "", s.looking(s.showMessage)},
		{"GET", "/api/providers", look.Text{NL: "De dienstverleners die meedoen met metadata van henzelf, en wat er mis is met de andere.", EN: "The providers that take part with metadata of their own, and what is wrong with the others."}, "", s.looking(s.listProviders)},
		{"POST", "/api/providers", look.Text{NL: "Laat een dienstverlener meedoen: name is de naam van zijn bestanden, metadata de tekst van zijn metadata. services zijn eigen diensten, met index (10 of hoger; zo vraagt hij erom), name, level, en zo nodig establishments en identifiers. In POST /api/mandates heet zo'n dienst naam/dienst.", EN: "Let a provider join: name is that of its files, metadata the text of its metadata. services are services of its own, with index (10 or more; it asks for them by it), name, level, and where needed establishments and identifiers. In POST /api/mandates such a service is called name/service."},
			`{"name": "acme", "metadata": "<EntityDescriptor ...>", "services": [{"index": 10, "name": "parking", "level": "loa3", "identifiers": [["kvk", "rsin"], ["kvk"]]}]}`, s.looking(s.addProvider)},
		{"POST", "/api/metadata/check", look.Text{NL: "Vertel regel voor regel wat er mis is met metadata.", EN: "Tell line by line what is wrong with metadata."}, `{"metadata": "<EntityDescriptor ...>"}`, s.checkMetadata},
		{"POST", "/api/reset", look.Text{NL: "Begin opnieuw: alle personen, bedrijven en machtigingen zoals bij het starten, en geen enkele inlog. Dienstverleners die meedoen blijven.", EN: "Begin again: all people, companies and mandates as at the start, and no log-ins. Providers that joined stay."}, `{}`, s.reset},
	}
}

// api lets programs in.
func (s *Sandbox) api(mux *http.ServeMux) {
	routes := s.apiRoutes()
	for _, r := range routes {
		mux.Handle(r.Pattern(), r.call)
	}
	mux.Handle("GET /api/{$}", step(func(w http.ResponseWriter, r *http.Request) error {
		show(w, r, http.StatusOK, "api.html", map[string]any{"Routes": routes, "Address": s.Address, "CA": s.CA})
		return nil
	}))
	mux.Handle("/api/", call(func(r *http.Request) (answer, error) {
		return answer{}, wrong(http.StatusNotFound, "GET /api/ lists what there is.", "there is no %s %.100s here", r.Method, r.URL.Path)
	}))
}
