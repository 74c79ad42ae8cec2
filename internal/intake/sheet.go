package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// sheet is a file of which the header was read and found right.
type sheet struct {
	lines *lines
	place map[string]int // where each column of the file stands in a row
}

var (
	errEmpty = errors.New("the file is empty: its first line must name the columns, beginning with kind,grantor_kvk")
	errTabs  = errors.New("line 1: there are tabs between the columns: save the file with commas or semicolons between them")
	errLines = errors.New(`line 1: the lines end in the old Macintosh way: save the file again as "CSV UTF-8"`)
)

// openSheet reads the header of a file.
func openSheet(in io.Reader) (*sheet, error) {
	l := newLines(in)
	header, err := l.header()
	if err != nil {
		return nil, err
	}
	s := &sheet{lines: l, place: map[string]int{}}
	if err := s.arrange(header.cells); err != nil {
		return nil, fmt.Errorf("line %d: %w", header.line, err)
	}
	l.width = len(header.cells)
	return s, nil
}

// header finds the separator and reads the row that names the columns.
func (l *lines) header() (row, error) {
	window, _, err := l.window()
	switch {
	case errors.Is(err, io.EOF):
		return row{}, errEmpty
	case err != nil:
		return row{}, err
	}
	if err := checkText(window); err != nil {
		return row{}, err
	}
	if bytes.HasPrefix(window, byteOrderMark) {
		_, _ = l.in.Discard(len(byteOrderMark)) // it is in the buffer
		window = window[len(byteOrderMark):]
	}
	if l.separator, err = separator(window); err != nil {
		return row{}, err
	}
	header, err := l.next()
	switch {
	case errors.Is(err, io.EOF):
		return row{}, errEmpty
	case err == nil && header.problem != nil:
		return row{}, fmt.Errorf("line %d must name the columns: %w", header.line, header.problem)
	}
	return header, err
}

// separator is the first comma or semicolon of the file: the header names columns,
// and no column has one in its name.
func separator(window []byte) (byte, error) {
	first, _, _ := bytes.Cut(bytes.TrimLeft(window, "\r\n"), []byte{'\n'})
	first = bytes.TrimRight(first, "\r")
	switch {
	case bytes.IndexByte(first, '\t') >= 0:
		return 0, errTabs
	case bytes.IndexByte(first, '\r') >= 0:
		return 0, errLines
	}
	if at := bytes.IndexAny(first, ",;"); at >= 0 {
		return first[at], nil
	}
	return ',', nil
}

// arrange finds the place of every column.
func (s *sheet) arrange(names []string) error {
	for i, name := range names {
		if !known(name) {
			return fmt.Errorf("%s is not a column of mandates: the first line must name columns, out of %s", shown(name, i), strings.Join(Columns(), ", "))
		}
		if _, again := s.place[name]; again {
			return fmt.Errorf("column %s stands in the file twice: remove one", name)
		}
		s.place[name] = i
	}
	var missing []string
	for _, c := range columns {
		if _, there := s.place[c.name]; c.everywhere() && !there {
			missing = append(missing, c.name)
		}
	}
	if missing != nil {
		return fmt.Errorf("the file has no column %s: every file needs it", strings.Join(missing, ", "))
	}
	return nil
}

func known(name string) bool {
	for _, c := range columns {
		if c.name == name {
			return true
		}
	}
	return false
}

// shown is how an unknown column is named. A file without a header has numbers of
// people and companies where names belong, so only what looks like a name is shown.
func shown(name string, i int) string {
	if name == "" || len(name) > 40 || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz_ -") != "" {
		return fmt.Sprintf("the text in place %d", i+1)
	}
	return fmt.Sprintf("%q", name)
}

// What a batch holds at most: lines unless told otherwise, and bytes, which keeps
// memory small when lines are long.
const (
	usualBatch = 5000
	batchBytes = 8 << 20
)

// batch reads the wishes of the next lines. None: the file is at its end.
func (s *sheet) batch(limit int) (batch []wish, err error) {
	if limit <= 0 {
		limit = usualBatch
	}
	for size := 0; len(batch) < limit && size < batchBytes; {
		r, err := s.lines.next()
		if errors.Is(err, io.EOF) {
			return batch, nil
		}
		if err != nil {
			return nil, err
		}
		size += r.size
		batch = append(batch, s.wish(r))
	}
	return batch, nil
}
