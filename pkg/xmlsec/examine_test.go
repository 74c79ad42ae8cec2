package xmlsec

import (
	"errors"
	"strings"
	"testing"
)

// Whoever looks for what is wrong with a message wants to know of each signature whether it
// holds, also where another one does not.
func TestExamineTellsOfEachSignature(t *testing.T) {
	honest := string(honestQuery(t))
	for _, scene := range []struct {
		name, doc        string
		query, assertion error
	}{
		{"nothing is wrong", honest, nil, nil},
		{"the query was altered", strings.Replace(honest, ":services:9002", ":services:9003", 1), ErrSignature, nil},
		{"the assertion was altered, and so what is around it", strings.Replace(honest, "alice", "mallory", 1), ErrSignature, ErrSignature},
		{"a stranger made the assertion", string(envelop(mustSign(t, someone(t, "broker"),
			query(mustSign(t, someone(t, "mallory"), assertion("alice"))))).Bytes()), nil, ErrKeyName},
		{"nobody signed the query", unsigned(honest), ErrSignatureCount, nil},
	} {
		got := mustRead(t, []byte(scene.doc)).Examine(noon, places(t)...)
		if len(got) != 2 || !errors.Is(got[0].Err, scene.query) || !errors.Is(got[1].Err, scene.assertion) {
			t.Errorf("%s: %+v, want %v and %v", scene.name, got, scene.query, scene.assertion)
			continue
		}
		for i, e := range got {
			if (e.Err == nil) != (e.Verified.Root() != nil) {
				t.Errorf("%s: of element %d there is %+v", scene.name, i, e)
			}
		}
	}
}
