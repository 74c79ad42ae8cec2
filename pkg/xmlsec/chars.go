package xmlsec

import (
	"bytes"
	"unicode/utf8"
)

// The four characters XML calls white space (XML 1.0, production 3). Unicode has
// many more; none of them counts.
func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

func allSpace(text []byte) bool {
	for _, b := range text {
		if !isSpace(b) {
			return false
		}
	}
	return true
}

// validText reports whether the bytes are UTF-8 and hold only characters that XML
// allows (XML 1.0, production 2). UTF-8 validity already excludes overlong forms
// and surrogates.
func validText(text []byte) bool {
	if !utf8.Valid(text) || bytes.Contains(text, []byte("\uFFFE")) || bytes.Contains(text, []byte("\uFFFF")) {
		return false
	}
	for _, b := range text {
		if b < ' ' && b != '\n' && b != '\t' && b != '\r' {
			return false
		}
	}
	return true
}

// validChar is the same rule for one character.
func validChar(r rune) bool {
	switch {
	case r < ' ':
		return r == '\n' || r == '\t' || r == '\r'
	case r >= 0xD800 && r <= 0xDFFF, r == 0xFFFE, r == 0xFFFF:
		return false
	}
	return r <= utf8.MaxRune
}

// Names are ASCII here, which is narrower than XML: no vocabulary we read has
// other names, and letters that merely look alike cannot then be mistaken.
const (
	nameStart = 1 << iota
	nameRest
)

var nameBytes = func() (table [256]byte) {
	for b := range table {
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
		digit := b >= '0' && b <= '9' || b == '-' || b == '.'
		if letter {
			table[b] = nameStart | nameRest
		} else if digit {
			table[b] = nameRest
		}
	}
	return table
}()

// isNCName reports whether the text is a name without a colon (Namespaces in XML
// 1.0, production 4), in ASCII.
func isNCName(text string) bool {
	return text != "" && ncName([]byte(text)) == len(text)
}
