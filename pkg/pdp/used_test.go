package pdp_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/mandated/mandated/pkg/pdp"
)

// A mandate is used by what is permitted on it, and by nothing else, whether the register
// was asked or a kept decision served again. Each half of a chain uses its own. Of a mandate
// that this register is still to confirm that is not said before, since then it may refuse; of
// one that another confirms nothing else will ever say it.
func TestUsed(t *testing.T) {
	for idea, want := range map[string]string{
		"direct-permit":                  "[1]",
		"chain-permit":                   "[2 1]",
		"recheck-direct":                 "[1]",
		"portal-two-mandates-add-up":     "[2 1]",
		"confirm-permits":                "[1]",
		"confirm-here-obligation":        "[2]",
		"confirm-here-level-comes-later": "[2]",
		"chosen-client-confirm-here":     "[4]",
		"chosen-elsewhere":               "[4 3]",
		"choose-among-clients":           "[]",
		"confirm-here-and-then-denied":   "[]",
		"blocked-company":                "[]",
		"person-unknown":                 "[]",
	} {
		t.Run(idea, func(t *testing.T) {
			n, request := nodeOf(t, idea)
			n.decide(request)
			n.decide(request)
			n.hot.forget()
			n.decide(request)
			if len(n.journal.records) != 3 {
				t.Fatalf("%d records of three decisions", len(n.journal.records))
			}
			for _, body := range n.journal.records {
				used, service, err := pdp.Used(body)
				if got := fmt.Sprint(used); err != nil || got != want {
					t.Errorf("used are %s, %v, want %s: %s", got, err, want, body)
				}
				if service != request.ServiceID.String() && len(used) > 0 {
					t.Errorf("at %q", service)
				}
			}
		})
	}
}

// A decision that could not be made used nothing.
func TestUsedOfAFailure(t *testing.T) {
	s, request := scenario(t, "direct-permit")
	s.config.Register = broken{s.register}
	if _, err := pdp.New(s.config).Decide(ctx, request); !errors.Is(err, pdp.ErrNotFoundOut) {
		t.Fatal(err)
	}
	if len(s.journal.records) != 1 {
		t.Fatalf("%d records", len(s.journal.records))
	}
	for _, body := range s.journal.records {
		if used, _, err := pdp.Used(body); err != nil || len(used) > 0 {
			t.Errorf("used are %v, %v", used, err)
		}
	}
}

// What is no record is not taken for one that used nothing.
func TestUsedOfSomethingElse(t *testing.T) {
	for _, body := range []string{
		``, `decision 7`, `{}`, `[]`, `null`, `{"outcome":"permit"}`, `{"outcome":"Permit"}`, `{"outcome":"Permit","options":[{}]}`,
		`{"outcome":"Permit","options":[{"mandates":[1]},{"mandates":[2]}]}`, `{"outcome":"Permit","options":[{"mandates":["1"]}]}`,
	} {
		if used, _, err := pdp.Used([]byte(body)); err == nil {
			t.Errorf("%q used %v", body, used)
		}
	}
}
