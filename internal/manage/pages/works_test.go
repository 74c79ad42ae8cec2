package pages_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// works is what a daemon would tell of itself. That a daemon does is tested with the daemon.
type works struct {
	records map[string]pdp.Record
	sources []pages.Source
	decided []pages.Decided
	lost    error // why decisions cannot be counted

	editions map[int64]*catalogue.Catalogue // numbered from 1
}

var _ pages.Works = &works{}

func (w *works) Record(_ context.Context, name string) (pdp.Record, error) {
	if name == "several" {
		return pdp.Record{}, journal.ErrSeveral
	}
	r, known := w.records[name]
	if !known {
		return r, journal.ErrNotFound
	}
	return r, nil
}

func (w *works) Decisions(context.Context, int) ([]pages.Decided, error) { return w.decided, w.lost }

func (w *works) Explain(l look.Language, code decision.Code, m *mandate.Mandate, needs etoegang.AssuranceLevel) (why, next string) {
	return server.Explain(l, code, m, needs)
}

func (w *works) Peers() []pages.Source { return w.sources }

func (w *works) Edition(_ context.Context, sequence int64) (*catalogue.Catalogue, error) {
	if c := w.editions[sequence]; c != nil {
		return c, nil
	}
	return nil, register.ErrNotFound
}

func (w *works) ReadEdition(document []byte) (*catalogue.Catalogue, error) {
	c, _, err := catalogue.Parse(document, catalogue.Trust{File: true}, time.Now())
	return c, err
}

// staffOnly tells which forms are for the register's staff.
func staffOnly(path string) bool {
	return slices.Contains([]string{"/standing", "/parties", "/journal", "/catalogue", "/catalogue/look"}, path) || strings.HasPrefix(path, "/organisations/") || strings.HasSuffix(path, "/stop")
}

// refusal is a decision about Eva, who acts for the bakery through the office.
func (s *scene) refusal() pdp.Record {
	vat := s.sandbox.Network.Services["vat"]
	return pdp.Record{
		ID: "1a2b3c4d5e6f00000000000000000000", At: time.Date(2026, 11, 29, 13, 5, 0, 0, time.UTC), Question: "authorize",
		Caller: "urn:etoegang:HM:00000003520354760000:entities:9001", Message: "_question", Service: vat.ID.String(), ServiceUUID: vat.UUID.String(),
		Login: "loa3", Required: "loa3", Actor: "person:1", Represented: "organisation:1", Outcome: "Deny", Revision: int64(must(s.register.RevisionAt(ctx, s.clock.Now()))), Catalogue: 4,
		Reasons: []pdp.RecordReason{{Code: string(decision.Suspended), Mandate: 1}}, Rules: pdp.RecordRules{Version: decision.Version},
	}
}

// Eva calls, since she cannot log in. Rik of the register finds out why by the code that she
// reads aloud: what the register knew then, in the words that she got, and without her name.
func TestWhyRefused(t *testing.T) {
	s := newScene(t)
	bas, bob := s.comes("Bas Bakker", bakery, mandate.Administrator), s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.grants(bas)
	s.assigns(bob, "1")
	bas.visit("/mandates/1").press("/mandates/1/suspend")
	refusal := s.refusal()
	s.works.records = map[string]pdp.Record{"1a2b-3c4d-5e6f": refusal}
	bas.visit("/mandates/1").press("/mandates/1/resume")

	rik := s.comes("Rik Register", registry, mandate.Staff)
	rik.visit("/").click(rik.word("place /journal")).fill("name", "1a2b-3c4d-5e6f").press("/journal").is(http.StatusOK)
	rik.reads("Refused", "The mandate is suspended for now.", "Ask your client "+bakery.Name+" to switch it on again.", "29 November 2026 at 14:05",
		"person 1", bakery.Name, "KvK number 12345678", rik.word("level loa3"), refusal.ID, "Suspended")
	if text := rik.text(); strings.Contains(text, "Eva") || strings.Contains(text, s.people["Eva Elshout"].Pseudonym.Text()) || strings.Contains(text, "[") {
		t.Errorf("it says more than it should, or less: %s", text)
	}
	if rik.at.String() != s.web.URL+"/journal" {
		t.Errorf("the code stands in the address: %s", rik.at)
	}
	rik.click("Mandate 1").reads(rik.word("state active"))

	// What the register does not know, and what it no longer knows, is told so.
	unknown := refusal
	unknown.Actor, unknown.Represented, unknown.Intermediary, unknown.Revision, unknown.Outcome = "unknown:ab", "unknown:cd", "organisation:99", 1<<40, "Choose"
	unknown.Reasons, unknown.More, unknown.Service = []pdp.RecordReason{{Code: string(decision.NoMandateToPerson)}, {Code: string(decision.Revoked), Mandate: 99}}, true, "urn:etoegang:DV:00000009000000000031:services:99"
	broken := pdp.Record{ID: refusal.ID, At: refusal.At, Question: "recheck", Service: refusal.Service, Outcome: pdp.Indeterminate, Failure: "the store is away"}
	permit := refusal
	permit.Outcome, permit.Reasons, permit.Until = "Permit", nil, &refusal.At
	permit.Options = []pdp.RecordOption{{Mandates: []mandate.ID{1, 2}}}
	s.works.records = map[string]pdp.Record{"unknown": unknown, "broken": broken, "permit": permit}
	for name, wants := range map[string][]string{
		"unknown": {rik.word("outcome Choose"), rik.word("person unknown"), rik.word("company unknown"), "We have no mandate in your name", "Mandate 99: The mandate was withdrawn.", rik.word("journal more"), unknown.Service},
		"broken":  {rik.word("outcome Indeterminate"), "the store is away", rik.word("question recheck")},
		"permit":  {rik.word("outcome Permit"), "Mandate 1", "Mandate 2", "person 1", rik.word("journal until")},
	} {
		rik.visit("/journal").fill("name", name).press("/journal").is(http.StatusOK).reads(wants...)
	}
	for name, want := range map[string]string{"1a2b3c4d9999": "journal nothing", "": "journal nothing", "several": "journal several"} {
		rik.visit("/journal").fill("name", name).press("/journal").is(http.StatusUnprocessableEntity)
		if got := rik.wrongAt("name"); !strings.Contains(got, rik.word(want)) {
			t.Errorf("of %q one reads %q", name, got)
		}
		if n := rik.find(func(n *html.Node) bool { return attr(n, "id") == "f-name" }); n == nil || attr(n, "value") != name {
			t.Errorf("what was typed is gone: %q", name)
		}
	}
}

// Every outcome and question that a record can have has words.
func TestWordsOfRecords(t *testing.T) {
	for _, name := range []string{decision.Permit.String(), decision.Deny.String(), decision.Choose.String(), pdp.Indeterminate} {
		if pages.Texts["outcome "+name].IsZero() || pages.Texts["outcome text "+name].IsZero() {
			t.Errorf("there are no words for the outcome %s", name)
		}
	}
	for _, q := range []decision.Question{decision.Authorize, decision.Confirm, decision.Recheck} {
		if pages.Texts["question "+string(q)].IsZero() {
			t.Errorf("there are no words for the question %s", q)
		}
	}
}

// network is whom a register of the sandbox knows: one with a certificate that is about to end,
// one whose file is broken.
func (s *scene) network() []pages.Source {
	n, now := s.sandbox.Network, s.clock.Now()
	broker, other := n.Broker.Participant(), n.Second.Participant()
	broker.Name, broker.Signing = "De Makelaar", []xmlsec.Key{{Name: "key-1", Certificate: must(devkeys.New("peer", now.Add(-365*24*time.Hour))).Certificate}}
	broker.Signing[0].Certificate.NotAfter = now.Add(pages.Soon)
	at := func(what string) saml.Endpoint { return saml.Endpoint{Location: "https://peer.test/" + what} }
	broker.Consumers, broker.Resolvers, broker.SignOn = []saml.Consumer{{Endpoint: at("answers")}}, []saml.Resolver{{Endpoint: at("artifacts")}}, []saml.Endpoint{at("log-ins")}
	other.Until, other.Services, other.Chain = now, []saml.Endpoint{at("queries")}, at("chains").Location
	return []pages.Source{
		{Name: "broker.xml", Participants: []saml.Participant{broker}, Since: now.Add(-48 * time.Hour), Read: now.Add(-time.Minute)},
		{Name: "others.xml", Participants: []saml.Participant{n.Authenticator.Participant(), other, n.Providers["tax service"].Participant()}, Since: now.Add(-48 * time.Hour), Read: now.Add(-24 * time.Hour), Problem: errors.New("others.xml: no XML")},
		{Name: "absent.xml", Problem: errors.New("absent.xml: no such file")},
	}
}

// Rik sees whom the register trusts, what ends soon, what has ended and what could not be read
// anew, before anybody else tells him.
func TestPeers(t *testing.T) {
	s := newScene(t)
	rik := s.comes("Rik Register", registry, mandate.Staff)
	rik.visit("/").click(rik.word("place /peers")).reads(rik.word("peers none"))
	s.works.sources = s.network()
	broker := s.works.sources[0].Participants[0]
	rik.visit("/peers").is(http.StatusOK).reads(
		"De Makelaar", broker.Entity.String(), rik.word("peer role HM"), rik.word("peer role AD"), rik.word("peer role MR"), rik.word("peer ending"), rik.word("peer ended"),
		"Something of 1 participant expires within 60 days", "Something of 1 participant has expired", "1 service provider is known as well.",
		"The file others.xml could not be read again", "others.xml: no XML", rik.word("peers unread never"), rik.word("peer stale"), rik.word("peer fresh"),
		"https://peer.test/answers", "https://peer.test/artifacts", "https://peer.test/log-ins", "https://peer.test/queries", "https://peer.test/chains")
	if text := rik.text(); strings.Contains(text, "[") || strings.Contains(text, s.works.sources[1].Participants[2].Entity.String()) {
		t.Errorf("a word is missing, or a provider is listed: %s", text)
	}
	s.works.sources = s.works.sources[:1]
	s.clock.advance(-time.Hour) // a moment more than the time of notice
	if text := rik.visit("/peers").text(); strings.Contains(text, "expires within") {
		t.Errorf("told too early: %s", text)
	}
}

// The services of a small catalogue.
const (
	permits = "10000000-0000-0000-0000-000000000001"
	parking = "10000000-0000-0000-0000-000000000002"
	waste   = "10000000-0000-0000-0000-000000000003"
)

// city is an edition in which a city offers these services, each at its level.
func city(number int64, levels map[string]etoegang.AssuranceLevel) []byte {
	spec := catalogue.Spec{Version: fmt.Sprintf("urn:etoegang:1.13:%d", number), Issued: time.Date(2026, 11, int(number), 12, 0, 0, 0, time.UTC)}
	p := catalogue.ProviderSpec{OIN: "00000001823288444000", Public: true, Names: map[string]string{"en": "City"}}
	for _, uuid := range slices.Sorted(maps.Keys(levels)) {
		p.Definitions = append(p.Definitions, catalogue.DefinitionSpec{UUID: uuid, Public: true, Level: levels[uuid].URN(), Broker: "00000003520354760000",
			EntityTypes: [][]string{{string(etoegang.TypeKvKNr)}}, Names: map[string]string{"en": map[string]string{permits: "Permits", parking: "Parking", waste: "Waste"}[uuid]}, Descriptions: map[string]string{"en": "For companies"}})
	}
	spec.Providers = []catalogue.ProviderSpec{p}
	return catalogue.Build(spec).Bytes()
}

// publish puts two editions in force: in the second permits need a higher level, and parking is
// gone. Three mandates are in force: for permits at the lower level, for parking, and for all.
func (s *scene) publish() {
	s.Helper()
	s.works.editions = map[int64]*catalogue.Catalogue{}
	for number, levels := range []map[string]etoegang.AssuranceLevel{{permits: etoegang.LoA2, parking: etoegang.LoA3}, {permits: etoegang.LoA3, waste: etoegang.LoA2}} {
		document := city(int64(number+1), levels)
		read := must(s.works.ReadEdition(document))
		s.works.editions[read.Sequence()] = read
		_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
			return t.PutCatalogue(register.CatalogueVersion{Sequence: read.Sequence(), Version: read.Version(), Issued: read.Issued(), SHA256: read.SHA256(), Document: document})
		}))
	}
	from := s.clock.Now().UTC().Truncate(time.Second)
	for _, item := range []mandate.Item{{Service: must(etoegang.ParseServiceUUID(permits)), Level: etoegang.LoA2}, {Service: must(etoegang.ParseServiceUUID(parking)), Level: etoegang.LoA3}, mandate.Everything(etoegang.LoA3)} {
		_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
			b, err := t.PutOrganisation(harness.Company("Slagerij Vos", "55500001", ""))
			if err != nil {
				return err
			}
			o, err := t.PutOrganisation(harness.Company("Kantoor Rekenaar", "55500002", ""))
			if err != nil {
				return err
			}
			_, err = t.Grant(mandate.Mandate{Kind: mandate.Chain, Grantor: b, Intermediary: o, Scope: mandate.Scope{item}, State: mandate.Active, Validity: mandate.Validity{From: from, To: from.AddDate(1, 0, 0)}}, register.GrantOptions{})
			return err
		}))
	}
}

// upload sends a file in the form of a page.
func (b *browser) upload(action, field string, file []byte) *browser {
	b.Helper()
	to, values := b.form(action)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField(look.TokenField, values.Get(look.TokenField))
	part := must(w.CreateFormFile(field, "edition.xml"))
	_ = must(part.Write(file))
	_ = w.Close()
	request := must(http.NewRequest(http.MethodPost, to, &body))
	request.Header.Set("Content-Type", w.FormDataContentType())
	request.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
	return b.do(request)
}

// row is what a table says of a thing.
func (b *browser) row(name string) string {
	b.Helper()
	n := b.find(func(n *html.Node) bool { return n.Data == "tr" && strings.HasPrefix(textOf(n), name+" (City) 1000") })
	if n == nil {
		b.Fatalf("there is no row of %s: %s", name, b.text())
	}
	return textOf(n)
}

// Before a new edition of the service catalogue comes into use, Rik sees for how many mandates
// it changes something, and what. Looking changes nothing.
func TestEditions(t *testing.T) {
	s := newScene(t)
	rik := s.comes("Rik Register", registry, mandate.Staff)
	rik.visit("/").click(rik.word("place /catalogue")).reads(rik.word("editions none"))
	s.publish()
	before := s.revision()
	rik.visit("/catalogue").reads("urn:etoegang:1.13:1", "urn:etoegang:1.13:2", rik.word("edition current"), rik.word("edition before"), "2 November 2026")
	rik.press("/catalogue").is(http.StatusOK)
	if rik.at.Path != "/catalogue/1/2" {
		t.Fatalf("the last two are at %s", rik.at)
	}
	for name, wants := range map[string][]string{
		"Permits": {rik.word("change rises"), rik.word("change rises note"), "from EH2 to EH3", " 1"},
		"Parking": {rik.word("change goes"), rik.word("change goes note"), " 1"},
		"Waste":   {rik.word("change comes"), "EH2", " 0"},
	} {
		for _, want := range wants {
			if !strings.Contains(rik.row(name), want) {
				t.Errorf("of %s one reads %q, not %q", name, rik.row(name), want)
			}
		}
	}
	rik.visit("/catalogue").click(rik.word("edition changes")).reads(rik.word("impact title"), rik.word("impact most"))
	rik.visit("/catalogue/2/1").reads(rik.word("change falls"))
	rik.visit("/catalogue/2/2").reads(rik.word("no changes"))
	rik.visit("/catalogue/1/7").is(http.StatusNotFound)

	next := city(3, map[string]etoegang.AssuranceLevel{permits: etoegang.LoA4, waste: etoegang.LoA2})
	rik.visit("/catalogue").upload("/catalogue/look", "file", next).is(http.StatusOK).reads(rik.word("edition only looked"), rik.word("change rises"), "from EH3 to EH4")
	if row := rik.row("Permits"); !strings.HasSuffix(row, " 2") { // also the one for everything
		t.Errorf("of permits one reads %q", row)
	}
	if strings.Contains(rik.text(), rik.word("edition not newer")) {
		t.Error("a newer one is said not to be newer")
	}
	older := city(2, map[string]etoegang.AssuranceLevel{permits: etoegang.LoA3})
	rik.visit("/catalogue").upload("/catalogue/look", "file", older).reads(rik.word("edition not newer"), rik.word("impact none"))
	rik.visit("/catalogue").upload("/catalogue/look", "file", []byte("Dear reader,")).is(http.StatusUnprocessableEntity).reads(rik.word("edition refused title"))
	rik.visit("/catalogue").upload("/catalogue/look", "file", nil).is(http.StatusUnprocessableEntity)
	if rik.wrongAt("file") == "" {
		t.Error("nothing is said of an empty file")
	}
	if corpus.Slower == 1 { // it takes long to send
		rik.visit("/catalogue").upload("/catalogue/look", "file", make([]byte, 65<<20)).is(http.StatusRequestEntityTooLarge).reads(rik.word("wrong big edition"))
	}
	if s.revision() != before {
		t.Error("looking has changed something")
	}

	s.works.editions = nil
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	for _, path := range []string{"/catalogue", "/catalogue/1/2"} {
		bas.visit(path).is(http.StatusNotFound)
	}
}

// On their first page staff see how all mandates stand. It is counted now and then: what changed
// a moment ago is seen later.
func TestFigures(t *testing.T) {
	s := newScene(t)
	s.publish() // three mandates
	rik := s.comes("Rik Register", registry, mandate.Staff)
	says := func() string {
		t.Helper()
		n := rik.visit("/").find(func(n *html.Node) bool {
			return n.Data == "table" && strings.Contains(textOf(n), rik.word("figure mandates"))
		})
		if n == nil {
			t.Fatalf("there is no table: %s", rik.text())
		}
		return textOf(n)
	}
	if text := says(); !strings.Contains(text, "Valid 3 Begin later 0 Suspended 0") {
		t.Errorf("at first: %s", text)
	}
	rik.visit("/mandates/1").press("/mandates/1/suspend")
	if text := says(); !strings.Contains(text, "Valid 3") {
		t.Errorf("counted again at once: %s", text)
	}
	s.clock.advance(pages.Counted)
	if text := says(); !strings.Contains(text, "Valid 2 Begin later 0 Suspended 1") {
		t.Errorf("later: %s", text)
	}
}

// decidedOn is what was decided on a day of November.
func decidedOn(day int, permitted, refused, failed int64) pages.Decided {
	return pages.Decided{Day: mandate.StartOfDay(time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC)), Whole: true,
		Outcomes: map[string]int64{"Permit": permitted, "Deny": refused, "Indeterminate": failed}, Reasons: map[decision.Code]int64{decision.Expired: refused, decision.Revoked: 1}}
}

// Below it staff see what the register decided in the last two weeks, by day and outcome, and why
// it refused. What cannot be counted keeps nobody from his work, and what is not counted yet is
// said not to be.
func TestFiguresOfDecisions(t *testing.T) {
	s := newScene(t)
	rik := s.comes("Rik Register", registry, mandate.Staff)
	s.works.decided = []pages.Decided{decidedOn(29, 12000, 3, 0), decidedOn(28, 40, 20, 7)}
	text := rik.visit("/").text()
	for _, want := range []string{
		"Day Permitted Let choose Refused Failed 29 November 2026 12,000 0 3 0 28 November 2026 40 0 20 7", // day by day
		"Reason Refusals Expired 23 Revoked 2", // the most frequent first
		rik.word("figure mandates"),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("one does not read %q: %s", want, text)
		}
	}
	if strings.Contains(text, rik.word("days in part")) {
		t.Error("all is counted, and said not to be")
	}
	s.works.decided[1].Whole = false
	rik.visit("/").reads(rik.word("days in part"), "28 November 2026 "+rik.word("day in part"))

	s.works.decided = []pages.Decided{decidedOn(29, 0, 0, 0)}
	s.works.decided[0].Reasons = nil
	if text := rik.visit("/").reads(rik.word("figure decisions")).text(); strings.Contains(text, rik.word("figure refusals")) {
		t.Error("a figure of nothing")
	}
	s.works.lost = errors.New("the journal is away")
	if text := rik.visit("/").is(http.StatusOK).text(); strings.Contains(text, rik.word("figure decisions")) || !strings.Contains(s.log.String(), "the journal is away") {
		t.Errorf("one reads %s, and operators %s", text, s.log.String())
	}
	if bas := s.comes("Bas Bakker", bakery, mandate.Administrator); strings.Contains(bas.visit("/").text(), bas.word("figure decisions")) {
		t.Error("a company sees what was decided for others")
	}
}

// Every outcome and reason has words in the figures, and the drawing has room for them.
func TestWordsOfFigures(t *testing.T) {
	for _, o := range []decision.Outcome{decision.Permit, decision.Deny, decision.Choose} {
		if pages.Texts["decided "+o.String()].IsZero() {
			t.Errorf("there are no words for the outcome %s", o)
		}
	}
	for _, c := range decision.Codes() {
		words := pages.Texts["refusal "+string(c)]
		if words.IsZero() || len([]rune(words.NL)) > 32 || len([]rune(words.EN)) > 32 {
			t.Errorf("the words for %s are %+v", c, words)
		}
	}
}

// Every mandate is counted somewhere, whatever its state, and every bar has a name.
func TestBars(t *testing.T) {
	for _, c := range constants(t, "../../../pkg/mandate") {
		if c.kind != "State" {
			continue
		}
		for _, count := range []register.Count{{State: mandate.State(c.value)}, {State: mandate.State(c.value), Over: true}, {State: mandate.State(c.value), Later: true}} {
			if bar := pages.BarOf(count); !slices.Contains(pages.Bars, bar) {
				t.Errorf("%+v is counted as %q, which is not shown", count, bar)
			}
		}
	}
	for _, bar := range pages.Bars {
		if pages.Texts["bar "+bar].IsZero() {
			t.Errorf("there are no words for the bar %s", bar)
		}
	}
}

// works looks at the pages on which staff see how the register works.
func (v *viewer) works() {
	v.Helper()
	v.scene.works.records = map[string]pdp.Record{"1a2b3c4d5e6f": v.refusal()}
	v.goes("/journal", "journal", v.say.Say("journal title"))
	v.page.Fill(v.say.Say("journal name"), "1a2b3c4d5e6f")
	v.page.Click(v.say.Say("journal find"))
	v.sees("journal-found", v.say.Say("journal title"))
	v.scene.works.sources = v.network()
	v.goes("/peers", "peers", v.say.Say("place /peers"))
	v.publish()
	v.goes("/catalogue", "catalogue", v.say.Say("catalogue title"))
	v.goes("/catalogue/1/2", "impact", v.say.Say("impact title"))
}
