package xmlsec

import (
	"bytes"
	"fmt"
)

// scanner walks once over the bytes of a document and refuses what no honest
// peer sends. It is deliberately a second, stricter reader in front of
// encoding/xml, which never promised to validate: that one accepts duplicate
// attributes, stray colons, undeclared prefixes and text after the root.
//
// It allocates a few small slices and no tree, so a hostile document costs about
// a nanosecond a byte. A scanner is used once, by one goroutine.
type scanner struct {
	doc    []byte
	pos    int
	limits Limits

	open  []openElement // from the root to where we are
	bound []binding     // namespace declarations in scope, innermost last
	attrs []attribute   // of the start tag being read

	elements int
	tokens   int
	untidy   bool // something tidy has to put right before the tree is built
}

// openElement is an element whose end tag has not come yet.
type openElement struct {
	name     []byte
	bound    int // how many declarations were in scope outside it
	hasText  bool
	hasChild bool
}

// newScanner checks what can be checked over the whole document at once and
// leaves the scanner before the first token after the XML declaration.
func newScanner(doc []byte, limits Limits) (*scanner, error) {
	if len(doc) > limits.Bytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(doc))
	}
	if !validText(doc) {
		return nil, ErrEncoding
	}
	s := &scanner{doc: doc, limits: limits}
	return s, s.declaration()
}

// run reads to the end of the document.
func (s *scanner) run() error {
	for s.pos < len(s.doc) {
		if err := s.step(); err != nil {
			return err
		}
	}
	return s.finish()
}

// finish says whether the document may end here.
func (s *scanner) finish() error {
	if len(s.open) > 0 || s.elements == 0 {
		return s.fail(ErrMalformed)
	}
	return nil
}

// step reads one token: a tag, a run of text or a comment.
func (s *scanner) step() error {
	if err := s.count(1); err != nil {
		return err
	}
	if s.doc[s.pos] != '<' {
		return s.text()
	}
	switch s.at(s.pos + 1) {
	case '/':
		return s.endTag()
	case '?':
		return s.fail(ErrInstruction)
	case '!':
		return s.exclamation()
	}
	return s.startTag()
}

func (s *scanner) count(tokens int) error {
	if s.tokens += tokens; s.tokens > s.limits.Tokens {
		return s.fail(ErrTooMany)
	}
	return nil
}

// text reads character data up to the next tag.
func (s *scanner) text() error {
	run := s.doc[s.pos:]
	if end := bytes.IndexByte(run, '<'); end >= 0 {
		run = run[:end]
	}
	if !allSpace(run) {
		if err := s.value(run); err != nil {
			return err
		}
	}
	s.pos += len(run)
	return nil
}

// value judges character data that is more than white space.
func (s *scanner) value(run []byte) error {
	if len(s.open) == 0 || bytes.Contains(run, []byte("]]>")) {
		return s.fail(ErrMalformed)
	}
	in := &s.open[len(s.open)-1]
	if in.hasText = true; in.hasChild {
		return s.fail(ErrMixedContent)
	}
	return s.references(run)
}

// exclamation judges whatever begins with <! : of these only comments may pass.
func (s *scanner) exclamation() error {
	rest := s.doc[s.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return s.fail(ErrCDATA)
	case !bytes.HasPrefix(rest, []byte("<!--")):
		return s.fail(ErrDirective)
	case !s.limits.Comments:
		return s.fail(ErrComment)
	}
	const start, end = len("<!--"), len("-->")
	length := bytes.Index(rest[start:], []byte("--"))
	if length < 0 || !bytes.HasPrefix(rest[start+length:], []byte("-->")) {
		return s.fail(ErrMalformed)
	}
	s.untidy = true
	s.pos += start + length + end
	return nil
}

// endTag closes the innermost open element.
func (s *scanner) endTag() error {
	s.pos += len("</")
	if len(s.open) == 0 {
		return s.fail(ErrMalformed)
	}
	name := s.open[len(s.open)-1].name
	if !bytes.HasPrefix(s.doc[s.pos:], name) {
		return s.fail(ErrMalformed)
	}
	s.pos += len(name)
	if s.skipSpace(); !s.take('>') {
		return s.fail(ErrMalformed)
	}
	s.close()
	return nil
}

func (s *scanner) close() {
	last := len(s.open) - 1
	s.bound = s.bound[:s.open[last].bound]
	s.open = s.open[:last]
}

// at returns the byte at a position, or NUL, which no document holds, past the end.
func (s *scanner) at(pos int) byte {
	if pos < len(s.doc) {
		return s.doc[pos]
	}
	return 0
}

func (s *scanner) take(b byte) bool {
	if s.at(s.pos) != b {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) skipSpace() bool {
	from := s.pos
	for isSpace(s.at(s.pos)) {
		s.pos++
	}
	return s.pos > from
}

func (s *scanner) fail(why error) error {
	return fmt.Errorf("%w (at byte %d)", why, s.pos)
}
