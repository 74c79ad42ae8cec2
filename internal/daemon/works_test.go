package daemon_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/register"
)

// started is a daemon that the test itself has started, in place of the network's.
func (s *scene) started() *daemon.Daemon {
	s.t.Helper()
	if err := s.n.Stop(ctx); err != nil {
		s.t.Fatal(err)
	}
	d, err := daemon.Start(ctx, s.config(), daemon.Options{Dev: true, Log: quiet, Now: s.n.Now})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = d.Stop(ctx) })
	return d
}

// Staff see of every file with metadata since when it is in use as it is, when it was last read
// without a fault, and what is wrong with it.
func TestStaffSeePeers(t *testing.T) {
	clock := harness.NewClock(time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC))
	s := newScene(t, harness.Options{Clock: clock})
	d := s.started()
	began := clock.Now()
	peers := func() map[string]pages.Source {
		found := map[string]pages.Source{}
		for _, source := range d.Works().Peers() {
			found[filepath.Base(source.Name)] = source
		}
		return found
	}
	const broker = "metadata-broker.xml"
	if first := peers()[broker]; len(first.Participants) != 1 || first.Participants[0].Entity != s.n.Broker.Entity || !first.Since.Equal(began) || !first.Read.Equal(began) || first.Problem != nil {
		t.Fatalf("at first: %+v", first)
	}
	good := s.read(broker)
	s.write(broker, []byte("Dear reader,"))
	clock.Advance(time.Hour)
	if d.Reload() == nil {
		t.Fatal("nothing was wrong")
	}
	for name, source := range peers() {
		if broken := name == broker; (source.Problem != nil) != broken || source.Read.Equal(began) != broken || !source.Since.Equal(began) || len(source.Participants) == 0 {
			t.Errorf("with one that is broken, %s: %+v", name, source)
		}
	}
	if problem := peers()[broker].Problem; problem != nil && !strings.Contains(problem.Error(), broker+": ") {
		t.Errorf("it says %v", problem)
	}
	s.write(broker, good)
	if err := d.Reload(); err != nil {
		t.Fatal(err)
	}
	if again := peers()[broker]; again.Problem != nil || !again.Since.Equal(began) || !again.Read.Equal(clock.Now()) {
		t.Errorf("after the repair: %+v", again)
	}
	s.write(broker, s.metadata(s.n.Broker.Party, clock.Now().Add(time.Hour), s.n.Scheme.Signer()))
	if err := d.Reload(); err != nil {
		t.Fatal(err)
	}
	if changed := peers()[broker]; !changed.Since.Equal(clock.Now()) {
		t.Errorf("with others in it: since %s", changed.Since)
	}
}

// Staff look back at any edition that was in use, and at one that is not yet: it is believed as
// little as the one in its place would be, and puts nothing in force.
func TestStaffSeeEditions(t *testing.T) {
	s := newScene(t, harness.Options{})
	d := s.started()
	s.write("catalogue.xml", s.catalogueDocument("2", "vat", s.n.Scheme.Signer()))
	if err := d.Reload(); err != nil {
		t.Fatal(err)
	}
	for n := range int64(2) {
		if c, err := d.Works().Edition(ctx, n+1); err != nil || c.Sequence() != n+1 {
			t.Errorf("edition %d: %v", n+1, err)
		}
	}
	if _, err := d.Works().Edition(ctx, 3); !errors.Is(err, register.ErrNotFound) {
		t.Errorf("an edition that never was: %v", err)
	}
	if c, err := d.Works().ReadEdition(s.catalogueDocument("3", "toll", s.n.Scheme.Signer())); err != nil || c.Sequence() != 3 {
		t.Errorf("the next: %v", err)
	}
	if _, err := d.Works().ReadEdition(s.catalogueDocument("3", "toll", s.n.Broker.Signer())); err == nil {
		t.Error("one that a broker signed is believed")
	}
	if _, err := d.Works().Edition(ctx, 3); !errors.Is(err, register.ErrNotFound) {
		t.Errorf("looking at one has put it in force: %v", err)
	}
	// Whom the configuration no longer trusts, nobody believes here either.
	config := s.read("register/mandated.yaml")
	s.write("register/mandated.yaml", bytes.Replace(config, []byte("catalogue.xml\n    trust: ../keys/scheme.crt"), []byte("catalogue.xml\n    trust: ../keys/broker.crt"), 1))
	if err := d.Reload(); err == nil {
		t.Fatal("the scheme's catalogue is believed by another certificate")
	}
	if _, err := d.Works().ReadEdition(s.catalogueDocument("3", "toll", s.n.Scheme.Signer())); err == nil {
		t.Error("one that is trusted no more is believed")
	}
	if _, err := d.Works().ReadEdition(s.catalogueDocument("3", "toll", s.n.Broker.Signer())); err != nil {
		t.Errorf("by the certificate that is trusted now: %v", err)
	}
}
