package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/register"
)

// edition is a service catalogue with one provider and nothing that he offers.
func edition(t *testing.T, sequence int64) (*catalogue.Catalogue, []byte) {
	t.Helper()
	doc := catalogue.Build(catalogue.Spec{Version: fmt.Sprintf("urn:etoegang:1.13:service-catalogue:T:%d", sequence), Issued: time.Now(),
		Providers: []catalogue.ProviderSpec{{OIN: "00000003123456780000", Names: map[string]string{"nl": "Gemeente", "en": "Town"}, Public: true}}}).Bytes()
	parsed, _, err := catalogue.Parse(doc, catalogue.Trust{File: true}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return parsed, doc
}

// A catalogue of the real network takes tens of megabytes: only those asked for last stay,
// and one that somebody waits for.
func TestOldCataloguesAreLetGo(t *testing.T) {
	c := newCatalogues(time.Now)
	awaited, _ := c.entry(1)
	for sequence := int64(2); sequence <= 6; sequence++ {
		parsed, _ := edition(t, sequence)
		c.add(parsed)
		if _, loaded := c.Loaded(2); !loaded {
			t.Errorf("the one that is used all the time is gone after edition %d", sequence)
		}
	}
	for sequence, want := range map[int64]bool{2: true, 3: false, 4: false, 5: false, 6: true} {
		if _, loaded := c.Loaded(sequence); loaded != want {
			t.Errorf("edition %d at hand: %v, want %v", sequence, loaded, want)
		}
	}
	if e, mine := c.entry(1); mine || e != awaited {
		t.Error("the one that somebody waits for is gone")
	}
}

// Whoever reads a catalogue for all may go away. Those who wait did not: one of them reads
// it then. A store that fails is told to all.
func TestWaitersOutliveTheFirst(t *testing.T) {
	ctx := context.Background()
	entity, err := etoegang.ParseEntityID("urn:etoegang:MR:00000003123456780000:entities:9001")
	if err != nil {
		t.Fatal(err)
	}
	r, err := register.Create(ctx, filepath.Join(t.TempDir(), "register.db"), entity, time.Millisecond, register.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	parsed, doc := edition(t, 1)
	if _, err := r.Change(ctx, register.Author{Who: "test", Why: "catalogue"}, func(x *register.Tx) error {
		return x.PutCatalogue(CatalogueVersion(parsed, doc))
	}); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the store is broken")
	for first, want := range map[error]error{context.Canceled: nil, context.DeadlineExceeded: nil, broken: broken} {
		c := newCatalogues(time.Now)
		reader := newReader(r, c, nil, prometheus.NewRegistry(), nil)
		e, _ := c.entry(1) // the first one's
		c.entry(2)
		answer := make(chan error)
		go func() {
			answer <- reader.Read(ctx, func(s *register.Snapshot) error {
				if _, loaded := c.Loaded(s.CatalogueSequence()); !loaded {
					t.Error("asked in a snapshot whose catalogue is not at hand")
				}
				return nil
			})
		}()
		for last := int64(2); last != 1; runtime.Gosched() { // until the other has asked for it too
			c.mu.Lock()
			last = c.used[len(c.used)-1]
			c.mu.Unlock()
		}
		c.forget(1, e)
		e.err = first
		close(e.done)
		if err := <-answer; err != want {
			t.Errorf("the first one failed with %v, and who waited hears %v", first, err)
		}
	}
}

// A mistake of ours in reading a catalogue is an error for all who wait, and ends no process.
func TestCatalogueThatPanics(t *testing.T) {
	c := newCatalogues(func() time.Time { panic("no idea what time it is") })
	_, doc := edition(t, 1)
	e, _ := c.entry(1)
	go c.parse(e, register.CatalogueVersion{Sequence: 1, Document: doc})
	if err := e.wait(t.Context()); err == nil || !strings.Contains(err.Error(), "no idea what time it is") {
		t.Errorf("those who wait hear %v", err)
	}
}
