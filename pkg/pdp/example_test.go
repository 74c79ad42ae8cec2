package pdp_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// A program that decides by itself, without SAML: a register, a service catalogue and a
// journal of its own are joined into a decision point.
func Example() {
	ctx := context.Background()
	folder, _ := os.MkdirTemp("", "example")
	defer func() { _ = os.RemoveAll(folder) }()

	// The register: mandates in one SQLite file.
	self, _ := etoegang.ParseEntityID("urn:etoegang:MR:00000003123456780000:entities:9001")
	mandates, err := register.Create(ctx, filepath.Join(folder, "register.db"), self, 500*time.Millisecond, register.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = mandates.Close() }()

	// The catalogue says what services demand. The register remembers which edition counts.
	services, anna, err := fill(ctx, mandates)
	if err != nil {
		fmt.Println(err)
		return
	}

	point := pdp.New(pdp.Config{
		Register: mandates, Catalogues: editions{services.Sequence(): services}, Journal: &ledger{path: filepath.Join(folder, "decisions.jsonl")},
		Now: time.Now, Key: mandates.Key("journal"), TestNetwork: true,
	})

	// May Anna, who logged in at level 3, use this service? For which company?
	serviceID, _ := etoegang.ParseServiceID("urn:etoegang:DV:00000001823288444000:services:9001")
	serviceUUID, _ := etoegang.ParseServiceUUID("0f8fad5b-d9cb-469f-a165-70867728950e")
	answer, err := point.Decide(ctx, pdp.Request{
		Question: decision.Authorize, ServiceID: serviceID, ServiceUUID: serviceUUID, Login: etoegang.LoA3, Actor: anna,
	})
	switch {
	case err != nil: // neither yes nor no: it could not be found out, or not be recorded
		fmt.Println("ask again later:", err)
	case answer.Outcome == decision.Permit:
		fmt.Println("permitted, for", answer.Options[0].Represented.Name)
	case answer.Outcome == decision.Choose:
		fmt.Println("ask the user for which of", len(answer.Options), "companies")
	default:
		fmt.Println("denied:", answer.Codes())
	}
	// Output: permitted, for Bakkerij De Korenbloem
}

// fill records a catalogue, a company, a person and her mandate: one change, all or
// nothing, with who made it and why.
func fill(ctx context.Context, r *register.Register) (services *catalogue.Catalogue, anna etoegang.ActingSubject, err error) {
	document, err := os.ReadFile("../../testdata/catalogue/small.xml")
	if err != nil {
		return nil, anna, err
	}
	// In production: catalogue.Trust{Certificates: ...}, of those who may sign it.
	if services, _, err = catalogue.Parse(document, catalogue.Trust{File: true}, time.Now()); err != nil {
		return nil, anna, err
	}
	anna.Authenticator, _ = etoegang.ParseEntityID("urn:etoegang:AD:00000003123456780000:entities:9003")
	anna.Pseudonym, _ = etoegang.ParsePseudonym("0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0")
	kvk, _ := etoegang.ParseKvKNumber("12345678")

	_, err = r.Change(ctx, register.Author{Who: "example", Why: "first mandate"}, func(t *register.Tx) error {
		edition := register.CatalogueVersion{
			Sequence: services.Sequence(), Version: services.Version(), Issued: services.Issued(), SHA256: services.SHA256(), Document: document,
		}
		if err := t.PutCatalogue(edition); err != nil {
			return err
		}
		bakery, err := t.PutOrganisation(mandate.Organisation{KvK: kvk, Name: "Bakkerij De Korenbloem", Active: true})
		if err != nil {
			return err
		}
		person, err := t.PutPerson(mandate.Person{Subject: anna, Name: "Anna", Active: true})
		if err != nil {
			return err
		}
		today := time.Now().UTC().Truncate(time.Second)
		_, err = t.Grant(mandate.Mandate{
			Kind: mandate.Direct, State: mandate.Active, Grantor: bakery, Person: person,
			Scope:    mandate.Scope{mandate.Everything(etoegang.LoA3)},
			Validity: mandate.Validity{From: today, To: mandate.AddYears(today, 1)},
		}, register.GrantOptions{})
		return err
	})
	return services, anna, err
}

// editions are the catalogues at hand, by their sequence number.
type editions map[int64]*catalogue.Catalogue

func (e editions) Of(s *register.Snapshot) (*catalogue.Catalogue, error) {
	if c, ok := e[s.CatalogueSequence()]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("service catalogue %d is not at hand", s.CatalogueSequence())
}

// Loaded gives an edition by its sequence.
func (e editions) Loaded(sequence int64) (*catalogue.Catalogue, bool) {
	c, ok := e[sequence]
	return c, ok
}

// ledger is the simplest journal that keeps the promise: a line is on disk before anybody
// hears of the decision.
type ledger struct{ path string }

func (l *ledger) Append(_ context.Context, _ string, body []byte) error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(append(body, '\n')); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Sync(); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}
