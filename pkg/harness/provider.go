package harness

import (
	"context"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Recheck lets the provider ask whether what its broker gave it still holds: the broker's
// assertion with the log-in and the registers' statements in its advice. results are the
// answers that made it: one, or two for a chain across two registers.
func (n *Network) Recheck(ctx context.Context, at *RegisterNode, results ...*Result) (*Result, error) {
	represented, err := results[len(results)-1].Represented()
	if err != nil {
		return nil, fmt.Errorf("reading the company as the provider: %w", err)
	}
	return n.RecheckAbout(ctx, at, represented, results...)
}

// RecheckAbout asks the same about a company of the provider's own choice.
func (n *Network) RecheckAbout(ctx context.Context, at *RegisterNode, represented []etoegang.LegalSubject, results ...*Result) (*Result, error) {
	last := results[len(results)-1]
	home := last.question.Service.Home
	combination, err := n.Broker.Combine(results, Handover{InResponseTo: saml.NewID(), Recipient: home.Consumer})
	if err != nil {
		return nil, err
	}
	asking := saml.Asking{
		ID: saml.NewID(), Issuer: home.Entity, Destination: at.Address, Issued: n.Now(),
		Assertions: []*xmlsec.Element{combination}, Through: last.Reply.Statement.Intermediary(),
		ServiceID: last.question.Service.ID, ServiceUUID: last.question.Service.UUID, Level: last.question.Asked,
	}
	for _, subject := range represented {
		asking.Represented = append(asking.Represented, saml.PlainName(subject))
	}
	result := &Result{question: last.question}
	result.question.Mistake, result.question.AtLeast = "", 0
	return result, n.ask(ctx, home, asking, home.Signer(), at, result)
}

// Handover is to whom the broker's assertion goes.
type Handover struct {
	InResponseTo string // the provider's request
	Recipient    string // where the provider takes its answer

	// Mistake in the broker's assertion: Expired, SkewedClock or WrongAudience; "": none.
	Mistake Mistake
}

// Combine makes the assertion that the provider gets in the end, of what came of the
// question: one answer, or two for a chain across two registers. Its level is the lowest of
// all.
func (b *Broker) Combine(results []*Result, to Handover) (*xmlsec.Element, error) {
	first, last := results[0], results[len(results)-1].Reply.Statement
	advice, level := []*xmlsec.Element{first.login.Assertion}, first.login.Level
	for _, r := range results {
		advice = append(advice, r.Reply.Assertion)
		if used := r.Reply.Statement.Used; used != etoegang.NoLevel {
			level = min(level, used)
		}
	}
	acting, err := first.Reply.Statement.CopyActing()
	if err != nil {
		return nil, err
	}
	represented, err := last.CopyRepresented()
	if err != nil {
		return nil, err
	}
	q, now := first.question, b.network.Now().Add(-to.Mistake.ago())
	audience := q.Service.Home.Entity
	if to.Mistake == WrongAudience {
		audience = mustParse(etoegang.ParseEntityID("urn:etoegang:DV:" + secondOIN + ":entities:9999"))
	}
	c := saml.Combination{
		ID: saml.NewID(), Issuer: b.Entity, NameID: saml.NewID(), Issued: now, Until: now.Add(2 * time.Minute),
		Recipient: to.Recipient, InResponseTo: to.InResponseTo, Audience: audience,
		Level: level, Authenticator: b.network.Authenticator.Entity, Advice: advice,
		ServiceID: q.Service.ID, ServiceUUID: q.Service.UUID,
		Acting: acting, Represented: represented, Intermediary: last.Intermediary(), Establishments: last.Establishments,
		ClearKvK: last.ClearKvK(), // what the register sends in the clear, as a provider may want it
	}
	return c.Sign(b.Signer())
}
