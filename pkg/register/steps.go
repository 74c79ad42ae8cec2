package register

import (
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Step is one act, with who did it, in whose name, and on what it rests. Revision, At and
// Author are the register's to fill in.
type Step struct {
	Act         mandate.Act
	Side        mandate.Side
	Appointment mandate.AppointmentID // 0: the register's own command line, or time
	Consent     Consent               // the text that was agreed to; zero: none
	Catalogue   int64                 // the edition by which it was read; 0: none
	Evidence    []mandate.Evidence

	Revision Revision
	At       time.Time
	Author   Author
}

// Consent is a text as it was shown to whoever agreed to it, in Dutch (nl) or English (en).
type Consent struct{ Language, Text string }

// ErrConsent: a text that nobody can have agreed to.
var ErrConsent = errors.New("the text that somebody agrees to is in nl or en, has at most 16 KiB, and is kept as it was shown")

// mostConsent is how many bytes a text may have.
const mostConsent = 16 << 10

// AddStep writes down who did something to a mandate. It changes nothing about the mandate.
func (t *Tx) AddStep(id mandate.ID, s Step) error {
	if err := t.checkPapers(s.Evidence); err != nil {
		return err
	}
	if err := s.Consent.check(); err != nil {
		return err
	}
	m, number, err := t.nextStep(id)
	if err != nil {
		return err
	}
	consent, err := t.putConsent(s.Consent)
	if err != nil {
		return err
	}
	if err := t.insert(inStep, id, number, t.view.revision, s.Act, s.Side, idOrNull(s.Appointment), consent, idOrNull(s.Catalogue)); err != nil {
		return err
	}
	t.touched.add(t.view.register.OrganisationParty(m.grantor)) // also what leaves the state as it was is news for the parties
	if !m.intermediary.IsZero() {
		t.touched.add(t.view.register.OrganisationParty(m.intermediary))
	}
	return t.writeEvidence(`INSERT INTO evidence (number, kind, sha256, dated, place, mandate, step) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
		s.Evidence, id, number)
}

// checkPapers tells whether evidence can be written down.
func (t *Tx) checkPapers(list []mandate.Evidence) error {
	for _, e := range list {
		if !storable(e.Where) {
			return ErrText
		}
	}
	return mandate.CheckPapers(list, t.now)
}

// nextStep gives the number of the next step about a mandate, with whom that is news for.
func (t *Tx) nextStep(id mandate.ID) (m made, number int64, err error) {
	if m, own := t.view.memory.made[id]; own {
		m.steps++
		remember(t.view.memory, t.view.memory.made, id, m)
		return m, m.steps, nil
	}
	of, err := t.view.Mandate(id)
	if err != nil {
		return m, 0, err
	}
	err = t.view.one([]any{&number}, `SELECT coalesce(max(number), 0) + 1 FROM step WHERE mandate = ?1`, id)
	return made{grantor: of.Grantor.KvK, intermediary: of.Intermediary.KvK}, number, err
}

// check tells whether somebody can have agreed to a text, if there is one.
func (c Consent) check() error {
	if c != (Consent{}) && (c.Language != "nl" && c.Language != "en" || c.Text == "" || len(c.Text) > mostConsent || !storable(c.Text)) {
		return ErrConsent
	}
	return nil
}

// putConsent keeps a text, once.
func (t *Tx) putConsent(c Consent) (any, error) {
	if c == (Consent{}) {
		return nil, nil
	}
	sum := sha256.Sum256([]byte(c.Language + "\n" + c.Text))
	if t.view.memory.agreed[sum] {
		return sum[:], nil
	}
	remember(t.view.memory, t.view.memory.agreed, sum, true)
	return sum[:], t.exec(`
		INSERT INTO consent (sha256, language, text) SELECT ?1, ?2, ?3
		WHERE NOT EXISTS (SELECT 1 FROM consent WHERE sha256 = ?1)`, sum[:], c.Language, c.Text)
}

// writeEvidence writes papers, numbered, and of what they are.
func (t *Tx) writeEvidence(insert string, list []mandate.Evidence, of ...any) error {
	for i, e := range list {
		var sum any
		if e.SHA256 != [32]byte{} {
			sum = e.SHA256[:]
		}
		if err := t.exec(insert, append([]any{i + 1, e.Kind, sum, e.Dated.UnixMilli(), e.Where}, of...)...); err != nil {
			return err
		}
	}
	return nil
}

const selectSteps = `
		SELECT s.number, s.act, s.side, coalesce(s.appointment, 0), coalesce(s.catalogue, 0), coalesce(c.language, ''), coalesce(c.text, ''),
			r.revision, r.at, r.who, r.why
		FROM step s JOIN revision r ON r.revision = s.since LEFT JOIN consent c ON c.sha256 = s.consent
		WHERE s.mandate = ?2 AND s.since <= ?1 ORDER BY s.number`

// Steps gives what was done to a mandate up to the snapshot, oldest first. Mandates that
// were imported have none from then.
func (s *Snapshot) Steps(id mandate.ID) (list []Step, err error) {
	var step Step
	var number, at int64
	err = s.each([]any{&number, &step.Act, &step.Side, &step.Appointment, &step.Catalogue, &step.Consent.Language, &step.Consent.Text,
		&step.Revision, &at, &step.Author.Who, &step.Author.Why}, func() error {
		step.At = moment(at)
		list = append(list, step)
		return nil
	}, selectSteps, s.revision, id)
	for i := range list {
		if err == nil {
			list[i].Evidence, err = s.evidence(`evidence WHERE mandate = ?1 AND step = ?2`, id, i+1)
		}
	}
	return list, err
}

func (s *Snapshot) evidence(of string, args ...any) (list []mandate.Evidence, err error) {
	var e mandate.Evidence
	var sum []byte
	var dated int64
	err = s.each([]any{&e.Kind, &sum, &dated, &e.Where}, func() error {
		e.SHA256, e.Dated = [32]byte{}, moment(dated)
		copy(e.SHA256[:], sum)
		list = append(list, e)
		return nil
	}, `SELECT kind, sha256, dated, place FROM `+of+` ORDER BY number`, args...)
	return list, err
}

// SuspendedBy is the side that suspended a mandate last: the register's, if nobody else did.
func (s *Snapshot) SuspendedBy(id mandate.ID) (mandate.Side, error) {
	for id != 0 {
		m, err := s.Mandate(id)
		if err != nil {
			return "", err
		}
		steps, err := s.Steps(id)
		if err != nil {
			return "", err
		}
		for _, step := range slices.Backward(steps) {
			switch step.Act {
			case mandate.ActSuspend:
				return step.Side, nil
			case mandate.ActResume: // who has suspended it since has left no step
				return mandate.RegisterSide, nil
			}
		}
		id = m.Supersedes // what was suspended may have been narrowed since
	}
	return mandate.RegisterSide, nil
}
