package saml_test

import (
	"crypto"
	"crypto/rsa"
	"io"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// remembered is a key that decrypts everything once.
type remembered struct {
	crypto.Decrypter
	known map[string][]byte
}

func (r *remembered) Decrypt(random io.Reader, text []byte, o crypto.DecrypterOpts) ([]byte, error) {
	if plain, ok := r.known[string(text)]; ok {
		return plain, nil
	}
	plain, err := r.Decrypter.Decrypt(random, text, o)
	r.known[string(text)] = plain
	return plain, err
}

// writes returns what writes a Permit as brokers mostly get it.
func writes(w *fuzzWorld, signer xmlsec.Signer) func() []byte {
	sealed := func() *xmlsec.Element {
		return sure(saml.SealName(etoegang.TypeKvKNr, fuzzCompany.Text(), w.provider.recipient()))
	}
	answer := saml.Answer{
		ID: "_answer", Issuer: w.self.entity, Subject: "_subject", Issued: fuzzTime, Until: fuzzTime.Add(2 * time.Minute), Permit: true, Echo: true,
		Links: []saml.Link{{ID: "_one", Signature: "AA=="}}, ServiceID: fuzzService, ServiceUUIDs: []etoegang.ServiceUUID{fuzzUUID},
		Asked: etoegang.LoA3, Used: etoegang.LoA3, Acting: sealed(), Represented: []*xmlsec.Element{sealed(), sealed()},
	}
	response := saml.Response{
		ID: "_response", InResponseTo: "_asked", Issuer: w.self.entity, Issued: fuzzTime, Destination: fuzzConsumer, Status: saml.Success,
	}
	return func() []byte {
		r := response
		r.Assertion = sure(answer.Sign(signer))
		return saml.Wrap(sure(r.Sign(signer)))
	}
}

// BenchmarkReceive and BenchmarkAnswer are for profiles of the XML: what is signed and
// decrypted is remembered. Package internal/bench measures.
func BenchmarkReceive(b *testing.B) {
	w := world()
	receiver := *w.receiver
	receiver.Openers = []xmlsec.Opener{{KeyName: w.self.signer.KeyName, Key: &remembered{Decrypter: w.self.signer.Key.(*rsa.PrivateKey), known: map[string][]byte{}}}}
	query := w.honest()["authorize"]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := receiver.Receive(query, fuzzTime); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	w := world()
	signer := w.self.signer
	signer.Key = &remembering{Signer: signer.Key, known: map[string][]byte{}}
	write := writes(w, signer)
	b.ReportAllocs()
	for b.Loop() {
		write()
	}
}
