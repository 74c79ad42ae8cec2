package pages_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/internal/sandbox"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

var ctx = context.Background()

// house is what all scenes share, since it takes long to build: the sandbox, in which people
// log in for real, and the web server of our pages, which takes part there as a provider. Each
// scene puts pages of its own behind it.
type house struct {
	sandbox  *sandbox.Sandbox
	web      *httptest.Server
	door     *signin.Door
	handler  atomic.Pointer[http.Handler]
	edition  *catalogue.Catalogue
	document []byte // of the edition
	people   map[string]etoegang.ActingSubject
}

var build = sync.OnceValues(newHouse)

func TestMain(m *testing.M) {
	code := m.Run()
	if built != nil {
		built.web.Close()
		if err := errors.Join(built.sandbox.Stop(ctx), os.RemoveAll(filepath.Dir(built.sandbox.CA))); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the sandbox:", err)
			code = 1
		}
	}
	os.Exit(code)
}

var built *house

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The companies of the scenes. The register itself has people, too.
var (
	bakery   = harness.Company("Bakkerij De Korenbloem", "12345678", "123456782")
	office   = harness.Company("Administratiekantoor Telraam", "87654321", "249566758")
	registry = harness.Company("Het Register", "99999990", "")
)

func newHouse() (h *house, err error) {
	defer func() { // whatever cannot be built ends all tests alike
		if r := recover(); r != nil {
			err = fmt.Errorf("building the house: %v", r)
		}
	}()
	h = &house{people: map[string]etoegang.ActingSubject{}}
	h.web = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*h.handler.Load()).ServeHTTP(w, r) }))
	h.sandbox = must(sandbox.Open(ctx, must(os.MkdirTemp("", "pages-test-")), sandbox.Options{Listen: "127.0.0.1:0"}))
	built = h
	h.join()
	h.document = must(os.ReadFile(must(filepath.Glob(filepath.Join(h.sandbox.Network.Folder, "catalogue*.xml")))[0]))
	h.edition, _ = must2(catalogue.Parse(h.document, catalogue.Trust{File: true}, time.Now()))
	for name, company := range map[string]mandate.Organisation{
		"Bas Bakker": bakery, "Bea Bakker": bakery, "Bob Boekhouder": office, "Rik Register": registry, "Ria Register": registry,
	} {
		h.add(name, company)
	}
	h.add("Eva Elshout", mandate.Organisation{})
	return h, nil
}

func must2[T, U any](v T, u U, err error) (T, U) { return must(v, err), u }

// join lets our pages take part in the sandbox.
func (h *house) join() {
	n := h.sandbox.Network
	pair := must(devkeys.New("pages", time.Now()))
	key := []xmlsec.Key{{Name: pair.KeyName(), Certificate: pair.Certificate}}
	back := h.web.URL + pages.PathReturn
	var metadata bytes.Buffer
	response := must(h.client().Get(h.sandbox.Address + "/broker/metadata"))
	_ = must(metadata.ReadFrom(response.Body))
	_ = response.Body.Close()
	broker, _ := must2(saml.ParseMetadata(metadata.Bytes(), saml.Trust{File: true}, time.Now()))
	h.door = must(signin.New(signin.Config{
		Entity: must(etoegang.ParseEntityID("urn:etoegang:DV:00000009000000000031:entities:9501")), Broker: n.Broker.Entity,
		Directory: saml.NewDirectory(append(broker, n.Authenticator.Participant(), n.First.Participant(), n.Second.Participant())...),
		Artifact:  back, Post: back, Resolve: h.resolve,
		Service: signin.Service{Index: 2, ID: must(etoegang.ParseServiceID("urn:etoegang:DV:00000009000000000031:services:2")), UUID: n.Services["vat"].UUID, Level: etoegang.LoA3,
			Names: map[string]string{"en": "Manage mandates"}, Wants: []saml.RequestedAttribute{{Name: etoegang.AttributeRepresentedName}}},
		Signer:  xmlsec.Signer{Key: pair.Key, KeyName: pair.KeyName(), Certificate: pair.Certificate},
		Signing: key, Encryption: key, Openers: []xmlsec.Opener{{KeyName: pair.KeyName(), Key: pair.Key}},
		Organisation: "Our pages", Contact: "desk@pages.test", Now: time.Now,
	}))
	if err := os.WriteFile(filepath.Join(h.sandbox.Providers(), "pages.xml"), must(h.door.Metadata()), 0o600); err != nil {
		panic(err)
	}
	start := must(h.client().Get(h.sandbox.Address + "/")) // it looks for files there
	_ = start.Body.Close()
}

// client trusts the sandbox's certificate and ours.
func (h *house) client() *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(h.sandbox.CA)))
	roots.AddCert(h.web.Certificate())
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func (h *house) resolve(ctx context.Context, address string, envelope []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", saml.ContentType)
	client := h.client()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return io.ReadAll(response.Body)
}

// add lets somebody log in with a means of his own, for a company if there is one.
func (h *house) add(name string, company mandate.Organisation) {
	body := must(json.Marshal(map[string]string{"name": name}))
	response := must(h.client().Post(h.sandbox.Address+"/api/persons", "application/json", bytes.NewReader(body)))
	defer func() { _ = response.Body.Close() }()
	var made struct{ Pseudonym string }
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || response.StatusCode != http.StatusCreated {
		panic(fmt.Sprint("adding ", name, ": ", response.Status, err))
	}
	n := h.sandbox.Network
	p := mandate.Person{Name: name, Active: true, Subject: etoegang.ActingSubject{Authenticator: n.Authenticator.Entity, Pseudonym: must(etoegang.ParsePseudonym(made.Pseudonym))}}
	h.people[name] = p.Subject
	if !company.KvK.IsZero() {
		_ = must(n.First.Direct(company, p, harness.For(n.Services["vat"], etoegang.LoA3)))
	}
}

// clockwork is the real time, and so much later.
type clockwork struct{ later atomic.Int64 }

func (c *clockwork) Now() time.Time          { return time.Now().Add(time.Duration(c.later.Load())) }
func (c *clockwork) advance(d time.Duration) { c.later.Add(int64(d)) }

// scene are pages on a register of their own, or on the sandbox's.
type scene struct {
	*testing.T
	*house
	clock    *clockwork
	place    string // of its own register
	register *register.Register
	desk     *desk.Desk
	lang     string
	works    works // what the daemon would tell
	shared   bool  // the register is the sandbox's, which is to be left as it was

	store lostStore
	log   safeLog

	clients int // of the office, made by lets

	uses  journal.Uses // what is known of them, and how often somebody asked
	asked int
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, clock: &clockwork{}, place: filepath.Join(t.TempDir(), "register.db"), lang: "en"}
	r, err := register.Create(ctx, s.place, must(etoegang.ParseEntityID("urn:etoegang:MR:00000009000000000031:entities:9001")), time.Millisecond, register.Options{Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	s.open(r)
	return s
}

// newOpenScene has its pages on the register that the sandbox's broker asks.
func newOpenScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, clock: &clockwork{}, lang: "en"}
	h, err := build()
	if err != nil {
		t.Fatal(err)
	}
	s.shared = true
	s.open(h.sandbox.Network.First.Register())
	return s
}

// shelf has the edition of the scene.
type shelf struct{ *scene }

func (s shelf) Of(*register.Snapshot) (*catalogue.Catalogue, error) { return s.edition, nil }

func (s *scene) open(r *register.Register) {
	s.Helper()
	var err error
	if s.house, err = build(); err != nil {
		s.Fatal(err)
	}
	store, err := guard.Open(ctx, filepath.Join(s.TempDir(), "guard.db"), s.clock.Now)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = store.Close() })
	s.store.Store = store
	s.register = r
	s.offers(desk.New(r, shelf{s}))
}

// offers puts pages of that desk behind the door. Who was logged in still is.
func (s *scene) offers(d *desk.Desk) {
	s.Helper()
	s.desk = d
	handler, err := pages.New(s.config())
	if err != nil {
		s.Fatal(err)
	}
	s.handler.Store(&handler)
}

// config is what the scene's pages are made of.
func (s *scene) config() pages.Config {
	return pages.Config{
		Name: "Register of mandates", Address: s.web.URL, Desk: s.desk, Catalogue: s.current, SignIn: func() *signin.Door { return s.door },
		Store: &s.store, Works: &s.works, SealingKey: bytes.Repeat([]byte{7}, 32), Now: s.clock.Now, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		LastUse: func(context.Context, []mandate.ID) (journal.Uses, error) { s.asked++; return s.uses, nil },
		Footer:  []look.Link{{Text: "Accessibility", Address: "https://register.test/accessibility"}},
	}
}

// lostStore is a store that does not answer while it is told not to.
type lostStore struct {
	pages.Store
	lost atomic.Value // the name of what it does not do

	keeps, replaces func(key string) // if not nil, are told before it does
}

func (l *lostStore) does(what string) error {
	if lost, _ := l.lost.Load().(string); lost == what {
		return errors.New("connection refused")
	}
	return nil
}

func (l *lostStore) Admit(ctx context.Context, issuer, id string, until time.Time) error {
	return errors.Join(l.does("admit"), l.Store.Admit(ctx, issuer, id, until))
}

func (l *lostStore) Keep(ctx context.Context, key string, sealed []byte, until time.Time) error {
	if l.keeps != nil {
		l.keeps(key)
	}
	return l.Store.Keep(ctx, key, sealed, until)
}

func (l *lostStore) Replace(ctx context.Context, key string, sealed []byte, until time.Time) error {
	if l.replaces != nil {
		l.replaces(key)
	}
	if err := errors.Join(ctx.Err(), l.does("replace")); err != nil {
		return err
	}
	return l.Store.Replace(ctx, key, sealed, until)
}

func (l *lostStore) Look(ctx context.Context, key string) ([]byte, error) {
	if err := l.does("look"); err != nil {
		return nil, err
	}
	return l.Store.Look(ctx, key)
}

func (l *lostStore) Take(ctx context.Context, key string) ([]byte, error) {
	if err := l.does("take"); err != nil {
		return nil, err
	}
	return l.Store.Take(ctx, key)
}

// safeLog is what was logged, by whichever goroutine.
type safeLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *safeLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// current is the edition by which the register decides: the sandbox's, unless the scene has others.
func (s *scene) current() *catalogue.Catalogue {
	if n := len(s.works.editions); n > 0 {
		return s.works.editions[int64(n)]
	}
	return s.edition
}

// invites makes an appointment at the command line, and gives its code.
func (s *scene) invites(o mandate.Organisation, role mandate.Role, name string) string {
	s.Helper()
	if role != mandate.Staff {
		_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error { _, err := t.PutOrganisation(o); return err }))
	} else {
		o = mandate.Organisation{}
	}
	from := s.clock.Now().UTC().Truncate(time.Second)
	authority := map[mandate.Role]mandate.Authority{mandate.Director: mandate.Jointly}[role]
	made := must(s.desk.AppointAtDesk(ctx, register.Author{Who: "test", Why: "test"}, desk.Appointment{
		Company: o.KvK, Role: role, Authority: authority, Name: name, Level: etoegang.LoA3, Validity: mandate.Validity{From: from, To: from.AddDate(3, 0, 0)},
	}))
	if s.shared {
		s.Cleanup(func() {
			_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
				_, err := t.Dismiss(made.Appointment.ID, nil)
				return err
			}))
		})
	}
	return made.Invitation
}

// comes is somebody who was appointed, has accepted and has just come in.
func (s *scene) comes(person string, o mandate.Organisation, role mandate.Role) *browser {
	s.Helper()
	code := s.invites(o, role, person)
	b := s.browser().logIn(person)
	b.visit("/invitation").fill("code", code).press("/invitation")
	b.reads(b.word("place /"))
	b.steps = 0
	return b
}

// browser is somebody with a browser that follows links and presses buttons, without script.
// It counts what he does.
type browser struct {
	*scene
	http  *http.Client
	at    *url.URL
	page  *html.Node
	code  int
	head  http.Header
	filed url.Values // filled in on this page
	steps int
}

func (s *scene) browser() *browser {
	client := s.client()
	client.Jar = must(cookiejar.New(nil))
	return &browser{scene: s, http: client, filed: url.Values{}}
}

func (b *browser) word(name string, fill ...any) string {
	return pages.Texts.In(look.Language(b.lang)).Say(name, fill...)
}

// say is a day as he reads it.
func (b *browser) say(day time.Time) string { return look.Language(b.lang).Date(day) }

func (b *browser) visit(address string) *browser {
	b.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.web.URL + address
	}
	return b.do(must(http.NewRequest(http.MethodGet, address, nil)))
}

func (b *browser) do(request *http.Request) *browser {
	b.Helper()
	request.Header.Set("Accept-Language", b.lang)
	response, err := b.http.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if b.page, err = html.Parse(response.Body); err != nil {
		b.Fatal(err)
	}
	b.at, b.code, b.head, b.filed = response.Request.URL, response.StatusCode, response.Header, url.Values{}
	if gap := gaps.FindString(b.text()); gap != "" {
		b.Errorf("at %s a gap is left in a text: %s", b.at, gap)
	}
	return b
}

// gaps are what the values of a text are filled in for.
var gaps = regexp.MustCompile(`\{[a-z]+\}`)

// click follows the link with this text.
func (b *browser) click(text string) *browser {
	b.Helper()
	link := b.find(func(n *html.Node) bool { return n.Data == "a" && strings.HasPrefix(textOf(n), text) })
	if link == nil {
		b.Fatalf("at %s there is no link %q: %s", b.at, text, b.text())
	}
	b.steps++
	return b.visit(must(b.at.Parse(attr(link, "href"))).String())
}

// fill fills in a field, or chooses something in it.
func (b *browser) fill(field string, values ...string) *browser {
	b.Helper()
	if b.find(func(n *html.Node) bool { return attr(n, "name") == field }) == nil {
		b.Fatalf("at %s there is no field %q: %s", b.at, field, b.text())
	}
	b.steps++
	b.filed[field] = values
	return b
}

// form finds the form that goes to an address, and what it would send.
func (b *browser) form(action string) (to string, values url.Values) {
	b.Helper()
	form := b.find(func(n *html.Node) bool { return n.Data == "form" && attr(n, "action") == action })
	if form == nil {
		b.Fatalf("at %s there is no form to %s: %s", b.at, action, b.text())
	}
	values = url.Values{}
	for n := range form.Descendants() {
		name := attr(n, "name")
		switch {
		case n.Type != html.ElementNode || name == "":
		case n.Data == "input" && (attr(n, "type") == "checkbox" || attr(n, "type") == "radio"):
			if has(n, "checked") {
				values.Add(name, attr(n, "value"))
			}
		case n.Data == "input":
			values.Add(name, attr(n, "value"))
		case n.Data == "select":
			first := true
			for o := range n.Descendants() {
				if o.Data == "option" && (first || has(o, "selected")) {
					values.Set(name, attr(o, "value"))
					first = false
				}
			}
		}
	}
	for name, v := range b.filed {
		values[name] = v
	}
	return must(b.at.Parse(action)).String(), values
}

// press sends the form that goes to an address.
func (b *browser) press(action string) *browser {
	b.Helper()
	b.steps++
	return b.send(b.form(action))
}

// next sends the form of the step that one is in.
func (b *browser) next() *browser {
	b.Helper()
	form := b.find(func(n *html.Node) bool {
		return n.Data == "form" && (strings.HasPrefix(attr(n, "action"), "/drafts/") || strings.HasPrefix(attr(n, "action"), "/grant/"))
	})
	if form == nil {
		b.Fatalf("at %s there is no step: %s", b.at, b.text())
	}
	return b.press(attr(form, "action"))
}

func (b *browser) send(to string, values url.Values) *browser {
	b.Helper()
	request := must(http.NewRequest(http.MethodPost, to, strings.NewReader(values.Encode())))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
	return b.do(request)
}

// logIn goes from the start page through the sandbox's broker to where it ends.
func (b *browser) logIn(person string) *browser {
	b.Helper()
	return b.visit("/").click(b.word("log in")).as(person)
}

// as says at the authentication service who one is.
func (b *browser) as(person string) *browser {
	b.Helper()
	b.steps += 2
	b.filed = url.Values{"person": {person}, "do": {"choose"}}
	to, values := b.form("/authn/choose")
	return b.send(to, values)
}

// cookies are what the browser has, to be put back later.
func (b *browser) cookies() []*http.Cookie {
	list := b.http.Jar.Cookies(b.at)
	for _, c := range list {
		c.Path, c.Secure = "/", true // which a jar does not tell
	}
	return list
}

func (b *browser) find(is func(*html.Node) bool) *html.Node {
	for n := range b.page.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			return n
		}
	}
	return nil
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var words []string
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" {
			words = append(words, strings.Fields(d.Data)...)
		}
	}
	return strings.Join(words, " ")
}

func (b *browser) text() string { return textOf(b.page) }

// title is the heading of the page.
func (b *browser) title() string {
	if n := b.find(func(n *html.Node) bool { return n.Data == "h1" }); n != nil {
		return textOf(n)
	}
	return ""
}

// wrongAt is what stands beside a field as wrong.
func (b *browser) wrongAt(field string) string {
	if n := b.find(func(n *html.Node) bool { return attr(n, "id") == "f-"+field+"-error" }); n != nil {
		return textOf(n)
	}
	return ""
}

func (b *browser) reads(all ...string) *browser {
	b.Helper()
	text := b.text()
	for _, want := range all {
		if !strings.Contains(text, want) {
			b.Fatalf("at %s (%d) one does not read %q but: %s", b.at, b.code, want, text)
		}
	}
	return b
}

// is fails the test if the page came with another status.
func (b *browser) is(code int) *browser {
	b.Helper()
	if b.code != code {
		b.Fatalf("at %s: HTTP %d, want %d: %s", b.at, b.code, code, b.text())
	}
	return b
}

type htmlNode = html.Node

// mandate looks one up, and steps what was done to it.
func (s *scene) mandate(id mandate.ID) (m mandate.Mandate) {
	s.Helper()
	if err := s.register.Read(ctx, func(v *register.Snapshot) (err error) { m, err = v.Mandate(id); return err }); err != nil {
		s.Fatal(err)
	}
	return m
}

// all are the first thousand that a filter chooses.
func (s *scene) all(f register.Filter) (list []mandate.Mandate) {
	s.Helper()
	if err := s.register.Read(ctx, func(v *register.Snapshot) (err error) { list, _, err = v.Mandates(f, 0, 1000); return err }); err != nil {
		s.Fatal(err)
	}
	return list
}

func (s *scene) steps(id mandate.ID) (list []register.Step) {
	s.Helper()
	if err := s.register.Read(ctx, func(v *register.Snapshot) (err error) { list, err = v.Steps(id); return err }); err != nil || len(list) == 0 {
		s.Fatal(len(list), err)
	}
	return list
}

// grants lets the baker mandate the office for everything.
func (s *scene) grants(baker *browser) {
	s.Helper()
	baker.visit("/grant/chain").fill("kvk", "87654321").press("/grant/chain")
	baker.fill("much", "everything").next()
	baker.next().reads(baker.word("done active"))
}

// assigns lets the office assign Eva to a client.
func (s *scene) assigns(bob *browser, client string) {
	s.Helper()
	eva := s.people["Eva Elshout"]
	bob.visit("/grant/assign?client="+client).fill("person-name", "Eva Elshout").fill("authenticator", eva.Authenticator.String()).fill("pseudonym", eva.Pseudonym.Text())
	bob.press("/grant/assign")
	bob.next()
	bob.next().reads(bob.word("done active"))
}

// fillsPaper fills in what came on paper: a bakery mandates the office.
func (s *scene) fillsPaper(staff *browser, kvk string) *browser {
	s.Helper()
	today := s.clock.Now()
	staff.fill("kvk", kvk).fill("office", "87654321")
	for _, field := range []string{"form", "extract"} {
		staff.fill(field+"-day", today.Format("2")).fill(field+"-month", today.Format("1")).fill(field+"-year", today.Format("2006")).fill(field+"-where", "box 7")
	}
	return staff
}

// records lets one of the register's staff record a mandate that came on paper.
func (s *scene) records(staff *browser, kvk string) *browser {
	s.Helper()
	staff.visit("/grant/paper")
	s.fillsPaper(staff, kvk).press("/grant/paper")
	staff.fill("much", "everything").next()
	return staff.next()
}
