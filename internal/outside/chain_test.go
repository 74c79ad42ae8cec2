package outside_test

import (
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// A question to the second register: does the bakery, recorded here, let the office act
// for it? It carries the log-in and the first register's statement; each link of that
// chain is attacked. Anna works at the office of which the second register still has the
// mandate, Bob at one of which it was taken away.

// chainStage is a stage of two registers, with the second one listening.
func chainStage(t *testing.T) *stage {
	s := newStage(t, harness.Options{TwoRegisters: true})
	scope := harness.For(s.vat, etoegang.LoA3)
	closed := harness.Company("Kantoor Gesloten", "54321987", "")
	for who, at := range map[*mandate.Person]mandate.Organisation{&s.anna: office, &s.bob: closed} {
		person := s.net.NewPerson(who.Name)
		relation := must[mandate.ID](t)(s.net.First.ChainElsewhere(bakery, at, scope, s.net.Second))
		must[mandate.ID](t)(s.net.First.Assign(relation, at, person, scope))
		held := must[mandate.ID](t)(s.net.Second.Chain(bakery, at, scope))
		if at.Name == closed.Name {
			if err := s.net.Second.Revoke(held); err != nil {
				t.Fatal(err)
			}
		}
		*who = person
	}
	return s
}

// firstLetter asks the first register, and returns the log-in and the statement.
func (s *stage) firstLetter(who mandate.Person) (login, statement *xmlsec.Element, about saml.Login) {
	s.t.Helper()
	s.turnTo(s.net.First)
	about = s.login(who)
	login = must[*xmlsec.Element](s.t)(about.Sign(s.net.Authenticator.Signer()))
	q := s.asking(about, login)
	query := must[*xmlsec.Element](s.t)(q.Sign(s.net.Broker.Signer()))
	read := s.read(s.t, s.post(saml.Wrap(query)).body)
	if !read.Permitted() {
		s.t.Fatalf("the first register says %s %q", read.Status.Short(), read.Message)
	}
	return login, read.Assertion, about
}

// chainLetter is an honest question to the second register.
func (s *stage) chainLetter(who mandate.Person) *letter {
	s.t.Helper()
	login, statement, about := s.firstLetter(who)
	s.turnTo(s.net.Second)
	q := s.asking(about, login, statement)
	q.Destination = s.net.Second.Address
	return s.open(q, s.net.Broker.Signer(), who)
}

// statement is the first register's assertion inside the query.
func (l *letter) statement() *etree.Element {
	for _, a := range l.holder().FindElements("./*/Assertion") {
		if strings.Contains(child(a, "Issuer").Text(), ":MR:") {
			return a
		}
	}
	panic("no statement")
}

// relink lets all three sign anew, each resting on the one before.
func (l *letter) relink() *letter {
	l.authenticatorPen().sign(l.assertion())
	setText(child(l.stated(etoegang.AttributeLinkedDeclaration), "AttributeValue"), at(l.assertion(), "Signature", "SignatureValue").Text())
	return l.restate()
}

// restate lets the first register and the broker sign anew.
func (l *letter) restate() *letter {
	p := penOf(l.stage.net.First.Signer())
	p.prefixes = "xacml-saml"
	p.sign(l.statement())
	return l.reseal()
}

// stated finds an XACML attribute of the statement.
func (l *letter) stated(id string) *etree.Element {
	for _, a := range l.statement().FindElements(".//Request/*/Attribute") {
		if a.SelectAttrValue("AttributeId", "") == id {
			return a
		}
	}
	panic("no attribute " + id)
}

func onStatement(do func(l *letter, a *etree.Element)) func(*letter) []byte {
	return func(l *letter) []byte { do(l, l.statement()); return l.restate().bytes() }
}

func onChainLogin(do func(l *letter, a *etree.Element)) func(*letter) []byte {
	return func(l *letter) []byte { do(l, l.assertion()); return l.relink().bytes() }
}

// states lets the statement say something else.
func states(id, text string) func(*letter) []byte {
	return onStatement(func(l *letter, _ *etree.Element) { setText(child(l.stated(id), "AttributeValue"), text) })
}

// chainAttacks plays attacks on an honest question to the second register.
func (s *stage) chainAttacks(t *testing.T, list []attack) {
	t.Helper()
	for _, who := range []mandate.Person{s.anna, s.bob} {
		honest := s.chainLetter(who)
		for _, a := range list {
			t.Run(a.name+", "+s.fate(who), func(t *testing.T) { s.repels(t, a.make(honest.copy()), a.want) })
		}
		s.answers(t, honest.copy().relink().bytes(), who)
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	s := chainStage(t)
	result := []string{"Statement", "Response", "Result"}
	obligation := append(result[:3:3], "Obligations", "Obligation")
	decides := func(word string) func(*letter) []byte {
		return onStatement(func(_ *letter, a *etree.Element) { setText(at(a, append(result[:3:3], "Decision")...), word) })
	}
	s.chainAttacks(t, []attack{
		{"the statement altered", func(l *letter) []byte {
			setText(child(l.stated(etoegang.AttributeLevelUsed), "AttributeValue"), etoegang.LoA4.URN())
			return l.reseal().bytes()
		}, fault(xmlsec.ErrSignature)},
		{"the statement unsigned", func(l *letter) []byte { drop(child(l.statement(), "Signature")); return l.reseal().bytes() }, fault(xmlsec.ErrSignatureCount)},
		{"the statement signed by the broker", func(l *letter) []byte {
			p := l.brokerPen()
			p.keyInfo = "-"
			p.sign(l.statement())
			return l.reseal().bytes()
		}, fault(xmlsec.ErrSignature)},
		{"the statement signed by us", func(l *letter) []byte {
			p := penOf(s.net.Second.Signer())
			p.keyInfo = "-"
			p.sign(l.statement())
			return l.reseal().bytes()
		}, fault(xmlsec.ErrSignature)},
		{"the statement in our own name", func(l *letter) []byte {
			setText(child(l.statement(), "Issuer"), s.net.Second.Entity.String())
			penOf(s.net.Second.Signer()).sign(l.statement())
			return l.reseal().bytes()
		}, refused("assertion-link")},
		{"the statement of another broker", func(l *letter) []byte {
			a := l.statement()
			setText(child(a, "Issuer"), s.rival.entity.String())
			penOf(s.rival.signer()).sign(a)
			return l.reseal().bytes()
		}, refused("malformed")},
		{"the statement of the provider", func(l *letter) []byte {
			a := l.statement()
			setText(child(a, "Issuer"), s.vat.Home.Entity.String())
			penOf(s.vat.Home.Signer()).sign(a)
			return l.reseal().bytes()
		}, fault(xmlsec.ErrUnknownIssuer)},
		{"the statement of the authenticator", func(l *letter) []byte {
			a := l.statement()
			setText(child(a, "Issuer"), s.net.Authenticator.Entity.String())
			l.authenticatorPen().sign(a)
			return l.reseal().bytes()
		}, refused("subject-confirmation")},
		{"a rival broker with what another broker was given", func(l *letter) []byte {
			setText(child(l.query(), "Issuer"), s.rival.entity.String())
			penOf(s.rival.signer()).sign(l.query())
			return l.bytes()
		}, refused("subject-confirmation")},
		{"no statement, but two log-ins", func(l *letter) []byte {
			v := l.statement().Parent()
			v.Child = nil
			v.AddChild(s.loginElement(s.anna))
			return l.reseal().bytes()
		}, refused("assertions")},
		{"no log-in", func(l *letter) []byte { drop(l.assertion().Parent()); return l.reseal().bytes() }, refused("assertions")},

		{"a link to another signature", states(etoegang.AttributeLinkedDeclaration, "AAAA"), refused("assertion-link")},
		{"no link", onStatement(func(l *letter, _ *etree.Element) { drop(l.stated(etoegang.AttributeLinkedDeclaration)) }), refused("assertion-link")},
		{"two links", onStatement(func(l *letter, _ *etree.Element) {
			twin(child(l.stated(etoegang.AttributeLinkedDeclaration), "AttributeValue"))
		}), refused("malformed")},
		{"a reference to another assertion", onStatement(func(_ *letter, a *etree.Element) { setText(at(a, "Advice", "AssertionIDRef"), "_other") }), refused("assertion-link")},
		{"no reference", onStatement(func(_ *letter, a *etree.Element) { drop(at(a, "Advice", "AssertionIDRef")) }), refused("assertion-link")},
		{"no advice", onStatement(without("Advice")), refused("assertion-link")},
		{"another person's log-in", func(l *letter) []byte {
			v := l.assertion().Parent()
			v.Child = nil
			v.AddChild(s.loginElement(s.anna))
			return l.reseal().bytes()
		}, refused("assertion-link")},
		{"a log-in that was signed again", func(l *letter) []byte {
			child(l.assertion(), "AuthnStatement").CreateAttr("SessionIndex", "1")
			return l.resign().bytes()
		}, refused("assertion-link")},
		{"a log-in that names us as the register", onChainLogin(func(l *letter, _ *etree.Element) {
			setText(child(l.said(etoegang.AttributeRegistryID), "AttributeValue"), s.net.Second.Entity.String())
		}), refused("assertion-link")},
		{"a log-in not meant for the first register", onChainLogin(func(_ *letter, a *etree.Element) {
			for _, audience := range a.FindElements("./Conditions/AudienceRestriction/Audience") {
				if strings.Contains(audience.Text(), ":MR:") {
					drop(audience)
				}
			}
		}), refused("audience")},
		{"a log-in without representation", onChainLogin(func(l *letter, _ *etree.Element) {
			setText(child(l.said(etoegang.AttributeRepresentation), "AttributeValue"), "false")
		}), refused("no-representation")},
		{"a log-in for another service", onChainLogin(func(l *letter, _ *etree.Element) {
			setText(child(l.said(etoegang.AttributeServiceUUID), "AttributeValue"), s.net.Services["permit"].UUID.String())
		}), refused("service-mismatch")},
		{"another person in the query", says(etoegang.AttributeSubjectID, "_somebody"), refused("subject-mismatch")},

		{"no obligation", onStatement(without(append(result[:3:3], "Obligations")...)), refused("statement")},
		{"an empty obligation", onStatement(without(append(obligation[:5:5], "AttributeAssignment")...)), refused("malformed")},
		{"another obligation", onStatement(set("ObligationId", "urn:etoegang:core:Other", obligation...)), refused("statement")},
		{"two obligations", onStatement(doubled(obligation...)), refused("statement")},
		{"an obligation that names another register", onStatement(func(_ *letter, a *etree.Element) {
			setText(at(a, append(obligation[:5:5], "AttributeAssignment")...), "urn:etoegang:MR:00000009999999990000:entities:9999")
		}), refused("statement")},
		{"an obligation that names the first register", onStatement(func(_ *letter, a *etree.Element) {
			setText(at(a, append(obligation[:5:5], "AttributeAssignment")...), s.net.First.Entity.String())
		}), refused("statement")},
		{"an obligation that names nobody", onStatement(func(_ *letter, a *etree.Element) {
			setText(at(a, append(obligation[:5:5], "AttributeAssignment")...), "us")
		}), refused("identifier")},
		{"a Deny", decides("Deny"), refused("statement")},
		{"no decision that XACML knows", decides("permit"), refused("statement")},
		{"not applicable", decides("NotApplicable"), refused("statement")},
		{"a Permit and a space", decides("Permit "), refused("statement")},
		{"two decisions", onStatement(doubled(append(result[:3:3], "Decision")...)), refused("malformed")},
		{"two results", onStatement(doubled(result...)), refused("statement")},
		{"a second statement", onStatement(adding(`<a:Statement xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/>`)), refused("statement")},
		{"no statement in it", onStatement(without("Statement")), refused("statement")},
		{"an audience", onStatement(adding(`<a:AudienceRestriction xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"><a:Audience>`+s.net.Second.Entity.String()+`</a:Audience></a:AudienceRestriction>`, "Conditions")), refused("forbidden-content")},

		{"a statement about another service", states(etoegang.AttributeServiceUUID, s.net.Services["permit"].UUID.String()), refused("service-mismatch")},
		{"a statement about another service's name", states(etoegang.AttributeServiceID, strings.Replace(s.vat.ID.String(), ":services:1", ":services:7", 1)), refused("service-mismatch")},
		{"a level used that nobody knows", states(etoegang.AttributeLevelUsed, "loa9"), refused("identifier")},
		{"a company for another", onStatement(func(l *letter, _ *etree.Element) { l.represents(bakery.KvK.Text(), s.net.Broker.Recipient()) }), refused("identifier")},
		{"a company that is none", onStatement(func(l *letter, _ *etree.Element) { l.represents("1234567x", s.net.Second.Recipient()) }), refused("identifier")},
		{"no company", onStatement(func(l *letter, _ *etree.Element) { drop(l.stated(etoegang.AttributeLegalSubjectID)) }), refused("statement")},
		{"two companies", onStatement(func(l *letter, _ *etree.Element) {
			first := child(l.stated(etoegang.AttributeLegalSubjectID), "AttributeValue").Copy()
			l.represents(bakery.KvK.Text(), s.net.Second.Recipient())
			l.stated(etoegang.AttributeLegalSubjectID).AddChild(first)
		}), refused("statement")},
		{"no intermediary", onStatement(func(l *letter, _ *etree.Element) { drop(l.stated(etoegang.AttributeIntermediateKvKNr)) }), refused("intermediary-unclear")},
		{"two intermediaries", onStatement(func(l *letter, _ *etree.Element) {
			other := twin(l.stated(etoegang.AttributeIntermediateKvKNr))
			other.CreateAttr("AttributeId", etoegang.AttributeIntermediateKvK)
			setText(child(other, "AttributeValue"), "11111111")
		}), refused("intermediary-unclear")},
		{"an intermediary in full width", states(etoegang.AttributeIntermediateKvKNr, "６５４３２１９８"), refused("identifier")},
	})
}

// represents lets the statement name a company.
func (l *letter) represents(number string, to xmlsec.Recipient) {
	sealed := must[*xmlsec.Element](l.stage.t)(saml.SealName(etoegang.TypeKvKNr, number, to))
	v := child(l.stated(etoegang.AttributeLegalSubjectID), "AttributeValue")
	v.Child = nil
	v.AddChild(snippet(string(sealed.Bytes())))
}

// loginElement is another honest log-in.
func (s *stage) loginElement(who mandate.Person) *etree.Element {
	login := must[*xmlsec.Element](s.t)(s.login(who).Sign(s.net.Authenticator.Signer()))
	return snippet(string(login.Bytes()))
}

// The times of a chain, at their edges: the last moment accepted and the first refused.
func TestConfirmTimes(t *testing.T) {
	t.Parallel()
	s := chainStage(t)
	now := s.clock.Now()
	statement := func(name string, path ...string) func(time.Duration) func(*letter) []byte {
		return func(d time.Duration) func(*letter) []byte {
			return onStatement(func(_ *letter, a *etree.Element) {
				child(a, "Conditions").CreateAttr("NotBefore", stampOf(now.Add(-time.Hour)))
				at(a, path...).CreateAttr(name, stampOf(now.Add(d)))
			})
		}
	}
	login := func(d time.Duration) func(*letter) []byte {
		return onChainLogin(func(_ *letter, a *etree.Element) { a.CreateAttr("IssueInstant", stampOf(now.Add(d))) })
	}
	for _, c := range []struct {
		name          string
		set           func(time.Duration) func(*letter) []byte
		last, refused time.Duration
		word          string
	}{
		{"statement over", statement("NotOnOrAfter", "Conditions"), -time.Second, -2 * time.Second, "assertion-validity"},
		{"statement not yet", statement("NotBefore", "Conditions"), 2 * time.Second, 3 * time.Second, "assertion-validity"},
		{"statement from the future", statement("IssueInstant"), 2 * time.Second, 3 * time.Second, "from-the-future"},
		{"log-in younger than the statement", login, 2 * time.Second, 3 * time.Second, "assertion-validity"},
		{"log-in long before the statement", login, -15 * time.Minute, -15*time.Minute - time.Second, "assertion-validity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			honest := s.chainLetter(s.anna)
			s.repels(t, c.set(c.refused)(honest.copy()), refused(c.word))
			s.answers(t, c.set(c.last)(honest.copy()), s.anna)
		})
	}
	t.Run("aged on the way", func(t *testing.T) {
		honest := s.chainLetter(s.anna)
		s.clock.Advance(122 * time.Second)
		fresh := onQuery(set("IssueInstant", stampOf(s.clock.Now())))
		s.repels(t, fresh(honest.copy()), refused("assertion-validity"))
	})
}
