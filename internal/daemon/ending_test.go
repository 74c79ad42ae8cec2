package daemon

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// ending is a daemon that ends what is over, with nothing but a register and a clock that the
// test sets: the journal's reader looks at it too.
type ending struct {
	*Daemon
	t      *testing.T
	begin  time.Time
	at     atomic.Pointer[time.Time]
	folder string
	said   bytes.Buffer // in the log
}

func newEnding(t *testing.T) *ending {
	t.Helper()
	e := &ending{t: t, begin: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), folder: t.TempDir()}
	e.set(e.begin)
	now := func() time.Time { return *e.at.Load() }
	entity, err := etoegang.ParseEntityID("urn:etoegang:MR:00000003520354760000:entities:9001")
	e.must(err)
	r, err := register.Create(t.Context(), filepath.Join(e.folder, "register.db"), entity, time.Millisecond, register.Options{Now: now})
	e.must(err)
	t.Cleanup(func() { _ = r.Close() })
	e.Daemon = &Daemon{register: r, catalogues: newCatalogues(now), now: now, log: slog.New(slog.NewTextHandler(&e.said, nil))}
	return e
}

func (e *ending) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *ending) set(to time.Time) { e.at.Store(&to) }

// chain records what one company has mandated another for, or is asked to.
func (e *ending) chain(state mandate.State, what mandate.Item, years int, o register.GrantOptions) (made mandate.Mandate) {
	e.t.Helper()
	_, err := e.register.Change(e.t.Context(), register.Author{Who: "test", Why: "a chain"}, func(tx *register.Tx) (err error) {
		var parties [2]mandate.Organisation
		for i, number := range []string{"12345678", "87654321"} {
			kvk, err := etoegang.ParseKvKNumber(number)
			e.must(err)
			parties[i], err = tx.PutOrganisation(mandate.Organisation{KvK: kvk, Active: true})
			e.must(err)
		}
		made, err = tx.Grant(mandate.Mandate{Kind: mandate.Chain, Grantor: parties[0], Intermediary: parties[1], State: state,
			Scope: mandate.Scope{what}, Validity: mandate.Validity{From: e.begin, To: e.begin.AddDate(years, 0, 0)}}, o)
		return err
	})
	e.must(err)
	return made
}

func (e *ending) stateOf(m mandate.Mandate) (state mandate.State) {
	e.t.Helper()
	e.must(e.register.Read(e.t.Context(), func(v *register.Snapshot) error {
		m, err := v.Mandate(m.ID)
		state = m.State
		return err
	}))
	return state
}
