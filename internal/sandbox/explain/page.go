package explain

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/mandated/mandated/internal/look"
)

//go:embed pages
var pageFiles embed.FS

var (
	// pages is our template in each language, in which say finds its words.
	pages = map[look.Language]*template.Template{look.Dutch: parse(look.Dutch), look.English: parse(look.English)}
	style = mustRead("pages/style.css")
)

func parse(l look.Language) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"say": texts.In(l).Say}).ParseFS(pageFiles, "pages/*.html"))
}

func mustRead(name string) string {
	text, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // a file that is built into the program
	}
	return string(text)
}

// Style is what stands between <style> and </style> in every page, byte for byte: whoever
// serves pages puts its hash into the Content-Security-Policy. Nothing else is needed there:
// a page has no script, loads nothing and sends nothing.
func Style() string { return style }

// Login is one log-in, to be shown on a page.
type Login struct {
	Title    string
	Outcome  string // how it ended, in a sentence in the page's language; "": not said
	Messages []Explained
	Links    []Link // to other pages, at the top
}

// Link leads to another page.
type Link struct {
	Text, Address string
	Language      string // of the page it leads to, if that is another: nl or en
}

// Page writes the page of a log-in, in Dutch or, for any language but nl, in English. Nothing
// is written if it fails.
func Page(w io.Writer, language look.Language, login Login) error {
	if language != look.Dutch {
		language = look.English
	}
	v := &view{Language: language, Style: template.CSS(style), Login: login, Diagram: draw(login.Messages, language)}
	var page bytes.Buffer
	if err := pages[language].ExecuteTemplate(&page, "login.html", v); err != nil {
		return fmt.Errorf("writing the page of a log-in: %w", err)
	}
	_, err := page.WriteTo(w)
	return err
}

// view is what the template sees.
type view struct {
	Language look.Language
	Style    template.CSS
	Login    Login
	Diagram  diagram
}

// In is a text in the page's language.
func (v *view) In(t look.Text) string { return t.In(v.Language) }

// Clock is a moment as people read it, in UTC like the messages.
func (v *view) Clock(at time.Time) string { return at.UTC().Format("15:04:05") }

// Read is the message in which the log-in ends for the provider, or nil: the last one, but for
// artifacts on their way.
func (v *view) Read() *Explained {
	for i := len(v.Login.Messages) - 1; i >= 0; i-- {
		e := &v.Login.Messages[i]
		switch {
		case len(e.Provider) > 0:
			return e
		case e.Kind != KindArtifact && e.Kind != KindResolve:
			return nil
		}
	}
	return nil
}

// Broken counts the signatures of a message that do not hold.
func (v *view) Broken(e Explained) (n int) {
	for _, s := range e.Signatures {
		if !s.Holds {
			n++
		}
	}
	return n
}

// Part is a message together with the view, for the template that writes messages.
func (v *view) Part(e Explained) part { return part{v, e} }

type part struct {
	View *view
	Explained
}

// Tips are the points of arrows: of whole ones, and of those with a broken signature.
func (v *view) Tips() []string { return []string{"tip", "broken-tip"} }

// Head is where the columns of the drawing begin.
func (v *view) Head() int { return headHeight }

// Count is how many lines there are, with those in details.
func (v *view) Count(list []Line) int {
	n := len(list)
	for _, l := range list {
		n += v.Count(l.Inside)
	}
	return n
}

// Row is a line together with the view, for the template that writes lines.
func (v *view) Row(l Line) row { return row{v, l} }

type row struct {
	View *view
	Line
}

// deepestShown is as far as lines are indented: what lies deeper stands below each other.
const deepestShown = 12

// Indent is how far the line is indented.
func (r row) Indent() int { return min(r.Depth, deepestShown) }
