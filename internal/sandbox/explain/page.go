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
	pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))
	style = mustRead("pages/style.css")
)

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
	v := &view{Language: language, Words: words[language], Style: template.CSS(style), Login: login, Diagram: draw(login.Messages, language)}
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, "login.html", v); err != nil {
		return fmt.Errorf("writing the page of a log-in: %w", err)
	}
	_, err := page.WriteTo(w)
	return err
}

// view is what the template sees.
type view struct {
	Language look.Language
	Words    map[string]string
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

// words are those of the page itself.
var words = map[look.Language]map[string]string{
	look.Dutch: {
		"overview": "Overzicht", "diagram": "Tekening van de inlog: wie stuurde wat naar wie", "links": "Andere pagina's",
		"table": "Alle berichten, in volgorde. De tijd is in UTC.", "number": "Nr.", "way": "Van en naar", "what": "Wat", "from": "Van", "to": "naar",
		"signatures": "Handtekeningen", "broken": "kloppen niet", "holds": "Klopt", "fails": "Klopt niet",
		"provider": "Wat de dienstverlener leest", "providerIntro": "Dit haalt de dienstverlener uit bericht",
		"attribute": "Kenmerk", "value": "Waarde", "by": "verklaard door", "messages": "De berichten, regel voor regel",
		"checks": "Wie wat moet controleren", "around": "Hoe het verpakt was", "trouble": "Niet alles is te lezen",
		"over": "Handtekening over", "issuer": "van", "verdict": "Uitslag", "sealed": "Versleuteld", "for": "te lezen door", "content": "Wat erin staat", "closed": "niet geopend",
		"lines": "Regel voor regel", "linesIntro": "Sluittags en namespaces staan er niet bij.", "parameters": "In het adres of formulier",
		"inside": "Details", "raw": "Het bericht zoals het reisde", "decoded": "De XML die erin zat", "source": "Bron:",
		"good": "Goed:", "bad": "Let op:", "note": "Hier:", "travelled": "Hoe", "up": "Naar het overzicht", "unverified": "Er staat geen handtekening in dit bericht.", "noMessages": "Er zijn nog geen berichten.",
	},
	look.English: {
		"overview": "Overview", "diagram": "Drawing of the log-in: who sent what to whom", "links": "Other pages",
		"table": "All messages, in order. The time is in UTC.", "number": "No.", "way": "From and to", "what": "What", "from": "From", "to": "to",
		"signatures": "Signatures", "broken": "do not hold", "holds": "Holds", "fails": "Does not hold",
		"provider": "What the service provider reads", "providerIntro": "This is what the service provider takes from message",
		"attribute": "Attribute", "value": "Value", "by": "stated by", "messages": "The messages, line by line",
		"checks": "Who must check what", "around": "What it was wrapped in", "trouble": "Not everything can be read",
		"over": "Signature over", "issuer": "by", "verdict": "Verdict", "sealed": "Encrypted", "for": "can be read by", "content": "What is in it", "closed": "not opened",
		"lines": "Line by line", "linesIntro": "Closing tags and namespaces are left out.", "parameters": "In the address or form",
		"inside": "Details", "raw": "The message as it travelled", "decoded": "The XML that was in it", "source": "Source:",
		"good": "Good:", "bad": "Mind:", "note": "Here:", "travelled": "How", "up": "To the overview", "unverified": "There is no signature in this message.", "noMessages": "There are no messages yet.",
	},
}
