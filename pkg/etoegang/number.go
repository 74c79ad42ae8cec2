package etoegang

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// KvKNumber is a registration in the Dutch trade register: eight digits, kept as
// text because leading zeros count. There is no check digit.
type KvKNumber struct{ secret }

// ParseKvKNumber reads exactly eight ASCII digits.
func ParseKvKNumber(s string) (KvKNumber, error) {
	if err := digits("KvK number", s, 8); err != nil {
		return KvKNumber{}, err
	}
	return KvKNumber{secret(s)}, nil
}

// RSIN is the number of a legal person or partnership: nine digits that pass the
// eleven test. Sole proprietors have none.
type RSIN struct{ secret }

// ParseRSIN reads nine ASCII digits that pass the eleven test.
func ParseRSIN(s string) (RSIN, error) {
	if err := digits("RSIN", s, 9); err != nil {
		return RSIN{}, err
	}
	if !passesElevenTest(s) {
		return RSIN{}, &SyntaxError{Kind: "RSIN", Problem: "fails the eleven test: at least one digit is wrong"}
	}
	return RSIN{secret(s)}, nil
}

// passesElevenTest weighs nine digits 9, 8, ... 2, -1; the sum must be a multiple
// of eleven, and not all digits may be zero.
func passesElevenTest(s string) bool {
	sum, zero := -int(s[8]-'0'), s[8] == '0'
	for i := range 8 {
		sum += (9 - i) * int(s[i]-'0')
		zero = zero && s[i] == '0'
	}
	return sum%11 == 0 && !zero
}

// EstablishmentNumber is a branch (vestiging) in the trade register: twelve
// digits. It moves along when a branch is taken over, so it identifies a branch
// only together with the KvKNumber it belongs to.
type EstablishmentNumber struct{ secret }

// ParseEstablishmentNumber reads exactly twelve ASCII digits.
func ParseEstablishmentNumber(s string) (EstablishmentNumber, error) {
	if err := digits("establishment number", s, 12); err != nil {
		return EstablishmentNumber{}, err
	}
	return EstablishmentNumber{secret(s)}, nil
}

// OIN identifies an organisation in government message traffic: twenty digits.
// It is public and may be shown.
type OIN struct{ text string }

// ParseOIN reads exactly twenty ASCII digits, as the service catalogue demands.
func ParseOIN(s string) (OIN, error) {
	if err := digits("OIN", s, 20); err != nil {
		return OIN{}, err
	}
	return OIN{s}, nil
}

// String gives the twenty digits.
func (o OIN) String() string { return o.text }

// IsZero tells whether o was never parsed.
func (o OIN) IsZero() bool { return o.text == "" }

// Pseudonym is an internal pseudonym: the name an authentication service gives a
// person inside the network, 32 bytes as 64 hexadecimal digits. It is unique
// only within that authentication service.
type Pseudonym struct{ secret }

// ParsePseudonym reads 64 hexadecimal digits. Letter case is kept and counts.
func ParsePseudonym(s string) (Pseudonym, error) {
	if len(s) != 64 || !isHex(s) {
		return Pseudonym{}, &SyntaxError{Kind: "pseudonym", Problem: "must be 64 hexadecimal digits"}
	}
	return Pseudonym{secret(s)}, nil
}

// SpecificPseudonym is the name by which a mandate register tells one provider of a person who
// acts for somebody: 64 hexadecimal digits, "@" and 32 more (scheme page "Specific pseudonym").
// Another provider gets another one, and so does this one when he acts for somebody else.
type SpecificPseudonym struct{ secret }

// ParseSpecificPseudonym reads such a name. Letter case is kept and counts.
func ParseSpecificPseudonym(s string) (SpecificPseudonym, error) {
	person, relation, _ := strings.Cut(s, "@")
	if len(person) != 64 || len(relation) != 32 || !isHex(person) || !isHex(relation) {
		return SpecificPseudonym{}, &SyntaxError{Kind: "specific pseudonym", Problem: "must be 64 hexadecimal digits, @ and 32 more"}
	}
	return SpecificPseudonym{secret(s)}, nil
}

// secret is text that identifies somebody. It prints as dots whatever the verb,
// so that no log line or error can spell it by accident.
type secret string

// Text gives the identifier itself, for messages, the register and those who are
// entitled to see it. Never for logs, metrics, URLs or cache keys.
func (s secret) Text() string { return string(s) }

// IsZero tells whether the value was never parsed.
func (s secret) IsZero() bool { return s == "" }

// Format writes dots for every verb and flag.
func (s secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue keeps the text out of structured logs.
func (s secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText keeps the text out of anything that encodes whole structs.
func (s secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

const hidden = "…"

// SyntaxError tells which kind of value was expected and what is wrong with what
// was given, without repeating it: the input may be somebody's number.
type SyntaxError struct{ Kind, Problem string }

func (e *SyntaxError) Error() string { return e.Kind + ": " + e.Problem }

func digits(kind, s string, n int) error {
	if len(s) != n || !isDigits(s) {
		return &SyntaxError{Kind: kind, Problem: fmt.Sprintf("must be exactly %d digits 0-9 (leading zeros included)", n)}
	}
	return nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return s != ""
}
