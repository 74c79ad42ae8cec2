package explain_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/sandbox/explain"
)

// page is a page as a browser reads it.
type page struct {
	t    testing.TB
	text string
	root *html.Node
}

func show(t testing.TB, language look.Language, login explain.Login) page {
	t.Helper()
	var b bytes.Buffer
	if err := explain.Page(&b, language, login); err != nil {
		t.Fatal(err)
	}
	return page{t, b.String(), must[*html.Node](t)(html.Parse(bytes.NewReader(b.Bytes())))}
}

// all are the elements of one of the names, in order; with none, all elements.
func (p page) all(names ...string) (found []*html.Node) {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && (len(names) == 0 || slices.Contains(names, n.Data)) {
			found = append(found, n)
		}
	}
	return found
}

func (p page) one(name string) *html.Node {
	p.t.Helper()
	found := p.all(name)
	if len(found) != 1 {
		p.t.Fatalf("there are %d <%s>", len(found), name)
	}
	return found[0]
}

func (p page) byID(id string) *html.Node {
	for _, n := range p.all() {
		if value(n, "id") == id {
			return n
		}
	}
	return nil
}

func value(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// harmless tells what in a page a strict Content-Security-Policy would stop, or would reach
// out of the page.
func (p page) harmless() {
	p.t.Helper()
	for _, n := range p.all() {
		if slices.Contains([]string{"script", "link", "iframe", "object", "embed", "img", "form", "base", "input"}, n.Data) {
			p.t.Errorf("there is a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || a.Key == "src" {
				p.t.Errorf("<%s> has %s", n.Data, a.Key)
			}
			if a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "/") {
				p.t.Errorf("<%s> leads to %s", n.Data, a.Val)
			}
		}
	}
	if got := p.one("style").FirstChild.Data; got != explain.Style() {
		p.t.Error("the style is not the one whose hash is known")
	}
}

// The page of a whole log-in, in both languages: a drawing, a table that says the same, and
// every message with a place of its own.
func TestPage(t *testing.T) {
	s := newScene(t)
	s.logIn()
	login := explain.Login{
		Title: "Anna <logs in>", Outcome: "Logged in for Boerderij Zonzicht.", Messages: explain.Explain(s.cast, s.log...),
		Links: []explain.Link{{Text: "Nederlands", Address: "/login/1?nl", Language: "nl"}},
	}
	for language, words := range map[look.Language][]string{
		"nl": {"Wat de dienstverlener leest", "Klopt", "Versleuteld", "Het vertegenwoordigde bedrijf"},
		"en": {"What the service provider reads", "Holds", "Encrypted", "The represented company"},
	} {
		p := show(t, language, login)
		p.harmless()
		if value(p.one("html"), "lang") != string(language) || textOf(p.one("title")) != login.Title || textOf(p.one("h1")) != login.Title {
			t.Errorf("%s: <html lang=%q>, %q", language, value(p.one("html"), "lang"), textOf(p.one("title")))
		}
		for _, w := range append(words, login.Outcome) {
			if !strings.Contains(textOf(p.one("main")), w) {
				t.Errorf("%s: the page does not say %s", language, w)
			}
		}
		p.headings()
		p.anchors(len(login.Messages))
		for _, table := range p.all("table") {
			if !strings.Contains(headersOf(table), "col") {
				t.Errorf("%s: a table without headers: %.80s", language, textOf(table))
			}
		}
		if n := p.all("nav"); len(n) != 1 || value(n[0], "aria-label") == "" {
			t.Errorf("%s: the links need a name", language)
		}
	}
}

func headersOf(table *html.Node) (scopes string) {
	for n := range table.Descendants() {
		if n.Data == "th" {
			scopes += value(n, "scope") + " "
		}
	}
	return scopes
}

// headings: none is left out on the way down.
func (p page) headings() {
	p.t.Helper()
	level := 0
	for _, h := range p.all("h1", "h2", "h3", "h4", "h5", "h6") {
		next := int(h.Data[1] - '0')
		if next > level+1 {
			p.t.Errorf("after h%d comes %s: %s", level, h.Data, textOf(h))
		}
		level = next
	}
}

// anchors: drawing and table lead to every message, no ID stands there twice, and every link
// within the page leads somewhere.
func (p page) anchors(messages int) {
	p.t.Helper()
	ids := map[string]int{}
	for _, n := range p.all() {
		if id := value(n, "id"); id != "" {
			ids[id]++
		}
	}
	for id, n := range ids {
		if n > 1 {
			p.t.Errorf("ID %s stands there %d times", id, n)
		}
	}
	drawn, listed := map[string]bool{}, map[string]bool{}
	for _, a := range p.all("a") {
		to := value(a, "href")
		if id, inside := strings.CutPrefix(to, "#"); inside && ids[id] != 1 {
			p.t.Errorf("%s leads nowhere", to)
		}
		if a.Namespace == "svg" {
			drawn[to] = true
		} else if a.Parent.Data == "td" {
			listed[to] = true
		}
	}
	for i := 1; i <= messages; i++ {
		to := fmt.Sprint("#message-", i)
		if !drawn[to] || !listed[to] {
			p.t.Errorf("%s: drawn %v, listed %v", to, drawn[to], listed[to])
		}
	}
}

// That a signature is broken is told in words, where one looks first and at the message.
func TestPageTellsOfBrokenSignatures(t *testing.T) {
	s := newScene(t)
	s.logIn()
	s.log[asksOn-1].Raw = s.redirect(s.n.Authenticator, s.authnRequest(s.n.Broker.Party, "https://authenticator.test/sso/1.13", "_1"), "")
	p := show(t, "en", explain.Login{Title: "Broken", Messages: explain.Explain(s.cast, s.log...)})
	if overview := textOf(p.all("table")[0]); strings.Count(overview, "do not hold") != 1 {
		t.Errorf("the table says %s", overview)
	}
	if message := textOf(p.byID(fmt.Sprint("message-", asksOn))); !strings.Contains(message, "Does not hold") {
		t.Errorf("the message says %.300s", message)
	}
	if drawing := textOf(p.one("svg")); strings.Count(drawing, "✗") != 1 {
		t.Error("the drawing does not show it without colour")
	}
}

// What a provider reads is told where the log-in came so far, and not of a half that leads
// nowhere.
func TestPageTellsWhatIsRead(t *testing.T) {
	s := newScene(t)
	s.logIn()
	fault := explain.Message{Raw: []byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault/></s:Body></s:Envelope>`)}
	for _, scene := range []struct {
		name string
		log  []explain.Message
		read bool
	}{
		{"to the end", s.log, true},
		{"an answer, and its artifact on the way", s.log[:endResolve], true},
		{"while the second register is asked", s.log[:confirm], false},
		{"the second register is out of order", append(slices.Clone(s.log[:confirm]), fault), false},
	} {
		p := show(t, "en", explain.Login{Title: scene.name, Messages: explain.Explain(s.cast, scene.log...)})
		if got := p.byID("provider") != nil; got != scene.read {
			t.Errorf("%s: %v", scene.name, got)
		}
	}
}

// Nothing of a message is believed by the page either.
func TestPageBelievesNothing(t *testing.T) {
	const evil = `</style><script>alert(1)</script><img src=x onerror=alert(1)>"'`
	escaped := strings.NewReplacer("<", "&lt;", "&", "&amp;", `"`, "&quot;").Replace(evil)
	for _, raw := range []string{
		evil,
		"<a>" + evil,
		`<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol" Destination="` + escaped + `" ID="` + escaped + `"><Status><StatusMessage>` + escaped + `</StatusMessage></Status></Response>`,
		"SAMLart=" + evil + "&RelayState=javascript:alert(1)&" + evil + "=1",
	} {
		m := explain.Message{From: evil, To: "javascript:alert(1)", What: evil, Binding: evil, Raw: []byte(raw)}
		p := show(t, evil, explain.Login{Title: evil, Outcome: evil, Messages: explain.Explain(explain.Cast{{Entity: evil, Name: evil}}, m)})
		p.harmless()
		if value(p.one("html"), "lang") != string(look.English) {
			t.Errorf("lang is %q", value(p.one("html"), "lang"))
		}
	}
}

// A log-in may have just begun, and somebody may talk to himself.
func TestSmallPages(t *testing.T) {
	p := show(t, "nl", explain.Login{Title: "Leeg"})
	if !strings.Contains(textOf(p.one("main")), "nog geen berichten") || len(p.all("svg")) > 0 {
		t.Errorf("an empty log-in: %s", textOf(p.one("main")))
	}
	long := "somebody-with-a-very-long-name-of-which-nothing-can-be-left-out"
	p = show(t, "nl", explain.Login{Title: "Alleen", Messages: explain.Explain(nil, explain.Message{From: long, To: long, Raw: []byte("<a/>")})})
	p.anchors(1)
	for _, l := range p.all("line") {
		from, _ := strconv.Atoi(value(l, "x1"))
		to, _ := strconv.Atoi(value(l, "x2"))
		if value(l, "marker-end") != "" && to-from < 30 {
			t.Errorf("the arrow is %d long", to-from)
		}
	}
	names := 0
	for _, n := range p.all("text") {
		if value(n, "class") == "name" {
			names++
			if length := len([]rune(textOf(n))); length > 20 {
				t.Errorf("%d letters do not fit: %s", length, textOf(n))
			}
		}
	}
	if names != 3 {
		t.Errorf("the name stands in %d lines, want 3", names)
	}
}

// Whatever the templates say they say in both languages, and a word that is not there is missed.
func TestPageSaysEverything(t *testing.T) {
	for _, wrong := range explain.Texts().Check(os.DirFS("pages")) {
		t.Error(wrong)
	}
	less := maps.Clone(explain.Texts())
	delete(less, "travelled")
	if len(less.Check(os.DirFS("pages"))) == 0 {
		t.Error("nobody misses a word")
	}
}
