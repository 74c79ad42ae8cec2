package xmlsec

import (
	"bytes"
	"strconv"
)

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
		value = value[at+1:]
		end := bytes.IndexByte(value[:min(len(value), longestReference)], ';')
		if end < 0 {
			return s.fail(ErrEntity)
		}
		if err := s.reference(value[:end]); err != nil {
			return err
		}
		value = value[end+1:]
	}
}

func (s *scanner) reference(name []byte) error {
	switch string(name) {
	case "amp", "lt", "gt", "apos", "quot":
		return nil
	}
	if len(name) < 2 || name[0] != '#' {
		return s.fail(ErrEntity)
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	r, err := strconv.ParseUint(string(digits), base, 32)
	if err != nil {
		return s.fail(ErrEntity)
	}
	if !validChar(rune(r)) {
		return s.fail(ErrEncoding)
	}
	return nil
}
