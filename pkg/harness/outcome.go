package harness

import (
	"context"
	"fmt"

	"github.com/mandated/mandated/pkg/saml"
)

// Outcome is how a log-in ends for a provider.
type Outcome struct {
	Status saml.Status
	Codes  []string      // reasons of a refusal
	Told   saml.Provided // what the provider reads; zero unless the status is Success

	Steps []*Result // what the registers were asked and what they said
}

// Complete goes the whole way of a log-in without a browser: it asks the person's register,
// lets a second one confirm where the first says so, and gives the provider the broker's
// answer to read. The company is the one that the question prefers, or the only one.
func (b *Broker) Complete(ctx context.Context, q Question) (*Outcome, error) {
	first, err := b.Authorize(ctx, q)
	if err != nil {
		return nil, err
	}
	o := &Outcome{Steps: []*Result{first}}
	if first.Reply != nil && first.Reply.Permitted() && !first.Reply.Statement.Confirm.IsZero() {
		at := b.network.Second
		if at == nil || at.Entity != first.Reply.Statement.Confirm {
			return o, fmt.Errorf("%s must confirm, and is not in this network", first.Reply.Statement.Confirm)
		}
		second, err := b.Confirm(ctx, first, at)
		if err != nil {
			return o, fmt.Errorf("asking the second register: %w", err)
		}
		o.Steps = append(o.Steps, second)
	}
	return o, b.conclude(o)
}

// conclude gives the provider its answer.
func (b *Broker) conclude(o *Outcome) error {
	last := o.Steps[len(o.Steps)-1]
	if last.Reply == nil { // a SOAP fault: nobody knows
		o.Status = saml.ResponderFailed
		return nil
	}
	if o.Status = last.Reply.Status; !last.Reply.Permitted() {
		o.Codes = last.Reply.Codes()
		if o.Status == saml.Success { // a Deny in a statement
			o.Status = saml.ResponderAuthnFailed
		}
		return nil
	}
	home, request := last.question.Service.Home, saml.NewID()
	assertion, err := b.Combine(o.Steps, Handover{InResponseTo: request, Recipient: home.Consumer})
	if err != nil {
		return err
	}
	n := b.network
	signed, err := saml.Response{
		ID: saml.NewID(), InResponseTo: request, Issuer: b.Entity, Destination: home.Consumer, Issued: n.Now(),
		Status: saml.Success, Assertion: assertion,
	}.SignAround(b.Signer())
	if err != nil {
		return err
	}
	r := saml.Receiver{Self: home.Entity, Openers: home.Openers(), Ages: saml.DefaultAges, Directory: n.directory()}
	answer, err := r.ReceiveSignedOn(signed.Bytes(), n.Now())
	if err != nil {
		return fmt.Errorf("reading the broker's answer as the provider: %w", err)
	}
	o.Told, err = r.Provided(answer, request, home.Consumer, n.Now())
	return err
}

// directory is everybody whose statements a provider reads.
func (n *Network) directory() *saml.Directory {
	all := []saml.Participant{n.Broker.Participant(), n.Authenticator.Participant()}
	for _, r := range n.registers() {
		all = append(all, r.Participant())
	}
	return saml.NewDirectory(all...)
}
