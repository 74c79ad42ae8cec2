package sandbox

import (
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
)

// further are the stories after the first ones: more to choose, and things that go wrong.
func further() []*Person { return append(choosing(), failing()...) }

// choosing are people who have something to choose.
func choosing() []*Person {
	return []*Person{
		{
			Name: "Noor Willems", Service: "vat", choice: "67890123",
			Story:   look.Text{NL: "heeft een eigen atelier en doet ook de aangifte van twee klanten van het kantoor.", EN: "has a workshop of her own, and also files for two clients of the office."},
			Outcome: look.Text{NL: "Het register vraagt haar voor wie ze inlogt: haar eigen bedrijf of een klant.", EN: "The register asks her for whom she logs in: her own company or a client."},
			mandates: func(w *world) error {
				if err := w.direct(w.tailor, w.vat, etoegang.LoA3); err != nil {
					return err
				}
				if err := w.client(w.farm, nil); err != nil {
					return err
				}
				return w.client(w.plumber, nil)
			},
		},
		{
			Name: "Mila Peeters", Service: "vat", choice: "56789012",
			Story:   look.Text{NL: "mag aangifte doen namens het kantoor zelf en voor één klant. De andere klanten staan in het andere register, en haar register kent ze niet.", EN: "may file for the office itself and for one client. The other clients are in the other register, and her register does not know them."},
			Outcome: look.Text{NL: "Ze drukt op de knop om klanten bij andere registers te zoeken, kiest Kaasmakerij De Wei, en het tweede register bevestigt dat.", EN: "She presses the button that looks for clients at other registers, chooses dairy De Wei, and the second register confirms that."},
			mandates: func(w *world) error {
				if _, err := w.n.Second.Chain(w.dairy, w.office, harness.For(w.vat, etoegang.LoA3)); err != nil {
					return err
				}
				if err := w.client(w.farm, nil); err != nil {
					return err
				}
				return w.direct(w.office, w.vat, etoegang.LoA3)
			},
		},
		{
			Name: "Otto Brands", Service: "portal", choice: "23456789",
			Story:   look.Text{NL: "gebruikt het portaal van de provincie. Voor de boerderij mag hij achter het portaal subsidie aanvragen en meldingen doen.", EN: "uses the portal of the province. Behind it he may ask for subsidies and give notices for the farm."},
			Outcome: look.Text{NL: "Het register vraagt voor welke diensten hij inlogt. De dienstverlener leest welke hij koos.", EN: "The register asks for which services he logs in. The provider reads which ones he chose."},
			mandates: func(w *world) error {
				scope := mandate.Scope{}
				for _, name := range []string{"subsidy", "notice"} {
					scope = append(scope, harness.For(w.n.Services[name], etoegang.LoA3)...)
				}
				_, err := w.n.First.Direct(w.farm, w.who, scope)
				return err
			},
		},
	}
}

// failing are people in whose log-ins something goes wrong, one for each error that the
// scheme knows and one for a mandate that ends at the worst moment.
func failing() []*Person {
	own := func(w *world) error { return w.direct(w.bakery, w.vat, etoegang.LoA3) }
	return []*Person{
		{
			Name: "Ilse Kok", Service: "vat", fault: revokedBetween,
			Story:    look.Text{NL: "kiest een klant van wie de machtiging in het tweede register staat. Precies dan trekt de klant die in.", EN: "chooses a client whose mandate is in the second register. At that very moment the client takes it back."},
			Outcome:  look.Text{NL: "Het tweede register weigert: revoked. De dienstverlener krijgt Responder/AuthnFailed.", EN: "The second register refuses: revoked. The provider gets Responder/AuthnFailed."},
			mandates: func(w *world) error { return w.across(w.cyclist) },
		},
		{
			Name: "Jaap Meijer", Service: "vat", fault: registerDown,
			Story:   look.Text{NL: "werkt bij de bakkerij, maar zijn register valt uit terwijl hij inlogt.", EN: "works at the bakery, but his register goes down while he logs in."},
			Outcome: look.Text{NL: "Niemand weet of hij mag inloggen. De dienstverlener krijgt Responder.", EN: "Nobody knows whether he may log in. The provider gets Responder."}, mandates: own,
		},
		{
			Name: "Karim El Amrani", Service: "vat", fault: string(harness.WrongAudience),
			Story:   look.Text{NL: "werkt bij de bakkerij, maar zijn authenticatiedienst noemt het verkeerde register.", EN: "works at the bakery, but his authentication service names the wrong register."},
			Outcome: look.Text{NL: "Het register weigert het bericht. De dienstverlener krijgt Requester.", EN: "The register refuses the message. The provider gets Requester."}, mandates: own,
		},
		{
			Name: "Lotte Jansen", Service: "vat", fault: string(harness.Expired),
			Story:   look.Text{NL: "werkt bij de bakkerij, maar de makelaar vraagt het te laat aan het register.", EN: "works at the bakery, but the broker asks the register too late."},
			Outcome: look.Text{NL: "Het register weigert het bericht. De dienstverlener krijgt Requester/RequestUnsupported.", EN: "The register refuses the message. The provider gets Requester/RequestUnsupported."}, mandates: own,
		},
	}
}

// across lets the person act for a client of the office whose mandate is at the second
// register, of which the first has noted that.
func (w *world) across(client mandate.Organisation) error {
	if _, err := w.n.Second.Chain(client, w.office, harness.For(w.vat, etoegang.LoA3)); err != nil {
		return err
	}
	return w.client(client, w.n.Second)
}
