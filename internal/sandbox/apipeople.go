package sandbox

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// pageOf is how many of a list are told at a time.
const pageOf = 100

type personView struct {
	Name      string `json:"name"`
	Pseudonym string `json:"pseudonym"` // at the authentication service; made up
}

func (s *Sandbox) listPersons(*http.Request) (answer, error) {
	list := []personView{}
	for _, p := range s.persons {
		list = append(list, personView{p.Name, p.person.Subject.Pseudonym.Text()})
	}
	return ok(list)
}

// scenarioView is a story, and how to play it.
type scenarioView struct {
	Name    string    `json:"name"`
	Story   look.Text `json:"story"`
	Outcome look.Text `json:"outcome"`
	Login   attempt   `json:"login"` // for POST /api/logins
}

func (s *Sandbox) listScenarios(*http.Request) (answer, error) {
	list := []scenarioView{}
	for _, p := range s.persons {
		if p.Service != "" {
			list = append(list, scenarioView{p.Name, p.Story, p.Outcome, attempt{Provider: p.Service, Person: p.Name, Company: p.choice}})
		}
	}
	return ok(append(list, cancelled()...))
}

// cancelled are the stories of those who give up.
func cancelled() []scenarioView {
	outcome := look.Text{NL: "De dienstverlener krijgt Responder/AuthnFailed.", EN: "The provider gets Responder/AuthnFailed."}
	return []scenarioView{
		{"cancelled at the authentication service", look.Text{NL: "drukt bij de authenticatiedienst op Annuleren.", EN: "presses Cancel at the authentication service."}, outcome,
			attempt{Provider: "vat", Person: "Anna de Vries", Cancel: atAuthenticator}},
		{"cancelled at the register", look.Text{NL: "drukt bij het register op Annuleren.", EN: "presses Cancel at the register."}, outcome,
			attempt{Provider: "vat", Person: "Dirk Postma", Cancel: atRegister}},
	}
}

func (s *Sandbox) addPerson(r *http.Request) (answer, error) {
	in, err := read[struct {
		Name string `json:"name"`
	}](r)
	if err != nil {
		return answer{}, err
	}
	if err := soundName(in.Name); err != nil {
		return answer{}, err
	}
	if s.person(in.Name) != nil {
		return answer{}, wrong(http.StatusConflict, "Take another name, or use who is there.", "%s is there already", in.Name)
	}
	if len(s.persons) >= mostAdded {
		return answer{}, errFull()
	}
	p := &Person{Name: in.Name, person: s.Network.NewPerson(in.Name)}
	s.persons = append(s.persons, p)
	return created(personView{p.Name, p.person.Subject.Pseudonym.Text()})
}

// mostAdded is how many people or companies there may be.
const mostAdded = 10000

func errFull() error {
	return wrong(http.StatusInsufficientStorage, "Reset the sandbox with POST /api/reset.", "there are %d already", mostAdded)
}

// soundName tells whether people can be shown a name.
func soundName(name string) error {
	if name == "" || len(name) > 100 || strings.TrimSpace(name) != name || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return wrong(http.StatusUnprocessableEntity, "Send a name of 1 to 100 bytes without spaces around it.", "%.120q is no name", name)
	}
	return nil
}

type companyView struct {
	Name string `json:"name"`
	KvK  string `json:"kvk"`
	RSIN string `json:"rsin,omitempty"`
}

func viewCompany(o mandate.Organisation) companyView {
	v := companyView{Name: o.Name, KvK: o.KvK.Text()}
	if !o.RSIN.IsZero() {
		v.RSIN = o.RSIN.Text()
	}
	return v
}

func (s *Sandbox) listCompanies(r *http.Request) (answer, error) {
	list := []companyView{}
	after := r.URL.Query().Get("after")
	for _, o := range s.companies {
		if o.KvK.Text() > after && len(list) < pageOf {
			list = append(list, viewCompany(o))
		}
	}
	return ok(list)
}

func (s *Sandbox) addCompany(r *http.Request) (answer, error) {
	in, err := read[companyView](r)
	if err != nil {
		return answer{}, err
	}
	o := mandate.Organisation{Name: in.Name, Active: true}
	if err := soundName(in.Name); err != nil {
		return answer{}, err
	}
	if o.KvK, err = etoegang.ParseKvKNumber(in.KvK); err != nil {
		return answer{}, wrong(http.StatusUnprocessableEntity, "Send a KvK number of eight digits as a string.", "kvk: %v", err)
	}
	if in.RSIN != "" {
		if o.RSIN, err = etoegang.ParseRSIN(in.RSIN); err != nil {
			return answer{}, wrong(http.StatusUnprocessableEntity, "Send an RSIN of nine digits that passes the eleven test, or leave it out.", "rsin: %v", err)
		}
	}
	if _, there := s.company(in.KvK); there || slices.ContainsFunc(s.companies, func(c mandate.Organisation) bool { return in.RSIN != "" && !c.RSIN.IsZero() && c.RSIN == o.RSIN }) {
		return answer{}, wrong(http.StatusConflict, "Take other numbers, or use the company that is there.", "a company with these numbers is there already")
	}
	if len(s.companies) >= mostAdded {
		return answer{}, errFull()
	}
	s.keepCompany(o)
	return created(viewCompany(o))
}
