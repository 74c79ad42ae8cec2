package api

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The scene: a register behind real TLS, and three organisations with software: a bakery, its
// accountant's office, and a farm that has nothing to do with either.

var (
	ctx    = context.Background()
	mr     = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003520354760000:entities:9001"))
	keeper = register.Author{Who: "command line", Why: "test"}
	bakery = desk.Party{KvK: kvk(1), Name: "Bakkerij Vroeg"}
	office = desk.Party{KvK: kvk(2), Name: "Kantoor Bol"}
	farm   = desk.Party{KvK: kvk(3), Name: "Hoeve Zuid"}
	itself = desk.Party{Name: "the register"}
)

const (
	vat     = "11111111-2222-3333-4444-555555555555"
	permits = "66666666-7777-8888-9999-000000000000"
	ad      = "urn:etoegang:AD:00000003520354760000:entities:9003"
	address = "https://mandates.example"
)

// terms are such that chains cost something.
var terms = desk.Terms{
	Prices: mandate.PriceList{{Kind: mandate.Chain, Level: etoegang.LoA3, Years: 1, Cents: 1995}},
	Sets:   []mandate.ServiceSet{{Name: map[string]string{"nl": "Belastingen", "en": "Taxes"}, Services: []etoegang.ServiceUUID{must(etoegang.ParseServiceUUID(vat))}}},
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func kvk(n int) etoegang.KvKNumber {
	return must(etoegang.ParseKvKNumber(fmt.Sprintf("%08d", 10000000+n)))
}

func pseudonym(n int) string { return fmt.Sprintf("%064x", 0xe0000+n) }

// scene is a register with an API.
type scene struct {
	testing.TB
	desk     *desk.Desk
	register *register.Register
	server   *httptest.Server
	api      *api
	log      *servers.Said
	used     map[mandate.ID]journal.Use
	asked    atomic.Pointer[func()] // is called once, when somebody next asks the time while he looks or writes

	bakery, bakerysReader, office, officesReader, farm *program
}

// onBoth plays a test on each of the two databases.
func onBoth(t *testing.T, play func(*testing.T, *scene)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { play(t, newScene(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { play(t, newSceneAt(t, servers.Shared(t).DSN())) })
}

func newScene(t testing.TB) *scene {
	t.Helper()
	return newSceneAt(t, filepath.Join(t.TempDir(), "register.db"))
}

// offers is a catalogue in which the tax office and a city offer one service each.
func offers() []byte {
	offer := func(oin, uuid, nl, en string) catalogue.ProviderSpec {
		names := map[string]string{"nl": nl, "en": en}
		return catalogue.ProviderSpec{OIN: oin, Names: names, Definitions: []catalogue.DefinitionSpec{{UUID: uuid, Names: names, Descriptions: names,
			Level: etoegang.LoA3.URN(), Broker: "00000003520354760000", EntityTypes: [][]string{{string(etoegang.TypeKvKNr)}}}}}
	}
	return catalogue.Build(catalogue.Spec{Version: "urn:etoegang:1.13:53", Issued: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
		Providers: []catalogue.ProviderSpec{offer("00000004003214345001", vat, "Btw-aangifte", "VAT return"), offer("00000001823288444000", permits, "Vergunning aanvragen", "Apply for a permit")}}).Bytes()
}

func newSceneAt(t testing.TB, place string) *scene {
	t.Helper()
	s := &scene{TB: t, log: &servers.Said{}, used: map[mandate.ID]journal.Use{}}
	r := must(register.Create(ctx, place, mr, time.Millisecond, register.Options{Now: func() time.Time {
		if asked := s.asked.Swap(nil); asked != nil {
			(*asked)()
		}
		return time.Now()
	}}))
	t.Cleanup(func() { _ = r.Close() })
	g := must(guard.Open(ctx, filepath.Join(t.TempDir(), "guard.db"), nil))
	t.Cleanup(func() { _ = g.Close() })
	document := offers()
	services := must2(catalogue.Parse(document, catalogue.Trust{File: true}, time.Now()))
	_ = must(r.Change(ctx, keeper, func(t *register.Tx) error {
		return t.PutCatalogue(register.CatalogueVersion{Sequence: services.Sequence(), Version: services.Version(), Issued: services.Issued(),
			SHA256: services.SHA256(), Signer: "test", Document: document})
	}))
	s.desk, s.register = desk.New(r, edition{services}).With(terms), r
	a, h, err := build(Config{
		Desk: s.desk, Guard: g, Address: address, Contact: Contact{"Register", "help@mandates.example", "https://mandates.example/help"},
		Catalogue: func() *catalogue.Catalogue { return services },
		LastUse: func(_ context.Context, ids []mandate.ID) (journal.Uses, error) {
			return journal.Uses{Last: s.used, Since: time.Unix(0, 0).UTC(), UpTo: time.Now().UTC()}, nil
		},
		Folder: t.TempDir(), Log: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.api = a
	s.server = httptest.NewUnstartedServer(h)
	s.server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError) // answers that are cut off
	s.server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	s.bakery, s.bakerysReader = s.appoint(bakery, mandate.Program), s.appoint(bakery, mandate.Reader)
	s.office, s.officesReader = s.appoint(office, mandate.Program), s.appoint(office, mandate.Reader)
	s.farm = s.appoint(farm, mandate.Program)
	return s
}

// edition is the only edition of the catalogue.
type edition struct{ *catalogue.Catalogue }

func (e edition) Of(*register.Snapshot) (*catalogue.Catalogue, error) { return e.Catalogue, nil }

func must2[T, U any](v T, _ U, err error) T { return must(v, err) }

// program is software with a key and a certificate, and somewhere an appointment.
type program struct {
	*scene
	key         *ecdsa.PrivateKey
	certificate tls.Certificate
	appointment mandate.Appointment
	client      *http.Client
}

// newProgram is nobody to the register yet.
func (s *scene) newProgram(from, until time.Time) *program {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p := &program{scene: s, key: key, certificate: certify(key, from, until)}
	p.client = s.showing(p.certificate)
	return p
}

// certify makes a certificate of a key.
func certify(key crypto.Signer, from, until time.Time) tls.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a program"}, NotBefore: from, NotAfter: until}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// showing is a client that shows a certificate.
func (s *scene) showing(c tls.Certificate) *http.Client {
	transport := s.server.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.Certificates = []tls.Certificate{c}
	transport.ExpectContinueTimeout = time.Minute
	s.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (p *program) public() []byte { return spki(p.key.Public()) }

func spki(key crypto.PublicKey) []byte { return must(x509.MarshalPKIXPublicKey(key)) }

func credential(shown, public []byte) register.Credential {
	return register.Credential{Fingerprint: sha256.Sum256(shown), Public: public}
}

// appoint gives an organisation a program, which shows a certificate or a key; or a director, or
// one of the register's staff, who acts through one.
func (s *scene) appoint(of desk.Party, role mandate.Role) *program {
	s.Helper()
	p := s.newProgram(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	s.appointAs(p, of, role)
	return p
}

func (s *scene) appointAs(p *program, of desk.Party, role mandate.Role) mandate.Appointment {
	s.Helper()
	from := time.Now().Truncate(time.Second)
	if of != itself {
		_ = must(s.register.Change(ctx, keeper, func(t *register.Tx) error {
			_, err := t.PutOrganisation(mandate.Organisation{KvK: of.KvK, Name: of.Name, Active: true})
			return err
		}))
	}
	wish := desk.Appointment{Company: of.KvK, Role: role, Name: "the ledger of " + of.Name, Level: etoegang.LoA3,
		Validity:    mandate.Validity{From: from, To: from.AddDate(4, 0, 0)},
		Credentials: []register.Credential{credential(p.certificate.Certificate[0], p.public()), credential(p.public(), p.public())}}
	if role == mandate.Director {
		wish.Authority = mandate.Jointly
	}
	made := must(s.desk.AppointAtDesk(ctx, keeper, wish))
	p.appointment = made.Appointment
	return made.Appointment
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    error // the answer was cut off
}

func (a answer) problem() (p Problem) {
	_ = json.Unmarshal(a.body, &p)
	return p
}

// ask sends a request with what headers there are, "Name: value", to which an answer must come.
func (p *program) ask(method, path string, body any, headers ...string) answer {
	p.Helper()
	a := p.try(method, path, body, headers...)
	if a.status == 0 {
		p.Fatal(a.cut)
	}
	return a
}

// try is ask for an answer that may be cut off before it begins: without a status.
func (p *program) try(method, path string, body any, headers ...string) answer {
	p.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case io.Reader:
		in = b
	case string:
		in = strings.NewReader(b)
	default:
		in = bytes.NewReader(must(json.Marshal(b)))
	}
	r := must(http.NewRequest(method, p.server.URL+path, in))
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	got, err := p.client.Do(r)
	if err != nil {
		return answer{cut: err}
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, text, err}
}

// get reads an answer that must come.
func get[T any](p *program, path string) (v T) {
	p.Helper()
	p.read(p.ask("GET", Path+path, nil), http.StatusOK, &v)
	return v
}

// post takes a step that must succeed.
func (p *program) post(path string, body any) (v Single) {
	p.Helper()
	p.read(p.ask("POST", Path+path, body), http.StatusCreated, &v)
	return v
}

func (p *program) read(a answer, status int, into any) {
	p.Helper()
	if a.status != status || a.cut != nil {
		p.Fatalf("status %d, want %d: %s (%v)", a.status, status, a.body, a.cut)
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		p.Fatalf("%v: %s", err, a.body)
	}
}

// refused checks a refusal.
func (p *program) refused(what string, a answer, status int, code string) {
	p.Helper()
	if got := a.problem(); a.status != status || got.Code != code || got.Status != status || got.Title == "" || got.Detail == "" ||
		a.header.Get("Content-Type") != "application/problem+json" {
		p.Errorf("%s: %d %s, want %d %s: %s", what, a.status, got.Code, status, code, a.body)
	}
}

// day is a day after today, as the calendar of Amsterdam has it.
func day(n int) string {
	return mandate.InAmsterdam(time.Now()).AddDate(0, 0, n).Format(time.DateOnly)
}

type object = map[string]any

func company(p desk.Party) object { return object{"kvkNumber": p.KvK.Text(), "name": p.Name} }

// chain is a wish for a chain mandate of the bakery for the office.
func chain(scope ...string) object {
	return object{"kind": "chain", "grantor": company(bakery), "intermediary": company(office), "scope": scope,
		"from": day(0), "until": day(300), "why": "new client"}
}

func direct(of desk.Party, person int, scope ...string) object {
	return object{"kind": "direct", "grantor": company(of), "person": object{"authenticator": ad, "pseudonym": pseudonym(person), "name": fmt.Sprint("Employee ", person)},
		"scope": scope, "from": day(0), "until": day(300), "why": "new colleague"}
}

func assignment(client int64, person int, scope ...string) object {
	w := direct(office, person, scope...)
	w["kind"], w["client"] = "assignment", client
	return w
}

var because = object{"why": "test"}

// administrator is a person of an organisation, who has accepted an invitation.
func (s *scene) administrator(of desk.Party) desk.Caller {
	from := time.Now().Truncate(time.Second)
	made := must(s.desk.AppointAtDesk(ctx, keeper, desk.Appointment{Company: of.KvK, Role: mandate.Administrator, Name: "Anna", Level: etoegang.LoA3,
		Validity: mandate.Validity{From: from, To: from.AddDate(3, 0, 0)}}))
	a := must(s.desk.AcceptInvitation(ctx, desk.Visitor{Company: of.KvK, Issuer: mr, Pseudonym: "anna", Level: etoegang.LoA4}, made.Invitation))
	return desk.Caller{Appointment: a.ID, Level: etoegang.LoA3}
}

// expired is a program of the bakery's of which the certificate is over.
func (s *scene) expired() *program {
	p := s.newProgram(time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
	s.appointAs(p, bakery, mandate.Program)
	return p
}

// stopped is a program of a company that takes part no more.
func (s *scene) stopped() *program {
	of := desk.Party{KvK: kvk(4), Name: "Gone"}
	p := s.appoint(of, mandate.Program)
	_ = must(s.register.Change(ctx, keeper, func(t *register.Tx) error {
		_, err := t.PutOrganisation(mandate.Organisation{KvK: of.KvK, Name: of.Name})
		return err
	}))
	return p
}
