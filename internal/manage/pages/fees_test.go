package pages_test

import (
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// terms are those of a register that wants money, and puts services together.
func (s *scene) terms() desk.Terms {
	n := s.sandbox.Network
	return desk.Terms{
		Prices: mandate.PriceList{{Kind: mandate.Chain, Level: etoegang.LoA3, Years: 1, Cents: 2050}, {Kind: mandate.Chain, Level: etoegang.LoA3, Years: 3, Cents: 123450}},
		Sets:   []mandate.ServiceSet{{Name: map[string]string{"nl": "Belastingen", "en": "Taxes"}, Services: []etoegang.ServiceUUID{n.Services["vat"].UUID, n.Services["permit"].UUID}}},
	}
}

// download gets a file and reads it as a spreadsheet would.
func (b *browser) download(address string, comma rune) [][]string {
	b.Helper()
	request := must(http.NewRequest(http.MethodGet, b.web.URL+address, nil))
	request.Header.Set("Accept-Language", b.lang)
	response := must(b.http.Do(request))
	defer func() { _ = response.Body.Close() }()
	text, marked := strings.CutPrefix(string(must(io.ReadAll(response.Body))), "\ufeff")
	if response.StatusCode != http.StatusOK || !marked || !strings.HasPrefix(response.Header.Get("Content-Disposition"), "attachment") {
		b.Fatalf("%s: HTTP %d %v %s", address, response.StatusCode, response.Header, text)
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = comma
	return must(r.ReadAll())
}

// What a mandate costs is read before one agrees, is part of what one agrees to, and is found
// afterwards by who pays and by the staff. Where nothing costs anything, nothing is said of it.
// A set of services is ticked as one, and granted as what is in it now.
func TestCosts(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	begin := func() {
		t.Helper()
		baker.visit("/grant/chain").fill("kvk", "87654321").press("/grant/chain")
	}
	begin()
	baker.fill("much", "everything").next()
	if text := baker.text(); strings.Contains(text, "€") || strings.Contains(text, baker.word("place /costs")) {
		t.Errorf("nothing costs anything, and he reads: %s", text)
	}

	s.offers(s.desk.With(s.terms()))
	begin()
	baker.reads("Taxes: 2 services").fill("sets", "0").next().is(http.StatusOK)
	cost := "it costs Bakkerij De Korenbloem (KvK number 12345678) €20.50, without VAT. To suspend or revoke it costs nothing."
	baker.reads(cost, "‘Taxes’ stands for: ", "VAT return (Tax service)").next().reads(baker.word("done active"))
	if m := s.mandate(1); len(m.Scope) != 2 || !strings.Contains(s.steps(1)[0].Consent.Text, cost) {
		t.Errorf("granted is %v by %v", m.Scope, s.steps(1)[0].Consent)
	}
	baker.reads("VAT return (Tax service)")
	if strings.Contains(baker.text(), "without VAT") {
		t.Errorf("what is in force costs nothing any more: %s", baker.text())
	}

	// The office asks for three years of everything: the bakery reads what that costs, and pays.
	baker.visit("/mandates/1/revoke").press("/mandates/1/revoke")
	bob.visit("/grant/ask").fill("kvk", "12345678").press("/grant/ask")
	to := s.clock.Now().AddDate(2, 0, 0)
	bob.fill("much", "everything").fill("to-year", to.Format("2006")).next()
	bob.next().is(http.StatusOK)
	baker.visit("/requests/2").reads("€1,234.50, without VAT").press("/requests/2/accept").reads(baker.word("done active"))
	baker.click(baker.word("place /costs")).reads("€20.50", "€1,234.50", baker.word("prices"), "3 years")
	rows := baker.download("/costs/list", ',')
	if len(rows) != 3 || rows[2][0] != "2" || rows[2][2] != "12345678" || rows[2][5] != "1234.50" {
		t.Errorf("the list is %q", rows)
	}
	if rows := bob.download("/costs/list", ','); len(rows) != 1 {
		t.Errorf("the office pays %q", rows)
	}
	rik := s.comes("Rik Register", registry, mandate.Staff)
	rik.visit("/costs").reads("€1,234.50", "Bakkerij De Korenbloem")
	rik.lang = "nl"
	if rows := rik.download("/costs/list", ';'); len(rows) != 3 || rows[1][5] != "20,50" {
		t.Errorf("staff see %q", rows)
	}
	rik.visit("/costs").reads("€ 1.234,50")
}
