package mandate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

var recorded = time.Date(2026, 11, 24, 14, 30, 0, 0, time.UTC)

// fit is a mandate with nothing wrong with it; each test spoils one thing.
func fit() Mandate {
	return Mandate{
		Kind:     Direct,
		Grantor:  Organisation{ID: 1},
		Person:   Person{ID: 2},
		Scope:    Scope{Everything(etoegang.LoA3)},
		State:    Active,
		Validity: Validity{From: recorded, To: recorded.AddDate(1, 0, 0)},
	}
}

func TestWhatIsFitToBeRegistered(t *testing.T) {
	oin, _ := etoegang.ParseOIN("00000003520354760000")
	uuid, _ := etoegang.ParseServiceUUID("11111111-2222-3333-4444-555555555555")
	mr2, _ := etoegang.ParseEntityID("urn:etoegang:MR:00000003520354760000:entities:9004")
	branch, _ := etoegang.ParseEstablishmentNumber("000012345678")
	toIntermediary := func(m *Mandate) {
		m.Kind, m.Person, m.Intermediary = Chain, Person{}, Organisation{ID: 3}
	}

	for _, c := range []struct {
		why   string
		spoil func(*Mandate)
		want  error
	}{
		{"a direct mandate", func(m *Mandate) {}, nil},
		{"a chain mandate", toIntermediary, nil},
		{"a chain held elsewhere", func(m *Mandate) { toIntermediary(m); m.Register = mr2 }, nil},
		{"an assignment", func(m *Mandate) { m.Kind, m.Client = Assignment, 7 }, nil},
		{"an assignment of nothing", func(m *Mandate) { m.Kind = Assignment }, ErrClient},
		{"a direct mandate with a client", func(m *Mandate) { m.Client = 7 }, ErrClient},
		{"a direct mandate held elsewhere", func(m *Mandate) { m.Register = mr2 }, ErrElsewhere},
		{"a chain to a person", func(m *Mandate) { m.Kind = Chain }, ErrParties},
		{"a direct mandate to an organisation", func(m *Mandate) { toIntermediary(m); m.Kind = Direct }, ErrParties},
		{"no grantor", func(m *Mandate) { m.Grantor = Organisation{} }, ErrParties},
		{"an unknown kind", func(m *Mandate) { m.Kind = "gift" }, ErrParties},
		{"its own intermediary", func(m *Mandate) { toIntermediary(m); m.Intermediary.ID = 1 }, ErrSelf},
		{"no scope", func(m *Mandate) { m.Scope = nil }, ErrEmptyScope},
		{"an ended level", func(m *Mandate) { m.Scope[0].Level = etoegang.LoA1 }, ErrLevel},
		{"no level", func(m *Mandate) { m.Scope[0].Level = etoegang.NoLevel }, ErrLevel},
		{"the same item at two levels", func(m *Mandate) { m.Scope = append(m.Scope, Everything(etoegang.LoA2)) }, ErrScopeTwice},
		{"a service and a provider in one item", func(m *Mandate) { m.Scope[0].Service, m.Scope[0].Provider = uuid, oin }, ErrScopeItem},
		{"limited to a branch", func(m *Mandate) { m.Establishments = append(m.Establishments, branch) }, nil},
		{"a chain limited to a branch", func(m *Mandate) { toIntermediary(m); m.Establishments = append(m.Establishments, branch) }, ErrEstablishments},
		{"the same branch twice", func(m *Mandate) { m.Establishments = append(m.Establishments, branch, branch) }, ErrScopeTwice},
		{"a long reference", func(m *Mandate) { m.Reference = strings.Repeat("x", 256) }, ErrReference},
		{"already revoked", func(m *Mandate) { m.State = Revoked }, ErrState},
		{"no state", func(m *Mandate) { m.State = "" }, ErrState},
		{"no end", func(m *Mandate) { m.Validity.To = time.Time{} }, ErrNoEnd},
		{"ends when it starts", func(m *Mandate) { m.Validity.To = m.Validity.From }, ErrOrder},
		{"five years to the day", func(m *Mandate) { m.Validity.To = AddYears(m.Validity.From, 5) }, nil},
		{"a second over five years", func(m *Mandate) { m.Validity.To = AddYears(m.Validity.From, 5).Add(time.Second) }, ErrTooLong},
		{"from this morning", func(m *Mandate) { m.Validity.From = StartOfDay(recorded) }, nil},
		{"from yesterday", func(m *Mandate) { m.Validity.From = StartOfDay(recorded).Add(-time.Second) }, ErrBackdated},
		{"half a second", func(m *Mandate) { m.Validity.From = m.Validity.From.Add(time.Second / 2) }, ErrPrecision},
	} {
		m := fit()
		c.spoil(&m)
		if err := Check(m, recorded, false); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.why, err, c.want)
		}
	}
}

// A mandate that moves here from another register keeps the day it began.
func TestMigratingKeepsOriginalDates(t *testing.T) {
	m := fit()
	m.Validity.From = recorded.AddDate(-2, 0, 0)
	if err := Check(m, recorded, false); !errors.Is(err, ErrBackdated) {
		t.Errorf("without migrating: %v", err)
	}
	if err := Check(m, recorded, true); err != nil {
		t.Errorf("migrating: %v", err)
	}
}

func TestDatesMeanMidnightInAmsterdam(t *testing.T) {
	for in, want := range map[string]string{
		"2026-01-01":                     "2025-12-31T23:00:00Z", // winter
		"2026-07-01":                     "2026-06-30T22:00:00Z", // summer
		"2026-07-01T12:00:00+02:00":      "2026-07-01T10:00:00Z",
		"2026-07-01T12:00:00.987654321Z": "2026-07-01T12:00:00Z",
	} {
		got, err := ParseMoment(in)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: got %v %v, want %s", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "01-01-2026", "2026-02-30", "2026-01-01T10:00:00", "tomorrow"} {
		if _, err := ParseMoment(bad); err == nil {
			t.Errorf("%q was read as a moment", bad)
		}
	}
}

func TestScopeIsTheUnionOfItsItems(t *testing.T) {
	var scope Scope
	for _, s := range []string{"11111111-2222-3333-4444-555555555555@loa4", "provider:00000003520354760000@loa3", "everything@loa2"} {
		item, err := ParseItem(s)
		if err != nil {
			t.Fatal(err)
		}
		if item.String() != s {
			t.Errorf("%s is written back as %s", s, item)
		}
		scope = append(scope, item)
	}
	oin, other := scope[1].Provider, etoegang.OIN{}
	uuid, another := scope[0].Service, etoegang.ServiceUUID{}
	for _, c := range []struct {
		target etoegang.Target
		want   etoegang.AssuranceLevel
	}{
		{etoegang.Target{UUID: uuid, Provider: oin}, etoegang.LoA4},
		{etoegang.Target{UUID: uuid, Provider: other}, etoegang.LoA4}, // a shared UUID is the same service at every provider
		{etoegang.Target{UUID: another, Provider: oin}, etoegang.LoA3},
		{etoegang.Target{UUID: another, Provider: other}, etoegang.LoA2},
	} {
		if got := scope.Level(c.target); got != c.want {
			t.Errorf("%v: got %v, want %v", c.target, got, c.want)
		}
	}
	if got := (Scope{scope[0]}).Level(etoegang.Target{UUID: another, Provider: oin}); got != etoegang.NoLevel {
		t.Errorf("an uncovered service has level %v", got)
	}
	for _, bad := range []string{"everything", "everything@loa9", "provider:1@loa3", "x@loa3", "@loa3"} {
		if _, err := ParseItem(bad); err == nil {
			t.Errorf("%q was read as an item", bad)
		}
	}
}

func TestEndedStatesAreLeftByNothing(t *testing.T) {
	for s := range next {
		for to := range next {
			if s.Ended() && s.CanBecome(to) {
				t.Errorf("%s is an end and becomes %s", s, to)
			}
			if s.CanBecome(to) && !s.Pending() && to.Pending() {
				t.Errorf("%s goes back to %s", s, to)
			}
		}
	}
	if !Active.CanBecome(Suspended) || !Suspended.CanBecome(Active) || !Active.CanBecome(Revoked) || Draft.CanBecome(Active) {
		t.Error("active and suspended come and go, revoked ends, a draft must be requested first")
	}
	if State("gone").Known() || State("gone").Ended() {
		t.Error("a state of our own invention must be unknown")
	}
}

// A day ends at its midnight in Amsterdam: whichever moment of it is meant, in summer and in
// winter, and on the days that have an hour more or less.
func TestEndOfDay(t *testing.T) {
	for at, want := range map[string]string{
		"2026-11-24T14:30:00Z": "2026-11-24T23:00:00Z", "2026-11-24T23:00:00Z": "2026-11-25T23:00:00Z", "2026-07-01T21:59:59Z": "2026-07-01T22:00:00Z",
		"2026-03-28T23:00:00Z": "2026-03-29T22:00:00Z", "2026-10-25T00:30:00Z": "2026-10-25T23:00:00Z",
	} {
		from, err := ParseMoment(at)
		if got := EndOfDay(from).Format(time.RFC3339); err != nil || got != want {
			t.Errorf("the day of %s ends at %s, want %s (%v)", at, got, want, err)
		}
	}
}
