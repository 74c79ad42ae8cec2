package daemon_test

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A file that is no longer good must not stop anybody: the last good version stays in
// use. It must not be silent either: whoever reloads hears what is wrong, readiness and
// metrics say which source it is, and all is well again once the file is repaired.
func TestBrokenFilesKeepTheLastGoodOnes(t *testing.T) {
	letter := func(*scene) []byte { return []byte("Dear reader,") }
	for _, c := range []struct {
		name, file, source, says string
		content                  func(*scene) []byte // nil: the file is gone
	}{
		{"metadata that are no XML", "metadata-broker.xml", "metadata", "metadata-broker.xml", letter},
		{"metadata that are gone", "metadata-broker.xml", "metadata", "no such file", nil},
		{"metadata signed by the participant itself", "metadata-broker.xml", "metadata", "signature", func(s *scene) []byte {
			return s.metadata(s.n.Broker.Party, s.n.Now().Add(time.Hour), s.n.Broker.Signer())
		}},
		{"metadata that have expired", "metadata-broker.xml", "metadata", "valid", func(s *scene) []byte {
			return s.metadata(s.n.Broker.Party, s.n.Now().Add(-time.Hour), s.n.Scheme.Signer())
		}},
		{"metadata that are a catalogue", "metadata-broker.xml", "metadata", "not an EntitiesDescriptor", func(s *scene) []byte { return s.read("catalogue.xml") }},
		{"a key that others can read", "keys/register.key", "keys", "others can read the key file", func(s *scene) []byte {
			_ = os.Chmod(s.file("keys/register.key"), 0o644)
			return s.read("keys/register.key")
		}},
		{"a certificate of another key", "keys/register.crt", "keys", "does not belong to the key", func(s *scene) []byte { return s.read("keys/broker.crt") }},
		{"a trust that is no certificate", "keys/scheme.crt", "metadata", "there is no certificate in it", letter},
		{"a catalogue that is no XML", "catalogue.xml", "catalogue", "catalogue.xml", letter},
		{"a catalogue that is gone", "catalogue.xml", "catalogue", "no such file", nil},
		{"a catalogue signed by a broker", "catalogue.xml", "catalogue", "sign", func(s *scene) []byte { return s.catalogueDocument("3", "vat", s.n.Broker.Signer()) }},
		{"an older catalogue", "catalogue.xml", "catalogue", "not newer", func(s *scene) []byte { return s.catalogueDocument("1", "vat", s.n.Scheme.Signer()) }},
		{"another catalogue under the same number", "catalogue.xml", "catalogue", "not newer", func(s *scene) []byte { return s.catalogueDocument("2", "toll", s.n.Scheme.Signer()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, harness.Options{})
			s.write("catalogue.xml", s.catalogueDocument("2", "vat", s.n.Scheme.Signer()))
			s.reload()
			good := s.read(c.file)
			if c.content == nil {
				_ = os.Remove(s.file(c.file))
			} else {
				s.write(c.file, c.content(s))
			}
			if err := s.n.First.Reload(); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Reload says %v, want %q", err, c.says)
			}
			s.permitted("on the last good version")
			if status, text := s.page("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains("\n"+text, "\n"+c.source+": ") || !strings.Contains(text, c.says) {
				t.Errorf("/readyz says %d %q, want %s and %q", status, text, c.source, c.says)
			}
			if got := s.healthy(c.source); got != "0" {
				t.Errorf("mandated_source_healthy of %s is %s", c.source, got)
			}

			s.write(c.file, good)
			_ = os.Chmod(s.file(c.file), 0o600)
			s.reload()
			s.ready("after the repair")
			s.permitted("after the repair")
		})
	}
}

func (s *scene) reload() {
	s.t.Helper()
	if err := s.n.First.Reload(); err != nil {
		s.t.Fatal(err)
	}
}

// One broken file does not hold up the others: what they say comes into use.
func TestBrokenFileHoldsUpNobodyElse(t *testing.T) {
	s := newScene(t, harness.Options{})
	pair := must(devkeys.Certify("next", keyring()["one"], s.n.Now()))
	next := xmlsec.Key{Name: pair.KeyName(), Certificate: pair.Certificate}
	s.write("metadata-provider-municipality.xml", []byte("Dear reader,"))
	s.write("metadata-broker.xml", s.metadata(s.n.Broker.Party, s.n.Now().Add(time.Hour), s.n.Scheme.Signer(), next))
	if err := s.n.First.Reload(); err == nil || !strings.Contains(err.Error(), "metadata-provider-municipality.xml") {
		t.Errorf("Reload says %v", err)
	}
	if r := s.ask(); r.Fault == "" {
		t.Errorf("a key that the broker has withdrawn is believed, because of another's file: %+v", r.Reply)
	}
}

// Two things that are wrong are both told.
func TestBothSourcesAreTold(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.write("metadata-broker.xml", []byte("Dear reader,"))
	s.write("catalogue.xml", []byte("Dear reader,"))
	if err := s.n.First.Reload(); err == nil || !strings.Contains(err.Error(), "metadata-broker.xml") || !strings.Contains(err.Error(), "catalogue.xml") {
		t.Errorf("Reload says %v", err)
	}
	if _, text := s.page("/readyz"); !strings.Contains(text, "catalogue: ") || !strings.Contains(text, "\nmetadata: ") {
		t.Errorf("/readyz says %q", text)
	}
}

// A newer catalogue is in use from the reload on, and decides: a service that is no
// longer in it is unknown.
func TestNewerCatalogueDecides(t *testing.T) {
	s := newScene(t, harness.Options{})
	permit := harness.Question{Person: s.anna, Service: s.n.Services["permit"]}
	s.write("catalogue.xml", s.catalogueDocument("2", "vat", s.n.Scheme.Signer()))
	before := must(s.n.Broker.Authorize(ctx, permit)).Reply.Codes()
	s.reload()
	after := must(s.n.Broker.Authorize(ctx, permit)).Reply.Codes()
	if len(before) != 1 || before[0] == "service-unknown" || len(after) != 1 || after[0] != "service-unknown" {
		t.Errorf("before the reload %v, after it %v", before, after)
	}
	s.permitted("with the newer catalogue")
	records := s.records()
	if last := records[len(records)-1]; last.Catalogue != 2 {
		t.Errorf("the record names catalogue %d", last.Catalogue)
	}
}

// A daemon that starts must not depend on a file that others wrote: the register has kept
// the last good catalogue. Only a register that never had one cannot do without.
func TestStartWithBrokenCatalogue(t *testing.T) {
	s := newScene(t, harness.Options{})
	good := s.read("catalogue.xml")
	s.write("catalogue.xml", []byte("Dear reader,"))
	s.restart()
	s.permitted("with the catalogue that the register has kept")
	if status, text := s.page("/readyz"); status != http.StatusServiceUnavailable || !strings.HasPrefix(text, "catalogue: ") {
		t.Errorf("/readyz says %d %q", status, text)
	}
	s.write("catalogue.xml", good)
	s.reload()
	s.ready("after the repair")

	s.write("catalogue.xml", []byte("Dear reader,"))
	if err := s.startNew(); err == nil || !strings.Contains(err.Error(), "reading the service catalogue") {
		t.Errorf("a new register without a catalogue starts: %v", err)
	}
}

// startNew starts on a register that has just been made.
func (s *scene) startNew() error {
	s.t.Helper()
	if err := s.n.Stop(ctx); err != nil {
		s.t.Fatal(err)
	}
	c := s.config()
	c.Register = "new.db"
	if err := createRegister(c, s.n.Now); err != nil {
		s.t.Fatal(err)
	}
	d, err := daemon.Start(ctx, c, daemon.Options{Dev: true, Log: quiet, Now: s.n.Now})
	if err == nil {
		_ = d.Stop(ctx)
	}
	return err
}

// Without metadata nobody could be believed: a daemon does not start on such files.
func TestNoStartWithBrokenMetadata(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.write("metadata-broker.xml", []byte("Dear reader,"))
	if err := s.startError(); !strings.Contains(err.Error(), "metadata-broker.xml") {
		t.Errorf("starting: %v", err)
	}
}

// Reloading is no pause. While files are looked at again without end, every question is
// answered, and every answer is right.
func TestReloadUnderLoad(t *testing.T) {
	s := newScene(t, harness.Options{})
	done, reloads := make(chan struct{}), sync.WaitGroup{}
	reloads.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if err := s.n.First.Reload(); err != nil {
				t.Errorf("reloading: %v", err)
			}
		}
	})
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for range 12 {
				r, err := s.n.Broker.Authorize(ctx, s.question())
				if err != nil || r.Reply == nil || !r.Reply.Permitted() {
					t.Errorf("during a reload: %v, %+v", err, r)
				}
			}
		})
	}
	askers.Wait()
	close(done)
	reloads.Wait()
	if got := len(s.records()); got != 48 {
		t.Errorf("%d records of 48 answers", got)
	}
}

// A broker changes its key. While both are in its metadata both are believed; once the
// old one is gone, nobody can use it any more, and no honest question is lost.
func TestKeyOfABrokerIsReplaced(t *testing.T) {
	s := newScene(t, harness.Options{})
	old := keysOf(s.n.Broker.Signer())[0]
	pair := must(devkeys.Certify("next", keyring()["one"], s.n.Now()))
	next := xmlsec.Key{Name: pair.KeyName(), Certificate: pair.Certificate}
	publish := func(keys ...xmlsec.Key) {
		s.write("metadata-broker.xml", s.metadata(s.n.Broker.Party, s.n.Now().Add(time.Hour), s.n.Scheme.Signer(), keys...))
		s.reload()
	}
	publish(old, next)
	s.permitted("with the next key published")
	publish(next)
	if r := s.ask(); r.Fault == "" {
		t.Errorf("a removed key is still believed: %+v", r.Reply)
	}
	publish(next, old)
	s.permitted("after the key came back")
}

// We change our own key without a pause: the next one is published, later it signs, and
// in the end the old one is gone.
func TestOwnKeyIsReplaced(t *testing.T) {
	folder := t.TempDir()
	pair := must(devkeys.Certify("next", keyring()["two"], time.Now()))
	if err := pair.Write(folder); err != nil {
		t.Fatal(err)
	}
	old := map[string]any{"key": "../keys/register.key", "certificate": "../keys/register.crt"}
	next := map[string]any{"key": folder + "/next.key", "certificate": folder + "/next.crt"}
	s := newScene(t, harness.Options{Configure: func(settings map[string]any) {
		settings["signing"], settings["encryption"] = []any{old, next}, []any{next, old}
	}})
	keys := map[string][]xmlsec.Key{"old": keysOf(s.n.First.Signer()), "next": {{Name: pair.KeyName(), Certificate: pair.Certificate}}}
	published := func() int {
		status, text, err := fetch(strings.Replace(s.n.First.Address, "/soap", "/metadata", 1))
		if err != nil || status != http.StatusOK {
			t.Fatalf("HTTP %d, %v", status, err)
		}
		signer := must(daemon.ReadCertificates(s.file("keys/register.crt")))
		participants, _, err := saml.ParseMetadata([]byte(text), saml.Trust{Certificates: append(signer, pair.Certificate)}, s.n.Now())
		if err != nil || participants[0].Entity != s.n.First.Entity {
			t.Fatalf("our own metadata: %v", err)
		}
		return len(participants[0].Signing)
	}
	signedBy := func(r *harness.Result) string {
		for name, key := range keys {
			d := saml.NewDirectory(saml.Participant{Entity: s.n.First.Entity, Signing: key})
			if _, err := saml.ReadReply(r.Received, d, idOf(r.Sent), s.n.Now()); err == nil {
				return name
			}
		}
		return "nobody"
	}
	if got, by := published(), signedBy(s.ask()); got != 2 || by != "old" {
		t.Errorf("with the next key published: %d keys, answers signed by %s", got, by)
	}
	s.permitted("with identifiers encrypted to the key that is on its way out")

	s.swapSigning(next, old)
	switched, _ := s.n.Broker.Authorize(ctx, s.question()) // the harness knows the old key alone
	if got, by := published(), signedBy(switched); got != 2 || by != "next" {
		t.Errorf("after the switch: %d keys, answers signed by %s", got, by)
	}
	s.swapSigning(next)
	last, _ := s.n.Broker.Authorize(ctx, s.question())
	if got, by := published(), signedBy(last); got != 1 || by != "next" {
		t.Errorf("after the old one went: %d keys, answers signed by %s", got, by)
	}
}

// An edition that the register refuses must not take away the one in use, which cannot
// always be read again.
func TestRefusedCatalogueTakesNothingAway(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.write("catalogue.xml", s.catalogueDocument("2", "vat", s.n.Scheme.Signer()))
	s.reload()
	s.write("catalogue.xml", s.catalogueDocument("2", "toll", s.n.Scheme.Signer()))
	if err := s.n.First.Reload(); err == nil || !strings.Contains(err.Error(), "not newer") {
		t.Errorf("Reload says %v", err)
	}
	db := s.database("register.db")
	s.exec(db, `DROP TRIGGER catalogue_version_kept`)
	s.exec(db, `UPDATE catalogue_version SET document = x'00'`)
	s.permitted("on the catalogue at hand, which can no longer be read")
}

// Somebody moves from one file to another, and the file that he left is broken at that
// moment: what the new file says of him counts, whatever stands in for the old one.
func TestParticipantWhoMoves(t *testing.T) {
	for name, files := range map[string][2]string{
		"to an earlier file": {"metadata-provider-municipality.xml", "metadata-broker.xml"},
		"to a later file":    {"metadata-broker.xml", "metadata-provider-municipality.xml"},
	} {
		s := newScene(t, harness.Options{})
		s.configure(func(settings map[string]any) {
			list := settings["metadata"].([]any)
			place := func(file string) int {
				return slices.IndexFunc(list, func(one any) bool { return strings.HasSuffix(one.(map[string]any)["file"].(string), file) })
			}
			first, second := place(files[0]), place(files[1])
			if (first < second) != (name == "to an earlier file") {
				list[first], list[second] = list[second], list[first]
			}
		})
		s.reload()
		pair := must(devkeys.Certify("next", keyring()["one"], s.n.Now()))
		next := xmlsec.Key{Name: pair.KeyName(), Certificate: pair.Certificate}
		s.write("metadata-broker.xml", []byte("Dear reader,"))
		s.write("metadata-provider-municipality.xml", s.metadata(s.n.Broker.Party, s.n.Now().Add(time.Hour), s.n.Scheme.Signer(), next))
		for range 8 { // chance must have no part in it
			if err := s.n.First.Reload(); err == nil || !strings.Contains(err.Error(), "metadata-broker.xml") {
				t.Errorf("%s: Reload says %v", name, err)
			}
			if r := s.ask(); r.Fault == "" {
				t.Fatalf("%s: a key that the broker has withdrawn is believed: %+v", name, r.Reply)
			}
		}
	}
}

// Two descriptions of one participant are a mistake that somebody must hear of; meanwhile the
// file that comes first counts, and who stood in the other keeps his last good description.
func TestParticipantDescribedTwice(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.reload()
	pair := must(devkeys.Certify("next", keyring()["one"], s.n.Now()))
	next := xmlsec.Key{Name: pair.KeyName(), Certificate: pair.Certificate}
	s.write("metadata-provider-municipality.xml", s.metadata(s.n.Broker.Party, s.n.Now().Add(time.Hour), s.n.Scheme.Signer(), next))
	if err := s.n.First.Reload(); err == nil || !strings.Contains(err.Error(), "metadata-provider-municipality.xml: "+s.n.Broker.Entity.String()+" is described in") {
		t.Errorf("Reload says %v", err)
	}
	s.permitted("by the broker's own description")
}
