package server_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // stores are broken as others on the machine could

	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

func readAll(r *http.Response) ([]byte, error) { return io.ReadAll(r.Body) }

// Whatever is asked, well or badly, log, metrics and journal name nobody: no number, no
// name, no pseudonym, and no piece of a message.
func TestNothingPersonalLeaks(t *testing.T) {
	var log servers.Said
	s := newScene(t, harness.Options{TwoRegisters: true, Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	boris, daan, fred := s.n.NewPerson("Boris Zwijgzaam"), s.n.NewPerson("Daan Discreet"), s.n.NewPerson("Fred Vreemd")
	s.client(bakery, daan)
	s.client(farm, daan)
	s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: farm, Person: boris, Scope: harness.For(s.n.Services["permit"], etoegang.LoA2)})
	stranger := harness.Company("Niemandsland", "99887766", "")
	secrets := &secrets{words: []string{
		"12345678", "123456782", "23456789", "87654321", "249566758", "99887766", "7654321",
		"Korenbloem", "Zonzicht", "Telraam", "Niemandsland", "Vertrouwelijk", "Zwijgzaam", "Discreet", "Vreemd",
		"Assertion", "CipherValue", "SignatureValue", "xacml",
	}}
	for _, p := range []mandate.Person{s.anna, boris, daan, fred} {
		secrets.add(p.Subject.Pseudonym.Text())
	}

	var results []*harness.Result
	for _, q := range []harness.Question{
		s.question(), {Person: s.anna, Service: s.vat, Company: bakery.KvK}, {Person: s.anna, Service: s.vat, Company: stranger.KvK},
		{Person: boris, Service: s.vat}, {Person: boris, Service: s.n.Services["permit"]}, {Person: fred, Service: s.vat, Company: stranger.KvK},
		{Person: daan, Service: s.vat}, {Person: daan, Service: s.vat, Company: farm.KvK}, {Person: s.anna, Service: s.vat, Login: etoegang.LoA2},
		{Person: s.anna, Service: s.vat, Asked: etoegang.LoA4},
	} {
		results = append(results, s.ask(q))
		for _, m := range harness.Mistakes() {
			wrong := q
			wrong.Mistake = m
			results = append(results, s.ask(wrong))
		}
	}
	results = append(results, must(s.n.Recheck(ctx, s.n.First, results[0])), s.brokenIdentifiers(stranger)[0])
	for _, r := range results {
		secrets.message(r.Sent)
		if r.Reply != nil && r.Reply.Permitted() && len(r.Reply.Statement.References) == 1 && r != results[len(results)-2] {
			secrets.add(must(r.Acting()))
		}
	}
	s.damaged(results[0].Sent, must(s.n.Recheck(ctx, s.n.First, results[0])).Sent)
	s.brokenStores()

	for place, text := range map[string]string{"log": log.String(), "metrics": s.metrics(), "journal": s.journal()} {
		if len(text) < 1000 {
			t.Errorf("the %s is suspiciously short: %q", place, text)
		}
		if found := contains(text, secrets.words); len(found) > 0 {
			t.Errorf("the %s tells %q: %s", place, found, around(text, found[0]))
		}
	}
}

// A stranger must not fill the disk with our own log: what he writes into a message is
// quoted shortly or not at all.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	var log servers.Said
	s := newScene(t, harness.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})
	long := strings.Repeat("x", 60<<10)
	text := string(must(s.n.Broker.Query(s.question())))
	for _, message := range []string{
		strings.Replace(text, "<saml:Issuer>", "<saml:Issuer>"+long, 1), strings.Replace(text, "<saml:Issuer>", "<saml:"+long+"/><saml:Issuer>", 1),
		strings.Replace(text, "<ds:KeyName>", "<ds:KeyName>"+long, 1), strings.Replace(text, "xmldsig-more#rsa-sha256", long, 1),
		strings.Replace(text, ` Version="2.0"`, ` Version="2.0" ID="`+long[:16000]+`"`, 1), strings.Replace(text, `Reference URI="#`, `Reference URI="#`+long[:16000], 1),
		strings.Replace(text, "<soap:Body>", "<soap:Body><"+long+"/>", 1), "<" + long + "/>",
	} {
		before := len(log.String())
		if status, _ := s.send(s.n.Broker.Party, []byte(message)); status != http.StatusInternalServerError {
			t.Errorf("HTTP %d", status)
		}
		if grown := log.String()[before:]; len(grown) > 2000 {
			t.Errorf("a message of a stranger adds %d bytes to the log: %.300s", len(grown), grown)
		}
	}
}

// secrets are what must not be told.
type secrets struct{ words []string }

func (s *secrets) add(words ...string) { s.words = append(s.words, words...) }

// message adds every long piece of base64 in a message: signatures and what is encrypted.
func (s *secrets) message(text []byte) {
	for piece := range bytes.FieldsFuncSeq(text, func(r rune) bool { return r == '<' || r == '>' || r == '"' }) {
		if _, err := base64.StdEncoding.DecodeString(string(piece)); err == nil && len(piece) > 60 {
			s.add(string(piece[:40]))
		}
	}
}

// around shows where a word stands.
func around(text, word string) string {
	at := strings.Index(text, word)
	return text[max(0, at-200):min(len(text), at+100)]
}

// brokenIdentifiers are companies under numbers that are none, of a kind that we do not
// hold, or readable where they should be encrypted.
func (s *scene) brokenIdentifiers(stranger mandate.Organisation) (results []*harness.Result) {
	s.t.Helper()
	name := func(kind etoegang.EntityType, text string) *xmlsec.Element {
		return must(saml.SealName(kind, text, s.n.First.Recipient()))
	}
	for _, represented := range [][]*xmlsec.Element{
		{name(etoegang.TypeKvKNr, "7654321")},
		{name(etoegang.TypeKvKNr, " 12345678")},
		{name(etoegang.TypeRSIN, "123456783")},
		{name(etoegang.TypeBSN, "123456782")},
		{name(etoegang.TypeKvKNr, "Bakkerij De Korenbloem")},
		{name("urn:etoegang:1.9:EntityConcernedID:12345678", "12345678")},
		{name(etoegang.TypeKvKNr, "12345678"), name(etoegang.TypeKvKNr, "23456789")},
		{must(saml.SealName(etoegang.TypeKvKNr, "12345678", s.vat.Home.Recipient()))},
		{saml.PlainName(stranger.KvK.LegalSubject())},
	} {
		now, transient := s.n.Now(), saml.NewID()
		login := must(saml.Login{
			ID: saml.NewID(), Issuer: s.n.Authenticator.Entity, NameID: transient, Issued: now, Until: now.Add(time.Minute),
			Recipient: s.n.Broker.Consumer, InResponseTo: saml.NewID(),
			Audiences: []etoegang.EntityID{s.n.Broker.Entity, s.n.First.Entity, s.vat.Home.Entity},
			Level:     etoegang.LoA3, Representation: true, Registry: s.n.First.Entity, ServiceUUID: s.vat.UUID,
			Acting: name(etoegang.TypePseudo, s.anna.Subject.Pseudonym.Text()),
		}.Sign(s.n.Authenticator.Signer()))
		results = append(results, must(s.n.Send(ctx, s.n.Broker.Party, saml.Asking{
			ID: saml.NewID(), Issuer: s.n.Broker.Entity, Destination: s.n.First.Address, Issued: now, Consumer: "1", Audience: s.vat.Home.Entity,
			SubjectID: transient, Assertions: []*xmlsec.Element{login}, Represented: represented, ServiceID: s.vat.ID, ServiceUUID: s.vat.UUID,
		}, s.n.First)))
	}
	return results
}

// damaged sends messages that break in as many ways; the provider's has the company's
// number readable in it.
func (s *scene) damaged(broker, provider []byte) {
	s.t.Helper()
	for _, message := range [][]byte{broker, provider} {
		text := string(message)
		for _, broken := range []string{
			text[:len(text)/2], text[:len(text)-1], text + "12345678", "12345678", `<a kvk="12345678" kvk="23456789">Bakkerij De Korenbloem</a>`,
			"<!DOCTYPE Korenbloem>" + text, "<?Korenbloem 12345678?>" + text, strings.Replace(text, "12345678", "1234<!--x-->5678", 1),
			strings.Replace(text, "12345678", "<![CDATA[12345678]]>", 1), strings.Replace(text, "12345678", "&k12345678;", 1),
			strings.Replace(text, "12345678", "12345678\xff", 1), strings.Replace(text, "12345678", "23456789", 1),
			strings.Replace(text, `Version="2.0"`, `Version="12345678" ID="12345678"`, 1), strings.ReplaceAll(text, "saml:Issuer", "Korenbloem:Issuer"),
			strings.Replace(text, "<saml:Issuer>", "<saml:Issuer>urn:", 1), strings.Replace(text, "<soap:Body>", "<soap:Header><Korenbloem/></soap:Header><soap:Body>", 1),
		} {
			for _, p := range []*harness.Party{s.n.Broker.Party, s.vat.Home} {
				s.send(p, []byte(broken))
			}
		}
	}
}

// brokenStores lets journal, guard and register fail in the midst of questions. The
// register is asked something new: what it was asked before may be answered without it.
func (s *scene) brokenStores() {
	s.t.Helper()
	unasked := harness.Question{Person: s.anna, Service: s.n.Services["permit"]}
	for _, c := range []struct {
		file, ruin, mend string
		question         harness.Question
	}{
		{"journal.db", `CREATE TRIGGER broken BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'disk full'); END`, `DROP TRIGGER broken`, s.question()},
		{"guard.db", `CREATE TRIGGER broken BEFORE INSERT ON admitted BEGIN SELECT RAISE(ABORT, 'disk full'); END`, `DROP TRIGGER broken`, s.question()},
		{"register.db", `PRAGMA legacy_alter_table = ON; ALTER TABLE mandate_version RENAME TO hidden`, `ALTER TABLE hidden RENAME TO mandate_version`, unasked},
	} {
		db := must(sql.Open("sqlite", "file:"+filepath.Join(s.n.Folder, "register", c.file)+"?_pragma=busy_timeout(20000)"))
		db.SetMaxOpenConns(1)
		must(db.Exec(c.ruin))
		if r := s.ask(c.question); r.Reply == nil || r.Reply.Status != saml.ResponderFailed {
			s.t.Errorf("with a broken %s: %+v", c.file, r.Reply)
		}
		must(db.Exec(c.mend))
		_ = db.Close()
	}
}

func (s *scene) metrics() string {
	s.t.Helper()
	response, err := http.Get(s.n.First.Operations + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	return string(must(readAll(response)))
}

// journal is all that was recorded, as it stands there.
func (s *scene) journal() string {
	s.t.Helper()
	j := must(journal.Open(ctx, filepath.Join(s.n.Folder, "register", "journal.db"), journal.Options{}))
	defer func() { _ = j.Close() }()
	var text strings.Builder
	for _, r := range must(j.Records(ctx, 0, 10_000)) {
		text.Write(r.Body)
		text.WriteByte('\n')
	}
	return text.String()
}
