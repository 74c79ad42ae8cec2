package etoegang

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNumbersHaveOneSpelling(t *testing.T) {
	kvk := func(s string) error { _, err := ParseKvKNumber(s); return err }
	rsin := func(s string) error { _, err := ParseRSIN(s); return err }
	establishment := func(s string) error { _, err := ParseEstablishmentNumber(s); return err }
	oin := func(s string) error { _, err := ParseOIN(s); return err }
	pseudonym := func(s string) error { _, err := ParsePseudonym(s); return err }
	uuid := func(s string) error { _, err := ParseServiceUUID(s); return err }
	service := func(s string) error { _, err := ParseServiceID(s); return err }
	entity := func(s string) error { _, err := ParseEntityID(s); return err }

	const hex64 = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		parse func(string) error
		in    string
		ok    bool
	}{
		{kvk, "12345678", true},
		{kvk, "00000001", true},
		{kvk, "1234567", false},
		{kvk, "123456789", false},
		{kvk, "1234567 ", false},
		{kvk, "+1234567", false},
		{kvk, "１２３４５６７８", false},       // full-width digits
		{kvk, "1234\u200b5678", false}, // zero-width space
		{kvk, "", false},
		{rsin, "111222333", true},
		{rsin, "123456782", true},
		{rsin, "249566758", true},
		{rsin, "000000012", true},
		{rsin, "900000004", true},
		{rsin, "123456789", false},
		{rsin, "001234567", false},
		{rsin, "000000000", false},
		{establishment, "000012345678", true},
		{establishment, "00001234567", false},
		{oin, "00000003520354760000", true},
		{oin, "0000000352035476000", false},
		{pseudonym, hex64, true},
		{pseudonym, hex64[1:], false},
		{pseudonym, "g" + hex64[1:], false},
		{uuid, "b2ba62a6-419c-4331-8fbb-40c7b589978d", true},
		{uuid, "b2ba62a6419c43318fbb40c7b589978d", false},
		{uuid, "b2ba62a6-419c-4331-8fbb-40c7b589978g", false},
		{service, "urn:etoegang:DV:00000003520354760000:services:9009", true},
		{service, "urn:etoegang:DV:00000003520354760000:services:0", false},
		{service, "urn:etoegang:HM:00000003520354760000:services:1", false},
		{service, "urn:etoegang:DV:0000000352035476000:services:1", false},
		{service, "services:1", false},
		{entity, "urn:etoegang:MR:00000003520354760000:entities:9133", true},
		{entity, "urn:etoegang:MR:00000003520354760000:entities:0001", true},
		{entity, "urn:etoegang:XX:00000003520354760000:entities:1", false},
		{entity, "urn:etoegang:MR:00000003520354760000:entities:10000", false},
		{entity, "urn:etoegang:MR:00000003520354760000:entities:", false},
		{entity, "urn:etoegang:MR:00000003520354760000:entities:1 ", false},
		{entity, " urn:etoegang:MR:00000003520354760000:entities:1", false},
		{entity, "URN:etoegang:MR:00000003520354760000:entities:1", false},
		{entity, "urn:etoegang:MR", false},
		{entity, "", false},
	} {
		if err := c.parse(c.in); (err == nil) != c.ok {
			t.Errorf("%q: accepted %v, want %v (%v)", c.in, err == nil, c.ok, err)
		}
	}
}

// An identifier of a person or a small business may end up in any log line or
// error by a slip; it must not be readable there.
func TestIdentifiersDoNotShowThemselves(t *testing.T) {
	kvk, _ := ParseKvKNumber("12345678")
	pseudonym, _ := ParsePseudonym(strings.Repeat("ab", 32))
	actor := ActingSubject{Pseudonym: pseudonym}
	subject := kvk.LegalSubject()

	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "kvk", kvk, "actor", actor, "subject", subject, "who", Intermediary{kvk})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, kvk)
		fmt.Fprintf(&out, verb, subject)
		fmt.Fprintf(&out, verb, actor)
		fmt.Fprintf(&out, verb, []KvKNumber{kvk})
	}
	encoded, err := json.Marshal(map[string]any{"kvk": kvk, "actor": actor, "subject": subject})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	_, err = ParseKvKNumber("8765432x")
	fmt.Fprint(&out, err)

	for _, leak := range []string{"12345678", "abab", "8765432", "3132333435"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q shows in: %s", leak, out.String())
		}
	}
	if kvk.Text() != "12345678" || subject.Text() != "12345678" {
		t.Error("Text must give the number itself")
	}
}

func TestLevelsAreOrdered(t *testing.T) {
	order := []AssuranceLevel{NoLevel, LoA1, LoA2, LoA2Plus, LoA3, LoA4}
	for i := 1; i < len(order); i++ {
		if order[i-1] >= order[i] {
			t.Errorf("%v must be below %v", order[i-1], order[i])
		}
		back, err := ParseAssuranceLevel(order[i].URN())
		if err != nil || back != order[i] {
			t.Errorf("%v does not survive its own URN: %v, %v", order[i], back, err)
		}
	}
	for _, bad := range []string{"loa3", "urn:etoegang:core:assurance-class:LOA3", "urn:etoegang:core:assurance-class:loa5", "urn:etoegang:core:assurance-class:none", ""} {
		if _, err := ParseAssuranceLevel(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if LoA1.Supported() || NoLevel.Supported() || !LoA2.Supported() {
		t.Error("supported levels start at loa2")
	}
}

func TestEntityIDTellsItsParts(t *testing.T) {
	e, err := ParseEntityID("urn:etoegang:HM:00000003244440010000:entities:9619")
	if err != nil {
		t.Fatal(err)
	}
	if e.Role() != Broker || e.OIN().String() != "00000003244440010000" || !e.Test() {
		t.Errorf("role %v, OIN %v, test %v", e.Role(), e.OIN(), e.Test())
	}
	if (EntityID{}).Role() != "" || (EntityID{}).Test() || !(EntityID{}).OIN().IsZero() {
		t.Error("the zero EntityID must be nobody")
	}
}

func TestLegalSubjectKeepsToWhatTheRegisterHolds(t *testing.T) {
	if _, err := ParseLegalSubject(TypeBSN, "123456782"); err != ErrIdentifierType {
		t.Errorf("a BSN must be refused by type, got %v", err)
	}
	s, err := ParseLegalSubject(TypeRSIN, "123456782")
	if err != nil || s.Type() != TypeRSIN || s.Text() != "123456782" {
		t.Errorf("got %v %v", s.Type(), err)
	}
	if _, err := ParseLegalSubject(TypeKvKNr, "123456782"); err == nil {
		t.Error("nine digits are no KvK number")
	}
}
