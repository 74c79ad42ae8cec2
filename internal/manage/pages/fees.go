package pages

import (
	"fmt"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
)

// hasPrices tells whether anything costs something here. Where nothing does, nothing is said of it.
func (v *visit) hasPrices() bool { return len(v.c.Desk.Terms().Prices) > 0 }

// cost says what a mandate costs whoever gives it, once it is in force. "": nothing is said of it.
func (v *visit) cost(l *desk.Look, grantor string, m mandate.Mandate) (string, error) {
	if !v.hasPrices() || m.Kind == mandate.Assignment {
		return "", nil
	}
	fee, err := l.Fee(m)
	switch {
	case err != nil:
		return "", err
	case fee == 0:
		return v.say.Say("deal free", "grantor", grantor), nil
	}
	return v.say.Say("deal cost", "grantor", grantor, "amount", v.euros(fee)), nil
}

// askedDeal is what a mandate that is being asked for says, with what it would cost.
func (v *visit) askedDeal(l *desk.Look, m mandate.Mandate) (d deal, err error) {
	if d, err = v.fullDeal(l, m); err != nil || !m.State.Pending() {
		return d, err
	}
	if d.follows, err = v.inPlaceOf(l, m); err == nil {
		d.cost, err = v.cost(l, d.grantor, m)
	}
	return d, err
}

// inPlaceOf is the mandate that ends once m is in force; 0: none. Between the two there may be
// requests that gave way to each other.
func (v *visit) inPlaceOf(l *desk.Look, m mandate.Mandate) (mandate.ID, error) {
	for m.Supersedes != 0 {
		var err error
		if m, err = l.Mandate(m.Supersedes); err != nil {
			return 0, err
		}
		if !m.State.Ended() && !m.State.Pending() {
			return m.ID, nil
		}
	}
	return 0, nil
}

// euros is an amount as people read it: € 1.234,50 in Dutch, €1,234.50 in English.
func (v *visit) euros(c mandate.Cents) string {
	return v.say.Say("euros", "whole", int64(c/100), "cents", fmt.Sprintf("%02d", c%100))
}

// plainEuros is an amount as spreadsheets of that language read it.
func (v *visit) plainEuros(c mandate.Cents) string {
	return v.say.Say("plain euros", "whole", fmt.Sprint(int64(c/100)), "cents", fmt.Sprintf("%02d", c%100))
}

// costs are what mandates cost, and what was charged: to the visitor's organisation, for staff to
// everybody.
func (v *visit) costs() (a answer, err error) {
	place := v.numbered("/costs", "")
	err = v.look(func(l *desk.Look) error {
		list, more, err := l.Fees(place.after, perPage)
		if err != nil {
			return err
		}
		t := look.Table{Caption: v.say.Say("charged"), Empty: &look.Empty{Title: v.say.Say("charged nothing")}, Columns: []look.Column{
			{Title: v.say.Say("mandate"), Names: true}, {Title: v.say.Say("charged on")}, {Title: v.say.Say("acts for")}, {Title: v.say.Say("who acts")}, {Title: v.say.Say("amount"), Number: true},
		}}
		for _, f := range list {
			t.Rows = append(t.Rows, look.Row{
				{Text: v.say.Say("mandate number", "number", idText(f.Mandate.ID)), Address: "/mandates/" + idText(f.Mandate.ID)},
				{Text: v.say.Date(f.At)}, {Text: v.party(f.Mandate.Grantor)}, {Text: v.receiver(f.Mandate)}, {Text: v.euros(f.Cents)},
			})
		}
		t.Paging = place.paging(len(list), lastOf(list).Mandate.ID, more)
		parts := []look.Part{look.Paragraph{Text: v.say.Say("costs text")}, v.priceTable(), t}
		if len(list) > 0 {
			parts = append(parts, look.Actions{v.action(v.say.Say("costs list"), "/costs/list", look.Secondary)})
		}
		a.page = look.Page{Title: v.say.Say("place /costs"), Parts: parts}
		return nil
	})
	return a, err
}

func (v *visit) priceTable() look.Table {
	t := look.Table{Caption: v.say.Say("prices"), Empty: &look.Empty{Title: v.say.Say("no prices")}, Columns: []look.Column{
		{Title: v.say.Say("price of"), Names: true}, {Title: v.say.Say("price level")}, {Title: v.say.Say("price years")}, {Title: v.say.Say("amount"), Number: true},
	}}
	for _, p := range v.c.Desk.Terms().Prices {
		t.Rows = append(t.Rows, look.Row{{Text: v.say.Say("price " + string(p.Kind))}, {Text: v.level(p.Level)}, {Text: v.say.Count("years", p.Years)}, {Text: v.euros(p.Cents)}})
	}
	return t
}

// costsList is all that was charged, as a file.
func (v *visit) costsList() (answer, error) {
	heads := []string{v.say.Say("mandate"), v.say.Say("charged on"), v.say.Say("kvk"), v.say.Say("acts for"), v.say.Say("who acts"), v.say.Say("amount")}
	return listFile(v, v.say.Say("file costs"), heads, func(l *desk.Look, after mandate.ID) (rows [][]string, last mandate.ID, more bool, err error) {
		list, more, err := l.Fees(after, perFile)
		for _, f := range list {
			rows = append(rows, []string{idText(f.Mandate.ID), v.day(f.At), f.Mandate.Grantor.KvK.Text(), f.Mandate.Grantor.Name, v.receiver(f.Mandate), v.plainEuros(f.Cents)})
		}
		return rows, lastOf(list).Mandate.ID, more, err
	})
}
