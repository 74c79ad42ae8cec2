package xmlsec

import (
	"bytes"
	"unicode/utf8"
)

// What is written is not always what is meant: references stand for characters, line
// breaks come in three kinds, and comments are not there. The scanner has judged what
// these functions read.

// Text and values of these classes mean exactly what is written.
const (
	oddText  = classAmp | classReturn | classComment
	oddValue = classAmp | classReturn | classBreak
)

// appendText appends what a run of character data means: XML 1.0, section 2.11.
func appendText(out, run []byte, c class) []byte {
	if c&oddText == 0 {
		return append(out, run...)
	}
	for i := 0; i < len(run); i++ {
		switch b := run[i]; {
		case b == '&':
			r, length := reference(run[i:])
			out = utf8.AppendRune(out, r)
			i += length - 1
		case b == '\r':
			out = append(out, '\n')
			if i+1 < len(run) && run[i+1] == '\n' {
				i++
			}
		case b == '<': // of character data only a comment begins so
			i += len("<!--")
			i += bytes.Index(run[i:], []byte("-->")) + len("-->") - 1
		default:
			out = append(out, b)
		}
	}
	return out
}

// meaning returns what an attribute's value means: a piece of the document, where that is
// what is written.
func (a *attribute) meaning(doc []byte) []byte {
	if a.text&oddValue == 0 {
		return a.raw(doc)
	}
	return a.appendValue(nil, doc)
}

// appendValue appends what an attribute's value means: XML 1.0, section 3.3.3.
func (a *attribute) appendValue(out, doc []byte) []byte {
	value := a.raw(doc)
	if a.text&oddValue == 0 {
		return append(out, value...)
	}
	for i := 0; i < len(value); i++ {
		switch b := value[i]; {
		case b == '&':
			r, length := reference(value[i:])
			out = utf8.AppendRune(out, r)
			i += length - 1
		case b == '\r' && i+1 < len(value) && value[i+1] == '\n':
		case isSpace(b):
			out = append(out, ' ')
		default:
			out = append(out, b)
		}
	}
	return out
}
