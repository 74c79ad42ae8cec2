package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	longestSubject = 200     // characters
	longestText    = 1 << 20 // bytes; people read a page or two
	longestID      = 100
)

// identifiers are what can stand before the @ of a Message-ID without quotes.
var identifiers = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// render writes a letter as it goes over the wire, in ASCII, with lines of at most 78
// characters that end in CRLF (an address alone may be longer). Its errors are ErrLetter
// or ErrAddress.
//
// Auto-Submitted keeps the answering machines of readers quiet (RFC 3834).
func (s *Sender) render(l *Letter) ([]byte, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, field := range [][2]string{
		{"From", s.author},
		{"To", l.To},
		{"Subject", subject(l.Subject)},
		{"Date", l.Date.Format(time.RFC1123Z)},
		{"Message-ID", "<" + l.ID + "@" + s.domain + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
		{"Content-Language", l.Language},
	} {
		b.WriteString(field[0] + ": " + field[1] + "\r\n")
	}
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	_, _ = body.Write([]byte(strings.TrimSuffix(l.Text, "\n") + "\n")) // memory does not fail
	_ = body.Close()
	return b.Bytes(), nil
}

// check tells what makes a letter one that cannot be sent.
func (l *Letter) check() error {
	address, err := ParseAddress(l.To)
	year := l.Date.Year()
	switch {
	case err != nil:
		return err
	case address != l.To:
		return notAddress("it is not as ParseAddress gives it")
	case len(l.ID) > longestID || !identifiers.MatchString(l.ID):
		return notLetter("its ID is no name for a message")
	case l.Language != "nl" && l.Language != "en":
		return notLetter("its language is not nl or en")
	case strings.TrimSpace(l.Subject) == "" || utf8.RuneCountInString(l.Subject) > longestSubject || !printable(l.Subject):
		return notLetter(fmt.Sprintf("its subject is not one line of at most %d visible characters", longestSubject))
	case strings.TrimSpace(l.Text) == "" || len(l.Text) > longestText || !utf8.ValidString(l.Text) || strings.ContainsFunc(l.Text, unfit):
		return notLetter("its text is empty, too long, or has control characters in it")
	case l.Date.IsZero() || year < 1970 || year > 9999:
		return notLetter("its date is missing")
	}
	return nil
}

func notLetter(reason string) error { return fmt.Errorf("%w: %s", ErrLetter, reason) }

// unfit are control characters other than those that lay out a text.
func unfit(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// plainSubject is how many characters fit behind "Subject: " on a line.
const plainSubject = 78 - len("Subject: ")

// subject is a subject as its field has it: as it is, if every reader will see just that.
func subject(text string) string {
	if len(text) <= plainSubject && plain(text) {
		return text
	}
	return encoded(text)
}

// author is the From field.
func author(name, address string) string {
	switch {
	case name == "":
		return address
	case len(name) <= 60 && plain(name):
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + "\"\r\n <" + address + ">"
	}
	return encoded(name) + "\r\n <" + address + ">"
}

// plain tells whether a text needs no encoding: ASCII, without spaces that may be lost when
// lines are joined, and nothing that looks like an encoded word.
func plain(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0 &&
		text == strings.Join(strings.Fields(text), " ") && !strings.Contains(text, "=?")
}

// most is how many bytes of text stand in an encoded word: 52 characters of base64, and 12
// around them, so that it fits on a line of 76 behind "Subject: " (RFC 2047, 2).
const most = 39

// encoded is a text in encoded words, one a line. Readers join words without the space
// between them; no character is divided over two.
func encoded(text string) string {
	var words []string
	for text != "" {
		end := min(most, len(text))
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end--
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(text[:end]))+"?=")
		text = text[end:]
	}
	return strings.Join(words, "\r\n ")
}
