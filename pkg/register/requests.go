package register

import (
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// ErrSuperseded: a mandate would take the place of one that has ended.
var ErrSuperseded = errors.New("the mandate whose place this would take has ended")

// writeRequest writes how a mandate is asked for.
func (t *Tx) writeRequest(m mandate.Mandate, asked *Asked) error {
	if asked == nil {
		return nil
	}
	return t.insert(inRequest, m.ID, asked.By, asked.Offer, asked.Expires.UnixMilli(), idOrNull(asked.HandsOver))
}

// Request gives a mandate as it is or was asked for, with those who agreed to it as it
// stands. ErrNotFound: none with this number, or it never was a request.
func (s *Snapshot) Request(id mandate.ID) (r mandate.Request, err error) {
	if r.Mandate, err = s.Mandate(id); err != nil {
		return r, err
	}
	var expires int64
	if err := s.one([]any{&r.AskedBy, &r.Offer, &expires, &r.HandsOver},
		`SELECT asked_by, offer, expires, coalesce(hands_over, 0) FROM request WHERE mandate = ?1`, id); err != nil {
		return r, fmt.Errorf("request %d: %w", id, err)
	}
	r.Expires = moment(expires)
	steps, err := s.Steps(id)
	for _, step := range steps {
		if step.Act == mandate.ActAsk || step.Act == mandate.ActAgree {
			r.Signed = append(r.Signed, mandate.Signature{By: step.Appointment, Side: step.Side})
		}
	}
	return r, err
}

// pending are the states in which a mandate is still being asked for (mandate.State.Pending), as
// the index over them in the schema has them.
const pending = `'draft', 'requested', 'awaiting-signatures', 'awaiting-acceptance'`

// expired selects the requests that still wait and have waited too long.
const expired = `
	SELECT r.mandate FROM mandate_version v JOIN request r ON r.mandate = v.mandate
	WHERE v.until = 9223372036854775807 AND v.state IN (` + pending + `)
	AND r.expires <= ?1 ORDER BY v.mandate LIMIT ?2`

// Expired gives requests that wait now and have waited too long at a moment, the first by
// number: at most limit.
func (s *Snapshot) Expired(at time.Time, limit int) (list []mandate.ID, err error) {
	var id mandate.ID
	err = s.each([]any{&id}, func() error { list = append(list, id); return nil }, expired, at.UnixMilli(), limit)
	return list, err
}

// Asking chooses requests. What is zero does not matter; what is set must all hold.
type Asking struct {
	By           mandate.Side
	Organisation mandate.OrganisationID // grantor or intermediary

	// With an appointment, of that organisation or else of the register's staff: only those whose
	// answer it can give; with Others those that wait for somebody else, also since it has signed.
	Appointment mandate.AppointmentID
	Others      bool
}

// waits selects the requests that wait, of which there are few at any moment, however many
// mandates a party has.
const waits = `
	SELECT v.mandate FROM mandate_version v JOIN request r ON r.mandate = v.mandate JOIN mandate m ON m.id = v.mandate
	WHERE v.until = 9223372036854775807 AND v.state IN (` + pending + `)
	AND v.mandate > ?1 AND (r.asked_by = ?2 OR ?2 = '') AND (m.grantor = ?3 OR m.intermediary = ?3 OR ?3 = 0)
	AND (?5 = 0 OR ((CASE
			WHEN v.state = 'awaiting-acceptance' THEN coalesce(m.intermediary, -1)
			WHEN r.asked_by = 'register' THEN 0
			ELSE m.grantor END) = ?3
		AND NOT EXISTS (SELECT 1 FROM step s WHERE s.mandate = v.mandate AND s.appointment = ?5 AND s.act IN ('ask', 'agree'))) <> ?6)
	ORDER BY v.mandate LIMIT ?4`

// Waiting gives the requests that wait now, by number: at most limit of those after the given
// one.
func (s *Snapshot) Waiting(a Asking, after mandate.ID, limit int) (list []mandate.ID, err error) {
	var id mandate.ID
	err = s.each([]any{&id}, func() error { list = append(list, id); return nil }, waits, after, a.By, a.Organisation, limit, a.Appointment, a.Others)
	return list, err
}
