package sheet

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

// The columns of most tests: a few, one with another name.
var columns = []Column{
	{Name: "kind", Needed: true},
	{Name: "grantor_kvk", Also: []string{"kvk_gever"}, Needed: true},
	{Name: "scope"},
}

// cells are what a row has in the columns of most tests.
func cells(r Row) (list []string) {
	for _, c := range columns {
		cell, _ := r.Cell(c.Name)
		list = append(list, cell)
	}
	return list
}

// wide writes a text in UTF-16.
func wide(text string, littleEndian bool) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		high, low := byte(unit>>8), byte(unit)
		if littleEndian {
			high, low = low, high
		}
		out = append(out, high, low)
	}
	return string(out)
}

// The same rows, from every kind of file that spreadsheets and programs make.
func TestSpellings(t *testing.T) {
	want := [][]string{{"direct", "00000001", "a, b; c"}, {"", "é\U0001F9C0", ""}, {"chain", "2", "two\nlines"}}
	commas := "kind,grantor_kvk,scope\ndirect,00000001,\"a, b; c\"\n,é\U0001F9C0,\nchain,2,\"two\nlines\"\n"
	semicolons := strings.ReplaceAll(strings.ReplaceAll(commas, ",", ";"), "a; b; c", "a, b; c")
	tabs := "kind\tgrantor_kvk\tscope\ndirect\t00000001\t\"a, b; c\"\n\t\"é\U0001F9C0\"\t\nchain\t2\t\"two\nlines\""
	objects := `{"kind": "direct", "kvk_gever": "00000001", "scope": "a, b; c"}

		{"grantor_kvk": " é` + "\U0001F9C0" + `", "kind": null}
		{"Kind": "chain", "scope": "two\nlines", "grantor_kvk": "2"}`
	for name, text := range map[string]string{
		"commas":                commas,
		"semicolons":            semicolons,
		"a comma in a heading":  strings.Replace(semicolons, "kind;grantor_kvk", `"Kind,";"KvK, gever"`, 1),
		"tabs":                  tabs,
		"Excel's Unicode text":  wide(strings.ReplaceAll(tabs, "\n", "\r\n"), true),
		"UTF-16, big end first": wide(commas, false),
		"with a mark":           "\ufeff" + commas,
		"Dutch, with capitals":  strings.Replace(commas, "kind,grantor_kvk", "Kind,KvK-gever", 1),
		"a heading in quotes":   strings.Replace(commas, "kind,", `"kind",`, 1),
		"JSON lines":            objects,
		"JSON lines in UTF-16":  wide(objects, true),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Open(iotest.OneByteReader(strings.NewReader(text)), columns...)
			if err != nil {
				t.Fatal(err)
			}
			rows := all(t, r)
			if len(rows) != len(want) {
				t.Fatalf("%+v", rows)
			}
			for i, row := range rows {
				got := cells(row)
				got[2] = strings.ReplaceAll(got[2], "\r", "")
				if row.Problem != nil || !slices.Equal(got, want[i]) {
					t.Errorf("line %d: %q (%v), want %q", row.Line, got, row.Problem, want[i])
				}
			}
		})
	}
}

// A file that cannot be right is told from one that can before anything is read, with
// the program and the menu to go to.
func TestFilesThatAreNoTable(t *testing.T) {
	for name, c := range map[string]struct{ text, code string }{
		"empty":                  {"", "file-empty"},
		"a mark and no more":     {"\xff\xfe", "file-empty"},
		"blank":                  {"\r\n \n,,\n", "file-empty"},
		"xlsx":                   {"PK\x03\x04\x14\x00", "file-workbook"},
		"xls":                    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file-old-workbook"},
		"PDF":                    {"%PDF-1.7", "file-pdf"},
		"gzip":                   {"\x1f\x8b\x08", "file-packed"},
		"a page that is an .xls": {"<html><table>", "file-markup"},
		"UTF-32":                 {"\xff\xfe\x00\x00k\x00\x00\x00", "file-not-utf8"},
		"UTF-16 without a mark":  {"k\x00i\x00", "file-not-utf8"},
		"Windows":                {"kind;grantor_kvk\nRen\xe9e;1\n", "file-not-utf8"},
		"old Macintosh":          {"kind,grantor_kvk\rdirect,1\r", "file-mac-lines"},
		"a JSON list":            {`[{"kind": "direct"}]`, "file-json-list"},
		"an open quote":          {"kind,\"grantor_kvk\n", "quote-open"},
		"a column too few":       {"kind\n", "no-column"},
		"the same column twice":  {"kind,grantor_kvk,KvK gever\n", "column-twice"},
		"a column mistyped":      {"kind,grantor_kkv\n", "near-column"},
		"words in another order": {"kind,KvK grantor\n", "near-column"},
		"a column of others":     {"kind,grantor_kvk,colour\n", "unknown-column"},
		"no columns at all":      {"direct,00000001\n", "unknown-column"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(strings.NewReader(c.text), columns...)
			p, ok := errors.AsType[*Problem](err)
			if !ok || p.Code != c.code {
				t.Fatalf("%v, want %s", err, c.code)
			}
			for _, l := range []Language{English, Dutch} {
				if said := p.In(l); said == "" || strings.Contains(said, "<nil>") || strings.Contains(said, "00000001") {
					t.Errorf("%s: %q", l, said)
				}
			}
		})
	}
}

// What stands where a column should is shown if it looks like a word, with the column
// that was meant; a number is not repeated.
func TestUnknownColumn(t *testing.T) {
	for text, says := range map[string]string{
		"\nkind,grantor_kkv\n": `line 2: "grantor_kkv" is not a column. Did you mean grantor_kvk?`,
		"kind,gever kvk\n":     `"gever kvk" is not a column. Did you mean kvk_gever?`,
		"kind,12345678\n":      "the text in place 2 is not a column",
	} {
		if _, err := Open(strings.NewReader(text), columns...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

// One bad object costs one line.
func TestOneBadObject(t *testing.T) {
	for name, c := range map[string]struct{ line, code, column string }{
		"not closed":         {`{"kind": "direct"`, "json-syntax", ""},
		"a list":             {`["direct"]`, "json-syntax", ""},
		"two objects":        {`{"kind": "direct"} {"kind": "chain"}`, "json-syntax", ""},
		"a bare word":        {`{"kind": direct}`, "json-syntax", ""},
		"words":              {`hello`, "json-syntax", ""},
		"a number":           {`{"kind": "direct", "grantor_kvk": 1}`, "json-value", "grantor_kvk"},
		"an object":          {`{"kind": {"a": "b"}}`, "json-value", "kind"},
		"a key twice":        {`{"kind": "direct", "Kind": "chain"}`, "json-twice", "kind"},
		"an unknown key":     {`{"kind": "direct", "colour": "red"}`, "json-key", ""},
		"a mistyped key":     {`{"kinds": "direct"}`, "json-near-key", ""},
		"too long":           {`{"kind": "` + strings.Repeat("x", maxLine) + `"}`, "line-too-long", ""},
		"damaged":            {"{\"kind\": \"caf\xe9\"}", "line-damaged", ""},
		"half of a letter":   {`{"kind": "\ud83e"}`, "line-damaged", ""},
		"damaged before now": {"{\"kind\": \"caf\uFFFD\"}", "line-damaged", ""},
	} {
		t.Run(name, func(t *testing.T) {
			good := `{"kind": "één"}`
			r, err := Open(strings.NewReader(good+"\n"+c.line+"\n"+good), columns...)
			if err != nil {
				t.Fatal(err)
			}
			rows := all(t, r)
			if len(rows) != 3 || rows[0].Problem != nil || rows[2].Problem != nil || rows[2].Line != 3 {
				t.Fatalf("%.300v", rows)
			}
			if p := rows[1].Problem; p == nil || p.Code != c.code || p.Column != c.column || rows[1].Line != 2 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// A letter of which half is lost in UTF-16 is a damaged line, like any other.
func TestDamagedUTF16(t *testing.T) {
	text := strings.Replace(wide("kind,grantor_kvk\nXa,1\nb,2\n", true), "X\x00", "\x3e\xd8", 1)
	r, err := Open(strings.NewReader(text), columns...)
	if err != nil {
		t.Fatal(err)
	}
	if rows := all(t, r); len(rows) != 2 || code(rows[0]) != "line-damaged" || rows[1].Problem != nil {
		t.Errorf("%+v", rows)
	}
}

// A cell that is not there is told from one that is empty.
func TestNoSuchCell(t *testing.T) {
	r, err := Open(strings.NewReader("kind,kvk_gever\ndirect,\n"), columns...)
	if err != nil {
		t.Fatal(err)
	}
	row := all(t, r)[0]
	for column, want := range map[string]bool{"kind": true, "grantor_kvk": true, "scope": false} {
		if _, there := row.Cell(column); there != want {
			t.Errorf("%s: %v", column, there)
		}
	}
	if r.Headings()["grantor_kvk"] != "kvk_gever" {
		t.Errorf("%v", r.Headings())
	}
}

// A file is read as it comes: of a long one, whatever its kind, no more is fetched than
// the rows so far and the buffers need.
func TestStream(t *testing.T) {
	header, line, object := "kind,grantor_kvk\n", "direct,1\n", "{\"kind\": \"direct\"}\n"
	for name, text := range map[string]string{
		"CSV":        header + strings.Repeat(line, 1_000_000),
		"UTF-16":     wide(header+strings.Repeat(line, 1_000_000), true),
		"JSON lines": strings.Repeat(object, 500_000),
	} {
		in := strings.NewReader(text)
		r, err := Open(in, columns...)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 100_000; n++ {
			if row, err := r.Next(); err != nil || row.Problem != nil {
				t.Fatal(err, row)
			}
			if n%50_000 == 1 {
				if fetched, most := len(text)-in.Len(), n*2*len(object)+16*maxLine; fetched > most {
					t.Errorf("%s: %d bytes fetched for %d rows, want at most %d", name, fetched, n, most)
				}
			}
		}
	}
}

// A problem calls a column as the file does, and what it mentions is not filled in twice.
func TestProblem(t *testing.T) {
	b := Book{
		English: {"late": "write a date after [from], not {text} ({state})", "gone": "gone, like [from]"},
		Dutch:   {"late": "niet {text} ({state}), maar na [from]", "gone": "weg, zoals [from]"},
	}
	p := b.Problem("late", "until", map[string]any{"text": "[from] {state}", "state": Phrase("gone")})
	p.Headings = map[string]string{"until": "tot", "from": "van"}
	p.Line = 7
	for l, want := range map[Language]string{
		English: "line 7: Column tot: write a date after van, not [from] {state} (gone, like van)",
		Dutch:   "regel 7: Kolom tot: niet [from] {state} (weg, zoals van), maar na van",
		"fy":    "line 7: Column tot: write a date after van, not [from] {state} (gone, like van)",
	} {
		if got := p.In(l); got != want {
			t.Errorf("%s: %q", l, got)
		}
	}
	b[Dutch]["gone"] = "weg"
	b[English]["only"] = "here"
	b[Dutch]["alleen"] = "hier"
	b[English]["open"], b[Dutch]["open"] = "an [open bracket", "een [open haak"
	gaps := b.Gaps()
	if slices.Sort(gaps); !slices.Equal(gaps, []string{"alleen", "gone", "only", "open"}) {
		t.Errorf("%v", gaps)
	}
}

// Whatever is refused here is refused in Dutch and in English.
func TestBook(t *testing.T) {
	if gaps := book.Gaps(); gaps != nil {
		t.Errorf("not in both languages: %v", gaps)
	}
	codes := append(codesIn(t, "."), "cells", "comma", "semicolon", "tab")
	for _, code := range codes {
		if book[English][code] == "" {
			t.Errorf("%q has no sentence", code)
		}
	}
}

// codesIn finds the codes in the source of a package: words with a hyphen between them,
// in quotation marks.
func codesIn(t *testing.T, folder string) (codes []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, found := range regexp.MustCompile(`"([a-z0-9]+(?:-[a-z0-9]+)+)"`).FindAllSubmatch(source, -1) {
			codes = append(codes, string(found[1]))
		}
	}
	return codes
}

// FuzzRead reads any file: it ends, lines are numbered in order, no line is lost, and a
// row has cells or a problem that can be said.
func FuzzRead(f *testing.F) {
	table := "kind,grantor_kvk,scope\ndirect,1,a\n\"open,2,b\n,\"in \"\"side\"\"\",\n,,,,\n"
	for _, text := range []string{
		"", "\n", table, "\ufeff" + table, strings.ReplaceAll(table, ",", ";"), strings.ReplaceAll(table, ",", "\t"),
		wide(table, true), wide(table, false), wide(table, true)[1:], "PK\x03\x04", "kind\r",
		"{\"kind\": \"direct\"}\n\n{\"kvk gever\": 1}\n{\"scope\": null, \"scope\": \"x\"}\n{}\n{\"kind\": \"\\ud800\"}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Open(strings.NewReader(text), columns...)
		if err != nil {
			said(t, err)
			return
		}
		last := 0
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if row.Line <= last {
				t.Fatalf("line %d after %d", row.Line, last)
			}
			last = row.Line
			if row.Problem != nil {
				said(t, row.Problem)
			}
			if filled := strings.Join(cells(row), "") != ""; filled == (row.Problem != nil) {
				t.Fatalf("%+v", row)
			}
		}
		if strings.HasPrefix(text, "\xff") || strings.HasPrefix(text, "\xfe") { // other line ends
			return
		}
		if ends := strings.Count(text, "\n"); lineAt(r) < ends+1 || lineAt(r) > ends+2 {
			t.Errorf("at line %d of a file with %d line ends", lineAt(r), ends)
		}
	})
}

// said fails unless an error is a problem that can be said in both languages.
func said(t *testing.T, err error) {
	t.Helper()
	p, ok := errors.AsType[*Problem](err)
	if !ok || p.In(English) == "" || p.In(Dutch) == "" || strings.Contains(p.In(Dutch), "<nil>") {
		t.Errorf("%v", err)
	}
}

// lineAt is the line that comes next.
func lineAt(r *Reader) int {
	if table, ok := r.rows.(*table); ok {
		return table.line
	}
	return r.rows.(*objects).line
}
