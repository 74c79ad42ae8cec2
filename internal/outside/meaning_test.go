package outside_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// What is signed as it should and still must not be believed: it is meant for somebody
// else, of another time, or contradicts itself. The sender is known, so he is told which
// of these in one word.

// onQuery changes the query and signs it; onLogin changes the log-in and signs both.
func onQuery(do func(l *letter, q *etree.Element)) func(*letter) []byte {
	return func(l *letter) []byte { do(l, l.query()); return l.reseal().bytes() }
}

func onLogin(do func(l *letter, a *etree.Element)) func(*letter) []byte {
	return func(l *letter) []byte { do(l, l.assertion()); return l.resign().bytes() }
}

// set and unset change one XML attribute of the element at the end of a path.
func set(name, value string, path ...string) func(*letter, *etree.Element) {
	return func(_ *letter, el *etree.Element) { at(el, path...).CreateAttr(name, value) }
}

func unset(name string, path ...string) func(*letter, *etree.Element) {
	return func(_ *letter, el *etree.Element) { at(el, path...).RemoveAttr(name) }
}

func without(path ...string) func(*letter, *etree.Element) {
	return func(_ *letter, el *etree.Element) { drop(at(el, path...)) }
}

func doubled(path ...string) func(*letter, *etree.Element) {
	return func(_ *letter, el *etree.Element) { twin(at(el, path...)) }
}

func adding(xml string, path ...string) func(*letter, *etree.Element) {
	return func(_ *letter, el *etree.Element) { at(el, path...).AddChild(snippet(xml)) }
}

// What every SAML message begins with. The signature holds, so the sender is known.
func TestQueryHeader(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	now := s.clock.Now()
	list := []attack{
		{"version 1.1", onQuery(set("Version", "1.1")), refused("version")},
		{"version 2.00", onQuery(set("Version", "2.00")), refused("version")},
		{"no version", onQuery(unset("Version")), refused("version")},
		{"no instant", onQuery(unset("IssueInstant")), refused("malformed")},
	}
	for name, instant := range map[string]string{
		"without a zone": "2026-03-02T09:30:00", "in another zone": "2026-03-02T10:30:00+01:00", "a date": "2026-03-02", "in words": "now",
		"a day that is none": "2026-02-30T09:30:00Z", "empty": "", "a number": fmt.Sprint(now.Unix()), "with a small z": "2026-03-02T09:30:00z", "with a space": "2026-03-02 09:30:00Z",
	} {
		list = append(list, attack{"instant " + name, onQuery(set("IssueInstant", instant)), refused("malformed")},
			attack{"log-in: instant " + name, onLogin(set("IssueInstant", instant)), refused("malformed")})
	}
	for _, qualifier := range []string{"Format", "NameQualifier", "SPNameQualifier", "SPProvidedID"} {
		list = append(list, attack{"issuer with " + qualifier, onQuery(set(qualifier, "urn:example:x", "Issuer")), refused("forbidden-content")},
			attack{"log-in: issuer with " + qualifier, onLogin(set(qualifier, "urn:example:x", "Issuer")), refused("forbidden-content")})
	}
	list = append(list,
		attack{"log-in: version 1.1", onLogin(set("Version", "1.1")), refused("version")},
		attack{"log-in: no version", onLogin(unset("Version")), refused("version")},
		attack{"log-in: no instant", onLogin(unset("IssueInstant")), refused("malformed")},
	)
	s.attacks(t, list)
}

func TestQueryContent(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	address := s.net.First.Address
	host := strings.TrimPrefix(address, "http://")
	list := []attack{
		{"no destination", onQuery(unset("Destination")), refused("destination")},
		{"return context false", onQuery(set("ReturnContext", "false")), refused("malformed")},
		{"return context 0", onQuery(set("ReturnContext", "0")), refused("malformed")},
		{"return context in words", onQuery(set("ReturnContext", "True")), refused("malformed")},
		{"no return context", onQuery(unset("ReturnContext")), refused("malformed")},
		{"consent", onQuery(set("Consent", "urn:oasis:names:tc:SAML:2.0:consent:obtained")), refused("forbidden-content")},
		{"empty consent", onQuery(set("Consent", "")), refused("forbidden-content")},
		{"input context only", onQuery(set("InputContextOnly", "true")), refused("forbidden-content")},
		{"input context only, 1", onQuery(set("InputContextOnly", "1")), refused("forbidden-content")},
		{"input context only, in words", onQuery(set("InputContextOnly", "no")), refused("forbidden-content")},
		{"a foreign extension", onQuery(adding(foreignXML, "Extensions")), refused("forbidden-content")},
		{"a SAML attribute as extension", onQuery(adding(`<a:Attribute xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" Name="x"/>`, "Extensions")), refused("forbidden-content")},
		{"a policy of its own", onQuery(adding(`<p:Policy xmlns:p="urn:oasis:names:tc:xacml:2.0:policy:schema:os"/>`)), refused("forbidden-content")},
		{"a foreign element", onQuery(adding(foreignXML)), refused("forbidden-content")},
		{"a foreign element in the Request", onQuery(adding(foreignXML, "Request")), refused("forbidden-content")},
		{"two Extensions", onQuery(doubled("Extensions")), fault(xmlsec.ErrDuplicateID)},
		{"two Requests", onQuery(doubled("Request")), refused("malformed")},
		{"two Subjects", onQuery(doubled("Request", "Subject")), refused("malformed")},
		{"two Resources", onQuery(doubled("Request", "Resource")), refused("malformed")},
		{"two Actions", onQuery(doubled("Request", "Action")), refused("malformed")},
		{"two Environments", onQuery(doubled("Request", "Environment")), refused("malformed")},
		{"no Request", onQuery(without("Request")), refused("malformed")},
		{"no Subject", onQuery(without("Request", "Subject")), refused("malformed")},
		{"no Resource", onQuery(without("Request", "Resource")), refused("malformed")},
		{"no Action", onQuery(without("Request", "Action")), refused("malformed")},
		{"no Environment", onQuery(without("Request", "Environment")), refused("malformed")},
		{"another action", says(etoegang.AttributeActionID, "Delete"), refused("malformed")},
		{"an empty action", says(etoegang.AttributeActionID, ""), refused("malformed")},
	}
	for name, destination := range map[string]string{
		"of another register": "https://other.test/etoegang/1.13/soap", "that begins with ours": address + "/x", "with a question mark": address + "?", "with a fragment": address + "#x",
		"that ours begins with": address[:len(address)-1], "with a slash": address + "/", "in capitals": strings.ToUpper(address), "with a user": "http://x@" + host,
		"over TLS": "https://" + host, "our host only": strings.TrimSuffix(address, "/etoegang/1.13/soap"), "with a space": address + " ", "of a script": "javascript:alert(1)", "of localhost": strings.Replace(address, "127.0.0.1", "localhost", 1),
	} {
		list = append(list, attack{"destination " + name, onQuery(set("Destination", destination)), refused("destination")})
	}
	for _, index := range []string{"9", "0", "-1", "01x", "99999999999", " 1", "1 ", "１", "https://evil.test/acs"} {
		list = append(list, attack{"consumer service " + index, says(etoegang.AttributeConsumerIndex, index), refused("consumer-service")})
	}
	list = append(list, pollution()...)
	s.attacks(t, list)
}

// pollution gives a value twice: in one attribute, or in two.
func pollution() (list []attack) {
	for _, id := range []string{
		etoegang.AttributeServiceID, etoegang.AttributeServiceUUID, etoegang.AttributeLevel, etoegang.AttributeActionID,
		etoegang.AttributeSubjectID, etoegang.AttributeConsumerIndex, etoegang.AttributeIntendedAudience,
	} {
		evil := "evil"
		if id == etoegang.AttributeServiceUUID {
			evil = "00000009-0000-4000-8000-000000000000"
		}
		for name, do := range map[string]func(*etree.Element){
			"twice":                           func(a *etree.Element) { twin(child(a, "AttributeValue")) },
			"with a second value":             func(a *etree.Element) { setText(twin(child(a, "AttributeValue")), evil) },
			"with a first value":              func(a *etree.Element) { twin(child(a, "AttributeValue")); setText(child(a, "AttributeValue"), evil) },
			"in a second attribute":           func(a *etree.Element) { setText(child(twin(a), "AttributeValue"), evil) },
			"in a second attribute, the same": func(a *etree.Element) { twin(a) },
			"as an empty value":               func(a *etree.Element) { setText(child(a, "AttributeValue"), "") },
		} {
			list = append(list, attack{id + " " + name, onQuery(func(l *letter, _ *etree.Element) { do(l.attribute(id)) }), refused("malformed")})
		}
	}
	for _, name := range []string{etoegang.AttributeRepresentation, etoegang.AttributeRegistryID, etoegang.AttributeServiceUUID, etoegang.AttributeActingSubjectID} {
		for how, do := range map[string]func(*etree.Element){
			"with two values":       func(a *etree.Element) { setText(twin(child(a, "AttributeValue")), "evil") },
			"in a second attribute": func(a *etree.Element) { setText(child(twin(a), "AttributeValue"), "evil") },
			"without a value":       func(a *etree.Element) { drop(child(a, "AttributeValue")) },
			"missing":               func(a *etree.Element) { drop(a) },
			"under another name":    func(a *etree.Element) { a.CreateAttr("Name", "urn:etoegang:core:Other") },
			"with an empty value":   func(a *etree.Element) { setText(child(a, "AttributeValue"), "") },
		} {
			list = append(list, attack{"log-in: " + name + " " + how, onLogin(func(l *letter, _ *etree.Element) { do(l.said(name)) }), refused("malformed")})
		}
	}
	for _, part := range []string{"Subject", "AuthnStatement", "AttributeStatement"} {
		second := `<a:` + part + ` xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/>`
		list = append(list, attack{"log-in: a second " + part, onLogin(adding(second)), refused("malformed")},
			attack{"log-in: no " + part, onLogin(without(part)), refused("malformed")})
	}
	return list
}

// The query and the log-in disagree, or the log-in is meant for others.
func TestMeantForOthers(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	audience := func(names ...string) func(*letter) []byte {
		return onLogin(func(_ *letter, a *etree.Element) {
			r := at(a, "Conditions", "AudienceRestriction")
			r.Child = nil
			for _, n := range names {
				r.AddChild(snippet(`<a:Audience xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion">` + n + `</a:Audience>`))
			}
		})
	}
	second := `<a:AudienceRestriction xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"><a:Audience>` + s.net.Broker.Entity.String() + `</a:Audience></a:AudienceRestriction>`
	const bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	permit := s.net.Services["permit"]
	confirmation := []string{"Subject", "SubjectConfirmation", "SubjectConfirmationData"}
	list := []attack{
		{"another ServiceUUID in the query", says(etoegang.AttributeServiceUUID, permit.UUID.String()), refused("service-mismatch")},
		{"another ServiceUUID in the log-in", tells(etoegang.AttributeServiceUUID, permit.UUID.String()), refused("service-mismatch")},
		{"a log-in for another provider", audience(s.net.Broker.Entity.String(), s.net.First.Entity.String(), permit.Home.Entity.String()), refused("audience")},
		{"another person in the query", says(etoegang.AttributeSubjectID, "_somebody"), refused("subject-mismatch")},
		{"another person's log-in", onQuery(func(l *letter, _ *etree.Element) {
			value := l.assertion().Parent()
			value.Child = nil
			value.AddChild(s.letter(s.anna).assertion().Copy())
		}), refused("subject-mismatch")},
		{"a provider that does not offer the service", says(etoegang.AttributeIntendedAudience, permit.Home.Entity.String()), refused("audience")},
		{"a service of another provider", says(etoegang.AttributeServiceID, permit.ID.String()), refused("audience")},
		{"a broker as the provider", says(etoegang.AttributeIntendedAudience, strings.Replace(s.vat.Home.Entity.String(), ":DV:", ":HM:", 1)), refused("audience")},
		{"no provider", onQuery(func(l *letter, _ *etree.Element) { drop(l.attribute(etoegang.AttributeIntendedAudience)) }), refused("audience")},
		{"another register", tells(etoegang.AttributeRegistryID, "urn:etoegang:MR:00000003876543210000:entities:9002"), refused("not-this-register")},
		{"a broker as register", tells(etoegang.AttributeRegistryID, s.net.Broker.Entity.String()), refused("not-this-register")},
		{"no representation", tells(etoegang.AttributeRepresentation, "false"), refused("no-representation")},
		{"no representation, 0", tells(etoegang.AttributeRepresentation, "0"), refused("no-representation")},
		{"representation in words", tells(etoegang.AttributeRepresentation, "TRUE"), refused("no-representation")},

		{"no audience restriction", onLogin(without("Conditions", "AudienceRestriction")), refused("audience")},
		{"an empty audience restriction", audience(), refused("audience")},
		{"other audiences", audience(s.net.Broker.Entity.String(), s.vat.Home.Entity.String()), refused("audience")},
		{"our name and a space", audience(s.net.First.Entity.String() + " "), refused("audience")},
		{"our name in capitals", audience(strings.ToUpper(s.net.First.Entity.String())), refused("audience")},
		{"a name that begins with ours", audience(s.net.First.Entity.String() + "0"), refused("audience")},
		{"two names in one audience", audience(s.net.Broker.Entity.String() + " " + s.net.First.Entity.String()), refused("audience")},
		{"a second restriction without us", onLogin(adding(second, "Conditions")), refused("audience")},
		{"something else in the restriction", onLogin(adding(foreignXML, "Conditions", "AudienceRestriction")), refused("audience")},
		{"used once only", onLogin(adding(`<a:OneTimeUse xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/>`, "Conditions")), refused("assertion-validity")},
		{"not to be passed on", onLogin(adding(`<a:ProxyRestriction xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" Count="0"/>`, "Conditions")), refused("assertion-validity")},
		{"a condition nobody knows", onLogin(adding(`<a:Condition xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:example:x" xsi:type="x:OnMondays"/>`, "Conditions")), refused("assertion-validity")},
		{"no conditions", onLogin(without("Conditions")), refused("assertion-validity")},
		{"two sets of conditions", onLogin(doubled("Conditions")), refused("assertion-validity")},

		{"no confirmation", onLogin(without("Subject", "SubjectConfirmation")), refused("subject-confirmation")},
		{"two confirmations", onLogin(doubled("Subject", "SubjectConfirmation")), refused("subject-confirmation")},
		{"no confirmation data", onLogin(without(confirmation...)), refused("subject-confirmation")},
		{"two confirmation data", onLogin(doubled(confirmation...)), refused("subject-confirmation")},
		{"no method", onLogin(unset("Method", "Subject", "SubjectConfirmation")), refused("subject-confirmation")},
		{"sender vouches", onLogin(set("Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches", "Subject", "SubjectConfirmation")), refused("subject-confirmation")},
		{"holder of key", onLogin(set("Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key", "Subject", "SubjectConfirmation")), refused("subject-confirmation")},
		{"bearer and a space", onLogin(set("Method", bearer+" ", "Subject", "SubjectConfirmation")), refused("subject-confirmation")},
		{"no recipient", onLogin(unset("Recipient", confirmation...)), refused("subject-confirmation")},
		{"another recipient", onLogin(set("Recipient", s.rival.consumer, confirmation...)), refused("subject-confirmation")},
		{"a recipient that begins with the broker's", onLogin(set("Recipient", s.net.Broker.Consumer+"/x", confirmation...)), refused("subject-confirmation")},
		{"an answer to nothing", onLogin(unset("InResponseTo", confirmation...)), refused("subject-confirmation")},
		{"an answer to an empty question", onLogin(set("InResponseTo", "", confirmation...)), refused("subject-confirmation")},
		{"no name", onLogin(without("Subject", "NameID")), refused("malformed")},
		{"two names", onLogin(doubled("Subject", "NameID")), refused("malformed")},
		{"an empty name", onLogin(func(_ *letter, a *etree.Element) { setText(at(a, "Subject", "NameID"), "") }), refused("malformed")},
		{"no level", onLogin(without("AuthnStatement", "AuthnContext", "AuthnContextClassRef")), refused("malformed")},
		{"two levels", onLogin(doubled("AuthnStatement", "AuthnContext", "AuthnContextClassRef")), refused("malformed")},
		{"no context", onLogin(without("AuthnStatement", "AuthnContext")), refused("malformed")},
	}
	s.attacks(t, list)
}

// The identifier of the person cannot be opened, or is none. All of these look the same
// from outside.
func TestUndecryptable(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	cipher := func(n int, text string) func(*letter) []byte {
		return onLogin(func(l *letter, a *etree.Element) {
			setText(l.said(etoegang.AttributeActingSubjectID).FindElements(".//CipherValue")[n], text)
		})
	}
	method := func(n int, algorithm string) func(*letter) []byte {
		return onLogin(func(l *letter, a *etree.Element) {
			l.said(etoegang.AttributeActingSubjectID).FindElements(".//EncryptionMethod")[n].CreateAttr("Algorithm", algorithm)
		})
	}
	plain := `<a:NameID xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">` + strings.Repeat("ab", 32) + `</a:NameID>`
	instead := func(xml string) func(*letter) []byte {
		return onLogin(func(l *letter, _ *etree.Element) {
			v := child(l.said(etoegang.AttributeActingSubjectID), "AttributeValue")
			v.Child = nil
			v.AddChild(snippet(xml))
		})
	}
	s.attacks(t, []attack{
		{"encrypted for the broker", func(l *letter) []byte {
			return l.acting(etoegang.TypePseudo, l.who.Subject.Pseudonym.Text(), s.net.Broker.Recipient()).resign().bytes()
		}, refused("identifier")},
		{"encrypted for the provider", func(l *letter) []byte {
			return l.acting(etoegang.TypePseudo, l.who.Subject.Pseudonym.Text(), s.vat.Home.Recipient()).resign().bytes()
		}, refused("identifier")},
		{"encrypted with another key in our name", func(l *letter) []byte {
			r := s.net.First.Recipient()
			r.Key = &strangersKey(4).PublicKey
			return l.acting(etoegang.TypePseudo, l.who.Subject.Pseudonym.Text(), r).resign().bytes()
		}, refused("identifier")},
		{"content of zeros", cipher(0, strings.Repeat("A", 128)), refused("identifier")},
		{"content of one block", cipher(0, "AAAAAAAAAAAAAAAAAAAAAA=="), refused("identifier")},
		{"content that is not base64", cipher(0, "!!"), refused("identifier")},
		{"a key of zeros", cipher(1, strings.Repeat("A", 342)+"=="), refused("identifier")},
		{"a key too short", cipher(1, "AAAA"), refused("identifier")},
		{"RSA 1.5", method(1, "http://www.w3.org/2001/04/xmlenc#rsa-1_5"), refused("identifier")},
		{"triple DES", method(0, "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"), refused("identifier")},
		{"AES of 128 bits", method(0, "http://www.w3.org/2001/04/xmlenc#aes128-cbc"), refused("identifier")},
		{"GCM by name only", method(0, "http://www.w3.org/2009/xmlenc11#aes256-gcm"), refused("identifier")},
		{"no encryption at all", instead(plain), refused("malformed")},
		{"nothing", instead(foreignXML), refused("malformed")},
		{"an empty EncryptedID", instead(`<a:EncryptedID xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/>`), refused("identifier")},
		{"a key to be fetched", onLogin(func(l *letter, _ *etree.Element) {
			l.said(etoegang.AttributeActingSubjectID).FindElement(".//RetrievalMethod").CreateAttr("URI", s.trap.URL+"/key")
		}), refused("identifier")},
		{"content to be fetched", onLogin(func(l *letter, _ *etree.Element) {
			d := l.said(etoegang.AttributeActingSubjectID).FindElement(".//CipherData")
			d.Child = nil
			d.AddChild(snippet(`<x:CipherReference xmlns:x="http://www.w3.org/2001/04/xmlenc#" URI="` + s.trap.URL + `/cipher"/>`))
		}), refused("identifier")},
		{"a company for another register", prefers(etoegang.TypeKvKNr, bakery.KvK.Text(), s.net.Broker.Recipient()), refused("identifier")},
	})
}

// Destination is compared with our configured address, whatever the Host header says.
func TestHostHeaderIsNotBelieved(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	l := s.letter(s.anna)
	l.query().CreateAttr("Destination", "http://evil.test/etoegang/1.13/soap")
	request := must[*http.Request](t)(http.NewRequest("POST", s.net.First.Address, strings.NewReader(string(l.reseal().bytes()))))
	request.Header.Set("Content-Type", "text/xml")
	request.Header.Set("X-Forwarded-Host", "evil.test")
	request.Host = "evil.test"
	played.hostile.Add(1)
	s.wantRefusal(t, s.do(request), refused("destination"))
	if n := s.recorded(); n != 0 {
		t.Errorf("%d decisions were journalled", n)
	}
}

// moments are times of a message: the last that is accepted, and the first that is not.
func TestTimes(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	now := s.clock.Now()
	confirmation := []string{"Subject", "SubjectConfirmation", "SubjectConfirmationData"}
	for _, c := range []struct {
		name    string
		set     func(stamp string) func(*letter) []byte
		last    time.Duration // from now, accepted
		refused time.Duration
		word    string
	}{
		{"query in the future", stampQuery("IssueInstant"), 2 * time.Second, 3 * time.Second, "from-the-future"},
		{"query in the past", stampQuery("IssueInstant"), -120 * time.Second, -121 * time.Second, "expired"},
		{"log-in issued in the future", stampLogin("IssueInstant"), 2 * time.Second, 3 * time.Second, "from-the-future"},
		{"log-in not valid yet", stampLogin("NotBefore", "Conditions"), 2 * time.Second, 3 * time.Second, "assertion-validity"},
		{"log-in no longer valid", stampLogin("NotOnOrAfter", "Conditions"), -time.Second, -2 * time.Second, "assertion-validity"},
		{"log-in confirmed too late", stampLogin("NotOnOrAfter", confirmation...), -time.Second, -2 * time.Second, "subject-confirmation"},
		{"logged in tomorrow", stampLogin("AuthnInstant", "AuthnStatement"), 2 * time.Second, 3 * time.Second, "from-the-future"},
		{"logged in yesterday", stampLogin("AuthnInstant", "AuthnStatement"), -12 * time.Hour, -12*time.Hour - time.Second, "assertion-validity"},
		{"session over", stampLogin("SessionNotOnOrAfter", "AuthnStatement"), -time.Second, -2 * time.Second, "assertion-validity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			honest := s.letter(s.anna)
			s.repels(t, c.set(stampOf(now.Add(c.refused)))(honest.copy()), refused(c.word))
			s.answers(t, c.set(stampOf(now.Add(c.last)))(honest.copy()), s.anna)
		})
	}
}

func stampQuery(name string) func(string) func(*letter) []byte {
	return func(stamp string) func(*letter) []byte { return onQuery(set(name, stamp)) }
}

// stampLogin sets a time of the log-in; its validity begins a day ago, so that an end
// before now still comes after the beginning.
func stampLogin(name string, path ...string) func(string) func(*letter) []byte {
	return func(stamp string) func(*letter) []byte {
		return onLogin(func(l *letter, a *etree.Element) {
			child(a, "Conditions").CreateAttr("NotBefore", stampOf(l.stage.clock.Now().Add(-24*time.Hour)))
			set(name, stamp, path...)(l, a)
		})
	}
}

// Times that are missing, unreadable or in the wrong order.
func TestTimesThatAreNone(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	now := s.clock.Now()
	window := func(from, to time.Duration) func(*letter) []byte {
		return onLogin(func(_ *letter, a *etree.Element) {
			child(a, "Conditions").CreateAttr("NotBefore", stampOf(now.Add(from)))
			child(a, "Conditions").CreateAttr("NotOnOrAfter", stampOf(now.Add(to)))
		})
	}
	confirmation := []string{"Subject", "SubjectConfirmation", "SubjectConfirmationData"}
	list := []attack{
		{"a window that ends before it begins", window(time.Second, -time.Second), refused("assertion-validity")},
		{"a window of no length", window(0, 0), refused("assertion-validity")},
		{"a window in two hundred years", window(200*365*24*time.Hour, 201*365*24*time.Hour), refused("assertion-validity")},
		{"no confirmation time", onLogin(unset("NotOnOrAfter", confirmation...)), refused("subject-confirmation")},
		{"a confirmation time without a zone", onLogin(set("NotOnOrAfter", "2099-01-01T00:00:00", confirmation...)), refused("subject-confirmation")},
		{"a confirmation that begins tomorrow", onLogin(set("NotBefore", stampOf(now.Add(24*time.Hour)), confirmation...)), refused("subject-confirmation")},
		{"no moment of logging in", onLogin(unset("AuthnInstant", "AuthnStatement")), refused("malformed")},
		{"a session end in words", onLogin(set("SessionNotOnOrAfter", "never", "AuthnStatement")), refused("malformed")},
	}
	for _, name := range []string{"NotBefore", "NotOnOrAfter"} {
		list = append(list,
			attack{"no " + name, onLogin(unset(name, "Conditions")), refused("malformed")},
			attack{name + " without a zone", onLogin(set(name, "2026-03-02T09:30:00", "Conditions")), refused("malformed")},
			attack{name + " in another zone", onLogin(set(name, "2026-03-02T10:30:00+01:00", "Conditions")), refused("malformed")},
			attack{name + " empty", onLogin(set(name, "", "Conditions")), refused("malformed")},
			attack{name + " in words", onLogin(set(name, "always", "Conditions")), refused("malformed")},
		)
	}
	s.attacks(t, list)
}

// Questions that are honest and still get a decision against them: what nobody knows is
// not told apart from what is not allowed by how it is answered, only by its word.
func TestUnknown(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	for name, c := range map[string]struct {
		message func() []byte
		word    string
	}{
		"person": {func() []byte { return s.letter(s.net.NewPerson("Nobody")).bytes() }, "no-mandate-to-person"},
		"service": {func() []byte {
			return says(etoegang.AttributeServiceID, strings.Replace(s.vat.ID.String(), ":services:1", ":services:77", 1))(s.letter(s.anna))
		}, "service-unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			played.hostile.Add(1)
			r := s.read(t, s.post(c.message()).body)
			if r.Permitted() || r.Statement != nil || r.Message != c.word {
				t.Errorf("answered %s %q, want %s", r.Status.Short(), r.Message, c.word)
			}
			if n := s.recorded(); n != 1 {
				t.Errorf("%d decisions were journalled, want the one that was made", n)
			}
		})
	}
}
