package look

import (
	"bytes"
	"time"
)

// Kind is what a notice or a state means. It is always said in words, too.
type Kind int

// The kinds.
const (
	Info Kind = iota
	Done
	Warning
	Error
)

// Name is what templates call the kind.
func (k Kind) Name() string { return [...]string{"info", "done", "warning", "error"}[k] }

// Alert and Badge are what the style calls the kind.
func (k Kind) Alert() string { return [...]string{"info", "ok", "warning", "error"}[k] }
func (k Kind) Badge() string { return [...]string{"neutral", "safe", "warning", "danger"}[k] }

// Link leads to a page. Links that read the same on one page lead to the same page: About
// tells them apart for those who do not see what stands around them.
type Link struct {
	Text    string
	Address string
	About   string // heard, not seen
}

// Heading begins a part of a page: of level 2, or of level 3 within that.
type Heading struct {
	Text string
	Sub  bool // level 3
}

// Paragraph is a text, with a code at its end.
type Paragraph struct {
	Text string
	Lead bool   // what the page is about
	Code string // to be copied as it is
}

// List lists texts.
type List struct {
	Items   []string
	Ordered bool
}

// Links lists links.
type Links []Link

// Actions are links that begin something, and look like buttons.
type Actions []Action

// Action is one of them.
type Action struct {
	Link
	Kind ButtonKind
}

// Notice tells what somebody must not miss.
type Notice struct {
	Kind  Kind
	Title string
	Text  string   // "": the title is all
	Items []string // of a list below the text
	Links []Link
}

// Details are what few need: they unfold.
type Details struct {
	Summary string
	Parts   []Part
}

// Steps show where in a flow one is.
type Steps struct {
	Names []string
	Now   int // from 1
}

// Placed are the steps with what has become of them, for the template.
func (p Steps) Placed() []placedStep {
	all := make([]placedStep, len(p.Names))
	for i, name := range p.Names {
		all[i] = placedStep{name, i+1 < p.Now, i+1 == p.Now}
	}
	return all
}

type placedStep struct {
	Name          string
	Done, Current bool
}

// Description is a list of what is known of one thing.
type Description []Item

// Item is a line of it.
type Item struct {
	Term   string
	Value  Cell
	Change string // address of the page on which it is changed; "": it is not
}

// Empty stands where a list would, if there is nothing to list.
type Empty struct {
	Title string
	Text  string
	Links []Action // what can be done about it
}

// Progress shows how far long work has come, which goes on while somebody has the page open: it
// loads itself anew, without script. One can stop that, since it takes readers from what they read
// (WCAG 2.2, 2.2.2).
type Progress struct {
	What     string // is being done
	Done, Of int64
	Every    time.Duration
	Finished bool // the page stays as it is
}

// Share is how much is done, in the unit of Of, for the bar.
func (g Progress) Share() int64 { return max(0, min(g.Done, g.Of)) }

// Confirm asks once more before something grave is done: what happens, to what, and a form
// whose buttons say danger.
type Confirm struct {
	Title        string // what is about to happen
	Consequences []string
	About        Description
	Form         Form
}

// Sheet is what is printed on paper of its own. Of a page with sheets nothing else is printed.
type Sheet struct {
	Before string // what stands small above the title: whose paper it is
	Title  string
	Parts  []Part
}

func (p Heading) write(w *bytes.Buffer, l Language) error     { return write(w, l, "heading", p) }
func (p Paragraph) write(w *bytes.Buffer, l Language) error   { return write(w, l, "paragraph", p) }
func (p List) write(w *bytes.Buffer, l Language) error        { return write(w, l, "list", p) }
func (p Links) write(w *bytes.Buffer, l Language) error       { return write(w, l, "links", p) }
func (p Actions) write(w *bytes.Buffer, l Language) error     { return write(w, l, "actions", p) }
func (p Notice) write(w *bytes.Buffer, l Language) error      { return write(w, l, "notice", p) }
func (p Details) write(w *bytes.Buffer, l Language) error     { return write(w, l, "details", p) }
func (p Steps) write(w *bytes.Buffer, l Language) error       { return write(w, l, "steps", p) }
func (p Description) write(w *bytes.Buffer, l Language) error { return write(w, l, "description", p) }
func (p Empty) write(w *bytes.Buffer, l Language) error       { return write(w, l, "empty", p) }
func (p Progress) write(w *bytes.Buffer, l Language) error    { return write(w, l, "progress", p) }
func (p Sheet) write(w *bytes.Buffer, l Language) error       { return write(w, l, "sheet", p) }

func (p Confirm) write(w *bytes.Buffer, l Language) error {
	p.Form.Buttons = append([]Button(nil), p.Form.Buttons...)
	for i := range p.Form.Buttons {
		p.Form.Buttons[i].Kind = Danger
	}
	return write(w, l, "confirm", p)
}

// inside visits all parts, those in other parts as well.
func inside(parts []Part, visit func(Part)) {
	for _, p := range parts {
		visit(p)
		switch p := p.(type) {
		case Details:
			inside(p.Parts, visit)
		case Form:
			inside(p.Parts, visit)
		case Confirm:
			inside(p.Form.Parts, visit)
		case Sheet:
			inside(p.Parts, visit)
		}
	}
}

// progressIn is the progress on a page, or nil.
func progressIn(parts []Part) (found *Progress) {
	inside(parts, func(p Part) {
		if g, is := p.(Progress); is {
			found = &g
		}
	})
	return found
}
