package sandbox_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/mandated/mandated/internal/sandbox"
)

// shared is the sandbox of all tests here: to fill its registers takes longer than most of
// them. Each leaves it as it found it, but for the log, and they run one after the other.
var shared *sandbox.Sandbox

func TestMain(m *testing.M) {
	code := m.Run()
	if shared != nil {
		if err := errors.Join(shared.Stop(context.Background()), os.RemoveAll(filepath.Dir(shared.CA))); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the sandbox:", err)
			code = 1
		}
	}
	os.Exit(code)
}

func open(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	if shared != nil {
		return shared
	}
	folder, err := os.MkdirTemp("", "sandbox-test-")
	if err == nil {
		shared, err = sandbox.Open(context.Background(), folder, sandbox.Options{Listen: "127.0.0.1:0"})
	}
	if err != nil {
		t.Fatalf("opening the sandbox: %v", err)
	}
	return shared
}

// browser is somebody with a browser that trusts the sandbox's certificate: it follows links
// and presses buttons, without script.
type browser struct {
	t    *testing.T
	http *http.Client
	at   *url.URL
	page *html.Node
	code int
}

func newBrowser(t *testing.T, s *sandbox.Sandbox) *browser {
	t.Helper()
	ca, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	return &browser{t: t, http: &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}}
}

func (b *browser) visit(address string) *browser {
	b.t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(request)
}

func (b *browser) do(request *http.Request) *browser {
	b.t.Helper()
	request.Header.Set("Accept-Language", "en")
	response, err := b.http.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if b.page, err = html.Parse(response.Body); err != nil {
		b.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	b.at, b.code = response.Request.URL, response.StatusCode
	return b
}

// press sends the form that has the button of that value, with what is filled in. "": the
// page's first form.
func (b *browser) press(button string, fill url.Values) *browser {
	b.t.Helper()
	form := b.find(func(n *html.Node) bool {
		for in := range n.Descendants() {
			if button == "" || in.Data == "button" && attr(in, "value") == button {
				return n.Data == "form"
			}
		}
		return false
	})
	if form == nil {
		b.t.Fatalf("there is no form at %s: %s", b.at, b.text())
	}
	values := url.Values{}
	for n := range form.Descendants() {
		if n.Data == "input" && (attr(n, "type") == "hidden" || attr(n, "checked") != "") {
			values.Set(attr(n, "name"), attr(n, "value"))
		}
		if n.Data == "button" && attr(n, "name") != "" && attr(n, "value") == button {
			values.Set(attr(n, "name"), button)
		}
	}
	for name, v := range fill {
		values[name] = v
	}
	to, err := b.at.Parse(attr(form, "action"))
	if err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
	return b.do(request)
}

func (b *browser) find(is func(*html.Node) bool) *html.Node {
	for n := range b.page.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			return n
		}
	}
	return nil
}

// attr is an attribute of an element; one without a value is its own name.
func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			if a.Val == "" {
				return name
			}
			return a.Val
		}
	}
	return ""
}

// text is what one reads on the page.
func (b *browser) text() string {
	var words []string
	for n := range b.page.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// logIn goes from a provider's button to where the log-in ends.
func (b *browser) logIn(s *sandbox.Sandbox, provider, person, level string, ways url.Values) *browser {
	b.t.Helper()
	b.visit(s.Address+provider).press("", ways)
	if ways.Get("request") == "post" {
		b.press("", nil)
	}
	b.choose(person, level)
	if ways.Get("answer") == "post" && b.code == http.StatusOK {
		b.press("", nil)
	}
	return b
}

// choose says at the authentication service who one is.
func (b *browser) choose(person, level string) *browser {
	b.t.Helper()
	fill := url.Values{"person": {person}}
	if level != "" {
		fill.Set("level", level)
	}
	return b.press("choose", fill)
}

func (b *browser) reads(all ...string) {
	b.t.Helper()
	text := b.text()
	for _, want := range all {
		if !strings.Contains(text, want) {
			b.t.Fatalf("at %s one does not read %q but: %s", b.at, want, text)
		}
	}
}

// The baker's employee logs in, and the provider reads for whom. However the messages travel,
// it reads the same.
func TestOwnCompany(t *testing.T) {
	s := open(t)
	for _, request := range []string{"artifact", "redirect", "post"} {
		for _, answer := range []string{"artifact", "post"} {
			t.Run(request+" "+answer, func(t *testing.T) {
				b := newBrowser(t, s)
				b.logIn(s, "/vat/", "Anna de Vries", "", url.Values{"request": {request}, "answer": {answer}})
				b.reads("You are logged in", "12345678", "123456782", "Bakkerij De Korenbloem", "urn:etoegang:core:assurance-class:loa3")
			})
		}
	}
}

// Pages speak the visitor's language, run no script, load nothing and are not kept.
func TestPages(t *testing.T) {
	s := open(t)
	b := newBrowser(t, s)
	for path, reads := range map[string]map[string]string{
		"/":                {"nl": "Zandbak voor eHerkenning", "en": "eHerkenning sandbox", "fr, en;q=0.5": "eHerkenning sandbox", "fr": "Zandbak voor eHerkenning"},
		"/vat/":            {"nl": "Inloggen met eHerkenning", "en": "Log in with eHerkenning"},
		"/permit/":         {"nl": "Gemeente: vergunning", "en": "Municipality: permit"},
		"/portal/":         {"nl": "Provincie: portaal", "en": "Province: portal"},
		"/api/":            {"nl": "De API voor programma", "en": "The API for programs"},
		"/providers/":      {"nl": "Metadata controleren", "en": "Check metadata"},
		"/logins/":         {"nl": "Alle keren dat er is ingelogd", "en": "All log-ins"},
		"/broker/sso/1.13": {"nl": "Dit gaat niet", "en": "This does not work"},
		"/broker/acs/1.13": {"nl": "Dit gaat niet", "en": "This does not work"},
		"/authn/sso/1.13":  {"nl": "Dit gaat niet", "en": "This does not work"},
		"/vat/acs/1.13":    {"nl": "Dit gaat niet", "en": "This does not work"},
	} {
		for language, want := range reads {
			request, _ := http.NewRequest(http.MethodGet, s.Address+path, nil)
			request.Header.Set("Accept-Language", language)
			response, err := b.http.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			page, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || !strings.Contains(string(page), want) || strings.Contains(string(page), "<script") {
				t.Errorf("%s in %s: %v %.300s", path, language, err, page)
			}
			h := response.Header
			if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") ||
				strings.Contains(h.Get("Content-Security-Policy"), "unsafe") || h.Get("Cache-Control") != "no-cache, no-store" {
				t.Errorf("%s in %s: %v", path, language, h)
			}
		}
	}
}

// A form of another site logs nobody in: a browser says where it comes from.
func TestFormsOfOthers(t *testing.T) {
	s := open(t)
	for _, path := range []string{"/vat/login", "/permit/login", "/authn/choose", "/fault", "/providers/"} {
		request, _ := http.NewRequest(http.MethodPost, s.Address+path, nil)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		if b := newBrowser(t, s).do(request); b.code != http.StatusForbidden {
			t.Errorf("%s: HTTP %d", path, b.code)
		}
	}
}
