package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// atOnce is how many mandates are looked at in one go, and at most changed in one change.
const atOnce = 100

// Warn tells those concerned of mandates and appointments that end soon, each of mandate's
// EndingDays once, and the staff of companies that have nobody left to manage their mandates.
// It gives how many notices it wrote. Nodes may do it side by side: who comes second finds
// nothing.
func (d *Desk) Warn(ctx context.Context) (n int, err error) {
	for _, days := range slices.Backward(mandate.EndingDays) { // whoever is told of the last days is not told of more
		told, err := d.warnMandates(ctx, days)
		if n += told; err != nil {
			return n, err
		}
		if told, err = d.warnAppointments(ctx, days); err != nil {
			return n + told, err
		}
		n += told
	}
	told, err := d.warnUnmanaged(ctx)
	return n + told, err
}

// pages goes through pages of what ends after a moment. Of each it looks which concern
// anybody, and lets write tell them; where none does, there is no change.
func pages[ID any](ctx context.Context, d *Desk, from time.Time, why string,
	page func(*register.Snapshot, register.Last) ([]ID, register.Last, error),
	concerns func(*register.Snapshot, ID) (bool, error), write func(*register.Tx, ID) (int, error)) (n int, err error) {
	for after, more := (register.Last{To: from}), true; more; {
		var list []ID
		if err := d.register.Read(ctx, func(s *register.Snapshot) (err error) {
			all, next, err := page(s, after)
			after, more = next, len(all) == atOnce
			for _, id := range all {
				if err != nil {
					break
				}
				var does bool
				if does, err = concerns(s, id); does {
					list = append(list, id)
				}
			}
			return err
		}); err != nil {
			return n, err
		}
		if len(list) == 0 {
			continue
		}
		told := 0
		if _, err := d.register.Change(ctx, register.Author{Who: "register", Why: why}, func(t *register.Tx) error {
			told = 0
			for _, id := range list {
				some, err := write(t, id)
				if err != nil {
					return err
				}
				told += some
			}
			return nil
		}); err != nil {
			return n, err
		}
		n += told
	}
	return n, nil
}

func (d *Desk) warnMandates(ctx context.Context, days int) (int, error) {
	now := d.register.Now()
	return pages(ctx, d, now, "mandates that end soon",
		func(s *register.Snapshot, after register.Last) ([]mandate.ID, register.Last, error) {
			return s.Ending(after, now.AddDate(0, 0, days), days, atOnce)
		},
		func(s *register.Snapshot, id mandate.ID) (bool, error) {
			m, err := s.Mandate(id)
			return !m.State.Ended() && mandate.Warned(mandate.EndingDays, m.Validity, now) == days, err
		},
		func(t *register.Tx, id mandate.ID) (int, error) {
			m, err := t.Snapshot().Mandate(id)
			if err != nil || m.State.Ended() {
				return 0, err
			}
			return tellSides(t, m, register.Notice{News: mandate.NewsEnding, Days: days}, fmt.Sprint("ends in ", days))
		})
}

// tellSides tells the companies on both sides of a mandate the same.
func tellSides(t *register.Tx, m mandate.Mandate, n register.Notice, once string) (told int, err error) {
	sides := []mandate.Side{mandate.GrantorSide}
	if m.Kind == mandate.Chain {
		sides = append(sides, mandate.ReceiverSide)
	}
	for _, side := range sides {
		n.To, n.Mandate, n.Once = m.Side(side).ID, m.ID, fmt.Sprintf("mandate %d: %s, to %s", m.ID, once, side)
		added, err := t.AddNotice(n)
		if err != nil {
			return told, err
		}
		if added {
			told++
		}
	}
	return told, nil
}

func (d *Desk) warnAppointments(ctx context.Context, days int) (int, error) {
	now := d.register.Now()
	return pages(ctx, d, now, "appointments that end soon",
		func(s *register.Snapshot, after register.Last) ([]mandate.AppointmentID, register.Last, error) {
			return s.EndingAppointments(mandate.NewsAppointmentEnding, after, now.AddDate(0, 0, days), days, atOnce)
		},
		func(s *register.Snapshot, id mandate.AppointmentID) (bool, error) {
			a, err := s.Appointment(id)
			return mandate.Warned(mandate.EndingDays, a.Validity, now) == days, err
		},
		func(t *register.Tx, id mandate.AppointmentID) (int, error) {
			a, err := t.Snapshot().Appointment(id)
			if err != nil || a.State != mandate.Appointed {
				return 0, err
			}
			added, err := t.AddNotice(register.Notice{News: mandate.NewsAppointmentEnding, To: a.Organisation.ID, Appointment: id, Days: days,
				Once: fmt.Sprintf("appointment %d: ends in %d", id, days)})
			return count(added), err
		})
}

func count(added bool) int {
	if added {
		return 1
	}
	return 0
}

// longOver is for how long after the end of an appointment nobody else is looked for: he would
// have been missed by then.
const longOver = 30 * 24 * time.Hour

func (d *Desk) warnUnmanaged(ctx context.Context) (int, error) {
	now := d.register.Now()
	return pages(ctx, d, now.Add(-longOver), "appointments that have ended",
		func(s *register.Snapshot, after register.Last) ([]mandate.AppointmentID, register.Last, error) {
			return s.EndingAppointments(mandate.NewsUnmanaged, after, now, 0, atOnce)
		},
		func(s *register.Snapshot, id mandate.AppointmentID) (bool, error) {
			a, err := s.Appointment(id)
			if err != nil {
				return false, err
			}
			n, nobody, err := unmanaged(s, a, now)
			if err != nil || !nobody {
				return false, err
			}
			told, err := s.Noticed(n.Once)
			return !told, err
		},
		func(t *register.Tx, id mandate.AppointmentID) (int, error) {
			a, err := t.Snapshot().Appointment(id)
			if err != nil || a.State != mandate.Appointed {
				return 0, err
			}
			told, err := tellUnmanaged(t, a, 0)
			return count(told), err
		})
}

// Used is what is known of when mandates were last used: those that are not in Last were not
// used between Since and UpTo. About other times nothing is known.
type Used struct {
	Last        map[mandate.ID]time.Time
	Since, UpTo time.Time
}

// MostAsked is of how many mandates Lapse asks at a time when they were used.
const MostAsked = 1000

// mostBehind is how much of the last uses need not be known: a register that is busy is always
// a moment behind. Of what is not known nothing is judged.
const mostBehind = time.Hour

// ErrUsesBehind: nothing can be said of what is not used, since not all uses are known.
var ErrUsesBehind = errors.New("it is not known of every use of a mandate that it was: nothing ends for want of use until it is")

// Lapse ends mandates that nobody has used for so many months (scheme: 24), after those
// concerned were warned on each of mandate's UnusedDays, and for the fewest of those days at
// least. It gives how many were warned of and how many ended. used is asked about at most
// MostAsked mandates at a time.
func (d *Desk) Lapse(ctx context.Context, months int, used func(context.Context, []mandate.ID) (Used, error)) (warned, ended int, err error) {
	now := d.register.Now()
	first := now.AddDate(0, -months, mandate.UnusedDays[0]+5) // days more, since months differ: verdict knows the day
	for after, more := mandate.ID(0), true; more; {
		var list []register.Idle
		if err := d.register.Read(ctx, func(s *register.Snapshot) (err error) {
			list, after, err = s.InForceSince(first, now, after, MostAsked)
			return err
		}); err != nil {
			return warned, ended, err
		}
		if more = after != 0; len(list) == 0 {
			continue
		}
		idle, upTo, err := neglected(ctx, list, first, now, used)
		if err != nil {
			return warned, ended, err
		}
		for some := range slices.Chunk(idle, atOnce) {
			w, e, err := d.lapse(ctx, some, months, upTo)
			if warned, ended = warned+w, ended+e; err != nil {
				return warned, ended, err
			}
		}
	}
	return warned, ended, nil
}

// neglected gives the mandates that were not used since a moment, since when they were not,
// and up to when that is known. What was before records of use began is no time in which a
// mandate was not used.
func neglected(ctx context.Context, list []register.Idle, since, now time.Time, used func(context.Context, []mandate.ID) (Used, error)) (idle []register.Idle, upTo time.Time, err error) {
	ids := make([]mandate.ID, len(list))
	for i, one := range list {
		ids[i] = one.Mandate
	}
	u, err := used(ctx, ids)
	switch {
	case err != nil:
		return nil, now, fmt.Errorf("asking when mandates were used: %w", err)
	case u.Since.IsZero():
		return nil, now, nil
	case now.Sub(u.UpTo) > mostBehind:
		return nil, now, ErrUsesBehind
	case u.UpTo.Before(now):
		now = u.UpTo
	}
	for _, one := range list {
		for _, at := range []time.Time{u.Since, u.Last[one.Mandate]} {
			if at.After(one.Since) {
				one.Since = at
			}
		}
		if !one.Since.After(since) {
			idle = append(idle, one)
		}
	}
	return idle, now, nil
}

// lapse warns of mandates that are not used, and ends those whose time has come.
func (d *Desk) lapse(ctx context.Context, idle []register.Idle, months int, now time.Time) (warned, ended int, err error) {
	var due []register.Idle
	if err := d.register.Read(ctx, func(s *register.Snapshot) error {
		for _, one := range idle {
			if days, ends, err := verdict(s, one, months, now); err != nil {
				return err
			} else if days > 0 || ends {
				due = append(due, one)
			}
		}
		return nil
	}); err != nil || len(due) == 0 {
		return 0, 0, err
	}
	author := register.Author{Who: "register", Why: fmt.Sprintf("not used for %d months", months)}
	_, err = d.register.Change(ctx, author, func(t *register.Tx) error {
		warned, ended = 0, 0
		for _, one := range due {
			days, ends, err := verdict(t.Snapshot(), one, months, now)
			switch {
			case err != nil:
				return err
			case ends:
				ended++
				err = endByRule(t, one.Mandate, mandate.LapsedUnused, mandate.ActLapse)
			case days > 0:
				warned++
				err = unused(t, one, days)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return warned, ended, err
}

// verdict tells what the time has come for: to warn, so many days before it ends, or to end
// it. Nothing ends of which nobody was warned long enough ago.
func verdict(s *register.Snapshot, one register.Idle, months int, now time.Time) (days int, ends bool, err error) {
	m, err := s.Mandate(one.Mandate)
	if err != nil || m.State != mandate.Active {
		return 0, false, err
	}
	told, first, err := s.Warned(m.ID, mandate.NewsUnused, one.Since)
	if err != nil {
		return 0, false, err
	}
	fewest := mandate.UnusedDays[len(mandate.UnusedDays)-1]
	end := mandate.InAmsterdam(one.Since).AddDate(0, months, 0).UTC()
	switch {
	case now.Before(end):
		days = mandate.Warned(mandate.UnusedDays, mandate.Validity{From: one.Since, To: end}, now)
	case told == 0:
		days = fewest
	default:
		return 0, !now.Before(first.AddDate(0, 0, fewest)), nil
	}
	if told != 0 && told <= days {
		days = 0
	}
	return days, false, nil
}

func unused(t *register.Tx, one register.Idle, days int) error {
	m, err := t.Snapshot().Mandate(one.Mandate)
	if err != nil {
		return err
	}
	_, err = tellSides(t, m, register.Notice{News: mandate.NewsUnused, Days: days},
		fmt.Sprintf("not used since %d, ends in %d", one.Since.UnixMilli(), days))
	return err
}
