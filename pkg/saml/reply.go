package saml

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Reply is a register's answer as its asker reads it, signatures verified.
type Reply struct {
	ID           string
	InResponseTo string
	Issuer       etoegang.EntityID
	Destination  string
	Status       Status
	Message      string // StatusMessage: reason codes with spaces between them

	Statement *Statement      // nil with any status but Success
	Assertion *xmlsec.Element // the statement as it was received, to be passed on
}

// Codes are the reason codes of a refusal, in either of its two shapes.
func (r *Reply) Codes() []string {
	if r.Statement != nil && r.Statement.Message != "" {
		return strings.Fields(r.Statement.Message)
	}
	return strings.Fields(r.Message)
}

// Permitted tells whether the answer is a Permit.
func (r *Reply) Permitted() bool { return r.Statement != nil && r.Statement.Decision == "Permit" }

var responseName = xmlsec.Step{inProtocol("Response")}

// replyPlaces are where a register's answer has its signatures, in a SOAP body or in what
// stands in one.
func replyPlaces(d *Directory, now time.Time, outer ...xmlsec.Step) []xmlsec.Place {
	keys := func(issuer string) []xmlsec.Key { return d.keys(issuer, now, etoegang.Register) }
	path := inBody(append(outer, responseName)...)
	return []xmlsec.Place{
		{Name: "response", Path: path, Issuer: inSAML("Issuer"), Keys: keys, Min: 1, Max: 1},
		{Name: "assertion", Path: slices.Concat(path, []xmlsec.Step{{inSAML("Assertion")}}), Issuer: inSAML("Issuer"), Keys: keys, Min: 0, Max: 1},
	}
}

// resolvedPlaces are where an artifact's answer has its signatures.
func resolvedPlaces(d *Directory, now time.Time) []xmlsec.Place {
	places := replyPlaces(d, now, resolvedName)
	places[0].Min = 0 // there may be nothing any more
	return append(places, resolvedPlace(places[0].Keys))
}

// ReadReply verifies and reads the SOAP answer to one query: the Response is signed by
// the register that was asked, and so is the assertion in it.
func ReadReply(body []byte, d *Directory, asked string, now time.Time) (*Reply, error) {
	document, err := readEnvelope(body, responseName, ErrNoResponse)
	if err != nil {
		return nil, err
	}
	verified, err := document.Verify(now, replyPlaces(d, now)...)
	if err != nil {
		return nil, err
	}
	return readReply(verified, asked)
}

// ReadResolved verifies and reads the answer to one query where it came by an artifact: body
// is the SOAP answer to the ArtifactResolve resolve. ErrNothingThere: there is no answer
// behind it any more.
func ReadResolved(body []byte, d *Directory, resolve, asked string, now time.Time) (*Reply, error) {
	document, err := readEnvelope(body, resolvedName, ErrNoResolved)
	if err != nil {
		return nil, err
	}
	verified, err := document.Verify(now, resolvedPlaces(d, now)...)
	if err != nil {
		return nil, err
	}
	if to, _ := verified[0].Root().Attr("InResponseTo"); to != resolve {
		return nil, problem(ProblemLink, "the ArtifactResponse is to another ArtifactResolve")
	}
	if status, _, err := readStatus(verified[0].Root()); err != nil || status != Success {
		return nil, problem(ProblemStatement, "the artifact is not resolved: %s", status.Short())
	}
	if len(verified) == 1 {
		return nil, nothingIn(verified[0].Root())
	}
	if verified[1].Issuer() != verified[0].Issuer() {
		return nil, problem(ProblemStatement, "the response is of another register than the ArtifactResponse")
	}
	return readReply(verified[1:], asked)
}

// readReply reads a response and the assertion in it.
func readReply(verified []xmlsec.Verified, asked string) (*Reply, error) {
	r, err := readResponse(verified[0])
	if err != nil {
		return nil, err
	}
	if r.InResponseTo != asked {
		return nil, problem(ProblemLink, "the answer is to another query")
	}
	if len(verified) == 1 {
		return r, nil
	}
	s, err := ParseStatement(verified[1])
	if err == nil && s.Issuer != r.Issuer {
		err = problem(ProblemStatement, "the assertion is of another register than the response")
	}
	r.Statement, r.Assertion = &s, xmlsec.Quote(verified[1])
	return r, err
}

func readResponse(v xmlsec.Verified) (*Reply, error) {
	n := v.Root()
	h, err := readHeader(n)
	if err != nil {
		return nil, err
	}
	r := &Reply{ID: h.ID, Issuer: h.Issuer}
	if r.InResponseTo, err = attribute(n, "InResponseTo"); err != nil {
		return nil, err
	}
	r.Destination, _ = n.Attr("Destination")
	r.Status, r.Message, err = readStatus(n)
	return r, err
}

// readStatus reads the status of a response and its message, if it has one.
func readStatus(n *xmlsec.Node) (s Status, message string, err error) {
	status, err := n.One(inProtocol("Status"))
	if err != nil {
		return s, "", wrap(ProblemMalformed, err, "%s", n.Name.Local)
	}
	code, err := status.One(inProtocol("StatusCode"))
	if err != nil {
		return s, "", wrap(ProblemMalformed, err, "Status")
	}
	if s.Top, err = attribute(code, "Value"); err != nil {
		return s, "", err
	}
	if second, err := code.Maybe(inProtocol("StatusCode")); err == nil && second != nil {
		s.Second, _ = second.Attr("Value")
	}
	if len(status.All(inProtocol("StatusMessage"))) > 0 {
		message, err = text(status, inProtocol("StatusMessage"))
	}
	return s, message, err
}

// Intermediary is the company between; zero for a direct mandate.
func (s *Statement) Intermediary() etoegang.Intermediary {
	a, _ := etoegang.ParseIntermediary(s.intermediary)
	return a
}

// ClearKvK is the represented company's number where the register has also sent it
// unencrypted, as in 2020; zero otherwise.
func (s *Statement) ClearKvK() etoegang.KvKNumber {
	number, _ := etoegang.ParseKvKNumber(s.clear)
	return number
}

// CopyRepresented copies the encrypted identifiers of the represented company, one a type,
// to be placed beside the statement.
func (s *Statement) CopyRepresented() ([]*xmlsec.Element, error) { return copyEncrypted(s.represented) }

// CopyActing copies the person's encrypted specific pseudonym; nil if there is none.
func (s *Statement) CopyActing() (*xmlsec.Element, error) {
	list, err := copyEncrypted(s.acting)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

func copyEncrypted(values []*xmlsec.Node) (list []*xmlsec.Element, err error) {
	for _, v := range values {
		encrypted, err := v.One(inSAML("EncryptedID"))
		if err != nil {
			return nil, wrap(ProblemMalformed, err, "an identifier that is not encrypted")
		}
		e, err := xmlsec.Copy(encrypted)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// OpenRepresented decrypts the represented company's identifiers, for the one to whom
// they were encrypted.
func (s *Statement) OpenRepresented(self etoegang.EntityID, keys []xmlsec.Opener) ([]etoegang.LegalSubject, error) {
	var out []etoegang.LegalSubject
	for _, v := range s.represented {
		subject, err := openSubject(v, self, keys)
		if err != nil {
			return nil, err
		}
		out = append(out, subject)
	}
	return out, nil
}

// OpenAttributes decrypts what else the statement says to the one to whom that was encrypted,
// by name. What is encrypted to others is left out.
func (s *Statement) OpenAttributes(self etoegang.EntityID, keys []xmlsec.Opener) (map[string]string, error) {
	all := map[string]string{}
	for _, encrypted := range s.attributes {
		n, err := xmlsec.Open(encrypted, self.String(), keys)
		if errors.Is(err, xmlsec.ErrNotForUs) {
			continue
		}
		if err != nil {
			return nil, wrap(ProblemEncryption, err, "EncryptedAttribute")
		}
		name, err := attribute(n, "Name")
		if err != nil {
			return nil, err
		}
		if all[name], err = text(n, inSAML("AttributeValue")); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// OpenActing decrypts the person's specific pseudonym; "" if the statement has none.
func (s *Statement) OpenActing(self etoegang.EntityID, keys []xmlsec.Opener) (string, error) {
	if len(s.acting) == 0 {
		return "", nil
	}
	encrypted, err := s.acting[0].One(inSAML("EncryptedID"))
	if err != nil {
		return "", wrap(ProblemMalformed, err, "ActingSubjectID")
	}
	n, err := xmlsec.Open(encrypted, self.String(), keys)
	if err != nil {
		return "", wrap(ProblemEncryption, err, "ActingSubjectID")
	}
	_, name, err := readName(n)
	return name, err
}
