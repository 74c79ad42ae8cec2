package saml

import (
	"errors"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// spaceChain is the namespace of the messages by which registers find each other's chain
// mandates. PROVISIONAL: the scheme names the operation (Discovery webservice, 1.13:
// ChainInformationQuery with an ID and a RequestingEntityId) and wants it signed and
// encrypted by WS-Security, but the text of its other fields and of that security was not to
// be had. Until it is, the form is our own, signed and encrypted as all our messages are; the
// last part of the name counts its versions. Its prefix stands in package xmlsec.
const spaceChain = "https://github.com/mandated/mandated/ns/chain-information/0"

func inChain(local string) xmlsec.Name { return xmlsec.Name{Space: spaceChain, Local: local} }

var (
	chainQueryName = xmlsec.Step{inChain("ChainInformationQuery")}
	chainPageName  = xmlsec.Step{inChain("ChainInformationResponse")}
)

// What can be wrong with messages between registers before anybody is believed.
var (
	ErrNoChainQuery = errors.New("saml: the SOAP body is not one ChainInformationQuery")
	ErrNoChainPage  = errors.New("saml: the SOAP body is not one ChainInformationResponse")
)

// longestCursor bounds, in bytes, what an answerer may let an asker carry from page to page.
const longestCursor = 512

// ChainFilter says which chain mandates are looked for. What is zero does not matter; the
// intermediary must be named.
type ChainFilter struct {
	Intermediary etoegang.Intermediary
	Represented  etoegang.LegalSubject   // the client
	Service      etoegang.ServiceUUID    // that must be covered, be it with all others
	Level        etoegang.AssuranceLevel // that must be reached at least
}

// ChainQuery is a ChainInformationQuery: a register asks another which companies have
// mandated an intermediary there. It is for finding clients, be it when their mandates are
// registered or when a user logs in, and never takes the place of the chain's confirmation.
type ChainQuery struct {
	ID          string
	Issuer      etoegang.EntityID // who asks; stands there twice, also as RequestingEntityId
	Destination string
	Issued      time.Time
	ChainFilter
	Cursor string // "": the first page; else as the answerer gave it with the page before
}

// Sign writes the message, with the client's number for the asked register's eyes alone, and
// signs it.
func (q ChainQuery) Sign(s xmlsec.Signer, to xmlsec.Recipient) (*xmlsec.Element, error) {
	client, err := q.client(to)
	if err != nil {
		return nil, err
	}
	level := ""
	if q.Level != etoegang.NoLevel {
		level = q.Level.URN()
	}
	e := xmlsec.E("chain:ChainInformationQuery", protocolHeader(q.ID, q.Issued, "Destination", q.Destination),
		xmlsec.E("saml:Issuer", q.Issuer.String()),
		xmlsec.E("chain:RequestingEntityId", q.Issuer.String()),
		xmlsec.E("chain:IntermediateKvKnr", q.Intermediary.KvK.Text()),
		client, optional("chain:ServiceUUID", q.Service.String()), optional("chain:LevelOfAssurance", level),
		optional("chain:Cursor", q.Cursor))
	return e, s.Sign(e)
}

func (q ChainQuery) client(to xmlsec.Recipient) (*xmlsec.Element, error) {
	if q.Represented.IsZero() {
		return nil, nil
	}
	sealed, err := SealName(q.Represented.Type(), q.Represented.Text(), to)
	return xmlsec.E("chain:LegalSubject", sealed), err
}

// chainPlace is where a message between registers has its one signature: of a register, for
// nobody else asks or answers.
func (r *Receiver) chainPlace(name xmlsec.Step, now time.Time) xmlsec.Place {
	return xmlsec.Place{Name: "chain", Path: inBody(name), Issuer: inSAML("Issuer"), Min: 1, Max: 1, Keys: r.keysOf(now, etoegang.Register)}
}

// verifyChain reads and verifies a message between registers.
func (r *Receiver) verifyChain(body []byte, name xmlsec.Step, wrong error, now time.Time) (v xmlsec.Verified, err error) {
	document, err := readEnvelope(body, name, wrong)
	if err != nil {
		return v, err
	}
	defer document.Release()
	verified, err := r.Verifier.Verify(document, now, r.chainPlace(name, now))
	if err != nil {
		return v, err
	}
	return verified[0], nil
}

// ReceiveChainQuery reads, verifies and judges a ChainInformationQuery. Nothing of it is in
// body. As with Receive, without a query nobody is known to have sent it; with one an error
// is what is wrong with what a known register has sent.
func (r *Receiver) ReceiveChainQuery(body []byte, now time.Time) (*ChainQuery, error) {
	v, err := r.verifyChain(body, chainQueryName, ErrNoChainQuery, now)
	if err != nil {
		return nil, err
	}
	issuer, err := etoegang.ParseEntityID(v.Issuer())
	if err != nil {
		return nil, err
	}
	q := &ChainQuery{Issuer: issuer}
	q.ID, _ = v.Root().Attr("ID") // the signature refers to it
	return q, r.judgeChainQuery(q, v.Root(), now)
}

func (r *Receiver) judgeChainQuery(q *ChainQuery, n *xmlsec.Node, now time.Time) error {
	h, err := readHeader(n)
	if err != nil {
		return err
	}
	q.Issued = h.Issued
	if q.Destination, _ = n.Attr("Destination"); q.Destination != r.Addresses.Chain {
		return problem(ProblemDestination, "%.200q", q.Destination)
	}
	if err := r.Ages.judge(q.Issued, now); err != nil {
		return err
	}
	if err := n.Only(inSAML("Issuer"), inChain("RequestingEntityId"), inChain("IntermediateKvKnr"), inChain("LegalSubject"),
		inChain("ServiceUUID"), inChain("LevelOfAssurance"), inChain("Cursor")); err != nil {
		return wrap(ProblemForbidden, err, "ChainInformationQuery")
	}
	asker, err := text(n, inChain("RequestingEntityId"))
	if err == nil && asker != q.Issuer.String() {
		err = problem(ProblemIdentifier, "RequestingEntityId is not the Issuer")
	}
	if err != nil {
		return err
	}
	return r.readChainFilter(q, n)
}

func (r *Receiver) readChainFilter(q *ChainQuery, n *xmlsec.Node) error {
	number, err := text(n, inChain("IntermediateKvKnr"))
	if err != nil {
		return err
	}
	if q.Intermediary, err = etoegang.ParseIntermediary(number); err != nil {
		return wrap(ProblemIdentifier, err, "IntermediateKvKnr")
	}
	if q.Represented, err = r.readClient(n); err != nil {
		return err
	}
	if q.Service, err = maybe(n, "ServiceUUID", etoegang.ParseServiceUUID); err != nil {
		return err
	}
	if q.Level, err = maybe(n, "LevelOfAssurance", etoegang.ParseAssuranceLevel); err != nil {
		return err
	}
	q.Cursor, err = maybe(n, "Cursor", func(s string) (string, error) { return s, bounded(s, longestCursor) })
	return err
}

// readClient opens the client's number, which is never in the clear.
func (r *Receiver) readClient(n *xmlsec.Node) (s etoegang.LegalSubject, err error) {
	client, err := n.Maybe(inChain("LegalSubject"))
	if err != nil {
		return s, wrap(ProblemMalformed, err, "ChainInformationQuery")
	}
	if client == nil {
		return s, nil
	}
	if err := client.Only(inSAML("EncryptedID")); err != nil {
		return s, wrap(ProblemForbidden, err, "LegalSubject")
	}
	return openSubject(client, r.Self, r.Openers)
}

// maybe reads an element of our own namespace that may be left out.
func maybe[T any](n *xmlsec.Node, local string, parse func(string) (T, error)) (v T, err error) {
	child, err := n.Maybe(inChain(local))
	if err != nil {
		return v, wrap(ProblemMalformed, err, "%s", n.Name.Local)
	}
	if child == nil {
		return v, nil
	}
	s, err := value(child)
	if err != nil {
		return v, err
	}
	if v, err = parse(s); err != nil {
		return v, wrap(ProblemIdentifier, err, "%s", local)
	}
	return v, nil
}

func bounded(s string, most int) error {
	if len(s) > most {
		return problem(ProblemMalformed, "%d bytes where %d may be", len(s), most)
	}
	return nil
}
