package register

import (
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Last is where a page of mandates or appointments ended that are listed by the moment they
// end: the next one begins after it.
type Last struct {
	To time.Time
	ID int64
}

// What ends soon is found by the moment it ends, so that it costs what ends and not what
// there is. Whoever was told already is asked for mandate by mandate, never the other way
// round.
const (
	endingMandates = `
	SELECT m.id, m.valid_to FROM mandate m` + withState + `
	WHERE ` + known + ` AND (m.valid_to, m.id) > (?2, ?3) AND m.valid_to <= ?4 AND m.valid_from <= m.valid_to - ?5
	AND coalesce(v.state, '') IN ('active', 'suspended')
	AND coalesce((SELECT min(n.days) FROM notice n WHERE n.mandate = m.id AND n.kind = 'ending'), 999) > ?6` + notTheCanarys + `
	ORDER BY m.valid_to, m.id LIMIT ?7`
	endingAppointments = `
	SELECT a.id, a.valid_to FROM appointment a
	LEFT JOIN appointment_version v ON v.appointment = a.id AND v.since <= ?1 AND v.until > ?1
	WHERE (a.valid_to, a.id) > (?2, ?3) AND a.valid_to <= ?4 AND a.valid_from <= a.valid_to - ?5 AND coalesce(v.state, '') = 'appointed'
	AND coalesce((SELECT min(n.days) FROM notice n WHERE n.appointment = a.id AND n.kind = ?6), 999) > ?7
	ORDER BY a.valid_to, a.id LIMIT ?8`
	idle = `
	SELECT m.id, CASE WHEN m.valid_from > r.at THEN m.valid_from ELSE r.at END
	FROM mandate m` + withState + `
	LEFT JOIN revision r ON r.revision = v.since
	WHERE ` + known + ` AND m.id > ?2 AND m.id <= ?6 AND m.register IS NULL AND m.valid_to > ?3 AND m.valid_from <= ?4 AND r.at <= ?4
	AND coalesce(v.state, '') = 'active'` + notTheCanarys + ` ORDER BY m.id LIMIT ?5`
)

// Ending gives mandates in force, or suspended, that end after a place and up to a moment, by
// when they end, of which nobody was told yet so few days before. Those that were never to
// last for so many days are not among them. next is where the next page begins.
func (s *Snapshot) Ending(after Last, to time.Time, days, limit int) (list []mandate.ID, next Last, err error) {
	next = after
	err = s.ends(&next, func(id int64) { list = append(list, mandate.ID(id)) }, endingMandates,
		s.revision, after.To.UnixMilli(), after.ID, to.UnixMilli(), milliseconds(days), days, limit)
	return list, next, err
}

// EndingAppointments gives appointments that somebody has, as Ending does mandates, of which
// that news was not told yet.
func (s *Snapshot) EndingAppointments(n mandate.News, after Last, to time.Time, days, limit int) (list []mandate.AppointmentID, next Last, err error) {
	next = after
	err = s.ends(&next, func(id int64) { list = append(list, mandate.AppointmentID(id)) }, endingAppointments,
		s.revision, after.To.UnixMilli(), after.ID, to.UnixMilli(), milliseconds(days), n, days, limit)
	return list, next, err
}

func (s *Snapshot) ends(last *Last, add func(int64), query string, args ...any) error {
	var id, to int64
	return s.each([]any{&id, &to}, func() error {
		*last = Last{moment(to), id}
		add(id)
		return nil
	}, query, args...)
}

func milliseconds(days int) int64 { return int64(days) * (24 * time.Hour).Milliseconds() }

// Idle is a mandate in force, and since when it could be used.
type Idle struct {
	Mandate mandate.ID
	Since   time.Time
}

// longestLook is how many mandates one question looks at: in a young register hardly any is
// among those that are sought.
const longestLook = 20_000

// InForceSince gives mandates held here that can be used now and could be all the time since
// a moment, by number: at most limit of those after the given one. next is after which to go
// on, 0 at the end; a page may have none.
func (s *Snapshot) InForceSince(since, now time.Time, after mandate.ID, limit int) (list []Idle, next mandate.ID, err error) {
	var newest mandate.ID
	if err := s.one([]any{&newest}, `SELECT coalesce(max(id), 0) FROM mandate`); err != nil {
		return nil, 0, err
	}
	var one Idle
	var at int64
	err = s.each([]any{&one.Mandate, &at}, func() error {
		one.Since = moment(at)
		list = append(list, one)
		return nil
	}, idle, s.revision, after, now.UnixMilli(), since.UnixMilli(), limit, after+longestLook)
	if next = after + longestLook; len(list) == limit {
		next = list[limit-1].Mandate
	}
	if next >= newest {
		next = 0
	}
	return list, next, err
}
