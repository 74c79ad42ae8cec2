package sandbox

import (
	"context"
	"fmt"
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The names of nine hundred clients are made of thirty trades and thirty owners.
var (
	trades = strings.Fields(`Aannemersbedrijf Autobedrijf Bakkerij Bloemenhandel Boekhandel Bouwbedrijf Dakdekker Drukkerij
		Fietsenmaker Garage Groothandel Hoveniersbedrijf Installatiebedrijf Juwelier Kapsalon Kwekerij Loonbedrijf
		Meubelmakerij Metaalbewerking Notenbranderij Optiek Partycentrum Rijschool Schildersbedrijf Slagerij
		Taxibedrijf Timmerbedrijf Uitgeverij Visspecialist Wijnhandel`)
	owners = strings.Fields(`Aalders Beekman Cornelissen Dekker Elzinga Franken Gerritsen Hoekstra Idema Jansma Koster
		Linders Maas Nauta Oosterhof Prins Quist Reinders Smeets Terpstra Uiterwaal Vink Wagenaar Xavier Ypma Zijlstra
		Brouwer Douma Evers Faber`)
)

// clientOf is one of them, counted from 0.
func clientOf(i int) mandate.Organisation {
	return harness.Company(trades[i%len(trades)]+" "+owners[i/len(trades)], fmt.Sprintf("4%07d", 1000+7*i), "")
}

// nineHundred lets the person act for nine hundred clients of the office, in one change: one
// after the other they would take their time.
func (w *world) nineHundred() error {
	scope, validity := harness.For(w.vat, etoegang.LoA3), w.yearFromNow()
	_, err := w.n.First.Register().Change(context.Background(), register.Author{Who: "sandbox", Why: "nine hundred clients"}, func(t *register.Tx) error {
		office, err := t.PutOrganisation(w.office)
		if err != nil {
			return err
		}
		who, err := t.PutPerson(w.who)
		if err != nil {
			return err
		}
		for i := range len(trades) * len(owners) {
			client := clientOf(i)
			w.s.keepCompany(client)
			if err := w.addClient(t, client, office, who, scope, validity); err != nil {
				return fmt.Errorf("%s: %w", client.Name, err)
			}
		}
		return nil
	})
	return err
}

func (w *world) addClient(t *register.Tx, company, office mandate.Organisation, who mandate.Person, scope mandate.Scope, v mandate.Validity) error {
	company, err := t.PutOrganisation(company)
	if err != nil {
		return err
	}
	chain, err := t.Grant(mandate.Mandate{
		Kind: mandate.Chain, State: mandate.Active, Grantor: company, Intermediary: office, Scope: scope, Validity: v,
	}, register.GrantOptions{})
	if err != nil {
		return err
	}
	_, err = t.Grant(mandate.Mandate{
		Kind: mandate.Assignment, State: mandate.Active, Client: chain.ID, Grantor: office, Person: who, Scope: scope, Validity: v,
	}, register.GrantOptions{})
	return err
}
