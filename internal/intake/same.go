package intake

import (
	"slices"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/mandate"
)

// same finds the mandate that a line asks for, if it is there already. One that was
// there and has ended is a refusal: importing an old file again must not bring back
// what was revoked.
func (d *desk) same(w wish, p parties) (mandate.ID, error) {
	if !p.allKnown() {
		return 0, nil
	}
	others, err := d.others(w, p)
	if err != nil {
		return 0, err
	}
	var ended *sheet.Problem
	for _, other := range others {
		switch {
		case !sameContent(w.mandate, other):
		case other.State.Ended():
			ended = refuse(from, "ended", with{inTheWay: other.ID, "state": sheet.Phrase(other.State)})
		case !other.State.Pending() && sameReference(w.mandate, other):
			return other.ID, nil
		}
	}
	if ended != nil {
		return 0, ended
	}
	return 0, nil
}

// others reads the mandates of the same kind between the same parties, for the same
// client.
func (d *desk) others(w wish, p parties) (list []mandate.Mandate, err error) {
	subject := w.mandate.Person.Subject
	switch w.mandate.Kind {
	case mandate.Chain:
		return d.chains(pair{p.grantor.KvK, p.intermediary.KvK})
	case mandate.Direct:
		held, err := d.view.HeldBy(subject, p.grantor.KvK.LegalSubject())
		return held.Direct, err
	}
	held, err := d.view.HeldBy(subject, w.client.LegalSubject())
	for _, a := range held.Assigned {
		if a.Assignment.Grantor.ID == p.grantor.ID {
			list = append(list, a.Assignment)
		}
	}
	return list, err
}

// sameContent tells whether two mandates between the same parties say the same.
func sameContent(a, b mandate.Mandate) bool {
	return a.Validity.From.Equal(b.Validity.From) && a.Validity.To.Equal(b.Validity.To) &&
		a.Register == b.Register && sameSet(a.Scope, b.Scope) && sameSet(a.Establishments, b.Establishments)
}

// sameReference tells whether what a line says of the reference is so. A line that
// says nothing agrees with everything.
func sameReference(line, registered mandate.Mandate) bool {
	return line.Reference == "" || line.Reference == registered.Reference
}

// sameSet compares lists without repeats.
func sameSet[T comparable](a, b []T) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(v T) bool { return !slices.Contains(b, v) })
}

// collision says what is in the way of a mandate, and in which column they differ.
func (d *desk) collision(m mandate.Mandate, id mandate.ID) error {
	other, err := d.view.Mandate(id)
	if err != nil {
		return err
	}
	args := with{inTheWay: id}
	switch {
	case !sameSet(m.Scope, other.Scope):
		return refuse(scope, "overlaps", args)
	case !m.Validity.From.Equal(other.Validity.From):
		return refuse(from, "starts-otherwise", args)
	case !m.Validity.To.Equal(other.Validity.To):
		return refuse(until, "ends-otherwise", args)
	case other.State.Pending():
		args["state"] = sheet.Phrase(other.State)
		return refuseLine("still-asked-for", args)
	}
	return refuse(reference, "other-reference", args)
}
