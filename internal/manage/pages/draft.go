package pages

import (
	"errors"
	"slices"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// The kinds of mandates that one can begin, as they stand in addresses.
const (
	toOffice = "chain"  // a company mandates an intermediary
	toPerson = "person" // or one of its own people
	askIt    = "ask"    // an intermediary asks a client
	askMany  = "many"   // or many of them, in a list
	assignIt = "assign" // or lets one of its people act for a client
	onPaper  = "paper"  // the register's staff record what was signed
)

// draft is a mandate that somebody is filling in. It is kept on the server, for him in the role
// that he has now, and means nothing until he confirms it.
type draft struct {
	Kind string `json:"k"`

	KvK  string `json:"n"` // of the other company; on paper: of the one that grants
	Name string `json:"m"` // as he knows it

	Office        string           `json:"o"` // on paper: KvK number of the intermediary; "": it is for a person
	Person        mandate.PersonID `json:"p"` // 0: a new one, who is
	Authenticator string           `json:"a"`
	Pseudonym     string           `json:"s"`
	PersonName    string           `json:"t"`

	Client  mandate.ID `json:"c"` // the client's chain mandate
	Follows mandate.ID `json:"f"` // the assignment whose place it takes, if it is for the same person

	Much     string    `json:"w"` // how much of what there is
	Services []string  `json:"v"`
	Sets     []int     `json:"b"` // of services, by their place among those of the register
	Provider string    `json:"r"`
	Level    string    `json:"l"`
	To       time.Time `json:"e"` // zero: not filled in yet
	Search   string    `json:"q"`

	Papers []mandate.Evidence `json:"d"`
	Lines  []listed           `json:"x"` // of a list of clients

	id string
}

// How much a mandate covers.
const (
	someServices = "services"
	allOfOne     = "provider"
	allThereIs   = "everything"
	asClient     = "client" // as much as the client has mandated
)

func (v *visit) placeOfDraft(id string) string { return "draft " + v.holder() + " " + id }

// draft is the one in the address. Those of others are not found.
func (v *visit) draft() (d draft, err error) {
	d.id = v.r.PathValue("draft")
	return d, v.keep.look(v.ctx(), v.placeOfDraft(d.id), &d)
}

func (v *visit) save(d draft) error {
	return v.keep.put(v.ctx(), v.placeOfDraft(d.id), d, v.session.Until)
}

// at is the address of a step.
func (d draft) at(step string) string { return "/drafts/" + d.id + "/" + step }

// toPeople tells whether it is somebody's people who receive the mandate.
func (d draft) toPeople() bool {
	return d.Kind == toPerson || d.Kind == assignIt || d.Kind == onPaper && d.Office == ""
}

// mandateKind is what becomes of it.
func (d draft) mandateKind() mandate.Kind {
	switch {
	case d.Kind == assignIt:
		return mandate.Assignment
	case d.toPeople():
		return mandate.Direct
	}
	return mandate.Chain
}

// scope is what it covers. chain is the client's mandate, of an assignment; sets are those that
// there are.
func (d draft) scope(chain mandate.Mandate, sets []mandate.ServiceSet) (s mandate.Scope, err error) {
	level, _ := etoegang.ParseLevelName(d.Level) // no level is told by the desk
	switch d.Much {
	case asClient:
		return chain.Scope, nil
	case allThereIs:
		return mandate.Scope{mandate.Everything(level)}, nil
	case allOfOne:
		oin, err := etoegang.ParseOIN(d.Provider)
		if err != nil {
			return nil, mandate.ErrEmptyScope
		}
		return mandate.Scope{{Provider: oin, Level: level}}, nil
	}
	for _, text := range d.Services {
		service, err := etoegang.ParseServiceUUID(text)
		if err != nil {
			return nil, mandate.ErrEmptyScope
		}
		s = append(s, mandate.Item{Service: service, Level: level})
	}
	s = withSets(s, d.chosenSets(sets), level)
	if len(s) == 0 {
		return nil, mandate.ErrEmptyScope
	}
	return s, nil
}

// ready is a draft with all that it refers to.
type ready struct {
	wish desk.Wish
	deal deal
}

// make is the wish that a draft has become, as of now.
func (v *visit) make(l *desk.Look, d draft) (made ready, err error) {
	var chain mandate.Mandate
	if d.Client != 0 {
		if chain, err = l.Mandate(d.Client); err != nil {
			return made, err
		}
	}
	w := desk.Wish{Kind: d.mandateKind(), Client: d.Client, Evidence: d.Papers, Validity: mandate.Validity{From: v.now.UTC().Truncate(time.Second), To: d.To}}
	if w.Scope, err = d.scope(chain, v.c.Desk.Terms().Sets); err != nil {
		return made, err
	}
	if err := v.wishParties(l, d, &w); err != nil {
		return made, err
	}
	made.wish = w
	made.deal = deal{kind: w.Kind, grantor: v.partyCalled(w.Grantor.Name, w.Grantor.KvK.Text()), scope: w.Scope, validity: w.Validity}
	if w.Kind == mandate.Chain {
		made.deal.to = v.partyCalled(w.Intermediary.Name, w.Intermediary.KvK.Text())
	} else if made.deal.to, err = v.personCalled(l, d, w.Person); err != nil {
		return made, err
	}
	if d.Client != 0 {
		made.deal.client = v.party(chain.Grantor)
	}
	if d.Follows != 0 {
		old, err := l.Mandate(d.Follows)
		if err != nil {
			return made, err
		}
		if old.Person.ID == d.Person {
			made.wish.Supersedes, made.deal.follows = old.ID, old.ID
		}
	}
	made.deal.cost, err = v.cost(l, made.deal.grantor, mandate.Mandate{Kind: w.Kind, Scope: w.Scope, Validity: w.Validity})
	return made, err
}

// wishParties says between whom it is.
func (v *visit) wishParties(l *desk.Look, d draft, w *desk.Wish) error {
	self, err := l.Organisation()
	if err != nil {
		return err
	}
	var own desk.Party
	if self != nil {
		own = desk.Party{KvK: self.KvK, Name: self.Name}
	}
	other := desk.Party{Name: d.Name}
	other.KvK, _ = etoegang.ParseKvKNumber(d.KvK) // none is told by the desk
	switch d.Kind {
	case askIt:
		w.Grantor, w.Intermediary = other, own
	case onPaper:
		w.Grantor = other
		w.Intermediary.KvK, _ = etoegang.ParseKvKNumber(d.Office)
	default:
		w.Grantor, w.Intermediary = own, other
	}
	if !d.toPeople() {
		return nil
	}
	w.Person = d.personWish()
	return nil
}

// personWish names the person of a draft.
func (d draft) personWish() desk.PersonWish {
	w := desk.PersonWish{ID: d.Person, Name: d.PersonName}
	if d.Person == 0 {
		w.Subject.Authenticator, _ = etoegang.ParseEntityID(d.Authenticator)
		w.Subject.Pseudonym, _ = etoegang.ParsePseudonym(d.Pseudonym)
	}
	return w
}

// personCalled is how the person of a draft is called. Whom the organisation knows is called as it
// knows him, however he is named this time: one person has one name.
func (v *visit) personCalled(l *desk.Look, d draft, w desk.PersonWish) (string, error) {
	if d.Kind != onPaper {
		people, err := v.people(l, d.Follows)
		if err != nil {
			return "", err
		}
		if i := slices.IndexFunc(people, func(p mandate.Person) bool { return p.ID == d.Person || p.Subject == w.Subject }); i >= 0 {
			return v.person(people[i]), nil
		}
		if d.Person != 0 {
			return "", desk.ErrPerson
		}
	}
	if d.PersonName == "" {
		return v.say.Say("person pseudonym", "pseudonym", d.Pseudonym[:min(8, len(d.Pseudonym))]), nil
	}
	return d.PersonName, nil
}

// errChanged: what was agreed to is not what would be recorded now.
var errChanged = errors.New("pages: what was shown has changed since")
