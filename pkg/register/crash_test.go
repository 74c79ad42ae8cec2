package register

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// childEnv tells the test binary that it is the process to be killed, and on which
// register.
const childEnv = "REGISTER_TEST_CHILD"

// child grants and revokes until it is killed or has done a thousand of each, and
// prints every change that was acknowledged. It is false in the parent.
func child() bool {
	path := os.Getenv(childEnv)
	if path == "" {
		return false
	}
	r := must(Open(ctx, path, newClock().options()))
	var b mandate.Organisation
	var g mandate.Person
	must(r.Change(ctx, desk, func(t *Tx) error {
		b, g = must(t.PutOrganisation(company(1))), must(t.PutPerson(human(1)))
		return revokeAll(t) // granted, and killed before it was acknowledged
	}))
	for range 1000 {
		var m mandate.Mandate
		rev := must(r.Change(ctx, desk, func(t *Tx) (err error) {
			m, err = t.Grant(freshMandate(b, g), GrantOptions{})
			return err
		}))
		fmt.Println(rev.Revision, m.ID, m.State)
		rev = must(r.Change(ctx, desk, func(t *Tx) (err error) {
			m, err = t.SetState(m.ID, mandate.Revoked)
			return err
		}))
		fmt.Println(rev.Revision, m.ID, m.State)
	}
	return true
}

// freshMandate covers two services and a branch, so that it is many rows.
func freshMandate(b mandate.Organisation, g mandate.Person) mandate.Mandate {
	m := direct(b, g, mandate.Item{Service: tax, Level: etoegang.LoA3}, mandate.Item{Service: uwv, Level: etoegang.LoA3})
	m.Establishments = []etoegang.EstablishmentNumber{branch(1)}
	return m
}

// The process dies by SIGKILL at a moment nobody chose. Everything it had
// acknowledged is there afterwards, and nothing is half there.
func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		for range rounds(10, 200) {
			kept(t, s.place, killSomewhere(t, s.place))
		}
	})
}

// rounds is how often something dies: more where there is time for it (make soak).
func rounds(usual, soak int) int {
	if os.Getenv("MANDATED_SOAK") == "1" {
		return soak
	}
	return usual
}

// The database is killed under the hands of those who write in it, and comes back. What
// was acknowledged is there, what failed is not, each change is whole, and whoever writes
// goes on with the register he had open.
func TestWhatWasAcknowledgedSurvivesTheDatabase(t *testing.T) {
	d := servers.Postgres(t, servers.PostgresOptions{Durable: true})
	r := must(Create(ctx, d.DSN(), mr1, lease, newClock().options()))
	defer r.Close()
	var b mandate.Organisation
	var people [4]mandate.Person
	must(r.Change(ctx, desk, func(t *Tx) error {
		b = must(t.PutOrganisation(company(1)))
		for i := range people {
			people[i] = must(t.PutPerson(human(i + 1)))
		}
		return nil
	}))
	before := Revision(1)
	for round := range rounds(3, 50) {
		var killed atomic.Bool
		var writing sync.WaitGroup
		lists := make([][]acknowledgement, len(people))
		started := make(chan bool, 1000)
		for i, g := range people {
			writing.Go(func() { lists[i] = writeUntilLost(t, r, b, g, &killed, started) })
		}
		for range 4 + rand.IntN(40) {
			<-started
		}
		killed.Store(true)
		d.Kill()
		d.Start()
		writing.Wait() // also for whoever had to find out whether his commit was made
		acknowledged := slices.Concat(lists...)
		kept(t, d.DSN(), acknowledged)
		now := must(r.Poll(ctx, 0, 1)).Newest.Revision
		if made := int(now - before); made != len(acknowledged) {
			t.Errorf("%d changes were acknowledged, %d were made", len(acknowledged), made)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		before = must(r.Change(ctx, desk, revokeAll)).Revision // what was granted last is in the way
	}
}

// revokeAll ends what was granted and not acknowledged.
func revokeAll(t *Tx) error {
	left, _, err := t.Snapshot().Mandates(Filter{State: mandate.Active}, 0, 1000)
	for _, m := range left {
		if err == nil {
			_, err = t.SetState(m.ID, mandate.Revoked)
		}
	}
	return err
}

// writeUntilLost grants and revokes until the database is killed.
func writeUntilLost(t *testing.T, r *Register, b mandate.Organisation, g mandate.Person, killed *atomic.Bool, started chan bool) (list []acknowledgement) {
	for !killed.Load() {
		var m mandate.Mandate
		for _, step := range []func(*Tx) error{
			func(t *Tx) (err error) { m, err = t.Grant(freshMandate(b, g), GrantOptions{}); return err },
			func(t *Tx) (err error) { m, err = t.SetState(m.ID, mandate.Revoked); return err },
		} {
			receipt, err := r.Change(ctx, desk, step)
			if err != nil {
				if !killed.Load() || errors.Is(err, ErrUncertain) {
					t.Error(err)
				}
				return list
			}
			list = append(list, acknowledgement{receipt.Revision, m.ID, m.State})
			select {
			case started <- true:
			default:
			}
		}
	}
	return list
}

// kept opens the register anew and finds everything that was acknowledged, as it was
// then, in a store that is whole.
func kept(t *testing.T, place string, acknowledged []acknowledgement) {
	t.Helper()
	r, err := Open(ctx, place, Options{})
	if err != nil {
		t.Fatalf("opening after the kill: %v", err)
	}
	defer r.Close()
	for _, a := range acknowledged {
		err := r.ReadAt(ctx, a.revision, func(v *Snapshot) error {
			m, err := v.Mandate(a.id)
			if err == nil && (m.State != a.state || len(m.Scope) != 2 || len(m.Establishments) != 1) {
				err = fmt.Errorf("it is %s over %d items", m.State, len(m.Scope))
			}
			return err
		})
		if err != nil {
			t.Fatalf("acknowledged in revision %d: mandate %d %s: %v", a.revision, a.id, a.state, err)
		}
	}
	sound(t, place)
}

type acknowledgement struct {
	revision Revision
	id       mandate.ID
	state    mandate.State
}

// killSomewhere runs the child, kills it in the middle of its work, and gives what it
// had acknowledged.
func killSomewhere(t *testing.T, path string) (list []acknowledgement) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out := must(cmd.StdoutPipe())
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	kill := time.Duration(rand.Int64N(int64(200 * time.Millisecond)))
	for first := true; ; first = false {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break // a line that was cut off was not acknowledged
		}
		var a acknowledgement
		if _, err := fmt.Sscan(line, &a.revision, &a.id, &a.state); err != nil {
			t.Fatalf("the child said %q: %v", line, err)
		}
		list = append(list, a)
		if first {
			time.AfterFunc(kill, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait()
	if len(list) == 0 {
		t.Fatal("the child acknowledged nothing")
	}
	return list
}

// sound checks from outside, in plain SQL, that the store is whole: its references, and
// that revisions, feed, versions and scope belong together.
func sound(t *testing.T, place string) {
	t.Helper()
	db := raw(t, place)
	defer db.Close()
	checks := map[string]string{
		"revisions missing":               `SELECT (SELECT revision FROM head) + 1 - count(*) FROM revision`,
		"revisions beyond the head":       `SELECT count(*) FROM revision WHERE revision > (SELECT revision FROM head)`,
		"revisions that touched nobody":   `SELECT count(*) FROM revision WHERE revision > 0 AND revision NOT IN (SELECT revision FROM change_feed)`,
		"mandates without scope":          `SELECT count(*) FROM mandate WHERE id NOT IN (SELECT mandate FROM mandate_scope)`,
		"mandates without first version":  `SELECT count(*) FROM mandate WHERE id NOT IN (SELECT mandate FROM mandate_version WHERE version = 1)`,
		"mandates without branches":       `SELECT count(*) FROM mandate WHERE limited <> (id IN (SELECT mandate FROM mandate_establishment))`,
		"mandates with two current ones":  `SELECT count(*) FROM (SELECT 1 FROM mandate_version WHERE until = 9223372036854775807 GROUP BY mandate HAVING count(*) > 1) AS twice`,
		"mandates without a current one":  `SELECT count(*) FROM mandate WHERE id NOT IN (SELECT mandate FROM mandate_version WHERE until = 9223372036854775807)`,
		"companies without a current one": `SELECT count(*) FROM organisation WHERE id NOT IN (SELECT organisation FROM organisation_version WHERE until = 9223372036854775807)`,
		"persons without a current one":   `SELECT count(*) FROM person WHERE id NOT IN (SELECT person FROM person_version WHERE until = 9223372036854775807)`,
	}
	if !postgres.IsPlace(place) { // PostgreSQL checks references on its own, and its pages when they are read
		checks["pages"] = `SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'`
		checks["references"] = `SELECT count(*) FROM pragma_foreign_key_check`
	}
	for why, query := range checks {
		var n int
		if err := db.QueryRow(query).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d (%v)", why, n, err)
		}
	}
}
