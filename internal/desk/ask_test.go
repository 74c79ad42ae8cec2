package desk

import (
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Nobody asks for a service that the catalogue does not have: it would be a mandate for nothing. What
// was agreed to while the catalogue had it is passed on and renewed all the same.
func TestServicesOfTheCatalogue(t *testing.T) {
	s := newScene(t)
	anna, bol := s.appoint(bakery, mandate.Administrator, ""), s.appoint(office, mandate.Administrator, "")
	gone := must(etoegang.ParseServiceUUID("99999999-0000-0000-0000-000000000000"))
	left := mandate.Scope{{Service: gone, Level: etoegang.LoA3}}
	chain := Wish{Kind: mandate.Chain, Grantor: bakery, Intermediary: office, Validity: year(s.clock.Now())}
	for what, scope := range map[string]mandate.Scope{
		"a service": left, "one of two": {left[0], forVAT[0]}, "a provider": {{Provider: must(etoegang.ParseOIN("00000009999999999000")), Level: etoegang.LoA3}},
	} {
		chain.Scope = scope
		_, err := s.Ask(ctx, anna, "test", chain)
		s.refused(what, err, mandate.ErrUnlisted)
	}
	var m mandate.Mandate
	_ = must(s.register.Change(ctx, keeper, func(t *register.Tx) (err error) {
		m, err = t.Grant(mandate.Mandate{Kind: mandate.Chain, State: mandate.Active, Grantor: must(party(t, bakery)), Intermediary: must(party(t, office)), Scope: left, Validity: chain.Validity}, register.GrantOptions{})
		return err
	}))
	eva := Wish{Kind: mandate.Assignment, Grantor: office, Client: m.ID, Person: PersonWish{Subject: subject(9)}, Scope: left, Validity: chain.Validity}
	_ = must(s.Ask(ctx, bol, "test", eva))
	chain.Scope, chain.Supersedes, chain.Validity.To = left, m.ID, chain.Validity.To.AddDate(1, 0, 0)
	if next := must(s.Ask(ctx, anna, "test", chain)).Mandate; next.State != mandate.Active || next.Supersedes != m.ID {
		t.Errorf("the next one: %+v", next)
	}
	chain.Scope, chain.Supersedes = append(mandate.Scope{{Service: gone, Level: etoegang.LoA3}}, forTaxes[0]), 0
	_, err := s.Ask(ctx, bol, "test", chain)
	s.refused("asked for by the office", err, mandate.ErrUnlisted)
}
