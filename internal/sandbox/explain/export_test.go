package explain

import (
	"fmt"

	"github.com/mandated/mandated/internal/look"
)

// Said is everything that the room can say, by where it says it.
func Said() map[string]look.Text {
	said := map[string]look.Text{}
	for _, table := range []map[string]meaning{elements, attributes, named, parameterMeanings, statuses} {
		for name, m := range table {
			said[name] = m.Text
		}
	}
	for kind, w := range kinds {
		said[string(kind)+" title"], said[string(kind)+" purpose"], said[string(kind)+" label"] = w.title, w.purpose, labels[kind]
		for i, c := range w.checks {
			said[fmt.Sprint(kind, " check ", i)] = c
		}
	}
	for code, t := range refusals {
		said[code] = t
	}
	for l, t := range levels {
		said[l.String()] = t
	}
	for r, t := range roles {
		said[string(r)] = t
	}
	for q, t := range qualifiers {
		said[q] = t
	}
	for _, r := range reasons {
		said[r.err.Error()] = r.text
	}
	for word, t := range texts {
		said["word "+word] = t
	}
	return said
}

// Sources are where meanings are from, by name.
func Sources() map[string]string {
	from := map[string]string{}
	for _, table := range []map[string]meaning{elements, attributes, named, parameterMeanings, statuses} {
		for name, m := range table {
			from[name] = m.source
		}
	}
	return from
}

// Refusals are the reason codes that the room knows.
func Refusals() map[string]look.Text { return refusals }

// Texts are the words of the page itself.
func Texts() look.Texts { return texts }
