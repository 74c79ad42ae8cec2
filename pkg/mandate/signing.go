package mandate

import (
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
)

// LegalForm is what kind of organisation it is, as far as it matters for who signs.
type LegalForm string

// The legal forms that are told apart.
const (
	FormUnknown        LegalForm = ""
	SoleProprietorship LegalForm = "sole-proprietorship" // eenmanszaak: the owner is the company
	Partnership        LegalForm = "partnership"         // vof, cv, maatschap
	LegalPerson        LegalForm = "legal-person"        // bv, nv, stichting, vereniging
	PublicBody         LegalForm = "public-body"         // signs by mandaatbesluit
)

// Known tells whether f is one of the forms.
func (f LegalForm) Known() bool {
	switch f {
	case FormUnknown, SoleProprietorship, Partnership, LegalPerson, PublicBody:
		return true
	}
	return false
}

// Standing is how a company stands in the trade register. Whatever is not normal is looked
// at by people and ends nothing by itself: a company that is wound up still files taxes.
type Standing string

// How a company can stand.
const (
	Normal       Standing = ""
	Moratorium   Standing = "moratorium"   // surseance van betaling
	Bankrupt     Standing = "bankrupt"     // its directors no longer bind it, its receiver does
	Dissolved    Standing = "dissolved"    // being wound up
	Deregistered Standing = "deregistered" // it has left the trade register
)

// Known tells whether s is one of the standings.
func (s Standing) Known() bool {
	switch s {
	case Normal, Moratorium, Bankrupt, Dissolved, Deregistered:
		return true
	}
	return false
}

// Entry is what the trade register says of a company, as far as it matters here.
type Entry struct {
	Form     LegalForm
	Standing Standing
}

// Company is a grantor when somebody signs for it: its entry, and its directors whose
// appointments hold.
type Company struct {
	Entry
	Directors []Appointment
}

// Signers are who must sign for a company: any one of the alternatives is enough.
type Signers []Quorum

// Quorum is so many of some directors.
type Quorum struct {
	Needed int
	Among  []AppointmentID
}

// Signers gives who must sign a mandate at a level (suppliers' practice, which agrees: for
// loa2 and loa2plus one who binds the company alone, or any two; for loa3 one who binds it
// alone, or more than half of all). The owner of a sole proprietorship signs alone. Nobody
// signs for loa4 by himself: that is done in person, on paper.
func (c Company) Signers(level etoegang.AssuranceLevel) (list Signers) {
	if level >= etoegang.LoA4 {
		return nil
	}
	var all, alone []AppointmentID
	for _, d := range c.Directors {
		all = append(all, d.ID)
		if d.Authority == Alone || c.Form == SoleProprietorship {
			alone = append(alone, d.ID)
		}
	}
	if len(alone) > 0 {
		list = append(list, Quorum{1, alone})
	}
	several := 2
	if level >= etoegang.LoA3 {
		several = max(2, len(all)/2+1)
	}
	if len(all) >= several {
		list = append(list, Quorum{several, all})
	}
	return list
}

// Met tells whether these have signed enough.
func (s Signers) Met(signed []AppointmentID) bool {
	return slices.ContainsFunc(s, func(q Quorum) bool { return q.lacks(signed) == 0 })
}

func (q Quorum) lacks(signed []AppointmentID) int {
	have := 0
	for _, id := range q.Among {
		if slices.Contains(signed, id) {
			have++
		}
	}
	return max(0, q.Needed-have)
}
