package saml

import (
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// ChainPage is a ChainInformationResponse: a page of what a register knows of an
// intermediary's clients, or why it gives none. A list is complete or no list: every page
// but the last names the next, and all are of one snapshot of the register, whatever is
// written meanwhile.
type ChainPage struct {
	ID           string
	InResponseTo string
	Issuer       etoegang.EntityID
	Issued       time.Time
	Status       Status
	Message      string // StatusMessage; "": left out

	// With the status Success alone.
	Snapshot  string // names the snapshot: the same on all pages of one list
	Next      string // the cursor of the next page; "": this is the last
	Relations []Relation
}

// longestSnapshot bounds the name of a snapshot, in bytes.
const longestSnapshot = 100

// Sign writes the page, its relations for the asking register's eyes alone, and signs it.
// They must fit: see FitRelations.
func (p ChainPage) Sign(s xmlsec.Signer, to xmlsec.Recipient) (*xmlsec.Element, error) {
	found, err := p.found(to)
	if err != nil {
		return nil, err
	}
	code := xmlsec.E("samlp:StatusCode", xmlsec.A("Value", p.Status.Top))
	if p.Status.Second != "" {
		code = xmlsec.E("samlp:StatusCode", xmlsec.A("Value", p.Status.Top), xmlsec.E("samlp:StatusCode", xmlsec.A("Value", p.Status.Second)))
	}
	e := xmlsec.E("chain:ChainInformationResponse", protocolHeader(p.ID, p.Issued, "InResponseTo", p.InResponseTo),
		xmlsec.E("saml:Issuer", p.Issuer.String()),
		xmlsec.E("samlp:Status", code, optional("samlp:StatusMessage", p.Message)),
		found)
	return e, s.Sign(e)
}

func (p ChainPage) found(to xmlsec.Recipient) (*xmlsec.Element, error) {
	if p.Status != Success {
		return nil, nil
	}
	sealed, err := sealRelations(p.Relations, to)
	if err != nil {
		return nil, err
	}
	attributes := []xmlsec.Attribute{xmlsec.A("Snapshot", p.Snapshot)}
	if p.Next != "" {
		attributes = append(attributes, xmlsec.A("Next", p.Next))
	}
	return xmlsec.E("chain:Page", attributes, sealed), nil
}

// ReceiveChainPage reads, verifies and judges the SOAP answer to a ChainInformationQuery of
// ours: signed by the register that was asked, about what was asked, and of now. A page
// whose status is not Success is returned as one, without relations.
func (r *Receiver) ReceiveChainPage(body []byte, asked ChainQuery, from etoegang.EntityID, now time.Time) (*ChainPage, error) {
	v, err := r.verifyChain(body, chainPageName, ErrNoChainPage, now)
	if err != nil {
		return nil, err
	}
	p, err := r.judgeChainPage(v.Root(), asked.ID, from, now)
	if err != nil {
		return nil, err
	}
	for _, relation := range p.Relations {
		if err := relation.answers(asked.ChainFilter, from); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (r *Receiver) judgeChainPage(n *xmlsec.Node, asked string, from etoegang.EntityID, now time.Time) (*ChainPage, error) {
	h, err := readHeader(n)
	if err != nil {
		return nil, err
	}
	if h.Issuer != from {
		return nil, fmt.Errorf("saml: %s was asked, and %s answers", from, h.Issuer)
	}
	p := &ChainPage{ID: h.ID, Issuer: h.Issuer, Issued: h.Issued}
	if p.InResponseTo, _ = n.Attr("InResponseTo"); p.InResponseTo != asked {
		return nil, problem(ProblemLink, "the answer is to another ChainInformationQuery")
	}
	if err := r.Ages.judge(h.Issued, now); err != nil {
		return nil, err
	}
	if p.Status, p.Message, err = readStatus(n); err != nil {
		return nil, err
	}
	return p, r.readPage(p, n)
}

// readPage reads what was found: there with the status Success, and with no other.
func (r *Receiver) readPage(p *ChainPage, n *xmlsec.Node) error {
	known := []xmlsec.Name{inSAML("Issuer"), inProtocol("Status")}
	if p.Status == Success {
		known = append(known, inChain("Page"))
	}
	if err := n.Only(known...); err != nil {
		return wrap(ProblemForbidden, err, "ChainInformationResponse")
	}
	if p.Status != Success {
		return nil
	}
	page, err := n.One(inChain("Page"))
	if err != nil {
		return wrap(ProblemMalformed, err, "ChainInformationResponse")
	}
	if p.Snapshot, err = attribute(page, "Snapshot"); err != nil {
		return err
	}
	if err := bounded(p.Snapshot, longestSnapshot); err != nil {
		return err
	}
	p.Next, _ = page.Attr("Next")
	if err := bounded(p.Next, longestCursor); err != nil {
		return err
	}
	p.Relations, err = openRelations(page, r.Self, r.Openers)
	return err
}
