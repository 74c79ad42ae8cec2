package server_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// pair is a scene of two registers: the office's people are registered at the first, its
// clients have mandated it at the second.
type pair struct {
	*scene
	second *harness.RegisterNode
}

func newPair(t *testing.T, o harness.Options) *pair {
	t.Helper()
	o.TwoRegisters = true
	if o.Configure == nil { // nothing passes or fails by how long an answer takes
		o.Configure = patient("1m")
	}
	s := newScene(t, o)
	return &pair{s, s.n.Second}
}

// patient lets registers wait for each other for so long.
func patient(discovery string) func(map[string]any) {
	return func(settings map[string]any) { settings["chain"] = map[string]any{"discovery": discovery} }
}

func (p *pair) chain(client mandate.Organisation, scope mandate.Scope) mandate.ID {
	p.t.Helper()
	return must(p.second.Chain(client, office, scope))
}

// clients lets very many companies mandate the office at the second register.
func (p *pair) clients(n int, scope mandate.Scope) {
	p.t.Helper()
	_, err := p.second.Register().Change(ctx, register.Author{Who: "test", Why: "many clients"}, func(t *register.Tx) error {
		a, err := t.PutOrganisation(office)
		if err != nil {
			return err
		}
		from := p.n.Now().UTC().Truncate(time.Second)
		for i := range n {
			b, err := t.PutOrganisation(harness.Company(fmt.Sprintf("Client %d", i), fmt.Sprintf("%08d", 30_000_000+i), ""))
			if err != nil {
				return err
			}
			if _, err := t.Grant(mandate.Mandate{
				Kind: mandate.Chain, Grantor: b, Intermediary: a, Scope: scope, State: mandate.Active,
				Validity: mandate.Validity{From: from, To: mandate.AddYears(from, 1)},
			}, register.GrantOptions{Migrating: true}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func intermediary(o mandate.Organisation) saml.ChainFilter {
	return saml.ChainFilter{Intermediary: etoegang.Intermediary{KvK: o.KvK}}
}

// discover lets the first register ask.
func (p *pair) discover(f saml.ChainFilter) ([]saml.Relation, map[etoegang.EntityID]string) {
	return p.n.First.Discover(ctx, f)
}

// chainAddress is where a register is asked by others.
func chainAddress(r *harness.RegisterNode) string {
	return strings.TrimSuffix(r.Address, server.PathQuery) + server.PathChain
}

// asks is a question of a party to the second register, which need not be one to ask.
func (p *pair) asks(by *harness.Party, f saml.ChainFilter) saml.ChainQuery {
	return saml.ChainQuery{ID: saml.NewID(), Issuer: by.Entity, Destination: chainAddress(p.second), Issued: p.n.Now(), ChainFilter: f}
}

// sendAs signs a question as a party, and sends it over the connection of another.
func (p *pair) sendAs(q saml.ChainQuery, signer, over *harness.Party) (int, []byte) {
	p.t.Helper()
	return p.deliver(saml.Wrap(must(q.Sign(signer.Signer(), p.second.Recipient()))), over)
}

func (p *pair) deliver(message []byte, over *harness.Party) (int, []byte) {
	p.t.Helper()
	response, err := p.httpClient(certificateOf(over)).Post(chainAddress(p.second), saml.ContentType, bytes.NewReader(message))
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode, must(readAll(response))
}

// receiver is that of the first register, for a test that asks in its place.
func (p *pair) receiver() *saml.Receiver {
	return &saml.Receiver{Self: p.n.First.Entity, Directory: saml.NewDirectory(p.participants()...), Ages: saml.DefaultAges, Openers: p.n.First.Openers()}
}

// page asks for one page in the first register's name, which must be given or refused so.
func (p *pair) page(q saml.ChainQuery) *saml.ChainPage {
	p.t.Helper()
	status, body := p.sendAs(q, p.n.First.Party, p.n.First.Party)
	if status != http.StatusOK {
		p.t.Fatalf("HTTP %d %s", status, body)
	}
	return must(p.receiver().ReceiveChainPage(body, q, p.second.Entity, p.n.Now()))
}

// The first register finds the office's clients at the second, over mutual TLS: who they
// are, what they mandate it for and until when. Nothing is decided, so nothing is journalled;
// it is counted, and no log names anybody.
func TestClientsAreFoundAtAnotherRegister(t *testing.T) {
	var log servers.Said
	p := newPair(t, harness.Options{TLS: true, Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	vat := harness.For(p.vat, etoegang.LoA3)
	p.chain(bakery, vat)
	p.chain(farm, mandate.Scope{mandate.Everything(etoegang.LoA4), {Provider: p.vat.Home.Entity.OIN(), Level: etoegang.LoA2}})
	must(p.second.Chain(bakery, farm, vat)) // another intermediary's

	found, silent := p.discover(intermediary(office))
	until := mandate.AddYears(p.n.Now().UTC().Truncate(time.Second), 1)
	want := []saml.Relation{
		{Represented: bakery.KvK.LegalSubject(), Name: bakery.Name, Register: p.second.Entity, Until: until,
			Covers: []saml.Covered{{Service: p.vat.UUID, Level: etoegang.LoA3}}},
		{Represented: farm.KvK.LegalSubject(), Name: farm.Name, Register: p.second.Entity, Until: until,
			Covers: []saml.Covered{{Level: etoegang.LoA4}, {Provider: p.vat.Home.Entity.OIN(), Level: etoegang.LoA2}}},
	}
	if len(silent) != 0 || !slices.EqualFunc(found, want, func(a, b saml.Relation) bool {
		return a.Represented == b.Represented && a.Name == b.Name && a.Register == b.Register && a.Until.Equal(b.Until) && slices.Equal(a.Covers, b.Covers)
	}) {
		t.Errorf("found %+v, silent %v; want %+v", found, silent, want)
	}
	for why, c := range map[string]struct {
		f    saml.ChainFilter
		want int
	}{
		"a client":                  {saml.ChainFilter{Represented: bakery.KvK.LegalSubject()}, 1},
		"a company that is none":    {saml.ChainFilter{Represented: office.KvK.LegalSubject()}, 0},
		"a service":                 {saml.ChainFilter{Service: p.n.Services["permit"].UUID}, 1},
		"a level":                   {saml.ChainFilter{Service: p.vat.UUID, Level: etoegang.LoA4}, 1},
		"an unknown intermediary":   {saml.ChainFilter{Intermediary: must(etoegang.ParseIntermediary("99887766"))}, 0},
		"an intermediary of itself": {intermediary(bakery), 0},
	} {
		if c.f.Intermediary.IsZero() {
			c.f.Intermediary.KvK = office.KvK
		}
		if found, silent := p.discover(c.f); len(found) != c.want || len(silent) != 0 {
			t.Errorf("%s: found %+v, silent %v", why, found, silent)
		}
	}
	j := must(journal.Open(ctx, filepath.Join(p.n.Folder, "second-register", "journal.db"), journal.Options{}))
	defer j.Close()
	if records := must(j.Records(ctx, 0, 10)); len(records) != 0 {
		t.Errorf("%d records: nothing was decided", len(records))
	}
	response := must(http.Get(p.second.Operations + "/metrics"))
	defer response.Body.Close()
	if text := string(must(io.ReadAll(response.Body))); !strings.Contains(text, `mandated_chain_pages_total{page="complete"} 7`) {
		t.Error("the pages are not counted")
	}
	said := log.String()
	if leaks := contains(said, []string{"12345678", "23456789", "87654321", "99887766", "Korenbloem", "Zonzicht", "Telraam"}); len(leaks) > 0 || !strings.Contains(said, `"msg":"chain-information"`) {
		t.Errorf("the log tells %q", leaks)
	}
}

// A list of thousands comes in pages of one snapshot. What is revoked meanwhile is on it, and
// on no list that is begun later: no list is half of one and half of another.
func TestLongListsAreOfOneSnapshot(t *testing.T) {
	p := newPair(t, harness.Options{})
	p.clients(2500, harness.For(p.vat, etoegang.LoA3))
	last := must(p.second.Chain(farm, office, harness.For(p.vat, etoegang.LoA3)))
	q, pages := p.asks(p.n.First.Party, intermediary(office)), 0
	seen := map[string]bool{}
	var snapshot string
	for {
		page := p.page(q)
		if pages++; pages == 1 {
			snapshot = page.Snapshot
			if err := p.second.Revoke(last); err != nil {
				t.Fatal(err)
			}
		}
		if page.Status != saml.Success || page.Snapshot != snapshot {
			t.Fatalf("page %d: %s %s of %s, begun with %s", pages, page.Status.Short(), page.Message, page.Snapshot, snapshot)
		}
		for _, r := range page.Relations {
			seen[r.Represented.Text()] = true
		}
		if page.Next == "" {
			break
		}
		q = p.asks(p.n.First.Party, intermediary(office))
		q.Cursor = page.Next
	}
	if len(seen) != 2501 || !seen[farm.KvK.Text()] || pages < 5 {
		t.Errorf("%d clients on %d pages", len(seen), pages)
	}
	found, silent := p.discover(intermediary(office))
	if len(found) != 2500 || len(silent) != 0 {
		t.Errorf("begun anew: %d clients, silent %v", len(found), silent)
	}
}

// services are very many.
func services(n int) (scope mandate.Scope) {
	for i := range n {
		scope = append(scope, mandate.Item{Service: must(etoegang.ParseServiceUUID(fmt.Sprintf("%08d-1111-2222-3333-444444444444", i))), Level: etoegang.LoA3})
	}
	return scope
}

// A page ends where a message is full, and the next begins there.
func TestClientsOfManyServicesTakeMorePages(t *testing.T) {
	p := newPair(t, harness.Options{})
	p.clients(30, services(100))
	found, silent := p.discover(intermediary(office))
	covered := map[string]int{}
	for _, r := range found {
		covered[r.Represented.Text()] += len(r.Covers)
	}
	for client, n := range covered {
		if n != 100 {
			t.Errorf("%s: %d services", client, n)
		}
	}
	if len(covered) != 30 || len(silent) != 0 {
		t.Errorf("%d clients, silent %v", len(covered), silent)
	}
}

// A cursor is good for its asker, its question and its time. Whoever made one up could
// otherwise read what was known at any revision.
func TestCursorsAreForOneList(t *testing.T) {
	clock := harness.NewClock(time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC))
	p := newPair(t, harness.Options{Clock: clock})
	p.clients(600, harness.For(p.vat, etoegang.LoA3))
	begun := p.page(p.asks(p.n.First.Party, intermediary(office)))
	if begun.Next == "" {
		t.Fatal("the list has one page")
	}
	with := func(cursor string, f saml.ChainFilter) *saml.ChainPage {
		q := p.asks(p.n.First.Party, f)
		q.Cursor = cursor
		return p.page(q)
	}
	other := intermediary(office)
	other.Level = etoegang.LoA3
	flipped := []byte(begun.Next)
	flipped[30] ^= 1
	for why, page := range map[string]*saml.ChainPage{
		"another intermediary": with(begun.Next, intermediary(farm)),
		"another level":        with(begun.Next, other),
		"a letter changed":     with(string(flipped), intermediary(office)),
		"made up":              with("bm8gY3Vyc29yIG9mIG91cnMgYXQgYWxsLCBidXQgbG9uZyBlbm91Z2ggdG8gYmUgb25l", intermediary(office)),
		"too short":            with("AAAA", intermediary(office)),
		"no base64":            with("?", intermediary(office)),
	} {
		if page.Status != saml.RequesterUnsupported || page.Message != "cursor" || len(page.Relations) > 0 {
			t.Errorf("%s: %s %q, %d relations", why, page.Status.Short(), page.Message, len(page.Relations))
		}
	}
	clock.Advance(10 * time.Minute)
	if page := with(begun.Next, intermediary(office)); page.Status != saml.Success {
		t.Errorf("after ten minutes: %s %q", page.Status.Short(), page.Message)
	}
	clock.Advance(time.Millisecond)
	if page := with(begun.Next, intermediary(office)); page.Status != saml.RequesterUnsupported || page.Message != "cursor" {
		t.Errorf("after more: %s %q", page.Status.Short(), page.Message)
	}
}

// After a backup was restored, a revision is another than it was: lists that were begun before
// are begun anew.
func TestCursorsDoNotOutliveARestore(t *testing.T) {
	p := newPair(t, harness.Options{})
	h := p.newHouse(4, denies, open, func(c *server.Config) {
		c.Register = p.n.First.Register()
		c.State().Receiver.Addresses.Chain = chainAddress(p.n.First)
	})
	var stamp register.Stamp
	if err := p.n.First.Register().Read(ctx, func(s *register.Snapshot) error { stamp = s.Stamp(); return nil }); err != nil {
		t.Fatal(err)
	}
	other, gone := stamp, stamp
	other.Tag[0] ^= 1
	gone.Revision += 7
	for why, c := range map[string]struct {
		stamp  register.Stamp
		status saml.Status
	}{"as it was": {stamp, saml.Success}, "another": {other, saml.RequesterUnsupported}, "gone": {gone, saml.RequesterUnsupported}} {
		q := saml.ChainQuery{ID: saml.NewID(), Issuer: p.second.Entity, Destination: chainAddress(p.n.First), Issued: p.n.Now(), ChainFilter: intermediary(office)}
		q.Cursor = h.CursorAt(&q, c.stamp, p.n.Now())
		message := saml.Wrap(must(q.Sign(p.second.Signer(), p.n.First.Recipient())))
		answer := h.post(ctx, saml.ContentType, message, func(r *http.Request) { r.URL.Path = server.PathChain })
		receiver := p.receiver()
		receiver.Self, receiver.Openers = p.second.Entity, p.second.Openers()
		page := must(receiver.ReceiveChainPage(answer.Body.Bytes(), q, p.n.First.Entity, p.n.Now()))
		if page.Status != c.status {
			t.Errorf("the revision is %s: %s %q", why, page.Status.Short(), page.Message)
		}
	}
}

// Only a register learns of clients, over its own connection, once for each question.
func TestOnlyRegistersAreTold(t *testing.T) {
	p := newPair(t, harness.Options{TLS: true})
	p.chain(bakery, harness.For(p.vat, etoegang.LoA3))
	first := p.n.First.Party
	for _, by := range []*harness.Party{p.n.Broker.Party, p.vat.Home, p.n.Authenticator} {
		status, body := p.sendAs(p.asks(by, intermediary(office)), by, by)
		if status != http.StatusInternalServerError || !bytes.Contains(body, []byte("soap:Client")) {
			t.Errorf("%s asks: HTTP %d %s", by.Name, status, body)
		}
		status, body = p.sendAs(p.asks(first, intermediary(office)), by, first)
		if status != http.StatusInternalServerError {
			t.Errorf("%s signs in the first register's name: HTTP %d %s", by.Name, status, body)
		}
	}
	q := p.asks(first, intermediary(office))
	message := saml.Wrap(must(q.Sign(first.Signer(), p.second.Recipient())))
	if status, body := p.deliver(message, p.n.Broker.Party); status != http.StatusInternalServerError {
		t.Errorf("the broker sends what it has overheard: HTTP %d %s", status, body)
	}
	read := func() *saml.ChainPage {
		status, body := p.deliver(message, first)
		if status != http.StatusOK {
			t.Fatalf("HTTP %d %s", status, body)
		}
		if bytes.Contains(body, []byte(bakery.KvK.Text())) || bytes.Contains(body, []byte("Korenbloem")) {
			t.Error("the client's name is for everybody to read")
		}
		if _, err := (&saml.Receiver{Self: p.n.Broker.Entity, Directory: saml.NewDirectory(p.participants()...), Ages: saml.DefaultAges, Openers: p.n.Broker.Openers()}).
			ReceiveChainPage(body, q, p.second.Entity, p.n.Now()); bytes.Contains(body, []byte("EncryptedAttribute")) && err == nil {
			t.Error("the broker reads it")
		}
		return must(p.receiver().ReceiveChainPage(body, q, p.second.Entity, p.n.Now()))
	}
	if page := read(); page.Status != saml.Success || len(page.Relations) != 1 {
		t.Errorf("the first time: %s, %+v", page.Status.Short(), page.Relations)
	}
	if page := read(); page.Status != saml.RequesterUnsupported || page.Message != "replayed" || len(page.Relations) != 0 {
		t.Errorf("the second time: %s %q", page.Status.Short(), page.Message)
	}
	late := p.asks(first, intermediary(office))
	late.Issued = late.Issued.Add(-10 * time.Minute)
	if page := p.page(late); page.Status != saml.RequesterUnsupported || page.Message != "expired" {
		t.Errorf("a question of ten minutes ago: %s %q", page.Status.Short(), page.Message)
	}
}

// A mandate that fits into no message makes no list that lacks it.
func TestAListThatCannotBeWholeIsNone(t *testing.T) {
	p := newPair(t, harness.Options{})
	scope := services(2000)
	p.chain(bakery, scope)
	found, silent := p.discover(intermediary(office))
	if len(found) != 0 || silent[p.second.Entity] != string(server.Refused) {
		t.Errorf("found %+v, silent %v", found, silent)
	}
	f := intermediary(office)
	f.Service = scope[7].Service
	if found, silent = p.discover(f); len(found) != 1 || len(found[0].Covers) != 1 || len(silent) != 0 {
		t.Errorf("for one service: found %+v, silent %v", found, silent)
	}
}

// impostor puts a handler in the second register's place: its metadata lead there.
func (p *pair) impostor(h http.HandlerFunc) {
	p.t.Helper()
	s := httptest.NewServer(h)
	p.t.Cleanup(s.Close)
	p.publish(s.URL + "/chaininfo")
}

// publish says in the second register's metadata where it is asked.
func (p *pair) publish(address string) {
	p.t.Helper()
	key := keysOf(p.second.Signer())
	d := saml.Description{
		ID: saml.NewID(), Name: "urn:etoegang:1.13:T:2", Entity: p.second.Entity, Until: p.n.Now().Add(24 * time.Hour),
		Organisation: "second", Contact: "desk@second.test", Signing: key, Encryption: key, Authz: p.second.Address, Chain: address,
	}
	file := filepath.Join(p.n.Folder, "metadata-second-register.xml")
	if err := os.WriteFile(file, must(d.Sign(p.n.Scheme.Signer())).Bytes(), 0o644); err != nil {
		p.t.Fatal(err)
	}
	if err := p.n.First.Reload(); err != nil {
		p.t.Fatal(err)
	}
}

// asked reads the question that came to an impostor, which has the second register's keys.
func (p *pair) asked(r *http.Request) (*saml.ChainQuery, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	receiver := p.receiver()
	receiver.Self, receiver.Openers, receiver.Addresses = p.second.Entity, p.second.Openers(), saml.Addresses{Chain: "http://" + r.Host + r.URL.Path}
	return receiver.ReceiveChainQuery(body, p.n.Now())
}

// Whoever does not answer, or not so that it can be believed, is named, and nothing of what
// he said is used.
func TestWhoDoesNotAnswerIsNamed(t *testing.T) {
	calm := newPair(t, harness.Options{})
	hasty := newPair(t, harness.Options{Configure: patient("300ms")}) // with those who would be waited for
	relation := saml.Relation{
		Represented: bakery.KvK.LegalSubject(), Register: calm.second.Entity, Until: calm.n.Now().Add(time.Hour).UTC(),
		Covers: []saml.Covered{{Level: etoegang.LoA3}},
	}
	answer := func(p *pair, w http.ResponseWriter, q *saml.ChainQuery, change func(*saml.ChainPage)) {
		page := saml.ChainPage{
			ID: saml.NewID(), InResponseTo: q.ID, Issuer: p.second.Entity, Issued: p.n.Now(), Status: saml.Success, Snapshot: "one",
			Relations: []saml.Relation{relation},
		}
		change(&page)
		w.Header().Set("Content-Type", saml.ContentType)
		_, _ = w.Write(saml.Wrap(must(page.Sign(p.second.Signer(), p.n.First.Recipient()))))
	}
	nothing := func(*saml.ChainPage) {}
	rest := make(chan struct{})
	defer close(rest)
	var kept []byte // calm's answer to an earlier question
	for _, c := range []struct {
		why    string
		answer func(*pair, http.ResponseWriter, *saml.ChainQuery)
		want   server.Silence // "": he is believed
	}{
		{"he answers", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) { answer(p, w, q, nothing) }, ""},
		{"he says nothing", func(*pair, http.ResponseWriter, *saml.ChainQuery) { <-rest }, server.TooLate},
		{"he says nothing on the second page", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			if q.Cursor != "" {
				<-rest
			}
			answer(p, w, q, func(page *saml.ChainPage) { page.Next = "further" })
		}, server.TooLate},
		{"he never ends", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			answer(p, w, q, func(page *saml.ChainPage) { page.Next = "further" })
		}, server.TooLate},
		{"he has nothing, and more of it", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			answer(p, w, q, func(page *saml.ChainPage) { page.Next, page.Relations = "further", nil })
		}, server.Unbelieved},
		{"the second page is of another snapshot", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			answer(p, w, q, func(page *saml.ChainPage) {
				if page.Next = "further"; q.Cursor != "" {
					page.Next, page.Snapshot = "", "two"
				}
			})
		}, server.Unbelieved},
		{"he fails", func(p *pair, w http.ResponseWriter, _ *saml.ChainQuery) {
			http.Error(w, "no", http.StatusInternalServerError)
		}, server.Unreachable},
		{"he refuses", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			answer(p, w, q, func(page *saml.ChainPage) { page.Status, page.Relations = saml.ResponderFailed, nil })
		}, server.Refused},
		{"he speaks of the weather", func(p *pair, w http.ResponseWriter, _ *saml.ChainQuery) { _, _ = io.WriteString(w, "sunny") }, server.Unbelieved},
		{"he answers another question", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			answer(p, w, q, func(page *saml.ChainPage) { page.InResponseTo = saml.NewID() })
		}, server.Unbelieved},
		{"he answers what was asked before", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) { _, _ = w.Write(kept) }, server.Unbelieved},
		{"his answer is of yesterday", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			answer(p, w, q, func(page *saml.ChainPage) { page.Issued = page.Issued.Add(-24 * time.Hour) })
		}, server.Unbelieved},
		{"he speaks of another register", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			answer(p, w, q, func(page *saml.ChainPage) { page.Relations[0].Register = p.n.First.Entity })
		}, server.Unbelieved},
		{"his answer is signed by another", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			page := saml.ChainPage{ID: saml.NewID(), InResponseTo: q.ID, Issuer: p.second.Entity, Issued: p.n.Now(), Status: saml.Success, Snapshot: "one"}
			_, _ = w.Write(saml.Wrap(must(page.Sign(p.n.Broker.Signer(), p.n.First.Recipient()))))
		}, server.Unbelieved},
		{"he reads it to somebody else", func(p *pair, w http.ResponseWriter, q *saml.ChainQuery) {
			page := saml.ChainPage{ID: saml.NewID(), InResponseTo: q.ID, Issuer: p.second.Entity, Issued: p.n.Now(), Status: saml.Success, Snapshot: "one", Relations: []saml.Relation{relation}}
			_, _ = w.Write(saml.Wrap(must(page.Sign(p.second.Signer(), p.n.Broker.Recipient()))))
		}, server.Unbelieved},
	} {
		p := calm
		if c.want == server.TooLate {
			p = hasty
		}
		p.impostor(func(w http.ResponseWriter, r *http.Request) {
			q, err := p.asked(r)
			if err != nil {
				t.Errorf("%s: the question is not good: %v", c.why, err)
				return
			}
			c.answer(p, &tee{w, &kept}, q)
		})
		found, silent := p.discover(intermediary(office))
		if good := c.want == ""; len(found) != map[bool]int{true: 1}[good] || silent[p.second.Entity] != string(c.want) || len(silent) != map[bool]int{false: 1}[good] {
			t.Errorf("%s: found %+v, silent %v; want %q", c.why, found, silent, c.want)
		}
	}
	p := calm
	p.publish("")
	if found, silent := p.discover(intermediary(office)); len(found) != 0 || silent[p.second.Entity] != string(server.NotOffered) {
		t.Errorf("his metadata name no address: found %+v, silent %v", found, silent)
	}
	p.publish("http://127.0.0.1:1/chaininfo")
	if found, silent := p.discover(intermediary(office)); len(found) != 0 || silent[p.second.Entity] != string(server.Unreachable) {
		t.Errorf("nobody is at his address: found %+v, silent %v", found, silent)
	}
}

// A user waits for a register that says nothing. Meanwhile others come to their pages, with
// room for one at a time: only who asks other registers waits for them.
func TestWhoSeeksKeepsNobodyOut(t *testing.T) {
	p := newPair(t, harness.Options{Browser: true, Configure: func(settings map[string]any) {
		settings["chain"], settings["work"] = map[string]any{"elsewhere": "mandated", "discovery": "1m"}, 1
	}})
	for _, company := range []mandate.Organisation{office, harness.Company("Slagerij Vos", "55599999", "")} {
		p.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: company, Person: p.anna, Scope: harness.For(p.vat, etoegang.LoA3)})
	}
	waits, rest := make(chan struct{}), make(chan struct{})
	p.impostor(func(http.ResponseWriter, *http.Request) {
		close(waits)
		<-rest
	})
	arrives := func() *harness.VisitorPage {
		v := must(p.n.Broker.Send(p.question(), ""))
		return must(p.n.Visitor().Open(ctx, v.Address))
	}
	page, gone := arrives(), make(chan error, 1)
	go func() {
		_, err := page.Press(ctx, "Zoek klanten van "+office.Name+" bij andere registers")
		gone <- err
	}()
	<-waits
	response := must(http.Get(p.n.First.Operations + "/metrics"))
	defer func() { _ = response.Body.Close() }()
	measured := string(must(readAll(response)))
	for _, want := range []string{`mandated_queue_working{queue="seek"} 1`, `mandated_queue_working{queue="visit"} 0`} {
		if !strings.Contains(measured, want) {
			t.Errorf("while the first user waits there is no %s", want)
		}
	}
	if other := arrives(); other.Status != http.StatusOK || len(other.Offers) == 0 {
		t.Errorf("HTTP %d: %s", other.Status, other.Text)
	}
	close(rest)
	if err := <-gone; err != nil {
		t.Error(err)
	}
}

// tee keeps the first answer that was written.
type tee struct {
	http.ResponseWriter
	kept *[]byte
}

func (t *tee) Write(p []byte) (int, error) {
	if *t.kept == nil {
		*t.kept = bytes.Clone(p)
	}
	return t.ResponseWriter.Write(p)
}
