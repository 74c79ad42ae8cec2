package pdp

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/mandate"
)

// Used tells from a record, as the journal has it, which mandates were used and at which
// service: those on which a Permit rests, also that of a kept decision, and that to a
// provider who asks again. A Deny used none; nor did a Choose, since nobody has acted yet,
// and what the user then chooses has its own record.
//
// Each half of a chain is a Permit of its own and uses its own mandate: the person's half the
// person's, whether the other half is then confirmed or not, and the confirmation the
// company's. If another register confirms, the person's half also uses what stands here of
// the company's mandate, of which no other record here will ever tell.
func Used(body []byte) (mandates []mandate.ID, service string, err error) {
	var r struct {
		Outcome string `json:"outcome"`
		Service string `json:"service"`
		Options []struct {
			Mandates    []mandate.ID `json:"mandates"`
			Unconfirmed []mandate.ID `json:"unconfirmed"`
		} `json:"options"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, "", fmt.Errorf("not a record of a decision: %w", err)
	}
	switch r.Outcome {
	case decision.Permit.String():
	case decision.Deny.String(), decision.Choose.String(), Indeterminate:
		return nil, "", nil
	default:
		return nil, "", errors.New("not a record of a decision: it has no outcome that is known")
	}
	if len(r.Options) != 1 || len(r.Options[0].Mandates) == 0 {
		return nil, "", errors.New("a record of a Permit that rests on no mandate, or on several choices")
	}
	o := r.Options[0]
	return slices.DeleteFunc(o.Mandates, func(id mandate.ID) bool { return slices.Contains(o.Unconfirmed, id) }), r.Service, nil
}
