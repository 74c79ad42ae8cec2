package mandate

import (
	"errors"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// The office pays for its clients' mandates by level and duration; what follows costs what it
// adds.
func TestFees(t *testing.T) {
	prices := PriceList{{Chain, etoegang.LoA3, 1, 2000}, {Chain, etoegang.LoA3, 3, 5000}, {Chain, etoegang.LoA4, 1, 3000}, {Chain, etoegang.LoA4, 3, 8000}}
	if err := prices.Check(); err != nil {
		t.Fatal(err)
	}
	begin := StartOfDay(time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC))
	at := func(kind Kind, level etoegang.AssuranceLevel, from time.Time, years int) Mandate {
		return Mandate{Kind: kind, Scope: Scope{{Level: etoegang.LoA2}, {Level: level}}, Validity: Validity{From: from, To: AddYears(from, years)}}
	}
	old := at(Chain, etoegang.LoA3, begin, 1)
	half := begin.Add(old.Validity.To.Sub(begin) / 2)
	longer, higher, wider := old, at(Chain, etoegang.LoA4, begin, 1), old
	longer.Validity.From, longer.Validity.To = half, AddYears(half, 1)
	higher.Validity.From, wider.Validity.From = half, half
	wider.Scope = append(Scope{{Level: etoegang.LoA1}}, wider.Scope...)
	narrowed, rest := wider, wider // at half of the time; the one by level, the other by time, too
	narrowed.Scope = Scope{{Level: etoegang.LoA2}}
	rest.Validity.To = half.Add(time.Hour)
	full := at(Chain, etoegang.LoA4, begin, 1)
	both := longer
	both.Scope = higher.Scope
	for why, c := range map[string]struct {
		m        Mandate
		followed []Mandate
		fee      Cents
	}{
		"a year":                                  {old, nil, 2000},
		"two years are sold as three":             {at(Chain, etoegang.LoA3, begin, 2), nil, 5000},
		"a lower level as the next":               {at(Chain, etoegang.LoA2, begin, 1), nil, 2000},
		"more than is on the list":                {at(Chain, etoegang.LoA4, begin, 5), nil, 0},
		"another kind":                            {at(Direct, etoegang.LoA3, begin, 1), nil, 0},
		"another service for what is left":        {wider, []Mandate{old}, 0},
		"a higher level for half of the time":     {higher, []Mandate{old}, 500},
		"anew, less half of what was paid":        {longer, []Mandate{old}, 1000},
		"anew, and the old one was narrowed":      {longer, []Mandate{narrowed, old}, 1000},
		"anew, and hardly any was left of it":     {longer, []Mandate{rest, old}, 2000},
		"as high again as was paid for":           {higher, []Mandate{narrowed, full}, 0},
		"anew, after that was renewed":            {both, []Mandate{longer, old}, 1000},
		"anew and higher":                         {both, []Mandate{old}, 2000},
		"anew, and what was paid is used up":      {at(Chain, etoegang.LoA3, old.Validity.To, 1), []Mandate{old}, 1000},
		"anew, lower and worth less than is left": {at(Direct, etoegang.LoA3, half, 2), []Mandate{old}, 0},
	} {
		if fee := prices.Fee(c.m, c.followed, half); fee != c.fee {
			t.Errorf("%s: %d, want %d", why, fee, c.fee)
		}
	}
	if fee := prices.Fee(at(Chain, etoegang.LoA3, old.Validity.To, 1), []Mandate{old}, old.Validity.To); fee != 2000 {
		t.Errorf("after the end: %d", fee)
	}
	for why, bad := range map[string]PriceList{
		"twice":         append(PriceList{{Chain, etoegang.LoA3, 1, 1}}, prices...),
		"six years":     {{Chain, etoegang.LoA3, 6, 1}},
		"no year":       {{Chain, etoegang.LoA3, 0, 1}},
		"an assignment": {{Assignment, etoegang.LoA3, 1, 1}},
		"no level":      {{Chain, 0, 1, 1}},
		"money back":    {{Chain, etoegang.LoA3, 1, -1}},
	} {
		if err := bad.Check(); !errors.Is(err, ErrPrices) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// A set spares people from choosing one by one, and is no more than its services.
func TestServiceSets(t *testing.T) {
	var one, two etoegang.ServiceUUID
	one, _ = etoegang.ParseServiceUUID("11111111-2222-3333-4444-555555555555")
	two, _ = etoegang.ParseServiceUUID("66666666-7777-8888-9999-000000000000")
	names := map[string]string{"nl": "Belastingen", "en": "Taxes"}
	set := ServiceSet{names, []etoegang.ServiceUUID{one, two}}
	if err := set.Check(); err != nil {
		t.Error(err)
	}
	if s := set.At(etoegang.LoA3); len(s) != 2 || s[1] != (Item{Service: two, Level: etoegang.LoA3}) {
		t.Errorf("%+v", s)
	}
	for why, bad := range map[string]ServiceSet{
		"empty":       {names, nil},
		"twice":       {names, []etoegang.ServiceUUID{one, one}},
		"nothing":     {names, []etoegang.ServiceUUID{{}}},
		"not English": {map[string]string{"nl": "Belastingen"}, set.Services},
	} {
		if err := bad.Check(); !errors.Is(err, ErrServiceSet) {
			t.Errorf("%s: %v", why, err)
		}
	}
}
