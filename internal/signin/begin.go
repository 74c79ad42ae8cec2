package signin

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mandated/mandated/pkg/saml"
)

// Options say what a log-in is for. The zero value is good.
type Options struct {
	// Force lets somebody who is logged in at his authentication service log in anew: before
	// grave acts.
	Force bool
}

// Outgoing is where a browser goes to log in: to an address, or if the broker takes no
// requests there, with a form. One of the two is set.
type Outgoing struct {
	Redirect string
	Form     *Form
}

// Form is sent by POST to Action, with the fields SAMLRequest and RelayState.
type Form struct {
	Action  string
	Request []byte // SAMLRequest, still to be put into base64
	Relay   string // RelayState
}

// Pending is a log-in that was begun. Whoever began it keeps it on the server, bound to the
// browser, and uses it once. Its zero value is none.
type Pending struct{ p pending }

type pending struct {
	ID      string    `json:"id"`
	Relay   string    `json:"relay"`
	Force   bool      `json:"force"`
	Begun   time.Time `json:"begun"`
	Address string    `json:"address"` // where the answer must arrive
}

// Relay is the RelayState that comes back with the answer: 128 random bits, by which what is
// pending can be found. It proves nothing about the browser that brings it.
func (p Pending) Relay() string { return p.p.Relay }

// MarshalBinary writes the log-in for a store. There is nobody's name in it.
func (p Pending) MarshalBinary() ([]byte, error) { return json.Marshal(p.p) }

// UnmarshalBinary reads it again.
func (p *Pending) UnmarshalBinary(text []byte) error { return json.Unmarshal(text, &p.p) }

// ErrNoBroker: nobody is sent anywhere, since the broker is not in the directory, its metadata
// have ended, or they name no address for requests in an address or a form.
var ErrNoBroker = errors.New("signin: the broker cannot be asked")

// Begin makes a request for somebody to log in.
func (d *Door) Begin(o Options) (Outgoing, Pending, error) {
	now := d.c.Now()
	binding, address, err := d.c.where(now)
	if err != nil {
		return Outgoing{}, Pending{}, err
	}
	request, pending := d.c.request(o, now)
	request.Destination = address
	out, err := d.outgoing(request, binding, pending.Relay)
	if err != nil {
		return Outgoing{}, Pending{}, fmt.Errorf("signin: signing the request: %w", err)
	}
	return out, Pending{pending}, nil
}

// request is what we ask the broker, and what we keep of it.
func (c *Config) request(o Options, now time.Time) (saml.AuthnRequest, pending) {
	at := c.consumers()[0]
	p := pending{ID: saml.NewID(), Relay: saml.NewID(), Force: o.Force, Begun: now, Address: at.Location}
	return saml.AuthnRequest{
		ID: p.ID, Issuer: c.Entity, Issued: now, Consumer: strconv.Itoa(at.Index),
		Service: strconv.Itoa(c.Service.Index), Level: c.Service.Level, Force: o.Force,
	}, p
}

// where is how and where the broker takes requests: in an address if it can be.
func (c *Config) where(now time.Time) (binding, address string, err error) {
	broker, known := c.Directory.Find(c.Broker, now)
	if !known {
		return "", "", fmt.Errorf("%w: %s is not among the participants, or its metadata have ended: fetch them anew", ErrNoBroker, c.Broker)
	}
	for _, binding := range []string{saml.BindingRedirect, saml.BindingPOST} {
		if address, ok := broker.SignOnAt(binding); ok {
			return binding, address, nil
		}
	}
	return "", "", fmt.Errorf("%w: the metadata of %s name no SingleSignOnService for HTTP-Redirect or HTTP-POST", ErrNoBroker, c.Broker)
}

func (d *Door) outgoing(r saml.AuthnRequest, binding, relay string) (out Outgoing, err error) {
	if binding == saml.BindingRedirect {
		out.Redirect, err = r.Redirect(relay, d.c.Signer)
		return out, err
	}
	signed, err := r.Sign(d.c.Signer)
	if err != nil {
		return out, err
	}
	out.Form = &Form{Action: r.Destination, Request: signed.Bytes(), Relay: relay}
	return out, nil
}
