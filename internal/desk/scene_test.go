package desk

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The scene: a bakery, its accountant's office, and the register's own staff; each with
// people who were invited and have logged in.

var (
	ctx      = context.Background()
	mr       = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003520354760000:entities:9001"))
	ad       = must(etoegang.ParseEntityID("urn:etoegang:AD:00000003520354760000:entities:9003"))
	vat      = must(etoegang.ParseServiceUUID("11111111-2222-3333-4444-555555555555"))
	permits  = must(etoegang.ParseServiceUUID("66666666-7777-8888-9999-000000000000"))
	tax      = must(etoegang.ParseOIN("00000003520354760000"))
	city     = must(etoegang.ParseOIN("00000001823288444000"))
	bakery   = Party{KvK: kvk(1), Name: "De Bakkerij"}
	office   = Party{KvK: kvk(2), Name: "Kantoor Bol"}
	farm     = Party{KvK: kvk(3), Name: "De Hoeve"}
	keeper   = register.Author{Who: "command line", Why: "test"}
	monday   = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	forVAT   = mandate.Scope{{Service: vat, Level: etoegang.LoA3}}
	forTaxes = mandate.Scope{{Provider: tax, Level: etoegang.LoA3}}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func kvk(n int) etoegang.KvKNumber {
	return must(etoegang.ParseKvKNumber(fmt.Sprintf("%08d", 10000000+n)))
}

// clockwork is a clock that stands still until it is moved, or a real one.
type clockwork struct {
	ns   atomic.Int64
	real bool
}

func (c *clockwork) Now() time.Time {
	if c.real {
		return time.Now()
	}
	return time.Unix(0, c.ns.Load()).UTC()
}

func (c *clockwork) advance(d time.Duration) { c.ns.Add(int64(d)) }

type scene struct {
	*testing.T
	*Desk
	clock *clockwork
	count int // of people
}

func newScene(t *testing.T) *scene {
	t.Helper()
	clock := &clockwork{}
	clock.ns.Store(monday.UnixNano())
	r := must(register.Create(ctx, filepath.Join(t.TempDir(), "register.db"), mr, time.Millisecond, register.Options{Now: clock.Now}))
	t.Cleanup(func() { _ = r.Close() })
	return &scene{T: t, Desk: New(r, services(r)), clock: clock}
}

// services loads a catalogue in which the tax office and a city offer one service each.
func services(r *register.Register) Catalogues {
	nl := map[string]string{"nl": "Aangifte of vergunning"}
	types := [][]string{{"urn:etoegang:1.9:EntityConcernedID:KvKnr"}}
	offers := func(oin etoegang.OIN, uuid etoegang.ServiceUUID) catalogue.ProviderSpec {
		return catalogue.ProviderSpec{OIN: oin.String(), Names: nl, Public: true, Definitions: []catalogue.DefinitionSpec{
			{UUID: uuid.String(), Names: nl, Descriptions: nl, Level: etoegang.LoA3.URN(), Broker: tax.String(), EntityTypes: types, Public: true}}}
	}
	doc := catalogue.Build(catalogue.Spec{Version: "urn:etoegang:1.13:service-catalogue:T:1", Issued: monday,
		Providers: []catalogue.ProviderSpec{offers(tax, vat), offers(city, permits)}}).Bytes()
	parsed, _, err := catalogue.Parse(doc, catalogue.Trust{File: true}, monday)
	if err != nil {
		panic(err)
	}
	_ = must(r.Change(ctx, keeper, func(t *register.Tx) error {
		return t.PutCatalogue(register.CatalogueVersion{Sequence: 1, Version: parsed.Version(), Issued: monday, SHA256: parsed.SHA256(), Signer: "test", Document: doc})
	}))
	return edition{parsed}
}

// edition is the only edition of the catalogue.
type edition struct{ *catalogue.Catalogue }

func (e edition) Of(*register.Snapshot) (*catalogue.Catalogue, error) { return e.Catalogue, nil }

func year(from time.Time) mandate.Validity {
	from = from.Truncate(time.Second)
	return mandate.Validity{From: from, To: from.AddDate(1, 0, 0)}
}

// appoint invites somebody at the command line, who then logs in and accepts.
func (s *scene) appoint(p Party, role mandate.Role, authority mandate.Authority) Caller {
	s.Helper()
	s.count++
	level := etoegang.LoA3
	if role == mandate.Staff {
		level = etoegang.LoA4
	}
	from := s.clock.Now().Truncate(time.Second)
	made := must(s.AppointAtDesk(ctx, keeper, Appointment{Company: p.KvK, Role: role, Authority: authority, Name: fmt.Sprint("Person ", s.count),
		Level: level, Validity: mandate.Validity{From: from, To: from.AddDate(3, 0, 0)}}))
	if p.Name != "" {
		s.named(p)
	}
	a := must(s.AcceptInvitation(ctx, s.visitor(p, s.count), made.Invitation))
	return Caller{a.ID, level}
}

// reader appoints a program that looks and changes nothing.
func (s *scene) reader(p Party) Caller {
	s.Helper()
	made := must(s.AppointAtDesk(ctx, keeper, Appointment{Company: p.KvK, Role: mandate.Reader, Name: "reports", Level: etoegang.LoA3, Validity: year(s.clock.Now()),
		Credentials: []register.Credential{{Fingerprint: register.Digest{1}, Public: []byte{1}}}})).Appointment
	return Caller{made.ID, etoegang.LoA3}
}

func (s *scene) visitor(p Party, n int) Visitor {
	return Visitor{Company: p.KvK, Issuer: mr, Pseudonym: fmt.Sprint("pseudonym ", n), Level: etoegang.LoA4}
}

func (s *scene) named(p Party) {
	_ = must(s.register.Change(ctx, keeper, func(t *register.Tx) error {
		_, err := t.PutOrganisation(mandate.Organisation{KvK: p.KvK, Name: p.Name, Active: true})
		return err
	}))
}

// wish is a chain mandate of the bakery for the office.
func (s *scene) wish(scope mandate.Scope) Wish {
	return Wish{Kind: mandate.Chain, Grantor: bakery, Intermediary: office, Scope: scope, Validity: year(s.clock.Now())}
}

func (s *scene) refused(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", what, err, want)
	}
}

// state looks a mandate up.
func (s *scene) state(id mandate.ID) (m mandate.Mandate) {
	s.Helper()
	if err := s.register.Read(ctx, func(v *register.Snapshot) (err error) { m, err = v.Mandate(id); return err }); err != nil {
		s.Fatal(err)
	}
	return m
}

func (s *scene) steps(id mandate.ID) (list []register.Step) {
	s.Helper()
	if err := s.register.Read(ctx, func(v *register.Snapshot) (err error) { list, err = v.Steps(id); return err }); err != nil {
		s.Fatal(err)
	}
	return list
}
