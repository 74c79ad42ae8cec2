package notices

import (
	"context"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

const (
	// dueAtOnce is how many notices are looked at for whom they concern, in one change.
	dueAtOnce = 20
	// mostNotices is how many notices one letter has at most.
	mostNotices = 1000
	// stale is when a notice is no news any more: nobody sent letters then, and nobody who
	// begins to wants to hear of years.
	stale = 7 * 24 * time.Hour
)

// write makes letters of notices that are due, for a few organisations, and tells whether
// there may be more of them.
func (p *Post) write(ctx context.Context) (more bool, err error) {
	now := p.Register.Now()
	due := func(s *register.Snapshot) (list []mandate.OrganisationID, err error) {
		return s.Due(now, now.Add(-p.Digest), dueAtOnce)
	}
	var list []mandate.OrganisationID
	if err := p.Register.Read(ctx, func(s *register.Snapshot) (err error) { list, err = due(s); return err }); err != nil || len(list) == 0 {
		return false, err
	}
	_, err = p.Register.Change(ctx, register.Author{Who: "register", Why: "letters about what was done"}, func(t *register.Tx) error {
		list, err := due(t.Snapshot()) // another node may have been here
		for _, o := range list {
			if err == nil {
				err = writeTo(t, o)
			}
		}
		return err
	})
	return true, err
}

// writeTo makes a letter to each reader of an organisation of what waits for it, due or not:
// who gets a letter anyhow, gets one.
func writeTo(t *register.Tx, o mandate.OrganisationID) error {
	waiting, err := t.Snapshot().Untold(o, mostNotices)
	if err != nil {
		return err
	}
	readers, err := readersOf(t.Snapshot(), o, t.Now())
	if err != nil {
		return err
	}
	var all []register.NoticeID
	for _, n := range waiting {
		all = append(all, n.ID)
	}
	for _, r := range readers {
		if list := r.news(waiting, t.Now()); len(list) > 0 {
			if _, err := t.WriteLetter(r.appointments[0], list); err != nil {
				return err
			}
		}
	}
	return t.EndNotices(all)
}

// reader is somebody who is written to: an address. Who has two appointments and one address
// gets one letter.
type reader struct {
	address      string
	appointments []mandate.AppointmentID
}

// news are those of the notices that he has not caused himself, and that are not stale.
func (r reader) news(waiting []register.Notice, now time.Time) (list []register.NoticeID) {
	for _, n := range waiting {
		if !slices.Contains(r.appointments, n.Author) && now.Sub(n.At) < stale {
			list = append(list, n.ID)
		}
	}
	return list
}

// readersOf gives those who are written to of what concerns an organisation.
func readersOf(s *register.Snapshot, o mandate.OrganisationID, now time.Time) (readers []reader, err error) {
	err = s.EveryAppointment(o, func(a mandate.Appointment) {
		if !a.ToldOf(now) {
			return
		}
		i := slices.IndexFunc(readers, func(r reader) bool { return r.address == a.Contact.Email })
		if i < 0 {
			i = len(readers)
			readers = append(readers, reader{address: a.Contact.Email})
		}
		readers[i].appointments = append(readers[i].appointments, a.ID)
	})
	return readers, err
}
