package sandbox

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// The first register lets people and programs manage mandates. Its pages are a provider of
// the network like others: whoever wants to go there logs in at the broker, and is appointed.

// managing is what people log in for there.
var managing = harness.Service{
	Name: "manage", Provider: "register pages", Level: etoegang.LoA3, Attributes: names[:1],
	Titles:         map[string]string{"nl": "Machtigingen beheren", "en": "Manage mandates"},
	ProviderTitles: map[string]string{"nl": "Machtigingenregister", "en": "Mandate register"},
}

// manager is somebody who is appointed, or whom somebody who is can assign.
type manager struct {
	name  string
	story look.Text
	role  mandate.Role // "": he manages nothing, and the company knows him by a mandate
	of    func(*world) mandate.Organisation
}

func ofBakery(w *world) mandate.Organisation  { return w.bakery }
func ofOffice(w *world) mandate.Organisation  { return w.office }
func ofBrewery(w *world) mandate.Organisation { return w.brewery }
func ofPlumber(w *world) mandate.Organisation { return w.plumber }

// ofClient is the first of the office's nine hundred clients.
func ofClient(*world) mandate.Organisation { return clientOf(0) }

// ofRegister is the company of the register's own people, for which they log in.
func ofRegister(*world) mandate.Organisation {
	return harness.Company(registerName, "99999990", "")
}

// registerName is what people call the first register.
const registerName = "Zandbakregister"

// managers are those people, in the order in which they come into play.
var managers = []manager{
	{"Petra Korst", look.Text{NL: "is beheerder van Bakkerij De Korenbloem. Ze legt machtigingen van de bakkerij vast en trekt ze in.", EN: "is an administrator of bakery De Korenbloem. She grants and revokes its mandates."}, mandate.Administrator, ofBakery},
	{"Quinten Vos", look.Text{NL: "is beheerder van administratiekantoor Telraam. Hij vraagt klanten om een machtiging en wijst medewerkers toe.", EN: "is an administrator of the accountants of Telraam. He asks clients for mandates and assigns employees."}, mandate.Administrator, ofOffice},
	{"Sanne Teller", look.Text{NL: "werkt bij Telraam. Ze mag vergunningen aanvragen voor het kantoor, en nog niets voor klanten.", EN: "works at Telraam. She may ask for permits for the office, and nothing for clients yet."}, "", ofOffice},
	{"Yara Telgen", look.Text{NL: "werkt ook bij Telraam en mag hetzelfde. Binnenkort vertrekt ze: dan stopt alles van haar in één keer.", EN: "works at Telraam, too, and may do the same. She leaves soon: then all that is hers ends at once."}, "", ofOffice},
	{"Victor Maan", look.Text{NL: "is een van de twee bestuurders van Brouwerij De Halve Maan. Hij kan alleen samen met Wendela machtigen.", EN: "is one of the two directors of brewery De Halve Maan. He grants mandates together with Wendela alone."}, mandate.Director, ofBrewery},
	{"Wendela Maan", look.Text{NL: "is de andere bestuurder. Wat Victor heeft getekend, wacht op haar handtekening, en andersom.", EN: "is the other director. What Victor has signed waits for her signature, and the other way round."}, mandate.Director, ofBrewery},
	{"Xander Aalders", look.Text{NL: "is beheerder van Aannemersbedrijf Aalders, een van de negenhonderd klanten van Telraam. Hij antwoordt als het kantoor om een machtiging vraagt.", EN: "is an administrator of Aannemersbedrijf Aalders, one of the nine hundred clients of Telraam. He answers when the office asks for a mandate."}, mandate.Administrator, ofClient},
	{"Tim Visser", look.Text{NL: "werkt bij het register. Hij legt vast wat op papier binnenkomt.", EN: "works at the register. He records what comes in on paper."}, mandate.Staff, ofRegister},
	{"Ursula Smit", look.Text{NL: "werkt ook bij het register. Zij keurt goed wat Tim vastlegt, of niet.", EN: "works at the register, too. She confirms what Tim records, or does not."}, mandate.Staff, ofRegister},
}

// programs are the ledgers of companies, and what people work with who act through software of
// their own, by the name of their certificates. None of these logs in at the pages: he would be
// two people to the register.
var programs = []struct {
	name string
	role mandate.Role
	of   func(*world) mandate.Organisation
}{
	{"bakery", mandate.Program, ofBakery}, {"office", mandate.Program, ofOffice}, {"client", mandate.Program, ofClient},
	{"director-1", mandate.Director, ofPlumber}, {"director-2", mandate.Director, ofPlumber},
	{"staff-1", mandate.Staff, ofRegister}, {"staff-2", mandate.Staff, ofRegister},
}

// Programs is the folder with the certificates and keys of programs that manage mandates.
func (s *Sandbox) Programs() string { return filepath.Join(s.folder, "network", "programs") }

// appoint lets everybody manage what he is to manage.
func (w *world) appoint() error {
	for _, m := range managers {
		p := &Person{Name: m.name, Story: m.story, Manages: true, person: w.n.NewPerson(m.name)}
		w.s.persons = append(w.s.persons, p)
		var err error
		if m.role == "" {
			_, err = w.n.First.Direct(m.of(w), p.person, harness.For(w.permit, etoegang.LoA3))
		} else {
			err = w.let(p.person, m)
		}
		if err != nil {
			return fmt.Errorf("appointing %s: %w", m.name, err)
		}
	}
	for _, p := range programs {
		if err := w.program(p.name, p.role, p.of(w)); err != nil {
			return fmt.Errorf("appointing %s: %w", p.name, err)
		}
	}
	return nil
}

// author appoints whoever comes first, as a keeper of a register does at the command line.
var author = register.Author{Who: "sandbox", Why: "first of all"}

// let appoints somebody, who has taken up his invitation.
func (w *world) let(p mandate.Person, m manager) error {
	ctx, at, service := context.Background(), desk.New(w.n.First.Register(), nil), w.n.Services[managing.Name]
	if _, err := w.n.First.Direct(m.of(w), p, harness.For(service, etoegang.LoA3)); err != nil {
		return err
	}
	made, err := at.AppointAtDesk(ctx, author, w.appointment(m.name, m.role, m.of(w)))
	if err != nil {
		return err
	}
	result, err := w.n.Broker.Authorize(ctx, harness.Question{Person: p, Service: service})
	if err != nil {
		return err
	}
	if result.Reply == nil || !result.Reply.Permitted() {
		return fmt.Errorf("the register does not let him in: %v %s", result.Reply, result.Fault)
	}
	pseudonym, err := result.Acting() // under which the pages get to know him
	if err != nil {
		return err
	}
	_, err = at.AcceptInvitation(ctx, desk.Visitor{Company: m.of(w).KvK, Issuer: w.n.First.Entity, Pseudonym: pseudonym, Level: etoegang.LoA3}, made.Invitation)
	return err
}

// programKeys makes the keys of programs, once: sandboxes of one process share them, since each
// takes its time and there are as many as people.
var programKeys = sync.OnceValues(func() (pairs []devkeys.Pair, err error) {
	for _, p := range programs {
		pair, err := devkeys.New(p.name, time.Now())
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
})

// makePrograms gives programs their keys. They stay when everything else begins again.
func (s *Sandbox) makePrograms() error {
	pairs, err := programKeys()
	s.programs = map[string]*x509.Certificate{}
	for i, pair := range pairs {
		if err == nil {
			err = pair.Write(s.Programs())
		}
		s.programs[programs[i].name] = pair.Certificate
	}
	return err
}

// program appoints software that shows its certificate, or who acts through it.
func (w *world) program(name string, role mandate.Role, of mandate.Organisation) error {
	shown, a := w.s.programs[name], w.appointment(name, role, of)
	a.Credentials = []register.Credential{{Fingerprint: sha256.Sum256(shown.Raw), Public: shown.RawSubjectPublicKeyInfo}}
	_, err := desk.New(w.n.First.Register(), nil).AppointAtDesk(context.Background(), author, a)
	return err
}

// appointment is one in a company, or in the register. Directors sign together.
func (w *world) appointment(name string, role mandate.Role, of mandate.Organisation) desk.Appointment {
	a := desk.Appointment{Company: of.KvK, Role: role, Name: name, Level: etoegang.LoA3, Validity: w.yearFromNow()}
	switch role {
	case mandate.Staff:
		a.Company = etoegang.KvKNumber{}
	case mandate.Director:
		a.Authority = mandate.Jointly
	}
	return a
}

// asPages is the first register as the provider that its pages are.
func (s *Sandbox) asPages() client {
	service := s.Network.Services[managing.Name]
	return client{
		Participant: service.Home.Participant(), register: true, title: service.Home.Title, service: "1", numbers: map[int]string{1: service.Name},
		services: map[string]harness.Service{service.Name: service}, wants: []saml.RequestedAttribute{{Name: etoegang.AttributeRepresentedName}},
	}
}

type managingView struct {
	Pages    string `json:"pages"`
	API      string `json:"api"`
	Programs string `json:"programs"` // a folder
}

func (s *Sandbox) showManaging(*http.Request) (answer, error) {
	return ok(managingView{s.Network.First.Pages, s.Network.First.API, s.Programs()})
}
