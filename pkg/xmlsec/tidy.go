package xmlsec

import "bytes"

// tidy returns a copy of a document that passed the scanner, without its comments
// and with tabs and line breaks in attribute values turned into spaces, a carriage
// return and line feed into one. Every XML processor must do the latter (XML 1.0,
// sections 2.11 and 3.3.3); encoding/xml does not, and signatures of honest peers
// would not fit. Most documents need neither and are not copied.
func tidy(doc []byte) []byte {
	out := make([]byte, 0, len(doc))
	var quote byte // the one we are inside, or 0
	inTag := false
	for i := 0; i < len(doc); i++ {
		b := doc[i]
		switch {
		case quote != 0 && b == '\r' && doc[i+1] == '\n':
			continue
		case quote != 0 && isSpace(b):
			b = ' '
		case quote != 0 && b == quote:
			quote = 0
		case quote != 0:
		case !inTag && bytes.HasPrefix(doc[i:], []byte("<!--")):
			i += len("<!--")
			i += bytes.Index(doc[i:], []byte("-->")) + len("-->") - 1
			out = apart(out, doc[i+1:])
			continue
		case inTag && (b == '"' || b == '\''):
			quote = b
		case b == '<':
			inTag = true
		case b == '>':
			inTag = false
		}
		out = append(out, b)
	}
	return out
}

// apart keeps what stood on both sides of a comment from meaning something together: a
// carriage return and a line feed are two line breaks, and ]] and > no end of a CDATA
// section. Nor may two carriage returns become one and a line feed by it.
func apart(before, after []byte) []byte {
	last := len(before) - 1
	switch {
	case bytes.HasSuffix(before, []byte("\r")):
		for i := last; i >= 0 && before[i] == '\r'; i-- {
			before[i] = '\n'
		}
	case bytes.HasSuffix(before, []byte("]]")) && bytes.HasPrefix(after, []byte(">")),
		bytes.HasSuffix(before, []byte("]")) && bytes.HasPrefix(after, []byte("]>")):
		before = append(before[:last], "&#93;"...)
	}
	return before
}
