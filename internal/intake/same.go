package intake

import (
	"slices"

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
	var ended *problem
	for _, other := range others {
		switch {
		case !sameContent(w.mandate, other):
		case other.State.Ended():
			ended = refuse(from, "this is mandate %d, which has ended (%s) and does not come back; to give it again, write another start", other.ID, other.State).inTheWay(other.ID)
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
	var p *problem
	switch {
	case !sameSet(m.Scope, other.Scope):
		p = refuse(scope, "mandate %d, between the same parties, has part of this scope already; leave out what it has, or have that mandate ended first", id)
	case !m.Validity.From.Equal(other.Validity.From):
		p = refuse(from, "mandate %d is the same but starts at another time; choose a time that does not overlap it, or have that mandate ended first", id)
	case !m.Validity.To.Equal(other.Validity.To):
		p = refuse(until, "mandate %d is the same but ends at another time; choose a time that does not overlap it, or have that mandate ended first", id)
	case other.State.Pending():
		p = refuseLine("This is mandate %d, which is still being asked for (%s): have it accepted, or withdrawn and import this line again", id, other.State)
	default:
		p = refuse(reference, "mandate %d is the same but has another reference; write that one, or leave this empty", id)
	}
	return p.inTheWay(id)
}
