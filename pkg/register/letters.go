package register

import (
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// LetterID is a letter's number within one register.
type LetterID int64

// LetterState is what became of a letter.
type LetterState string

// The states of a letter. The last three are ends.
const (
	LetterWaiting LetterState = "waiting"  // to be delivered when it is due
	LetterTaken   LetterState = "taken"    // somebody delivers it; when it is due, he has had his time
	LetterSent    LetterState = "sent"     // our mail server has it
	LetterRefused LetterState = "refused"  // its address is not one
	LetterGivenUp LetterState = "given-up" // it was tried for long enough, or nobody is there to get it
)

// Letter is a letter to the holder of an appointment. What it says is what was known at the
// revision in which it was made.
type Letter struct {
	ID          LetterID
	Made        Revision
	At          time.Time // when it was made
	Appointment mandate.AppointmentID

	State LetterState
	Tries int
	Due   time.Time
}

// WriteLetter makes a letter with notices in it, which waits to be delivered.
func (t *Tx) WriteLetter(to mandate.AppointmentID, notices []NoticeID) (Letter, error) {
	id, err := t.number("letter")
	if err != nil {
		return Letter{}, err
	}
	t.touchNotices()
	l := Letter{ID: LetterID(id), Made: t.view.revision, At: t.now, Appointment: to, State: LetterWaiting, Due: t.now}
	if err := t.exec(`INSERT INTO letter (id, since, appointment) VALUES (?1, ?2, ?3)`, l.ID, l.Made, to); err != nil {
		return l, err
	}
	rows := make([][]any, 0, len(notices))
	for _, n := range notices {
		rows = append(rows, []any{l.ID, n, to})
	}
	if err := t.fill(`INSERT INTO letter_notice (letter, notice, appointment) VALUES `, rows); err != nil {
		return l, err
	}
	return l, t.writeLetterState(l)
}

// SetLetter writes down what became of a letter: its state, tries and when it is due.
func (t *Tx) SetLetter(l Letter) error {
	t.touchNotices()
	if err := t.exec(`UPDATE letter_version SET until = ?1 WHERE letter = ?2 AND `+isCurrent,
		t.view.revision, l.ID); err != nil {
		return err
	}
	return t.writeLetterState(l)
}

func (t *Tx) writeLetterState(l Letter) error {
	return t.exec(`
		INSERT INTO letter_version (letter, version, since, until, state, tries, due)
		SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM letter_version WHERE letter = ?1`,
		l.ID, t.view.revision, int64(forever), l.State, l.Tries, l.Due.UnixMilli())
}

const (
	ofLetter = `
	SELECT l.id, l.since, r.at, l.appointment, v.state, v.tries, v.due
	FROM letter_version v JOIN letter l ON l.id = v.letter JOIN revision r ON r.revision = l.since
	WHERE v.until = 9223372036854775807 AND `
	selectOpen   = ofLetter + `v.state IN ('waiting', 'taken') AND v.due <= ?1 ORDER BY v.due, v.letter LIMIT ?2`
	selectLetter = ofLetter + `v.letter = ?1`
)

func (s *Snapshot) letters(query string, args ...any) (list []Letter, err error) {
	var l Letter
	var at, due int64
	err = s.each([]any{&l.ID, &l.Made, &at, &l.Appointment, &l.State, &l.Tries, &due}, func() error {
		l.At, l.Due = moment(at), moment(due)
		list = append(list, l)
		return nil
	}, query, args...)
	return list, err
}

// OpenLetters gives letters that are to be delivered now, by the moment they are due: those
// that nobody has taken, or whose taker has had his time.
func (s *Snapshot) OpenLetters(due time.Time, limit int) ([]Letter, error) {
	return s.letters(selectOpen, due.UnixMilli(), limit)
}

// Letter gives a letter as it is now. ErrNotFound: none with this number.
func (s *Snapshot) Letter(id LetterID) (Letter, error) {
	list, err := s.letters(selectLetter, id)
	switch {
	case err != nil:
		return Letter{}, err
	case len(list) == 0:
		return Letter{}, fmt.Errorf("letter %d: %w", id, ErrNotFound)
	}
	return list[0], nil
}

// NoticesIn gives the notices in a letter, oldest first.
func (s *Snapshot) NoticesIn(id LetterID) ([]Notice, error) { return s.notices(selectInLetter, id) }

const backlog = `
	SELECT count(*), coalesce(min(r.at), 0)
	FROM letter_version v JOIN letter l ON l.id = v.letter JOIN revision r ON r.revision = l.since
	WHERE v.until = 9223372036854775807 AND v.state IN ('waiting', 'taken')`

// Backlog tells how many letters are not delivered yet, and when the oldest of them was made;
// the zero time if there are none.
func (s *Snapshot) Backlog() (letters int, oldest time.Time, err error) {
	var at int64
	if err = s.one([]any{&letters, &at}, backlog); err == nil && at != 0 {
		oldest = moment(at)
	}
	return letters, oldest, err
}
