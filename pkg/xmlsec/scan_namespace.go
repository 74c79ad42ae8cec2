package xmlsec

import "bytes"

const (
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"
)

// The same for the scanner, which compares bytes.
var xmlSpaceBytes = []byte(xmlSpace)

// namespaces takes up the declarations of the start tag just read, then looks up
// every prefix it uses and compares its attributes by what their names mean.
// Namespaces in XML 1.0, sections 3, 5 and 6.3.
func (s *scanner) namespaces(e *element, declares bool) error {
	if declares {
		if err := s.bind(e); err != nil {
			return err
		}
	}
	var ok bool
	if e.space, ok = s.resolve(s.doc[e.start+1 : max(e.start+1, e.local-1)]); !ok {
		return s.fail(ErrNamespace)
	}
	attrs := s.attrs[e.attrs:]
	for i := range attrs {
		a := &attrs[i]
		if a.space = noSpace; !a.prefixed() {
			continue
		}
		if a.space, ok = s.resolve(s.doc[a.name : a.local-1]); !ok {
			return s.fail(ErrNamespace)
		}
	}
	if err := s.distinct(e.bindings); err != nil {
		return err
	}
	if err := s.sorted(attrs); err != nil {
		return err
	}
	for i := range attrs {
		if isIDName(attrs[i].localName(s.doc)) {
			s.ids = append(s.ids, e.attrs+int32(i))
		}
	}
	return nil
}

// isDeclaration reports whether an attribute of that name declares a namespace.
func isDeclaration(name []byte) bool {
	prefix, ok := bytes.CutPrefix(name, []byte("xmlns"))
	return ok && (len(prefix) == 0 || prefix[0] == ':')
}

// bind moves the declarations out of the attributes and into scope.
func (s *scanner) bind(e *element) error {
	kept := s.attrs[:e.attrs]
	for _, a := range s.attrs[e.attrs:] {
		if !isDeclaration(a.fullName(s.doc)) {
			kept = append(kept, a)
			continue
		}
		b := binding{prefix: a.local, prefixEnd: a.nameEnd, uri: a.value, uriEnd: a.valueEnd}
		if !a.prefixed() {
			b.prefix = b.prefixEnd
		}
		if !mayBind(b.prefixIn(s.doc), b.uriIn(s.doc)) {
			return s.fail(ErrNamespace)
		}
		s.scope = append(s.scope, int32(len(s.bindings)))
		s.bindings = append(s.bindings, b)
	}
	s.attrs = kept
	if len(s.scope) > s.limits.Namespaces {
		return s.fail(ErrTooMany)
	}
	return nil
}

// distinct refuses two declarations of one prefix in one start tag.
func (s *scanner) distinct(from int32) error {
	declared := s.bindings[from:]
	for i := range declared {
		for j := range i {
			if bytes.Equal(declared[i].prefixIn(s.doc), declared[j].prefixIn(s.doc)) {
				return s.fail(ErrDuplicateAttribute)
			}
		}
	}
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
	return len(uri) == 0 && len(prefix) == 0 || isAbsolute(uri)
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
		if !uriBytes[b] {
			return false
		}
	}
	return true
}

// uriBytes are the characters of URIs: visible ASCII but for those that RFC 3986 leaves
// out.
var uriBytes = func() (table [256]bool) {
	for b := '!'; b <= '~'; b++ {
		table[b] = !bytes.ContainsRune([]byte("&\"<>\\^`{|}"), b)
	}
	return table
}()

// resolve finds which declaration in scope a prefix means. Without a prefix and
// without a default namespace there is none.
func (s *scanner) resolve(prefix []byte) (space int32, ok bool) {
	for i := len(s.scope) - 1; i >= 0; i-- {
		if string(s.bindings[s.scope[i]].prefixIn(s.doc)) == string(prefix) {
			return s.scope[i], true
		}
	}
	if string(prefix) == "xml" {
		return xmlBinding, true
	}
	return noSpace, len(prefix) == 0
}
