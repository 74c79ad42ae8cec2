package sheet

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// table reads CSV row by row (RFC 4180). After a line that cannot be read it goes on
// with the next line of the file, so that a quotation mark that is not closed costs one
// line and not the rest.
type table struct {
	*text
	separator byte
	width     int            // cells in a row; 0: any number
	place     map[string]int // of each column in a row
}

// openTable reads the first line of a table: which columns there are, and where.
func openTable(t *text, columns []Column) (*Reader, error) {
	window, _, err := t.window()
	switch {
	case errors.Is(err, io.EOF):
		return nil, empty(columns)
	case err != nil:
		return nil, err
	}
	separator, ok := separatorOf(window)
	if !ok {
		return nil, refuse("file-mac-lines", nil)
	}
	in := &table{text: t, separator: separator}
	header := Row{}
	for len(header.cells) == 0 || header.empty() {
		header, err = in.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, empty(columns)
		case err != nil:
			return nil, err
		case header.Problem != nil:
			header.Problem.Line = header.Line
			return nil, header.Problem
		}
	}
	return in.arrange(header, columns)
}

// arrange finds the place of every column.
func (t *table) arrange(header Row, columns []Column) (*Reader, error) {
	place, headings, problem := newNames(columns).arrange(header.cells)
	if problem != nil {
		problem.Line = header.Line
		return nil, problem
	}
	if missing := lacking(columns, place); missing != "" {
		return nil, refuse("no-column", map[string]any{"columns": missing})
	}
	t.width, t.place = len(header.cells), place
	return &Reader{headings: headings, rows: t}, nil
}

func empty(columns []Column) *Problem {
	return refuse("file-empty", map[string]any{"columns": lacking(columns, nil)})
}

// lacking names the columns that every table needs and this one does not have.
func lacking(columns []Column, place map[string]int) string {
	var missing []string
	for _, c := range columns {
		if _, there := place[c.Name]; c.Needed && !there {
			missing = append(missing, c.Name)
		}
	}
	return strings.Join(missing, ", ")
}

// separatorOf is the first comma, semicolon or tab of the file that is not between
// quotation marks: the first line names columns, and no column has one in its name. Not
// ok: the lines do not end as they do today.
func separatorOf(window []byte) (separator byte, ok bool) {
	first, _, _ := bytes.Cut(bytes.TrimLeft(window, "\r\n"), []byte{'\n'})
	first = bytes.TrimRight(first, "\r")
	if bytes.IndexByte(first, '\r') >= 0 {
		return 0, false
	}
	quoted := false
	for _, c := range first {
		switch c {
		case '"':
			quoted = !quoted
		case ',', ';', '\t':
			if !quoted {
				return c, true
			}
		}
	}
	return ',', true
}

// separatorNames are how people call them.
var separatorNames = map[byte]Phrase{',': "comma", ';': "semicolon", '\t': "tab"}

// next reads the next row, which may be empty.
func (t *table) next() (Row, error) {
	window, whole, err := t.window()
	if err != nil {
		return Row{}, err
	}
	r := Row{Line: t.line, place: t.place}
	var size int
	r.cells, size, r.Problem = t.split(window, whole)
	if r.Problem == nil && t.width != 0 && len(r.cells) != t.width && !r.empty() {
		r.Problem = refuse("cells", map[string]any{"has": len(r.cells), "needs": t.width, "separator": separatorNames[t.separator]})
	}
	if r.Problem != nil {
		r.cells = nil
		return r, t.skipLine()
	}
	if read := window[:size]; damaged(read) {
		r.cells, r.Problem = nil, refuse("line-damaged", nil)
	} else {
		r.Size = size
	}
	t.take(window[:size])
	return r, nil
}

func tooLong() *Problem { return refuse("line-too-long", map[string]any{"KiB": maxLine >> 10}) }

// split reads the row at the beginning of a window: its cells, and its size with its
// line end.
func (t *table) split(window []byte, whole bool) (cells []string, size int, bad *Problem) {
	cells = make([]string, 0, t.width)
	for {
		cell, end, bad := t.cell(window[size:])
		if bad != nil {
			return nil, 0, bad
		}
		cells = append(cells, cell)
		size += end
		switch {
		case size == len(window) && !whole:
			return nil, 0, tooLong()
		case size == len(window):
			return cells, size, nil
		case window[size] == '\n':
			return cells, size + 1, nil
		}
		size++ // the separator
	}
}

// cell reads one cell, up to its separator or line end. White space around a cell is
// layout, not part of it.
func (t *table) cell(text []byte) (cell string, size int, bad *Problem) {
	lead := 0
	for lead < len(text) && (text[lead] == ' ' || text[lead] == '\t') && text[lead] != t.separator {
		lead++
	}
	if lead < len(text) && text[lead] == '"' {
		return t.quoted(text, lead+1)
	}
	size = t.end(text)
	if bytes.IndexByte(text[:size], '"') >= 0 {
		return "", 0, refuse("quote-inside", nil)
	}
	return strings.TrimSpace(string(text[:size])), size, nil
}

// quoted reads a cell in quotation marks, of which the text begins at.
func (t *table) quoted(text []byte, at int) (cell string, size int, bad *Problem) {
	var content []byte
	for {
		length := bytes.IndexByte(text[at:], '"')
		if length < 0 {
			return "", 0, refuse("quote-open", nil)
		}
		content = append(content, text[at:at+length]...)
		at += length + 1
		if at == len(text) || text[at] != '"' {
			break
		}
		content = append(content, '"')
		at++
	}
	size = at + t.end(text[at:])
	if len(bytes.TrimSpace(text[at:size])) > 0 {
		return "", 0, refuse("quote-inside", nil)
	}
	return strings.TrimSpace(string(content)), size, nil
}

// end is where a cell ends that is not in quotation marks.
func (t *table) end(text []byte) int {
	for i, c := range text {
		if c == t.separator || c == '\n' {
			return i
		}
	}
	return len(text)
}
