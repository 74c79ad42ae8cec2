package intake

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

var errEncoding = errors.New(`the file is not UTF-8 text: save it again as "CSV UTF-8" (in a spreadsheet program: Save As) and import that`)

var byteOrderMark = []byte("\xef\xbb\xbf")

// checkText looks at the beginning of a file and refuses one that is written in
// another alphabet than UTF-8. In a file that is UTF-8, a damaged line is refused by
// itself.
func checkText(beginning []byte) error {
	first := beginning[:min(4, len(beginning))]
	switch {
	case bytes.HasPrefix(first, byteOrderMark):
		return nil
	case bytes.HasPrefix(first, []byte("\xff\xfe")), bytes.HasPrefix(first, []byte("\xfe\xff")),
		bytes.IndexByte(first, 0) >= 0: // UTF-16 and UTF-32, with or without their mark
		return errEncoding
	case latin(beginning):
		return errEncoding
	}
	return nil
}

// latin tells whether text is in Latin-1 or a relative of it: it has accented
// letters, and not one of them is UTF-8. Latin-1 that happens to be UTF-8 does not
// occur in names.
func latin(text []byte) (accents bool) {
	for len(text) > 0 && utf8.FullRune(text) {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			accents = true
		case size > 1:
			return false
		}
		text = text[size:]
	}
	return accents
}
