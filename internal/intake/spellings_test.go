package intake

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/register"
)

// rows are lines of the CSV of most tests as cells, in the order of Columns.
func rows(lines ...string) [][]string {
	return must(csv.NewReader(strings.NewReader(strings.Join(lines, "\n"))).ReadAll())
}

// spellings are files that hold the same table: every separator, every alphabet, and
// what programs do to a first line and to line ends.
func spellings(table [][]string) map[string]string {
	windows := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	return map[string]string{
		"commas":                    separated(table, ',', Columns()),
		"commas, Windows":           windows(separated(table, ',', Columns())),
		"commas, UTF-16BE":          wide(separated(table, ',', Columns()), true),
		"semicolons, with a mark":   "\ufeff" + separated(table, ';', Columns()),
		"semicolons, Dutch":         separated(table, ';', dutchColumns()),
		"tabs":                      separated(table, '\t', Columns()),
		"tabs, Windows, UTF-16LE":   wide(windows(separated(table, '\t', Columns())), false),
		"JSON lines":                objects(table),
		"JSON lines, with a mark":   "\ufeff" + objects(table),
		"JSON lines, UTF-16LE":      wide(objects(table), false),
		"JSON lines, Windows lines": windows(objects(table)),
	}
}

// separated writes a table as a spreadsheet does.
func separated(table [][]string, separator rune, names []string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = separator
	if err := w.WriteAll(append([][]string{names}, table...)); err != nil {
		panic(err)
	}
	return b.String()
}

func dutchColumns() (names []string) {
	for _, c := range columns {
		names = append(names, c.dutch)
	}
	return names
}

// objects writes a table as JSON lines, without the cells that are empty.
func objects(table [][]string) string {
	var b strings.Builder
	for _, cells := range table {
		object := map[string]string{}
		for i, cell := range cells {
			if cell != "" {
				object[Columns()[i]] = cell
			}
		}
		b.Write(must(json.Marshal(object)))
		b.WriteString("\n")
	}
	return b.String()
}

// wide writes a text in UTF-16.
func wide(text string, bigEndian bool) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		pair := []byte{byte(unit), byte(unit >> 8)}
		if bigEndian {
			pair[0], pair[1] = pair[1], pair[0]
		}
		out = append(out, pair...)
	}
	return string(out)
}

// answer is a result without its line, which differs by spelling.
type answer struct {
	status Status
	id     int64
	column string
	code   string
	args   map[string]any
}

// Whatever program saved a table, its lines get the same answers.
func TestSpellingsAgree(t *testing.T) {
	r := must(register.Create(ctx, filepath.Join(t.TempDir(), "register.db"), mr, time.Second,
		register.Options{Now: func() time.Time { return noon }}))
	defer r.Close()
	must(Import(ctx, r, strings.NewReader(file(chain(), direct("reference=known"))), Options{Author: clerk}, nil))
	statuses := map[Status]bool{}

	rapid.Check(t, func(t *rapid.T) {
		table := rapid.SliceOfN(rapid.Custom(drawRow), 1, 6).Draw(t, "table")
		var want []answer
		for name, text := range spellings(table) {
			var got []answer
			_, err := Import(ctx, r, strings.NewReader(text), Options{Author: clerk, DryRun: true}, func(r Result) error {
				a := answer{status: r.Status, id: int64(r.Mandate), column: columnOf(r)}
				if r.Problem != nil {
					a.code, a.args = r.Problem.Code, r.Problem.Args
				}
				statuses[r.Status] = true
				got = append(got, a)
				return nil
			})
			if err != nil || len(got) != len(table) {
				t.Fatalf("%s: %d answers to %d lines: %v", name, len(got), len(table), err)
			}
			if want == nil {
				want = got
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s:\n%+v, want\n%+v\n%q", name, got, want, text)
			}
		}
	})
	if len(statuses) != 3 {
		t.Errorf("only %v came about", statuses)
	}
}

// drawRow draws a line that is right, or nearly.
func drawRow(t *rapid.T) []string {
	line := rapid.SampledFrom([]func(...string) string{direct, chain, assignment}).Draw(t, "kind")
	nasty := rapid.StringOfN(rapid.RuneFrom([]rune("ab é€\U0001F9C0\",;\t'{}[]\\<=|")), 0, 12, -1)
	row := rows(line())[0]
	put := func(column string, values ...string) {
		if rapid.IntRange(0, 5).Draw(t, "changes "+column) == 0 {
			row[index(column)] = rapid.SampledFrom(values).Draw(t, column)
		}
	}
	put(pseudonym, "", nym(2), nym(3))
	put(grantorKvK, bakery, farm, "1110001", "1,1E+07")
	put(from, "1-12-2026", "01/12/2026", "46357", "2026-12-02")
	put(scope, uwv, tax+" "+uwv, tax+"\n"+uwv)
	put(establishments, "000000000001", "1,23457E+11", "1 2")
	put(grantorName, nasty.Draw(t, "name"))
	put(reference, nasty.Draw(t, "reference"), "known")
	return row
}

func index(column string) int {
	for i, c := range columns {
		if c.name == column {
			return i
		}
	}
	panic(column)
}

// A mandate is found again whatever the way of writing its days.
func TestDutchDates(t *testing.T) {
	s := newScene(t)
	s.want(s.load(direct("from=1-12-2026", "until=01-12-2027"), direct()), "granted unchanged")
}

// Somebody who made a file with Dutch names for the columns is answered in those, also
// about another column than the one he has to look at.
func TestDutchAnswer(t *testing.T) {
	s := newScene(t)
	text := strings.Join(dutchColumns(), ";") + "\n" + strings.ReplaceAll(direct("until=2026-11-30"), ",", ";")
	out := s.try(text, Options{})
	s.want(out, "refused")
	p := out.results[0].Problem
	if got, want := p.In(sheet.Dutch), "Kolom tot: schrijf een datum na die in kolom van."; got != want || p.Column != until {
		t.Errorf("%q (%s), want %q", got, p.Column, want)
	}
}
