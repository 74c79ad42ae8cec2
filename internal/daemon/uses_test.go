package daemon_test

import (
	"testing"
	"time"

	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
)

// lastUse asks the journal beside the daemon when the scene's mandate was last used.
func (s *scene) lastUse() (use journal.Use, behind int64) {
	s.t.Helper()
	j := must(journal.Open(ctx, s.file("register/journal.db"), journal.Options{}))
	defer func() { _ = j.Close() }()
	found := must(j.LastUse(ctx, []mandate.ID{s.mandate}))
	return found.Last[s.mandate], found.Behind
}

// When a mandate was last used is known soon after each use, also of a decision that was
// made before and kept; and the metrics say that nothing is behind.
func TestLastUseIsKnownSoon(t *testing.T) {
	s := newScene(t, harness.Options{})
	for n := int64(1); n <= 3; n++ {
		s.permitted("with a mandate")
		var use journal.Use
		until(t, "its use is known", func() bool {
			var behind int64
			use, behind = s.lastUse()
			return behind == 0
		})
		records := s.records()
		last := records[len(records)-1]
		if use.Sequence != n || use.Service != s.vat.ID.String() || use.At.Sub(last.At).Abs() > time.Minute {
			t.Errorf("after use %d, of a decision from %q: %+v", n, last.Hot, use)
		}
	}
	if last := s.records()[2]; last.Hot == "" {
		t.Error("no kept decision was used: the test says little")
	}
	until(t, "nothing is behind", func() bool { return s.metric("mandated_journal_uses_behind") == "0" })
	if s.metric("mandated_journal_uses_behind_seconds") == "" {
		t.Error("for how long is not measured")
	}
}
