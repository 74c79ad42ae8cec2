package server_test

import (
	"crypto/tls"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// On a network everybody shows a certificate, and it must be one of the message's sender:
// a message that was overheard is of no use to whoever else belongs to the network.
func TestClientCertificates(t *testing.T) {
	s := newScene(t, harness.Options{TLS: true})
	s.permit(s.question())
	if response, err := s.httpClient(nil).Post(s.n.First.Address, "text/xml", strings.NewReader("")); err == nil {
		_ = response.Body.Close()
		t.Error("without a certificate the connection stands")
	}
	message := must(s.n.Broker.Query(s.question()))
	for why, p := range map[string]*harness.Party{"a provider's": s.vat.Home, "an authentication service's": s.n.Authenticator, "one that no metadata list": s.n.Scheme} {
		status, body := s.send(p, message)
		if status != http.StatusInternalServerError || !strings.Contains(body, "soap:Client") || strings.Contains(body, "<saml:Assertion") {
			t.Errorf("the broker's message with %s certificate: HTTP %d %s", why, status, body)
		}
	}
	// None of this has used up the message.
	if status, body := s.send(s.n.Broker.Party, message); status != http.StatusOK || !strings.Contains(body, ">Permit<") {
		t.Errorf("the broker itself: HTTP %d %s", status, body)
	}
}

// An old protocol is refused before anything is said.
func TestOldTLSIsRefused(t *testing.T) {
	s := newScene(t, harness.Options{TLS: true})
	client := s.httpClient(certificateOf(s.n.Broker.Party))
	client.Transport.(*http.Transport).TLSClientConfig.MinVersion = tls.VersionTLS10
	client.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS11
	if response, err := client.Post(s.n.First.Address, "text/xml", strings.NewReader("")); err == nil {
		_ = response.Body.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

// httpClient is an HTTP client with these certificates.
func (s *scene) httpClient(certificates []tls.Certificate) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: certificates}}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func certificateOf(p *harness.Party) []tls.Certificate {
	signer := p.Signer()
	return []tls.Certificate{{Certificate: [][]byte{signer.Certificate.Raw}, PrivateKey: signer.Key}}
}

// send sends a message as it is, over the connection of a party.
func (s *scene) send(p *harness.Party, message []byte) (int, string) {
	s.t.Helper()
	response, err := s.httpClient(certificateOf(p)).Post(s.n.First.Address, "text/xml", strings.NewReader(string(message)))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode, string(must(readAll(response)))
}

// By his pseudonym a provider knows a person again, and nobody else can follow him: it
// differs for every provider, every person and every organisation. Whoever acts for two
// clients of one office keeps one.
func TestSpecificPseudonym(t *testing.T) {
	s := newScene(t, harness.Options{})
	permit, boris, daan := s.n.Services["permit"], s.n.NewPerson("Boris Zwijgzaam"), s.n.NewPerson("Daan Discreet")
	s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: bakery, Person: boris, Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}})
	s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: farm, Person: s.anna, Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}})
	s.client(bakery, daan)
	s.client(farm, daan)
	acting := func(who mandate.Person, service harness.Service, company mandate.Organisation) string {
		return must(s.permit(harness.Question{Person: who, Service: service, Company: company.KvK}).Acting())
	}
	first := acting(s.anna, s.vat, bakery)
	if !regexp.MustCompile(`^[0-9a-f]{64}@[0-9a-f]{32}$`).MatchString(first) {
		t.Errorf("the pseudonym looks like %q", first)
	}
	for why, other := range map[string]string{
		"another provider": acting(s.anna, permit, bakery), "another person": acting(boris, s.vat, bakery),
		"another organisation": acting(s.anna, s.vat, farm), "through an office": acting(daan, s.vat, bakery),
	} {
		if other[:64] == first[:64] || other[65:] == first[65:] {
			t.Errorf("for %s the pseudonym is the same, or half of it", why)
		}
	}
	if acting(daan, s.vat, bakery) != acting(daan, s.vat, farm) {
		t.Error("two clients of one office see two persons")
	}
	if err := s.n.First.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if acting(s.anna, s.vat, bakery) != first {
		t.Error("after a restart the pseudonym is another")
	}
}

// An answer ends before the mandate does on which it rests, to the second: nobody holds a
// Permit, or a Deny, that has outlived its reason.
func TestAnswerEndsWithItsMandate(t *testing.T) {
	clock := harness.NewClock(time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC))
	s := newScene(t, harness.Options{Clock: clock})
	eva := s.n.NewPerson("Eva Tijdelijk")
	end := clock.Now().Add(10 * time.Minute)
	s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: farm, Person: eva, Scope: harness.For(s.vat, etoegang.LoA3), Validity: mandate.Validity{From: clock.Now(), To: end}})
	q := harness.Question{Person: eva, Service: s.vat}
	for _, left := range []time.Duration{5 * time.Minute, 2 * time.Minute, 119 * time.Second, 30 * time.Second, time.Second} {
		clock.Advance(end.Sub(clock.Now()) - left)
		want := clock.Now().Add(min(left, 2*time.Minute))
		if got := s.permit(q).Reply.Statement.NotOnOrAfter; !got.Equal(want) {
			t.Errorf("%v before its mandate ends an answer ends at %v, want %v", left, got, want)
		}
	}
	clock.Advance(time.Second)
	if r := s.ask(q); r.Reply.Permitted() || strings.Join(r.Reply.Codes(), " ") != "expired" {
		t.Errorf("at the end of the mandate: %+v", r.Reply)
	}
}

// A signed Deny ends as soon as the answer may be another.
func TestDenyEndsWithItsReason(t *testing.T) {
	clock := harness.NewClock(time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC))
	s := newScene(t, harness.Options{Clock: clock, Configure: peer("HM", map[string]any{"refusals": "statement"})})
	eva := s.n.NewPerson("Eva Tijdelijk")
	start := clock.Now().Add(30 * time.Second)
	s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: farm, Person: eva, Scope: harness.For(s.vat, etoegang.LoA3), Validity: mandate.Validity{From: start, To: start.AddDate(1, 0, 0)}})
	r := s.ask(harness.Question{Person: eva, Service: s.vat})
	if r.Reply.Statement == nil || r.Reply.Statement.Message != "not-yet-valid" || !r.Reply.Statement.NotOnOrAfter.Equal(start) {
		t.Errorf("half a minute before its mandate begins: %+v", r.Reply)
	}
}

// peer gives the participants of a role habits.
func peer(role string, habits map[string]any) func(map[string]any) {
	entity := map[string]string{"HM": "urn:etoegang:HM:00000003520354760000:entities:9004", "DV": "urn:etoegang:DV:00000001000000010000:entities:9010"}[role]
	return func(settings map[string]any) { settings["peers"] = map[string]any{entity: habits} }
}

// Some want a refusal as a status, some as a signed Deny. Both say why, and each gets
// what it asked for.
func TestRefusalsAsTheAskerWantsThem(t *testing.T) {
	for _, c := range []struct {
		why       string
		configure func(map[string]any)
		broker    string // what the broker hears
		provider  string
	}{
		{"by default", nil, "status", "statement"},
		{"a broker that wants statements", peer("HM", map[string]any{"refusals": "statement"}), "statement", "statement"},
		{"a broker that wants a status", peer("HM", map[string]any{"refusals": "status"}), "status", "statement"},
		{"a provider that wants a status", peer("DV", map[string]any{"refusals": "status"}), "status", "status"},
		{"a provider that wants statements", peer("DV", map[string]any{"refusals": "statement"}), "status", "statement"},
		{"a provider that says nothing of it", peer("DV", map[string]any{"encryption": "gcm"}), "status", "statement"},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, harness.Options{Configure: c.configure})
			permit := s.permit(s.question())
			if err := s.n.First.Revoke(s.mandate); err != nil {
				t.Fatal(err)
			}
			for asker, heard := range map[string]struct {
				reply *saml.Reply
				want  string
			}{
				"the broker":   {s.ask(s.question()).Reply, c.broker},
				"the provider": {must(s.n.Recheck(ctx, s.n.First, permit)).Reply, c.provider},
			} {
				if got := shape(heard.reply); got != heard.want || strings.Join(heard.reply.Codes(), " ") != "revoked" {
					t.Errorf("%s hears a %s, %v", asker, got, heard.reply.Codes())
				}
			}
		})
	}
}

// shape is how a refusal is told.
func shape(r *saml.Reply) string {
	switch {
	case r.Statement == nil && r.Status == saml.ResponderAuthnFailed:
		return "status"
	case r.Statement != nil && r.Status == saml.Success && r.Statement.Decision == "Deny":
		return "statement"
	}
	return "surprise"
}

// Identifiers are for the provider's eyes. Only for a peer of whom it is written that he
// still needs them in the clear do they stand there readable.
func TestIdentifiersInTheClear(t *testing.T) {
	for why, c := range map[string]struct {
		configure func(map[string]any)
		clear     bool
	}{
		"by default":              {nil, false},
		"said of the broker":      {peer("HM", map[string]any{"clear_identifiers": true}), true},
		"said of the provider":    {peer("DV", map[string]any{"clear_identifiers": true}), true},
		"taken back":              {peer("DV", map[string]any{"clear_identifiers": false}), false},
		"said of something other": {peer("HM", map[string]any{"encryption": "gcm"}), false},
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, harness.Options{Configure: c.configure})
			r := s.permit(s.question())
			names := []string{"12345678", must(r.Acting())}
			if found := contains(string(r.Received), names); (len(found) == len(names)) != c.clear || len(found) != 0 && !c.clear {
				t.Errorf("%d of %d identifiers stand there in the clear", len(found), len(names))
			}
			if represented := must(r.Represented()); represented[0].Text() != "12345678" {
				t.Error("the provider cannot read them")
			}
		})
	}
}

// A recipient gets the encryption that he can read.
func TestEncryptionOfTheRecipient(t *testing.T) {
	for why, c := range map[string]struct {
		configure func(map[string]any)
		want      string
	}{
		"by default":              {nil, "aes256-cbc"},
		"said of the provider":    {peer("DV", map[string]any{"encryption": "gcm"}), "aes256-gcm"},
		"said so once more":       {peer("DV", map[string]any{"encryption": "cbc"}), "aes256-cbc"},
		"the asker does not read": {peer("HM", map[string]any{"encryption": "gcm"}), "aes256-cbc"},
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, harness.Options{Configure: c.configure})
			r := s.permit(s.question())
			for _, algorithm := range []string{"aes256-cbc", "aes256-gcm"} {
				if strings.Contains(string(r.Received), algorithm) != (algorithm == c.want) {
					t.Errorf("%s in the answer, want %s alone", algorithm, c.want)
				}
			}
			if represented := must(r.Represented()); represented[0].Text() != "12345678" {
				t.Error("the provider cannot read it")
			}
			must(r.Acting())
		})
	}
}

// A peer may leave out what is written of him, and only that.
func TestLeniency(t *testing.T) {
	words := []string{"no-destination", "no-return-context", "no-environment"}
	for _, allowed := range append(words, "") {
		t.Run("allow "+allowed, func(t *testing.T) {
			t.Parallel()
			var configure func(map[string]any)
			if allowed != "" {
				configure = peer("HM", map[string]any{"allow": []any{allowed}})
			}
			s := newScene(t, harness.Options{Configure: configure})
			for _, leftOut := range append(words, "") {
				reply := s.without(leftOut)
				if want := leftOut == "" || leftOut == allowed; reply.Permitted() != want {
					t.Errorf("without %q: %s %v", leftOut, reply.Status.Short(), reply.Codes())
				}
			}
		})
	}
}

// without asks a question that leaves something out.
func (s *scene) without(leftOut string) *saml.Reply {
	s.t.Helper()
	now, transient := s.n.Now(), saml.NewID()
	login := must(saml.Login{
		ID: saml.NewID(), Issuer: s.n.Authenticator.Entity, NameID: transient, Issued: now, Until: now.Add(time.Minute),
		Recipient: s.n.Broker.Consumer, InResponseTo: saml.NewID(),
		Audiences: []etoegang.EntityID{s.n.Broker.Entity, s.n.First.Entity, s.vat.Home.Entity},
		Level:     etoegang.LoA3, Representation: true, Registry: s.n.First.Entity, ServiceUUID: s.vat.UUID,
		Acting: must(saml.SealName(etoegang.TypePseudo, s.anna.Subject.Pseudonym.Text(), s.n.First.Recipient())),
	}.Sign(s.n.Authenticator.Signer()))
	context := func(id, kind string, value any) *xmlsec.Element {
		return xmlsec.E("xacml-context:Attribute", xmlsec.A("AttributeId", id), xmlsec.A("DataType", kind), xmlsec.E("xacml-context:AttributeValue", value))
	}
	id := saml.NewID()
	parts := []any{xmlsec.A("ID", id), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", now.UTC().Format(time.RFC3339))}
	if leftOut != "no-destination" {
		parts = append(parts, xmlsec.A("Destination", s.n.First.Address))
	}
	if leftOut != "no-return-context" {
		parts = append(parts, xmlsec.A("ReturnContext", "true"))
	}
	request := []any{
		xmlsec.E("xacml-context:Subject", context(etoegang.AttributeSubjectID, etoegang.DataString, transient)),
		xmlsec.E("xacml-context:Resource",
			context(etoegang.AttributeServiceID, etoegang.DataString, s.vat.ID.String()), context(etoegang.AttributeServiceUUID, etoegang.DataString, s.vat.UUID.String())),
		xmlsec.E("xacml-context:Action", context(etoegang.AttributeActionID, etoegang.DataString, etoegang.ActionAuthenticate)),
	}
	if leftOut != "no-environment" {
		request = append(request, xmlsec.E("xacml-context:Environment"))
	}
	query := xmlsec.E("xacml-samlp:XACMLAuthzDecisionQuery", append(parts,
		xmlsec.E("saml:Issuer", s.n.Broker.Entity.String()),
		xmlsec.E("samlp:Extensions",
			context(etoegang.AttributeConsumerIndex, etoegang.DataString, "1"),
			context(etoegang.AttributeIntendedAudience, etoegang.DataString, s.vat.Home.Entity.String()),
			context(etoegang.AttributeAssertions, etoegang.DataAssertion, login)),
		xmlsec.E("xacml-context:Request", request...))...)
	if err := s.n.Broker.Signer().Sign(query); err != nil {
		s.t.Fatal(err)
	}
	status, body := s.send(s.n.Broker.Party, saml.Wrap(query))
	d := saml.NewDirectory(saml.Participant{Entity: s.n.First.Entity, Signing: keysOf(s.n.First.Signer())})
	reply, err := saml.ReadReply([]byte(body), d, id, now)
	if err != nil {
		s.t.Fatalf("HTTP %d: %v", status, err)
	}
	return reply
}
