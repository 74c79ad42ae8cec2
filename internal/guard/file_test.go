package guard

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestOpenRefusesWhatIsNotAGuard(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard.db")
	if err := os.WriteFile(path, []byte("something else altogether, and long enough to be looked at\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, path, nil); err == nil {
		t.Error("opened a text file")
	}
	if _, err := Open(ctx, filepath.Join(path, "below"), nil); err == nil {
		t.Error("opened a file inside a file")
	}
}

// A crash forgets nothing: the file is copied while the guard is open, which is what a
// power loss leaves behind.
func TestCrashForgetsNothing(t *testing.T) {
	s := newScene(t)
	s.onFile()
	s.admit(s.guard(), "_1", start.Add(time.Minute), nil)
	crashed := filepath.Join(t.TempDir(), "guard.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(s.place + suffix)
		if err == nil {
			err = os.WriteFile(crashed+suffix, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.place = crashed
	s.admit(s.guard(), "_1", start.Add(time.Minute), ErrReplayed)
}
