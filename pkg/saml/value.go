package saml

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// text reads the only child of that name as a value.
func text(n *xmlsec.Node, name xmlsec.Name) (string, error) {
	child, err := n.One(name)
	if err != nil {
		return "", wrap(ProblemMalformed, err, "reading %s", n.Name.Local)
	}
	return value(child)
}

// value reads an element's text, which must not be empty: the scheme allows elements
// to be left out, never to be empty (Interface specifications web).
func value(n *xmlsec.Node) (string, error) {
	s, err := n.Value()
	if err != nil {
		return "", wrap(ProblemMalformed, err, "reading %s", n.Name.Local)
	}
	if s == "" {
		return "", problem(ProblemMalformed, "%s is empty", n.Name.Local)
	}
	return s, nil
}

// attribute reads an XML attribute that must be there.
func attribute(n *xmlsec.Node, name string) (string, error) {
	s, ok := n.Attr(name)
	if !ok || s == "" {
		return "", problem(ProblemMalformed, "%s has no %s", n.Name.Local, name)
	}
	return s, nil
}

// moment reads a time: RFC 3339 with a zone, fractions allowed (peers send three to
// seven digits), as SAML core 1.3.3 demands in UTC.
func moment(n *xmlsec.Node, name string) (time.Time, error) {
	s, err := attribute(n, name)
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || !strings.HasSuffix(s, "Z") {
		return time.Time{}, problem(ProblemMalformed, "%s of %s is not a moment in UTC", name, n.Name.Local)
	}
	return at, nil
}

// boolean reads the four spellings of xs:boolean.
func boolean(s string) (value, ok bool) {
	switch s {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// index reads a small non-negative number.
func index(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil
}

// stamp writes a moment as messages have it: UTC, whole seconds.
func stamp(at time.Time) string { return at.UTC().Truncate(time.Second).Format(time.RFC3339) }

// header reads what every signed SAML element has: version, ID, issue instant and an
// issuer without qualifiers.
type header struct {
	ID     string
	Issued time.Time
	Issuer etoegang.EntityID
}

func readHeader(n *xmlsec.Node) (h header, err error) {
	if h, err = readHeaderOf(n); err != nil {
		return h, err
	}
	if issuer, _ := n.One(inSAML("Issuer")); len(issuer.Attrs) > 0 {
		return h, problem(ProblemForbidden, "Issuer has attributes")
	}
	return h, nil
}

// readHeaderOf is readHeader that leaves the issuer's attributes to the caller.
func readHeaderOf(n *xmlsec.Node) (h header, err error) {
	if version, _ := n.Attr("Version"); version != "2.0" {
		return h, problem(ProblemVersion, "%s has version %.20q", n.Name.Local, version)
	}
	if h.ID, err = attribute(n, "ID"); err != nil {
		return h, err
	}
	if h.Issued, err = moment(n, "IssueInstant"); err != nil {
		return h, err
	}
	issuer, err := n.One(inSAML("Issuer"))
	if err != nil {
		return h, wrap(ProblemMalformed, err, "reading %s", n.Name.Local)
	}
	name, err := value(issuer)
	if err != nil {
		return h, err
	}
	if h.Issuer, err = etoegang.ParseEntityID(name); err != nil {
		return h, wrap(ProblemIdentifier, err, "Issuer")
	}
	return h, nil
}

// contextAttribute gathers the values of the XACML attribute with that id. Attributes
// that nobody asks for are never looked at: peers send some of their own.
func contextAttribute(category *xmlsec.Node, id string) []*xmlsec.Node {
	return slices.Collect(contextValues(category, id))
}

// contextValues goes over them one by one.
func contextValues(category *xmlsec.Node, id string) iter.Seq[*xmlsec.Node] {
	return func(yield func(*xmlsec.Node) bool) {
		for a := range category.Each(inContext("Attribute")) {
			if got, _ := a.Attr("AttributeId"); got != id {
				continue
			}
			for v := range a.Each(inContext("AttributeValue")) {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// contextText reads an XACML attribute of at most one value; "" if it is not there.
func contextText(category *xmlsec.Node, id string) (string, error) {
	var only *xmlsec.Node
	count := 0
	for v := range contextValues(category, id) {
		only = v
		count++
	}
	switch count {
	case 0:
		return "", nil
	case 1:
		return value(only)
	}
	return "", problem(ProblemMalformed, "%s has %d values", id, count)
}

// required turns a missing value into a problem.
func required(id, s string, err error) (string, error) {
	if err == nil && s == "" {
		err = problem(ProblemMalformed, "%s is missing", id)
	}
	return s, err
}
