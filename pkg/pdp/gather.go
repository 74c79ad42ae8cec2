package pdp

import (
	"errors"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// How much of what a person holds is read. Who may act for a hundred thousand companies has
// something to choose, and that shows at the first look.
const (
	firstLook  = 256 // mandates, by the numbers of the companies
	everything = 0
)

// compute decides on the facts of one snapshot, and notes what the decision rests on.
func (p *PDP) compute(s *register.Snapshot, r Request, look int) (*Finding, decision.Facts, error) {
	f := &Finding{Claim: freshness.Claim{Stamp: s.Stamp()}, Catalogue: s.CatalogueSequence()}
	facts, err := p.decide(s, r, f, look)
	if err != nil {
		return nil, facts, err
	}
	f.From, f.Until = f.Decision.Since, f.Decision.Until
	f.Parties = p.parties(r, facts)
	return f, facts, nil
}

// decide decides after the first look if that shows a choice. One company that fits may not
// be the only one, and none not the last word: then everything is looked at.
func (p *PDP) decide(s *register.Snapshot, r Request, f *Finding, look int) (decision.Facts, error) {
	facts, whole, err := p.gather(s, r, f, look)
	if err != nil {
		return facts, err
	}
	f.Decision = decision.Decide(facts, p.request(r))
	if !whole && f.Decision.Outcome != decision.Choose {
		return p.decide(s, r, f, everything)
	}
	f.More = !whole
	return facts, nil
}

// gather looks things up, and names those asked about for the record. whole tells that
// there is nothing more.
func (p *PDP) gather(s *register.Snapshot, r Request, f *Finding, look int) (facts decision.Facts, whole bool, err error) {
	if err := p.service(s, r, &facts); err != nil {
		return facts, true, err
	}
	if facts.Represented, err = company(s, r.Represented); err != nil {
		return facts, true, err
	}
	f.Represented = p.organisation(facts.Represented, first(r.Represented))
	if !r.Intermediary.IsZero() {
		known, err := s.Organisation(r.Intermediary.KvK.LegalSubject())
		if err != nil {
			return facts, true, err
		}
		f.Intermediary = p.organisation(known, r.Intermediary.KvK.LegalSubject())
	}
	whole, err = p.mandates(s, r, f, &facts, look)
	return facts, whole, err
}

func (p *PDP) service(s *register.Snapshot, r Request, facts *decision.Facts) error {
	if s.CatalogueSequence() == 0 {
		return errors.New("the register has no service catalogue yet")
	}
	c, err := p.c.Catalogues.Of(s)
	if err != nil {
		return err
	}
	if instance, ok := c.Find(r.ServiceID, r.ServiceUUID); ok {
		facts.Service = instance.Service()
	}
	return nil
}

// mandates looks up the mandates. A company that is named but unknown, or named by
// identifiers that do not belong together, has none.
func (p *PDP) mandates(s *register.Snapshot, r Request, f *Finding, facts *decision.Facts, look int) (whole bool, err error) {
	nobody := len(r.Represented) > 0 && facts.Represented == nil
	if r.Actor.IsZero() {
		if !nobody {
			facts.Chain, err = s.Between(first(r.Represented), r.Intermediary)
		}
		return true, err
	}
	held, whole := register.Held{}, true
	switch {
	case nobody:
		held.Person, err = s.Person(r.Actor)
	case look == everything || len(r.Represented) > 0:
		held, err = s.HeldBy(r.Actor, first(r.Represented))
	default:
		held, whole, err = s.HeldFirst(r.Actor, look)
	}
	if err == nil && p.c.OwnElsewhere && r.Chosen && !r.ConfirmAt.IsZero() {
		var own register.Held
		own, err = s.HeldBy(r.Actor, r.Intermediary.KvK.LegalSubject())
		held.Direct = append(held.Direct, own.Direct...)
	}
	take(facts, held)
	f.Actor = p.person(facts.Person, r.Actor)
	return whole, err
}

// take makes what a person holds facts.
func take(facts *decision.Facts, held register.Held) {
	facts.Person, facts.Direct = held.Person, held.Direct
	for _, assigned := range held.Assigned {
		facts.Assigned = append(facts.Assigned, decision.Assigned(assigned))
	}
}

// parties are all whose change may change the decision: those asked about, known or not,
// everybody who has a part in a mandate that was considered, and the catalogue.
func (p *PDP) parties(r Request, f decision.Facts) []register.Party {
	seen := map[register.Party]bool{}
	var list []register.Party
	add := func(party register.Party) {
		if !seen[party] {
			seen[party] = true
			list = append(list, party)
		}
	}
	organisation := func(o mandate.Organisation) {
		if !o.KvK.IsZero() {
			add(p.c.Register.SubjectParty(o.KvK.LegalSubject()))
		}
	}
	add(p.c.Register.CatalogueParty())
	if !r.Actor.IsZero() {
		add(p.c.Register.PersonParty(r.Actor))
	}
	for _, s := range r.Represented {
		add(p.c.Register.SubjectParty(s))
	}
	if !r.Intermediary.IsZero() {
		add(p.c.Register.SubjectParty(r.Intermediary.KvK.LegalSubject()))
	}
	if f.Represented != nil {
		organisation(*f.Represented)
	}
	for _, m := range f.Direct {
		organisation(m.Grantor)
	}
	for _, a := range f.Assigned {
		organisation(a.Assignment.Grantor)
		organisation(a.Chain.Grantor)
		organisation(a.Chain.Intermediary)
	}
	for _, m := range f.Chain {
		organisation(m.Grantor)
		organisation(m.Intermediary)
	}
	return list
}

// company finds the organisation that all identifiers name together; nil if nobody has
// them all.
func company(s *register.Snapshot, subjects []etoegang.LegalSubject) (*mandate.Organisation, error) {
	if len(subjects) == 0 {
		return nil, nil
	}
	o, err := s.Organisation(subjects[0])
	if err != nil || o == nil {
		return nil, err
	}
	for _, other := range subjects[1:] {
		if !o.Is(other) {
			return nil, nil
		}
	}
	return o, nil
}

func first(subjects []etoegang.LegalSubject) etoegang.LegalSubject {
	if len(subjects) == 0 {
		return etoegang.LegalSubject{}
	}
	return subjects[0]
}
