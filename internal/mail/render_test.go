package mail

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// newSender makes a sender for letters that are only looked at.
func newSender(t testing.TB, name string) *Sender {
	t.Helper()
	s, err := New(Config{Address: "mail.example.nl:587", From: ours, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A plain letter reads as one would write it by hand.
func TestPlainLetter(t *testing.T) {
	l := letterTo(chris)
	l.Text = "Beste Zoë,\n\nTot ziens."
	got, err := newSender(t, `Register "Noord"`).render(&l)
	want := strings.ReplaceAll(`From: "Register \"Noord\""
 <register@mandated.example>
To: chris@bakery.example
Subject: Uw machtiging verloopt
Date: Tue, 24 Nov 2026 09:30:00 +0100
Message-ID: <notice-chris@mandated.example>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable
Content-Language: nl

Beste Zo=C3=AB,

Tot ziens.
`, "\n", "\r\n")
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}

// What is no letter is refused, and the error does not tell what stands in it.
func TestNoLetterIsRendered(t *testing.T) {
	for what, change := range map[string]func(*Letter){
		"no ID": func(l *Letter) { l.ID = "" }, "ID with a domain": func(l *Letter) { l.ID = "a@b" }, "ID that ends the field": func(l *Letter) { l.ID = "a>\r\nBcc: <b" },
		"ID with a newline behind it": func(l *Letter) { l.ID = "a\n" }, "ID with an empty part": func(l *Letter) { l.ID = "a..b" }, "long ID": func(l *Letter) { l.ID = strings.Repeat("a", 101) },
		"no language": func(l *Letter) { l.Language = "" }, "language we do not write": func(l *Letter) { l.Language = "de" },
		"no subject": func(l *Letter) { l.Subject = "" }, "blank subject": func(l *Letter) { l.Subject = " " }, "long subject": func(l *Letter) { l.Subject = strings.Repeat("é", 201) },
		"LF in the subject": func(l *Letter) { l.Subject = "Secret\nBcc: a@b.nl" }, "CR in the subject": func(l *Letter) { l.Subject = "Secret\rBcc: a@b.nl" }, "NUL in the subject": func(l *Letter) { l.Subject = "Secret\x00" },
		"subject turned around": func(l *Letter) { l.Subject = "Secret \u202egnal" }, "subject that is not UTF-8": func(l *Letter) { l.Subject = "Secret \xff" },
		"no text": func(l *Letter) { l.Text = "" }, "blank text": func(l *Letter) { l.Text = "\n \n" }, "long text": func(l *Letter) { l.Text = strings.Repeat("a", 1<<20+1) },
		"CR in the text": func(l *Letter) { l.Text = "Secret\r\n" }, "NUL in the text": func(l *Letter) { l.Text = "Secret\x00" }, "escape in the text": func(l *Letter) { l.Text = "Secret \x1b[2J" }, "text that is not UTF-8": func(l *Letter) { l.Text = "Secret \xff" },
		"no date": func(l *Letter) { l.Date = time.Time{} }, "date that does not fit": func(l *Letter) { l.Date = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		l := letterTo(chris)
		change(&l)
		got, err := newSender(t, "").render(&l)
		if !errors.Is(err, ErrLetter) || got != nil || strings.Contains(err.Error(), "Secret") || strings.Contains(err.Error(), "chris") {
			t.Errorf("%s: %v, %d bytes", what, err, len(got))
		}
	}
	for _, to := range []string{"", "chris", "Chris@Bakery.example", " " + chris, chris + "\r\nBcc: a@b.nl", "a@bücher.example"} {
		l := letterTo(to)
		if got, err := newSender(t, "").render(&l); !errors.Is(err, ErrAddress) || got != nil {
			t.Errorf("to %q: %v, %d bytes", to, err, len(got))
		}
	}
}

// Whatever a letter says: it is refused, or is ASCII in short lines, has each field once
// and no other, and reads back, by the standard library's parsers, as what was written.
func FuzzRender(f *testing.F) {
	f.Add("Uw machtiging verloopt", "Beste lezer,\n\n", "Register")
	f.Add("Eén =?utf-8?q?x?= ₠", " \n.\n\t=\n", `a"b\c`)
	f.Add("=?utf-8?q?x?=", "From x\n\n\n", "Zoë  =?")
	f.Add("a  b ", strings.Repeat("é", 100), " ")
	f.Add(strings.Repeat("a", 70), strings.Repeat("=", 77)+" \n", strings.Repeat("n", 61))
	f.Add(strings.Repeat("a€", 60), "a\n\nb", strings.Repeat("€", 60))
	f.Add("a\r\nBcc: b", "a\r\nb", "a\r\nb")
	f.Fuzz(func(t *testing.T, subject, text, name string) {
		s, err := New(Config{Address: "mail.example.nl:587", From: ours, Name: name})
		if err != nil {
			return
		}
		l := letterTo(chris)
		l.Subject, l.Text = subject, text
		raw, err := s.render(&l)
		if err != nil {
			if !errors.Is(err, ErrLetter) {
				t.Fatal(err)
			}
			return
		}
		for line := range strings.Lines(string(raw)) {
			if !strings.HasSuffix(line, "\r\n") || len(line) > 80 || strings.ContainsAny(line[:len(line)-2], "\r\n") ||
				strings.IndexFunc(line[:len(line)-2], func(r rune) bool { return r != '\t' && r < ' ' || r > '~' }) >= 0 {
				t.Fatalf("line %q", line)
			}
		}
		read(t, raw, &l, name)
	})
}

// read reads a letter back and compares.
func read(t *testing.T, raw []byte, l *Letter, name string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != l.Subject {
		t.Fatalf("subject %q, %v, want %q", subject, err, l.Subject)
	}
	for word := range strings.FieldsSeq(m.Header.Get("Subject")) { // a reader may show each by itself
		if part, err := new(mime.WordDecoder).Decode(word); err == nil && !utf8.ValidString(part) {
			t.Fatalf("a character of %q is divided over two words", l.Subject)
		}
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if want := strings.TrimSuffix(l.Text, "\n") + "\n"; err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != want {
		t.Fatalf("text %q, %v, want %q", body, err, want)
	}
	from, err := m.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Address != ours || from[0].Name != name {
		t.Fatalf("from %v, %v, want %q", from, err, name)
	}
	var fields []string
	for field, values := range m.Header {
		if fields = append(fields, field); len(values) != 1 {
			t.Fatalf("%s: %q", field, values)
		}
	}
	slices.Sort(fields)
	if want := "Auto-Submitted Content-Language Content-Transfer-Encoding Content-Type Date From Message-Id Mime-Version Subject To"; strings.Join(fields, " ") != want {
		t.Fatalf("fields %q", fields)
	}
}
