package journal

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/sqlite"
)

// What is not a journal is refused and left as it was.
func TestOpenRefusesWhatIsNotAJournal(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("no database\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	execute(t, other, `CREATE TABLE mandates (id TEXT)`)
	newer := filled(t, 1, 1).journal
	execute(t, newer, `PRAGMA user_version = 99`)

	for path, want := range map[string]error{text: nil, other: sqlite.ErrForeign, newer: sqlite.ErrNewer} {
		before, _ := os.ReadFile(path)
		_, err := Open(ctx, path, Options{Signer: registerKey()})
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s was changed", path)
		}
	}
	absent := filepath.Join(dir, "absent", "journal.db")
	if _, err := Open(ctx, absent, Options{Signer: registerKey()}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestOpenRefusesReadOnlyFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("nothing is read-only for root")
	}
	p := filled(t, 1, 1)
	if err := os.Chmod(p.journal, 0o400); err != nil {
		t.Fatal(err)
	}
	_, err := Open(ctx, p.journal, p.options())
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("got %v", err)
	}
}

// The journal says who may do what with whose data: nobody else reads it.
func TestFilesAreTheOwnersOnly(t *testing.T) {
	p := filled(t, 1, 1)
	for _, path := range []string{p.journal, p.outside} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// A power loss can leave half a line; the next checkpoint starts on a clean one.
func TestUnfinishedLineIsNoHarm(t *testing.T) {
	p := filled(t, 2, 1)
	f, _ := os.OpenFile(p.outside, os.O_APPEND|os.O_WRONLY, 0)
	_, _ = f.WriteString(`{"sequence":3,"ha`)
	_ = f.Close()
	p.mustBeWhole(2)
	j := p.open()
	mustAppend(t, j, newID(), []byte("x"))
	mustClose(t, j)
	p.mustBeWhole(3)
}

// A file that is no journal is an error, not a clean bill.
func TestVerifyRefusesWhatIsNotAJournal(t *testing.T) {
	path := newPlace(t).journal
	if _, err := Verify(ctx, path, nil, registerKey().Public()); err == nil {
		t.Error("verified nothing at all")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(ctx, path, nil, registerKey().Public()); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty file: %v", err)
	}
	execute(t, path, `CREATE TABLE records (a)`)
	if _, err := Verify(ctx, path, nil, registerKey().Public()); err == nil {
		t.Error("verified somebody else's table")
	}
	if _, err := Retire(ctx, path+"x", start, Options{Signer: registerKey(), Used: usedIn}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("retired what is not there: %v", err)
	}
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err == nil {
		_, err = db.Exec(statement)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
