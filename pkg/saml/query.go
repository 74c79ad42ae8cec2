package saml

import (
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Query is an XACMLAuthzDecisionQuery as its sender signed it (HM-MR, 1.13). It has
// been read, not yet judged.
type Query struct {
	ID          string
	Issued      time.Time
	Issuer      etoegang.EntityID
	Destination string // "" if it has none

	ReturnContext bool // the answer repeats what was asked
	consumer      string
	Audience      etoegang.EntityID // IntendedAudience: the provider for whom it all is; zero if not given

	SubjectID   string // the transient name that the authentication gave the person; "" if not given
	ServiceID   etoegang.ServiceID
	ServiceUUID etoegang.ServiceUUID
	Level       etoegang.AssuranceLevel // NoLevel if not given

	// represented are the values of LegalSubjectID: whom the broker prefers, or the
	// provider asks about. Encrypted to us or, from a provider, readable.
	represented  []*xmlsec.Node
	intermediary string // KvK number, as a provider reads it in what it received; "" if none

	// Requested are the further attributes that the provider wants.
	Requested []RequestedAttribute

	hasEnvironment bool
}

// RequestedAttribute is an attribute that a provider wants to know.
type RequestedAttribute struct {
	Name     string
	Required bool
}

// Leniency is what one peer may leave out although the scheme asks for it. The zero
// value is the scheme.
type Leniency struct {
	NoDestination   bool // no Destination attribute
	NoReturnContext bool // ReturnContext absent or false: the answer then has no echo
	NoEnvironment   bool // no Environment element
}

// ParseQuery reads a query. The Verified must come from the place of queries. With an
// error the Query still has its ID and Issuer, so that its sender can be answered.
func ParseQuery(v xmlsec.Verified) (Query, error) {
	n := v.Root()
	q := Query{}
	q.ID, _ = n.Attr("ID") // the signature refers to it
	var err error
	if q.Issuer, err = etoegang.ParseEntityID(v.Issuer()); err != nil {
		return q, wrap(ProblemIdentifier, err, "Issuer")
	}
	h, err := readHeader(n)
	if err != nil {
		return q, err
	}
	q.Issued = h.Issued
	if err := n.Only(inSAML("Issuer"), inProtocol("Extensions"), inContext("Request")); err != nil {
		return q, wrap(ProblemForbidden, err, "query")
	}
	if err := q.readAttributes(n); err != nil {
		return q, err
	}
	if err := q.readExtensions(n); err != nil {
		return q, err
	}
	request, err := n.One(inContext("Request"))
	if err != nil {
		return q, wrap(ProblemMalformed, err, "query")
	}
	return q, q.readRequest(request)
}

func (q *Query) readAttributes(n *xmlsec.Node) error {
	if _, ok := n.Attr("Consent"); ok {
		return problem(ProblemForbidden, "Consent")
	}
	if s, ok := n.Attr("InputContextOnly"); ok {
		if only, valid := boolean(s); only || !valid { // false written out is what some software cannot help
			return problem(ProblemForbidden, "InputContextOnly")
		}
	}
	if s, ok := n.Attr("ReturnContext"); ok {
		var valid bool
		if q.ReturnContext, valid = boolean(s); !valid {
			return problem(ProblemMalformed, "ReturnContext is not a boolean")
		}
	}
	q.Destination, _ = n.Attr("Destination")
	return nil
}

func (q *Query) readExtensions(n *xmlsec.Node) error {
	extensions, err := n.Maybe(inProtocol("Extensions"))
	if err != nil {
		return wrap(ProblemMalformed, err, "query")
	}
	if extensions == nil {
		return nil
	}
	requested := xmlsec.Name{Space: spaceSAMLP, Local: "RequestedAttributes"}
	if err := extensions.Only(inContext("Attribute"), requested); err != nil {
		return wrap(ProblemForbidden, err, "Extensions")
	}
	if err := q.readRequested(extensions.All(requested)); err != nil {
		return err
	}
	if q.consumer, err = contextText(extensions, etoegang.AttributeConsumerIndex); err != nil {
		return err
	}
	audience, err := contextText(extensions, etoegang.AttributeIntendedAudience)
	if err != nil || audience == "" {
		return err
	}
	if q.Audience, err = etoegang.ParseEntityID(audience); err != nil {
		return wrap(ProblemIdentifier, err, "IntendedAudience")
	}
	return nil
}

// readRequested reads which further attributes are wanted.
func (q *Query) readRequested(lists []*xmlsec.Node) error {
	if len(lists) > 1 {
		return problem(ProblemMalformed, "RequestedAttributes stands there twice")
	}
	for _, list := range lists {
		if err := list.Only(inMetadata("RequestedAttribute")); err != nil {
			return wrap(ProblemForbidden, err, "RequestedAttributes")
		}
		for _, n := range list.Children {
			name, err := attribute(n, "Name")
			if err != nil {
				return err
			}
			text, _ := n.Attr("isRequired")
			required, _ := boolean(text)
			q.Requested = append(q.Requested, RequestedAttribute{name, required})
		}
	}
	return nil
}

func (q *Query) readRequest(n *xmlsec.Node) error {
	if err := n.Only(inContext("Subject"), inContext("Resource"), inContext("Action"), inContext("Environment")); err != nil {
		return wrap(ProblemForbidden, err, "Request")
	}
	q.hasEnvironment = len(n.All(inContext("Environment"))) == 1
	subject, err := n.One(inContext("Subject"))
	if err != nil {
		return wrap(ProblemMalformed, err, "Request")
	}
	if q.SubjectID, err = contextText(subject, etoegang.AttributeSubjectID); err != nil {
		return err
	}
	q.represented = contextAttribute(subject, etoegang.AttributeLegalSubjectID)
	resource, err := n.One(inContext("Resource"))
	if err != nil {
		return wrap(ProblemMalformed, err, "Request")
	}
	if err := q.readResource(resource); err != nil {
		return err
	}
	action, err := n.One(inContext("Action"))
	if err != nil {
		return wrap(ProblemMalformed, err, "Request")
	}
	id, err := contextText(action, etoegang.AttributeActionID)
	if err == nil && id != etoegang.ActionAuthenticate {
		err = problem(ProblemMalformed, "the action is not %s", etoegang.ActionAuthenticate)
	}
	return err
}

func (q *Query) readResource(n *xmlsec.Node) error {
	r, err := readResource(n)
	if err == nil && len(r.uuids) != 1 {
		err = problem(ProblemMalformed, "ServiceUUID has %d values", len(r.uuids))
	}
	if err != nil {
		return err
	}
	q.ServiceID, q.ServiceUUID, q.Level, q.intermediary = r.id, r.uuids[0], r.level, r.intermediary
	return nil
}

// resource is what queries and statements say in the same way of a service.
type resource struct {
	id           etoegang.ServiceID
	uuids        []etoegang.ServiceUUID // the one asked for; in a statement about a portal also those behind it
	level        etoegang.AssuranceLevel
	intermediary string
}

func readResource(n *xmlsec.Node) (r resource, err error) {
	id, err := contextText(n, etoegang.AttributeServiceID)
	if id, err = required(etoegang.AttributeServiceID, id, err); err != nil {
		return r, err
	}
	if r.id, err = etoegang.ParseServiceID(id); err != nil {
		return r, wrap(ProblemIdentifier, err, "ServiceID")
	}
	for _, v := range contextAttribute(n, etoegang.AttributeServiceUUID) {
		text, err := value(v)
		if err != nil {
			return r, err
		}
		uuid, err := etoegang.ParseServiceUUID(text)
		if err != nil {
			return r, wrap(ProblemIdentifier, err, "ServiceUUID")
		}
		r.uuids = append(r.uuids, uuid)
	}
	level, err := contextText(n, etoegang.AttributeLevel)
	if err != nil {
		return r, err
	}
	if level != "" {
		if r.level, err = etoegang.ParseAssuranceLevel(level); err != nil {
			return r, wrap(ProblemIdentifier, err, "LevelOfAssurance")
		}
	}
	r.intermediary, err = readIntermediary(n)
	return r, err
}

// readIntermediary reads the intermediary's KvK number under either of its names; two
// that differ are a contradiction.
func readIntermediary(resource *xmlsec.Node) (string, error) {
	field, err := contextText(resource, etoegang.AttributeIntermediateKvKNr)
	if err != nil {
		return "", err
	}
	page, err := contextText(resource, etoegang.AttributeIntermediateKvK)
	if err != nil {
		return "", err
	}
	if field != "" && page != "" && field != page {
		return "", problem(ProblemIntermediary, "two intermediaries")
	}
	if field == "" {
		field = page
	}
	return field, nil
}
