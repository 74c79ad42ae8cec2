package register

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/mandated/mandated/pkg/mandate"
)

// People look for a company by the beginning of any word of its name, or of its number. So
// a version of a company has a row for its name from each word to the end: whatever begins
// with what somebody types then lies together in one index, in the order of the alphabet.

const (
	mostWords   = 12 // of a name that can be looked for
	longestText = 64 // bytes of a name that count for looking and for the order
)

// wordNumber is the word under which a company's number stands.
const wordNumber = -1

// plain writes a name as it is looked for and sorted: small letters without accents, and
// digits, in words with one space between them.
func plain(name string) string {
	var b strings.Builder
	apart := false
	for _, r := range norm.NFKD.String(name) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if apart && b.Len() > 0 {
				b.WriteByte(' ')
			}
			apart = false
			b.WriteRune(unicode.ToLower(r))
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == '.': // B.V. is bv, and 't is t
		default:
			apart = true
		}
	}
	return b.String()
}

// cut shortens a text to what counts.
func cut(text string) string {
	if len(text) <= longestText {
		return text
	}
	text = text[:longestText]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text
}

// CompareNames orders names as lists of companies are ordered.
func CompareNames(a, b string) int { return strings.Compare(plain(a), plain(b)) }

// sought is what a text begins with that is found by a search. A number may be typed with
// spaces in it.
func sought(search string) string {
	text := plain(search)
	if number := strings.ReplaceAll(text, " ", ""); strings.Trim(number, "0123456789") == "" {
		return number
	}
	return cut(text)
}

// Matches tells whether a company of that name and number would be found by a search.
func Matches(name, number, search string) bool {
	begin := sought(search)
	return begin == "" || strings.HasPrefix(number, begin) ||
		slices.ContainsFunc(endings(name), func(text string) bool { return strings.HasPrefix(text, begin) })
}

// endings gives a name from each of its words to the end, the whole name first.
func endings(name string) []string {
	rest := plain(name)
	list := []string{cut(rest)}
	for len(list) < mostWords {
		_, after, more := strings.Cut(rest, " ")
		if !more {
			break
		}
		rest = after
		list = append(list, cut(rest))
	}
	return list
}

// writeNames writes where the newest version of a company is found, the first or a later one.
func (t *Tx) writeNames(o mandate.Organisation, first bool) error {
	write := func(word int, text string) error {
		if first {
			return t.insert(inOrganisationName, o.ID, 1, word, text)
		}
		return t.exec(`
			INSERT INTO organisation_name (organisation, version, word, text)
			SELECT organisation, version, ?2, ?3 FROM organisation_version WHERE organisation = ?1 AND `+isCurrent,
			o.ID, word, text)
	}
	for word, text := range endings(o.Name) {
		if err := write(word, text); err != nil {
			return err
		}
	}
	return write(wordNumber, o.KvK.Text())
}
