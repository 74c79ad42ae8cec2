package xmlsec

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// envelope is what a signature says about itself, once it is known to be built
// exactly as the profile demands: XML Signature Syntax (second edition), narrowed
// by the eHerkenning interface specifications, "Digital signature".
type envelope struct {
	value     string // of the signature: base64, no white space
	signature []byte // the same, decoded
	digest    []byte // that the element must have: SHA-256
	prefixes  []string
	keyName   string
	named     bool // there is a key name
}

// readSignature judges the shape of a signature over the element with that ID.
// goxmldsig would accept nearly all that is refused here.
func readSignature(signature *Node, id string) (envelope, error) {
	parts, err := sequence(signature, []string{"Id"}, nameSignedInfo, nameSignatureValue, nameKeyInfo)
	if err != nil {
		return envelope{}, err
	}
	e := envelope{}
	if err := e.readSignedInfo(parts[0], id); err != nil {
		return envelope{}, err
	}
	if err := e.readValue(parts[1]); err != nil {
		return envelope{}, err
	}
	if len(parts) == 3 {
		e.keyName, e.named, err = keyName(parts[2])
	}
	return e, err
}

func (e *envelope) readSignedInfo(info *Node, id string) error {
	parts, err := sequence(info, nil, nameCanonicalizationMethod, nameSignatureMethod, nameReference)
	if err == nil && len(parts) != 3 {
		err = shape(info, "lacks a Reference")
	}
	if err != nil {
		return err
	}
	// goxmldsig ignores a PrefixList here; a signature that needs one is refused
	// by name instead of failing for no visible reason.
	if err := algorithm(parts[0], algorithmC14n); err != nil {
		return err
	}
	if err := algorithm(parts[1], algorithmRSASHA256); err != nil {
		return err
	}
	return e.readReference(parts[2], id)
}

func (e *envelope) readReference(reference *Node, id string) error {
	parts, err := sequence(reference, []string{"URI"}, nameTransforms, nameDigestMethod, nameDigestValue)
	if err == nil && len(parts) != 3 {
		err = shape(reference, "lacks a DigestValue")
	}
	if err != nil {
		return err
	}
	uri, _ := reference.Attr("URI")
	if to, ok := strings.CutPrefix(uri, "#"); !ok || to != id {
		return fmt.Errorf("%w: %.60q", ErrReference, uri)
	}
	if err := e.readTransforms(parts[0]); err != nil {
		return err
	}
	if err := algorithm(parts[1], algorithmSHA256); err != nil {
		return err
	}
	if e.digest, err = base64.StdEncoding.DecodeString(parts[2].Text); err != nil || len(e.digest) != 32 || attributesBeyond(parts[2], nil) {
		return shape(parts[2], "is not a SHA-256 digest")
	}
	return nil
}

// readTransforms wants the enveloped-signature transform, then exclusive
// canonicalization without comments, whose prefix list is honoured: real peers
// send "xacml-saml xs xsd" there.
func (e *envelope) readTransforms(transforms *Node) error {
	if len(transforms.Children) != 2 || attributesBeyond(transforms, nil) {
		return fmt.Errorf("%w: not two", ErrTransforms)
	}
	for i, want := range []string{algorithmEnveloped, algorithmC14n} {
		t := transforms.Children[i]
		got, _ := t.Attr("Algorithm")
		if t.Name != nameTransform || got != want || attributesBeyond(t, []string{"Algorithm"}) {
			return fmt.Errorf("%w: %.80q is not %q", ErrTransforms, got, want)
		}
	}
	if !blank(transforms.Children[0]) {
		return fmt.Errorf("%w: parameters of the enveloped signature", ErrTransforms)
	}
	return e.readPrefixes(transforms.Children[1])
}

// readPrefixes judges the parameters of the exclusive canonicalization.
// Exclusive XML Canonicalization 1.0, section 3.
func (e *envelope) readPrefixes(transform *Node) error {
	if blank(transform) {
		return nil
	}
	if len(transform.Children) != 1 || transform.Children[0].Name != nameInclusiveNamespaces {
		return fmt.Errorf("%w: parameters of the canonicalization", ErrTransforms)
	}
	inclusive := transform.Children[0]
	list, ok := inclusive.Attr("PrefixList")
	if !ok || attributesBeyond(inclusive, []string{"PrefixList"}) || !blank(inclusive) {
		return fmt.Errorf("%w: prefix list missing", ErrTransforms)
	}
	e.prefixes = strings.FieldsFunc(list, func(r rune) bool { return r < 0x80 && isSpace(byte(r)) })
	for _, prefix := range e.prefixes {
		if !isNCName(prefix) {
			return fmt.Errorf("%w: prefix %.40q", ErrTransforms, prefix)
		}
	}
	return nil
}

// readValue reads the value in its only spelling: white space removed, no stray bits at
// the end of the base64.
func (e *envelope) readValue(n *Node) (err error) {
	e.value = stripSpace(n.Text)
	e.signature, err = base64.StdEncoding.Strict().DecodeString(e.value)
	if err != nil || len(e.signature) == 0 || len(n.Children) > 0 || attributesBeyond(n, nil) {
		return shape(n, "is not base64")
	}
	return nil
}

// keyName reads the one thing in KeyInfo that we look at, a hint. Certificates and
// keys that a message brings along are never trusted and not even read.
func keyName(info *Node) (name string, named bool, err error) {
	names := info.All(nameKeyName)
	switch {
	case len(names) == 0:
		return "", false, nil
	case len(names) > 1 || len(names[0].Children) > 0:
		return "", false, shape(info, "has more than one key name")
	}
	return names[0].Text, true, nil
}

// sequence returns the children of an element if they have exactly these names in
// this order, of which the last may be missing, and if the element has no
// attributes but those listed. A namespaced twin of a core attribute is therefore
// refused.
func sequence(n *Node, attributes []string, names ...Name) ([]*Node, error) {
	if len(n.Children) < len(names)-1 || len(n.Children) > len(names) {
		return nil, shape(n, "has the wrong number of parts")
	}
	for i, c := range n.Children {
		if c.Name != names[i] {
			return nil, shape(n, "has wrong parts")
		}
	}
	if attributesBeyond(n, attributes) {
		return nil, shape(n, "has foreign attributes")
	}
	return n.Children, nil
}

// algorithm wants an element that says nothing but this algorithm. HMAC lengths
// and other parameters would be children.
func algorithm(n *Node, want string) error {
	if got, _ := n.Attr("Algorithm"); got != want {
		return fmt.Errorf("%w: %.80q", ErrAlgorithm, got)
	}
	if !blank(n) || attributesBeyond(n, []string{"Algorithm"}) {
		return fmt.Errorf("%w: parameters of %q", ErrAlgorithm, want)
	}
	return nil
}

// blank reports whether an element has neither children nor text.
func blank(n *Node) bool {
	return len(n.Children) == 0 && strings.Trim(n.Text, " \n\t\r") == ""
}

// attributesBeyond reports whether an element has attributes other than these, all
// of them without a namespace.
func attributesBeyond(n *Node, allowed []string) bool {
	return slices.ContainsFunc(n.Attrs, func(a Attr) bool {
		return a.Name.Space != "" || !slices.Contains(allowed, a.Name.Local)
	})
}

func shape(n *Node, why string) error {
	return fmt.Errorf("%w: %s %s", ErrSignatureShape, n.Name.Local, why)
}

// stripSpace removes white space. Most values have none and are not copied.
func stripSpace(text string) string {
	if !strings.ContainsAny(text, " \t\r\n") {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		if !isSpace(text[i]) {
			out = append(out, text[i])
		}
	}
	return string(out)
}
