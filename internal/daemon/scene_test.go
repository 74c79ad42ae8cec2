package daemon_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	_ "modernc.org/sqlite" // to break files in the way that others can

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

var (
	ctx    = context.Background()
	bakery = harness.Company("Bakkerij De Korenbloem", "12345678", "123456782")
)

// scene is a network in which Anna may act for the bakery. Its daemon is one that a test
// may disturb in every way.
type scene struct {
	t       *testing.T
	n       *harness.Network
	vat     harness.Service
	anna    mandate.Person
	mandate mandate.ID
}

func newScene(t *testing.T, o harness.Options) *scene {
	t.Helper()
	s := &scene{t: t, n: harness.Start(t, o)}
	s.vat, s.anna = s.n.Services["vat"], s.n.NewPerson("Anna")
	var err error
	if s.mandate, err = s.n.First.Direct(bakery, s.anna, harness.For(s.vat, etoegang.LoA3)); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) question() harness.Question {
	return harness.Question{Person: s.anna, Service: s.vat}
}

// ask asks whether Anna may act, and gives the verified answer.
func (s *scene) ask() *harness.Result {
	s.t.Helper()
	result, err := s.n.Broker.Authorize(ctx, s.question())
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

func (s *scene) permitted(when string) {
	s.t.Helper()
	if r := s.ask(); r.Reply == nil || !r.Reply.Permitted() {
		s.t.Errorf("%s, Anna may no longer act: HTTP %d, %+v", when, r.HTTPStatus, r.Reply)
	}
}

// notFoundOut wants the one answer to a failure of our own: neither Permit nor Deny, and
// not a word about what failed.
func (s *scene) notFoundOut(when string) {
	s.t.Helper()
	r := s.ask()
	if r.Reply == nil || r.Reply.Status != saml.ResponderFailed || r.Reply.Message != "" || r.Reply.Statement != nil {
		s.t.Errorf("%s, the answer is HTTP %d, %+v", when, r.HTTPStatus, r.Reply)
	}
}

// file is the path of a file in the network's folder.
func (s *scene) file(name string) string { return filepath.Join(s.n.Folder, filepath.FromSlash(name)) }

func (s *scene) read(name string) []byte {
	s.t.Helper()
	data, err := os.ReadFile(s.file(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

func (s *scene) write(name string, data []byte) {
	s.t.Helper()
	if err := os.WriteFile(s.file(name), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// page fetches a page for operators.
func (s *scene) page(path string) (status int, text string) {
	s.t.Helper()
	status, text, err := fetch(s.n.First.Operations + path)
	if err != nil {
		s.t.Fatal(err)
	}
	return status, text
}

func fetch(address string) (status int, text string, err error) {
	response, err := http.Get(address)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// metric gives the value of a metric with its labels, as Prometheus reads it; "" if there
// is none.
func (s *scene) metric(name string) string {
	s.t.Helper()
	_, text := s.page("/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// ready wants the daemon to be ready and both sources to be what was last read.
func (s *scene) ready(when string) {
	s.t.Helper()
	status, text := s.page("/readyz")
	if status != http.StatusOK || s.healthy("metadata") != "1" || s.healthy("catalogue") != "1" {
		s.t.Errorf("%s: /readyz says %d %q, metadata %s, catalogue %s", when, status, text, s.healthy("metadata"), s.healthy("catalogue"))
	}
}

func (s *scene) healthy(source string) string {
	s.t.Helper()
	return s.metric(`mandated_source_healthy{source="` + source + `"}`)
}

// config is the daemon's own, as its file has it now.
func (s *scene) config() daemon.Config {
	s.t.Helper()
	c, err := daemon.LoadConfig(s.n.First.Config, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// restart stops the daemon and starts it on what its files say now.
func (s *scene) restart() {
	s.t.Helper()
	if err := s.n.First.Restart(ctx); err != nil {
		s.t.Fatal(err)
	}
}

// startError stops the daemon, and gives why another does not start in its place.
func (s *scene) startError() error {
	s.t.Helper()
	if err := s.n.Stop(ctx); err != nil {
		s.t.Fatal(err)
	}
	d, err := daemon.Start(ctx, s.config(), daemon.Options{Dev: true, Log: quiet, Now: s.n.Now})
	if err == nil {
		_ = d.Stop(ctx)
		return errors.New("it started")
	}
	return err
}

// database opens a store of the daemon, as another process on the machine can.
func (s *scene) database(name string) *sql.DB {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.file("register/"+name))
	if err != nil {
		s.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *scene) exec(db *sql.DB, statement string) {
	s.t.Helper()
	if _, err := db.Exec(statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// records reads the journal beside the daemon.
func (s *scene) records() []pdp.Record {
	s.t.Helper()
	j, err := journal.Open(ctx, s.file("register/journal.db"), journal.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	kept, err := j.Records(ctx, 0, 10_000)
	if err != nil {
		s.t.Fatal(err)
	}
	list := make([]pdp.Record, len(kept))
	for i, r := range kept {
		if err := json.Unmarshal(r.Body, &list[i]); err != nil {
			s.t.Fatal(err)
		}
	}
	return list
}

// verify proves the journal from the checkpoints outside it.
func (s *scene) verify() journal.Report {
	s.t.Helper()
	signer, err := daemon.ReadCertificates(s.file("keys/register.crt"))
	if err != nil {
		s.t.Fatal(err)
	}
	report, err := journal.Verify(ctx, s.file("register/journal.db"), bytes.NewReader(s.read("register/checkpoints.jsonl")), signer[0].PublicKey)
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

// metadata describes a participant until then, with its own keys unless others are given.
func (s *scene) metadata(p *harness.Party, until time.Time, by xmlsec.Signer, keys ...xmlsec.Key) []byte {
	s.t.Helper()
	if keys == nil {
		keys = keysOf(p.Signer())
	}
	signed, err := saml.Description{
		ID: saml.NewID(), Entity: p.Entity, Until: until, Organisation: p.Title, Contact: "desk@example.test", Signing: keys, Encryption: keys,
		Consumers: []saml.Consumer{{Endpoint: saml.Endpoint{Binding: saml.BindingArtifact, Location: p.Consumer}, Index: 1, Default: true}},
	}.Sign(by)
	if err != nil {
		s.t.Fatal(err)
	}
	return signed.Bytes()
}

// catalogueDocument is an edition of the service catalogue with the VAT return in it.
func (s *scene) catalogueDocument(sequence, name string, by xmlsec.Signer) []byte {
	s.t.Helper()
	both := map[string]string{"nl": name, "en": name}
	home := s.vat.Home
	e := catalogue.Build(catalogue.Spec{
		ID: saml.NewID(), Version: "urn:etoegang:1.13:service-catalogue:T:" + sequence, Issued: s.n.Now(),
		Providers: []catalogue.ProviderSpec{{
			OIN: home.Entity.OIN().String(), Names: both, Public: true,
			Definitions: []catalogue.DefinitionSpec{{
				UUID: s.vat.UUID.String(), Names: both, Descriptions: both, Level: s.vat.Level.URN(), Broker: s.n.Broker.Entity.OIN().String(),
				EntityTypes: [][]string{{string(etoegang.TypeKvKNr)}}, Public: true,
			}},
			Instances: []catalogue.InstanceSpec{{
				ID: s.vat.ID.String(), UUID: s.vat.UUID.String(), Of: s.vat.UUID.String(), Broker: s.n.Broker.Entity.OIN().String(), Public: true,
				Certificates: keysOf(home.Signer()),
			}},
		}},
	})
	by.X509 = true
	if err := by.Sign(e); err != nil {
		s.t.Fatal(err)
	}
	return e.Bytes()
}

// until looks again and again until something is so. It only bounds a test that would
// otherwise hang; nothing is judged by how long it takes.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	bound, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !so() {
		select {
		case <-bound.Done():
			t.Fatalf("it never came about: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

var queryID = regexp.MustCompile(`<xacml-samlp:XACMLAuthzDecisionQuery[^>]* ID="([^"]+)"`)

// idOf is the id of the query in a message.
func idOf(message []byte) string { return string(queryID.FindSubmatch(message)[1]) }

// The metrics are named as Prometheus wants names.
func TestMetricsAreWellNamed(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.permitted("at the start")
	_, text := s.page("/metrics")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	problems = slices.DeleteFunc(problems, func(p promlint.Problem) bool { return !strings.HasPrefix(p.Metric, "mandated_") })
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	if status, text := s.page("/healthz"); status != http.StatusOK || text != "alive\n" {
		t.Errorf("/healthz says %d %q", status, text)
	}
}

func readAll(r *http.Response) ([]byte, error) { return io.ReadAll(r.Body) }

func keysOf(s xmlsec.Signer) []xmlsec.Key {
	return []xmlsec.Key{{Name: s.KeyName, Certificate: s.Certificate}}
}
