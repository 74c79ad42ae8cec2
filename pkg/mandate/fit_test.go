package mandate

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/pkg/etoegang"
)

// fitScene draws a client's chain mandate and some assignments, in any condition.
func fitScene(t *rapid.T, now time.Time) (Half, []Half) {
	client := Organisation{ID: 1, Active: rapid.Float64().Draw(t, "active") < 0.95}
	office := Organisation{ID: 2, Active: true}
	chain := Half{Mandate: Mandate{ID: 1, Kind: Chain, Grantor: client, Intermediary: office}, SuspendedBy: GrantorSide}
	drawHalf(t, &chain, now)
	var list []Half
	for i := range rapid.IntRange(0, 4).Draw(t, "assignments") {
		a := Half{Mandate: Mandate{ID: ID(i + 2), Kind: Assignment, Grantor: office, Client: 1, Person: Person{ID: 1, Active: rapid.Float64().Draw(t, "person") < 0.8}},
			SuspendedBy: rapid.SampledFrom([]Side{GrantorSide, RegisterSide}).Draw(t, "by")}
		drawHalf(t, &a, now)
		list = append(list, a)
	}
	return chain, list
}

func drawHalf(t *rapid.T, h *Half, now time.Time) {
	h.State = rapid.SampledFrom([]State{Active, Active, Active, Active, Suspended, Requested, Revoked}).Draw(t, "state")
	from := rapid.IntRange(-10, 2).Draw(t, "from")
	h.Validity = Validity{From: now.AddDate(0, 0, from), To: now.AddDate(0, 0, from+rapid.IntRange(1, 30).Draw(t, "days"))}
	items := rapid.SliceOfNDistinct(rapid.SampledFrom([]Item{{Service: uuid("1")}, {Service: uuid("2")}, {Provider: oin("1")}, {}}), 1, 3,
		func(i Item) Item { return i }).Draw(t, "scope")
	for _, i := range items {
		i.Level = rapid.SampledFrom([]etoegang.AssuranceLevel{etoegang.LoA2, etoegang.LoA3}).Draw(t, "level")
		h.Scope = append(h.Scope, i)
	}
}

func uuid(digit string) etoegang.ServiceUUID {
	u, err := etoegang.ParseServiceUUID(digit + "1111111-2222-3333-4444-555555555555")
	if err != nil {
		panic(err)
	}
	return u
}

func oin(digit string) etoegang.OIN {
	o, err := etoegang.ParseOIN("0000000352035476000" + digit)
	if err != nil {
		panic(err)
	}
	return o
}

func offeredByFirst(i Item) []etoegang.OIN {
	if i.Service == uuid("1") {
		return []etoegang.OIN{oin("1")}
	}
	return nil
}

// Who does what the edit says has mended it, for good: in the end both halves fit, unless
// only time or other people can help.
func TestTheEditMends(t *testing.T) {
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		chain, list := fitScene(t, now)
		mended := map[Misfit]bool{}
		fit := chain.Fit(list, offeredByFirst, now)
		for ; fit.Edit != nil; fit = chain.Fit(list, offeredByFirst, now) {
			if mended[fit.Misfit] {
				t.Fatalf("%s was mended and is in the way again", fit.Misfit)
			}
			mended[fit.Misfit] = true
			chain, list = edited(chain, list, *fit.Edit, now)
		}
		switch fit.Misfit {
		case Fits:
			if !fit.Usable {
				t.Fatal("it fits and cannot be used")
			}
		case ChainNotYet, ClientStopped: // time, or other people
		default:
			t.Fatalf("nothing mends %s", fit.Misfit)
		}
	})
}

// edited does what an edit says, as the register would.
func edited(chain Half, list []Half, e Edit, now time.Time) (Half, []Half) {
	move := func(h *Half) {
		if h.ID == e.Mandate {
			h.State = Active
			if e.Act == ActAgree && !now.Before(h.Validity.To) { // nobody agrees to what is over
				h.State = RequestExpired
			}
		}
	}
	switch {
	case e.Act != ActAsk:
		move(&chain)
		for i := range list {
			move(&list[i])
		}
	case e.Kind == Chain:
		chain.State, chain.Scope, chain.Validity = Active, e.Scope, Validity{now, now.AddDate(1, 0, 0)}
	default:
		for i := range list {
			if list[i].ID == e.Mandate {
				list[i].State = Superseded
			}
		}
		list = append(list, Half{Mandate: Mandate{ID: ID(len(list) + 2), Kind: Assignment, Client: chain.ID, Scope: e.Scope, State: Active,
			Validity: Validity{now, e.Until}, Person: Person{ID: 1, Active: true}}})
	}
	return chain, list
}

// Each misfit by its name, on the smallest example.
func TestMisfits(t *testing.T) {
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	year := Validity{now.AddDate(0, -1, 0), now.AddDate(1, 0, 0)}
	vat := Scope{{Service: uuid("1"), Level: etoegang.LoA3}}
	for want, change := range map[Misfit]func(c, a *Half){
		Fits:                func(c, a *Half) {},
		ChainAsked:          func(c, a *Half) { c.State = Requested },
		ChainEnded:          func(c, a *Half) { c.State = Revoked },
		ChainSuspended:      func(c, a *Half) { c.State, c.SuspendedBy = Suspended, GrantorSide },
		ChainNotYet:         func(c, a *Half) { c.Validity.From = now.Add(time.Second) },
		ChainOver:           func(c, a *Half) { c.Validity.To = now },
		ClientStopped:       func(c, a *Half) { c.Grantor.Blocked = true },
		PersonStopped:       func(c, a *Half) { a.Person.Active = false },
		NotAssigned:         func(c, a *Half) { a.State = Revoked },
		AssignmentNarrower:  func(c, a *Half) { c.Scope = append(c.Scope, Item{Service: uuid("2"), Level: etoegang.LoA3}) },
		AssignmentLower:     func(c, a *Half) { a.Scope = Scope{{Service: uuid("1"), Level: etoegang.LoA2}} },
		AssignmentSuspended: func(c, a *Half) { a.State = Suspended },
		AssignmentAsked:     func(c, a *Half) { a.State = AwaitingSignatures },
		AssignmentNotYet:    func(c, a *Half) { a.Validity.From = now.Add(time.Second) },
		AssignmentOver:      func(c, a *Half) { a.Validity.To = now },
	} {
		firm := Organisation{ID: 1, Active: true}
		c := Half{Mandate: Mandate{ID: 1, Kind: Chain, Grantor: firm, Intermediary: firm, Scope: vat, State: Active, Validity: year}}
		a := Half{Mandate: Mandate{ID: 2, Kind: Assignment, Client: 1, Scope: vat, State: Active, Validity: year, Person: Person{ID: 1, Active: true}}}
		change(&c, &a)
		if got := c.Fit([]Half{a}, nil, now); got.Misfit != want {
			t.Errorf("%q, want %q", got.Misfit, want)
		}
	}
}
