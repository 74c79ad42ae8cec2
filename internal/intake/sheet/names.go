package sheet

import (
	"slices"
	"strings"
	"unicode"
)

// names are the columns that there can be, by every name that a file can give them.
type names struct {
	columns []Column
	known   map[string]string // folded name to column
}

func newNames(columns []Column) names {
	n := names{columns, map[string]string{}}
	for _, c := range columns {
		for _, name := range append(slices.Clone(c.Also), c.Name) {
			n.known[fold(name)] = c.Name
		}
	}
	return n
}

// fold takes away what people change in a name without noticing: capitals, and what
// stands between the words.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// arrange finds the column under every heading of a table.
func (n names) arrange(cells []string) (place map[string]int, headings map[string]string, bad *Problem) {
	place, headings = map[string]int{}, map[string]string{}
	for i, heading := range cells {
		column, ok := n.known[fold(heading)]
		if !ok {
			return nil, nil, n.unknown(heading, i, "unknown-column", "near-column")
		}
		if _, again := place[column]; again {
			return nil, nil, refuse("column-twice", map[string]any{"column": column})
		}
		place[column], headings[column] = i, heading
	}
	return place, headings, nil
}

// unknown refuses a name, and tells which one was probably meant.
func (n names) unknown(name string, i int, code, codeNear string) *Problem {
	args := map[string]any{"columns": n.list(), "place": i + 1, "name": Phrase("in-place")}
	if !presentable(name) { // nor compared with all there are: it may be as long as the file
		return refuse(code, args)
	}
	args["name"] = `"` + name + `"`
	if near := n.nearest(name); near != "" {
		args["near"] = near
		return refuse(codeNear, args)
	}
	return refuse(code, args)
}

// presentable tells whether an unknown name can be shown. A file without a first line
// for the columns has numbers of people and companies there, so only what looks like
// the name of a column is shown.
func presentable(name string) bool {
	return name != "" && len(name) <= 40 && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz_ -") == ""
}

func (n names) list() string {
	var list []string
	for _, c := range n.columns {
		list = append(list, c.Name)
	}
	return strings.Join(list, ", ")
}

// nearest is the name of the manual that a mistyped one is most like, whatever the order
// of its words. Empty: it is like none.
func (n names) nearest(name string) (near string) {
	least := len(fold(name))/3 + 1
	for _, c := range n.columns {
		for _, known := range append(slices.Clone(c.Also), c.Name) {
			d := min(distance(fold(name), fold(known)), distance(inOrder(name), inOrder(known)))
			if d < least {
				near, least = known, d
			}
		}
	}
	return near
}

// inOrder puts the words of a name in one order.
func inOrder(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	slices.Sort(words)
	return strings.Join(words, "")
}

// distance counts the letters to put in, take out or change to make one text the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
