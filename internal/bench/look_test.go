package bench

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// past is a run in which a whole decision took so many floors.
func past(m machine, floors float64) run {
	return run{Machine: m, Costs: map[string]cost{decideFast: {Floors: floors}}}
}

// today are results in which it did.
func today(floors float64) *results {
	return &results{contenders: []*contender{
		{name: floorSigning, costs: []cost{{Floors: 1}}}, {name: decideFast, costs: []cost{{Floors: floors}}},
	}}
}

// A commit that makes decisions slower is seen in the next run; and what another machine
// took says nothing.
func TestSlowerCommitIsSeen(t *testing.T) {
	here, elsewhere := machine{CPU: "here"}, machine{CPU: "elsewhere"}
	path := filepath.Join(t.TempDir(), "new", "bench.jsonl")
	for _, r := range []run{past(here, 1.4), past(here, 1.5), past(elsewhere, 9), past(here, 1.6)} {
		must[string](t)(r.keep(path))
	}
	before := usual(must[[]run](t)(readHistory(path)), here)
	for floors, want := range map[float64]bool{1.5: false, 1.6: false, 2: true} {
		var text strings.Builder
		today(floors).print(&text, before)
		if seen := strings.Contains(text.String(), "SLOWER"); seen != want {
			t.Errorf("a decision of %v floors, usual is 1.5: told %v\n%s", floors, seen, &text)
		}
	}
}

// Only the last runs count: what became slower once is usual in the end.
func TestUsualIsRecent(t *testing.T) {
	var runs []run
	for i := range 2 * lastRuns {
		floors := 1.0
		if i >= lastRuns {
			floors = 2
		}
		runs = append(runs, past(machine{}, floors))
	}
	if got := usual(runs, machine{})[decideFast]; got != 2 {
		t.Errorf("usual is %v, and was 2 in all of the last runs", got)
	}
}

// A bar is held against what a ratio was in the middle of the rounds: one in which the
// machine stood still changes nothing.
func TestBarsAreRatios(t *testing.T) {
	r := &results{contenders: []*contender{
		{name: verifyReference, costs: []cost{{Floors: 2}, {Floors: 4}, {Floors: 2}}},
		{name: verifyFast, costs: []cost{{Floors: 1}, {Floors: 2}, {Floors: 50}}},
		{name: floorSigning, costs: []cost{{Floors: 0.9}, {Floors: 0.9}, {Floors: 0.9}}},
	}}
	if got, known := ratio(verifyFast, verifyReference)(r); !known || got != 0.5 {
		t.Errorf("the ratio is %v, %v", got, known)
	}
	if got, known := ratio(verifyFast, floorSigning)(r); !known || got != 2 {
		t.Errorf("the ratio to the floor is %v, %v", got, known)
	}
	if _, known := ratio(verifyFast, floorWhole)(r); known {
		t.Error("a ratio to what was not measured is known")
	}
	for floors, want := range map[float64]string{1.04: "ok", 1.06: "MISSED"} {
		var text strings.Builder
		today(floors).print(&text, nil)
		if line := fmt.Sprintf("%s  %s", want, bars[0].what); !strings.Contains(strings.Join(strings.Fields(text.String()), " "), strings.Join(strings.Fields(line), " ")) {
			t.Errorf("%v times the floor is not told as %s:\n%s", floors, want, &text)
		}
	}
}

// What the signatures of a message cover is its signed elements without their own
// signatures, and what says so.
func TestCovered(t *testing.T) {
	inner := `<saml:Assertion ID="_2"><ds:Signature><ds:SignedInfo>2</ds:SignedInfo></ds:Signature>text</saml:Assertion>`
	message := `<soap:Envelope><soap:Body><q ID="_1"><ds:Signature><ds:SignedInfo>11</ds:SignedInfo></ds:Signature>` + inner + `</q></soap:Body></soap:Envelope>`
	got := must[[]int](t)(covered([]byte(message)))
	want := []int{
		len(`<ds:SignedInfo>11</ds:SignedInfo>`), len(`<ds:SignedInfo>2</ds:SignedInfo>`),
		len(`<q ID="_1">` + inner + `</q>`), len(`<saml:Assertion ID="_2">text</saml:Assertion>`),
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("covered are %v bytes, and not %v", want, got)
	}
	if _, err := covered([]byte(strings.Replace(message, "<ds:SignedInfo>11</ds:SignedInfo>", "", 1))); err == nil {
		t.Error("a message with one signature has two")
	}
}

// Turns are taken round after round with the floor in between, each is told in the floors
// beside it, and the first round is not counted: a machine that becomes slower all the time
// makes nobody look worse.
func TestRace(t *testing.T) {
	var order []string
	speed := 1.0
	one := func(name string, work float64) *contender {
		return &contender{name: name, round: func() cost {
			order = append(order, name)
			speed++
			return cost{CPU: work * speed}
		}}
	}
	a, b := one("a", 3), one("b", 5)
	race(2, one("-", 1), []*contender{a, b})
	if got := strings.Join(order, ""); got != "-a-b--a-b--a-b-" {
		t.Errorf("the turns were %s", got)
	}
	if len(a.costs) != 2 || a.figure().Floors != 3 || b.figure().Floors != 5 {
		t.Errorf("they took %v and %v floors", a.costs, b.costs)
	}
}
