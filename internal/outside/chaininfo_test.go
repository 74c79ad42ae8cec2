package outside_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// chainAddress is where a register is asked by others.
func chainAddress(r *harness.RegisterNode) string {
	return strings.TrimSuffix(r.Address, server.PathQuery) + server.PathChain
}

// askedBy is an honest question of one register to another, about the office.
func askedBy(asker, at *harness.RegisterNode, now time.Time) saml.ChainQuery {
	return saml.ChainQuery{
		ID: saml.NewID(), Issuer: asker.Entity, Destination: chainAddress(at), Issued: now,
		ChainFilter: saml.ChainFilter{Intermediary: etoegang.Intermediary{KvK: office.KvK}},
	}
}

func askChain(t testing.TB, q saml.ChainQuery, asker, at *harness.RegisterNode) []byte {
	t.Helper()
	return saml.Wrap(must[*xmlsec.Element](t)(q.Sign(asker.Signer(), at.Recipient())))
}

// postChain sends a message to where registers are asked.
func postChain(t testing.TB, at *harness.RegisterNode, message []byte) reply {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequestWithContext(ctx, http.MethodPost, chainAddress(at), bytes.NewReader(message)))
	request.Header.Set("Content-Type", "text/xml")
	return (&stage{t: t}).do(request)
}

// chainLetter is a register's question as a tree.
type chainLetter struct {
	doc *etree.Document
	pen pen
}

func (l chainLetter) query() *etree.Element {
	return l.doc.Root().ChildElements()[0].ChildElements()[0]
}

func (l chainLetter) bytes() []byte {
	text, err := l.doc.WriteToBytes()
	if err != nil {
		panic(err) // only for a writer that fails
	}
	return text
}

// What strangers make of a register's question is refused by the same defences as what they
// make of a broker's, and is told nothing of anybody's clients.
func TestHostileChainQueries(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{TwoRegisters: true})
	must[mandate.ID](t)(s.net.First.Chain(bakery, office, mandate.Scope{mandate.Everything(etoegang.LoA3)}))
	s.grown()
	honest := func() chainLetter {
		q := askedBy(s.net.Second, s.net.First, s.clock.Now())
		return chainLetter{tree(askChain(t, q, s.net.Second, s.net.First)), penOf(s.net.Second.Signer())}
	}
	text := func(from, to string) func(chainLetter) []byte {
		return func(l chainLetter) []byte {
			before := l.bytes()
			after := bytes.Replace(before, []byte(from), []byte(to), 1)
			if bytes.Equal(before, after) {
				t.Fatalf("there is no %q in %s", from, before)
			}
			return after
		}
	}
	signature := func(l chainLetter) *etree.Element { return child(l.query(), "Signature") }
	for _, a := range []struct {
		name string
		make func(chainLetter) []byte
		want verdict
	}{
		{"unsigned", func(l chainLetter) []byte { l.query().RemoveChild(signature(l)); return l.bytes() }, fault(xmlsec.ErrSignatureCount)},
		{"signed twice", func(l chainLetter) []byte { l.query().AddChild(signature(l).Copy()); return l.bytes() }, fault(xmlsec.ErrSignatureCount)},
		{"another intermediary", text("IntermediateKvKnr>"+office.KvK.Text(), "IntermediateKvKnr>"+bakery.KvK.Text()), fault(xmlsec.ErrSignature)},
		{"a cursor put in", text("</chain:IntermediateKvKnr>", "</chain:IntermediateKvKnr><chain:Cursor>x</chain:Cursor>"), fault(xmlsec.ErrSignature)},
		{"a comment in a number", text(office.KvK.Text()[:4], office.KvK.Text()[:4]+"<!-- -->"), fault(xmlsec.ErrComment)},
		{"an entity", text("<soap:Envelope", `<!DOCTYPE x [<!ENTITY x SYSTEM "`+s.trap.URL+`">]><soap:Envelope`), fault(xmlsec.ErrDirective)},
		{"a section", text(office.KvK.Text(), "<![CDATA["+office.KvK.Text()+"]]>"), fault(xmlsec.ErrCDATA)},
		{"cut off", func(l chainLetter) []byte { b := l.bytes(); return b[:len(b)-20] }, fault(xmlsec.ErrMalformed)},
		{"two questions", func(l chainLetter) []byte {
			other := l.query().Copy()
			other.CreateAttr("ID", "_other")
			l.query().Parent().AddChild(other)
			return l.bytes()
		}, fault(saml.ErrNoChainQuery)},
		{"wrapped in another question", func(l chainLetter) []byte {
			original := l.query()
			forged := original.Copy()
			forged.CreateAttr("ID", "_forged")
			forged.RemoveChild(child(forged, "Signature"))
			child(forged, "IntermediateKvKnr").SetText(bakery.KvK.Text())
			body := original.Parent()
			body.RemoveChild(original)
			body.AddChild(forged)
			forged.CreateElement("chain:Extensions").AddChild(original)
			return l.bytes()
		}, fault(xmlsec.ErrSignatureCount)},
		{"a broker's question", func(l chainLetter) []byte { return s.instead(t, s.net.Second, s.net.Broker.Party, true) }, fault(xmlsec.ErrUnknownIssuer)},
		{"a provider's question", func(l chainLetter) []byte { return s.instead(t, s.net.Second, s.vat.Home, true) }, fault(xmlsec.ErrUnknownIssuer)},
		{"a broker's pen", func(l chainLetter) []byte { return s.instead(t, s.net.Second, s.net.Broker.Party, false) }, fault(xmlsec.ErrKeyName)},
		{"a broker's query", func(chainLetter) []byte { return s.letter(s.anna).bytes() }, fault(saml.ErrNoChainQuery)},
		{"a header to understand", text("<soap:Body>", `<soap:Header><x:y xmlns:x="urn:x" soap:mustUnderstand="1"/></soap:Header><soap:Body>`),
			verdict{counted: fmt.Sprintf("fault defence=%q", defence(saml.ErrMustUnderstand)), code: "soap:MustUnderstand"}},
		{"for another register, by its own pen", func(l chainLetter) []byte {
			child(l.query(), "RequestingEntityId").SetText(s.net.First.Entity.String())
			l.pen.sign(l.query())
			return l.bytes()
		}, refused("identifier")},
		{"sent elsewhere, by its own pen", func(l chainLetter) []byte {
			l.query().CreateAttr("Destination", s.trap.URL)
			l.pen.sign(l.query())
			return l.bytes()
		}, refused("destination")},
		{"more than a question, by its own pen", func(l chainLetter) []byte {
			l.query().CreateElement("chain:Everything")
			l.pen.sign(l.query())
			return l.bytes()
		}, refused("forbidden-content")},
	} {
		t.Run(a.name, func(t *testing.T) {
			played.hostile.Add(1)
			r := postChain(t, s.net.First, a.make(honest()))
			if grown := s.grown(); !maps.Equal(grown, counts{a.want.counted: 1}) {
				t.Errorf("counted %v, want %q once", grown, a.want.counted)
			}
			if bytes.Contains(r.body, []byte("EncryptedAttribute")) {
				t.Errorf("told: %s", r.body)
			}
			if a.want.code != "" {
				wantFault(t, r, a.want.code)
			} else if r.status != 200 || !bytes.Contains(r.body, []byte(">"+a.want.word+"<")) {
				t.Errorf("answered with %d %s, want %q", r.status, r.body, a.want.word)
			}
		})
	}
	message := honest().bytes()
	for _, want := range []string{"EncryptedAttribute", ">replayed<"} {
		played.honest.Add(1)
		if r := postChain(t, s.net.First, message); r.status != 200 || !bytes.Contains(r.body, []byte(want)) {
			t.Errorf("an honest question is answered %d %s; want %s in it", r.status, r.body, want)
		}
	}
	s.grown()
	if r := s.post(honest().bytes()); r.status != 500 || !maps.Equal(s.grown(), counts{fault(saml.ErrNoQuery).counted: 1}) {
		t.Errorf("where brokers ask, a register's question is answered %d %s", r.status, r.body)
	}
	if n := s.recorded(); n != 0 {
		t.Errorf("%d decisions were journalled", n)
	}
}

// instead is a question that somebody else asks, in his own name or in the register's.
func (s *stage) instead(t *testing.T, register *harness.RegisterNode, by *harness.Party, own bool) []byte {
	t.Helper()
	q := askedBy(register, s.net.First, s.clock.Now())
	if own {
		q.Issuer = by.Entity
	}
	return saml.Wrap(must[*xmlsec.Element](t)(q.Sign(by.Signer(), s.net.First.Recipient())))
}
