package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

func openError(path string, o Options) error {
	r, err := Open(ctx, path, o)
	if err == nil {
		_ = r.Close()
	}
	return err
}

// Whoever mistypes a path, points at another file or runs an old program is told
// which of these it was, and what to do.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := filepath.Join(dir, "foreign.db")
	if _, err := raw(t, foreign).Exec(`CREATE TABLE t (x)`); err != nil {
		t.Fatal(err)
	}
	newer := newScene(t)
	if _, err := raw(t, newer.place).Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	unfinished := filepath.Join(dir, "unfinished.db")
	half := &file{path: write("unfinished.db", "")}
	if err := half.fill(ctx, func(*sql.DB) error { return nil }); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		why, path string
		want      error
	}{
		{"no file", filepath.Join(dir, "absent.db"), ErrMissing},
		{"a folder", dir, ErrNotRegister},
		{"an empty file", write("empty.db", ""), ErrNotRegister},
		{"a text", write("text.db", strings.Repeat("Dear reader, ", 1000)), ErrNotRegister},
		{"another database", foreign, ErrNotRegister},
		{"creation that was cut off", unfinished, ErrNotRegister},
		{"a newer schema", newer.place, ErrNewerSchema},
	} {
		for _, o := range []Options{{}, {ReadOnly: true}} {
			if err := openError(c.path, o); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", c.why, err, c.want)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "absent.db")); err == nil {
		t.Error("opening made a file")
	}
}

func TestCreateRefuses(t *testing.T) {
	s := newScene(t)
	if _, err := Create(ctx, s.place, mr1, lease, Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("over a register: %v", err)
	}
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	for why, err := range map[string]error{
		"another role":     second(Create(ctx, fresh, ad, lease, Options{})),
		"no name":          second(Create(ctx, fresh, etoegang.EntityID{}, lease, Options{})),
		"no lease":         second(Create(ctx, fresh, mr1, 0, Options{})),
		"half a lease":     second(Create(ctx, fresh, mr1, lease+1, Options{})),
		"reading only":     second(Create(ctx, fresh, mr1, lease, Options{ReadOnly: true})),
		"a missing folder": second(Create(ctx, filepath.Join(fresh, "x.db"), mr1, lease, Options{})),
	} {
		if err == nil {
			t.Errorf("%s is accepted", why)
		}
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Error("a refusal left a file behind")
	}
	info, err := os.Stat(s.place)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the register: %v %v", info.Mode(), err)
	}
}

func second[T any](_ T, err error) error { return err }

// Reading only is for looking at a register that another process serves, or at a
// backup: the same answers, and no way to change one.
func TestReadingOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		m := s.grant(direct(s.org(1), s.person(1)))
		for _, served := range []bool{true, false} {
			r, err := Open(ctx, s.place, Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Read(ctx, func(v *Snapshot) error { return second(v.Mandate(m.ID)) }); err != nil {
				t.Errorf("served %v: %v", served, err)
			}
			if _, err := r.Change(ctx, desk, func(*Tx) error { return nil }); !errors.Is(err, ErrReadOnly) {
				t.Errorf("served %v: %v", served, err)
			}
			_ = r.Close()
			_ = s.Close()
		}
	})
}

func TestAFileThatMayNotBeWritten(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everything")
	}
	s := newScene(t)
	_ = s.Close()
	if err := os.Chmod(s.place, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := openError(s.place, Options{}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v", err)
	}
}

// While another process writes, a change waits and then says so; reading goes on.
func TestAnotherProcessWrites(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		other := must(Open(ctx, s.place, Options{}))
		defer other.Close()
		must(other.Change(ctx, desk, func(tx *Tx) error {
			must(tx.PutOrganisation(company(1)))
			s.refused(ErrBusy, func(*Tx) error { return nil })
			s.read(func(v *Snapshot) {
				if v.Revision() != 0 {
					t.Error("a reader sees what was not committed")
				}
			})
			return nil
		}))
		s.change(func(t *Tx) { must(t.PutOrganisation(company(2))) })
	})
}

// Whoever will not wait for another process goes, and nothing has changed.
func TestWaitingForTheTurnEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		patient := must(Open(ctx, s.place, Options{Wait: time.Minute}))
		defer patient.Close()
		must(s.Change(ctx, desk, func(tx *Tx) error {
			short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			_, err := patient.Change(short, desk, func(*Tx) error { t.Error("it began"); return nil })
			if err == nil {
				t.Error("it was made")
			}
			return second(tx.PutOrganisation(company(1)))
		}))
		receipt, err := patient.Change(ctx, desk, func(tx *Tx) error { return second(tx.PutOrganisation(company(2))) })
		if err != nil || receipt.Revision != 2 {
			t.Errorf("got %d, %v", receipt.Revision, err)
		}
	})
}

func TestAFileLockedByAnotherProcess(t *testing.T) {
	s := newScene(t)
	_ = s.Close()
	db := raw(t, s.place)
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE`); err != nil {
		t.Fatal(err)
	}
	if err := openError(s.place, Options{Wait: 1}); !errors.Is(err, ErrBusy) {
		t.Errorf("opening a locked file: %v", err)
	}
}

// When the disk is full in the middle of a change, the change is gone as if it had
// never begun, even if its function takes no notice; with room again, work goes on.
func TestAFullDisk(t *testing.T) {
	s := newScene(t)
	b, g := s.org(1), s.person(1)
	limit := func(pages int) {
		if _, err := s.writer.session.conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // no more than there are already
	_, err := s.Change(ctx, desk, func(t *Tx) error {
		for n := range 100_000 {
			if _, err := t.PutOrganisation(company(10 + n)); err != nil {
				_, again := t.Grant(direct(b, g), GrantOptions{})
				if again == nil {
					s.Error("a lost change goes on")
				}
				return nil // takes no notice
			}
		}
		return nil
	})
	if !errors.Is(err, ErrFull) {
		t.Errorf("got %v", err)
	}
	sound(t, s.place)
	limit(1 << 30)
	if rev := s.change(func(t *Tx) { must(t.PutOrganisation(company(2))) }); rev != 3 {
		t.Errorf("the next revision is %d", rev)
	}
}

// A change is all or nothing, whoever stops it: its function, a panic in it, or the
// caller who went away.
func TestAChangeThatStopsLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		leaving, leave := context.WithCancel(ctx)
		for why, stop := range map[string]func() error{
			"an error": func() error {
				return second(s.Change(ctx, desk, func(t *Tx) error { must(t.PutOrganisation(company(1))); return errUndo }))
			},
			"a panic": func() (err error) {
				defer func() { err = errors.New(fmt.Sprint(recover())) }()
				return second(s.Change(ctx, desk, func(t *Tx) error { must(t.PutOrganisation(company(1))); panic("no") }))
			},
			"a caller who left": func() error {
				return second(s.Change(leaving, desk, func(t *Tx) error { must(t.PutOrganisation(company(1))); leave(); return nil }))
			},
			"no author": func() error {
				return second(s.Change(ctx, Author{Who: "desk"}, func(t *Tx) error { must(t.PutOrganisation(company(1))); return nil }))
			},
		} {
			if err := stop(); err == nil {
				t.Errorf("%s: no error", why)
			}
			s.read(func(v *Snapshot) {
				if o := must(v.Organisation(kvk(1).LegalSubject())); o != nil || v.Revision() != 0 {
					t.Errorf("%s: something was left behind", why)
				}
			})
		}
		if rev := s.change(func(t *Tx) { must(t.PutOrganisation(company(1))) }); rev != 1 {
			t.Errorf("the next revision is %d", rev)
		}
	})
}
