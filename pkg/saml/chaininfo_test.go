package saml_test

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

const chainAddress = "https://register.test/etoegang/1.13/chaininfo"

// asks is a question of the first register to ourselves.
func (w *fuzzWorld) asks() saml.ChainQuery {
	return saml.ChainQuery{
		ID: saml.NewID(), Issuer: w.first.entity, Destination: chainAddress, Issued: fuzzTime, Cursor: "somewhere",
		ChainFilter: saml.ChainFilter{
			Intermediary: sure(etoegang.ParseIntermediary("87654321")), Represented: sure(etoegang.ParseKvKNumber("12345678")).LegalSubject(),
			Service: fuzzUUID, Level: etoegang.LoA3,
		},
	}
}

// between is a receiver of messages between registers, as one party has it.
func (w *fuzzWorld) between(p fuzzParty) *saml.Receiver {
	r := *w.receiver
	r.Self, r.Addresses = p.entity, saml.Addresses{Chain: chainAddress}
	r.Openers = []xmlsec.Opener{{KeyName: p.signer.KeyName, Key: p.signer.Key.(crypto.Decrypter)}}
	return &r
}

// relation is one of ours with a client.
func (w *fuzzWorld) relation(n int) saml.Relation {
	return saml.Relation{
		Represented: sure(etoegang.ParseKvKNumber(fmt.Sprintf("%08d", n))).LegalSubject(), Name: fmt.Sprintf("Client <%d> & Sons", n),
		Register: w.self.entity, Covers: []saml.Covered{{Service: fuzzUUID, Level: etoegang.LoA3}}, Until: fuzzTime.AddDate(1, 0, 0),
	}
}

func (w *fuzzWorld) page(asked saml.ChainQuery, list ...saml.Relation) saml.ChainPage {
	return saml.ChainPage{
		ID: saml.NewID(), InResponseTo: asked.ID, Issuer: w.self.entity, Issued: fuzzTime, Status: saml.Success,
		Snapshot: "one", Next: "further", Relations: list,
	}
}

// What a register asks is read as it was asked, and the client's number by the asked
// register alone.
func TestChainQueryIsReadBack(t *testing.T) {
	w := world()
	for name, q := range map[string]saml.ChainQuery{"all": w.asks(), "least": {
		ID: saml.NewID(), Issuer: w.first.entity, Destination: chainAddress, Issued: fuzzTime,
		ChainFilter: saml.ChainFilter{Intermediary: sure(etoegang.ParseIntermediary("87654321"))},
	}} {
		message := saml.Wrap(sure(q.Sign(w.first.signer, w.self.recipient())))
		got, err := w.between(w.self).ReceiveChainQuery(message, fuzzTime)
		if err != nil || !reflect.DeepEqual(*got, q) {
			t.Errorf("%s: read %+v, %v; want %+v", name, got, err, q)
		}
		if bytes.Contains(message, []byte("12345678")) {
			t.Errorf("%s: the client's number is for everybody to read", name)
		}
	}
	if _, err := w.between(w.first).ReceiveChainQuery(saml.Wrap(sure(w.asks().Sign(w.first.signer, w.self.recipient()))), fuzzTime); problemOf(err) != saml.ProblemEncryption {
		t.Errorf("another register opens the client's number: %v", err)
	}
}

// Only a register asks, and only what the message may say is read.
func TestChainQueriesThatAreRefused(t *testing.T) {
	w := world()
	for why, c := range map[string]struct {
		change func(*saml.ChainQuery)
		want   saml.Problem
	}{
		"sent to another address": {func(q *saml.ChainQuery) { q.Destination = fuzzAddress }, saml.ProblemDestination},
		"too old":                 {func(q *saml.ChainQuery) { q.Issued = fuzzTime.Add(-121 * time.Second) }, saml.ProblemExpired},
		"from the future":         {func(q *saml.ChainQuery) { q.Issued = fuzzTime.Add(3 * time.Second) }, saml.ProblemFuture},
		"without an intermediary": {func(q *saml.ChainQuery) { q.Intermediary = etoegang.Intermediary{} }, saml.ProblemMalformed},
		"with a cursor too long":  {func(q *saml.ChainQuery) { q.Cursor = strings.Repeat("x", 513) }, saml.ProblemIdentifier},
	} {
		q := w.asks()
		c.change(&q)
		got, err := w.between(w.self).ReceiveChainQuery(saml.Wrap(sure(q.Sign(w.first.signer, w.self.recipient()))), fuzzTime)
		if problemOf(err) != c.want || got == nil || got.Issuer != w.first.entity {
			t.Errorf("%s: %+v, %v; want %s", why, got, err, c.want)
		}
	}
	for why, edit := range map[string]struct {
		from, to string
		want     saml.Problem
	}{
		"for another register":        {"RequestingEntityId>urn:etoegang:MR:00000003876543210000", "RequestingEntityId>urn:etoegang:MR:00000003520354760000", saml.ProblemIdentifier},
		"an intermediary of words":    {"IntermediateKvKnr>87654321", "IntermediateKvKnr>everybody", saml.ProblemIdentifier},
		"two intermediaries":          {"<chain:ServiceUUID>", "<chain:IntermediateKvKnr>12121212</chain:IntermediateKvKnr><chain:ServiceUUID>", saml.ProblemMalformed},
		"something else besides":      {"<chain:ServiceUUID>", "<chain:Everything></chain:Everything><chain:ServiceUUID>", saml.ProblemForbidden},
		"an empty service":            {">" + fuzzUUID.String() + "<", "><", saml.ProblemMalformed},
		"a level that is none":        {"assurance-class:loa3", "assurance-class:loa9", saml.ProblemIdentifier},
		"of another version of SAML":  {`Version="2.0"`, `Version="1.1"`, saml.ProblemVersion},
		"without where it is sent to": {` Destination="` + chainAddress + `"`, "", saml.ProblemDestination},
	} {
		message := w.rewritten(t, w.asks(), edit.from, edit.to)
		if got, err := w.between(w.self).ReceiveChainQuery(message, fuzzTime); problemOf(err) != edit.want || got == nil {
			t.Errorf("%s: %+v, %v; want %s", why, got, err, edit.want)
		}
	}
	plain := `<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" NameQualifier="urn:etoegang:1.9:EntityConcernedID:KvKnr">12345678</saml:NameID>`
	text := string(sure(w.asks().Sign(w.first.signer, w.self.recipient())).Bytes())
	sealed := text[strings.Index(text, "<chain:LegalSubject>")+len("<chain:LegalSubject>") : strings.Index(text, "</chain:LegalSubject>")]
	if _, err := w.between(w.self).ReceiveChainQuery(w.signedBy(t, w.first, strings.Replace(text, sealed, plain, 1)), fuzzTime); problemOf(err) != saml.ProblemForbidden {
		t.Errorf("a number in the clear: %v", err)
	}
	for _, p := range []fuzzParty{w.broker, w.provider, w.authenticator} {
		q := w.asks()
		q.Issuer = p.entity
		if got, err := w.between(w.self).ReceiveChainQuery(saml.Wrap(sure(q.Sign(p.signer, w.self.recipient()))), fuzzTime); got != nil || !errors.Is(err, xmlsec.ErrUnknownIssuer) {
			t.Errorf("%s asks: %+v, %v", p.entity, got, err)
		}
	}
	if _, err := w.between(w.self).ReceiveChainQuery(saml.Wrap(sure(w.page(w.asks()).Sign(w.first.signer, w.self.recipient()))), fuzzTime); !errors.Is(err, saml.ErrNoChainQuery) {
		t.Errorf("an answer in the place of a question: %v", err)
	}
}

// rewritten is a question that its sender himself has written otherwise, and signed.
func (w *fuzzWorld) rewritten(t *testing.T, q saml.ChainQuery, from, to string) []byte {
	t.Helper()
	text := string(sure(q.Sign(w.first.signer, w.self.recipient())).Bytes())
	if !strings.Contains(text, from) {
		t.Fatalf("there is no %q to change in %s", from, text)
	}
	return w.signedBy(t, w.first, strings.Replace(text, from, to, 1))
}

// signedBy puts another signature into a message.
func (w *fuzzWorld) signedBy(t *testing.T, p fuzzParty, text string) []byte {
	t.Helper()
	message, ok := p.signed([]byte(text))
	if !ok {
		t.Fatalf("no XML: %s", text)
	}
	return message
}

// An answer is read as it was written, whatever a mandate covers, and by the asker alone.
func TestChainPageIsReadBack(t *testing.T) {
	w := world()
	asked := w.asks()
	asked.ChainFilter = saml.ChainFilter{Intermediary: asked.Intermediary}
	wide := w.relation(2)
	wide.Name = ""
	wide.Covers = []saml.Covered{{Level: etoegang.LoA2}, {Provider: w.provider.entity.OIN(), Level: etoegang.LoA4}, {Service: fuzzUUID, Level: etoegang.LoA2Plus}}
	page := w.page(asked, w.relation(1), wide, w.relation(3))
	message := saml.Wrap(sure(page.Sign(w.self.signer, w.first.recipient())))
	got, err := w.between(w.first).ReceiveChainPage(message, asked, w.self.entity, fuzzTime)
	if err != nil || !reflect.DeepEqual(*got, page) {
		t.Errorf("read %+v, %v; want %+v", got, err, page)
	}
	for _, secret := range []string{"00000001", "Client", fuzzUUID.String()} {
		if bytes.Contains(message, []byte(secret)) {
			t.Errorf("%q is for everybody to read", secret)
		}
	}
	if _, err := w.between(w.self).ReceiveChainPage(message, asked, w.self.entity, fuzzTime); problemOf(err) != saml.ProblemEncryption {
		t.Errorf("another register reads it: %v", err)
	}
	none := saml.ChainPage{ID: saml.NewID(), InResponseTo: asked.ID, Issuer: w.self.entity, Issued: fuzzTime, Status: saml.RequesterUnsupported, Message: "cursor"}
	got, err = w.between(w.first).ReceiveChainPage(saml.Wrap(sure(none.Sign(w.self.signer, xmlsec.Recipient{}))), asked, w.self.entity, fuzzTime)
	if err != nil || !reflect.DeepEqual(*got, none) {
		t.Errorf("read %+v, %v; want %+v", got, err, none)
	}
}

// An answer counts if it is of the register that was asked, to what was asked, of now, and
// about what was asked.
func TestChainPagesThatAreRefused(t *testing.T) {
	w := world()
	other := sure(etoegang.ParseServiceUUID("99999999-2222-3333-4444-555555555555"))
	for why, c := range map[string]struct {
		change func(*saml.ChainPage)
		want   saml.Problem
	}{
		"to another question":   {func(p *saml.ChainPage) { p.InResponseTo = saml.NewID() }, saml.ProblemLink},
		"to none":               {func(p *saml.ChainPage) { p.InResponseTo = "" }, saml.ProblemLink},
		"too old":               {func(p *saml.ChainPage) { p.Issued = fuzzTime.Add(-121 * time.Second) }, saml.ProblemExpired},
		"from the future":       {func(p *saml.ChainPage) { p.Issued = fuzzTime.Add(3 * time.Second) }, saml.ProblemFuture},
		"of another's mandates": {func(p *saml.ChainPage) { p.Relations[0].Register = w.first.entity }, saml.ProblemStatement},
		"about another company": {func(p *saml.ChainPage) { p.Relations[0].Represented = w.relation(2).Represented }, saml.ProblemLink},
		"about another service": {func(p *saml.ChainPage) { p.Relations[0].Covers[0].Service = other }, saml.ProblemLink},
		"at too low a level":    {func(p *saml.ChainPage) { p.Relations[0].Covers[0].Level = etoegang.LoA2 }, saml.ProblemLink},
		"that covers nothing":   {func(p *saml.ChainPage) { p.Relations[0].Covers = nil }, saml.ProblemEncryption},
		"at a level of old":     {func(p *saml.ChainPage) { p.Relations[0].Covers[0].Level = etoegang.LoA1 }, saml.ProblemEncryption},
		"that covers it twice": {func(p *saml.ChainPage) {
			p.Relations[0].Covers = append(p.Relations[0].Covers, p.Relations[0].Covers[0])
		}, saml.ProblemEncryption},
		"without a snapshot":     {func(p *saml.ChainPage) { p.Snapshot = "" }, saml.ProblemMalformed},
		"of too long a snapshot": {func(p *saml.ChainPage) { p.Snapshot = strings.Repeat("x", 101) }, saml.ProblemMalformed},
		"of too long a cursor":   {func(p *saml.ChainPage) { p.Next = strings.Repeat("x", 513) }, saml.ProblemMalformed},
	} {
		asked := w.asks()
		page := w.page(asked, w.relation(12345678))
		c.change(&page)
		message := saml.Wrap(sure(page.Sign(w.self.signer, w.first.recipient())))
		if got, err := w.between(w.first).ReceiveChainPage(message, asked, w.self.entity, fuzzTime); got != nil || problemOf(err) != c.want {
			t.Errorf("an answer %s: %+v, %v; want %s", why, got, err, c.want)
		}
	}
	asked := w.asks()
	page := w.page(asked, w.relation(12345678))
	good := sure(page.Sign(w.self.signer, w.first.recipient()))
	text := string(good.Bytes())
	start, end := strings.Index(text, "<ds:Signature "), strings.Index(text, "</ds:Signature>")+len("</ds:Signature>")
	wrap := func(s string) []byte {
		return []byte(`<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` + s + `</soap:Body></soap:Envelope>`)
	}
	forged := sure(page.Sign(xmlsec.Signer{Key: w.first.signer.Key, KeyName: w.self.signer.KeyName}, w.first.recipient()))
	for why, c := range map[string]struct {
		message []byte
		want    error
	}{
		"unsigned":      {wrap(text[:start] + text[end:]), xmlsec.ErrSignatureCount},
		"forged":        {saml.Wrap(forged), xmlsec.ErrSignature},
		"altered":       {wrap(strings.Replace(text, `Next="further"`, "", 1)), xmlsec.ErrSignature},
		"no answer":     {saml.Wrap(sure(asked.Sign(w.first.signer, w.self.recipient()))), saml.ErrNoChainPage},
		"a fault":       {saml.Fault("Server", "no", "1"), saml.ErrNoChainPage},
		"cut off":       {wrap(text)[:900], xmlsec.ErrMalformed},
		"not even SOAP": {good.Bytes(), saml.ErrNotSOAP},
	} {
		if got, err := w.between(w.first).ReceiveChainPage(c.message, asked, w.self.entity, fuzzTime); got != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v; want %v", why, got, err, c.want)
		}
	}
	empty := saml.Wrap(sure(w.page(asked).Sign(w.self.signer, w.first.recipient())))
	if got, err := w.between(w.first).ReceiveChainPage(empty, asked, w.first.entity, fuzzTime); got != nil || err == nil {
		t.Errorf("an answer of another register than was asked: %+v", got)
	}
}

// A page is as full as a message may be: whatever clients are called and however much their
// mandates cover, what is said to fit is read.
func TestFullPagesAreRead(t *testing.T) {
	w := world()
	asked := w.asks()
	asked.ChainFilter = saml.ChainFilter{Intermediary: asked.Intermediary}
	services := func(n int) (list []saml.Covered) {
		for i := range n {
			list = append(list, saml.Covered{Service: sure(etoegang.ParseServiceUUID(fmt.Sprintf("%08d-2222-3333-4444-555555555555", i))), Level: etoegang.LoA2Plus})
		}
		return list
	}
	for why, change := range map[string]func(*saml.Relation){
		"plain clients":             func(*saml.Relation) {},
		"names of quotation marks":  func(r *saml.Relation) { r.Name = strings.Repeat(`"`, 200) },
		"names in other alphabets":  func(r *saml.Relation) { r.Name = strings.Repeat("\U0001F600", 200) },
		"names that are too long":   func(r *saml.Relation) { r.Name = strings.Repeat("x", 201) },
		"forty services each":       func(r *saml.Relation) { r.Covers = services(40) },
		"hundreds of services each": func(r *saml.Relation) { r.Covers = services(900) },
	} {
		list := make([]saml.Relation, 1000)
		for i := range list {
			list[i] = w.relation(i)
			change(&list[i])
		}
		fit := saml.FitRelations(list)
		page := w.page(asked, list[:fit]...)
		message := saml.Wrap(sure(page.Sign(w.self.signer, w.first.recipient())))
		got, err := w.between(w.first).ReceiveChainPage(message, asked, w.self.entity, fuzzTime)
		if err != nil || fit == 0 || fit == len(list) {
			t.Errorf("%s: %d relations fit into %d bytes: %v", why, fit, len(message), err)
			continue
		}
		covered := 0
		for _, r := range got.Relations {
			covered += len(r.Covers)
		}
		if want := fit * len(list[0].Covers); covered != want {
			t.Errorf("%s: %d services came through, want %d", why, covered, want)
		}
		page.Relations = list
		if _, err := page.Sign(w.self.signer, w.first.recipient()); err == nil {
			t.Errorf("%s: more than fits is signed", why)
		}
		t.Logf("%s: %d relations, %d bytes", why, fit, len(message))
	}
	unfit := w.relation(1)
	unfit.Covers = services(2000)
	if fit := saml.FitRelations([]saml.Relation{unfit}); fit != 0 {
		t.Errorf("a mandate for 2000 services fits")
	}
}

// FuzzChainInfo gives a register that is believed words nobody has chosen, and signs them:
// whatever it asks or answers, in the open or encrypted, what is read is what may be asked
// and what answers the question.
func FuzzChainInfo(f *testing.F) {
	w := world()
	asked := w.asks()
	asked.ID = "_asked"
	page := w.page(asked, w.relation(12345678))
	f.Add(sure(asked.Sign(w.first.signer, w.self.recipient())).Bytes())
	f.Add(sure(page.Sign(w.self.signer, w.first.recipient())).Bytes())
	f.Add([]byte(inside))
	f.Fuzz(func(t *testing.T, message []byte) {
		if signed, ok := w.first.signed(message); ok {
			q, err := w.between(w.self).ReceiveChainQuery(signed, fuzzTime)
			if q == nil && err == nil {
				t.Fatal("neither a question nor an error")
			}
			if err == nil && (q.Issuer != w.first.entity || q.Destination != chainAddress || q.Intermediary.IsZero() || len(q.Cursor) > 512) {
				t.Fatalf("read %+v", q)
			}
		}
		signed, _ := w.self.signed(message)
		for _, answer := range [][]byte{signed, w.holding(asked, message)} {
			p, err := w.between(w.first).ReceiveChainPage(answer, asked, w.self.entity, fuzzTime)
			if p == nil && err == nil {
				t.Fatal("neither an answer nor an error")
			}
			if err == nil {
				judgePage(t, w, asked, p)
			}
		}
	})
}

// inside is what a page has encrypted, written by hand.
const inside = `<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="https://github.com/mandated/mandated/ns/chain-information/0:relations"><saml:AttributeValue>` +
	`<chain:Relations xmlns:chain="https://github.com/mandated/mandated/ns/chain-information/0">` +
	`<chain:Relation Register="urn:etoegang:MR:00000003520354760000:entities:9001" NotOnOrAfter="2027-03-02T09:30:00Z" CompanyName="Bakery">` +
	`<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" NameQualifier="urn:etoegang:1.9:EntityConcernedID:KvKnr">12345678</saml:NameID>` +
	`<chain:ServiceUUID LevelOfAssurance="urn:etoegang:core:assurance-class:loa3">00000001-0000-4000-8000-000000000000</chain:ServiceUUID>` +
	`<chain:ServicesOf LevelOfAssurance="urn:etoegang:core:assurance-class:loa4">00000001000000010000</chain:ServicesOf>` +
	`<chain:AllServices LevelOfAssurance="urn:etoegang:core:assurance-class:loa3"></chain:AllServices>` +
	`</chain:Relation></chain:Relations></saml:AttributeValue></saml:Attribute>`

// holding is an answer that has this encrypted; nil if it is no XML.
func (w *fuzzWorld) holding(asked saml.ChainQuery, inside []byte) []byte {
	plain, err := xmlsec.Restore(inside)
	if err != nil {
		return nil
	}
	sealed := sure(xmlsec.Seal(plain, w.first.recipient()))
	e := xmlsec.E("chain:ChainInformationResponse",
		xmlsec.A("ID", "_answer"), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", "2026-03-02T09:30:00Z"), xmlsec.A("InResponseTo", asked.ID),
		xmlsec.E("saml:Issuer", w.self.entity.String()),
		xmlsec.E("samlp:Status", xmlsec.E("samlp:StatusCode", xmlsec.A("Value", saml.Success.Top))),
		xmlsec.E("chain:Page", xmlsec.A("Snapshot", "one"), sealed))
	if err := w.self.signer.Sign(e); err != nil {
		panic(err)
	}
	return saml.Wrap(e)
}

// What is encrypted is read as strictly as what is not.
func TestWhatIsInsideAPageIsReadStrictly(t *testing.T) {
	w := world()
	asked := w.asks()
	read := func(inside string) (*saml.ChainPage, error) {
		return w.between(w.first).ReceiveChainPage(w.holding(asked, []byte(inside)), asked, w.self.entity, fuzzTime)
	}
	if p, err := read(inside); err != nil || len(p.Relations) != 1 || len(p.Relations[0].Covers) != 3 || p.Relations[0].Name != "Bakery" {
		t.Fatalf("read %+v, %v", p, err)
	}
	for why, edit := range map[string][2]string{
		"another attribute":        {"/0:relations", "/0:others"},
		"something else in it":     {"<chain:AllServices ", "<chain:NoServices></chain:NoServices><chain:AllServices "},
		"two companies":            {"<saml:NameID ", `<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" NameQualifier="urn:etoegang:1.9:EntityConcernedID:KvKnr">1</saml:NameID><saml:NameID `},
		"a company that is none":   {">12345678<", ">1234567<"},
		"a BSN":                    {"1.9:EntityConcernedID:KvKnr", "1.12:EntityConcernedID:BSN"},
		"a register that is none":  {"urn:etoegang:MR:", "urn:etoegang:XX:"},
		"no register":              {"Register=", "Registry="},
		"no end":                   {"NotOnOrAfter=", "Until="},
		"an end in local time":     {"09:30:00Z", "09:30:00+01:00"},
		"a service that is none":   {">00000001-0000-4000", ">0000000100004000"},
		"a provider that is none":  {">00000001000000010000<", ">0000000100000001<"},
		"all services, and a word": {"></chain:AllServices>", ">x</chain:AllServices>"},
		"a name that never ends":   {`"Bakery"`, `"` + strings.Repeat("Bakery", 40) + `"`},
		"a list beside the list":   {"</chain:Relations>", `</chain:Relations><o:Relations xmlns:o="https://github.com/mandated/mandated/ns/chain-information/0"></o:Relations>`},
		"an empty list":            {inside[strings.Index(inside, "<chain:Relation Reg"):strings.Index(inside, "</chain:Relations>")], ""},
		"no relation in a list":    {"<chain:Relation ", "<chain:Other></chain:Other><chain:Relation "},
	} {
		text := strings.ReplaceAll(inside, edit[0], edit[1])
		if text == inside {
			t.Fatalf("%s: nothing is changed", why)
		}
		if p, err := read(text); problemOf(err) != saml.ProblemEncryption {
			t.Errorf("%s: read %+v, %v", why, p, err)
		}
	}
}

// Names are shown to people, on pages and in terminals. One that would change what stands
// around it there is left away.
func TestNamesThatMoveWhatStandsAroundThem(t *testing.T) {
	w := world()
	asked := w.asks()
	for _, name := range []string{"Bakery&#10;12345678  Bank", "Bakery&#x9b;2J", "Bakery&#9;", "Bakery\u202eknaB", "\u2067Bakery", "Bakery\u2028Bank"} {
		text := strings.Replace(inside, `"Bakery"`, `"`+name+`"`, 1)
		p, err := w.between(w.first).ReceiveChainPage(w.holding(asked, []byte(text)), asked, w.self.entity, fuzzTime)
		if err != nil || len(p.Relations) != 1 || p.Relations[0].Name != "" {
			t.Errorf("%q: read %+v, %v", name, p, err)
		}
	}
	for _, name := range []string{"Bäckerei d’Été\u00a0& Zoon", "مخبز"} {
		text := strings.Replace(inside, `"Bakery"`, `"`+strings.ReplaceAll(name, "&", "&amp;")+`"`, 1)
		p, err := w.between(w.first).ReceiveChainPage(w.holding(asked, []byte(text)), asked, w.self.entity, fuzzTime)
		if err != nil || p.Relations[0].Name != name {
			t.Errorf("%q: read %+v, %v", name, p, err)
		}
	}
}

// judgePage holds what was read against what was asked.
func judgePage(t *testing.T, w *fuzzWorld, asked saml.ChainQuery, p *saml.ChainPage) {
	t.Helper()
	if p.Issuer != w.self.entity || p.InResponseTo != asked.ID || p.Status != saml.Success && len(p.Relations) > 0 {
		t.Fatalf("read %+v", p)
	}
	for _, r := range p.Relations {
		if r.Register != w.self.entity || r.Represented != asked.Represented || len(r.Covers) == 0 || r.Until.IsZero() {
			t.Fatalf("read %+v", r)
		}
	}
}
