package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// maxLine is the longest line there may be, in bytes of UTF-8. It bounds what is in
// memory.
const maxLine = 64 << 10

// text is a file as UTF-8, read as far as one line can reach.
type text struct {
	in   *bufio.Reader
	line int // number of the line that comes next
}

// foreign are files that people take for a table, by how they begin.
var foreign = []struct{ start, code string }{
	{"PK\x03\x04", "file-workbook"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file-old-workbook"},
	{"%PDF-", "file-pdf"},
	{"\x1f\x8b", "file-packed"},
	{"<", "file-markup"},
}

// openText finds the alphabet of a file, and refuses one that is no text or in an
// alphabet that cannot be told for certain. In a file that is UTF-8, a damaged line is
// refused by itself.
func openText(in io.Reader) (*text, error) {
	t := &text{in: bufio.NewReaderSize(in, 4*maxLine), line: 1}
	beginning, _, err := t.window()
	if errors.Is(err, io.EOF) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	for _, f := range foreign {
		if bytes.HasPrefix(beginning, []byte(f.start)) {
			return nil, refuse(f.code, nil)
		}
	}
	switch first := beginning[:min(4, len(beginning))]; {
	case bytes.HasPrefix(first, []byte("\xff\xfe\x00\x00")): // UTF-32
		return nil, refuse("file-not-utf8", nil)
	case bytes.HasPrefix(first, []byte("\xff\xfe")), bytes.HasPrefix(first, []byte("\xfe\xff")):
		utf16 := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(t.in)
		t.in = bufio.NewReaderSize(utf16, 4*maxLine)
		return t, nil
	case bytes.HasPrefix(first, byteOrderMark):
		_, _ = t.in.Discard(len(byteOrderMark)) // it is in the buffer
		return t, nil
	case bytes.IndexByte(first, 0) >= 0, latin(beginning): // UTF-16 and UTF-32 without their mark; Windows
		return nil, refuse("file-not-utf8", nil)
	}
	return t, nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

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

// lost is what a program writes in the place of a letter that it cannot read. A decoder
// of UTF-16 does, and so did whoever damaged a file before it came here.
var lost = []byte("\uFFFD")

// damaged tells whether letters of a text are lost.
func damaged(text []byte) bool { return !utf8.Valid(text) || bytes.Contains(text, lost) }

// start is the first byte that is not white space. 0: there is none.
func (t *text) start() (byte, error) {
	window, _, err := t.window()
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	for _, c := range window {
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(c)) {
			return c, nil
		}
	}
	return 0, nil
}

// window is what comes next, as far as one line can reach; whole tells whether that
// is the rest of the file.
func (t *text) window() (next []byte, whole bool, err error) {
	next, err = t.in.Peek(maxLine + 1)
	switch {
	case errors.Is(err, io.EOF) && len(next) == 0:
		return nil, true, io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return nil, false, fmt.Errorf("reading the file at line %d: %w", t.line, err)
	}
	return next, err != nil, nil
}

// take moves on past what was read.
func (t *text) take(read []byte) {
	t.line += bytes.Count(read, []byte{'\n'})
	_, _ = t.in.Discard(len(read)) // it is in the buffer
}

// skipLine moves to the next line of the file.
func (t *text) skipLine() error {
	t.line++
	for {
		_, err := t.in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF):
			return nil
		default:
			return fmt.Errorf("reading the file at line %d: %w", t.line-1, err)
		}
	}
}
