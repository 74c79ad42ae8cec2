package intake

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll reads the rows of a text without header.
func readAll(t testing.TB, text string, width int) (rows []row) {
	t.Helper()
	l := newLines(strings.NewReader(text))
	l.separator, l.width = ',', width
	for {
		r, err := l.next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
}

func TestRows(t *testing.T) {
	rows := readAll(t, "a,b\r\n\n\"c, d\" , \"say \"\"e\"\"\"\n,,\n\"two\nlines\",f\ng,h", 2)
	want := []row{
		{line: 1, cells: []string{"a", "b"}},
		{line: 3, cells: []string{"c, d", `say "e"`}},
		{line: 5, cells: []string{"two\nlines", "f"}},
		{line: 7, cells: []string{"g", "h"}}, // after a row of two lines
	}
	if !slices.EqualFunc(rows, want, func(a, b row) bool { return a.line == b.line && slices.Equal(a.cells, b.cells) && a.problem == nil }) {
		t.Errorf("%+v", rows)
	}
}

// One line that cannot be read costs one line. A quotation mark that is not closed
// must not swallow the lines after it, nor make one line out of several.
func TestOneBadLine(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for name, bad := range map[string]string{
		"quote not closed": `"a,b`,
		"stray quote":      `Café "De Zon",b`,
		"after a quote":    `"a"b,c`,
		"too few":          `a`,
		"too many":         `a,b,c`,
		"too long":         long + ",b",
		"long and open":    `"` + long + ",b",
		"damaged":          "caf\xe9,b",
	} {
		t.Run(name, func(t *testing.T) {
			rows := readAll(t, "1,2\n"+bad+"\n3,4\n5,6\n", 2)
			if len(rows) != 4 || rows[1].problem == nil || rows[1].line != 2 || rows[3].line != 4 {
				t.Fatalf("%d rows: %.300v", len(rows), rows)
			}
			for _, i := range []int{0, 2, 3} {
				if rows[i].problem != nil {
					t.Errorf("line %d: %v", rows[i].line, rows[i].problem)
				}
			}
		})
	}
}

// Two open quotation marks close each other, far apart. The lines between them are
// judged all the same.
func TestTwoOpenQuotes(t *testing.T) {
	rows := readAll(t, "1,\"a\n2,b\n3,c\"\n4,d\n", 3)
	if len(rows) != 4 {
		t.Fatalf("%+v", rows)
	}
	rows = readAll(t, "\"a,1\n2,b\n\",x,y\n4,d\n", 2) // three cells, so not what was meant
	var fine []int
	for _, r := range rows {
		if r.problem == nil {
			fine = append(fine, r.line)
		}
	}
	if !slices.Equal(fine, []int{2, 4}) {
		t.Errorf("lines %v are fine, want 2 and 4: %+v", fine, rows)
	}
}

// The longest line there may be is read whole.
func TestLongestLine(t *testing.T) {
	text := strings.Repeat("x", maxLine-2) + ",y\n"
	if rows := readAll(t, text+"a,b\n", 2); len(rows) != 2 || rows[0].problem != nil {
		t.Errorf("%.200v", rows)
	}
	if rows := readAll(t, "x"+text+"a,b\n", 2); len(rows) != 2 || rows[0].problem != tooLong {
		t.Errorf("%.200v", rows)
	}
}

// A disk that fails is not the end of the file.
func TestFailingFile(t *testing.T) {
	broken := errors.New("the disk is on fire")
	for _, text := range []string{"", file()[:5], file(direct()), header + "\n" + strings.Repeat("x", 3*maxLine)} {
		s := newScene(t)
		in := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
		if _, err := Import(ctx, s.Register, in, Options{Author: clerk}, nil); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
}

// A file is read as it comes, however small the pieces.
func TestSlowFile(t *testing.T) {
	s := newScene(t)
	summary, err := Import(ctx, s.Register, iotest.OneByteReader(strings.NewReader(file(direct(), chain()))), Options{Author: clerk}, nil)
	if err != nil || summary.Granted != 2 {
		t.Errorf("%v, %+v", err, summary)
	}
}

// The buffer is all there is in memory of a file, however long its lines.
func TestBuffer(t *testing.T) {
	if size := newLines(strings.NewReader("")).in.Size(); size != 4*maxLine || size < bufio.MaxScanTokenSize {
		t.Errorf("%d bytes", size)
	}
}
