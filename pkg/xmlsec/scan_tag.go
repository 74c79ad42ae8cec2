package xmlsec

import "bytes"

// qname is a name as written: prefix:local, or local alone.
type qname struct{ full, prefix, local []byte }

// attribute is an attribute as written, its value without the quotes.
type attribute struct {
	name  qname
	value []byte
	space []byte // namespace; nil without a prefix
}

// startTag reads a start tag, opens the element, and closes it again if the tag
// says so.
func (s *scanner) startTag() error {
	if err := s.mayOpen(); err != nil {
		return err
	}
	s.pos += len("<")
	name, err := s.name()
	if err != nil {
		return err
	}
	empty, err := s.attributes()
	if err != nil {
		return err
	}
	s.open = append(s.open, openElement{name: name.full, bound: len(s.bound)})
	if err := s.namespaces(name); err != nil {
		return err
	}
	if empty {
		s.close()
		return s.count(1)
	}
	return nil
}

// mayOpen says whether one more element may begin here.
func (s *scanner) mayOpen() error {
	if len(s.open) == 0 && s.elements > 0 {
		return s.fail(ErrMalformed) // a second root
	}
	if len(s.open) >= s.limits.Depth {
		return s.fail(ErrTooDeep)
	}
	if s.elements++; s.elements > s.limits.Elements {
		return s.fail(ErrTooMany)
	}
	if len(s.open) == 0 {
		return nil
	}
	parent := &s.open[len(s.open)-1]
	if parent.hasChild = true; parent.hasText {
		return s.fail(ErrMixedContent)
	}
	return nil
}

// attributes reads the rest of a start tag into s.attrs and reports whether the
// element is empty.
func (s *scanner) attributes() (empty bool, err error) {
	s.attrs = s.attrs[:0]
	for {
		spaced := s.skipSpace()
		switch {
		case s.take('>'):
			return false, nil
		case s.take('/'):
			if !s.take('>') {
				return false, s.fail(ErrMalformed)
			}
			return true, nil
		case !spaced:
			return false, s.fail(ErrMalformed)
		case len(s.attrs) == s.limits.Attributes:
			return false, s.fail(ErrTooMany)
		}
		a, err := s.attribute()
		if err != nil {
			return false, err
		}
		s.attrs = append(s.attrs, a)
		if err := s.count(1); err != nil {
			return false, err
		}
	}
}

// attribute reads name="value".
func (s *scanner) attribute() (a attribute, err error) {
	if a.name, err = s.name(); err != nil {
		return a, err
	}
	s.skipSpace()
	if !s.take('=') {
		return a, s.fail(ErrMalformed)
	}
	s.skipSpace()
	quote := s.at(s.pos)
	if quote != '"' && quote != '\'' {
		return a, s.fail(ErrMalformed)
	}
	s.pos++
	end := bytes.IndexByte(s.doc[s.pos:], quote)
	if end < 0 || bytes.IndexByte(s.doc[s.pos:s.pos+end], '<') >= 0 {
		return a, s.fail(ErrMalformed)
	}
	if end > s.limits.AttributeBytes {
		return a, s.fail(ErrLongAttribute)
	}
	a.value = s.doc[s.pos : s.pos+end]
	if err := s.references(a.value); err != nil {
		return a, err
	}
	s.untidy = s.untidy || bytes.ContainsAny(a.value, "\t\n\r")
	s.pos += end + 1
	return a, nil
}

// name reads a name with at most one colon, and that inside it.
func (s *scanner) name() (qname, error) {
	rest := s.doc[s.pos:]
	end := ncName(rest)
	n := qname{local: rest[:end]}
	if end > 0 && end < len(rest) && rest[end] == ':' {
		length := ncName(rest[end+1:])
		n.prefix, n.local = rest[:end], rest[end+1:end+1+length]
		end += 1 + length
	}
	if len(n.local) == 0 || end < len(rest) && (rest[end] == ':' || rest[end] >= 0x80) {
		return qname{}, s.fail(ErrMalformed)
	}
	n.full = rest[:end]
	s.pos += end
	return n, nil
}

// ncName returns how many bytes at the beginning are a name without a colon.
func ncName(text []byte) int {
	if len(text) == 0 || nameBytes[text[0]]&nameStart == 0 {
		return 0
	}
	for i, b := range text {
		if nameBytes[b]&nameRest == 0 {
			return i
		}
	}
	return len(text)
}
