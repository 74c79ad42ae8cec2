package xmlsec

import (
	"testing"
)

func BenchmarkScan(b *testing.B) {
	doc := honestQuery(b)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		t := newTokens()
		s, err := newScanner(doc, MessageLimits, t)
		if err != nil || s.run() != nil {
			b.Fatal("refused")
		}
		t.release()
	}
}

func BenchmarkRead(b *testing.B) {
	doc := honestQuery(b)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(doc, MessageLimits); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify reads and verifies a query with its nested assertion.
func BenchmarkVerify(b *testing.B) {
	doc, places := honestQuery(b), places(b)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		d, err := Read(doc, MessageLimits)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := d.Verify(noon, places...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSign builds and writes a message with two signatures.
func BenchmarkSign(b *testing.B) {
	broker, authenticator := someone(b, "broker"), someone(b, "authenticator")
	b.ReportAllocs()
	for b.Loop() {
		envelop(mustSign(b, broker, query(mustSign(b, authenticator, assertion("alice"))))).Bytes()
	}
}

func BenchmarkSeal(b *testing.B) {
	to := Recipient{EntityID: registerID, Key: &someone(b, "register").key.PublicKey}
	for b.Loop() {
		if _, err := Seal(E("saml:NameID", "pseudonym"), to); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	register := someone(b, "register")
	sealed, err := Seal(E("saml:NameID", "pseudonym"), Recipient{EntityID: registerID, Key: &register.key.PublicKey})
	if err != nil {
		b.Fatal(err)
	}
	node := verifiedWith(b, sealed)
	for b.Loop() {
		if _, err := Open(node, registerID, []Opener{{Key: register.key}}); err != nil {
			b.Fatal(err)
		}
	}
}
