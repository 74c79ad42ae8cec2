package explain

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mandated/mandated/internal/look"
)

// same is a text that is the same in both languages: a name or a number.
func same(s string) look.Text { return look.Text{NL: s, EN: s} }

// say fills in a text. What is filled in and is a Text itself is said in the same language.
func say(nl, en string, args ...any) look.Text {
	in := func(format string, language look.Language) string {
		spoken := make([]any, len(args))
		for i, a := range args {
			if t, ok := a.(look.Text); ok {
				a = t.In(language)
			}
			spoken[i] = a
		}
		return fmt.Sprintf(format, spoken...)
	}
	return look.Text{NL: in(nl, look.Dutch), EN: in(en, look.English)}
}

// cut shortens what is too long to be shown, and makes it text that can be shown.
func cut(s string, longest int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= longest {
		return s
	}
	for !utf8.RuneStart(s[longest]) {
		longest--
	}
	return s[:longest] + "…"
}

// longestRaw is how much of a message is repeated as it is, in bytes; longestValue of one
// value in a line; longestNote of a value in a sentence.
const (
	longestRaw   = 512 << 10
	longestValue = 300
	longestNote  = 120
)

// withoutSpace removes white space, which base64 may have anywhere.
func withoutSpace(s string) string { return strings.Join(strings.Fields(s), "") }
