// Package eyes looks at our pages as users do: in a real Chromium, by mouse and by keyboard,
// with scripts and without, on any size of screen, and with axe-core, which knows what
// those stumble over who cannot see a page.
//
//	user := eyes.Open(t, eyes.Options{Language: "nl"})
//	user.Intercept("https://broker.test/")
//	page := user.Go(address)
//	page.Axe()
//	page.TabTo("Ga verder")
//	page.Press("Enter")
//	page.URL() // https://broker.test/...
//
// The package is for tests only. It owns the browser, one for each test process, and the
// process of Node.js that drives it (driver.mjs, by playwright-core); it knows nothing of
// what the pages are about. What goes wrong by itself fails the test wherever it happens:
// an error on the console, among which is what a Content-Security-Policy forbids, a dialog,
// a window that opens, a request that leaves this machine. No request does leave it.
//
// Missing programs skip the test, or fail it where the environment says
// MANDATED_REQUIRE_SERVERS: node, chromium-headless-shell or chromium, and the npm packages of
// package.json, which lie in the folder MANDATED_NODE_MODULES or where npm install -g puts them.
package eyes

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"sync/atomic"
)

// TB is what this package needs of a test. What cannot be done ends the test by Fatalf, so
// the methods belong on the test's own goroutine.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Options say who looks. The zero value is a Dutch user at a desk whose browser runs no
// scripts.
type Options struct {
	Script        bool    // scripts of pages run
	Language      string  // the browser's; "": nl
	Width, Height int     // of the window in pixels, before zoom; 0: 1280 by 1024, for which WCAG asks zoom
	Zoom          float64 // 4 is 400 %; 0: 1
	Dark          bool    // light letters on a dark ground
	ForcedColors  bool    // the user's own colours in place of the page's
	Print         bool    // the page as it goes to paper
}

func (o Options) withDefaults() Options {
	if o.Language == "" {
		o.Language = "nl"
	}
	if o.Width == 0 {
		o.Width = 1280
	}
	if o.Height == 0 {
		o.Height = 1024
	}
	if o.Zoom == 0 {
		o.Zoom = 1
	}
	return o
}

// Browser is one user's: its pages share cookies with one another, and with no other
// Browser. It is closed when the test ends.
type Browser struct {
	t      TB
	driver *driver
	id     int64
}

var users, tabs atomic.Int64

// Open gives a user a browser that has never been anywhere.
func Open(t TB, o Options) *Browser {
	t.Helper()
	d, err := theDriver()
	if errors.Is(err, errMissing) && os.Getenv("MANDATED_REQUIRE_SERVERS") == "" {
		t.Skipf("nobody looks at the pages: %v", err)
	}
	if err != nil {
		t.Fatalf("starting a browser: %v", err)
	}
	b := &Browser{t: t, driver: d, id: users.Add(1)}
	o = o.withDefaults()
	b.order("open", map[string]any{"script": o.Script, "language": o.Language, "width": o.Width, "height": o.Height, "zoom": o.Zoom,
		"dark": o.Dark, "forced": o.ForcedColors, "print": o.Print}, nil)
	t.Cleanup(func() { b.order("close", map[string]any{}, nil) })
	return b
}

// order gives the driver an order for this user, and fails the test for what went wrong.
func (b *Browser) order(name string, with map[string]any, into any) {
	b.t.Helper()
	with["user"] = b.id
	r := b.driver.order(name, with)
	for _, c := range r.Complaints {
		b.t.Errorf("the browser complains: %s", c)
	}
	if r.Error != "" {
		b.t.Fatalf("%s: %s", name, r.Error)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(r.Value, into); err != nil {
		b.t.Fatalf("%s: reading the answer: %v", name, err)
	}
}

// Go opens an address in a new tab, follows redirects and waits until the page is there.
func (b *Browser) Go(address string) *Page {
	b.t.Helper()
	p := &Page{b: b, tab: tabs.Add(1)}
	b.order("tab", map[string]any{"tab": p.tab}, nil)
	p.Go(address)
	return p
}

// Intercept makes addresses with this prefix the end of the way: whatever goes there, by a
// redirect, a link or a form, is remembered and gets an empty page. They need not exist. It
// must be said before the browser goes there.
func (b *Browser) Intercept(prefix string) {
	b.t.Helper()
	b.order("elsewhere", map[string]any{"prefix": prefix}, nil)
}

// Arrival is one request that ended at an intercepted address.
type Arrival struct {
	URL, Method string
	Form        url.Values // of a POST
}

// Arrivals are all requests of this user that were intercepted, the oldest first.
func (b *Browser) Arrivals() []Arrival {
	b.t.Helper()
	var came []struct{ URL, Method, Body string }
	b.order("arrivals", map[string]any{}, &came)
	var all []Arrival
	for _, c := range came {
		form, err := url.ParseQuery(c.Body)
		if err != nil {
			b.t.Fatalf("reading a form: %v", err)
		}
		all = append(all, Arrival{c.URL, c.Method, form})
	}
	return all
}
