package xmlsec

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// The four characters XML calls white space (XML 1.0, production 3). Unicode has
// many more; none of them counts.
func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

// class says which kinds of characters a run of text holds: whether it can be copied
// as it stands, or means something else than what is written.
type class uint8

const (
	classValue   class = 1 << iota // anything but white space
	classAmp                       // a reference
	classReturn                    // a carriage return
	classGreater                   // >
	classBreak                     // a tab or a line feed
	classQuote                     // "
	classLess                      // <
	classComment                   // a comment stands in it: set by the scanner
)

var classes = func() (table [256]class) {
	for b := range table {
		if !isSpace(byte(b)) {
			table[b] = classValue
		}
	}
	for b, c := range map[byte]class{
		'&': classAmp, '\r': classReturn, '>': classGreater, '\t': classBreak, '\n': classBreak, '"': classQuote, '<': classLess,
	} {
		table[b] |= c
	}
	return table
}()

func classOf(text []byte) (c class) {
	if len(text) >= longRun {
		return classOfLong(text)
	}
	for _, b := range text {
		c |= classes[b]
	}
	return c
}

// longRun is where searching for each character takes less time than looking at each byte.
const longRun = 96

func classOfLong(text []byte) (c class) {
	for _, b := range [...]byte{'&', '\r', '>', '\t', '\n', '"', '<'} {
		if bytes.IndexByte(text, b) >= 0 {
			c |= classes[b]
		}
	}
	if c&classValue == 0 && bytes.ContainsFunc(text, func(r rune) bool { return r != ' ' && r != '\n' && r != '\t' && r != '\r' }) {
		c |= classValue
	}
	return c
}

const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// validText reports whether the bytes are UTF-8 and hold only characters that XML
// allows (XML 1.0, production 2). UTF-8 validity already excludes overlong forms
// and surrogates.
func validText(text []byte) bool {
	ascii := true
	for rest := text; len(rest) > 0; {
		if len(rest) >= 8 {
			// Eight bytes at once: none has its high bit, none is less than a space.
			if w := binary.LittleEndian.Uint64(rest); (w|(w-' '*eachByte))&highBits == 0 {
				rest = rest[8:]
				continue
			}
		}
		n := min(8, len(rest))
		for _, b := range rest[:n] {
			if b < ' ' && !isSpace(b) {
				return false
			}
			ascii = ascii && b < utf8.RuneSelf
		}
		rest = rest[n:]
	}
	return ascii || utf8.Valid(text) && !bytes.Contains(text, []byte("\uFFFE")) && !bytes.Contains(text, []byte("\uFFFF"))
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
func isNCName[T string | []byte](text T) bool { return len(text) > 0 && ncName(text) == len(text) }

// ncName returns how many bytes at the beginning are a name without a colon.
func ncName[T string | []byte](text T) int {
	if len(text) == 0 || nameBytes[text[0]]&nameStart == 0 {
		return 0
	}
	for i := 1; i < len(text); i++ {
		if nameBytes[text[i]]&nameRest == 0 {
			return i
		}
	}
	return len(text)
}
