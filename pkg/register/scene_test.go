package register

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// The scene of most tests: companies by letter, people by letter, and a clock that
// each test moves itself.

var (
	ctx  = context.Background()
	mr1  = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003520354760000:entities:9001"))
	mr2  = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003520354760000:entities:9002"))
	ad   = must(etoegang.ParseEntityID("urn:etoegang:AD:00000003520354760000:entities:9003"))
	tax  = must(etoegang.ParseServiceUUID("11111111-2222-3333-4444-555555555555"))
	uwv  = must(etoegang.ParseServiceUUID("66666666-7777-8888-9999-000000000000"))
	oin  = must(etoegang.ParseOIN("00000003520354760000"))
	desk = Author{Who: "desk", Why: "paper form 12"}
	noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// lease is short: every change that takes something away waits for it.
const lease = time.Millisecond

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

// clockwork is a clock that stands still until a test moves it.
type clockwork struct{ ns atomic.Int64 }

func newClock() *clockwork {
	c := &clockwork{}
	c.ns.Store(noon.UnixNano())
	return c
}

func (c *clockwork) Now() time.Time { return time.Unix(0, c.ns.Load()) }

// options are those of a register in which this clock's time is written down, though its
// database has another.
func (c *clockwork) options() Options { return Options{Now: c.Now, elsewhen: true} }

func (c *clockwork) advance(d time.Duration) { c.ns.Add(int64(d)) }

// scene is a register with an empty past.
type scene struct {
	*testing.T
	*Register
	place string
	clock *clockwork
}

// onBoth plays a test on each of the two databases: what a register does must not depend
// on where it is.
func onBoth(t *testing.T, play func(*testing.T, *scene)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { play(t, newScene(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { play(t, newServerScene(t)) })
}

// newScene is in a file, newServerScene in a database of its own.
func newScene(t *testing.T) *scene {
	t.Helper()
	return newSceneAt(t, filepath.Join(t.TempDir(), "register.db"))
}

func newServerScene(t *testing.T) *scene {
	t.Helper()
	return newSceneAt(t, servers.Shared(t).DSN())
}

func newSceneAt(t *testing.T, place string) *scene {
	t.Helper()
	s := &scene{T: t, place: place, clock: newClock()}
	o := s.clock.options()
	o.Wait = 50 * time.Millisecond
	r, err := Create(ctx, s.place, mr1, lease, o)
	if err != nil {
		t.Fatal(err)
	}
	s.Register = r
	t.Cleanup(func() { _ = s.Register.Close() })
	return s
}

// change makes a change that must succeed.
func (s *scene) change(fn func(*Tx)) Revision {
	s.Helper()
	receipt, err := s.Change(ctx, desk, func(t *Tx) error { fn(t); return nil })
	if err != nil {
		s.Fatal(err)
	}
	return receipt.Revision
}

// refused makes a change that must fail as wanted.
func (s *scene) refused(want error, fn func(*Tx) error) {
	s.Helper()
	if _, err := s.Change(ctx, desk, fn); !errors.Is(err, want) {
		s.Errorf("got %v, want %v", err, want)
	}
}

// read looks at the register as it is now.
func (s *scene) read(fn func(*Snapshot)) {
	s.Helper()
	if err := s.Read(ctx, func(v *Snapshot) error { fn(v); return nil }); err != nil {
		s.Fatal(err)
	}
}

// readAt looks at the register as it was.
func (s *scene) readAt(rev Revision, fn func(*Snapshot)) {
	s.Helper()
	if err := s.ReadAt(ctx, rev, func(v *Snapshot) error { fn(v); return nil }); err != nil {
		s.Fatal(err)
	}
}

func kvk(n int) etoegang.KvKNumber { return must(etoegang.ParseKvKNumber(fmt.Sprintf("%08d", n))) }

func company(n int) mandate.Organisation {
	return mandate.Organisation{KvK: kvk(n), Name: fmt.Sprintf("Company %d", n), Active: true}
}

func subject(n int) etoegang.ActingSubject {
	return etoegang.ActingSubject{Authenticator: ad, Pseudonym: must(etoegang.ParsePseudonym(fmt.Sprintf("%064x", n)))}
}

func human(n int) mandate.Person {
	return mandate.Person{Subject: subject(n), Name: fmt.Sprintf("Person %d", n), Active: true}
}

// org and person register a company and a person that must be acceptable.
func (s *scene) org(n int) (o mandate.Organisation) {
	s.change(func(t *Tx) { o = must(t.PutOrganisation(company(n))) })
	return o
}

func (s *scene) person(n int) (p mandate.Person) {
	s.change(func(t *Tx) { p = must(t.PutPerson(human(n))) })
	return p
}

func year() mandate.Validity { return mandate.Validity{From: noon, To: noon.AddDate(1, 0, 0)} }

func direct(b mandate.Organisation, g mandate.Person, scope ...mandate.Item) mandate.Mandate {
	return mandate.Mandate{Kind: mandate.Direct, Grantor: b, Person: g, Scope: orAll(scope), State: mandate.Active, Validity: year()}
}

func chain(b, a mandate.Organisation, scope ...mandate.Item) mandate.Mandate {
	return mandate.Mandate{Kind: mandate.Chain, Grantor: b, Intermediary: a, Scope: orAll(scope), State: mandate.Active, Validity: year()}
}

func assignment(c mandate.Mandate, g mandate.Person, scope ...mandate.Item) mandate.Mandate {
	return mandate.Mandate{Kind: mandate.Assignment, Grantor: c.Intermediary, Person: g, Client: c.ID, Scope: orAll(scope), State: mandate.Active, Validity: year()}
}

func orAll(scope []mandate.Item) mandate.Scope {
	if len(scope) == 0 {
		return mandate.Scope{mandate.Everything(etoegang.LoA3)}
	}
	return scope
}

// grant registers a mandate that must be acceptable.
func (s *scene) grant(m mandate.Mandate) (result mandate.Mandate) {
	s.Helper()
	s.change(func(t *Tx) {
		var err error
		if result, err = t.Grant(m, GrantOptions{}); err != nil {
			s.Fatal(err)
		}
	})
	return result
}

func (s *scene) setState(id mandate.ID, to mandate.State) Revision {
	s.Helper()
	return s.change(func(t *Tx) {
		if _, err := t.SetState(id, to); err != nil {
			s.Fatal(err)
		}
	})
}

func ids(list []mandate.Mandate) (ids []mandate.ID) {
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	return ids
}

func branch(n int) etoegang.EstablishmentNumber {
	return must(etoegang.ParseEstablishmentNumber(fmt.Sprintf("%012d", n)))
}
