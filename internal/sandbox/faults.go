package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Fault is something that goes wrong in one log-in on purpose. It really happens, and every
// party answers as it would to a stranger.
type Fault struct {
	Name  string
	What  look.Text // what goes wrong
	After look.Text // who notices, and what comes of it
}

// The faults that are no mistakes of the harness.
const (
	stolenArtifact  = "stolen-artifact"
	registerDown    = "register-down"
	secondDown      = "second-register-down"
	revokedBetween  = "revoked-before-confirmation"
	answerExpired   = "answer-expired"
	answerAltered   = "answer-altered"
	answerWrongKey  = "answer-wrong-key"
	answerElsewhere = "answer-wrong-audience"
	answerUnasked   = "answer-unasked"
)

// Words that faults share.
var (
	requester   = look.Text{NL: "Het register weigert. De dienstverlener krijgt Requester.", EN: "The register refuses. The provider gets Requester."}
	unsupported = look.Text{NL: "Het register weigert. De dienstverlener krijgt Requester/RequestUnsupported.", EN: "The register refuses. The provider gets Requester/RequestUnsupported."}
	disbelieved = look.Text{NL: "Het register gelooft niet dat de vraag van de makelaar is. Het inloggen stopt op een pagina van het register.", EN: "The register does not believe that the query is the broker's. The log-in ends on a page of the register."}
	responder   = look.Text{NL: "De makelaar weet niet of u mag inloggen. De dienstverlener krijgt Responder.", EN: "The broker does not know whether you may log in. The provider gets Responder."}
	notForUser  = look.Text{NL: "De dienstverlener moet het antwoord weigeren.", EN: "The provider must refuse the answer."}
)

// faults lists them all, in the order in which a log-in comes by.
var faults = []Fault{
	{string(harness.WrongAudience), look.Text{NL: "De verklaring van de authenticatiedienst is voor een ander register bedoeld.", EN: "The authentication service's assertion is meant for another register."}, requester},
	{string(harness.Expired), look.Text{NL: "De vraag van de makelaar aan het register is tien minuten oud.", EN: "The broker's query to the register is ten minutes old."}, unsupported},
	{string(harness.SkewedClock), look.Text{NL: "De klok van de makelaar loopt tien minuten voor.", EN: "The broker's clock is ten minutes fast."}, unsupported},
	{string(harness.Replayed), look.Text{NL: "Iemand anders heeft dezelfde vraag al eerder naar het register gestuurd.", EN: "Somebody else has sent the same query to the register before."}, unsupported},
	{string(harness.Altered), look.Text{NL: "Na het ondertekenen is één letter van de vraag veranderd.", EN: "One letter of the query was changed after it was signed."}, disbelieved},
	{string(harness.WrongKey), look.Text{NL: "De vraag is ondertekend met een sleutel die niet van de makelaar is.", EN: "The query is signed with a key that is not the broker's."}, disbelieved},
	{stolenArtifact, look.Text{NL: "Iemand heeft het artifact van het register al gebruikt. Een artifact is één keer geldig.", EN: "Somebody has used the register's artifact already. An artifact is good once."}, responder},
	{registerDown, look.Text{NL: "Het register van de gebruiker antwoordt niet als de makelaar het antwoord ophaalt.", EN: "The user's register does not answer when the broker fetches its answer."}, responder},
	{secondDown, look.Text{NL: "Het tweede register antwoordt niet als het moet bevestigen. Dit gebeurt alleen bij een keten over twee registers.", EN: "The second register does not answer when it must confirm. This happens only with a chain across two registers."}, responder},
	{revokedBetween, look.Text{NL: "De klant trekt de machtiging in nadat de gebruiker heeft gekozen en voordat het tweede register bevestigt.", EN: "The client takes the mandate back after the user has chosen and before the second register confirms."},
		look.Text{NL: "Het tweede register weigert: revoked. De dienstverlener krijgt Responder/AuthnFailed.", EN: "The second register refuses: revoked. The provider gets Responder/AuthnFailed."}},
	{answerExpired, look.Text{NL: "Het antwoord aan de dienstverlener is tien minuten oud.", EN: "The answer to the provider is ten minutes old."}, notForUser},
	{answerElsewhere, look.Text{NL: "Het antwoord is voor een andere dienstverlener bedoeld.", EN: "The answer is meant for another provider."}, notForUser},
	{answerUnasked, look.Text{NL: "Het antwoord hoort bij een andere vraag dan die van de dienstverlener.", EN: "The answer belongs to another request than the provider's."}, notForUser},
	{answerAltered, look.Text{NL: "Na het ondertekenen is één letter van het antwoord veranderd.", EN: "One letter of the answer was changed after it was signed."}, notForUser},
	{answerWrongKey, look.Text{NL: "Het antwoord is ondertekend met een sleutel die niet van de makelaar is.", EN: "The answer is signed with a key that is not the broker's."}, notForUser},
}

// faultNamed finds a fault; nil: there is none of that name.
func faultNamed(name string) *Fault {
	i := slices.IndexFunc(faults, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &faults[i]
}

// anyBrowser stands for the browser of whoever logs in next.
const anyBrowser = "*"

// wish lets a fault happen in the next log-in of a browser. "": none.
func (b *broker) wish(browser, fault string) error {
	if fault == "" {
		_, _ = b.wishes.take(browser, browser) // there may be none
		return nil
	}
	if faultNamed(fault) == nil {
		return fmt.Errorf("there is no fault %.50q", fault)
	}
	b.wishes.begin(browser, browser, fault)
	return nil
}

// wished is what was wished for a log-in that a browser begins now.
func (b *broker) wished(browser string) string {
	for _, of := range []string{browser, anyBrowser} {
		if fault, err := b.wishes.take(of, of); err == nil {
			return fault
		}
	}
	return ""
}

// chosen is what a browser has wished for its next log-in; "": nothing.
func (b *broker) chosen(browser string) string {
	fault, _ := b.wishes.look(browser)
	return fault
}

// chooseFault lets the visitor of the start page choose what goes wrong in his next log-in.
func (s *Sandbox) chooseFault(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	if err := s.broker.wish(browserOf(w, r, "broker"), r.PostFormValue("fault")); err != nil {
		return err
	}
	http.Redirect(w, r, "/#faults", http.StatusSeeOther)
	return nil
}

// revoke takes the client's mandate back at the register that is about to confirm it, and
// tells how to give it again, so that the story can be told once more.
func revoke(ctx context.Context, first *harness.Result, at *harness.RegisterNode) (again func() error, err error) {
	statement := first.Reply.Statement
	companies, err := statement.OpenRepresented(at.Entity, at.Openers())
	if err != nil {
		return nil, err
	}
	var held []mandate.Mandate
	err = at.Register().Read(ctx, func(s *register.Snapshot) error {
		held, err = s.Between(companies[0], statement.Intermediary())
		return err
	})
	if err != nil {
		return nil, err
	}
	held = slices.DeleteFunc(held, func(m mandate.Mandate) bool { return m.State != mandate.Active })
	for _, m := range held {
		if err := at.Revoke(m.ID); err != nil {
			return nil, err
		}
	}
	return func() error {
		for _, m := range held {
			m.ID = 0
			if _, err := at.Grant(m); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// mistakeOf is a fault as the harness makes it; "": it is none of its mistakes.
func mistakeOf(fault string) harness.Mistake {
	if m := harness.Mistake(fault); slices.Contains(harness.Mistakes(), m) {
		return m
	}
	return ""
}

// handover is what is wrong with the broker's assertion in a fault.
func handover(fault string) harness.Mistake {
	switch fault {
	case answerExpired:
		return harness.Expired
	case answerElsewhere:
		return harness.WrongAudience
	}
	return ""
}
