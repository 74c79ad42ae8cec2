package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxLine is the longest line there may be, in bytes. It bounds what is in memory.
const maxLine = 64 << 10

// row is one line of the file, which takes several if a text in quotes does.
type row struct {
	line    int // where it begins
	size    int // in bytes
	cells   []string
	problem *problem // the line cannot be read; there are no cells
}

func (r row) empty() bool { return r.problem == nil && strings.Join(r.cells, "") == "" }

// lines reads a CSV file row by row (RFC 4180). After a line that cannot be read it
// goes on with the next line of the file, so that a quotation mark that is not
// closed costs one line and not the rest.
type lines struct {
	in        *bufio.Reader
	separator byte
	width     int // cells in a row; 0: any number
	line      int // number of the line that comes next
}

func newLines(in io.Reader) *lines {
	return &lines{in: bufio.NewReaderSize(in, 4*maxLine), line: 1}
}

// window is what comes next, as far as one line can reach; whole tells whether that
// is the rest of the file.
func (l *lines) window() (next []byte, whole bool, err error) {
	next, err = l.in.Peek(maxLine + 1)
	switch {
	case errors.Is(err, io.EOF) && len(next) == 0:
		return nil, true, io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return nil, false, fmt.Errorf("reading the file at line %d: %w", l.line, err)
	}
	return next, err != nil, nil
}

// next gives the next row that is not empty. io.EOF: there is none.
func (l *lines) next() (row, error) {
	for {
		window, whole, err := l.window()
		if err != nil {
			return row{}, err
		}
		r, err := l.take(window, whole)
		if err != nil || !r.empty() {
			return r, err
		}
	}
}

// take reads the row at the beginning of the window and moves on.
func (l *lines) take(window []byte, whole bool) (row, error) {
	r := row{line: l.line}
	r.cells, r.size, r.problem = split(window, l.separator, whole)
	if r.problem == nil && !r.empty() && l.width != 0 && len(r.cells) != l.width {
		r.problem = refuseLine("This line has %d columns and the first line of the file has %d: add or remove a %q, or put quotation marks around a text that contains one", len(r.cells), l.width, l.separator)
	}
	if r.problem != nil {
		r.cells = nil
		return r, l.skipLine(window)
	}
	text := window[:r.size]
	if !utf8.Valid(text) {
		r.cells, r.problem = nil, refuseLine(`This line is damaged: it holds letters that are not UTF-8. Type it again, or save the file again as "CSV UTF-8"`)
	}
	l.line += bytes.Count(text, []byte{'\n'})
	_, err := l.in.Discard(r.size)
	return r, err
}

// skipLine moves to the next line of the file.
func (l *lines) skipLine(window []byte) error {
	l.line++
	if end := bytes.IndexByte(window, '\n'); end >= 0 {
		_, err := l.in.Discard(end + 1)
		return err
	}
	for {
		_, err := l.in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF):
			return nil
		default:
			return fmt.Errorf("reading the file at line %d: %w", l.line-1, err)
		}
	}
}

var (
	strayQuote = refuseLine(`This line has a quotation mark in the middle of a text: put quotation marks around the whole text, and write each one inside it twice, as in "Café ""De Zon"""`)
	openQuote  = refuseLine(`This line has a quotation mark that is never closed: close it, or take it away`)
	tooLong    = refuseLine(`This line is longer than %d KiB: divide it over several lines, each with a part of the scope`, maxLine>>10)
)

// split reads the row at the beginning of a window: its cells, and its size with its
// line end.
func split(window []byte, separator byte, whole bool) (cells []string, size int, bad *problem) {
	for {
		cell, end, bad := nextCell(window[size:], separator)
		if bad != nil {
			return nil, 0, bad
		}
		cells = append(cells, cell)
		size += end
		switch {
		case size == len(window) && !whole:
			return nil, 0, tooLong
		case size == len(window):
			return cells, size, nil
		case window[size] == '\n':
			return cells, size + 1, nil
		}
		size++ // the separator
	}
}

// nextCell reads one cell, up to its separator or line end. White space around a
// cell is layout, not part of it.
func nextCell(text []byte, separator byte) (cell string, size int, bad *problem) {
	lead := len(text) - len(bytes.TrimLeft(text, " \t"))
	if lead < len(text) && text[lead] == '"' {
		return quoted(text, lead+1, separator)
	}
	size = cellEnd(text, separator)
	if bytes.IndexByte(text[:size], '"') >= 0 {
		return "", 0, strayQuote
	}
	return strings.TrimSpace(string(text[:size])), size, nil
}

// quoted reads a cell in quotes, of which the text begins at.
func quoted(text []byte, at int, separator byte) (cell string, size int, bad *problem) {
	var content []byte
	for {
		length := bytes.IndexByte(text[at:], '"')
		if length < 0 {
			return "", 0, openQuote
		}
		content = append(content, text[at:at+length]...)
		at += length + 1
		if at == len(text) || text[at] != '"' {
			break
		}
		content = append(content, '"')
		at++
	}
	size = at + cellEnd(text[at:], separator)
	if len(bytes.TrimSpace(text[at:size])) > 0 {
		return "", 0, strayQuote
	}
	return strings.TrimSpace(string(content)), size, nil
}

func cellEnd(text []byte, separator byte) int {
	for i, c := range text {
		if c == separator || c == '\n' {
			return i
		}
	}
	return len(text)
}
