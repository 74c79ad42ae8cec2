package mail

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// What RFC 5321 (4.5.3.1) allows, in bytes: the path has two brackets around the address.
const (
	longestAddress = 254
	longestLocal   = 64
	longestTyped   = 4 * longestAddress // no character has more bytes; to turn it into ASCII takes the square of its length
)

// domains turns names as people write them into those of the DNS (IDNA2008 with the
// mapping of UTS 46), and refuses what no domain can be called.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false),
	idna.ValidateLabels(true), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// ParseAddress reads one address as people type it into a form, and gives it as it is
// stored and compared: the domain in small letters and in the ASCII form of the DNS, the
// part before the @ as it was typed, since only its own server knows whether capitals
// matter there.
//
//	address = local "@" domain
//	local   = atom *("." atom)          RFC 5322 dot-atom: ASCII letters, digits, !#$%&'*+-/=?^_`{|}~
//	domain  = label 1*("." label)       not all digits in the last one
//
// Spaces around it are dropped. There is no display name, comment, quoting, group, list or
// address literal. An address with other than ASCII before the @ exists (RFC 6531), but not
// every server on the way can carry it, so it is refused. Errors are ErrAddress, with the
// reason and without the address.
func ParseAddress(text string) (string, error) {
	text = strings.Trim(text, " ")
	at := strings.LastIndexByte(text, '@')
	switch {
	case text == "":
		return "", notAddress("nothing was filled in")
	case len(text) > longestTyped:
		return "", notAddress("it is too long")
	case !printable(text):
		return "", notAddress("there are invisible characters in it: type it instead of pasting it")
	case strings.ContainsAny(text, "<>()\",;:\\[] "):
		return "", notAddress("it must be a single address without spaces, name, brackets or quotes, such as name@company.nl")
	case at < 0:
		return "", notAddress("there is no @ in it")
	}
	local, domain := text[:at], text[at+1:]
	if reason := wrongLocal(local); reason != "" {
		return "", notAddress(reason)
	}
	domain, ok := parseDomain(domain)
	if !ok {
		return "", notAddress("what comes after the @ is not a domain such as company.nl")
	}
	if len(local)+1+len(domain) > longestAddress {
		return "", notAddress("it is too long")
	}
	return local + "@" + domain, nil
}

func notAddress(reason string) error { return fmt.Errorf("%w: %s", ErrAddress, reason) }

// wrongLocal tells what is wrong with the part before the @; "" if nothing is.
func wrongLocal(local string) string {
	switch {
	case local == "":
		return "there is nothing before the @"
	case len(local) > longestLocal:
		return "what comes before the @ is too long"
	case strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, ".."):
		return "a dot before the @ stands between two other characters"
	}
	for _, r := range local {
		if r >= utf8.RuneSelf {
			return "before the @ there may be no accents or other letters than a to z"
		}
		if r != '.' && !isAtom(r) {
			return "a character before the @ is not allowed there"
		}
	}
	return ""
}

// isAtom tells whether an ASCII character can stand in an atom (RFC 5322, 3.2.3).
func isAtom(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// parseDomain gives a domain of the public DNS in its ASCII form.
func parseDomain(text string) (string, bool) {
	domain, err := domains.ToASCII(text)
	dot := strings.LastIndexByte(domain, '.')
	if err != nil || dot < 1 || strings.Trim(domain[dot+1:], "0123456789") == "" {
		return "", false
	}
	return domain, true
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// printable tells whether a text is one line of valid UTF-8 in which nothing is hidden: no
// control characters, and none that change the direction of what is around them, join, or
// take no room (category Cf and the separators of lines and paragraphs).
func printable(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, hidden) < 0
}

func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar
}
