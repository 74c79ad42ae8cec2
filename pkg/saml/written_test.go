package saml_test

import (
	"crypto"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// The program's own test at its start passes, and fails where it should.
func TestSelfTest(t *testing.T) {
	w := world()
	if err := saml.SelfTest(w.self.entity, w.self.signer); err != nil {
		t.Error(err)
	}
	other := w.self.signer
	other.Certificate = w.broker.signer.Certificate
	if err := saml.SelfTest(w.self.entity, other); err == nil {
		t.Error("with another's certificate it passes")
	}
}

// answers are our answers in all their forms.
func answers(w *fuzzWorld) map[string]saml.Response {
	sealed := func(n int) (list []*xmlsec.Element) {
		for range n {
			list = append(list, sure(saml.SealName(etoegang.TypeKvKNr, fuzzCompany.Text(), w.provider.recipient())))
		}
		return list
	}
	const odd = "a & b < c > d \"e\" 'f'\t\r\n\u00e9"
	bare := saml.Answer{ID: "_answer", Issuer: w.self.entity, Subject: "_subject", Issued: fuzzTime, Until: fuzzTime.Add(2 * time.Minute)}
	deny, permit := bare, bare
	deny.Message, deny.Echo, deny.ServiceID, deny.ServiceUUIDs = odd, true, fuzzService, []etoegang.ServiceUUID{fuzzUUID}
	permit.Permit, permit.Echo, permit.ServiceID, permit.ServiceUUIDs = true, true, fuzzService, []etoegang.ServiceUUID{fuzzUUID, fuzzUUID}
	permit.Links = []saml.Link{{ID: "_one", Signature: "AA=="}, {ID: "_two", Signature: "AA=="}}
	permit.Asked, permit.Used, permit.ActingName, permit.ClearKvK = etoegang.LoA3, etoegang.LoA3, odd, fuzzCompany
	permit.Acting, permit.Represented = sealed(1)[0], sealed(2)
	permit.Intermediary = sure(etoegang.ParseIntermediary("65432198"))
	permit.Establishments = []etoegang.EstablishmentNumber{sure(etoegang.ParseEstablishmentNumber("000012345678"))}
	permit.Attributes = []*xmlsec.Element{sure(saml.SealAttribute(etoegang.AttributeRepresentedName, odd, w.provider.recipient()))}
	confirm := permit
	confirm.Confirm = w.first.entity

	out := map[string]saml.Response{}
	for name, a := range map[string]saml.Answer{"bare": bare, "deny": deny, "permit": permit, "confirm": confirm} {
		assertion := sure(a.Sign(w.self.signer))
		out[name] = saml.Response{Status: saml.Success, Assertion: assertion, Destination: fuzzConsumer}
		out[name+" without destination"] = saml.Response{Status: saml.Success, Assertion: assertion}
	}
	out["refusal"] = saml.Response{Status: saml.ResponderAuthnFailed, Message: odd}
	for name, r := range out {
		r.ID, r.InResponseTo, r.Issuer, r.Issued = "_response", "_asked", w.self.entity, fuzzTime
		out[name] = r
	}
	return out
}

// Every form of answer is judged by xmlsec1, both its signatures, and read by our brokers.
func TestXmlsec1VerifiesEveryAnswer(t *testing.T) {
	if _, err := exec.LookPath("xmlsec1"); err != nil {
		if os.Getenv("MANDATED_REQUIRE_SERVERS") == "1" {
			t.Fatal("xmlsec1 is not installed")
		}
		t.Skip("xmlsec1 is not installed")
	}
	w, folder := world(), t.TempDir()
	certificate, message := filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "message.xml")
	write := func(file string, content []byte) {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.self.signer.Certificate.Raw}))
	for name, r := range answers(w) {
		doc := saml.Wrap(sure(r.Sign(w.self.signer)))
		write(message, doc)
		for _, element := range []string{"Response", "Assertion"} {
			if element == "Assertion" && r.Assertion == nil {
				continue
			}
			out, err := exec.Command("xmlsec1", "--verify",
				"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
				"--node-xpath", "//*[local-name()='"+element+"']/*[local-name()='Signature']",
				"--pubkey-cert-pem:"+w.self.signer.KeyName, certificate, message).CombinedOutput()
			if err != nil {
				t.Errorf("%s of %s: %v\n%s\n%s", element, name, err, out, doc)
			}
		}
		if _, err := saml.ReadReply(doc, w.receiver.Directory, "_asked", fuzzTime); err != nil && !strings.HasPrefix(name, "bare") {
			t.Errorf("%s: %v\n%s", name, err, doc)
		}
	}
}

// remembering is a key that signs every digest once, and knows the signature afterwards: what
// it costs to write an answer is then seen without RSA. It counts.
type remembering struct {
	crypto.Signer
	known  map[string][]byte
	signed int
}

func (r *remembering) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	r.signed++
	if signature, ok := r.known[string(digest)]; ok {
		return signature, nil
	}
	signature, err := r.Signer.Sign(random, digest, o)
	r.known[string(digest)] = signature
	return signature, err
}

// An answer costs two signatures and not one more.
func TestAnAnswerIsSignedTwice(t *testing.T) {
	w := world()
	key := &remembering{Signer: w.self.signer.Key, known: map[string][]byte{}}
	signer := w.self.signer
	signer.Key = key
	assertion := sure(saml.Answer{ID: "_answer", Issuer: w.self.entity, Subject: "_subject", Issued: fuzzTime, Until: fuzzTime.Add(time.Minute)}.Sign(signer))
	sure(saml.Response{ID: "_response", Issuer: w.self.entity, Issued: fuzzTime, Status: saml.Success, Assertion: assertion}.Sign(signer))
	if key.signed != 2 || len(key.known) != 2 {
		t.Errorf("signed %d times, %d digests", key.signed, len(key.known))
	}
}
