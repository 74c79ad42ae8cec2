package pages

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// readSets reads which sets of services were ticked.
func (v *visit) readSets() (list []int) {
	for i := range v.c.Desk.Terms().Sets {
		if slices.Contains(v.r.PostForm["sets"], strconv.Itoa(i)) {
			list = append(list, i)
		}
	}
	return list
}

// setChoice are the sets to choose from.
func (v *visit) setChoice(d draft) (list look.CheckInput) {
	for i, s := range v.c.Desk.Terms().Sets {
		list = append(list, look.Option{Value: strconv.Itoa(i), Label: v.say.Count("set", len(s.Services), "name", v.setName(s)), Chosen: slices.Contains(d.Sets, i)})
	}
	return list
}

func (v *visit) setName(s mandate.ServiceSet) string { return s.Name[string(v.say.Language)] }

// chosenSets are those of a draft, as they are now.
func (d draft) chosenSets(sets []mandate.ServiceSet) (list []mandate.ServiceSet) {
	for _, i := range d.Sets {
		if i < len(sets) {
			list = append(list, sets[i])
		}
	}
	return list
}

// withSets is a scope with what is in sets, each service once.
func withSets(s mandate.Scope, sets []mandate.ServiceSet, level etoegang.AssuranceLevel) mandate.Scope {
	for _, set := range sets {
		for _, i := range set.At(level) {
			if !slices.Contains(s, i) {
				s = append(s, i)
			}
		}
	}
	return s
}

// setNotes say for which services each set stands that was chosen.
func (v *visit) setNotes(d draft) (list []string) {
	if d.Much != someServices {
		return nil
	}
	c := v.c.Catalogue()
	for _, s := range d.chosenSets(v.c.Desk.Terms().Sets) {
		var names []string
		for _, i := range s.At(etoegang.LoA3) {
			names = append(names, v.item(c, i))
		}
		list = append(list, v.say.Say("set stands for", "name", v.setName(s), "services", strings.Join(names, "; ")))
	}
	return list
}
