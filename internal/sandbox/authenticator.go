package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/sandbox/explain"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
)

// Addresses of the authentication service.
const (
	pathAuthnSignOn   = "/authn/sso/1.13"
	pathAuthnChoose   = "/authn/choose"
	pathAuthnResolve  = "/authn/resolve/1.13"
	pathAuthnMetadata = "/authn/metadata"
)

// authenticator is the authentication service. It asks nobody for a password: whoever sits
// there is who he says.
type authenticator struct {
	*role
	guests waiting[guest]
}

// guest is somebody of whom the broker wants to know who he is.
type guest struct {
	request saml.AuthnRequest
	relay   string
	service harness.Service
}

// levels are those at which one can log in, with their words.
var levels = []level{of(etoegang.LoA2), of(etoegang.LoA2Plus), of(etoegang.LoA3), of(etoegang.LoA4)}

type level struct {
	Level etoegang.AssuranceLevel
	look.Text
}

func of(l etoegang.AssuranceLevel) level { return level{l, explain.Level(l)} }

// signOn asks the user who he is.
func (a *authenticator) signOn(w http.ResponseWriter, r *http.Request) error {
	artifact, err := saml.ParseArtifact(r.URL.Query().Get("SAMLart"))
	if err != nil {
		return err
	}
	broker := a.sandbox.broker
	asked, _, received, err := a.fetch(r.Context(), artifact, broker.resolution)
	if err != nil {
		return err
	}
	g := guest{relay: r.URL.Query().Get("RelayState")}
	if g.request, err = a.receiver().ReceiveResolvedRequest(received, asked, broker.entity, a.sandbox.Network.Now()); err != nil {
		return fmt.Errorf("the authentication service does not accept the broker's AuthnRequest: %w", err)
	}
	for _, s := range a.sandbox.clients()[g.request.Audience].services {
		if s.ID == g.request.ServiceID && s.UUID == g.request.ServiceUUID {
			g.service = s
		}
	}
	if g.service.Home == nil {
		return errors.New("the authentication service does not know the service")
	}
	name := token()
	a.guests.begin(name, browserOf(w, r, "authn"), g)
	show(w, r, http.StatusOK, "authn.html", map[string]any{
		"Guest": name, "People": a.sandbox.people(), "Levels": levels, "Wanted": g.request.Level, "Service": g.service,
	})
	return nil
}

// choose answers the broker with whom the user has chosen to be, or that he has given up.
func (a *authenticator) choose(w http.ResponseWriter, r *http.Request) error {
	g, err := a.guests.take(r.PostFormValue("guest"), browserOf(w, r, "authn"))
	if err != nil {
		return err
	}
	response := saml.Response{
		ID: saml.NewID(), InResponseTo: g.request.ID, Issuer: a.entity, Destination: a.sandbox.Address + pathBrokerBack,
		Issued: a.sandbox.Network.Now(), Status: saml.ResponderAuthnFailed,
	}
	if r.PostFormValue("do") != "cancel" {
		if err := a.logIn(r, g, &response); err != nil {
			return err
		}
	}
	signed, err := response.Sign(a.signer)
	if err != nil {
		return err
	}
	broker := a.sandbox.broker
	return send(w, r, response.Destination, a.keep(kept{message: signed, to: broker.entity, toTitle: broker.title}), g.relay)
}

// logIn puts into the answer who logged in.
func (a *authenticator) logIn(r *http.Request, g guest, response *saml.Response) error {
	who := a.sandbox.person(r.PostFormValue("person"))
	if who == nil {
		return errors.New("the authentication service does not know this person: choose one of the list")
	}
	level, err := etoegang.ParseLevelName(r.PostFormValue("level"))
	if err != nil {
		return err
	}
	if who.fault != "" { // it is his story that something goes wrong, unless the user wants something else to
		a.sandbox.Log.change(g.relay, func(of *Login) { of.Fault = cmp.Or(of.Fault, who.fault) })
	}
	in, err := a.sandbox.Network.LogIn(harness.Question{
		Person: who.person, Service: g.service, Login: level, Mistake: mistakeOf(a.sandbox.Log.fault(g.relay)),
	}, g.request.ID)
	if err != nil {
		return err
	}
	response.Status, response.Assertion = saml.Success, in.Assertion
	return nil
}

func (a *authenticator) metadata(w http.ResponseWriter, _ *http.Request) error {
	d := a.description()
	d.Resolution = a.resolution
	d.SignOn = []saml.Endpoint{{Binding: saml.BindingArtifact, Location: a.role.signOn}}
	return publish(w, d, a.signer)
}
