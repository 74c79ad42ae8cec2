package outside_test

import (
	"bytes"
	"database/sql"
	"maps"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
)

// Sixteen copies of one message arrive at the same moment: one gets its decision, and
// fifteen hear that it was replayed. A look-up followed by a store would lose this race
// sooner or later, so it is run many times.
func TestCopiesAtOnce(t *testing.T) {
	t.Parallel()
	const copies, rounds = 16, 8
	s := newStage(t, harness.Options{})
	for round := range rounds {
		message := s.letter(s.anna).bytes()
		replies := make([]reply, copies)
		var start, done sync.WaitGroup
		start.Add(1)
		for i := range copies {
			done.Go(func() {
				start.Wait()
				replies[i] = s.post(message)
			})
		}
		start.Done()
		done.Wait()
		played.hostile.Add(copies - 1)
		permits := 0
		for _, r := range replies {
			read := s.read(t, r.body)
			switch {
			case read.Permitted():
				permits++
			case read.Message != "replayed" || read.Status != saml.RequesterUnsupported:
				t.Errorf("round %d: a copy was answered %s %q", round, read.Status.Short(), read.Message)
			}
		}
		want := counts{`decision outcome="Permit",question="authorize"`: 1, `refusal why="replayed"`: copies - 1}
		if grown := s.grown(); permits != 1 || s.recorded() != 1 || !maps.Equal(grown, want) {
			t.Errorf("round %d: %d Permits, counted %v", round, permits, grown)
		}
	}
}

// A message that was answered is not answered again, in whatever wrapping its signed part
// comes, for as long as it would be believed.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	first := s.letter(s.anna)
	s.answers(t, first.bytes(), s.anna)
	if err := s.net.First.Restart(ctx); err != nil { // a restart forgets nothing
		t.Fatal(err)
	}
	s.turnTo(s.net.First)
	s.repels(t, first.bytes(), refused("replayed"))
	s.repels(t, append([]byte("<?xml version=\"1.0\"?>\n"), first.bytes()...), refused("replayed"))
	s.repels(t, bytes.Replace(first.bytes(), []byte("<soap:Body>"), []byte("<soap:Header/><soap:Body>"), 1), refused("replayed"))
	s.repels(t, first.copy().resign().bytes(), refused("replayed"))
	s.clock.Advance(120 * time.Second) // the last moment at which its first sending would be believed
	s.repels(t, first.bytes(), refused("replayed"))
	s.clock.Advance(time.Second)
	s.repels(t, first.bytes(), refused("expired"))
	s.repels(t, onQuery(set("IssueInstant", stampOf(s.clock.Now())))(first.copy()), refused("replayed"))
	s.clock.Advance(10 * time.Second) // now it is the log-in that has ended
	s.repels(t, onQuery(set("IssueInstant", stampOf(s.clock.Now())))(first.copy()), refused("assertion-validity"))
	s.answers(t, s.letter(s.anna).bytes(), s.anna)

	// What was refused has not been used up: its sender may put it right.
	second := s.letter(s.anna)
	s.repels(t, onQuery(set("Consent", "x"))(second.copy()), refused("forbidden-content"))
	s.answers(t, second.bytes(), s.anna)
}

// While the guard cannot be asked, nothing is decided.
func TestGuardCannotBeAsked(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	db := must[*sql.DB](t)(sql.Open("sqlite", filepath.Join(filepath.Dir(s.net.First.Config), "guard.db")))
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	played.hostile.Add(1)
	r := s.post(s.letter(s.anna).bytes())
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	read := s.read(t, r.body)
	if r.status != http.StatusOK || read.Permitted() || read.Status != saml.ResponderFailed || s.recorded() != 0 {
		t.Errorf("answered %d %s %q", r.status, read.Status.Short(), read.Message)
	}
	s.grown()
	s.answers(t, s.letter(s.anna).bytes(), s.anna)
}
