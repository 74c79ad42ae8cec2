package register

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// NoticeID is a notice's number within one register.
type NoticeID int64

// Notice is something that an organisation, or the register's staff, is to be told. It is of
// a mandate, of an appointment or of a company.
type Notice struct {
	News mandate.News
	To   mandate.OrganisationID // 0: the register's staff

	Mandate     mandate.ID
	Appointment mandate.AppointmentID
	Company     mandate.OrganisationID

	Days   int                   // before something ends
	Author mandate.AppointmentID // who did it, and need not be told; 0: nobody of those who could be

	// Once says of what it tells, and whom: the same is not written twice.
	Once string

	// ID and At are the register's to fill in.
	ID NoticeID
	At time.Time
}

// ErrNotice: a notice of nothing, or of several things.
var ErrNotice = errors.New("a notice is of a mandate, of an appointment or of a company, and says what is told once")

// AddNotice writes down that somebody is to be told something, if he is not already: told
// says whether this did it.
func (t *Tx) AddNotice(n Notice) (told bool, err error) {
	of := 0
	for _, id := range []int64{int64(n.Mandate), int64(n.Appointment), int64(n.Company)} {
		if id != 0 {
			of++
		}
	}
	if of != 1 || n.Once == "" || !storable(n.Once) {
		return false, ErrNotice
	}
	if known, err := t.noticed(n); err != nil || known {
		return false, err
	}
	id, err := t.number("notice")
	if err != nil {
		return false, err
	}
	t.touchNotices()
	remember(t.view.memory, t.view.memory.written, n.Once, true)
	return true, t.insert(inNotice, id, t.view.revision, int64(forever), n.News, idOrNull(n.To), idOrNull(n.Mandate), idOrNull(n.Appointment), idOrNull(n.Company),
		n.Days, idOrNull(n.Author), t.now.UnixMilli(), n.Once)
}

// noticed is Noticed. Of a mandate that the change has made nobody was told before.
func (t *Tx) noticed(n Notice) (bool, error) {
	if _, own := t.view.memory.made[n.Mandate]; own {
		return t.view.memory.written[n.Once], nil
	}
	return t.view.Noticed(n.Once)
}

// Noticed tells whether it was written down that somebody is told this, see Notice.Once.
func (s *Snapshot) Noticed(once string) (bool, error) {
	var n int
	err := s.one([]any{&n}, `SELECT count(*) FROM notice WHERE once = ?1`, once)
	return n > 0, err
}

// touchNotices names nobody: what is told changes no decision.
func (t *Tx) touchNotices() { t.touched.add(t.view.register.hash("notices")) }

// EndNotices takes notices off the list of those that wait: they are in letters, or nobody
// wants one.
func (t *Tx) EndNotices(ids []NoticeID) error {
	t.touchNotices()
	for some := range slices.Chunk(ids, mostRows) {
		args := []any{t.view.revision}
		in := make([]string, len(some))
		for i, id := range some {
			args = append(args, id)
			in[i] = fmt.Sprintf("?%d", len(args))
		}
		if err := t.exec(`UPDATE notice SET until = ?1 WHERE `+isCurrent+` AND id IN (`+strings.Join(in, ", ")+`)`, args...); err != nil {
			return err
		}
	}
	return nil
}

// pressing are the kinds of notice that are told at once, as SQL.
var pressing = func() string {
	var list []string
	for _, n := range mandate.AllNews {
		if n.Pressing() {
			list = append(list, "'"+string(n)+"'")
		}
	}
	return strings.Join(list, ", ")
}()

var selectDue = `
	SELECT coalesce(organisation, 0) FROM notice
	WHERE until = 9223372036854775807 AND at <= ?1 AND (at <= ?2 OR kind IN (` + pressing + `)) ORDER BY at, id LIMIT ?3`

// Due gives organisations (0: the staff) for which notices wait now that it is time to tell:
// those that press and were written by now, the rest by an earlier moment. It looks at no
// more than limit notices, the oldest first.
func (s *Snapshot) Due(now, rest time.Time, limit int) (list []mandate.OrganisationID, err error) {
	seen := map[mandate.OrganisationID]bool{}
	var o mandate.OrganisationID
	err = s.each([]any{&o}, func() error {
		if !seen[o] {
			seen[o] = true
			list = append(list, o)
		}
		return nil
	}, selectDue, now.UnixMilli(), rest.UnixMilli(), limit)
	return list, err
}

const (
	ofNotice = `
	SELECT n.id, n.kind, coalesce(n.organisation, 0), coalesce(n.mandate, 0), coalesce(n.appointment, 0), coalesce(n.company, 0),
		n.days, coalesce(n.author, 0), n.at, n.once
	FROM `
	selectWaiting = ofNotice + `notice n
	WHERE n.until = 9223372036854775807 AND coalesce(n.organisation, 0) = ?1 ORDER BY n.id LIMIT ?2`
	selectInLetter = ofNotice + `letter_notice l JOIN notice n ON n.id = l.notice WHERE l.letter = ?1 ORDER BY n.id`
	selectTold     = ofNotice + `notice n WHERE n.mandate = ?1 ORDER BY n.id`
)

func (s *Snapshot) notices(query string, args ...any) (list []Notice, err error) {
	var n Notice
	var at int64
	err = s.each([]any{&n.ID, &n.News, &n.To, &n.Mandate, &n.Appointment, &n.Company, &n.Days, &n.Author, &at, &n.Once}, func() error {
		n.At = moment(at)
		list = append(list, n)
		return nil
	}, query, args...)
	return list, err
}

// Untold gives the notices that wait now for an organisation, or for the staff if it is 0,
// oldest first.
func (s *Snapshot) Untold(o mandate.OrganisationID, limit int) ([]Notice, error) {
	return s.notices(selectWaiting, o, limit)
}

// Told gives what anybody was or is to be told of a mandate, oldest first.
func (s *Snapshot) Told(id mandate.ID) ([]Notice, error) { return s.notices(selectTold, id) }

const selectWarned = `
	SELECT coalesce(min(n.days), 0), coalesce(min(n.at), 0) FROM notice n WHERE n.mandate = ?1 AND n.kind = ?2 AND n.at >= ?3`

// Warned tells what was told of a mandate before it ends, since a moment: the fewest days
// before, and when it was told first. 0: nothing was.
func (s *Snapshot) Warned(id mandate.ID, n mandate.News, since time.Time) (days int, first time.Time, err error) {
	var at int64
	if err = s.one([]any{&days, &at}, selectWarned, id, n, since.UnixMilli()); err == nil && at != 0 {
		first = moment(at)
	}
	return days, first, err
}
