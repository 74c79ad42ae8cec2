// Package sheet reads the files that people make with spreadsheets and programs: bytes
// in, rows out, each with the line it stands on.
//
// It owns the spelling of a file: its alphabet, its separator, its quotation marks, and
// the names that people give to columns. It knows no column by itself and judges no
// cell; its callers do, and say so in the same way (Book, Problem). No sentence repeats
// what stands in a cell, because that may be the number of a person or a company.
//
// What it reads:
//
//   - CSV (RFC 4180) with a comma, a semicolon or a tab between the cells, found from the
//     first line, which names the columns;
//   - JSON lines: one object on each line, with texts, and columns as keys;
//   - in UTF-8, with or without a byte order mark, or in UTF-16 with one, which is what
//     Excel calls "Unicode text".
//
// Other alphabets are refused, not guessed: Windows-1252, the DOS and the Macintosh
// alphabets look alike, and a guess would put a wrong name on a mandate.
//
// A file is read as it comes and takes the same memory however long it is. One line that
// cannot be read costs one line.
package sheet

import "io"

// Column is one that a file can have.
type Column struct {
	Name   string   // in the manual, and in what a Row is asked for
	Also   []string // other names that a file can give it
	Needed bool     // a table without it is refused
}

// Row is one line of a file, which takes several if a text in quotation marks does. No
// row is empty.
type Row struct {
	Line    int      // where it begins, from 1
	Size    int      // in bytes of UTF-8; 0 if it cannot be read
	Problem *Problem // the line cannot be read; all cells are empty

	place map[string]int // of each column in cells
	cells []string
}

// Cell is what a row has in a column, without the white space around it; there tells
// whether the file has the column at all.
func (r Row) Cell(column string) (text string, there bool) {
	i, there := r.place[column]
	if there && i < len(r.cells) {
		text = r.cells[i]
	}
	return text, there
}

// empty tells whether a row was read that says nothing.
func (r Row) empty() bool {
	for _, cell := range r.cells {
		if cell != "" {
			return false
		}
	}
	return r.Problem == nil
}

// Reader reads one file. It is for one goroutine.
type Reader struct {
	headings map[string]string
	rows     rows
}

// rows are those of one kind of file. Some may be empty.
type rows interface{ next() (Row, error) }

// Open reads as much of a file as tells what it is. A file that cannot be right is a
// *Problem, before any row is read; another error is one of in.
func Open(in io.Reader, columns ...Column) (*Reader, error) {
	t, err := openText(in)
	if err != nil {
		return nil, err
	}
	start, err := t.start()
	switch {
	case err != nil:
		return nil, err
	case start == '[':
		return nil, refuse("file-json-list", nil)
	case start == '{':
		return &Reader{rows: newObjects(t, columns)}, nil
	}
	return openTable(t, columns)
}

// Next gives the next row. io.EOF: there is none; another error is one of the file
// under the reader. What is wrong with one line is the Problem of its row.
func (r *Reader) Next() (Row, error) {
	for {
		row, err := r.rows.next()
		if err != nil || !row.empty() {
			return row, err
		}
	}
}

// Headings are the names that the file itself gives to its columns, for those who say
// what is wrong in one: see Problem.Headings. Nil: those of the manual.
func (r *Reader) Headings() map[string]string { return r.headings }
