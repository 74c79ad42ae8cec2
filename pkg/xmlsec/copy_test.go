package xmlsec

import (
	"errors"
	"strings"
	"testing"
)

// A broker repeats an encrypted identifier beside the assertion in which it got it. In one
// document both can be read, by whom they are for: the copy has IDs of its own, and what
// refers to them still does.
func TestCopyStandsBesideTheOriginal(t *testing.T) {
	reader, recipient := someone(t, "register"), "urn:etoegang:MR:00000003520354760000:entities:9001"
	for _, gcm := range []bool{false, true} {
		original := mustSeal(t, reader.recipient(recipient, gcm))
		copied, err := Copy(verifiedWith(t, original))
		if err != nil {
			t.Fatal(err)
		}
		both := E("saml:Assertion", A("ID", "_a"), E("saml:Issuer", authenticatorID), original, copied)
		mustSign(t, someone(t, "authenticator"), both)
		verified, err := verify(t, mustRead(t, both.Bytes()), noon, Place{
			Name: "assertion", Path: []Step{{nameAssertion}}, Issuer: nameIssuer, Min: 1, Max: 1,
			Keys: func(string) []Key { return []Key{someone(t, "authenticator").verifying()} },
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range verified[0].Root().Children[1:] {
			opened, err := Open(n, recipient, reader.opener())
			wantPseudonym(t, opened, err)
		}
	}
}

// Everything else is as it was, text and attributes with a namespace too.
func TestCopyKeepsAllElse(t *testing.T) {
	e := E("saml:Attribute", A("Name", "a"), A("xml:lang", "nl"), E("saml:AttributeValue", A("xsi:nil", "true"), " x < y "), E("saml:AttributeValue"))
	copied, err := Copy(mustRead(t, e.Bytes()).Unverified())
	if err != nil || string(copied.Bytes()) != string(e.Bytes()) {
		t.Errorf("%v:\n%s\n%s", err, copied.Bytes(), e.Bytes())
	}
}

// What we have no prefix for we do not write.
func TestCopyOfAForeignElement(t *testing.T) {
	for _, doc := range []string{
		`<a xmlns="urn:foreign"/>`, `<a/>`, `<a:Attribute xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"><b xmlns="urn:foreign"/></a:Attribute>`,
		`<a:Attribute xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:b="urn:foreign" b:c="d"/>`,
	} {
		if e, err := Copy(mustRead(t, []byte(doc)).Unverified()); !errors.Is(err, ErrContent) || !strings.Contains(err.Error(), "{") {
			t.Errorf("%s: %v, %v", doc, e, err)
		}
	}
}
