package sandbox

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The registers, as programs call them.
const (
	first  = "first"
	second = "second"
)

// mandateView is a mandate as programs read and write it.
type mandateView struct {
	ID             string      `json:"id,omitempty"`    // register-number
	State          string      `json:"state,omitempty"` // told, never sent
	Kind           string      `json:"kind"`
	Register       string      `json:"register"`
	Company        string      `json:"company,omitempty"` // KvK number of who gives a direct or a chain
	Person         string      `json:"person,omitempty"`
	Intermediary   string      `json:"intermediary,omitempty"` // KvK number
	Client         string      `json:"client,omitempty"`       // id of the chain that an assignment passes on
	ConfirmedBy    string      `json:"confirmed_by,omitempty"` // the register that holds a chain, if it is the other one
	Services       []coverView `json:"services"`
	Establishments []string    `json:"establishments,omitempty"`
	From           *time.Time  `json:"from,omitempty"`
	Until          *time.Time  `json:"until,omitempty"`
}

type coverView struct {
	Service string `json:"service"` // name
	Level   string `json:"level"`
}

// registerCalled is first or second; "": first.
func (s *Sandbox) registerCalled(name string) (*harness.RegisterNode, error) {
	switch name {
	case first, "":
		return s.Network.First, nil
	case second:
		return s.Network.Second, nil
	}
	return nil, unfit("Send first or second.", "register: there is no %.50q", name)
}

func (s *Sandbox) nameOf(r etoegang.EntityID) string {
	switch r {
	case s.Network.First.Entity:
		return first
	case s.Network.Second.Entity:
		return second
	}
	return ""
}

func unfit(next, format string, args ...any) error {
	return wrong(http.StatusUnprocessableEntity, next, format, args...)
}

func (s *Sandbox) addMandate(r *http.Request) (answer, error) {
	in, err := read[mandateView](r)
	if err != nil {
		return answer{}, err
	}
	at, err := s.registerCalled(in.Register)
	if err != nil {
		return answer{}, err
	}
	if in.ID != "" || in.State != "" {
		return answer{}, unfit("Leave id and state out.", "the register gives a mandate its id and state")
	}
	m, err := s.mandate(in)
	if err != nil {
		return answer{}, err
	}
	id, err := at.Grant(m)
	if err != nil {
		return answer{}, unfit("Correct what the register says, or revoke the mandate that stands in the way.", "%v", err)
	}
	return s.showMandate(r.Context(), at, id)
}

// mandate reads what is sent.
func (s *Sandbox) mandate(in mandateView) (m mandate.Mandate, err error) {
	m.Kind = mandate.Kind(in.Kind)
	switch m.Kind {
	case mandate.Direct:
		err = errors.Join(s.put(&m.Grantor, "company", in.Company), s.putPerson(&m, in.Person), onlyFor(in.Intermediary+in.Client+in.ConfirmedBy, "intermediary, client and confirmed_by", "direct"))
	case mandate.Chain:
		err = errors.Join(s.put(&m.Grantor, "company", in.Company), s.put(&m.Intermediary, "intermediary", in.Intermediary), s.putConfirm(&m, in), onlyFor(in.Person+in.Client, "person and client", "chain"))
	case mandate.Assignment:
		err = errors.Join(s.put(&m.Grantor, "intermediary", in.Intermediary), s.putPerson(&m, in.Person), s.putClient(&m, in), onlyFor(in.Company+in.ConfirmedBy, "company and confirmed_by", "assignment"))
	default:
		err = unfit("Send direct, chain or assignment.", "kind: there is no %.50q", in.Kind)
	}
	if err != nil {
		return m, err
	}
	return m, errors.Join(s.putScope(&m, in.Services), putEstablishments(&m, in.Establishments), putValidity(&m, in))
}

func onlyFor(sent, fields, kind string) error {
	if sent != "" {
		return unfit("Leave them out.", "a %s has no %s", kind, fields)
	}
	return nil
}

func (s *Sandbox) put(o *mandate.Organisation, field, kvk string) error {
	found, there := s.company(kvk)
	if !there {
		return unfit("Add the company with POST /api/companies, or send a KvK number of GET /api/companies.", "%s: there is no company with number %.50q", field, kvk)
	}
	*o = found
	return nil
}

func (s *Sandbox) putPerson(m *mandate.Mandate, name string) error {
	p := s.person(name)
	if p == nil {
		return unfit("Add the person with POST /api/persons, or send a name of GET /api/persons.", "person: there is nobody called %.100q", name)
	}
	m.Person = p.person
	return nil
}

func (s *Sandbox) putConfirm(m *mandate.Mandate, in mandateView) error {
	if in.ConfirmedBy == "" {
		return nil
	}
	at, err := s.registerCalled(in.ConfirmedBy)
	if err != nil || in.ConfirmedBy == in.Register || in.Register == "" && in.ConfirmedBy == first {
		return unfit("Send the other register, or leave it out.", "confirmed_by: %.50q is not the other register", in.ConfirmedBy)
	}
	m.Register = at.Entity
	return nil
}

func (s *Sandbox) putClient(m *mandate.Mandate, in mandateView) error {
	at, id, err := s.mandateCalled(in.Client)
	own, _ := s.registerCalled(in.Register)
	if err != nil || at != own {
		return unfit("Send the id of a chain in the same register, as POST /api/mandates has told it.", "client: there is no chain %.50q there", in.Client)
	}
	m.Client = id
	return nil
}

func (s *Sandbox) putScope(m *mandate.Mandate, covers []coverView) error {
	for _, c := range covers {
		service, known := s.serviceCalled(c.Service)
		level, err := etoegang.ParseLevelName(c.Level)
		if !known || err != nil {
			return unfit("Send a service of "+strings.Join(s.serviceNames(), ", ")+" and a level loa2, loa2plus, loa3 or loa4.", "services: there is no %.50q at level %.50q", c.Service, c.Level)
		}
		m.Scope = append(m.Scope, harness.For(service, level)...)
	}
	if len(m.Scope) == 0 {
		return unfit("Send at least one service with its level.", "services: a mandate covers something")
	}
	return nil
}

func putEstablishments(m *mandate.Mandate, numbers []string) error {
	for _, text := range numbers {
		e, err := etoegang.ParseEstablishmentNumber(text)
		if err != nil {
			return unfit("Send establishment numbers of twelve digits.", "establishments: %v", err)
		}
		m.Establishments = append(m.Establishments, e)
	}
	return nil
}

func putValidity(m *mandate.Mandate, in mandateView) error {
	if in.From != nil {
		m.Validity.From = in.From.UTC().Truncate(time.Second)
	}
	if in.Until != nil {
		m.Validity.To = in.Until.UTC().Truncate(time.Second)
	}
	return nil
}

// mandateCalled finds out which mandate has that id. Whether it is there the register tells.
func (s *Sandbox) mandateCalled(id string) (*harness.RegisterNode, mandate.ID, error) {
	name, number, _ := strings.Cut(id, "-")
	at, err := s.registerCalled(name)
	n, wrong := strconv.ParseInt(number, 10, 64)
	if name == "" || err != nil || wrong != nil {
		return nil, 0, register.ErrNotFound
	}
	return at, mandate.ID(n), nil
}

func (s *Sandbox) showMandate(ctx context.Context, at *harness.RegisterNode, id mandate.ID) (answer, error) {
	var m mandate.Mandate
	err := at.Register().Read(ctx, func(v *register.Snapshot) (err error) {
		m, err = v.Mandate(id)
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return created(s.viewMandate(at, m))
}

func (s *Sandbox) viewMandate(at *harness.RegisterNode, m mandate.Mandate) mandateView {
	name := s.nameOf(at.Entity)
	from, until := m.Validity.From, m.Validity.To
	v := mandateView{
		ID: name + "-" + strconv.FormatInt(int64(m.ID), 10), State: string(m.State), Kind: string(m.Kind), Register: name,
		Person: m.Person.Name, ConfirmedBy: s.nameOf(m.Register), Services: []coverView{}, From: &from, Until: &until,
	}
	if m.Kind == mandate.Assignment {
		v.Intermediary, v.Client = m.Grantor.KvK.Text(), name+"-"+strconv.FormatInt(int64(m.Client), 10)
	} else {
		v.Company = m.Grantor.KvK.Text()
	}
	if m.Kind == mandate.Chain {
		v.Intermediary = m.Intermediary.KvK.Text()
	}
	for _, item := range m.Scope {
		v.Services = append(v.Services, coverView{s.serviceWith(item.Service), item.Level.String()})
	}
	for _, e := range m.Establishments {
		v.Establishments = append(v.Establishments, e.Text())
	}
	return v
}

func (s *Sandbox) revokeMandate(r *http.Request) (answer, error) {
	at, id, err := s.mandateCalled(r.PathValue("id"))
	if err == nil {
		err = at.Revoke(id)
	}
	var not *register.TransitionError
	switch {
	case errors.Is(err, register.ErrNotFound):
		return answer{}, wrong(http.StatusNotFound, "GET /api/mandates lists what there is.", "there is no mandate %.50q", r.PathValue("id"))
	case errors.As(err, &not):
		return answer{}, wrong(http.StatusConflict, "Nothing is left to do: it is over.", "%v", err)
	case err != nil:
		return answer{}, err
	}
	return gone()
}

func (s *Sandbox) listMandates(r *http.Request) (answer, error) {
	q := r.URL.Query()
	at, err := s.registerCalled(q.Get("register"))
	if err != nil {
		return answer{}, err
	}
	var after mandate.ID
	if text := q.Get("after"); text != "" {
		if _, after, err = s.mandateCalled(text); err != nil {
			return answer{}, unfit("Send the id of the last mandate that you have got.", "after: %.50q is no id", text)
		}
	}
	list := []mandateView{}
	err = at.Register().Read(r.Context(), func(v *register.Snapshot) error {
		filter, nobody, err := s.filter(v, q.Get("company"), q.Get("person"))
		if err != nil || nobody {
			return err
		}
		found, _, err := v.Mandates(filter, after, pageOf)
		for _, m := range found {
			list = append(list, s.viewMandate(at, m))
		}
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return ok(list)
}

// filter finds out whose mandates are wanted. nobody: the register does not know him.
func (s *Sandbox) filter(v *register.Snapshot, company, person string) (f register.Filter, nobody bool, err error) {
	if company != "" {
		var o mandate.Organisation
		if err := s.put(&o, "company", company); err != nil {
			return f, false, err
		}
		known, err := v.Organisation(o.KvK.LegalSubject())
		if err != nil || known == nil {
			return f, true, err
		}
		f.Organisation = known.ID
	}
	if person != "" {
		var m mandate.Mandate
		if err := s.putPerson(&m, person); err != nil {
			return f, false, err
		}
		known, err := v.Person(m.Person.Subject)
		if err != nil || known == nil {
			return f, true, err
		}
		f.Person = known.ID
	}
	return f, false, nil
}
