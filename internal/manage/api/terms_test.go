package api

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What mandates cost is told before, and what has to be paid afterwards: page after page, or
// as one table for the books. Nobody sees the bills of others.
func TestWhatHasToBePaid(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		want := Terms{[]Price{{"chain", "loa3", 1, 1995}}, []ServiceSet{{map[string]string{"nl": "Belastingen", "en": "Taxes"}, []string{vat}}}}
		if diff := cmp.Diff(want, get[Terms](s.bakerysReader, "/terms")); diff != "" {
			t.Errorf("terms (-want, +got):\n%s", diff)
		}
		s.api.atOnce = 1 // also the table is read in several parts
		var made []Mandate
		for _, service := range []string{vat, permits} {
			made = append(made, s.bakery.post("/mandates", chain(service+"@loa3")).Mandate)
		}
		s.bakery.post("/mandates", direct(bakery, 1, vat+"@loa3")) // costs nothing
		one := get[Fees](s.bakery, "/fees?limit=1")
		two := get[Fees](s.bakerysReader, "/fees?limit=1&cursor="+one.Next)
		for i, p := range []Fees{one, two} {
			if len(p.Fees) != 1 || p.Fees[0].Mandate.ID != made[i].ID || p.Fees[0].Cents != 1995 || p.Fees[0].At.IsZero() || p.Revision != one.Revision || (p.Next == "") != (i == 1) {
				t.Errorf("page %d: %+v", i, p)
			}
		}
		for what, p := range map[string]*program{"the office": s.office, "the farm": s.farm} {
			if list := get[Fees](p, "/fees"); len(list.Fees) != 0 || list.Revision == 0 {
				t.Errorf("%s pays %+v", what, list)
			}
			if rows := s.bill(p); len(rows) != 1 {
				t.Errorf("%s has to pay %v", what, rows)
			}
		}
		rows := [][]string{{"at", "mandate", "kind", "grantor", "intermediary", "level", "from", "until", "cents"}}
		for i, f := range []Fee{one.Fees[0], two.Fees[0]} {
			rows = append(rows, []string{f.At.Format(time.RFC3339), fmt.Sprint(made[i].ID), "chain", bakery.KvK.Text(), office.KvK.Text(), "loa3",
				made[i].From.Format(time.RFC3339), made[i].Until.Format(time.RFC3339), "1995"})
		}
		if diff := cmp.Diff(rows, s.bill(s.bakery)); diff != "" {
			t.Errorf("the bakery's table (-want, +got):\n%s", diff)
		}
	})
}

// bill reads what a program's organisation has to pay, as a table.
func (s *scene) bill(p *program) [][]string {
	s.Helper()
	a := p.ask("GET", Path+"/fees?limit=1", nil, "Accept: text/csv")
	if a.status != 200 || a.cut != nil || a.header.Get("Content-Type") != typeTable {
		s.Fatalf("%d, %s (%v): %s", a.status, a.header.Get("Content-Type"), a.cut, a.body)
	}
	return must(csv.NewReader(bytes.NewReader(a.body)).ReadAll())
}
