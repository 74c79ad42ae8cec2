package sheet

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// objects reads JSON lines. Any line can have other keys than the one before it, so
// what is wrong with a key is wrong with its line. A key that is not there is an empty
// cell, and so is null.
type objects struct {
	*text
	names names
	place map[string]int
}

func newObjects(t *text, columns []Column) *objects {
	o := &objects{text: t, names: newNames(columns), place: map[string]int{}}
	for i, c := range columns {
		o.place[c.Name] = i
	}
	return o
}

// next reads the next line, which may be empty.
func (o *objects) next() (Row, error) {
	window, whole, err := o.window()
	if err != nil {
		return Row{}, err
	}
	r := Row{Line: o.line, place: o.place}
	size := bytes.IndexByte(window, '\n') + 1
	switch {
	case size == 0 && !whole:
		r.Problem = tooLong()
		return r, o.skipLine()
	case size == 0:
		size = len(window)
	}
	if r.cells, r.Problem = o.object(window[:size]); r.Problem == nil {
		r.Size = size
	}
	o.take(window[:size])
	return r, nil
}

// object reads the cells of one line.
func (o *objects) object(line []byte) (cells []string, bad *Problem) {
	if damaged(line) {
		return nil, refuse("line-damaged", nil)
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return nil, nil
	}
	in := json.NewDecoder(bytes.NewReader(line))
	if first, err := in.Token(); err != nil || first != json.Delim('{') {
		return nil, o.notJSON()
	}
	cells, seen := make([]string, len(o.names.columns)), make([]bool, len(o.names.columns))
	for n := 0; in.More(); n++ {
		column, at, bad := o.key(in, n, seen)
		if bad == nil {
			cells[at], bad = o.value(in, column)
		}
		if bad != nil {
			return nil, bad
		}
	}
	if _, err := in.Token(); err != nil { // the closing brace
		return nil, o.notJSON()
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, o.notJSON()
	}
	return cells, nil
}

// key reads the nth key of a line.
func (o *objects) key(in *json.Decoder, n int, seen []bool) (column string, at int, bad *Problem) {
	token, err := in.Token()
	key, ok := token.(string)
	if err != nil || !ok {
		return "", 0, o.notJSON()
	}
	column, ok = o.names.known[fold(key)]
	if !ok {
		return "", 0, o.names.unknown(key, n, "json-key", "json-near-key")
	}
	at = o.place[column]
	if seen[at] {
		return "", 0, book.Problem("json-twice", column, nil)
	}
	seen[at] = true
	return column, at, nil
}

// value reads what stands under a key.
func (o *objects) value(in *json.Decoder, column string) (cell string, bad *Problem) {
	token, err := in.Token()
	if err != nil {
		return "", o.notJSON()
	}
	switch v := token.(type) {
	case nil:
		return "", nil
	case string:
		if strings.Contains(v, string(lost)) { // half of a letter, as an escape
			return "", refuse("line-damaged", nil)
		}
		return strings.TrimSpace(v), nil
	}
	return "", book.Problem("json-value", column, nil)
}

func (o *objects) notJSON() *Problem {
	return refuse("json-syntax", map[string]any{"example": `{"` + o.names.columns[0].Name + `": "…"}`})
}
