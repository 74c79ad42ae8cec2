package xmlsec

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzRead: nothing panics, and what our scanner lets through the parser behind it
// reads the same way: the same elements, attributes and values in the same order.
// Written again, it still says the same.
func FuzzRead(f *testing.F) {
	for _, a := range attacks {
		if len(a.doc) < 2000 {
			f.Add([]byte(a.doc), false)
		}
	}
	f.Add(honestQuery(f), false)
	f.Add([]byte("\uFEFF<?xml version='1.0' encoding='utf-8'?><!-- a --><a xmlns:p='u:x' p:b=\"'&#10;\n\"><p:c/> <!-- -->\r\n</a>"), true)
	f.Fuzz(func(t *testing.T, doc []byte, comments bool) {
		limits := MessageLimits
		limits.Comments = comments
		d, err := Read(doc, limits)
		if err != nil {
			return
		}
		tree, err := d.tree()
		if err != nil {
			t.Fatalf("the parser refuses what the scanner lets through: %v", err)
		}
		if got, want := parsed(tree), scanned(d); got != want {
			t.Fatalf("the scanner saw\n%s\nthe parser saw\n%s", want, got)
		}
		if !sameNode(d.Unverified(), tree) {
			t.Fatal("read from tokens and from the tree it says different things")
		}
		again := quoted(tree.source, &builder{}).Bytes()
		roomy := DocumentLimits // character references take more room than characters
		roomy.Depth = limits.Depth
		second, err := Read(again, roomy)
		if err != nil {
			t.Fatalf("%v after writing it again:\n%s", err, again)
		}
		if !sameNode(d.Unverified(), second.Unverified()) {
			t.Fatalf("says something else after writing it again:\n%s", again)
		}
	})
}

// scanned lists the elements and attributes the scanner saw.
func scanned(d *Document) string {
	var out strings.Builder
	for i := range d.tokens.elements {
		out.Write(d.tokens.elements[i].fullName(d.doc))
		var all []string
		for _, a := range d.tokens.attrsOf(int32(i)) {
			all = append(all, " "+string(a.fullName(d.doc))+"="+strconv.Quote(unescape(string(a.raw(d.doc)))))
		}
		from, to := d.tokens.bindingsOf(int32(i))
		for _, b := range d.tokens.bindings[from:to] {
			name := " xmlns"
			if prefix := string(b.prefixIn(d.doc)); prefix != "" {
				name += ":" + prefix
			}
			all = append(all, name+"="+strconv.Quote(string(b.uriIn(d.doc))))
		}
		slices.Sort(all)
		out.WriteString(strings.Join(all, "") + "\n")
	}
	return out.String()
}

// parsed lists the elements and attributes the parser saw.
func parsed(root *Node) string {
	var out strings.Builder
	_ = root.each(func(n *Node) error {
		out.WriteString(n.source.FullTag())
		var all []string
		for _, a := range n.source.Attr {
			all = append(all, " "+a.FullKey()+"="+strconv.Quote(a.Value))
		}
		slices.Sort(all)
		out.WriteString(strings.Join(all, "") + "\n")
		return nil
	})
	return out.String()
}

var references = regexp.MustCompile(`\r\n|[\t\n\r]|&[^;]*;`)

// unescape reads an attribute value the way XML 1.0, section 3.3.3, says.
func unescape(value string) string {
	return references.ReplaceAllStringFunc(value, func(s string) string {
		switch s {
		case "&lt;":
			return "<"
		case "&gt;":
			return ">"
		case "&amp;":
			return "&"
		case "&apos;":
			return "'"
		case "&quot;":
			return `"`
		}
		if s[0] != '&' {
			return " "
		}
		digits, base := s[2:len(s)-1], 10
		if digits[0] == 'x' {
			digits, base = digits[1:], 16
		}
		r, _ := strconv.ParseInt(digits, base, 32)
		return string(rune(r))
	})
}

// fragments is what attackers have put into messages.
var fragments = []string{
	"<!---->", "<?x?>", "<![CDATA[x]]>", "&#65;", "&amp;", " ", "\n", "x", "'", `"`, "<a/>", "<a>", "</a>",
	` ID="_q1"`, ` ID="_ad1"`, ` Id="_x"`, ` xmlns="u:x"`, ` xmlns=""`, ` xmlns:xs="u:x"`, ` xmlns:ds="u:x"`,
	` xmlns:saml="u:x"`, ` xmlns:n="u:x"`, ` Algorithm="x"`, ` URI=""`, "<ds:Object>", "</ds:Object>", "mallory", "<!DOCTYPE a>",
}

// edit changes a message as a script of four bytes a step says: what to do, and to
// which of its pieces. A script stays meaningful when keys, and so signatures,
// change.
func edit(doc []byte, script []byte) []byte {
	for ; len(script) >= 4; script = script[4:] {
		all := spans(doc)
		if len(all) == 0 {
			return doc
		}
		from, to := all[int(script[1])%len(all)], all[int(script[2])%len(all)]
		piece := bytes.Clone(doc[from.start:from.end])
		extra := []byte(fragments[int(script[3])%len(fragments)])
		switch script[0] % 8 {
		case 0: // cut a piece out
			doc = splice(doc, from.start, from.end, nil)
		case 1: // put a copy before another piece
			doc = splice(doc, to.start, to.start, piece)
		case 2: // put a copy inside another piece
			doc = splice(doc, to.inside, to.inside, piece)
		case 3: // let one piece take another's place
			doc = splice(doc, to.start, to.end, piece)
		case 4: // wrap one piece around another
			doc = splice(doc, to.start, to.end, append(append(bytes.Clone(doc[from.start:from.inside]), doc[to.start:to.end]...), doc[from.close:from.end]...))
		case 5: // put a fragment inside a piece
			doc = splice(doc, to.inside, to.inside, extra)
		case 6: // put a fragment inside a start tag
			doc = splice(doc, to.inside-1, to.inside-1, extra)
		case 7: // change a byte
			at := from.start + (int(script[2])<<8|int(script[3]))%len(piece)
			doc = splice(doc, at, at+1, extra[:1])
		}
	}
	return doc
}

func splice(doc []byte, from, to int, what []byte) []byte {
	out := append(bytes.Clone(doc[:from]), what...)
	return append(out, doc[to:]...)
}

// span is where an element stands in a message, roughly.
type span struct{ start, inside, close, end int }

var tags = regexp.MustCompile(`<(/?)[A-Za-z][^<>]*>`)

func spans(doc []byte) []span {
	var all []span
	var open []int
	for _, m := range tags.FindAllSubmatchIndex(doc, -1) {
		closing, empty := m[3] > m[2], doc[m[1]-2] == '/'
		switch {
		case closing && len(open) > 0:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			all[last].close, all[last].end = m[0], m[1]
		case !closing:
			all = append(all, span{m[0], m[1], m[1], m[1]})
			if !empty {
				open = append(open, len(all)-1)
			}
		}
	}
	return all
}

// FuzzVerify: however an honest message is rearranged, it is refused or says what
// the honest one said.
func FuzzVerify(f *testing.F) {
	doc := envelop(mustSign(f, someone(f, "broker"),
		query(mustSign(f, someone(f, "authenticator"), shortAssertion())))).Bytes()
	places := places(f)
	honest, err := verify(f, mustRead(f, doc), noon, places...)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	for kind := range byte(8) {
		for piece := range byte(40) {
			f.Add([]byte{kind, piece, 7 * piece, 3 * piece})
		}
		f.Add([]byte{kind, 3, 2, 13, kind, 20, 2, 5, 0, 4, 0, 0})
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 24 {
			return // longer ones only repeat themselves
		}
		changed := edit(doc, script)
		d, err := Read(changed, MessageLimits)
		if err != nil {
			return
		}
		got, err := verify(t, d, noon, places...)
		if err != nil {
			return
		}
		for i, v := range got {
			if v.Place() != honest[i].Place() || v.Issuer() != honest[i].Issuer() || v.Parent() != honest[i].Parent() ||
				v.SignatureValue() != honest[i].SignatureValue() || !sameNode(v.Root(), honest[i].Root()) {
				t.Fatalf("%s says something else in\n%s", v.Place(), changed)
			}
		}
	})
}

// shortAssertion keeps fuzzing fast.
func shortAssertion() *Element {
	e := assertion("alice")
	statement := at(e, 2)
	statement.content = statement.content[:1]
	return e
}
