package look

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Text is said in Dutch and in English. Gaps are filled in by name: {name}. A text that is
// said of a number has two forms with " | " between them, of which the first is for one:
// "{n} dag | {n} dagen".
type Text struct {
	NL string `json:"nl"`
	EN string `json:"en"`
}

// In is the text in that language.
func (t Text) In(l Language) string {
	if l == Dutch {
		return t.NL
	}
	return t.EN
}

// IsZero tells that there is nothing to say.
func (t Text) IsZero() bool { return t == Text{} }

// Texts are the words of a room, by the name under which it finds them. The room's tests call
// Check.
type Texts map[string]Text

// In are the words in one language.
func (t Texts) In(l Language) Words { return Words{l, t} }

// Words are the words of a room in one language.
type Words struct {
	Language
	texts Texts
}

// Say is the text of that name, with its gaps filled in: names and values by turns, of which
// integers are written as people read them. What is not there is said as its name, in
// brackets: a page can do without a word, and tests cannot.
func (w Words) Say(name string, fill ...any) string {
	t, known := w.texts[name]
	if !known {
		return "[" + name + "]"
	}
	return filled(t.In(w.Language), w.Language, fill)
}

// Count is the text of that name, said of n, which is what {n} is filled in with.
func (w Words) Count(name string, n int, fill ...any) string {
	t, known := w.texts[name]
	if !known {
		return "[" + name + "]"
	}
	one, more, _ := strings.Cut(t.In(w.Language), forms)
	if n != 1 {
		one = more
	}
	return filled(one, w.Language, append([]any{"n", n}, fill...))
}

// forms stands between the form for one and the form for more.
const forms = " | "

// filled fills the gaps in one go: a value that looks like a gap stays what it is.
func filled(text string, l Language, fill []any) string {
	pairs := make([]string, 0, len(fill))
	for i := 0; i+1 < len(fill); i += 2 {
		value := fmt.Sprint(fill[i+1])
		switch n := fill[i+1].(type) {
		case int:
			value = l.Number(int64(n))
		case int64:
			value = l.Number(n)
		}
		pairs = append(pairs, fmt.Sprintf("{%v}", fill[i]), value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

var (
	gap = regexp.MustCompile(`\{[a-zA-Z]+\}`)
	// used finds where a text is said by its name. What follows tells whether that is all of
	// the name.
	used     = regexp.MustCompile(`\b(?:[sS]ay|[cC]ount)(?:\(| )"([^"]*)"\s*(\S)`)
	comments = regexp.MustCompile(`(?m)^\s*//.*$`)
)

// Check is for the tests of a room: it tells what is wrong with its words, one line for each
// mistake. Every text is said in both languages, with the same gaps and as many forms; every
// name that the Go files and templates in the folder use is there. What lies in a folder below
// it with Go files of its own is another room's.
func (t Texts) Check(folder fs.FS) (wrong []string) {
	for name, text := range t {
		nl, en := strings.TrimSpace(text.NL), strings.TrimSpace(text.EN)
		if nl == "" || en == "" {
			wrong = append(wrong, fmt.Sprintf("%q is not said in both languages: %q, %q", name, text.NL, text.EN))
			continue
		}
		if g, h := gapsOf(nl), gapsOf(en); !slices.Equal(g, h) {
			wrong = append(wrong, fmt.Sprintf("%q has the gaps %q in Dutch and %q in English", name, g, h))
		}
		if n, m := strings.Count(nl, forms), strings.Count(en, forms); n != m || n > 1 {
			wrong = append(wrong, fmt.Sprintf("%q has %d forms in Dutch and %d in English", name, n+1, m+1))
		}
	}
	err := fs.WalkDir(folder, ".", func(file string, d fs.DirEntry, err error) error {
		if others, _ := fs.Glob(folder, path.Join(file, "*.go")); d != nil && d.IsDir() && file != "." && len(others) > 0 {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || strings.HasSuffix(file, "_test.go") || path.Ext(file) != ".go" && path.Ext(file) != ".html" {
			return err
		}
		source, err := fs.ReadFile(folder, file)
		for _, m := range used.FindAllSubmatch(comments.ReplaceAll(source, nil), -1) {
			if _, known := t[string(m[1])]; !known && string(m[2]) != "+" {
				wrong = append(wrong, fmt.Sprintf("%s says %q, for which there are no words", file, m[1]))
			}
		}
		return err
	})
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	slices.Sort(wrong)
	return wrong
}

// gapsOf are the names of the gaps, each once.
func gapsOf(text string) []string {
	all := gap.FindAllString(text, -1)
	slices.Sort(all)
	return slices.Compact(all)
}
