package mail

import (
	"errors"
	netmail "net/mail"
	"strings"
	"testing"
	"unicode/utf8"
)

// What people type is taken if it is one mailbox, and is stored in one form.
func TestParseAddress(t *testing.T) {
	long := strings.Repeat("a", 64)
	domain := strings.Repeat(strings.Repeat("b", 61)+".", 3) + "nlx" // 189
	for text, want := range map[string]string{
		"chris@bakery.nl": "chris@bakery.nl", "  chris@bakery.nl ": "chris@bakery.nl", "Chris.Bakker@BAKERY.NL": "Chris.Bakker@bakery.nl",
		"o'neil+post@sub.bakery.co.uk": "o'neil+post@sub.bakery.co.uk", "!#$%&'*+-/=?^_`{|}~@x.nl": "!#$%&'*+-/=?^_`{|}~@x.nl",
		"a@b.cd": "a@b.cd", "1@1.nl": "1@1.nl", "a@3m.com": "a@3m.com", "a@xn--bcher-kva.example": "a@xn--bcher-kva.example",
		"a@bücher.example": "a@xn--bcher-kva.example", "a@BÜCHER.example": "a@xn--bcher-kva.example", "a@straße.example": "a@xn--strae-oqa.example",
		"a@b\u3002nl": "a@b.nl", "a@ｂ.nl": "a@b.nl", "a@例え.テスト": "a@xn--r8jz45g.xn--zckzah",
		long + "@b.nl": long + "@b.nl", long + "@" + domain: long + "@" + domain,
	} {
		if got, err := ParseAddress(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", " ", "chris", "@", "@b.nl", "chris@", "chris@nl", "chris@localhost", "a@b@c.nl", "a@@b.nl",
		"Chris <chris@bakery.nl>", "<chris@bakery.nl>", "chris@bakery.nl (Chris)", `"chris b"@bakery.nl`, `chris\@b@bakery.nl`,
		"bakers: chris@bakery.nl, anna@bakery.nl;", "chris@bakery.nl,anna@bakery.nl", "chris@bakery.nl anna@bakery.nl", "@relay.nl:chris@bakery.nl",
		"chris@[192.0.2.1]", "chris@192.0.2.1", "chris@1", "mailto:chris@bakery.nl",
		".chris@bakery.nl", "chris.@bakery.nl", "chr..is@bakery.nl", "chris@.bakery.nl", "chris@bakery..nl", "chris@bakery.nl.", "chris@bakery.nl\u3002",
		"chris@-bakery.nl", "chris@bakery-.nl", "chris@bak_ery.nl", "chris@bak!ery.nl", "chris@xn--a.nl", "chris@xn--bakery-.nl", "chris@a\uff20b.nl",
		"chris@bakery.nl\r\n", "\nchris@bakery.nl", "chris@bakery.nl\r\nBcc: thief@evil.nl", "chris\x00@bakery.nl", "chris@bakery.nl\t", "chris\x7f@bakery.nl", "chris@bakery.nl\u0085",
		"chris@\u202ebakery.nl", "\u200fchris@bakery.nl", "chris\u2066@bakery.nl", "chris@bak\u200bery.nl", "chris@bak\u00adery.nl", "chris\u2028@bakery.nl", "\ufeffchris@bakery.nl",
		"chris@bakery.nl\u00a0", "chr\u00a0is@bakery.nl", "chris\xff@bakery.nl", "chris@bak\xffery.nl", "chris@bak\ufffdery.nl",
		"zoë@bakery.nl", "сhris@bakery.nl", "用户@例え.テスト",
		long + "a@b.nl", long + "@b" + domain, "a@" + strings.Repeat("b", 64) + ".nl", "a@" + strings.Repeat("ü", 60) + ".nl",
		"a@" + strings.Repeat("b.", 126) + "nl", "a@" + strings.Repeat("ü", 1<<22) + ".nl",
	} {
		got, err := ParseAddress(text)
		if !errors.Is(err, ErrAddress) || got != "" {
			t.Errorf("%.300q is %q, %v", text, got, err)
		}
	}
}

// Somebody who has typed something wrong is told what.
func TestParseAddressSaysWhy(t *testing.T) {
	for text, want := range map[string]string{
		"": "nothing", "chris": "no @", "chris\u200b@bakery.nl": "invisible", "Chris <chris@bakery.nl>": "single", "zoë@bakery.nl": "accents",
		"@bakery.nl": "nothing before", "chris.@bakery.nl": "dot", strings.Repeat("a", 65) + "@b.nl": "too long", "chris@bakery": "domain",
	} {
		if _, err := ParseAddress(text); !strings.Contains(err.Error(), want) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever is typed: what is taken is one line of ASCII that net/mail reads as the same
// address and no more, is its own form, and differs from what was typed in nothing but
// spaces and the domain; what is not taken is repeated nowhere.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"chris@bakery.nl", " A.b+c@BÜCHER.example", "a@b.nl\r\nBcc: c@d.nl", "\u202ea@b.nl", "a@xn--bcher-kva.nl", "a@b\u3002nl", `"a"@b.nl`, "a@[::1]", "<a@b.nl>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseAddress(text)
		if err != nil {
			if !errors.Is(err, ErrAddress) || got != "" || len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Fatalf("%q: %q, %v", text, got, err)
			}
			return
		}
		if strings.IndexFunc(got, func(r rune) bool { return r <= ' ' || r >= 0x7f }) >= 0 || len(got) > 254 || !utf8.ValidString(text) {
			t.Fatalf("%q is %q", text, got)
		}
		if again, err := ParseAddress(got); err != nil || again != got {
			t.Fatalf("%q is %q, and that %q, %v", text, got, again, err)
		}
		read, err := netmail.ParseAddress(got)
		if err != nil || read.Address != got || read.Name != "" {
			t.Fatalf("%q is %q, which net/mail reads as %v, %v", text, got, read, err)
		}
		typed, _, _ := strings.Cut(strings.Trim(text, " "), "@")
		if local, _, _ := strings.Cut(got, "@"); local != typed {
			t.Fatalf("%q is %q", text, got)
		}
	})
}
