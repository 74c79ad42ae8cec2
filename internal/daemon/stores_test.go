package daemon_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

func createRegister(c daemon.Config, now func() time.Time) error {
	r, err := register.Create(ctx, c.Path(c.Register), c.EntityID(), time.Duration(c.Lease), register.Options{Now: now})
	if err != nil {
		return err
	}
	return r.Close()
}

// configure changes the daemon's configuration file.
func (s *scene) configure(change func(settings map[string]any)) {
	s.t.Helper()
	settings := map[string]any{}
	if err := yaml.Unmarshal(s.read("register/mandated.yaml"), &settings); err != nil {
		s.t.Fatal(err)
	}
	change(settings)
	s.write("register/mandated.yaml", must(yaml.Marshal(settings)))
}

func (s *scene) swapSigning(keys ...any) {
	s.t.Helper()
	s.configure(func(settings map[string]any) { settings["signing"] = keys })
	s.reload()
}

// What the daemon has opened already cannot change under its feet: it says so, and goes on
// as it was.
func TestSomeSettingsNeedARestart(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.configure(func(settings map[string]any) { settings["journal"] = "elsewhere.db" })
	if err := s.n.First.Reload(); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("Reload says %v", err)
	}
	s.permitted("on the journal that was open")
}

// A register that is not the right one is not served, and the operator is told what to do.
func TestRegisterThatCannotBeServed(t *testing.T) {
	for _, c := range []struct {
		why, want string
		ruin      func(*scene)
	}{
		{"there is none", `make one with "mandated register create"`, func(s *scene) {
			_ = os.Rename(s.file("register/register.db"), s.file("register/elsewhere.db"))
		}},
		{"it is a letter", "not a register", func(s *scene) {
			for _, tail := range []string{"-wal", "-shm"} {
				_ = os.Remove(s.file("register/register.db" + tail))
			}
			s.write("register/register.db", []byte("Dear reader,"))
		}},
		{"a newer program has written it", "newer version of this program", func(s *scene) {
			s.exec(s.database("register.db"), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
		}},
		{"it is another register's", "is the register of urn:etoegang:MR:", func(s *scene) {
			s.configure(func(settings map[string]any) {
				settings["entity"] = "urn:etoegang:MR:00000003876543210000:entities:9002"
			})
		}},
		{"it may not be written", "cannot be written", func(s *scene) {
			if os.Geteuid() == 0 {
				s.t.Skip("root may write everything")
			}
			_ = os.Chmod(s.file("register/register.db"), 0o400)
		}},
		{"the journal is the register", "opening the journal", func(s *scene) {
			s.configure(func(settings map[string]any) { settings["journal"] = "register.db" })
		}},
		{"the journal lost its end", "does not reach or fit its last checkpoint", func(s *scene) {
			_ = os.Remove(s.file("register/journal.db"))
		}},
		{"the guard is a letter", "opening the replay guard", func(s *scene) {
			for _, tail := range []string{"-wal", "-shm"} {
				_ = os.Remove(s.file("register/guard.db" + tail))
			}
			s.write("register/guard.db", []byte(strings.Repeat("Dear reader, ", 100)))
		}},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, harness.Options{})
			s.permitted("at the start")
			if err := s.n.Stop(ctx); err != nil {
				t.Fatal(err)
			}
			c.ruin(s)
			if err := s.startError(); !strings.Contains(err.Error(), c.want) {
				t.Errorf("starting although %s: %v; want %q", c.why, err, c.want)
			}
		})
	}
}

// Somebody else writes in the register, an import for instance: questions are answered
// meanwhile, on what was there before.
func TestAnswersWhileAnotherWrites(t *testing.T) {
	s := newScene(t, harness.Options{})
	db := s.database("register.db")
	s.exec(db, `BEGIN IMMEDIATE`)
	s.permitted("while another process holds the write lock")
	if status, text := s.page("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz says %d %q", status, text)
	}
	s.exec(db, `ROLLBACK`)
	s.permitted("after that")
}

// fail makes every new row of a table fail, as a full disk would, until mend is called.
func (s *scene) fail(store, table string) (mend func()) {
	s.t.Helper()
	db := s.database(store)
	s.exec(db, `CREATE TRIGGER broken BEFORE INSERT ON `+table+` BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
	return func() { s.exec(db, `DROP TRIGGER broken`) }
}

// A decision that cannot be recorded is not given: nobody is told Permit, nobody Deny,
// nothing is believed, and operators see it.
func TestJournalThatCannotBeWritten(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.permitted("at the start")
	mend := s.fail("journal.db", "records")
	s.notFoundOut("with a journal that cannot be written")
	if got := s.metric(`mandated_refusals_total{why="Indeterminate"}`); got != "1" {
		t.Errorf("counted %q times", got)
	}
	if got := s.metric(`mandated_decisions_total{outcome="Permit",question="authorize",source="register"}`); got != "1" {
		t.Errorf("%s Permits are counted, one was given", got)
	}
	mend()
	if status, text := s.page("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, "journal: ") {
		t.Errorf("/readyz says %d %q", status, text)
	}
	s.n.Clock().Advance(10 * time.Second)
	s.ready("a moment after the last failure: only a question can show that it works again")
	if got := s.healthy("journal"); got != "1" {
		t.Errorf("ready, and mandated_source_healthy of the journal is %s", got)
	}
	s.permitted("once the journal can be written again")
	if got := len(s.records()); got != 2 {
		t.Errorf("%d records of 2 decisions", got)
	}
}

// Without a guard nobody can tell whether a message is a copy. It is refused, and no
// decision is made about it.
func TestGuardThatCannotBeAsked(t *testing.T) {
	s := newScene(t, harness.Options{})
	mend := s.fail("guard.db", "admitted")
	s.notFoundOut("with a guard that cannot be asked")
	if got := len(s.records()); got != 0 {
		t.Errorf("%d decisions were made", got)
	}
	if got := s.metric(`mandated_refusals_total{why="Indeterminate"}`); got != "1" {
		t.Errorf("counted %q times", got)
	}
	mend()
	s.permitted("once the guard can be asked again")
}

// A register that cannot be read is no reason to say no: the answer is that it could not
// be found out, and that is recorded too.
func TestRegisterThatCannotBeRead(t *testing.T) {
	s := newScene(t, harness.Options{})
	db := s.database("register.db")
	s.exec(db, `PRAGMA legacy_alter_table = ON`)
	s.exec(db, `ALTER TABLE mandate_version RENAME TO hidden`)
	s.notFoundOut("with a register that cannot be read")
	records := s.records()
	if len(records) != 1 || records[0].Outcome != "Indeterminate" || records[0].Failure == "" || records[0].Reasons != nil {
		t.Errorf("recorded: %+v", records)
	}
	if got := s.metric(`mandated_refusals_total{why="Indeterminate"}`); got != "1" {
		t.Errorf("counted %q times", got)
	}
	s.exec(db, `ALTER TABLE hidden RENAME TO mandate_version`)
	s.permitted("once it can be read again")
}

// A daemon that is told to stop first says so to whoever sends it questions, answers what
// it has begun, and signs the end of its journal.
func TestGracefulStop(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.permitted("at the start")
	message := must(s.n.Broker.Query(s.question()))
	connection := s.halfway(message)
	operations := s.n.First.Operations

	stopped := make(chan error, 1)
	go func() { stopped <- s.n.Stop(ctx) }()
	until(t, "readiness says that the daemon is stopping", func() bool {
		status, text, err := fetch(operations + "/readyz")
		return err == nil && status == http.StatusServiceUnavailable && strings.Contains(text, "stopping")
	})
	until(t, "no new connection is taken", func() bool {
		c, err := net.Dial("tcp", connection.RemoteAddr().String())
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a question under way: %v", err)
	default:
	}
	reply := s.finish(connection, message)
	if !reply.Permitted() {
		t.Errorf("the question under way is answered %+v", reply)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stopping: %v", err)
	}
	if report := s.verify(); report.Records != 2 || report.Proven != 2 || report.Unproven != 0 || len(report.Problems) > 0 {
		t.Errorf("the journal after the stop: %+v", report)
	}
}

// exchange is a question of which the daemon has begun to read the body.
type exchange struct {
	net.Conn
	answers *bufio.Reader
}

// halfway sends a question up to its middle. The daemon asks for the body once it has
// begun with the question, so that nobody has to guess whether it has.
func (s *scene) halfway(message []byte) exchange {
	s.t.Helper()
	address := must(url.Parse(s.n.First.Address))
	connection, err := net.Dial("tcp", address.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = connection.Close() })
	e := exchange{connection, bufio.NewReader(connection)}
	_, err = fmt.Fprintf(e, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/xml\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		address.Path, address.Host, len(message))
	if err != nil {
		s.t.Fatal(err)
	}
	if response, err := http.ReadResponse(e.answers, nil); err != nil || response.StatusCode != http.StatusContinue {
		s.t.Fatalf("the daemon does not ask for the body: %v", err)
	}
	if _, err := e.Write(message[:len(message)/2]); err != nil {
		s.t.Fatal(err)
	}
	return e
}

// finish sends the rest, and reads the answer.
func (s *scene) finish(e exchange, message []byte) *saml.Reply {
	s.t.Helper()
	if _, err := e.Write(message[len(message)/2:]); err != nil {
		s.t.Fatal(err)
	}
	response, err := http.ReadResponse(e.answers, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body := must(readAll(response))
	register := s.n.First.Party
	key := register.Signer()
	d := saml.NewDirectory(saml.Participant{Entity: register.Entity, Signing: keysOf(key)})
	reply, err := saml.ReadReply(body, d, idOf(message), s.n.Now())
	if err != nil {
		s.t.Fatalf("HTTP %d: %v", response.StatusCode, err)
	}
	return reply
}

// Whoever asks a stopped daemon to look at its files again hears that it cannot, and does
// not wait for ever.
func TestReloadAfterStop(t *testing.T) {
	s := newScene(t, harness.Options{})
	if err := s.n.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	d, err := daemon.Start(ctx, s.config(), daemon.Options{Dev: true, Log: quiet, Now: s.n.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	heard := make(chan error, 1)
	go func() { heard <- d.Reload() }()
	bound, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	select {
	case err := <-heard:
		if err == nil {
			t.Error("a stopped daemon says that it reloaded")
		}
	case <-bound.Done():
		t.Error("Reload waits for ever after Stop")
	}
}

// A port that somebody else has is told, and leaves nothing open behind it: the register
// can be served as soon as the port is free.
func TestPortThatIsTaken(t *testing.T) {
	for _, key := range []string{"listen", "operations"} {
		s := newScene(t, harness.Options{})
		if err := s.n.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		c := s.config()
		address := map[string]string{"listen": c.Listen, "operations": c.Operations}[key]
		taken, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.startError(); !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), "listening") {
			t.Errorf("%s: %v", key, err)
		}
		_ = taken.Close()
		d, err := daemon.Start(ctx, c, daemon.Options{Dev: true, Log: quiet, Now: s.n.Now})
		if err != nil {
			t.Fatalf("%s: after the port was free: %v", key, err)
		}
		if err := d.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
}

// Stores that are named by the configuration are made for their owner only.
func TestStoresAreForTheirOwner(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.permitted("at the start")
	if err := s.n.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"register.db", "journal.db", "guard.db", "checkpoints.jsonl"} {
		info, err := os.Stat(filepath.Join(s.n.Folder, "register", name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}
