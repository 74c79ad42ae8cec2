package api

import (
	"fmt"
	"reflect"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

var problemType = reflect.TypeFor[Problem]()

// Company is an organisation as others know it.
type Company struct {
	KvKNumber string `json:"kvkNumber" doc:"its number in the trade register" pattern:"^[0-9]{8}$" example:"12345678"`
	Name      string `json:"name,omitempty" doc:"its name; counts only where the register does not know one yet" maxLength:"200"`
}

// Person is somebody who acts, as his authentication service knows him.
type Person struct {
	Number        int64  `json:"number,omitempty" doc:"the register's own number; names him instead of the rest" minimum:"1"`
	Authenticator string `json:"authenticator,omitempty" doc:"EntityID of the authentication service" maxLength:"200" example:"urn:etoegang:AD:00000003520354760000:entities:9003"`
	Pseudonym     string `json:"pseudonym,omitempty" doc:"what that calls him: 64 hexadecimal digits" maxLength:"64"`
	Name          string `json:"name,omitempty" doc:"for those who manage mandates" maxLength:"200"`
}

// Mandate is a mandate of the caller's organisation.
type Mandate struct {
	ID             int64     `json:"id" doc:"its number in this register"`
	Kind           string    `json:"kind" enum:"direct,chain,assignment" doc:"direct: company to person; chain: company to intermediary; assignment: intermediary to its person, for one client"`
	State          string    `json:"state" doc:"where it is in its life" example:"active"`
	Side           string    `json:"side" enum:"grantor,receiver,register" doc:"on which side your organisation is"`
	Grantor        Company   `json:"grantor" doc:"who gives it"`
	Intermediary   *Company  `json:"intermediary,omitempty" doc:"chain: who receives it"`
	Person         *Person   `json:"person,omitempty" doc:"direct and assignment: who receives it"`
	Client         int64     `json:"client,omitempty" doc:"assignment: the client's chain mandate that it passes on"`
	Register       string    `json:"register,omitempty" doc:"the other register that holds it and alone can confirm it"`
	Scope          []string  `json:"scope" doc:"what it covers: <ServiceUUID>@loa3, provider:<OIN>@loa3 or everything@loa3"`
	Establishments []string  `json:"establishments,omitempty" doc:"the branches it is limited to; none: the whole company"`
	From           time.Time `json:"from" doc:"from when on it can be used"`
	Until          time.Time `json:"until" doc:"the moment at which it is over"`
	Reference      string    `json:"reference,omitempty" doc:"the parties' own note"`
	Supersedes     int64     `json:"supersedes,omitempty" doc:"the mandate whose place it takes once it is in force"`
}

// viewed is a mandate as the caller sees it, whose organisation is o; 0: the register.
func viewed(m mandate.Mandate, o mandate.OrganisationID) Mandate {
	v := Mandate{ID: int64(m.ID), Kind: string(m.Kind), State: string(m.State), Side: string(mandate.ReceiverSide), Grantor: companyOf(m.Grantor),
		Client: int64(m.Client), Register: m.Register.String(), Scope: itemsOf(m.Scope), From: m.Validity.From, Until: m.Validity.To,
		Reference: m.Reference, Supersedes: int64(m.Supersedes)}
	switch o {
	case 0:
		v.Side = string(mandate.RegisterSide)
	case m.Grantor.ID:
		v.Side = string(mandate.GrantorSide)
	}
	if m.Kind == mandate.Chain {
		c := companyOf(m.Intermediary)
		v.Intermediary = &c
	} else {
		p := personOf(m.Person)
		v.Person = &p
	}
	for _, e := range m.Establishments {
		v.Establishments = append(v.Establishments, e.Text())
	}
	return v
}

func viewedAll(list []mandate.Mandate, o mandate.OrganisationID) []Mandate {
	all := make([]Mandate, 0, len(list))
	for _, m := range list {
		all = append(all, viewed(m, o))
	}
	return all
}

func companyOf(o mandate.Organisation) Company {
	return Company{KvKNumber: o.KvK.Text(), Name: o.Name}
}

func personOf(p mandate.Person) Person {
	return Person{Number: int64(p.ID), Authenticator: p.Subject.Authenticator.String(), Pseudonym: p.Subject.Pseudonym.Text(), Name: p.Name}
}

func itemsOf(s mandate.Scope) []string {
	items := make([]string, 0, len(s))
	for _, i := range s {
		items = append(items, i.String())
	}
	return items
}

// parse reads a text at a place of the request, and notes what is wrong with it. An empty one
// is the zero value.
func parse[T any](m *mistakes, place, text string, read func(string) (T, error)) (value T) {
	if text == "" {
		return value
	}
	value, err := read(text)
	if err != nil {
		*m = append(*m, Mistake{place, err.Error()})
	}
	return value
}

func parseAll[T any](m *mistakes, place string, texts []string, read func(string) (T, error)) (list []T) {
	for i, text := range texts {
		at := fmt.Sprintf("%s[%d]", place, i)
		if text == "" {
			*m = append(*m, Mistake{at, "it is empty"})
			continue
		}
		list = append(list, parse(m, at, text, read))
	}
	return list
}

// err is what was wrong, if anything was.
func (m mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return m
}

func (p *Person) wish(m *mistakes, place string) desk.PersonWish {
	return desk.PersonWish{ID: mandate.PersonID(p.Number), Name: p.Name, Subject: etoegang.ActingSubject{
		Authenticator: parse(m, place+".authenticator", p.Authenticator, etoegang.ParseEntityID),
		Pseudonym:     parse(m, place+".pseudonym", p.Pseudonym, etoegang.ParsePseudonym),
	}}
}

// named is a wish of which the person must be named.
func (p *Person) named(m *mistakes, place string) desk.PersonWish {
	if p.Number == 0 && (p.Authenticator == "" || p.Pseudonym == "") {
		*m = append(*m, Mistake{place, "name the person by number, or by authenticator and pseudonym"})
	}
	return p.wish(m, place)
}
