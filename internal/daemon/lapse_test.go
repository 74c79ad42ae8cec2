package daemon

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Two mandates, of which one is used after a year: the journal knows, and only the other ends
// after two. What ends soon is told by the hour, and use is looked at once a day.
func TestForesee(t *testing.T) {
	e := newEnding(t)
	var made [2]mandate.Mandate
	for i := range made {
		service, err := etoegang.ParseServiceUUID(fmt.Sprintf("11111111-2222-3333-4444-%012d", i))
		e.must(err)
		made[i] = e.chain(mandate.Active, mandate.Item{Service: service, Level: etoegang.LoA3}, 4, register.GrantOptions{})
	}
	// A record that says "used 2" is a use of mandate 2.
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	e.must(err)
	e.journal, err = journal.Open(t.Context(), filepath.Join(e.folder, "journal.db"), journal.Options{Now: e.now, Signer: key, Follow: time.Millisecond,
		Used: func(record []byte) (ids []mandate.ID, service string, err error) {
			if bytes.Contains(record, []byte("used 2")) {
				ids = []mandate.ID{made[1].ID}
			}
			return ids, "x", nil
		}})
	e.must(err)
	defer e.journal.Close()
	record := func(text string) {
		t.Helper()
		var id [16]byte
		_, _ = rand.Read(id[:])
		e.must(e.journal.Append(t.Context(), hex.EncodeToString(id[:]), []byte(text)))
		for {
			u, err := e.journal.LastUse(t.Context(), nil)
			e.must(err)
			if u.Behind == 0 && !u.Since.IsZero() {
				return
			}
		}
	}
	e.config.Unused = 24
	var s sweeper
	states := func(want ...mandate.State) {
		t.Helper()
		e.foresee(t.Context(), &s)
		for i, m := range made {
			if got := e.stateOf(m); got != want[i] {
				t.Errorf("%v: mandate %d is %s, want %s", e.now(), m.ID, got, want[i])
			}
		}
	}
	record("nothing")
	e.set(e.begin.AddDate(1, 0, 0))
	record("used 2")
	for _, days := range []int{60, 30} {
		e.set(e.begin.AddDate(2, 0, -days))
		states(mandate.Active, mandate.Active)
	}
	e.set(e.begin.AddDate(2, 0, 0).Add(-time.Hour))
	states(mandate.Active, mandate.Active)
	e.set(e.begin.AddDate(2, 0, 0))
	states(mandate.Active, mandate.Active) // somebody looked an hour ago
	e.set(e.now().Add(23 * time.Hour))
	states(mandate.LapsedUnused, mandate.Active)
	if log := e.said.String(); strings.Count(log, "warned=1") != 2 || strings.Count(log, "ended=1") != 1 || strings.Contains(log, "12345678") {
		t.Error(log)
	}
	e.said.Reset()
	e.set(made[1].Validity.To.AddDate(0, 0, -60))
	e.config.Unused = 0
	states(mandate.LapsedUnused, mandate.Active)
	if log := e.said.String(); !strings.Contains(log, "notices=2") || strings.Count(log, "\n") != 1 {
		t.Error(log)
	}
	e.must(e.journal.Close())
	e.config.Unused = 24
	e.set(e.now().Add(48 * time.Hour))
	e.foresee(t.Context(), &s)
	if !strings.Contains(e.said.String(), "could not be ended") || !s.lapsed.Before(e.now().Add(-time.Hour)) {
		t.Errorf("a journal that is lost: %s", &e.said)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	e.said.Reset()
	e.foresee(ended, &s)
	if e.said.Len() > 0 {
		t.Errorf("a daemon that stops complains: %s", &e.said)
	}
}
