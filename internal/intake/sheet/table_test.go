package sheet

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// readAll reads the rows of a text without header.
func readAll(t testing.TB, text string, width int) []Row {
	t.Helper()
	in, err := openText(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return all(t, &Reader{rows: &table{text: in, separator: ',', width: width}})
}

// all reads what is left of a file.
func all(t testing.TB, r *Reader) (rows []Row) {
	t.Helper()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

func TestRows(t *testing.T) {
	rows := readAll(t, "a,b\r\n\n\"c, d\" , \"say \"\"e\"\"\"\n,,\n\"two\nlines\",f\ng,h", 2)
	want := []Row{
		{Line: 1, cells: []string{"a", "b"}},
		{Line: 3, cells: []string{"c, d", `say "e"`}},
		{Line: 5, cells: []string{"two\nlines", "f"}},
		{Line: 7, cells: []string{"g", "h"}}, // after a row of two lines
	}
	if !slices.EqualFunc(rows, want, func(a, b Row) bool { return a.Line == b.Line && slices.Equal(a.cells, b.cells) && a.Problem == nil }) {
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
			rows := readAll(t, "1,é\n"+bad+"\n3,4\n5,6\n", 2)
			if len(rows) != 4 || rows[1].Problem == nil || rows[1].Line != 2 || rows[3].Line != 4 {
				t.Fatalf("%d rows: %.300v", len(rows), rows)
			}
			for _, i := range []int{0, 2, 3} {
				if rows[i].Problem != nil {
					t.Errorf("line %d: %v", rows[i].Line, rows[i].Problem)
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
		if r.Problem == nil {
			fine = append(fine, r.Line)
		}
	}
	if !slices.Equal(fine, []int{2, 4}) {
		t.Errorf("lines %v are fine, want 2 and 4: %+v", fine, rows)
	}
}

// The longest line there may be is read whole.
func TestLongestLine(t *testing.T) {
	text := strings.Repeat("x", maxLine-2) + ",y\n"
	if rows := readAll(t, text+"a,b\n", 2); len(rows) != 2 || rows[0].Problem != nil {
		t.Errorf("%.200v", rows)
	}
	if rows := readAll(t, "x"+text+"a,b\n", 2); len(rows) != 2 || code(rows[0]) != "line-too-long" {
		t.Errorf("%.200v", rows)
	}
}

// The buffer is all there is in memory of a file, however long its lines.
func TestBuffer(t *testing.T) {
	for _, text := range []string{"a", "\xff\xfea\x00"} {
		in, err := openText(strings.NewReader(text))
		if err != nil || in.in.Size() != 4*maxLine {
			t.Errorf("%v, %d bytes", err, in.in.Size())
		}
	}
}

// code is what is wrong with a row, empty if nothing is.
func code(r Row) string {
	if r.Problem == nil {
		return ""
	}
	return r.Problem.Code
}
