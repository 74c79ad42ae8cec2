package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/mandate"
)

// do runs statements as the database's administrator.
func do(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// until waits for a condition of the database. Any goroutine of a test may do so.
func until(t *testing.T, db *sql.DB, condition string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for holds := false; !holds; {
		if err := db.QueryRow(`SELECT ` + condition).Scan(&holds); err != nil || time.Now().After(deadline) {
			t.Errorf("waiting for %s: %v", condition, err)
			return
		}
	}
}

// Whoever names the wrong database, or one that is not ready, is told which it was.
func TestOpenSaysWhatIsWrongWithADatabase(t *testing.T) {
	foreign := servers.Shared(t).DSN()
	do(t, raw(t, foreign), `CREATE TABLE register (x int)`)
	newer, older := newServerScene(t), newServerScene(t)
	do(t, raw(t, newer.place), `INSERT INTO register_schema (version_id, is_applied) VALUES (99999, true)`)
	do(t, raw(t, older.place), `DELETE FROM register_schema WHERE version_id > 0`)
	unfinished := servers.Shared(t).DSN()
	half := dialectOf(unfinished, Options{})
	if err := half.found(ctx, func(*sql.DB) error { return errUndo }); err != errUndo {
		t.Fatal(err)
	}

	for _, c := range []struct {
		why, place string
		want       error
	}{
		{"an empty database", servers.Shared(t).DSN(), ErrMissing},
		{"no database", strings.Replace(newer.place, "/mandated_", "/nothing_", 1), ErrMissing},
		{"another program's", foreign, ErrNotRegister},
		{"creation that was cut off", unfinished, ErrMissing},
		{"a newer schema", newer.place, ErrNewerSchema},
		{"nobody listens", fmt.Sprintf("postgres://127.0.0.1:%d/x?sslmode=disable", servers.Free(t)), postgres.ErrUnreachable},
		{"nobody of that name", strings.Replace(newer.place, "postgres@", "nobody@", 1), postgres.ErrAccess},
		{"a password in the place", strings.Replace(newer.place, "postgres@", "postgres:topsecret@", 1), postgres.ErrPassword},
	} {
		for _, o := range []Options{{}, {ReadOnly: true}} {
			err := openError(c.place, o)
			if !errors.Is(err, c.want) || strings.Contains(err.Error(), "topsecret") || strings.Contains(err.Error(), "sslmode") {
				t.Errorf("%s: got %v, want %v", c.why, err, c.want)
			}
		}
	}
	if err := openError(older.place, Options{ReadOnly: true}); !errors.Is(err, ErrOlderSchema) {
		t.Errorf("an older schema: %v", err)
	}

	// What was cut off is finished by creating it again.
	r, err := Create(ctx, unfinished, mr1, lease, Options{})
	if err != nil {
		t.Fatalf("creating it again: %v", err)
	}
	_ = r.Close()
}

// However many begin at once, one register is made.
func TestOneOfManyCreates(t *testing.T) {
	place := servers.Shared(t).DSN()
	made := make(chan error, 6)
	var creating sync.WaitGroup
	for range cap(made) {
		creating.Go(func() {
			r, err := Create(ctx, place, mr1, lease, Options{})
			if err == nil {
				_ = r.Close()
			}
			made <- err
		})
	}
	creating.Wait()
	close(made)
	ours := 0
	for err := range made {
		switch {
		case err == nil:
			ours++
		case !errors.Is(err, ErrExists):
			t.Error(err)
		}
	}
	if ours != 1 {
		t.Errorf("%d registers were made", ours)
	}
}

func TestCreateRefusesADatabase(t *testing.T) {
	s := newServerScene(t)
	before := s.Key("x")
	if _, err := Create(ctx, s.place, mr2, lease, Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("over a register: %v", err)
	}
	again := must(Open(ctx, s.place, Options{}))
	defer again.Close()
	if string(again.Key("x")) != string(before) || again.EntityID() != mr1 {
		t.Error("the register is another one now")
	}
	latin := servers.Postgres(t, servers.PostgresOptions{})
	do(t, raw(t, latin.DSN()), `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	if _, err := Create(ctx, strings.Replace(latin.DSN(), "/postgres?", "/latin?", 1), mr1, lease, Options{}); err == nil || !strings.Contains(err.Error(), "UTF8") {
		t.Errorf("an alphabet that has not all names: %v", err)
	}
}

// An administrator may have set anything for a database: its language, its time, how
// careful its commits and transactions are, where its tables go. The register is the same.
func TestADatabaseWithManners(t *testing.T) {
	plain := servers.Shared(t).DSN()
	even, _, _ := strings.Cut(plain[strings.LastIndex(plain, "/")+1:], "?")
	odd := even + "_odd"
	admin := raw(t, plain)
	do(t, admin, `CREATE DATABASE `+odd+` TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'tr-u-ks-level1-kn' LOCALE 'C.UTF-8'`)
	t.Cleanup(func() { do(t, admin, `DROP DATABASE `+odd+` WITH (FORCE)`) })
	place := strings.Replace(plain, "/"+even, "/"+odd, 1)
	db := raw(t, place)
	do(t, db, `CREATE SCHEMA "Ours"`)
	for setting, value := range map[string]string{
		"TimeZone": "'Asia/Kathmandu'", "DateStyle": "'SQL, DMY'", "bytea_output": "'escape'", "default_transaction_isolation": "'serializable'",
		"default_transaction_deferrable": "on", "search_path": `"Ours", public`, "standard_conforming_strings": "off", "synchronous_commit": "off",
		"client_encoding": "'LATIN1'", "lc_messages": "'C'", "enable_indexscan": "on", "IntervalStyle": "'iso_8601'",
	} {
		do(t, db, `ALTER DATABASE `+odd+` SET `+setting+` = `+value)
	}
	s := newSceneAt(t, place)
	const name = "İstanbul çağ \\ ' \" ? ?1 $1 ünïcode €"
	b, g := company(1), human(1)
	b.Name, g.Name = name, strings.ToUpper(name)
	s.clock.advance(123 * time.Millisecond)
	s.change(func(t *Tx) { b, g = must(t.PutOrganisation(b)), must(t.PutPerson(g)) })
	m := s.grant(direct(b, g))
	s.change(func(t *Tx) { put(t, edition(1)) })
	s.read(func(v *Snapshot) {
		if o := must(v.Organisation(b.KvK.LegalSubject())); *o != b {
			t.Errorf("got %+v, want %+v", *o, b)
		}
		held := must(v.HeldBy(g.Subject, b.KvK.LegalSubject()))
		if len(held.Direct) != 1 || *held.Person != g || !held.Direct[0].Validity.From.Equal(m.Validity.From) {
			t.Errorf("got %+v", held)
		}
		if got := must(v.Catalogue(1)); got.Loaded != noon.Add(123*time.Millisecond) || got.Loaded.Location() != time.UTC {
			t.Errorf("loaded at %v", got.Loaded)
		}
	})
	news := must(s.Poll(ctx, 0, 100))
	if age := time.Since(news.Database).Abs(); age > time.Minute || news.Changes[0].At != noon.Add(123*time.Millisecond) {
		t.Errorf("the database is %v off; %v", age, news.Changes[0].At)
	}
	until(t, db, `EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = 'Ours' AND table_name = 'mandate')`)
	sound(t, place)
}

// Numbers stand in the order of commits, without gaps, whichever process writes.
func TestWritersInManyProcesses(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		const processes, writers, each = 4, 4, 4
		var writing sync.WaitGroup
		got := make(chan Revision, processes*writers*each)
		for p := range processes {
			o := s.clock.options()
			o.Wait = time.Minute
			r := must(Open(ctx, s.place, o))
			defer r.Close()
			for w := range writers {
				writing.Go(func() {
					for i := range each {
						n := 1 + 2*(i+each*(w+writers*p))
						receipt, err := r.Change(ctx, desk, func(t *Tx) error { return couple(t, n) })
						if err != nil {
							t.Error(err)
						}
						got <- receipt.Revision
					}
				})
			}
		}
		writing.Wait()
		close(got)
		seen := map[Revision]bool{}
		for rev := range got {
			seen[rev] = true
		}
		newest := must(s.Poll(ctx, 0, 1)).Newest.Revision
		if len(seen) != processes*writers*each || newest != Revision(len(seen)) {
			t.Errorf("%d changes made %d revisions, the last is %d", processes*writers*each, len(seen), newest)
		}
		sound(t, s.place)
	})
}

// A standby is refused unless it is asked for; then it answers reads from what it has
// received, and no change.
func TestAStandby(t *testing.T) {
	primary := servers.Postgres(t, servers.PostgresOptions{})
	s := newSceneAt(t, primary.DSN())
	m := s.grant(direct(s.org(1), s.person(1)))
	standby := primary.Standby(t)
	if err := openError(standby.DSN(), Options{}); !errors.Is(err, postgres.ErrStandby) {
		t.Errorf("a standby: %v", err)
	}
	r := must(Open(ctx, standby.DSN(), Options{Standby: true}))
	defer r.Close()
	if _, err := r.Change(ctx, desk, func(*Tx) error { return nil }); !errors.Is(err, ErrReadOnly) {
		t.Errorf("changing a standby: %v", err)
	}
	at := s.setState(m.ID, mandate.Revoked)
	primary.WaitReplayed(standby)
	err := r.Read(ctx, func(v *Snapshot) error {
		got, err := v.Mandate(m.ID)
		if v.Revision() != at || got.State != mandate.Revoked {
			t.Errorf("at revision %d: %s", v.Revision(), got.State)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := Create(ctx, standby.DSN(), mr1, lease, Options{}); !errors.Is(err, postgres.ErrStandby) {
		t.Errorf("creating on a standby: %v", err)
	}
	if err := openError(newScene(t).place, Options{Standby: true}); !errors.Is(err, ErrNoStandby) {
		t.Errorf("a standby of a file: %v", err)
	}
}

// linked is a register reached over a wire that can be cut, with an administrator who
// reaches the database without it.
func linked(t *testing.T, settings string) (*scene, *servers.Proxy, *sql.DB) {
	t.Helper()
	place := servers.Shared(t).DSN()
	admin := raw(t, place)
	host := place[strings.Index(place, "@")+1 : strings.LastIndex(place, "/")]
	wire := servers.Link(t, host)
	return newSceneAt(t, strings.Replace(place, host, wire.Addr(), 1)+settings), wire, admin
}

// Connections die of restarts, idle time-outs and administrators. Whoever asks next does
// not notice: the first read and the first change after it succeed.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	s, wire, _ := linked(t, "")
	b := s.org(1)
	read := func() error {
		return s.Read(ctx, func(v *Snapshot) error { return second(v.Organisation(b.KvK.LegalSubject())) })
	}
	var reading sync.WaitGroup
	for range 4 { // several sessions, all of which die
		reading.Go(func() {
			if err := read(); err != nil {
				t.Error(err)
			}
		})
	}
	reading.Wait()
	for n := 2; n < 5; n++ {
		wire.Cut()
		if err := read(); !errors.Is(err, postgres.ErrUnreachable) {
			t.Errorf("without a wire: %v", err)
		}
		s.refused(postgres.ErrUnreachable, func(*Tx) error { t.Error("a change began"); return nil })
		wire.Heal()
		if err := read(); err != nil {
			t.Errorf("after the wire was healed: %v", err)
		}
		s.org(n)
		wire.Cut()
		wire.Heal()
		s.org(n + 10)
		if err := read(); err != nil {
			t.Errorf("after the wire was cut and healed: %v", err)
		}
	}
}

// A connection that breaks in the middle of a snapshot or a change ends it: nothing is
// put together from before and after, and nothing is changed.
func TestALostConnectionEndsWhatItWasUsedFor(t *testing.T) {
	s, wire, admin := linked(t, "")
	b := s.org(1)
	calls := 0
	err := s.Read(ctx, func(v *Snapshot) error {
		calls++
		wire.Cut()
		wire.Heal()
		if _, err := v.Organisation(b.KvK.LegalSubject()); !errors.Is(err, postgres.ErrUnreachable) {
			t.Errorf("the next question: %v", err)
		}
		_, err := v.Organisation(b.KvK.LegalSubject())
		return err
	})
	if !errors.Is(err, postgres.ErrUnreachable) || calls != 1 {
		t.Errorf("called %d times: %v", calls, err)
	}
	s.refused(postgres.ErrUnreachable, func(tx *Tx) error {
		must(tx.PutOrganisation(company(2)))
		wire.Cut()
		wire.Heal()
		return nil // takes no notice
	})
	until(t, admin, `count(*) = 1 FROM organisation`)
	if rev := s.change(func(t *Tx) { must(t.PutOrganisation(company(2))) }); rev != 2 {
		t.Errorf("the next revision is %d", rev)
	}
}

// The wire breaks after the database was told to commit and before it answered. Whether
// the change was made is found out, and told: a change that stands is a success, and one
// that does not has changed nothing.
func TestACommitWithoutAnswer(t *testing.T) {
	for _, c := range []struct {
		why     string
		settled string // how the administrator ends the commit
		made    bool
	}{
		{"it was made", `SELECT pg_advisory_unlock_all()`, true},
		{"it was not", `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted`, false},
	} {
		t.Run(c.why, func(t *testing.T) {
			s, wire, admin := linked(t, "")
			hold(t, admin)
			holder := must(admin.Conn(ctx))
			defer holder.Close()
			if _, err := holder.ExecContext(ctx, `SELECT pg_advisory_lock(4711)`); err != nil {
				t.Fatal(err)
			}
			var cutting sync.WaitGroup
			cutting.Go(func() {
				until(t, admin, waiting)
				wire.Cut()
				wire.Heal()
				// Whoever looks now waits for the one who commits.
				until(t, admin, `EXISTS (SELECT 1 FROM pg_stat_activity WHERE query LIKE '%FOR UPDATE%' AND wait_event_type = 'Lock')`)
				if _, err := holder.ExecContext(ctx, c.settled); err != nil {
					t.Error(err)
				}
			})
			receipt, err := s.Change(ctx, desk, func(t *Tx) error { return second(t.PutOrganisation(company(1))) })
			cutting.Wait()
			if c.made && (err != nil || receipt.Revision != 1) || !c.made && (!errors.Is(err, postgres.ErrUnreachable) || errors.Is(err, ErrUncertain)) {
				t.Errorf("got %d, %v", receipt.Revision, err)
			}
			s.read(func(v *Snapshot) {
				if made := v.Revision() == 1; made != c.made || made && v.Stamp() != receipt.Stamp {
					t.Errorf("the register is at %v, the receipt says %v", v.Stamp(), receipt.Stamp)
				}
			})
			do(t, admin, `SELECT pg_advisory_unlock_all()`)
		})
	}
}

// waiting holds while a commit waits.
const waiting = `EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted)`

// hold makes every commit wait for an advisory lock, whoever wants to cancel it.
func hold(t *testing.T, admin *sql.DB) {
	t.Helper()
	do(t, admin, `CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			LOOP
				BEGIN
					PERFORM pg_advisory_xact_lock(4711);
					RETURN NULL;
				EXCEPTION WHEN query_canceled OR lock_not_available THEN NULL;
				END;
			END LOOP;
		END $$`,
		`CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON change_feed DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()`)
}

// When the database does not come back in time, nobody can know, and that is what is said.
func TestACommitThatNobodyKnowsOf(t *testing.T) {
	s, wire, admin := linked(t, "")
	hold(t, admin)
	holder := must(admin.Conn(ctx))
	defer holder.Close()
	if _, err := holder.ExecContext(ctx, `SELECT pg_advisory_lock(4711)`); err != nil {
		t.Fatal(err)
	}
	impatient, giveUp := context.WithCancel(ctx)
	var cutting sync.WaitGroup
	cutting.Go(func() {
		until(t, admin, waiting)
		wire.Cut()
		giveUp()
	})
	_, err := s.Change(impatient, desk, func(t *Tx) error { return second(t.PutOrganisation(company(1))) })
	cutting.Wait()
	if !errors.Is(err, ErrUncertain) {
		t.Errorf("got %v", err)
	}
	if _, err := holder.ExecContext(ctx, `SELECT pg_advisory_unlock_all()`); err != nil {
		t.Fatal(err)
	}
	wire.Heal()
	until(t, admin, `NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active')`)
	s.read(func(v *Snapshot) {
		if v.Revision() != 1 {
			t.Error("this time it was made")
		}
	})
}

// A process that stands still in the middle of a change does not keep the others out: its
// change is ended for it, and it is told when it wakes.
func TestAProcessThatStandsStill(t *testing.T) {
	s, _, admin := linked(t, "&idle_in_transaction_session_timeout=20ms")
	s.refused(postgres.ErrUnreachable, func(tx *Tx) error {
		must(tx.PutOrganisation(company(1)))
		_, _, _ = tx.Snapshot().Blocked() // what was put off is under way
		until(t, admin, `NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction')`)
		other := must(Open(ctx, s.place, Options{}))
		defer other.Close()
		must(other.Change(ctx, desk, func(tx *Tx) error { return second(tx.PutOrganisation(company(2))) }))
		return nil
	})
	s.read(func(v *Snapshot) {
		if o := must(v.Organisation(kvk(1).LegalSubject())); o != nil || v.Revision() != 1 {
			t.Errorf("at revision %d: %+v", v.Revision(), o)
		}
	})
}

// A database that stands still answers nobody. A caller waits as long as he said and no
// longer, and the first to ask when it goes on is answered.
func TestADatabaseThatStandsStill(t *testing.T) {
	d := servers.Postgres(t, servers.PostgresOptions{})
	s := newSceneAt(t, d.DSN())
	b := s.org(1)
	d.Pause()
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	err := s.Read(short, func(v *Snapshot) error { return nil })
	if !errors.Is(err, postgres.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("reading: %v", err)
	}
	short, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := s.Change(short, desk, func(*Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("changing: %v", err)
	}
	d.Resume()
	s.read(func(v *Snapshot) { must(v.Organisation(b.KvK.LegalSubject())) })
	s.org(2)
}

// What the database has no room for is not half there, and with room again work goes on.
func TestAFullDatabase(t *testing.T) {
	s := newServerScene(t)
	admin := raw(t, s.place)
	do(t, admin, `CREATE FUNCTION full_() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100'; END $$`,
		`CREATE TRIGGER full_ AFTER INSERT ON mandate_scope EXECUTE FUNCTION full_()`)
	b, g := s.org(1), s.person(1)
	s.refused(ErrFull, func(t *Tx) error {
		_, _ = t.Grant(direct(b, g), GrantOptions{})
		_, again := t.PutOrganisation(company(2))
		if !errors.Is(again, ErrFull) {
			s.Errorf("a lost change goes on: %v", again)
		}
		return nil // takes no notice
	})
	s.refused(ErrFull, func(t *Tx) error { return second(t.Grant(direct(b, g), GrantOptions{})) })
	do(t, admin, `DROP TRIGGER full_ ON mandate_scope`)
	if m := s.grant(direct(b, g)); m.ID != 1 {
		t.Errorf("the first mandate has number %d", m.ID)
	}
	sound(t, s.place)
}

// A question that takes too long has met a lock or a sick disk, and is given up.
func TestAQuestionThatTakesTooLong(t *testing.T) {
	s, _, admin := linked(t, "&statement_timeout=50ms")
	b := s.org(1)
	tx := must(admin.Begin())
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec(`LOCK TABLE organisation_version`); err != nil {
		t.Fatal(err)
	}
	err := s.Read(ctx, func(v *Snapshot) error { return second(v.Organisation(b.KvK.LegalSubject())) })
	if !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
}

// A connection does not serve for ever: an old one is replaced, so that what the server
// keeps for it is given back.
func TestOldConnectionsAreReplaced(t *testing.T) {
	s := newServerScene(t)
	pid := func() (pid int) {
		session := must(s.readers.take(ctx, s.readers.slots))
		defer s.readers.give(session, s.readers.slots)
		if err := session.use(ctx, func() error { return session.row([]any{&pid}, `SELECT pg_backend_pid()`) }); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	first := pid()
	if again := pid(); again != first {
		t.Errorf("a young connection was replaced: %d after %d", again, first)
	}
	session := must(s.readers.take(ctx, s.readers.slots))
	session.born = session.born.Add(-time.Hour)
	s.readers.give(session, s.readers.slots)
	if again := pid(); again == first {
		t.Error("an old connection was used again")
	}
}
