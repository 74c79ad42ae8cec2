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
	combination, err := n.combine(results)
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

// combine is the assertion that the broker gives the provider in the end.
func (n *Network) combine(results []*Result) (*xmlsec.Element, error) {
	first := results[0]
	advice := []*xmlsec.Element{first.login}
	for _, r := range results {
		advice = append(advice, r.Reply.Assertion)
	}
	q, now := first.question, n.Now()
	level := q.Login
	if level == etoegang.NoLevel {
		level = q.Service.Level
	}
	return saml.Combination{
		ID: saml.NewID(), Issuer: n.Broker.Entity, NameID: saml.NewID(), Issued: now, Until: now.Add(2 * time.Minute),
		Recipient: q.Service.Home.Consumer, InResponseTo: saml.NewID(), Audience: q.Service.Home.Entity,
		Level: level, Authenticator: n.Authenticator.Entity, Advice: advice,
		ServiceID: q.Service.ID, ServiceUUID: q.Service.UUID,
	}.Sign(n.Broker.Signer())
}
