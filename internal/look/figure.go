package look

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// Bars is a chart with a bar for each thing, and beside it the same in a table.
type Bars struct {
	Title string
	About string // what one sees in it, in a sentence
	What  string // the things are, as the title of a column
	Count string // the bars are, as the title of a column
	Rows  []Bar
}

// Bar is one thing. A value below zero has no bar.
type Bar struct {
	Label string
	Value int64
	Shown string // the value as it is read; "": the number
}

// TimeLine shows what is when, between two moments, and beside it the same in a table.
type TimeLine struct {
	Title    string
	About    string
	What     string
	From, To time.Time
	Now      time.Time // a line; zero: none
	Spans    []Span
}

// Span is something that lasts. What has no end goes on to the end of the line; what ends
// when it begins is a point.
type Span struct {
	Label    string
	From, To time.Time // To zero: it has no end
	State    State
}

func (p Bars) write(w *bytes.Buffer, l Language) error {
	return write(w, l, "bars", chart{
		Title: p.Title, About: p.About, Marks: p.drawn(l), high: float64(len(p.Rows)) * rowHeight,
		Table: Table{Caption: p.Title, Unseen: true, Columns: []Column{{Title: p.What, Names: true}, {Title: p.Count, Number: true}}, Rows: p.table(l)},
	})
}

func (p TimeLine) write(w *bytes.Buffer, l Language) error {
	say := ours.In(l)
	rows := float64(len(p.Spans)) * rowHeight
	c := chart{
		Title: p.Title, About: p.About, Marks: p.drawn(), high: rows + axisHeight, Begin: l.Date(p.From), End: l.Date(p.To),
		Table: Table{Caption: p.Title, Unseen: true, Rows: p.table(l), Columns: []Column{
			{Title: p.What, Names: true}, {Title: say.Say("from")}, {Title: say.Say("until")}, {Title: say.Say("state")},
		}},
	}
	if !p.Now.IsZero() && !p.Now.Before(p.From) && !p.Now.After(p.To) {
		c.Now = &now{percent(p.share(p.Now)), em(rows + axisAt), say.Say("today", "date", l.Date(p.Now))}
	}
	return write(w, l, "timeline", c)
}

// Heights in a drawing, in ems, so that it grows with its letters. Widths are in percents: a
// drawing is as wide as there is room, and its letters stay as large as all others.
const (
	rowHeight  = 3.25
	textAt     = 1.25 // from the top of a row
	barAt      = 1.75
	axisHeight = 1
	axisAt     = 0.5 // from the last row
)

// chart is what the templates of figures see.
type chart struct {
	Title, About string
	Marks        []mark
	Now          *now
	Begin, End   string // of the axis
	Table        Table

	high float64
}

// Height is that of the drawing, and Axis where the axis is.
func (c chart) Height() string { return em(c.high) }
func (c chart) Axis() string   { return em(c.high - axisHeight + axisAt) }

// now is a line from the top of a drawing down to its axis, and what it means.
type now struct{ X, Height, Text string }

// mark is a bar, span or point with its text.
type mark struct {
	X, Width    string
	Text, Value string
	Point       bool
	Kind        string

	row int
}

// TextAt and ValueAt are where its letters stand, Y its top, and Middle its middle.
func (m mark) TextAt() string  { return em(float64(m.row)*rowHeight + textAt) }
func (m mark) ValueAt() string { return em(float64(m.row)*rowHeight + barAt + 0.875) }
func (m mark) Y() string       { return em(float64(m.row)*rowHeight + barAt) }
func (m mark) Middle() string  { return em(float64(m.row)*rowHeight + barAt + 0.5) }

// longestBar is how much of the width the longest bar takes; beside it stands its value.
const longestBar = 0.72

// longestLabel is how many characters there is room for on a small screen. Letters in a
// drawing go on in no second line; the table has the whole label.
const longestLabel = 32

func cut(label string) string {
	runes := []rune(label)
	if len(runes) <= longestLabel {
		return label
	}
	return string(runes[:longestLabel-1]) + "…"
}

func em(n float64) string      { return strconv.FormatFloat(n, 'f', -1, 64) + "em" }
func percent(f float64) string { return fmt.Sprintf("%.2f%%", 100*f) }

func (p Bars) drawn(l Language) (all []mark) {
	most := int64(1)
	for _, b := range p.Rows {
		most = max(most, b.Value)
	}
	for i, b := range p.Rows {
		all = append(all, mark{
			Width: percent(longestBar * float64(max(0, b.Value)) / float64(most)), Text: cut(b.Label), Value: b.shown(l), row: i,
		})
	}
	return all
}

func (b Bar) shown(l Language) string {
	if b.Shown != "" {
		return b.Shown
	}
	return l.Number(b.Value)
}

func (p Bars) table(l Language) (rows []Row) {
	for _, b := range p.Rows {
		rows = append(rows, Row{{Text: b.Label}, {Text: b.shown(l)}})
	}
	return rows
}

// share is where on the line a moment is, from 0 to 1.
func (p TimeLine) share(at time.Time) float64 {
	whole := p.To.Sub(p.From)
	if whole <= 0 {
		return 0
	}
	return max(0, min(1, float64(at.Sub(p.From))/float64(whole)))
}

func (p TimeLine) drawn() (all []mark) {
	for i, s := range p.Spans {
		from, to := p.share(s.From), 1.0
		if !s.To.IsZero() {
			to = p.share(s.To)
		}
		all = append(all, mark{
			X: percent(from), Width: percent(max(0, to-from)), Text: cut(s.Label), row: i,
			Point: s.From.Equal(s.To), Kind: s.State.Kind.Name(),
		})
	}
	return all
}

func (p TimeLine) table(l Language) (rows []Row) {
	for _, s := range p.Spans {
		until := Cell{Text: ours.In(l).Say("open end")}
		if !s.To.IsZero() {
			until.Text = l.Date(s.To)
		}
		row := Row{{Text: s.Label}, {Text: l.Date(s.From)}, until, {}}
		if s.State.Text != "" {
			state := s.State
			row[3].State = &state
		}
		rows = append(rows, row)
	}
	return rows
}
