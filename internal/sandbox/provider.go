package sandbox

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/sandbox/explain"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
)

// Addresses of a provider, below its own.
const (
	pathLogIn    = "/login"
	pathBack     = "/acs/1.13"
	pathPosted   = "/post/1.13"
	pathResolve  = "/resolve/1.13"
	pathMetadata = "/metadata"
)

// site is a provider of ours: the municipality or the tax service.
type site struct {
	*role
	path    string // permit or vat
	index   string // of its service
	service harness.Service
	visits  waiting[saml.AuthnRequest]
}

// start is the page with the button.
func (s *site) start(w http.ResponseWriter, r *http.Request) error {
	show(w, r, http.StatusOK, "provider.html", s)
	return nil
}

// Path is where the pages of the provider are.
func (s *site) Path() string { return "/" + s.path }

// Name says which provider it is.
func (s *site) Name() string { return s.path }

// Level is what one needs here.
func (s *site) Level() etoegang.AssuranceLevel { return s.service.Level }

// LevelIn is that level in words.
func (s *site) LevelIn(language look.Language) string { return explain.Level(s.Level()).In(language) }

// logIn sends the user to the broker: by an artifact and wanting one back, as the scheme has
// it, or in the other ways that brokers and providers may agree on.
func (s *site) logIn(w http.ResponseWriter, r *http.Request) error {
	broker := s.sandbox.broker
	request := saml.AuthnRequest{
		ID: saml.NewID(), Issuer: s.entity, Destination: broker.role.signOn, Issued: s.sandbox.Network.Now(),
		Consumer: "1", Service: s.index, Level: s.service.Level,
	}
	if r.PostFormValue("answer") == "post" {
		request.Consumer = "2"
	}
	relay := token()
	s.visits.begin(relay, browserOf(w, r, s.path), request)
	if r.PostFormValue("request") == "redirect" { // the signature stands in the address
		to, err := request.Redirect(relay, s.signer)
		if err == nil {
			http.Redirect(w, r, to, http.StatusSeeOther)
		}
		return err
	}
	signed, err := request.Sign(s.signer)
	if err != nil {
		return err
	}
	if r.PostFormValue("request") == "post" {
		post(w, r, request.Destination, "SAMLRequest", signed, relay)
		return nil
	}
	return send(w, r, request.Destination, s.keep(kept{message: signed, to: broker.entity, toTitle: broker.title}), relay)
}

// back receives the user with an artifact of the broker's answer.
func (s *site) back(w http.ResponseWriter, r *http.Request) error {
	artifact, err := saml.ParseArtifact(r.FormValue("SAMLart"))
	if err != nil {
		return err
	}
	request, err := s.visits.take(r.FormValue("RelayState"), browserOf(w, r, s.path))
	if err != nil {
		return err
	}
	broker := s.sandbox.broker
	asked, _, received, err := s.fetch(r.Context(), artifact, broker.resolution)
	if err != nil {
		return err
	}
	answer, err := s.receiver().ReceiveResolvedSignedOn(received, asked, broker.entity, s.sandbox.Network.Now())
	return s.greet(w, r, answer, err, request, pathBack)
}

// posted receives the user with the answer itself.
func (s *site) posted(w http.ResponseWriter, r *http.Request) error {
	doc, err := base64.StdEncoding.DecodeString(r.PostFormValue("SAMLResponse"))
	if err != nil {
		return err
	}
	request, err := s.visits.take(r.PostFormValue("RelayState"), browserOf(w, r, s.path))
	if err != nil {
		return err
	}
	answer, err := s.receiver().ReceiveSignedOn(doc, s.sandbox.Network.Now())
	return s.greet(w, r, answer, err, request, pathPosted)
}

// greet shows what the provider reads in the answer, or why nobody is logged in.
func (s *site) greet(w http.ResponseWriter, r *http.Request, answer *saml.SignedOn, err error, request saml.AuthnRequest, path string) error {
	if err != nil {
		return s.disbelieve(request, err)
	}
	outcome := Outcome{Status: answer.Status.Short(), Message: answer.Message, Read: true}
	told, err := s.receiver().Provided(answer, request.ID, s.sandbox.Address+s.Path()+path, s.sandbox.Network.Now())
	if refusal := (*saml.Refusal)(nil); errors.As(err, &refusal) {
		s.sandbox.Log.conclude(request.ID, outcome)
		show(w, r, http.StatusForbidden, "refused.html", map[string]any{
			"Path": s.Path(), "Status": refusal.Status.Short(), "Why": whyNot(refusal), "Reasons": reasonsOf(refusal), "Login": s.sandbox.Log.about(request.ID),
		})
		return nil
	}
	if err == nil {
		err = told.Meets(saml.Demand{ServiceID: s.service.ID, ServiceUUID: s.service.UUID, Level: s.service.Level, Establishments: s.service.Establishments})
	}
	if err != nil {
		return s.disbelieve(request, err)
	}
	outcome.LoggedIn, outcome.Attributes = true, s.attributesOf(told)
	s.sandbox.Log.conclude(request.ID, outcome)
	show(w, r, http.StatusOK, "welcome.html", map[string]any{"Path": s.Path(), "Told": told, "Attributes": outcome.Attributes, "Login": s.sandbox.Log.about(request.ID)})
	return nil
}

// disbelieve says why the provider does not accept an answer.
func (s *site) disbelieve(request saml.AuthnRequest, err error) error {
	err = fmt.Errorf("the provider does not accept the broker's answer: %w", err)
	s.sandbox.Log.conclude(request.ID, Outcome{Read: true, Problem: err.Error()})
	return err
}

// whyNot is the key of the words for a refusal.
func whyNot(refusal *saml.Refusal) string {
	switch {
	case refusal.Cancelled():
		return "cancelled"
	case refusal.Status == saml.ResponderAuthnFailed:
		return "notAllowed"
	case refusal.Status.Top == saml.RequesterFailed.Top:
		return "asked"
	}
	return "unknown"
}

// reason is why a register refuses: its code, and the same in words.
type reason struct {
	Code string
	look.Text
}

// reasonsOf are the reasons for a refusal. What nobody knows in words has the code alone.
func reasonsOf(refusal *saml.Refusal) (list []reason) {
	for code := range strings.FieldsSeq(refusal.Message) {
		if code != saml.MessageCancelled {
			list = append(list, reason{code, explain.Refusal(code)})
		}
	}
	return list
}

// attribute is one thing that a provider reads.
type attribute struct {
	Label string `json:"-"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// companies are the labels of a company's identifiers; of others it is company.
var companies = map[etoegang.EntityType]string{etoegang.TypeKvKNr: "companyKvK", etoegang.TypeRSIN: "companyRSIN"}

// attributesOf lists what the provider reads, by the names of the scheme. The label is a key
// of texts.
func (s *site) attributesOf(told saml.Provided) (list []attribute) {
	for _, subject := range told.Represented {
		list = append(list, attribute{cmp.Or(companies[subject.Type()], "company"), etoegang.AttributeLegalSubjectID + " " + string(subject.Type()), subject.Text()})
	}
	add := func(label, name, value string) {
		if value != "" {
			list = append(list, attribute{label, name, value})
		}
	}
	add("companyName", etoegang.AttributeRepresentedName, told.Names[etoegang.AttributeRepresentedName])
	if !told.Intermediary.IsZero() {
		add("intermediary", etoegang.AttributeIntermediateKvKNr, told.Intermediary.KvK.Text())
	}
	add("intermediaryName", etoegang.AttributeIntermediaryName, told.Names[etoegang.AttributeIntermediaryName])
	add("acting", etoegang.AttributeActingSubjectID, told.Acting.Text())
	for _, e := range told.Establishments {
		add("establishment", etoegang.RestrictionEstablishment, e.Text())
	}
	add("level", "AuthnContextClassRef", told.Level.URN())
	add("serviceID", etoegang.AttributeServiceID, told.ServiceID.String())
	add("serviceUUID", etoegang.AttributeServiceUUID, told.ServiceUUID.String())
	for _, opened := range told.Statements[len(told.Statements)-1].Opened {
		add("opened", etoegang.AttributeServiceUUID, opened.String())
	}
	return list
}

func (s *site) metadata(w http.ResponseWriter, _ *http.Request) error {
	d := s.description()
	d.Resolution, d.Consumers = s.resolution, s.service.Home.Participant().Consumers
	return publish(w, d, s.signer)
}
