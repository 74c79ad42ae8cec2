package catalogue

import (
	"crypto/x509"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// reader takes values out of elements and notes what is wrong on the way. It goes
// on after every problem, so that whoever mends the document hears of all.
type reader struct {
	now                time.Time
	problems, warnings findings
	certificates       map[string]*x509.Certificate // many endpoints share one
}

func (r *reader) fail(n *xmlsec.Node, format string, args ...any) { r.problems.add(n, format, args...) }
func (r *reader) warn(n *xmlsec.Node, format string, args ...any) { r.warnings.add(n, format, args...) }

// attribute reads an attribute with or without the catalogue's namespace. Having it
// both ways is a problem: nobody knows which one counts.
func (r *reader) attribute(n *xmlsec.Node, local string) (string, bool) {
	var value string
	found := 0
	for _, a := range n.Attrs {
		if a.Name.Local == local && (a.Name.Space == "" || a.Name.Space == spaces["esc"]) {
			value = strings.Trim(a.Value, white)
			found++
		}
	}
	if found > 1 {
		r.fail(n, "has %s twice", local)
	}
	return value, found == 1
}

func (r *reader) required(n *xmlsec.Node, local string) (string, bool) {
	value, ok := r.attribute(n, local)
	if !ok {
		r.fail(n, "lacks the attribute %s", local)
	}
	return value, ok
}

// white is the white space of XML. Around a value it is layout, not part of it: the
// schema collapses it in URIs, and people edit this document.
const white = " \t\r\n"

// text reads an element's value; an empty one is a problem.
func (r *reader) text(n *xmlsec.Node) string {
	value, err := n.Value()
	value = strings.Trim(value, white)
	if err != nil {
		r.fail(n, "holds elements where a value belongs")
	} else if value == "" {
		r.fail(n, "is empty")
	}
	return value
}

// maybe reads the value of a child that may be there once.
func (r *reader) maybe(n *xmlsec.Node, child string) string {
	switch all := n.All(name(child)); len(all) {
	case 0:
		return ""
	case 1:
		return r.text(all[0])
	default:
		r.fail(all[1], "stands here more than once")
		return ""
	}
}

// each reads the values of all children of that name.
func (r *reader) each(n *xmlsec.Node, child string) (values []string) {
	for _, c := range n.All(name(child)) {
		values = append(values, r.text(c))
	}
	return values
}

// one reads and parses the value of a child that must be there once.
func one[T any](r *reader, n *xmlsec.Node, child string, parse func(string) (T, error)) (value T) {
	all := n.All(name(child))
	if len(all) != 1 {
		r.fail(n, "has %d of %s, exactly one is needed", len(all), name(child).Local)
		return value
	}
	return parsed(r, all[0], parse)
}

// parsed reads and parses the value of an element.
func parsed[T any](r *reader, n *xmlsec.Node, parse func(string) (T, error)) T {
	text := r.text(n)
	value, err := parse(text)
	if err != nil && text != "" {
		r.fail(n, "is %.80q: %v", text, err)
	}
	return value
}

// flag reads an xs:boolean attribute.
func (r *reader) flag(n *xmlsec.Node, local string, needed bool) bool {
	value, ok := r.attribute(n, local)
	if !ok {
		if needed {
			r.fail(n, "lacks the attribute %s", local)
		}
		return false
	}
	return r.boolean(n, local, value)
}

func (r *reader) boolean(n *xmlsec.Node, what, value string) bool {
	switch value {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	r.fail(n, "has %s %.80q, which is neither true nor false", what, value)
	return false
}

// texts reads children in several languages, none longer than limit characters.
func (r *reader) texts(n *xmlsec.Node, child string, limit, least int) map[string]string {
	all := n.All(name(child))
	if len(all) < least {
		r.fail(n, "lacks %s", child)
	}
	texts := make(map[string]string, len(all))
	for _, c := range all {
		r.strange(c)
		text, lang := r.text(c), r.language(c)
		if count := utf8.RuneCountInString(text); count > limit {
			r.fail(c, "has %d characters, at most %d are allowed", count, limit)
		}
		if _, again := texts[lang]; again {
			r.warn(c, "is there twice in language %.20q; the first counts", lang)
			continue
		}
		texts[lang] = text
	}
	return texts
}

func (r *reader) language(n *xmlsec.Node) string {
	for _, a := range n.Attrs {
		if a.Name == name("xml:lang") {
			return strings.ToLower(a.Value)
		}
	}
	r.warn(n, "does not say its language")
	return ""
}

// sets reads types of identifiers, in sets that are ordered by their number; without
// a number it is 0 (EntityConcernedTypesAllowed, setNumber).
func (r *reader) sets(n *xmlsec.Node, child string, least int) [][]etoegang.EntityType {
	all := n.All(name(child))
	if len(all) < least {
		r.fail(n, "lacks %s", child)
	}
	byNumber := map[uint64][]etoegang.EntityType{}
	for _, c := range all {
		r.strange(c)
		number := r.setNumber(c)
		byNumber[number] = append(byNumber[number], etoegang.EntityType(r.text(c)))
	}
	return inOrder(byNumber)
}

func (r *reader) setNumber(n *xmlsec.Node) uint64 {
	value, ok := r.attribute(n, "setNumber")
	if !ok {
		return 0
	}
	number, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		r.fail(n, "has setNumber %.80q, which is not a number from 0", value)
	}
	return number
}
