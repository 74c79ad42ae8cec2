package look

import "bytes"

// Table shows things of one kind, a row for each. On a small screen each becomes a card.
type Table struct {
	Caption string
	Unseen  bool // the caption is heard and not seen: a heading says it already
	Columns []Column
	Rows    []Row
	Empty   *Empty // shown in place of a table without rows; nil: a sentence of ours
	Paging  *Paging
}

// Column is a column of a table.
type Column struct {
	Title  string
	Number bool // its cells are numbers, or amounts
	Names  bool // its cells name their rows
	Unseen bool // the title is heard and not seen: of a column of links
}

// Row is a row of a table: a cell for each column.
type Row []Cell

// Cell is what stands in one place of a table or description.
type Cell struct {
	Text    string
	Address string // where the text leads; "": nowhere
	About   string // heard after the text, not seen
	Note    string // below the text, smaller
	Code    bool   // the text is to be copied as it is
	State   *State // nil: none
	Links   []Link // what can be done
}

// State is a word that says how something stands.
type State struct {
	Kind Kind
	Text string
}

// Paging tells which part of a list is shown, and leads to the others.
type Paging struct {
	First, Last int    // numbers of the rows shown, from 1
	Begin, Next string // addresses; "": there is no such page
}

func (p Table) write(w *bytes.Buffer, l Language) error { return write(w, l, "table", p) }

// Wide tells that the table needs much room: more than four columns do, of which two of numbers
// are as wide as one.
func (p Table) Wide() bool {
	halves := 0
	for _, c := range p.Columns {
		if halves += 2; c.Number {
			halves--
		}
	}
	return halves > 2*4
}

// Placed are the cells of a row with their columns, for the template. Cells without a column
// are left out, and columns without a cell stay empty.
func (p Table) Placed(r Row) []placed {
	all := make([]placed, len(p.Columns))
	for i, c := range p.Columns {
		all[i].Column = c
		if i < len(r) {
			all[i].Cell = r[i]
		}
	}
	return all
}

type placed struct {
	Column
	Cell
}
