package outside_test

import (
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// A provider asks whether what its broker gave it still holds. It brings the broker's
// assertion with the log-in and the register's statement in its Advice, as evidence.

// evidence is what the provider got: the combination can be made anew.
type evidence struct {
	stage            *stage
	login, statement *xmlsec.Element
	about            saml.Login
}

func (e evidence) combination(advice ...*xmlsec.Element) saml.Combination {
	s, now := e.stage, e.stage.clock.Now()
	return saml.Combination{
		ID: saml.NewID(), Issuer: s.net.Broker.Entity, NameID: saml.NewID(), Issued: now, Until: now.Add(2 * time.Minute),
		Recipient: s.vat.Home.Consumer, InResponseTo: saml.NewID(), Audience: s.vat.Home.Entity, Level: etoegang.LoA3,
		Authenticator: s.net.Authenticator.Entity, Advice: advice, ServiceID: s.vat.ID, ServiceUUID: s.vat.UUID,
	}
}

// letter is the provider's honest question.
func (e evidence) letter() *letter {
	s := e.stage
	combined := must[*xmlsec.Element](s.t)(e.combination(e.login, e.statement).Sign(s.net.Broker.Signer()))
	q := saml.Asking{
		ID: saml.NewID(), Issuer: s.vat.Home.Entity, Destination: s.net.First.Address, Issued: s.clock.Now(),
		Assertions: []*xmlsec.Element{combined}, Represented: []*xmlsec.Element{saml.PlainName(bakery.KvK.LegalSubject())},
		ServiceID: s.vat.ID, ServiceUUID: s.vat.UUID, Level: etoegang.LoA3,
	}
	return s.open(q, s.vat.Home.Signer(), s.anna)
}

func (s *stage) evidence(who mandate.Person) evidence {
	login, statement, about := s.firstLetter(who)
	s.turnTo(s.net.First)
	return evidence{s, login, statement, about}
}

// advised is an assertion in the Advice, by the role of its issuer.
func (l *letter) advised(n int) *etree.Element {
	return l.assertion().FindElements("./Advice/Assertion")[n]
}

// recombine lets the broker and the provider sign anew.
func (l *letter) recombine() *letter {
	l.brokerPen().sign(l.assertion())
	penOf(l.stage.vat.Home.Signer()).sign(l.query())
	return l
}

func TestRecheck(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	e := s.evidence(s.anna)
	honest := e.letter()
	other := s.evidence(s.anna)
	provider := penOf(s.vat.Home.Signer())

	combined := func(do func(l *letter, b *etree.Element)) func(*letter) []byte {
		return func(l *letter) []byte { do(l, l.assertion()); return l.recombine().bytes() }
	}
	query := func(do func(l *letter, q *etree.Element)) func(*letter) []byte {
		return func(l *letter) []byte { do(l, l.query()); provider.sign(l.query()); return l.bytes() }
	}
	// restated changes the statement, with the register's own signature under it.
	restated := func(do func(l *letter, a *etree.Element)) func(*letter) []byte {
		return combined(func(l *letter, _ *etree.Element) {
			p := penOf(s.net.First.Signer())
			p.prefixes = "xacml-saml"
			do(l, l.advised(1))
			p.sign(l.advised(1))
		})
	}
	sayingQuery := func(id, text string) func(*letter) []byte {
		return query(func(l *letter, _ *etree.Element) { setText(child(l.attribute(id), "AttributeValue"), text) })
	}
	advice := func(els ...*xmlsec.Element) func(*letter) []byte {
		return combined(func(_ *letter, b *etree.Element) {
			a := child(b, "Advice")
			a.Child = nil
			for _, el := range els {
				a.AddChild(snippet(string(el.Bytes())))
			}
		})
	}
	for _, a := range []attack{
		{"the broker's assertion for another provider", combined(func(_ *letter, b *etree.Element) {
			setText(at(b, "Conditions", "AudienceRestriction", "Audience"), s.net.Services["permit"].Home.Entity.String())
		}), refused("audience")},
		{"the broker's assertion for nobody", combined(without("Conditions", "AudienceRestriction")), refused("audience")},
		{"the broker's assertion altered", query(func(l *letter, _ *etree.Element) {
			setText(at(l.assertion(), "AuthnStatement", "AuthnContext", "AuthnContextClassRef"), etoegang.LoA4.URN())
		}), fault(xmlsec.ErrSignature)},
		{"the broker's assertion unsigned", query(func(l *letter, _ *etree.Element) { drop(child(l.assertion(), "Signature")) }), fault(xmlsec.ErrSignatureCount)},
		{"the broker's assertion from the future", combined(set("IssueInstant", stampOf(morning.Add(3*time.Second)))), refused("from-the-future")},
		{"the broker's assertion by the provider", func(l *letter) []byte {
			setText(child(l.assertion(), "Issuer"), s.vat.Home.Entity.String())
			provider.sign(l.assertion())
			provider.sign(l.query())
			return l.bytes()
		}, fault(xmlsec.ErrUnknownIssuer)},
		{"the broker's assertion by a rival, with what another broker was given", func(l *letter) []byte {
			setText(child(l.assertion(), "Issuer"), s.rival.entity.String())
			penOf(s.rival.signer()).sign(l.assertion())
			provider.sign(l.query())
			return l.bytes()
		}, refused("subject-confirmation")},
		{"an altered log-in in the Advice", combined(func(l *letter, _ *etree.Element) {
			setText(l.advised(0).FindElement("./AuthnStatement/AuthnContext/AuthnContextClassRef"), etoegang.LoA4.URN())
		}), fault(xmlsec.ErrSignature)},
		{"an altered statement in the Advice", combined(func(l *letter, _ *etree.Element) {
			setText(l.advised(1).FindElement("./Statement/Response/Result/Decision"), "Deny")
		}), fault(xmlsec.ErrSignature)},
		{"an unsigned statement in the Advice", combined(func(l *letter, _ *etree.Element) { drop(child(l.advised(1), "Signature")) }), fault(xmlsec.ErrSignatureCount)},
		{"no log-in in the Advice", advice(e.statement), refused("assertions")},
		{"no statement in the Advice", advice(e.login), refused("assertions")},
		{"two log-ins in the Advice", advice(e.login, other.login), refused("assertions")},
		{"four in the Advice", advice(e.login, e.statement, other.login, other.statement), fault(xmlsec.ErrPlaceCount)},
		{"no Advice", combined(without("Advice")), refused("assertions")},
		{"a statement on another log-in", advice(e.login, other.statement), refused("assertion-link")},
		{"a second statement that rests on nothing here", advice(e.login, e.statement, other.statement), refused("assertion-link")},
		{"a statement that was a Deny", restated(func(_ *letter, a *etree.Element) {
			setText(a.FindElement("./Statement/Response/Result/Decision"), "Deny")
		}), refused("statement")},
		{"a statement that still waits for another register", restated(func(_ *letter, a *etree.Element) {
			at(a, "Statement", "Response", "Result").AddChild(snippet(`<p:Obligations xmlns:p="urn:oasis:names:tc:xacml:2.0:policy:schema:os"><p:Obligation ObligationId="` + etoegang.ObligationConfirm +
				`" FulfillOn="Permit"><p:AttributeAssignment AttributeId="x" DataType="y">urn:etoegang:MR:00000009999999990000:entities:9999</p:AttributeAssignment></p:Obligation></p:Obligations>`))
		}), refused("statement")},
		{"a statement about another service", restated(func(_ *letter, a *etree.Element) {
			for _, x := range a.FindElements(".//Resource/Attribute") {
				if x.SelectAttrValue("AttributeId", "") == etoegang.AttributeServiceUUID {
					setText(child(x, "AttributeValue"), s.net.Services["permit"].UUID.String())
				}
			}
		}), refused("service-mismatch")},
		{"a statement through an intermediary that the query hides", restated(func(_ *letter, a *etree.Element) {
			a.FindElement("./Statement/Request/Resource").AddChild(xacml(etoegang.AttributeIntermediateKvKNr, office.KvK.Text()))
		}), refused("intermediary-unclear")},
		{"an intermediary that nobody stated", query(func(l *letter, _ *etree.Element) {
			child(l.request(), "Resource").AddChild(xacml(etoegang.AttributeIntermediateKvKNr, office.KvK.Text()))
		}), refused("intermediary-unclear")},
		{"another service", sayingQuery(etoegang.AttributeServiceUUID, s.net.Services["permit"].UUID.String()), refused("service-mismatch")},
		{"no company", query(func(l *letter, _ *etree.Element) { drop(l.attribute(etoegang.AttributeLegalSubjectID)) }), refused("malformed")},
		{"a company that is none", query(func(l *letter, _ *etree.Element) {
			setText(l.attribute(etoegang.AttributeLegalSubjectID).FindElement("./AttributeValue/NameID"), "1234567８")
		}), refused("identifier")},
		{"the broker with the provider's evidence", func(l *letter) []byte {
			setText(child(l.query(), "Issuer"), s.net.Broker.Entity.String())
			l.extensions().AddChild(xacml(etoegang.AttributeIntendedAudience, s.vat.Home.Entity.String()))
			return l.reseal().bytes()
		}, refused("assertions")},
		{"another provider with this one's evidence", func(l *letter) []byte {
			thief := s.net.Services["permit"].Home
			setText(child(l.query(), "Issuer"), thief.Entity.String())
			penOf(thief.Signer()).sign(l.query())
			return l.bytes()
		}, refused("audience")},
	} {
		t.Run(a.name, func(t *testing.T) { s.repels(t, a.make(honest.copy()), a.want) })
	}
	s.answers(t, honest.copy().recombine().bytes(), s.anna)
}

// Evidence may be twelve hours old and not a second more.
func TestRecheckAge(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	honest := s.evidence(s.anna).letter()
	again := func() []byte {
		l := honest.copy()
		l.query().CreateAttr("ID", saml.NewID())
		l.query().CreateAttr("IssueInstant", stampOf(s.clock.Now()))
		penOf(s.vat.Home.Signer()).sign(l.query())
		return l.bytes()
	}
	s.clock.Advance(12 * time.Hour)
	s.answers(t, again(), s.anna)
	s.clock.Advance(time.Second)
	s.repels(t, again(), refused("assertion-validity"))
}
