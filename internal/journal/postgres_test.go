package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/internal/servers"
)

// behindLink is a journal in a database that the daemon reaches over a wire that can be
// cut; the place itself is the direct way.
func behindLink(t *testing.T) (p place, wire *servers.Proxy, j *Journal) {
	t.Helper()
	d := servers.Shared(t)
	p = place{t, d.DSN(), newPlace(t).outside}
	server := fmt.Sprintf("127.0.0.1:%d", d.Port())
	wire = servers.Link(t, server)
	far := p
	far.journal = strings.Replace(p.journal, server, wire.Addr(), 1)
	return p, wire, far.open()
}

// times is how often a record is there.
func (p place) times(id string) (n int) {
	p.t.Helper()
	db := p.db()
	defer db.Close()
	if err := db.QueryRow(`SELECT count(*) FROM journal_records WHERE id = $1`, id).Scan(&n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

// The connection breaks in the middle. Whether the database had written the record or
// not, it is there once in the end, and the caller hears that it is.
func TestLostConnectionIsMended(t *testing.T) {
	for name, written := range map[string]bool{"before it was asked": false, "after it had written": true} {
		t.Run(name, func(t *testing.T) {
			p, wire, j := behindLink(t)
			for range 5 {
				mustAppend(t, j, newID(), []byte("on a connection that is warm"))
				id := newID()
				lose := map[bool]func(){false: wire.Hang, true: wire.HangAnswers}[written]
				lose()
				answer := make(chan error)
				go func() { answer <- j.Append(ctx, id, []byte("x")) }()
				waitFor(t, "the question", func() bool { return j.group.Waiting() == 1 && (!written || p.times(id) == 1) })
				wire.Cut()
				wire.Heal()
				if err := <-answer; err != nil {
					t.Fatal(err)
				}
				if n := p.times(id); n != 1 {
					t.Fatalf("the record is there %d times", n)
				}
			}
			mustClose(t, j)
			p.mustBeWhole(10)
		})
	}
}

// The database stays away: the caller hears that, not that the record is there, and hears
// it when his time is up. Afterwards all is as before.
func TestDatabaseStaysAway(t *testing.T) {
	p, wire, j := behindLink(t)
	mustAppend(t, j, newID(), []byte("before"))
	wire.Cut()
	id := newID()
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if err := j.Append(short, id, []byte("x")); err == nil {
		t.Error("written to a database that is not there")
	}
	wire.Heal()
	mustAppend(t, j, newID(), []byte("after"))
	mustClose(t, j)
	if n := p.times(id); n > 1 {
		t.Errorf("the record is there %d times", n)
	}
	p.mustBeWhole(int64(p.count()))
}

// On a second try an id that is there with the same body is our own; with another it is
// somebody else's. On a first try both are.
func TestWhoseRecordIsIt(t *testing.T) {
	p := newDatabase(t)
	j := p.open()
	id := newID()
	mustAppend(t, j, id, []byte("mine"))
	s := j.store.(*postgresStore)
	for _, c := range []struct {
		body  string
		again bool
		taken bool
	}{{"mine", false, true}, {"mine", true, false}, {"other", false, true}, {"other", true, true}} {
		e := &entry{id: id, body: []byte(c.body)}
		if _, err := s.appendOnce(ctx, start, []*entry{e}, c.again); err != nil || e.taken != c.taken {
			t.Errorf("%+v: taken %v, %v", c, e.taken, err)
		}
	}
	mustClose(t, j)
	p.mustBeWhole(1)
}

// Somebody stands on the end of the chain. Who waits for it is let go when his time is
// up, and nothing is left behind that harms.
func TestEndIsLocked(t *testing.T) {
	p := newDatabase(t)
	j := p.open()
	mustAppend(t, j, newID(), []byte("before"))
	db := p.db()
	defer db.Close()
	tx, err := db.Begin()
	if err == nil {
		_, err = tx.Exec(`SELECT 1 FROM journal_head FOR UPDATE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if err := j.Append(short, newID(), []byte("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, newID(), []byte("after"))
	mustClose(t, j)
	p.mustBeWhole(int64(p.count()))
}

// A database is set up in odd ways; ours does not care. Other tables beside ours, and the
// schema that the place names, are as good as any.
func TestOddDatabase(t *testing.T) {
	p := newDatabase(t)
	db := p.db()
	defer db.Close()
	name := databaseOf(p.journal)
	for _, s := range []string{
		`ALTER DATABASE ` + name + ` SET TimeZone = 'Pacific/Chatham'`,
		`ALTER DATABASE ` + name + ` SET bytea_output = 'escape'`,
		`ALTER DATABASE ` + name + ` SET standard_conforming_strings = off`,
		`ALTER DATABASE ` + name + ` SET default_transaction_isolation = 'serializable'`,
		`CREATE TABLE records (a int)`, `CREATE SCHEMA elsewhere`,
	} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	p.journal += "?search_path=elsewhere"
	if strings.Count(p.journal, "?") > 1 {
		p.journal = strings.Replace(p.journal, "?search_path", "&search_path", 1)
	}
	p.fill(30, 10)
	if r := p.mustRetire(minute(15)); r.Records != 14 {
		t.Errorf("retired %+v", r)
	}
	p.mustBeWhole(16)
	var where string
	if err := db.QueryRow(`SELECT table_schema FROM information_schema.tables WHERE table_name = 'journal_records'`).Scan(&where); err != nil || where != "elsewhere" {
		t.Errorf("the records are in %q, %v", where, err)
	}
}

// Nodes start together on a database that has nothing yet.
func TestNodesStartTogether(t *testing.T) {
	p := newDatabase(t)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			o := p.options()
			o.Checkpoints = fmt.Sprint(p.outside, i)
			j, err := Open(ctx, p.journal, o)
			if err == nil {
				err = errors.Join(j.Append(ctx, newID(), []byte("x")), j.Close())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := p.count(); n != 4 {
		t.Errorf("%d records", n)
	}
}

// A schema of another release is refused, and which of the two is older is said.
func TestSchemaOfAnotherRelease(t *testing.T) {
	p := newDatabase(t)
	p.fill(1, 1)
	db := p.db()
	defer db.Close()
	if _, err := db.Exec(`INSERT INTO journal_schema (version_id, is_applied) VALUES (99, true)`); err != nil {
		t.Fatal(err)
	}
	_, write := Open(ctx, p.journal, p.options())
	_, read := Open(ctx, p.journal, Options{})
	_, verify := Verify(ctx, p.journal, nil, registerKey().Public())
	for _, err := range []error{write, read, verify} {
		if err == nil || !strings.Contains(err.Error(), "newer release") {
			t.Errorf("newer: %v", err)
		}
	}
	if _, err := db.Exec(`UPDATE journal_schema SET version_id = 0`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, p.journal, Options{}); err == nil {
		t.Error("opened without its tables")
	}
}

// What the head says of the end is held against the records.
func TestHeadMustFit(t *testing.T) {
	for name, change := range map[string]string{
		"too early":    `UPDATE journal_head SET sequence = 9, hash = (SELECT hash FROM journal_records WHERE sequence = 9)`,
		"too late":     `UPDATE journal_head SET sequence = 11`,
		"another hash": `UPDATE journal_head SET hash = decode(repeat('07', 32), 'hex')`,
	} {
		t.Run(name, func(t *testing.T) {
			p := newDatabase(t)
			p.fill(10, 10)
			p.tamper(change)
			if r := p.verify(); len(r.Problems) == 0 {
				t.Errorf("got %+v", r)
			}
			j, err := Open(ctx, p.journal, p.options())
			if err == nil { // the hash is compared when it is signed
				_ = j.Append(ctx, newID(), []byte("x"))
				err = j.Checkpoint(ctx)
				_ = j.Close()
			}
			if !errors.Is(err, ErrBroken) {
				t.Errorf("going on: %v", err)
			}
		})
	}
}

// A standby is good for verifying and reading, and not for writing.
func TestStandby(t *testing.T) {
	primary := servers.Postgres(t, servers.PostgresOptions{})
	p := place{t, primary.DSN(), newPlace(t).outside}
	p.fill(20, 10)
	standby := primary.Standby(t)
	primary.WaitReplayed(standby)
	p.journal = standby.DSN()
	p.mustBeWhole(20)
	if r, err := p.openWith(Options{}).Records(ctx, 0, 100); err != nil || len(r) != 20 {
		t.Errorf("%d records, %v", len(r), err)
	}
	if _, err := Open(ctx, p.journal, p.options()); !errors.Is(err, postgres.ErrStandby) {
		t.Errorf("writing: %v", err)
	}
}
