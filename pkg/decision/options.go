package decision

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// options turns the paths that hold into the choices that a person would recognise:
// one for each company, way of reaching it, and set of establishments. Within a
// choice overlapping mandates add up.
func options(all []found, r Request) []Option {
	groups := map[string][]found{}
	for _, f := range all {
		groups[f.path.key()] = append(groups[f.path.key()], f)
	}
	options := make([]Option, 0, len(groups))
	for _, group := range groups {
		options = append(options, combine(group, r))
	}
	slices.SortFunc(options, compareOptions)
	var kept []Option
	for _, o := range options {
		if !superfluous(o, options, r) {
			kept = append(kept, o)
		}
	}
	if r.Question == Recheck && len(kept) > 1 {
		kept = kept[:1] // any one that holds is enough
	}
	return kept
}

// key tells paths apart that a person would tell apart.
func (p path) key() string {
	var key strings.Builder
	part := func(s string) { key.WriteString(s); key.WriteByte(0) }
	part(p.grantor.KvK.Text())
	if p.through != nil {
		part(p.through.KvK.Text())
	}
	part(p.confirmAt.String())
	for _, e := range sortedEstablishments(p.establish) {
		part(e.Text())
	}
	return key.String()
}

// combine makes one option of paths that only differ in the mandates that carry them:
// for each service the best path, and the lowest level among those.
func combine(group []found, r Request) Option {
	slices.SortFunc(group, func(a, b found) int {
		return cmp.Or(
			cmp.Compare(a.target.String(), b.target.String()),
			-cmp.Compare(a.used, b.used),
			slices.Compare(a.path.ids(), b.path.ids()),
		)
	})
	best := slices.CompactFunc(group, func(a, b found) bool { return a.target == b.target })
	o := Option{
		Represented:    best[0].path.grantor,
		Intermediary:   best[0].path.through,
		Establishments: sortedEstablishments(best[0].path.establish),
		Identifiers:    best[0].identifiers,
		ConfirmAt:      best[0].path.confirmAt,
		Used:           best[0].used,
	}
	for _, f := range best {
		o.Services = append(o.Services, f.target)
		o.Used = min(o.Used, f.used)
		o.Mandates = appendNew(o.Mandates, f.path.ids())
		o.Unconfirmed = appendNew(o.Unconfirmed, f.path.unconfirmed())
	}
	if r.Certified != etoegang.NoLevel {
		o.Used = min(o.Used, r.Certified)
	}
	o.Effective = min(o.Used, r.Authentication)
	return o
}

// superfluous tells whether another option says the same and more, for the same services
// or more of them: a chain that this register completes makes one that another register
// must confirm needless; and once the asker has named the company, the whole company
// includes its establishments. When nobody has named it, establishments are choices of
// their own (GUC4.4).
func superfluous(o Option, all []Option, r Request) bool {
	return slices.ContainsFunc(all, func(other Option) bool {
		if other.Represented.ID != o.Represented.ID || !sameOrganisation(other.Intermediary, o.Intermediary) ||
			!containsAll(other.Services, o.Services) {
			return false
		}
		if other.heldHere(r) && !o.heldHere(r) {
			return true
		}
		return !r.Represented.IsZero() && len(other.Establishments) == 0 && len(o.Establishments) > 0
	})
}

// heldHere tells whether all links of the option stand in this register.
func (o Option) heldHere(r Request) bool {
	return o.ConfirmAt.IsZero() || o.ConfirmAt == r.ConfirmHere
}

func compareOptions(a, b Option) int {
	return cmp.Or(
		boolCompare(a.Intermediary != nil, b.Intermediary != nil),
		cmp.Compare(a.Represented.ID, b.Represented.ID),
		cmp.Compare(organisationID(a.Intermediary), organisationID(b.Intermediary)),
		cmp.Compare(len(a.Establishments), len(b.Establishments)),
		slices.CompareFunc(a.Establishments, b.Establishments, compareEstablishments),
		cmp.Compare(a.ConfirmAt.String(), b.ConfirmAt.String()),
	)
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func organisationID(o *mandate.Organisation) mandate.OrganisationID {
	if o == nil {
		return 0
	}
	return o.ID
}

func sameOrganisation(a, b *mandate.Organisation) bool {
	return organisationID(a) == organisationID(b)
}

func appendNew(ids, more []mandate.ID) []mandate.ID {
	for _, id := range more {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func sortedEstablishments(list []etoegang.EstablishmentNumber) []etoegang.EstablishmentNumber {
	return slices.SortedFunc(slices.Values(list), compareEstablishments)
}

func compareEstablishments(a, b etoegang.EstablishmentNumber) int {
	return cmp.Compare(a.Text(), b.Text())
}
