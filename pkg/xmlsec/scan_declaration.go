package xmlsec

import (
	"bytes"
	"regexp"
	"strings"
)

// xmlDeclaration is the one processing instruction a document may have, at its
// very beginning (XML 1.0, production 23).
var xmlDeclaration = regexp.MustCompile(
	`^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')` +
		`(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z0-9._-]+)"|'([A-Za-z0-9._-]+)'))?` +
		`(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>`)

// declaration reads the XML declaration, if there is one. The encoding may only
// be called UTF-8, because that is how every byte after it is read.
func (s *scanner) declaration() error {
	if !bytes.HasPrefix(s.doc, []byte("<?xml")) {
		return nil
	}
	parts := xmlDeclaration.FindSubmatch(s.doc[:min(len(s.doc), 256)])
	if parts == nil {
		return s.fail(ErrInstruction)
	}
	label := string(parts[1]) + string(parts[2])
	if label != "" && !strings.EqualFold(label, "UTF-8") {
		return s.fail(ErrEncoding)
	}
	s.pos = len(parts[0])
	return nil
}
