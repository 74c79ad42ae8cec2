package saml

import (
	"errors"
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Statement is a mandate register's assertion with its authorization decision, as a
// broker, another register or a provider reads it (HM-MR response, 1.13).
type Statement struct {
	assertion
	References []string // the assertions it rests on, by ID

	Decision string            // Permit or Deny
	Message  string            // why, after a Deny
	Confirm  etoegang.EntityID // the register that must confirm it; zero if none

	Linked string // the SignatureValue of the assertion it rests on, base64

	ServiceID      etoegang.ServiceID
	ServiceUUID    etoegang.ServiceUUID
	Opened         []etoegang.ServiceUUID  // the services behind a portal that the person may use
	Level          etoegang.AssuranceLevel // asked; NoLevel if not stated
	Used           etoegang.AssuranceLevel // LevelOfAssuranceUsed; NoLevel after a Deny
	Establishments []etoegang.EstablishmentNumber

	intermediary string         // KvK number; "" for a direct mandate
	clear        string         // KvK number of the represented company, where it is not only encrypted
	represented  []*xmlsec.Node // EncryptedID, one a type of identifier
	acting       []*xmlsec.Node // EncryptedID
	older        []*xmlsec.Node // IntermediateSubjectID, the older way to name the intermediary
	attributes   []*xmlsec.Node // EncryptedAttribute
}

// ParseStatement reads a mandate register's assertion.
func ParseStatement(v xmlsec.Verified) (s Statement, err error) {
	n := v.Root()
	if s.assertion, err = readAssertion(v); err != nil {
		return s, err
	}
	if len(s.audiences) > 0 { // HM-MR response: NotBefore and NotOnOrAfter are the only conditions
		return s, problem(ProblemForbidden, "a register's assertion has no audience")
	}
	advice, err := n.One(inSAML("Advice"))
	if err != nil {
		return s, wrap(ProblemLink, err, "assertion")
	}
	for _, reference := range advice.All(inSAML("AssertionIDRef")) {
		id, err := value(reference)
		if err != nil {
			return s, err
		}
		s.References = append(s.References, id)
	}
	for attributes := range n.Each(inSAML("AttributeStatement")) {
		s.attributes = append(s.attributes, attributes.All(inSAML("EncryptedAttribute"))...)
	}
	statement, err := n.One(inSAML("Statement"))
	if err != nil {
		return s, wrap(ProblemStatement, err, "assertion")
	}
	response, err := statement.One(inContext("Response"))
	if err != nil {
		return s, wrap(ProblemStatement, err, "statement")
	}
	if err := s.readResult(response); err != nil {
		return s, err
	}
	request, err := statement.Maybe(inContext("Request"))
	if err != nil || request == nil {
		return s, err
	}
	return s, s.readRequest(request)
}

func (s *Statement) readResult(response *xmlsec.Node) error {
	result, err := response.One(inContext("Result"))
	if err != nil {
		return wrap(ProblemStatement, err, "Response")
	}
	if s.Decision, err = text(result, inContext("Decision")); err != nil {
		return err
	}
	status, err := result.Maybe(inContext("Status"))
	if err != nil {
		return wrap(ProblemStatement, err, "Result")
	}
	if status != nil && len(status.All(inContext("StatusMessage"))) > 0 {
		if s.Message, err = text(status, inContext("StatusMessage")); err != nil {
			return err
		}
	}
	return s.readObligations(result)
}

// readObligations reads the one obligation that the scheme knows; another one could
// not be fulfilled, so it refuses (XACML 2.0, 7.14).
func (s *Statement) readObligations(result *xmlsec.Node) error {
	for _, obligations := range result.All(inPolicy("Obligations")) {
		for _, o := range obligations.Children {
			id, _ := o.Attr("ObligationId")
			on, _ := o.Attr("FulfillOn")
			if id != etoegang.ObligationConfirm || on != "Permit" || !s.Confirm.IsZero() {
				return problem(ProblemStatement, "obligation %.100q on %.20q", id, on)
			}
			name, err := text(o, inPolicy("AttributeAssignment"))
			if err != nil {
				return err
			}
			if s.Confirm, err = etoegang.ParseEntityID(name); err != nil {
				return wrap(ProblemIdentifier, err, "obligation")
			}
		}
	}
	return nil
}

func (s *Statement) readRequest(request *xmlsec.Node) error {
	subject, err := request.One(inContext("Subject"))
	if err != nil {
		return wrap(ProblemStatement, err, "Request")
	}
	if s.Linked, err = contextText(subject, etoegang.AttributeLinkedDeclaration); err != nil {
		return err
	}
	s.represented = contextAttribute(subject, etoegang.AttributeLegalSubjectID)
	s.acting = contextAttribute(subject, etoegang.AttributeActingSubjectID)
	s.older = contextAttribute(subject, etoegang.AttributeIntermediateSubject)
	resource, err := request.One(inContext("Resource"))
	if err != nil {
		return wrap(ProblemStatement, err, "Request")
	}
	r, err := readResource(resource)
	if err == nil && len(r.uuids) == 0 {
		err = problem(ProblemMalformed, "ServiceUUID is missing")
	}
	if err != nil {
		return err
	}
	s.ServiceID, s.ServiceUUID, s.Opened, s.Level, s.intermediary = r.id, r.uuids[0], r.uuids[1:], r.level, r.intermediary
	used, err := contextText(resource, etoegang.AttributeLevelUsed)
	if err != nil {
		return err
	}
	if used != "" {
		if s.Used, err = etoegang.ParseAssuranceLevel(used); err != nil {
			return wrap(ProblemIdentifier, err, "LevelOfAssuranceUsed")
		}
	}
	if s.clear, err = contextText(resource, string(etoegang.TypeKvKNr)); err != nil {
		return err
	}
	return s.readEstablishments(resource)
}

func (s *Statement) readEstablishments(resource *xmlsec.Node) error {
	for _, v := range contextAttribute(resource, etoegang.RestrictionEstablishment) {
		number, err := value(v)
		if err != nil {
			return err
		}
		e, err := etoegang.ParseEstablishmentNumber(number)
		if err != nil {
			return wrap(ProblemIdentifier, err, "Vestigingsnr")
		}
		s.Establishments = append(s.Establishments, e)
	}
	return nil
}

// restsOn tells whether the statement was made about that assertion: it names its ID
// and repeats its signature, so that nobody can put another in its place.
func (s *Statement) restsOn(a *assertion) error {
	if !slices.Contains(s.References, a.ID) {
		return problem(ProblemLink, "the assertion of %s does not refer to that of %s", s.Issuer, a.Issuer)
	}
	if s.Linked != a.signature {
		return problem(ProblemLink, "the assertion of %s repeats another signature than that of %s", s.Issuer, a.Issuer)
	}
	return nil
}

// through finds the intermediary: in the resource, or in the older style as an
// identifier encrypted to the next register. Both, when they agree.
func (s *Statement) through(self etoegang.EntityID, keys []xmlsec.Opener) (etoegang.Intermediary, error) {
	number := s.intermediary
	for _, v := range s.older {
		subject, err := openSubject(v, self, keys)
		if errors.Is(err, xmlsec.ErrNotForUs) {
			continue // another recipient's copy
		}
		if err != nil {
			return etoegang.Intermediary{}, err
		}
		if subject.Type() != etoegang.TypeKvKNr || number != "" && number != subject.Text() {
			return etoegang.Intermediary{}, problem(ProblemIntermediary, "two intermediaries")
		}
		number = subject.Text()
	}
	if number == "" {
		return etoegang.Intermediary{}, problem(ProblemIntermediary, "none is named")
	}
	a, err := etoegang.ParseIntermediary(number)
	if err != nil {
		return a, wrap(ProblemIdentifier, err, "IntermediateEntityID")
	}
	return a, nil
}

// openSubject reads one value of LegalSubjectID: encrypted to us, or a NameID that a
// provider has decrypted itself. Whatever is wrong with what was encrypted is one problem,
// so that nobody learns from the answer how far we came with it.
func openSubject(v *xmlsec.Node, self etoegang.EntityID, keys []xmlsec.Opener) (etoegang.LegalSubject, error) {
	if len(v.Children) != 1 {
		return etoegang.LegalSubject{}, problem(ProblemMalformed, "LegalSubjectID is not one identifier")
	}
	n := v.Children[0]
	if n.Name != inSAML("EncryptedID") {
		return readSubject(n)
	}
	opened, err := xmlsec.Open(n, self.String(), keys)
	if err != nil {
		return etoegang.LegalSubject{}, wrap(ProblemEncryption, err, "LegalSubjectID")
	}
	subject, err := readSubject(opened)
	if err != nil {
		return subject, wrap(ProblemEncryption, err, "LegalSubjectID")
	}
	return subject, nil
}

func readSubject(n *xmlsec.Node) (etoegang.LegalSubject, error) {
	kind, name, err := readName(n)
	if err != nil {
		return etoegang.LegalSubject{}, err
	}
	subject, err := etoegang.ParseLegalSubject(kind, name)
	if err != nil {
		return subject, wrap(ProblemIdentifier, err, "LegalSubjectID")
	}
	return subject, nil
}
