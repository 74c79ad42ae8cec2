package xmlsec

import (
	"bytes"
	"fmt"
)

// scanner walks once over the bytes of a document, refuses what no honest peer sends,
// and notes what it saw as tokens. The rules of the gate are its grammar, stricter than
// XML; there is no second reading that could see something else.
//
// It allocates nothing once the pool is warm, so a hostile document costs about a
// nanosecond a byte. A scanner is used once, by one goroutine.
type scanner struct {
	*tokens
	doc    []byte
	pos    int
	limits Limits

	counted  int  // tokens of every kind
	comments bool // there was one
}

// newScanner checks what can be checked over the whole document at once and
// leaves the scanner before the first token after the XML declaration.
func newScanner(doc []byte, limits Limits, into *tokens) (*scanner, error) {
	if len(doc) > limits.Bytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(doc))
	}
	if !validText(doc) {
		return nil, ErrEncoding
	}
	s := &scanner{tokens: into, doc: doc, limits: limits}
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
	if len(s.open) > 0 || len(s.elements) == 0 {
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
	if s.counted += tokens; s.counted > s.limits.Tokens {
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
	c := classOf(run)
	if c&classValue != 0 {
		if err := s.value(run, c); err != nil {
			return err
		}
	}
	if len(s.open) > 0 {
		s.innermost().text |= c
	}
	s.pos += len(run)
	return nil
}

// value judges character data that is more than white space.
func (s *scanner) value(run []byte, c class) error {
	if len(s.open) == 0 || c&classGreater != 0 && bytes.Contains(run, []byte("]]>")) {
		return s.fail(ErrMalformed)
	}
	if s.innermost().parented {
		return s.fail(ErrMixedContent)
	}
	if c&classAmp != 0 {
		return s.references(run)
	}
	return nil
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
	s.comments = true
	if len(s.open) > 0 {
		s.innermost().text |= classComment
	}
	s.pos += start + length + end
	return nil
}

// endTag closes the innermost open element.
func (s *scanner) endTag() error {
	from := s.pos
	s.pos += len("</")
	if len(s.open) == 0 {
		return s.fail(ErrMalformed)
	}
	e := s.innermost()
	name := e.fullName(s.doc)
	if !bytes.HasPrefix(s.doc[s.pos:], name) {
		return s.fail(ErrMalformed)
	}
	s.pos += len(name)
	if s.skipSpace(); !s.take('>') {
		return s.fail(ErrMalformed)
	}
	e.close, e.end = int32(from), int32(s.pos)
	s.shut(e)
	return nil
}

// shut closes the innermost open element: its declarations go out of scope.
func (s *scanner) shut(e *element) {
	i := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	from, to := s.bindingsOf(i)
	s.scope = s.scope[:len(s.scope)-int(to-from)]
	e.next = int32(len(s.elements))
}

func (s *scanner) innermost() *element { return &s.elements[s.open[len(s.open)-1]] }

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
