package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// What two companies have to pay, one of which has called itself a formula: page by page for
// people, and as one table for whoever sends the invoices.
func TestFees(t *testing.T) {
	ctx, folder := context.Background(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	entity, err := etoegang.ParseEntityID("urn:etoegang:MR:00000003123456780000:entities:1")
	must(err)
	service, err := etoegang.ParseServiceUUID("11111111-2222-3333-4444-555555555555")
	must(err)
	r, err := register.Create(ctx, filepath.Join(folder, "register.db"), entity, time.Second, register.Options{})
	must(err)
	from := mandate.StartOfDay(time.Now())
	_, err = r.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		var parties []mandate.Organisation
		for i, name := range []string{"Kantoor Bol", "De Bakkerij", `=HYPERLINK("x")`} {
			kvk, err := etoegang.ParseKvKNumber("1000000" + string(rune('1'+i)))
			must(err)
			o, err := t.PutOrganisation(mandate.Organisation{KvK: kvk, Name: name, Active: true})
			must(err)
			parties = append(parties, o)
		}
		for _, company := range parties[1:] {
			m, err := t.Grant(mandate.Mandate{Kind: mandate.Chain, Grantor: company, Intermediary: parties[0], State: mandate.Active,
				Scope: mandate.Scope{{Service: service, Level: etoegang.LoA3}}, Validity: mandate.Validity{From: from, To: mandate.AddYears(from, 1)}}, register.GrantOptions{})
			must(err)
			must(t.AddFee(m.ID, 1995))
		}
		return nil
	})
	must(err)
	must(r.Close())
	fees := func(args ...string) (out, said string, code int) {
		var o, e bytes.Buffer
		code = run(ctx, append([]string{"fees", "-c", "../../testdata/config/production.yaml"}, args...), []string{"MANDATED_REGISTER=" + filepath.Join(folder, "register.db")}, &o, &e)
		return o.String(), e.String(), code
	}
	for _, limit := range []string{"1", "0", "-1"} {
		out, said, code := fees("--limit=" + limit)
		if code != 0 || !strings.Contains(out, "19.95") || strings.Contains(out, "HYPERLINK") || !strings.Contains(said, "--after 1") {
			t.Errorf("--limit=%s: %d, %s%s", limit, code, out, said)
		}
	}
	if out, _, _ := fees("--after=1", "--json"); !strings.Contains(out, `"cents": 1995`) || !strings.Contains(out, `"more": false`) {
		t.Errorf("the second page: %s", out)
	}
	if out, _, _ := fees("--organisation=10000003"); strings.Contains(out, "Bakkerij") || !strings.Contains(out, "HYPERLINK") {
		t.Errorf("of one company: %s", out)
	}
	if _, said, code := fees("--csv", "--json"); code == 0 || !strings.Contains(said, "choose") {
		t.Errorf("two formats: %d, %s", code, said)
	}
	out, _, _ := fees("--csv")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	must(err)
	until := mandate.AddYears(from, 1).Format(time.RFC3339)
	for _, row := range rows[1:] {
		row[0] = "" // now
	}
	if diff := cmp.Diff([][]string{
		{"at", "mandate", "kind", "grantor", "name", "intermediary", "level", "from", "until", "cents"},
		{"", "1", "chain", "10000002", "De Bakkerij", "10000001", "loa3", from.Format(time.RFC3339), until, "1995"},
		{"", "2", "chain", "10000003", `'=HYPERLINK("x")`, "10000001", "loa3", from.Format(time.RFC3339), until, "1995"},
	}, rows); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
