package outside_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

var ctx = context.Background()

// The companies of all scenes. Their numbers must never turn up in a log.
var (
	bakery = harness.Company("Bakkerij De Korenbloem", "12345678", "123456782")
	office = harness.Company("Kantoor Telraam", "65432198", "")
)

// morning is when all scenes are played.
var morning = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// played counts what was sent, over the whole run.
var played struct{ hostile, honest atomic.Int64 }

// stage is a running network with the people of the scenes: Anna, who may act for the
// bakery, and Bob, who no longer may. Beside the parties of the harness it has a second
// broker, a broker whose certificate has expired, one whose metadata have, and a trap
// that nobody must ever walk into.
type stage struct {
	t     testing.TB
	net   *harness.Network
	clock *harness.Clock
	vat   harness.Service
	anna  mandate.Person
	bob   mandate.Person

	rival, expired, forgotten *actor

	to      *harness.RegisterNode // the register that is asked
	journal *journal.Journal
	seen    int64  // records of the journal
	counted counts // at the last look
	log     *servers.Said
	trap    *httptest.Server
	trapped atomic.Int64
}

// actor is a participant that the harness does not know.
type actor struct {
	entity   etoegang.EntityID
	consumer string
	pair     devkeys.Pair
}

func (a *actor) signer() xmlsec.Signer {
	return xmlsec.Signer{Key: a.pair.Key, KeyName: a.pair.KeyName(), Certificate: a.pair.Certificate}
}

// newStage starts the network. When the test ends, the journal must hold only decisions,
// the log and the metrics must name nobody, and the trap must be empty.
func newStage(t testing.TB, o harness.Options) *stage {
	t.Helper()
	s := &stage{t: t, clock: harness.NewClock(morning.Add(-time.Minute)), log: &servers.Said{}}
	s.trap = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.trapped.Add(1) }))
	t.Cleanup(s.trap.Close)
	o.Clock = s.clock
	o.Log = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	configure, strangers := o.Configure, s.strangers()
	o.Configure = func(settings map[string]any) {
		settings["metadata"] = append(settings["metadata"].([]any), strangers...)
		// Every message is a test of both engines, of which either may be the first.
		settings["xmlsec"] = map[string]any{"engine": cmp.Or(os.Getenv("MANDATED_XML_ENGINE"), "fast"), "cross_check": 1}
		if configure != nil {
			configure(settings)
		}
	}
	s.net = harness.Start(t, o)
	s.clock.Advance(time.Minute) // in which the metadata of one participant expire
	s.vat = s.net.Services["vat"]
	s.anna, s.bob = s.net.NewPerson("Anna"), s.net.NewPerson("Bob")
	s.grant()
	s.turnTo(s.net.First)
	t.Cleanup(s.inspect)
	return s
}

// grant gives Anna a mandate, and Bob one that is taken away again.
func (s *stage) grant() {
	s.t.Helper()
	must[mandate.ID](s.t)(s.net.First.Direct(bakery, s.anna, harness.For(s.vat, etoegang.LoA3)))
	id := must[mandate.ID](s.t)(s.net.First.Direct(bakery, s.bob, harness.For(s.vat, etoegang.LoA3)))
	if err := s.net.First.Revoke(id); err != nil {
		s.t.Fatal(err)
	}
}

// turnTo makes a register the one that is asked from now on, and looks at what it has
// counted and recorded so far.
func (s *stage) turnTo(r *harness.RegisterNode) {
	s.t.Helper()
	path := filepath.Join(filepath.Dir(r.Config), "journal.db")
	j := must[*journal.Journal](s.t)(journal.Open(ctx, path, journal.Options{}))
	s.t.Cleanup(func() { _ = j.Close() })
	s.to, s.journal, s.seen = r, j, 0
	s.recorded()
	s.grown()
}

// strangers makes the participants of our own, with metadata signed by a scheme of our
// own, and returns the entries for the daemon's configuration.
func (s *stage) strangers() (entries []any) {
	s.t.Helper()
	folder := s.t.TempDir()
	scheme := devkeys.Pair{Name: "other-scheme", Key: strangersKey(0)}
	scheme = must[devkeys.Pair](s.t)(devkeys.Certify(scheme.Name, scheme.Key, morning))
	if err := scheme.Write(folder); err != nil {
		s.t.Fatal(err)
	}
	s.rival = s.stranger(1, 9104, morning)
	s.expired = s.stranger(2, 9105, morning.Add(-devkeys.Lifetime-time.Hour))
	s.forgotten = s.stranger(3, 9106, morning)
	for i, a := range []*actor{s.rival, s.expired, s.forgotten} {
		until := morning.AddDate(1, 0, 0)
		if a == s.forgotten {
			until = morning.Add(-time.Second)
		}
		key := []xmlsec.Key{{Name: a.pair.KeyName(), Certificate: a.pair.Certificate}}
		meta := must[*xmlsec.Element](s.t)(saml.Description{
			ID: saml.NewID(), Entity: a.entity, Until: until, Organisation: "stranger", Contact: "desk@stranger.test",
			Signing: key, Encryption: key,
			Consumers: []saml.Consumer{{Endpoint: saml.Endpoint{Binding: saml.BindingArtifact, Location: a.consumer}, Index: 1, Default: true}},
		}.Sign(xmlsec.Signer{Key: scheme.Key, KeyName: scheme.KeyName(), Certificate: scheme.Certificate}))
		file := filepath.Join(folder, fmt.Sprintf("stranger-%d.xml", i))
		if err := os.WriteFile(file, meta.Bytes(), 0o600); err != nil {
			s.t.Fatal(err)
		}
		entries = append(entries, map[string]any{"file": file, "trust": filepath.Join(folder, scheme.CertificateFile())})
	}
	return entries
}

func (s *stage) stranger(key, index int, certified time.Time) *actor {
	s.t.Helper()
	name := fmt.Sprintf("stranger-%d", index)
	return &actor{
		entity:   must[etoegang.EntityID](s.t)(etoegang.ParseEntityID(fmt.Sprintf("urn:etoegang:HM:00000003333333330000:entities:%d", index))),
		consumer: "https://" + name + ".test/acs/1.13",
		pair:     must[devkeys.Pair](s.t)(devkeys.Certify(name, strangersKey(key), certified)),
	}
}

var strangersKeys struct {
	sync.Mutex
	list []*rsa.PrivateKey
}

// strangersKey makes the keys once for all scenes.
func strangersKey(i int) *rsa.PrivateKey {
	strangersKeys.Lock()
	defer strangersKeys.Unlock()
	for len(strangersKeys.list) <= i {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		strangersKeys.list = append(strangersKeys.list, key)
	}
	return strangersKeys.list[i]
}

// weakPair is a key of 1024 bits with a certificate of its own.
var weakPair = sync.OnceValue(func() devkeys.Pair {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "weak"},
		NotBefore: morning.Add(-time.Hour), NotAfter: morning.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return devkeys.Pair{Name: "weak", Key: key, Certificate: certificate}
})

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// reply is what came back over HTTP.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// post sends a message as an honest client would: with the right Content-Type.
func (s *stage) post(message []byte) reply {
	s.t.Helper()
	request := must[*http.Request](s.t)(http.NewRequestWithContext(ctx, http.MethodPost, s.to.Address, bytes.NewReader(message)))
	request.Header.Set("Content-Type", "text/xml")
	return s.do(request)
}

func (s *stage) do(request *http.Request) reply {
	s.t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatalf("the daemon did not answer: %v", err)
	}
	defer response.Body.Close()
	body := must[[]byte](s.t)(io.ReadAll(response.Body))
	return reply{response.StatusCode, response.Header, body}
}

// counts is what the daemon counted: faults by defence, refusals by reason, and decisions,
// wherever they came from.
type counts map[string]int

func (s *stage) counts() counts {
	s.t.Helper()
	found := counts{}
	for line := range strings.Lines(s.metrics()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		for prefix, short := range map[string]string{
			"mandated_faults_total{": "fault ", "mandated_refusals_total{": "refusal ", "mandated_decisions_total{": "decision ",
		} {
			if labels, ok := strings.CutPrefix(name, prefix); ok {
				n := 0
				_, _ = fmt.Sscan(value, &n)
				labels, _, _ = strings.Cut(strings.TrimSuffix(labels, "}"), `,source=`)
				found[short+labels] += n
			}
		}
	}
	return found
}

func (s *stage) metrics() string {
	s.t.Helper()
	response, err := http.Get(s.to.Operations + "/metrics")
	if err != nil {
		s.t.Fatalf("reading the metrics: %v", err)
	}
	defer response.Body.Close()
	return string(must[[]byte](s.t)(io.ReadAll(response.Body)))
}

// grown gives what was counted since the last look.
func (s *stage) grown() counts {
	s.t.Helper()
	now := s.counts()
	grown := maps.Clone(now)
	maps.DeleteFunc(grown, func(k string, n int) bool { return n == s.counted[k] })
	for k := range grown {
		grown[k] -= s.counted[k]
	}
	s.counted = now
	return grown
}

// recorded gives how many records the journal has got since the last look.
func (s *stage) recorded() int {
	s.t.Helper()
	records := must[[]journal.Record](s.t)(s.journal.Records(ctx, s.seen, 10_000))
	s.seen += int64(len(records))
	return len(records)
}

// ours is the directory of somebody who believes the register and nobody else.
func (s *stage) ours() *saml.Directory { return saml.NewDirectory(participant(s.to.Party)) }

func participant(p *harness.Party) saml.Participant {
	signer := p.Signer()
	return saml.Participant{Entity: p.Entity, Signing: []xmlsec.Key{{Name: signer.KeyName, Certificate: signer.Certificate}}}
}

// defence gives the name under which a fault is counted.
func defence(err error) string {
	_, text, _ := strings.Cut(err.Error(), ": ")
	return strings.ReplaceAll(text, " ", "-")
}
