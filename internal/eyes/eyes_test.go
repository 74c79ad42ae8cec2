package eyes_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mandated/mandated/internal/eyes"
)

// witness is a test that may fail, and tells of what.
type witness struct {
	*testing.T
	said []string
	last []func()
}

func (w *witness) Errorf(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	runtime.Goexit()
}

func (w *witness) Cleanup(f func()) { w.last = append(w.last, f) }

// failures are what fails a test that does this, in words.
func failures(t *testing.T, o eyes.Options, scene func(*eyes.Browser)) string {
	w := &witness{T: t}
	var done sync.WaitGroup
	done.Go(func() {
		defer func() {
			for _, f := range w.last {
				f()
			}
		}()
		scene(eyes.Open(w, o))
	})
	done.Wait()
	if t.Skipped() {
		t.SkipNow() // here, too: nobody has looked
	}
	return strings.Join(w.said, "\n")
}

// site serves pages by their path. Those of /plain/ come without a policy.
func site(t *testing.T, pages map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, known := pages[r.URL.Path]
		if to, away := strings.CutPrefix(page, "303 "); away {
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if !strings.HasPrefix(r.URL.Path, "/plain/") {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action https://broker.test/ 'self'")
		}
		switch {
		case r.URL.Path == "/favicon.ico":
			w.WriteHeader(http.StatusNoContent)
		case !known:
			http.NotFound(w, r)
		default:
			_, _ = w.Write([]byte(page))
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// good is a page that nobody can find fault with.
func good(body string) string {
	return `<!DOCTYPE html><html lang="nl"><head><title>Goed</title><meta name="viewport" content="width=device-width"></head><body><main><h1>Goed</h1>` + body + `</main></body></html>`
}

// Eyes that see nothing wrong must have looked: each kind of mistake fails the test, with
// scripts and without where both can make it, and a page without mistakes does not.
func TestMistakesAreSeen(t *testing.T) {
	at := site(t, map[string]string{
		"/good":          good(`<p>Alles is goed.</p><button>Verder</button>`),
		"/image":         good(`<img src="/x.png" alt="">`),
		"/style":         good(`<p style="color: red">rood</p>`),
		"/plain/away":    good(`<img src="https://tracker.test/x.png" alt="">`),
		"/redirected":    "303 https://nobody.test/",
		"/plain/thrown":  good(`<script>null.x</script>`),
		"/plain/console": good(`<script>console.error('o nee')</script>`),
		"/plain/dialog":  good(`<script>alert('ha')</script>`),
		"/form":          good(`<form method="post" action="https://thief.test/"><button>Verder</button></form>`),
		"/language":      strings.Replace(good(""), ` lang="nl"`, "", 1),
		"/plain/grey":    good(`<p style="color: #999">lees mij</p>`),
		"/plain/script":  good(`<p id="p" style="color: #999">lees mij</p><script>p.style.color = '#000'</script>`),
		"/plain/wide":    good(`<div style="width: 2000px">breed</div>`),
		"/plain/unseen":  good(`<style>:focus { outline: none }</style><button>Verder</button>`),
		"/plain/pale":    good(`<style>:focus { outline: 3px solid #ddd }</style><button>Verder</button>`),
		"/plain/thin":    good(`<style>:focus { outline: 1px solid #000 }</style><button>Verder</button>`),
		"/plain/outside": good(`<button style="position: fixed; left: -999px">Verder</button>`),
	})
	goTo := func(path string, then ...func(*eyes.Page)) func(*eyes.Browser) {
		return func(b *eyes.Browser) {
			p := b.Go(at + path)
			for _, step := range then {
				step(p)
			}
		}
	}
	tab := func(p *eyes.Page) { p.Press("Tab"); p.Focused() }
	click := func(p *eyes.Page) { p.Click("Verder") }
	all := func(p *eyes.Page) { p.Axe(); p.Fits(); tab(p) }
	both, only, without := []bool{true, false}, []bool{true}, []bool{false}
	for name, c := range map[string]struct {
		scene func(*eyes.Browser)
		modes []bool // with script, without
		says  string
	}{
		"nothing wrong":                 {goTo("/good", all), both, ""},
		"a policy forbids an image":     {goTo("/image"), both, "Content Security Policy"},
		"a policy forbids a style":      {goTo("/style"), without, "Content Security Policy"},
		"a policy forbids a form":       {goTo("/form", click), both, "Content Security Policy"},
		"an image from elsewhere":       {goTo("/plain/away"), both, "https://tracker.test/x.png"},
		"a redirect to elsewhere":       {goTo("/redirected"), without, "https://nobody.test/"},
		"a script that breaks":          {goTo("/plain/thrown"), only, "error in a script"},
		"a script that complains":       {goTo("/plain/console"), only, "o nee"},
		"a dialog":                      {goTo("/plain/dialog"), only, "dialog: ha"},
		"no language":                   {goTo("/language", (*eyes.Page).Axe), both, "html-has-lang: html"},
		"pale words":                    {goTo("/plain/grey", (*eyes.Page).Axe), without, "color-contrast: p"},
		"words a script makes dark":     {goTo("/plain/script", (*eyes.Page).Axe), without, "color-contrast: #p"},
		"words that it has made dark":   {goTo("/plain/script", (*eyes.Page).Axe), only, ""},
		"a wide page":                   {goTo("/plain/wide", (*eyes.Page).Fits), without, "2008 pixels wide"},
		"a focus that cannot be seen":   {goTo("/plain/unseen", tab), both, "hardly be seen: 0"},
		"a focus that is pale":          {goTo("/plain/pale", tab), without, "hardly be seen"},
		"a focus that is thin":          {goTo("/plain/thin", tab), without, "hardly be seen"},
		"a focus outside of the window": {goTo("/plain/outside", tab), without, "outside"},
		"nothing of that name":          {goTo("/good", func(p *eyes.Page) { p.Click("Terug") }), without, "nothing to press"},
		"a server that is away":         {func(b *eyes.Browser) { b.Go("http://127.0.0.1:1/") }, without, "ERR_UNSAFE_PORT"},
	} {
		for _, script := range c.modes {
			t.Run(fmt.Sprintf("%s, script %v", name, script), func(t *testing.T) {
				t.Parallel()
				said := failures(t, eyes.Options{Script: script}, c.scene)
				if c.says == "" && said != "" || !strings.Contains(said, c.says) {
					t.Errorf("it fails of %q", said)
				}
			})
		}
	}
}

// What a page with choices needs: fields, radio buttons, links, forms of both kinds, the back
// button, and cookies that the tabs of one user share and two users do not.
func TestSteps(t *testing.T) {
	t.Parallel()
	at := site(t, map[string]string{
		"/": good(`<form action="/found"><label>Zoek een bedrijf <input type="search" name="q" value="bak"></label>
			<button>Zoek</button></form>
			<form method="post" action="https://broker.test/acs"><fieldset><legend>Bedrijven</legend>
			<label><input type="radio" name="c" value="1" checked>Bakkerij De Korenbloem (12345678)</label>
			<label><input type="radio" name="c" value="2">Slagerij Jansen &amp; Zn. (87654321)</label></fieldset>
			<button>Verder</button></form>
			<nav aria-label="Bladzijden"><a href="/found?page=2">Volgende</a></nav>`),
		"/found": good(`<ul><li>een<li>twee</ul>`),
	})
	for _, script := range []bool{true, false} {
		user := eyes.Open(t, eyes.Options{Script: script})
		user.Intercept("https://broker.test/")
		page := user.Go(at + "/")
		if page.Title() != "Goed" || page.Language() != "nl" || page.Status() != 200 || !page.Has("Zoek een bedrijf") {
			t.Errorf("%d %q %q: %s", page.Status(), page.Title(), page.Language(), page.Text())
		}
		if page.Value("Zoek een bedrijf") != "bak" || !page.Checked("Bakkerij") || page.Checked("Slagerij") {
			t.Error("what the page brings is not there")
		}
		page.Click("Volgende")
		if page.URL() != at+"/found?page=2" || !slices.Equal(page.Texts("li"), []string{"een", "twee"}) {
			t.Errorf("at %s: %q", page.URL(), page.Texts("li"))
		}
		page.Back()
		page.Fill("Zoek een bedrijf", "slager")
		page.TabTo("Zoek een bedrijf")
		page.Press("End")
		page.Type("ij")
		page.Press("Enter")
		if page.URL() != at+"/found?q=slagerij" {
			t.Errorf("found at %s", page.URL())
		}
		page.Go(at + "/")
		page.Click("Slagerij Jansen & Zn. (87654321)")
		page.DoubleClick("Verder")
		came := user.Arrivals()
		if page.URL() != "https://broker.test/acs" || len(came) == 0 || came[0].Method != "POST" || came[0].Form.Get("c") != "2" {
			t.Errorf("at %s, %+v", page.URL(), came)
		}
		page.Go(at + "/missing")
		if page.Status() != http.StatusNotFound {
			t.Errorf("HTTP %d", page.Status())
		}
	}
}

// What a user does counts, a field once whatever is typed into it; what he sees does not.
func TestInteractions(t *testing.T) {
	t.Parallel()
	at := site(t, map[string]string{
		"/":      good(`<form action="/found"><label>Zoek een bedrijf <input name="q"></label><button>Zoek</button></form>`),
		"/found": good(`<p>Gevonden.</p>`),
	})
	page := eyes.Open(t, eyes.Options{}).Go(at + "/")
	for _, step := range []struct {
		what string
		do   func()
		want int
	}{
		{"going there", func() {}, 1},
		{"looking", func() {
			_, _, _ = page.Text(), page.Value("Zoek een bedrijf"), page.Texts("p")
			page.Axe()
			page.Fits()
		}, 1},
		{"filling in a field", func() { page.Fill("Zoek een bedrijf", "bakkerij") }, 2},
		{"two keys", func() { page.Press("Tab", "Enter") }, 4},
		{"going back", page.Back, 5},
		{"a click", func() { page.Click("Zoek") }, 6},
	} {
		step.do()
		if got := page.Interactions(); got != step.want {
			t.Errorf("after %s: %d interactions, not %d", step.what, got, step.want)
		}
	}
}
