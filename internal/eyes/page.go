package eyes

import (
	"os"
	"path/filepath"
	"strings"
)

// Page is a tab of a browser. Every step waits until what it has set in motion is there:
// after a Click that posts a form, the page is the one that answers it.
type Page struct {
	b   *Browser
	tab int64

	seen         *sight // since the last step; nil: nobody has looked yet
	interactions int
}

func (p *Page) order(name string, with map[string]any, into any) {
	p.b.t.Helper()
	with["tab"] = p.tab
	p.seen = nil
	p.b.order(name, with, into)
}

// act orders what a person does himself.
func (p *Page) act(name string, with map[string]any) {
	p.b.t.Helper()
	p.interactions++
	p.order(name, with, nil)
}

// Interactions is how much the user had to do in this tab until now: each address he went to,
// each click, each key he pressed and each field he filled in or chose a file for, whatever he
// typed into it. To look costs him nothing.
func (p *Page) Interactions() int { return p.interactions }

// Go goes to another address in the same tab.
func (p *Page) Go(address string) {
	p.b.t.Helper()
	p.act("go", map[string]any{"url": address})
}

// Back presses the browser's back button.
func (p *Page) Back() {
	p.b.t.Helper()
	p.act("back", map[string]any{})
}

// Reload loads the page anew.
func (p *Page) Reload() {
	p.b.t.Helper()
	p.act("reload", map[string]any{})
}

// Waits waits until a page that loads itself anew has this heading.
func (p *Page) Waits(heading string) {
	p.b.t.Helper()
	p.order("wait", map[string]any{"heading": heading}, nil)
}

// Press presses keys, one after the other: "Tab", "Shift+Tab", "Enter", "Space",
// "ArrowDown".
func (p *Page) Press(keys ...string) {
	p.b.t.Helper()
	for _, key := range keys {
		p.act("press", map[string]any{"key": key})
	}
}

// Type types text into what has the focus.
func (p *Page) Type(text string) {
	p.b.t.Helper()
	p.act("type", map[string]any{"text": text})
}

// Click clicks the one button, link, radio button or checkbox that has this name for those
// who hear the page, or else the one that has it in its name; "css=" with a selector clicks
// anything.
func (p *Page) Click(what string) {
	p.b.t.Helper()
	p.act("click", map[string]any{"what": what, "times": 1})
}

// DoubleClick clicks as Click does, twice as fast as a hand does it.
func (p *Page) DoubleClick(what string) {
	p.b.t.Helper()
	p.act("click", map[string]any{"what": what, "times": 2})
}

// Unfold opens all details of the page.
func (p *Page) Unfold() {
	p.b.t.Helper()
	p.act("unfold", map[string]any{})
}

// Fill puts text into the field with this label, in place of what is in it.
func (p *Page) Fill(label, text string) {
	p.b.t.Helper()
	p.act("fill", map[string]any{"what": label, "text": text})
}

// Upload chooses a file with that name and text in the field with this label.
func (p *Page) Upload(label, name, text string) {
	p.b.t.Helper()
	p.act("upload", map[string]any{"what": label, "name": name, "text": text})
}

// Value is what is in the field with this label.
func (p *Page) Value(label string) (text string) {
	p.b.t.Helper()
	p.order("value", map[string]any{"what": label}, &text)
	return text
}

// Checked tells whether a radio button or checkbox is chosen, named as for Click.
func (p *Page) Checked(what string) (checked bool) {
	p.b.t.Helper()
	p.order("checked", map[string]any{"what": what}, &checked)
	return checked
}

// sight is how a page presents itself.
type sight struct {
	URL, Title, Language, Text string
	Status                     int
	Width, Window              int // of the page, and of what is seen of it
}

// look looks once after each step: a page that has come to rest stays as it is.
func (p *Page) look() sight {
	p.b.t.Helper()
	if p.seen == nil {
		var s sight
		p.order("look", map[string]any{}, &s)
		p.seen = &s
	}
	return *p.seen
}

// URL is where the page is from.
func (p *Page) URL() string { p.b.t.Helper(); return p.look().URL }

// Title is what the browser calls the page.
func (p *Page) Title() string { p.b.t.Helper(); return p.look().Title }

// Language is the one that the page says it is in.
func (p *Page) Language() string { p.b.t.Helper(); return p.look().Language }

// Status is the HTTP status that the page came with.
func (p *Page) Status() int { p.b.t.Helper(); return p.look().Status }

// Text is all that can be read on the page, one space between words.
func (p *Page) Text() string {
	p.b.t.Helper()
	return strings.Join(strings.Fields(p.look().Text), " ")
}

// Has tells whether a text can be read on the page.
func (p *Page) Has(text string) bool {
	p.b.t.Helper()
	return strings.Contains(p.Text(), text)
}

// Texts is what can be read in each element that a CSS selector finds, in the page's order.
func (p *Page) Texts(selector string) (all []string) {
	p.b.t.Helper()
	p.order("texts", map[string]any{"selector": selector}, &all)
	return all
}

// Fits fails the test if the page must be scrolled sideways (WCAG 2.2, 1.4.10).
func (p *Page) Fits() {
	p.b.t.Helper()
	if s := p.look(); s.Width > s.Window {
		p.b.t.Errorf("%q is %d pixels wide in a window of %d", s.Title, s.Width, s.Window)
	}
}

// tags are the rules of axe-core: all of WCAG 2.2 at level AA, and what its makers advise.
var tags = []string{"wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"}

// Axe fails the test for everything that axe-core finds wrong, with its rule and where it
// is. Where scripts do not run it looks at the page that none has touched; what is in a
// noscript axe-core takes for hidden all the same.
func (p *Page) Axe() {
	p.b.t.Helper()
	var wrong []string
	p.order("axe", map[string]any{"tags": tags}, &wrong)
	for _, w := range wrong {
		p.b.t.Errorf("axe: %q: %s", p.Title(), w)
	}
}

// Shot makes a picture of the whole page, NAME.png in the folder MANDATED_SHOTS, if that is
// set: for people to look at.
func (p *Page) Shot(name string) {
	p.b.t.Helper()
	folder := os.Getenv("MANDATED_SHOTS")
	if folder == "" {
		return
	}
	var picture []byte
	p.order("shot", map[string]any{}, &picture)
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		p.b.t.Fatalf("keeping a picture: %v", err)
	}
}
