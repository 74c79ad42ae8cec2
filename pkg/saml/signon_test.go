package saml_test

import (
	"bytes"
	"crypto"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

const (
	providerConsumer = "https://provider.test/acs/1.13"
	brokerSignOn     = "https://broker.test/sso/1.13"
)

// as is the receiver of another party of the world.
func (w *fuzzWorld) as(p fuzzParty) *saml.Receiver {
	r := *w.receiver
	r.Self, r.Addresses = p.entity, saml.Addresses{Browser: brokerSignOn}
	r.Openers = []xmlsec.Opener{{KeyName: p.signer.KeyName, Key: p.signer.Key.(crypto.Decrypter)}}
	return &r
}

// handing is all that a broker puts together for the provider.
type handing struct {
	login     saml.Login
	statement saml.Answer
	combined  saml.Combination
	response  saml.Response
	by        xmlsec.Signer // of the broker's assertion
	edit      [2]string     // a text in it before it is signed, and what stands there instead
}

// fuzzActing is what the register calls the person to the provider.
var fuzzActing = strings.Repeat("0123456789abcdef", 4) + "@" + strings.Repeat("fedcba9876543210", 2)

// acting is a person's name, for the provider.
func (w *fuzzWorld) acting(name string) *xmlsec.Element {
	return sure(saml.SealName(etoegang.TypePseudo113, name, w.provider.recipient()))
}

// hand makes the answer of a broker to the request "_asked", as bytes that a browser brings.
func (w *fuzzWorld) hand(change func(*handing)) []byte {
	h := handing{by: w.broker.signer, login: w.saying("_login", w.self)}
	company := sure(saml.SealName(etoegang.TypeKvKNr, fuzzCompany.Text(), w.provider.recipient()))
	h.statement = saml.Answer{
		ID: "_statement", Issuer: w.self.entity, Subject: "_subject", Issued: fuzzTime, Until: fuzzTime.Add(2 * time.Minute), Permit: true, Echo: true,
		ServiceID: fuzzService, ServiceUUIDs: []etoegang.ServiceUUID{fuzzUUID}, Used: etoegang.LoA3,
		Represented: []*xmlsec.Element{company}, Intermediary: sure(etoegang.ParseIntermediary("65432198")),
		Establishments: []etoegang.EstablishmentNumber{sure(etoegang.ParseEstablishmentNumber("000012345678"))},
		Attributes:     []*xmlsec.Element{sure(saml.SealAttribute(etoegang.AttributeRepresentedName, "Bakery", w.provider.recipient()))},
		Acting:         w.acting(fuzzActing),
	}
	h.combined = saml.Combination{
		ID: "_combined", Issuer: w.broker.entity, NameID: "_name", Issued: fuzzTime, Until: fuzzTime.Add(2 * time.Minute),
		Recipient: providerConsumer, InResponseTo: "_asked", Audience: w.provider.entity, Level: etoegang.LoA3, Authenticator: w.authenticator.entity,
		ServiceID: fuzzService, ServiceUUID: fuzzUUID,
		Represented:  []*xmlsec.Element{sure(saml.SealName(etoegang.TypeKvKNr, fuzzCompany.Text(), w.provider.recipient()))},
		Acting:       w.acting(fuzzActing),
		Intermediary: h.statement.Intermediary, Establishments: h.statement.Establishments,
	}
	h.response = saml.Response{ID: "_response", InResponseTo: "_asked", Issuer: w.broker.entity, Destination: providerConsumer, Issued: fuzzTime, Status: saml.Success}
	change(&h)
	login := sure(h.login.Sign(w.authenticator.signer))
	if h.statement.Links == nil {
		h.statement.Links = []saml.Link{{ID: "_login", Signature: signatureOf(login)}}
	}
	if h.combined.Advice == nil {
		h.combined.Advice = []*xmlsec.Element{login, sure(h.statement.Sign(w.self.signer))}
	}
	if h.response.Status == saml.Success {
		h.response.Assertion = sure(h.combined.Sign(h.by))
		if h.edit[0] != "" {
			h.response.Assertion = w.broker.anew(h.response.Assertion, h.edit)
		}
	}
	return sure(h.response.SignAround(w.broker.signer)).Bytes()
}

// anew is a message of the party's with another text in it, signed again.
func (p fuzzParty) anew(message *xmlsec.Element, edit [2]string) *xmlsec.Element {
	text := strings.Replace(string(message.Bytes()), edit[0], edit[1], 1)
	signed, ok := p.signed([]byte(text))
	if !ok || text == string(message.Bytes()) {
		panic("nothing to edit: " + edit[0])
	}
	_, body, _ := strings.Cut(string(signed), "<soap:Body>")
	body, _, _ = strings.Cut(body, "</soap:Body>")
	return sure(xmlsec.Restore([]byte(body)))
}

func (w *fuzzWorld) reads(doc []byte, now time.Time) (saml.Provided, error) {
	r := w.as(w.provider)
	answer, err := r.ReceiveSignedOn(doc, now)
	if err != nil {
		return saml.Provided{}, err
	}
	return r.Provided(answer, "_asked", providerConsumer, now)
}

// A provider reads who acts for whom and through whom, and on whose word.
func TestProviderReadsItsBrokersAnswer(t *testing.T) {
	w := world()
	told, err := w.reads(w.hand(func(*handing) {}), fuzzTime)
	if err != nil {
		t.Fatal(err)
	}
	if len(told.Represented) != 1 || told.Represented[0].Text() != fuzzCompany.Text() || told.Intermediary.KvK.Text() != "65432198" ||
		told.Acting.Text() != fuzzActing || len(told.Establishments) != 1 || told.Establishments[0].Text() != "000012345678" {
		t.Errorf("it reads %+v", told)
	}
	if told.Level != etoegang.LoA3 || told.ServiceID != fuzzService || told.ServiceUUID != fuzzUUID ||
		told.Names[etoegang.AttributeRepresentedName] != "Bakery" || told.Login.Issuer != w.authenticator.entity || told.Statements[0].Issuer != w.self.entity {
		t.Errorf("it reads %+v", told)
	}
}

// A provider believes no answer that is not to its own request, for itself, here and now; nor
// a broker that says more than the register has.
func TestProviderRefuses(t *testing.T) {
	w := world()
	other := sure(etoegang.ParseKvKNumber("87654321"))
	sealed := func(number etoegang.KvKNumber) []*xmlsec.Element {
		return []*xmlsec.Element{sure(saml.SealName(etoegang.TypeKvKNr, number.Text(), w.provider.recipient()))}
	}
	for what, change := range map[string]func(*handing){
		"to another request":   func(h *handing) { h.response.InResponseTo = "_other" },
		"arrived elsewhere":    func(h *handing) { h.response.Destination = "https://other.test" },
		"for another provider": func(h *handing) { h.combined.Audience = w.self.entity },
		"old": func(h *handing) {
			h.combined.Issued, h.combined.Until = fuzzTime.Add(-time.Hour), fuzzTime.Add(-3*time.Second)
		},
		"given for another request":            func(h *handing) { h.combined.InResponseTo = "_other" },
		"given to another":                     func(h *handing) { h.combined.Recipient = "https://other.test" },
		"signed by another":                    func(h *handing) { h.by = w.provider.signer },
		"of another broker":                    func(h *handing) { h.combined.Issuer, h.by = w.authenticator.entity, w.authenticator.signer },
		"no log-in":                            func(h *handing) { h.combined.Advice = []*xmlsec.Element{sure(h.statement.Sign(w.self.signer))} },
		"no statement":                         func(h *handing) { h.combined.Advice = []*xmlsec.Element{w.login("_login", w.self)} },
		"a statement of another log-in":        func(h *handing) { h.statement.Links = []saml.Link{{ID: "_login", Signature: "AAAA"}} },
		"a log-in that names another register": func(h *handing) { h.login.Registry = w.first.entity },
		"a log-in at another provider":         func(h *handing) { h.login.Audiences = h.login.Audiences[:2] },
		"a log-in of yesterday":                func(h *handing) { h.login.LoggedIn = fuzzTime.Add(-24 * time.Hour) },
		"a confirmation that is over": func(h *handing) {
			h.edit = [2]string{`NotOnOrAfter="2026-03-02T09:32:00Z" Recipient=`, `NotOnOrAfter="2026-03-02T09:29:50Z" Recipient=`}
		},
		"a log-in of the future":       func(h *handing) { h.login.Issued = fuzzTime.Add(3 * time.Second) },
		"a statement of yesterday":     func(h *handing) { h.statement.Issued = fuzzTime.Add(-24 * time.Hour) },
		"a statement of the future":    func(h *handing) { h.statement.Issued = fuzzTime.Add(3 * time.Second) },
		"another person":               func(h *handing) { h.combined.Acting = w.acting(strings.ToUpper(fuzzActing)) },
		"a person of the broker's":     func(h *handing) { h.statement.Acting = nil },
		"a person who is no pseudonym": func(h *handing) { h.statement.Acting, h.combined.Acting = w.acting("123456782"), w.acting("123456782") },
		"a Deny":                       func(h *handing) { h.statement.Permit = false },
		"another service": func(h *handing) {
			h.combined.ServiceUUID = sure(etoegang.ParseServiceUUID("00000002-0000-4000-8000-000000000000"))
		},
		"a raised level":            func(h *handing) { h.statement.Used = etoegang.LoA2Plus },
		"another company":           func(h *handing) { h.combined.Represented = sealed(other) },
		"the company of another":    func(h *handing) { h.statement.Represented = sealed(other) },
		"without the intermediary":  func(h *handing) { h.combined.Intermediary = etoegang.Intermediary{} },
		"without the establishment": func(h *handing) { h.combined.Establishments = nil },
		"not confirmed":             func(h *handing) { h.statement.Confirm = w.first.entity },
		"a status of another kind": func(h *handing) {
			h.response.Status, h.response.Assertion = saml.ResponderFailed, w.login("_login", w.self)
		},
	} {
		t.Run(what, func(t *testing.T) {
			if told, err := w.reads(w.hand(change), fuzzTime); err == nil {
				t.Errorf("it reads %+v", told)
			}
		})
	}
	good := w.hand(func(*handing) {})
	if _, err := w.reads(good, fuzzTime.Add(3*time.Minute)); err == nil {
		t.Error("after three minutes it is still believed")
	}
	for _, part := range []string{`Value="urn:oasis:names:tc:SAML:2.0:status:Success"`, ":loa3", "65432198", "_subject"} {
		if _, err := w.reads(bytes.Replace(good, []byte(part), []byte(strings.ToUpper(part)), 1), fuzzTime); err == nil && strings.ToUpper(part) != part {
			t.Errorf("with %s changed it is believed", part)
		}
	}
	if _, err := w.as(w.provider).ReceiveSignedOn(w.login("_login", w.self).Bytes(), fuzzTime); !errors.Is(err, saml.ErrNoResponse) {
		t.Errorf("an assertion alone: %v", err)
	}
}

// Who is not let in is told so with a status and no assertion.
func TestRefusalIsRead(t *testing.T) {
	w := world()
	answer, err := w.as(w.provider).ReceiveSignedOn(w.hand(func(h *handing) {
		h.response.Status, h.response.Message = saml.ResponderAuthnFailed, "revoked"
	}), fuzzTime)
	if err != nil || answer.Status != saml.ResponderAuthnFailed || answer.Message != "revoked" || answer.InResponseTo != "_asked" || answer.Issuer != w.broker.entity {
		t.Errorf("%+v, %v", answer, err)
	}
	for message, cancelled := range map[string]bool{"": true, saml.MessageCancelled: true, "revoked": false} {
		_, err := w.reads(w.hand(func(h *handing) { h.response.Status, h.response.Message = saml.ResponderAuthnFailed, message }), fuzzTime)
		if refusal := (*saml.Refusal)(nil); !errors.As(err, &refusal) || refusal.Cancelled() != cancelled || refusal.Message != message {
			t.Errorf("%q: %v", message, err)
		}
	}
	_, err = w.reads(w.hand(func(h *handing) {
		h.response.Status, h.response.InResponseTo = saml.ResponderAuthnFailed, "_other"
	}), fuzzTime)
	if refusal := (*saml.Refusal)(nil); err == nil || errors.As(err, &refusal) {
		t.Errorf("to another request: %v", err)
	}
}

// Success and an assertion go together, and it is of whom the answer is: nobody takes another
// broker's assertion for that of his own.
func TestAssertionFitsItsAnswer(t *testing.T) {
	w := world()
	combined := func(by fuzzParty) *xmlsec.Element {
		return sure(saml.Combination{
			ID: "_combined", Issuer: by.entity, NameID: "_name", Issued: fuzzTime, Until: fuzzTime.Add(time.Minute), Recipient: providerConsumer,
			InResponseTo: "_asked", Audience: w.provider.entity, Level: etoegang.LoA3, Authenticator: w.authenticator.entity,
			Advice: []*xmlsec.Element{w.login("_login", w.self)}, ServiceID: fuzzService, ServiceUUID: fuzzUUID,
		}.Sign(by.signer))
	}
	rival := newFuzzParty("urn:etoegang:HM:00000003520354760000:entities:9005")
	r := w.as(w.provider)
	var all []saml.Participant
	for _, p := range []fuzzParty{w.broker, rival, w.authenticator} {
		all = append(all, saml.Participant{Entity: p.entity, Signing: []xmlsec.Key{{Name: p.signer.KeyName, Certificate: p.signer.Certificate}}})
	}
	r.Directory = saml.NewDirectory(all...)
	for what, c := range map[string]struct {
		status    saml.Status
		assertion *xmlsec.Element
		good      bool
	}{
		"Success with its own":      {saml.Success, combined(w.broker), true},
		"Success without":           {saml.Success, nil, false},
		"a refusal with one":        {saml.ResponderAuthnFailed, combined(w.broker), false},
		"Success with of the rival": {saml.Success, combined(rival), false},
	} {
		response := saml.Response{ID: "_response", InResponseTo: "_asked", Issuer: w.broker.entity, Issued: fuzzTime, Status: c.status, Assertion: c.assertion}
		if _, err := r.ReceiveSignedOn(sure(response.SignAround(w.broker.signer)).Bytes(), fuzzTime); (err == nil) != c.good {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// An answer that was fetched is read like one that was brought; an artifact gives it once.
func TestAnswerIsFetched(t *testing.T) {
	w := world()
	r := w.as(w.provider)
	message := sure(xmlsec.Restore(w.hand(func(*handing) {})))
	wrap := func(m *xmlsec.Element, change func(*saml.Resolved)) []byte {
		resolved := saml.Resolved{ID: "_resolved", InResponseTo: "_resolve", Issuer: w.broker.entity, Issued: fuzzTime, Message: m}
		change(&resolved)
		return saml.Wrap(sure(resolved.Sign(w.broker.signer)))
	}
	answer, err := r.ReceiveResolvedSignedOn(wrap(message, func(*saml.Resolved) {}), "_resolve", w.broker.entity, fuzzTime)
	if err != nil {
		t.Fatal(err)
	}
	if told, err := r.Provided(answer, "_asked", providerConsumer, fuzzTime); err != nil || told.Represented[0].Text() != fuzzCompany.Text() {
		t.Errorf("%+v, %v", told, err)
	}
	for what, c := range map[string]struct {
		body []byte
		want error
	}{
		"nothing any more":    {wrap(nil, func(*saml.Resolved) {}), saml.ErrNothingThere},
		"to another question": {wrap(message, func(r *saml.Resolved) { r.InResponseTo = "_other" }), nil},
		"old":                 {wrap(message, func(r *saml.Resolved) { r.Issued = fuzzTime.Add(-time.Hour) }), nil},
		"a request":           {wrap(sure(w.authnRequest().Sign(w.broker.signer)), func(*saml.Resolved) {}), nil},
		"no SOAP":             {message.Bytes(), nil},
	} {
		if _, err := r.ReceiveResolvedSignedOn(c.body, "_resolve", w.broker.entity, fuzzTime); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := r.ReceiveResolvedSignedOn(wrap(message, func(*saml.Resolved) {}), "_resolve", w.self.entity, fuzzTime); err == nil {
		t.Error("another's artifact gives the broker's answer")
	}
}

// A broker reads who logged in, and has the assertion to pass on as it was signed. It
// believes none that was given for another request, to another or for others.
func TestBrokerReadsALogIn(t *testing.T) {
	w := world()
	r := w.as(w.broker)
	answer := func(change func(*saml.Login, *saml.Response)) (saml.Authentication, *xmlsec.Element, error) {
		login := saml.Login{
			ID: "_login", Issuer: w.authenticator.entity, NameID: "_name", Issued: fuzzTime, Until: fuzzTime.Add(2 * time.Minute), Recipient: fuzzConsumer, InResponseTo: "_asked",
			Audiences: []etoegang.EntityID{w.broker.entity, w.self.entity, w.provider.entity}, Level: etoegang.LoA3, Representation: true, Registry: w.self.entity,
			Acting: sure(saml.SealName(etoegang.TypePseudo, fuzzPerson.Text(), w.self.recipient())), ServiceUUID: fuzzUUID,
		}
		response := saml.Response{ID: "_response", InResponseTo: "_asked", Issuer: w.authenticator.entity, Destination: fuzzConsumer, Issued: fuzzTime, Status: saml.Success}
		change(&login, &response)
		response.Assertion = sure(login.Sign(w.authenticator.signer))
		got, err := r.ReceiveSignedOn(sure(response.Sign(w.authenticator.signer)).Bytes(), fuzzTime)
		if err != nil {
			return saml.Authentication{}, nil, err
		}
		return r.Authenticated(got, "_asked", fuzzConsumer, fuzzTime)
	}
	who, assertion, err := answer(func(*saml.Login, *saml.Response) {})
	if err != nil || who.Level != etoegang.LoA3 || who.Registry != w.self.entity || who.ID != "_login" || who.NameID != "_name" {
		t.Fatalf("%+v, %v", who, err)
	}
	query := sure(w.asking("_query", assertion).Sign(w.broker.signer))
	if _, err := w.receiver.Receive(saml.Wrap(query), fuzzTime); err != nil {
		t.Errorf("passed on to the register: %v", err)
	}
	for what, change := range map[string]func(*saml.Login, *saml.Response){
		"to another request":        func(_ *saml.Login, r *saml.Response) { r.InResponseTo = "_other" },
		"arrived elsewhere":         func(_ *saml.Login, r *saml.Response) { r.Destination = "https://other.test" },
		"given for another request": func(l *saml.Login, _ *saml.Response) { l.InResponseTo = "_other" },
		"given to another":          func(l *saml.Login, _ *saml.Response) { l.Recipient = "https://other.test" },
		"for others":                func(l *saml.Login, _ *saml.Response) { l.Audiences = l.Audiences[1:] },
		"old": func(l *saml.Login, _ *saml.Response) {
			l.Issued, l.Until = fuzzTime.Add(-time.Hour), fuzzTime.Add(-3*time.Second)
		},
	} {
		if _, _, err := answer(change); err == nil {
			t.Errorf("%s: it is believed", what)
		}
	}
}

// What only looks odd is believed: a name that the broker leaves to be read in the register's
// statement, text that it edits and signs, a log-in of this morning.
func TestProviderTakesWhatIsSound(t *testing.T) {
	w := world()
	for what, change := range map[string]func(*handing){
		"the person in the statement alone": func(h *handing) { h.combined.Acting = nil },
		"a name that the broker edits":      func(h *handing) { h.edit = [2]string{"_name", "_other"} },
		"a log-in of this morning":          func(h *handing) { h.login.LoggedIn = fuzzTime.Add(-2 * time.Hour) },
		"a lower level than it could be":    func(h *handing) { h.combined.Level = etoegang.LoA2Plus },
	} {
		told, err := w.reads(w.hand(change), fuzzTime)
		if err != nil || told.Acting.Text() != fuzzActing {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A chain is one whichever of its statements stands first in the advice: they are told apart by
// what they rest on.
func TestStatementsAreToldApart(t *testing.T) {
	w := world()
	answer := func(confirmed etoegang.EntityID, order func(first, second *xmlsec.Element) []*xmlsec.Element) (saml.Provided, error) {
		return w.reads(w.hand(func(h *handing) {
			login := sure(h.login.Sign(w.authenticator.signer))
			first, second := h.statement, h.statement
			first.ID, first.Confirm, first.Links = "_first", confirmed, []saml.Link{{ID: "_login", Signature: signatureOf(login)}}
			one := sure(first.Sign(w.self.signer))
			second.ID, second.Issuer, second.Acting, second.Links = "_second", w.first.entity, nil, []saml.Link{{ID: "_first", Signature: signatureOf(one)}}
			second.Represented, second.Attributes = []*xmlsec.Element{sure(saml.SealName(etoegang.TypeKvKNr, fuzzCompany.Text(), w.provider.recipient()))}, nil
			h.combined.Advice = append([]*xmlsec.Element{login}, order(one, sure(second.Sign(w.first.signer)))...)
		}), fuzzTime)
	}
	straight := func(first, second *xmlsec.Element) []*xmlsec.Element { return []*xmlsec.Element{first, second} }
	turned := func(first, second *xmlsec.Element) []*xmlsec.Element { return []*xmlsec.Element{second, first} }
	for name, order := range map[string]func(first, second *xmlsec.Element) []*xmlsec.Element{"straight": straight, "turned": turned} {
		told, err := answer(w.first.entity, order)
		if err != nil || len(told.Statements) != 2 || told.Statements[0].ID != "_first" || told.Acting.Text() != fuzzActing {
			t.Errorf("%s: %v, statements %v", name, err, told.Statements)
		}
	}
	if _, err := answer(w.provider.entity, straight); err == nil {
		t.Error("a register has confirmed that was not asked to, and it is believed")
	}
}

// A provider demands what its service demands.
func TestDemand(t *testing.T) {
	w := world()
	told := sure(w.reads(w.hand(func(*handing) {}), fuzzTime))
	good := saml.Demand{ServiceID: fuzzService, ServiceUUID: fuzzUUID, Level: etoegang.LoA3, Establishments: true}
	if err := told.Meets(good); err != nil {
		t.Error(err)
	}
	for want, change := range map[error]func(*saml.Demand, *saml.Provided){
		saml.ErrService:        func(d *saml.Demand, _ *saml.Provided) { d.ServiceUUID = etoegang.ServiceUUID{} },
		saml.ErrLevel:          func(d *saml.Demand, _ *saml.Provided) { d.Level = etoegang.LoA4 },
		saml.ErrEstablishments: func(d *saml.Demand, _ *saml.Provided) { d.Establishments = false },
		saml.ErrNoCompany:      func(_ *saml.Demand, p *saml.Provided) { p.Represented = nil },
	} {
		d, p := good, told
		change(&d, &p)
		if err := p.Meets(d); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}
