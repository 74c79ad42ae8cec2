package explain_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/sandbox/explain"
)

// Whatever comes over the wire, alone or in the middle of a real message: it is explained
// without a panic, can be written as JSON and as a page that does no harm, and no more
// signatures hold than were made.
func FuzzExplain(f *testing.F) {
	s := newScene(f)
	s.logIn()
	for i := range s.log {
		f.Add(s.log[i].Raw, uint8(0), uint16(0))
		f.Add([]byte("x"), uint8(i+1), uint16(700))
	}
	f.Add([]byte("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), uint8(0), uint16(0))
	f.Add([]byte("</saml:Issuer><saml:Issuer>"), uint8(login), uint16(400))
	honest := explain.Explain(s.cast, s.log...)
	keyless := slices.Clone(s.cast)
	for i := range keyless {
		keyless[i].Openers = nil
	}
	f.Fuzz(func(t *testing.T, data []byte, which uint8, at uint16) {
		raw := data
		if which > 0 {
			real := s.log[int(which-1)%len(s.log)].Raw
			i := int(at) % len(real)
			raw = slices.Concat(real[:i], data, real[i:])
		}
		cast := keyless // opening costs more than all else, so it is done now and then
		if at%16 == 0 {
			cast = s.cast
		}
		e := explain.Explain(cast, explain.Message{At: s.n.Now(), From: "a", To: "b", Raw: raw})
		if _, err := json.Marshal(e); err != nil {
			t.Errorf("no JSON: %v", err)
		}
		if at%4 == 0 {
			show(t, look.Dutch, explain.Login{Messages: e}).harmless()
		}
		held := 0
		for _, signature := range e[0].Signatures {
			if signature.Holds {
				held++
			}
		}
		if which > 0 && held > len(honest[int(which-1)%len(s.log)].Signatures) {
			t.Errorf("%d signatures hold", held)
		}
	})
}
