package daemon

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
)

// Decisions are counted by the day of Amsterdam on which they were recorded, the newest first, with
// each call a bounded number more and none twice. What is counted of a day that is over stays.
func TestDecisionsAreCounted(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2026, 11, 27, 22, 59, 0, 0, time.UTC) // a minute before midnight there
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), journal.Options{Signer: key, Now: func() time.Time { return now }})
	must(err)
	defer func() { must(j.Close()) }()
	n := 0
	decided := func(outcome string, codes ...decision.Code) {
		t.Helper()
		n++
		r := pdp.Record{ID: fmt.Sprintf("%032x", n), Outcome: outcome}
		for i, c := range codes {
			r.Reasons = append(r.Reasons, pdp.RecordReason{Code: string(c), Mandate: mandate.ID(i + 1)})
		}
		body, err := json.Marshal(r)
		must(err)
		must(j.Append(t.Context(), r.ID, body))
	}
	var counts tally
	count := func(most int) []pages.Decided {
		t.Helper()
		list, err := counts.count(t.Context(), j, now, 3, most)
		must(err)
		return list
	}
	is := func(d pages.Decided, day int, whole bool, want string) {
		t.Helper()
		if got := fmt.Sprint(d.Outcomes, d.Reasons); !d.Day.Equal(time.Date(2026, 11, day-1, 23, 0, 0, 0, time.UTC)) || d.Whole != whole || got != want {
			t.Errorf("of %s, counted whole %v: %s, want %s", d.Day, d.Whole, got, want)
		}
	}

	decided("Deny", decision.Expired, decision.Revoked, decision.Expired) // once for each reason
	decided("Permit")
	decided("Choose", decision.Expired) // which was a way that did not lead there, and no refusal
	now = now.Add(time.Minute)
	decided("Permit")
	decided(pdp.Indeterminate)

	list := count(2)
	is(list[0], 28, true, "map[Indeterminate:1 Permit:1] map[]")
	is(list[1], 27, false, "map[] map[]")
	list = count(2)
	is(list[0], 28, true, "map[Indeterminate:1 Permit:1] map[]")
	is(list[1], 27, false, "map[Deny:1 Permit:1] map[expired:1 revoked:1]")
	is(list[2], 26, false, "map[] map[]")
	list = count(2)
	is(list[1], 27, true, "map[Choose:1 Deny:1 Permit:1] map[expired:1 revoked:1]")
	is(list[2], 26, true, "map[] map[]")

	decided("Permit")
	is(count(2)[0], 28, true, "map[Indeterminate:1 Permit:2] map[]")
	list[0].Outcomes["Permit"] = 99 // what was given is its owner's
	now = now.Add(24 * time.Hour)
	list = count(0)
	is(list[0], 29, false, "map[] map[]")
	is(list[1], 28, false, "map[Indeterminate:1 Permit:2] map[]") // more of it may have come
	is(list[2], 27, true, "map[Choose:1 Deny:1 Permit:1] map[expired:1 revoked:1]")
	is(count(1)[1], 28, true, "map[Indeterminate:1 Permit:2] map[]")
}
