package outside_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// A letter that our two engines do not agree on: goxmldsig puts prefixed attributes of two
// namespaces in another order than XML does, and the sender has signed that form. He gets
// the fault that everybody gets; the operator gets an alarm that finds the message again
// and quotes nothing of it.
func TestTheEnginesDisagree(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	odd := s.letter(s.anna)
	odd.extensions().AddChild(snippet(`<c:Attribute xmlns:c="urn:oasis:names:tc:xacml:2.0:context:schema:os" xmlns:a="urn:2" xmlns:b="urn:1"` +
		` AttributeId="urn:example:secret" DataType="http://www.w3.org/2001/XMLSchema#string" a:secret="" b:secret=""><c:AttributeValue>secret</c:AttributeValue></c:Attribute>`))
	message := odd.reseal().bytes()
	s.repels(t, message, fault(xmlsec.ErrDisagreement))

	var line struct{ Level, Outcome, Cause string }
	if err := json.Unmarshal([]byte(s.lastWords()), &line); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(message)
	digest := hex.EncodeToString(sum[:])
	for _, want := range []string{"fast refuses", digest[:32] + " " + digest[32:], odd.query().SelectAttrValue("ID", "-")} {
		if !strings.Contains(line.Cause, want) {
			t.Errorf("the alarm %q does not say %q", line.Cause, want)
		}
	}
	if line.Level != "ERROR" || line.Outcome != "not-believed" || strings.Contains(s.lastWords(), "secret") {
		t.Errorf("the log says %s", s.lastWords())
	}
	s.answers(t, s.letter(s.anna).bytes(), s.anna)
}
