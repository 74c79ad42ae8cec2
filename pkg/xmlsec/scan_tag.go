package xmlsec

import (
	"bytes"
	"slices"
)

// startTag reads a start tag, opens the element, and closes it again if the tag
// says so.
func (s *scanner) startTag() error {
	if err := s.mayOpen(); err != nil {
		return err
	}
	e := element{
		start: int32(s.pos), parent: -1,
		attrs: int32(len(s.attrs)), bindings: int32(len(s.bindings)),
	}
	s.pos += len("<")
	var err error
	if e.local, e.nameEnd, err = s.name(); err != nil {
		return err
	}
	empty, declares, err := s.attributes()
	if err != nil {
		return err
	}
	if len(s.open) > 0 {
		e.parent = s.open[len(s.open)-1]
	}
	if err := s.namespaces(&e, declares); err != nil {
		return err
	}
	e.inside = int32(s.pos)
	s.open = append(s.open, int32(len(s.elements)))
	s.elements = append(s.elements, e)
	if empty {
		opened := s.innermost()
		opened.close, opened.end = e.inside, e.inside
		s.shut(opened)
		return s.count(1)
	}
	return nil
}

// mayOpen says whether one more element may begin here.
func (s *scanner) mayOpen() error {
	if len(s.open) == 0 && len(s.elements) > 0 {
		return s.fail(ErrMalformed) // a second root
	}
	if len(s.open) >= s.limits.Depth {
		return s.fail(ErrTooDeep)
	}
	if len(s.elements) >= s.limits.Elements {
		return s.fail(ErrTooMany)
	}
	if len(s.open) == 0 {
		return nil
	}
	parent := s.innermost()
	if parent.parented = true; parent.text&classValue != 0 {
		return s.fail(ErrMixedContent)
	}
	return nil
}

// attributes reads the rest of a start tag and reports whether the element is empty,
// and whether any of the attributes declares a namespace.
func (s *scanner) attributes() (empty, declares bool, err error) {
	for first := len(s.attrs); ; {
		spaced := s.skipSpace()
		switch {
		case s.take('>'):
			return false, declares, nil
		case s.take('/'):
			if !s.take('>') {
				return false, false, s.fail(ErrMalformed)
			}
			return true, declares, nil
		case !spaced:
			return false, false, s.fail(ErrMalformed)
		case len(s.attrs)-first == s.limits.Attributes:
			return false, false, s.fail(ErrTooMany)
		}
		a, err := s.attribute()
		if err != nil {
			return false, false, err
		}
		declares = declares || isDeclaration(a.fullName(s.doc))
		s.attrs = append(s.attrs, a)
		if err := s.count(1); err != nil {
			return false, false, err
		}
	}
}

// attribute reads name="value".
func (s *scanner) attribute() (a attribute, err error) {
	a.name = int32(s.pos)
	if a.local, a.nameEnd, err = s.name(); err != nil {
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
	length := bytes.IndexByte(s.doc[s.pos:], quote)
	if length < 0 {
		return a, s.fail(ErrMalformed)
	}
	value := s.doc[s.pos : s.pos+length]
	if a.text = classOf(value); a.text&classLess != 0 {
		return a, s.fail(ErrMalformed)
	}
	if length > s.limits.AttributeBytes {
		return a, s.fail(ErrLongAttribute)
	}
	if a.text&classAmp != 0 {
		if err := s.references(value); err != nil {
			return a, err
		}
	}
	a.value, a.valueEnd = int32(s.pos), int32(s.pos+length)
	s.pos += length + 1
	return a, nil
}

// name reads a name with at most one colon, and that inside it. It returns where the
// local part begins and where the name ends.
func (s *scanner) name() (local, end int32, err error) {
	from := s.pos
	pos := s.part(from)
	local = int32(from)
	if pos > from && s.at(pos) == ':' {
		local = int32(pos + 1)
		pos = s.part(pos + 1)
	}
	if pos == int(local) || s.at(pos) == ':' || s.at(pos) >= 0x80 {
		return 0, 0, s.fail(ErrMalformed)
	}
	s.pos = pos
	return local, int32(pos), nil
}

// part returns where a name without a colon ends that begins at a position: there, if
// none does. It is scanned twice as often as anything else, in bytes: decoding characters
// costs a twelfth of a verification, and name refuses what is beyond ASCII.
func (s *scanner) part(from int) int {
	doc := s.doc
	if from >= len(doc) || nameBytes[doc[from]]&nameStart == 0 {
		return from
	}
	for i := from + 1; i < len(doc); i++ {
		if nameBytes[doc[i]]&nameRest == 0 {
			return i
		}
	}
	return len(doc)
}

// sorted brings the attributes of the start tag just read into canonical order, and
// refuses the same name written twice and the same meaning under two prefixes.
func (s *scanner) sorted(attrs []attribute) error {
	if len(attrs) < 2 {
		return nil
	}
	inOrder := true
	for i := 1; i < len(attrs) && inOrder; i++ {
		inOrder = s.compare(s.doc, &attrs[i-1], &attrs[i]) < 0
	}
	if inOrder {
		return nil
	}
	slices.SortFunc(attrs, func(a, b attribute) int { return s.compare(s.doc, &a, &b) })
	for i := 1; i < len(attrs); i++ {
		if s.compare(s.doc, &attrs[i-1], &attrs[i]) == 0 {
			return s.fail(ErrDuplicateAttribute)
		}
	}
	return nil
}
