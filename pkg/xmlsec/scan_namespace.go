package xmlsec

import "bytes"

const (
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"
)

// The same for the scanner, which compares bytes.
var xmlSpaceBytes, xmlnsSpaceBytes = []byte(xmlSpace), []byte(xmlnsSpace)

// binding is a namespace declaration in scope; the default one has no prefix.
type binding struct {
	prefix []byte
	uri    []byte
}

// namespaces takes up the declarations of the start tag just read, then looks up
// every prefix it uses and compares its attributes by what their names mean.
// Namespaces in XML 1.0, sections 3, 5 and 6.3.
func (s *scanner) namespaces(element qname) error {
	for i := range s.attrs {
		if err := s.bind(&s.attrs[i]); err != nil {
			return err
		}
	}
	if len(s.bound) > s.limits.Namespaces {
		return s.fail(ErrTooMany)
	}
	if _, ok := s.lookup(element.prefix); !ok && element.prefix != nil {
		return s.fail(ErrNamespace)
	}
	for i := range s.attrs {
		if err := s.resolve(&s.attrs[i]); err != nil {
			return err
		}
	}
	return s.duplicates()
}

// bind takes up one attribute if it declares a namespace.
func (s *scanner) bind(a *attribute) error {
	var prefix []byte
	switch {
	case a.name.prefix == nil && string(a.name.local) == "xmlns":
	case string(a.name.prefix) == "xmlns":
		prefix = a.name.local
	default:
		return nil
	}
	if !mayBind(prefix, a.value) {
		return s.fail(ErrNamespace)
	}
	s.bound = append(s.bound, binding{prefix, a.value})
	return nil
}

// mayBind refuses the reserved prefixes and names, the undeclaring of a prefix,
// and namespace names that are not absolute URIs: canonicalization must fail on
// relative ones, and verifiers have taken the digest of that failure for an
// answer. Only the default namespace may be undeclared.
func mayBind(prefix, uri []byte) bool {
	if string(prefix) == "xml" || string(prefix) == "xmlns" || string(uri) == xmlSpace || string(uri) == xmlnsSpace {
		return false
	}
	return len(uri) == 0 && prefix == nil || isAbsolute(uri)
}

// isAbsolute reports whether the text is a scheme, a colon and more (RFC 3986,
// section 3), in the characters URIs have and so free of references: it can be
// compared as it is written, and written again as it is.
func isAbsolute(uri []byte) bool {
	scheme, rest, _ := bytes.Cut(uri, []byte(":"))
	if len(rest) == 0 || len(scheme) == 0 || scheme[0]|0x20 < 'a' {
		return false
	}
	for _, b := range scheme {
		if b != '+' && (nameBytes[b]&nameRest == 0 || b == '_') {
			return false
		}
	}
	for _, b := range rest {
		if b <= ' ' || b >= 0x7f {
			return false
		}
	}
	return !bytes.ContainsAny(rest, "&\"<>\\^`{|}")
}

// lookup finds what a prefix means here.
func (s *scanner) lookup(prefix []byte) (uri []byte, ok bool) {
	for i := len(s.bound) - 1; i >= 0; i-- {
		if bytes.Equal(s.bound[i].prefix, prefix) {
			return s.bound[i].uri, true
		}
	}
	return xmlSpaceBytes, string(prefix) == "xml"
}

// resolve looks up the namespace of one attribute. Without a prefix it has none.
func (s *scanner) resolve(a *attribute) error {
	switch string(a.name.prefix) {
	case "":
		a.space = nil
	case "xmlns":
		a.space = xmlnsSpaceBytes
	default:
		space, ok := s.lookup(a.name.prefix)
		if !ok {
			return s.fail(ErrNamespace)
		}
		a.space = space
	}
	return nil
}

// duplicates compares every two attributes: the same name written twice, and the
// same meaning under two prefixes.
func (s *scanner) duplicates() error {
	for i := range s.attrs {
		for j := range i {
			a, b := &s.attrs[i], &s.attrs[j]
			if bytes.Equal(a.name.local, b.name.local) && bytes.Equal(a.space, b.space) {
				return s.fail(ErrDuplicateAttribute)
			}
		}
	}
	return nil
}
