package mandate

import (
	"errors"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// Cents is an amount of money: hundredths of a euro, without VAT.
type Cents int64

// Price is what a mandate of one kind costs up to a level and a duration.
type Price struct {
	Kind  Kind
	Level etoegang.AssuranceLevel
	Years int
	Cents Cents
}

// PriceList is what mandates cost. What is not on it costs nothing.
type PriceList []Price

// ErrPrices: a price list by which nobody could tell what something costs.
var ErrPrices = errors.New("a price is that of a direct or chain mandate at a level for 1 to 5 years, named once, and not below zero")

// Check tells whether the list can be used.
func (l PriceList) Check() error {
	for i, p := range l {
		sold := p.Kind == Direct || p.Kind == Chain
		if !sold || !p.Level.Supported() || p.Years < 1 || p.Years > MaxYears || p.Cents < 0 {
			return ErrPrices
		}
		if slices.ContainsFunc(l[:i], func(o Price) bool { return o.Kind == p.Kind && o.Level == p.Level && o.Years == p.Years }) {
			return ErrPrices
		}
	}
	return nil
}

// Of is what m costs: the cheapest that covers its highest level and lasts as long. A mandate
// that the list has nothing for costs nothing.
func (l PriceList) Of(m Mandate) (cheapest Cents) {
	found := false
	for _, p := range l {
		covers := p.Kind == m.Kind && p.Level >= m.Scope.Highest() && !m.Validity.To.After(AddYears(m.Validity.From, p.Years))
		if covers && (!found || p.Cents < cheapest) {
			cheapest, found = p.Cents, true
		}
	}
	return cheapest
}

// Fee is what has to be paid when m comes in force. followed are the mandates that were in force
// in its place, each of which took that of the next: the newest first. Within the same time only
// a higher level costs anything: the difference, for the time that is left. What lasts longer is
// paid anew, less what is left of what was paid.
func (l PriceList) Fee(m Mandate, followed []Mandate, now time.Time) Cents {
	if len(followed) == 0 {
		return l.Of(m)
	}
	during, paid := l.paid(followed)
	if m.Validity.To.After(during.To) {
		return max(0, l.Of(m)-paid.left(during, now))
	}
	m.Validity = during
	return max(0, l.Of(m)-paid).left(during, now)
}

// paid is for which time was paid, and what. What did not last longer than the one before went
// on with its time; of what was narrowed since nothing was given back.
func (l PriceList) paid(followed []Mandate) (during Validity, paid Cents) {
	n := 1
	for n < len(followed) && !followed[n-1].Validity.To.After(followed[n].Validity.To) {
		n++
	}
	during = Validity{From: followed[n-1].Validity.From, To: followed[0].Validity.To}
	for _, m := range followed[:n] {
		m.Validity = during
		paid = max(paid, l.Of(m))
	}
	return during, paid
}

// left is the part of an amount for the time of a validity that is still to come.
func (c Cents) left(v Validity, now time.Time) Cents {
	from := v.From
	if now.After(from) {
		from = now
	}
	if !from.Before(v.To) {
		return 0
	}
	return Cents(int64(c) * int64(v.To.Sub(from)/time.Second) / int64(v.To.Sub(v.From)/time.Second))
}
