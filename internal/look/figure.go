package look

import (
	"bytes"
	"fmt"
	"strconv"
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
}

// Stacks is a chart with a bar for each thing, which has parts, and beside it the same in a table.
type Stacks struct {
	Title string
	About string  // what one sees in it, in a sentence
	What  string  // the things are, as the title of a column
	Parts []State // of every bar, in their order: what each means, and the titles of columns
	Rows  []Stack
}

// Stack is one thing, with a value for each part.
type Stack struct {
	Label  string
	Note   string // below the label in the table, smaller
	Values []int64
}

func (p Bars) write(w *bytes.Buffer, l Language) error {
	return write(w, l, "bars", chart{
		Title: p.Title, About: p.About, Marks: p.drawn(l),
		Table: Table{Caption: p.Title, Unseen: true, Columns: []Column{{Title: p.What, Names: true}, {Title: p.Count, Number: true}}, Rows: p.table(l)},
	})
}

func (p Stacks) write(w *bytes.Buffer, l Language) error {
	c := chart{
		Title: p.Title, About: p.About, Marks: p.drawn(l), Legend: p.Parts,
		Table: Table{Caption: p.Title, Unseen: true, Columns: []Column{{Title: p.What, Names: true}}},
	}
	for _, part := range p.Parts {
		c.Table.Columns = append(c.Table.Columns, Column{Title: part.Text, Number: true})
	}
	for _, s := range p.Rows {
		row := Row{{Text: s.Label, Note: s.Note}}
		for _, value := range s.Values {
			row = append(row, Cell{Text: l.Number(value)})
		}
		c.Table.Rows = append(c.Table.Rows, row)
	}
	return write(w, l, "bars", c)
}

// Heights in a drawing, in ems, so that it grows with its letters. Widths are in percents: a
// drawing is as wide as there is room, and its letters stay as large as all others.
const (
	rowHeight = 3.25
	textAt    = 1.25 // from the top of a row
	barAt     = 1.75
)

// chart is what the template of figures sees.
type chart struct {
	Title, About string
	Marks        []mark
	Legend       []State // what the parts of bars mean; none: they have none
	Table        Table
}

// Height is that of the drawing.
func (c chart) Height() string { return em(float64(len(c.Marks)) * rowHeight) }

// mark is a bar with its text.
type mark struct {
	Text, Value string
	Parts       []piece

	row int
}

// piece is a part of a bar, or all of it.
type piece struct{ X, Width, Class string }

// TextAt and ValueAt are where its letters stand, and Y its top.
func (m mark) TextAt() string  { return em(float64(m.row)*rowHeight + textAt) }
func (m mark) ValueAt() string { return em(float64(m.row)*rowHeight + barAt + 0.875) }
func (m mark) Y() string       { return em(float64(m.row)*rowHeight + barAt) }

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
		all = append(all, mark{Text: cut(b.Label), Value: l.Number(b.Value), row: i, Parts: []piece{{percent(0), lengthOf(b.Value, most), "look-svg-bar"}}})
	}
	return all
}

func (p Stacks) drawn(l Language) (all []mark) {
	sums, most := make([]int64, len(p.Rows)), int64(1)
	for i, s := range p.Rows {
		for _, value := range s.Values {
			sums[i] += value
		}
		most = max(most, sums[i])
	}
	for i, s := range p.Rows {
		m, begin := mark{Text: cut(s.Label), Value: l.Number(sums[i]), row: i}, int64(0)
		for k, value := range s.Values {
			m.Parts = append(m.Parts, piece{lengthOf(begin, most), lengthOf(value, most), "look-svg-" + p.Parts[k].Kind.Name()})
			begin += value
		}
		all = append(all, m)
	}
	return all
}

// lengthOf is how much of the width a value takes, if that of the longest bar is most.
func lengthOf(value, most int64) string {
	return percent(longestBar * float64(max(0, value)) / float64(most))
}

func (p Bars) table(l Language) (rows []Row) {
	for _, b := range p.Rows {
		rows = append(rows, Row{{Text: b.Label}, {Text: l.Number(b.Value)}})
	}
	return rows
}
