package sandbox

import (
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
)

// Person is somebody who can log in, and the story that he stands for. Nobody exists.
type Person struct {
	Name    string
	Service string    // at which provider the story plays: permit or vat; "": at none
	Story   look.Text // who he is and what he may do
	Manages bool      // it plays where mandates are managed
	Outcome look.Text // what happens when he logs in there at the level that is offered

	mandates func(*world) error
	person   mandate.Person
	choice   string // KvK number of the company that he chooses in his story; "": there is nothing to choose
	fault    string // what goes wrong in his story; "": nothing
}

// world is what the stories are made of.
type world struct {
	s      *Sandbox
	n      *harness.Network
	who    mandate.Person
	vat    harness.Service
	permit harness.Service
	chains map[string]mandate.ID // of the office's clients at the first register, by KvK number

	bakery, farm, florist           mandate.Organisation // companies
	office                          mandate.Organisation // an intermediary
	brewery                         mandate.Organisation // two directors sign for it
	plumber, dairy, cyclist, tailor mandate.Organisation // clients in other stories
}

// yearFromNow is how long mandates and appointments hold where a story does not say otherwise.
func (w *world) yearFromNow() mandate.Validity {
	from := w.n.Now().UTC().Truncate(time.Second)
	return mandate.Validity{From: from, To: mandate.AddYears(from, 1)}
}

// people are the stories, in the order in which one gets to know them.
func people() []*Person {
	return []*Person{
		{
			Name: "Anna de Vries", Service: "vat",
			Story:    look.Text{NL: "werkt bij Bakkerij De Korenbloem en mag daarvoor de btw-aangifte doen.", EN: "works at bakery De Korenbloem and may file its VAT return."},
			Outcome:  look.Text{NL: "Ze is ingelogd namens de bakkerij: KvK-nummer 12345678.", EN: "She is logged in for the bakery: KvK number 12345678."},
			mandates: func(w *world) error { return w.direct(w.bakery, w.vat, etoegang.LoA3) },
		},
		{
			Name: "Bilal Haddad", Service: "permit",
			Story:   look.Text{NL: "mag voor één vestiging van de bakkerij een vergunning aanvragen.", EN: "may ask for a permit for one establishment of the bakery."},
			Outcome: look.Text{NL: "Hij is ingelogd namens de bakkerij, alleen voor vestiging 000012345678.", EN: "He is logged in for the bakery, for establishment 000012345678 alone."},
			mandates: func(w *world) error {
				branch, err := etoegang.ParseEstablishmentNumber("000012345678")
				if err != nil {
					return err
				}
				return w.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: w.bakery, Person: w.who,
					Scope: harness.For(w.permit, etoegang.LoA2Plus), Establishments: []etoegang.EstablishmentNumber{branch}})
			},
		},
		{
			Name: "Carla Smit", Service: "vat",
			Story:    look.Text{NL: "werkt bij administratiekantoor Telraam en heeft één klant: Boerderij Zonzicht. Beide machtigingen staan in één register.", EN: "works at the accountants of Telraam and has one client: farm Zonzicht. Both mandates are in one register."},
			Outcome:  look.Text{NL: "Ze is ingelogd namens de boerderij (KvK-nummer 23456789), door het kantoor als intermediair (87654321).", EN: "She is logged in for the farm (KvK number 23456789), through the office as the intermediary (87654321)."},
			mandates: func(w *world) error { return w.client(w.farm, nil) },
		},
		{
			Name: "Dirk Postma", Service: "vat",
			Story:    look.Text{NL: "werkt bij hetzelfde kantoor en heeft negenhonderd klanten.", EN: "works at the same office and has nine hundred clients."},
			Outcome:  look.Text{NL: "Het register vraagt hem voor welke klant hij inlogt. Hij kan zoeken op naam of nummer.", EN: "The register asks him for which client he logs in. He can search by name or number."},
			mandates: (*world).nineHundred, choice: "40001000",
		},
		{
			Name: "Elif Yilmaz", Service: "vat",
			Story:    look.Text{NL: "werkt bij hetzelfde kantoor. Haar klant, Bloemisterij Tulp, heeft het kantoor in een ánder register gemachtigd.", EN: "works at the same office. Her client, florist Tulp, has mandated the office in another register."},
			Outcome:  look.Text{NL: "De makelaar vraagt ook dat tweede register. Daarna is ze ingelogd namens de bloemist (34567890), door het kantoor (87654321).", EN: "The broker also asks that second register. Then she is logged in for the florist (34567890), through the office (87654321)."},
			mandates: func(w *world) error { return w.across(w.florist) },
		},
		{
			Name: "Fatima Bakker", Service: "vat",
			Story:    look.Text{NL: "mag de aangifte van de boerderij doen, maar haar machtiging is van een te laag niveau (loa2plus).", EN: "may file the farm's return, but her mandate has too low a level (loa2plus)."},
			Outcome:  look.Text{NL: "Het register weigert: het niveau is te laag (assurance-too-low).", EN: "The register refuses: the level is too low (assurance-too-low)."},
			mandates: func(w *world) error { return w.direct(w.farm, w.vat, etoegang.LoA2Plus) },
		},
		{
			Name: "Gerrit Visser", Service: "vat",
			Story:    look.Text{NL: "mag voor de bakkerij alleen vergunningen aanvragen.", EN: "may ask for permits for the bakery, and nothing else."},
			Outcome:  look.Text{NL: "Het register weigert: de machtiging is niet voor deze dienst (service-not-covered).", EN: "The register refuses: the mandate is not for this service (service-not-covered)."},
			mandates: func(w *world) error { return w.direct(w.bakery, w.permit, etoegang.LoA3) },
		},
		{
			Name: "Hanna Mulder", Service: "vat",
			Story:   look.Text{NL: "mocht de aangifte van de bakkerij doen, tot gisteren.", EN: "could file the bakery's return, until yesterday."},
			Outcome: look.Text{NL: "Het register weigert: de machtiging is verlopen (expired).", EN: "The register refuses: the mandate has expired (expired)."},
			mandates: func(w *world) error {
				yesterday := w.n.Now().UTC().Truncate(time.Second).AddDate(0, 0, -1)
				return w.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: w.bakery, Person: w.who, Scope: harness.For(w.vat, etoegang.LoA3),
					Validity: mandate.Validity{From: yesterday.AddDate(-1, 0, 0), To: yesterday}})
			},
		},
	}
}

// populate registers everybody.
func (s *Sandbox) populate() error {
	s.persons, s.companies = append(people(), further()...), nil
	w := &world{
		s: s, n: s.Network, chains: map[string]mandate.ID{}, vat: s.Network.Services["vat"], permit: s.Network.Services["permit"],
		bakery:  harness.Company("Bakkerij De Korenbloem", "12345678", "123456782"),
		farm:    harness.Company("Boerderij Zonzicht", "23456789", ""),
		florist: harness.Company("Bloemisterij Tulp", "34567890", ""),
		office:  harness.Company("Administratiekantoor Telraam", "87654321", "249566758"),
		plumber: harness.Company("Loodgieter Van Dam", "45678901", ""),
		dairy:   harness.Company("Kaasmakerij De Wei", "56789012", ""),
		cyclist: harness.Company("Rijwielzaak Trap", "78901234", ""),
		tailor:  harness.Company("Atelier Draad", "67890123", ""),
		brewery: harness.Company("Brouwerij De Halve Maan", "89012345", ""),
	}
	for _, o := range []mandate.Organisation{w.bakery, w.farm, w.florist, w.office, w.plumber, w.dairy, w.cyclist, w.tailor, w.brewery} {
		s.keepCompany(o)
	}
	for _, p := range s.persons {
		p.person = s.Network.NewPerson(p.Name)
		w.who = p.person
		if err := p.mandates(w); err != nil {
			return fmt.Errorf("registering people and mandates: %s: %w", p.Name, err)
		}
	}
	return w.appoint()
}

func (w *world) direct(from mandate.Organisation, s harness.Service, level etoegang.AssuranceLevel) error {
	_, err := w.n.First.Direct(from, w.who, harness.For(s, level))
	return err
}

func (w *world) grant(m mandate.Mandate) error {
	_, err := w.n.First.Grant(m)
	return err
}

// client lets the person act for a client of the office, whose mandate the register of
// elsewhere holds; nil: the person's own.
func (w *world) client(from mandate.Organisation, elsewhere *harness.RegisterNode) (err error) {
	scope := harness.For(w.vat, etoegang.LoA3)
	chain, known := w.chains[from.KvK.Text()]
	switch {
	case known: // a client has mandated the office once, whoever acts for him there
	case elsewhere == nil:
		chain, err = w.n.First.Chain(from, w.office, scope)
	default:
		chain, err = w.n.First.ChainElsewhere(from, w.office, scope, elsewhere)
	}
	if err == nil {
		w.chains[from.KvK.Text()] = chain
		_, err = w.n.First.Assign(chain, w.office, w.who, scope)
	}
	return err
}
