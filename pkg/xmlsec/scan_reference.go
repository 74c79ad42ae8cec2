package xmlsec

import "bytes"

// longestReference is &#1114111; with a few leading zeros.
const longestReference = 16

// references judges every & in a value: one of the five entities XML predefines,
// or a reference to a character XML allows. There is no DTD, so there is nothing
// else it could be (XML 1.0, sections 4.1 and 4.6).
func (s *scanner) references(value []byte) error {
	for {
		at := bytes.IndexByte(value, '&')
		if at < 0 {
			return nil
		}
		r, length := reference(value[at:])
		if length == 0 {
			return s.fail(ErrEntity)
		}
		if !validChar(r) {
			return s.fail(ErrEncoding)
		}
		value = value[at+length:]
	}
}

// reference reads the reference at the beginning of a text, and how long it is: 0, if
// it is none. What it means need not be a character that XML allows.
func reference(text []byte) (r rune, length int) {
	end := bytes.IndexByte(text[:min(len(text), longestReference+1)], ';')
	if end < 0 {
		return 0, 0
	}
	switch name := text[1:end]; string(name) {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "apos":
		return '\'', end + 1
	case "quot":
		return '"', end + 1
	default:
		if r, ok := numeric(name); ok {
			return r, end + 1
		}
	}
	return 0, 0
}

// numeric reads #65 or #x41.
func numeric(name []byte) (r rune, ok bool) {
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], rune(10)
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	for _, b := range digits {
		digit := rune(b - '0')
		if lower := b | 0x20; lower >= 'a' && lower <= 'f' {
			digit = rune(lower-'a') + 10
		} else if b < '0' || b > '9' {
			return 0, false
		}
		if digit >= base {
			return 0, false
		}
		r = min(r*base+digit, 1<<24) // no further: that is beyond Unicode already
	}
	return r, len(digits) > 0
}
