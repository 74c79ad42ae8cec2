package saml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"slices"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// What can be wrong with a SOAP message before anybody is believed. These are the
// cases that get a SOAP Fault, since there is nobody to send a Response to.
var (
	ErrNotSOAP        = errors.New("saml: not a SOAP 1.1 envelope with one body")
	ErrMustUnderstand = errors.New("saml: a SOAP header must be understood and is not")
	ErrNoQuery        = errors.New("saml: the SOAP body is not one XACMLAuthzDecisionQuery")
	ErrNoResponse     = errors.New("saml: the SOAP body is not one Response")
)

// ContentType is what SOAP 1.1 messages travel as. Some peers refuse a charset
// parameter in answers.
const ContentType = "text/xml"

// readEnvelope reads a SOAP message in whose body that one element stands. With another it
// gives the error wrong.
func readEnvelope(body []byte, element xmlsec.Step, wrong error) (*xmlsec.Document, error) {
	document, err := xmlsec.Read(body, xmlsec.MessageLimits)
	if err != nil {
		return nil, err
	}
	if err := checkEnvelope(document.Outline(envelopeLevels), element, wrong); err != nil {
		document.Release()
		return nil, err
	}
	return document, nil
}

// readBare is readEnvelope for a message without SOAP around it, as a browser brings it.
func readBare(message []byte, element xmlsec.Step, wrong error) (*xmlsec.Document, error) {
	document, err := xmlsec.Read(message, xmlsec.MessageLimits)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(element, document.Outline(1).Name) {
		document.Release()
		return nil, wrong
	}
	return document, nil
}

// envelopeLevels is how deep checkEnvelope looks: at the envelope, its parts, and what is
// in them.
const envelopeLevels = 3

// checkEnvelope looks at the shape of a SOAP message: an Envelope with at most one
// Header, of which nothing must be understood, and one Body with one child. Only the
// shape is believed.
func checkEnvelope(root *xmlsec.Node, child xmlsec.Step, wrongChild error) error {
	if root.Name != inSOAP("Envelope") || root.Only(inSOAP("Header"), inSOAP("Body")) != nil {
		return ErrNotSOAP
	}
	bodies, headers := root.All(inSOAP("Body")), root.All(inSOAP("Header"))
	if len(bodies) != 1 || len(headers) > 1 || root.Children[len(root.Children)-1] != bodies[0] {
		return ErrNotSOAP
	}
	for _, header := range headers {
		for _, block := range header.Children {
			if mustUnderstand(block) {
				return ErrMustUnderstand
			}
		}
	}
	if len(bodies[0].Children) != 1 {
		return wrongChild
	}
	for _, name := range child {
		if bodies[0].Children[0].Name == name {
			return nil
		}
	}
	return wrongChild
}

// mustUnderstand tells whether a header block demands to be understood: any value but
// the one that says no.
func mustUnderstand(block *xmlsec.Node) bool {
	for _, a := range block.Attrs {
		if a.Name == inSOAP("mustUnderstand") && a.Value != "0" {
			return true
		}
	}
	return false
}

// Wrap puts a message into a SOAP envelope.
func Wrap(message *xmlsec.Element) []byte {
	return xmlsec.E("soap:Envelope", xmlsec.E("soap:Body", message)).Bytes()
}

// Fault is a SOAP fault. Its code is Client, Server or MustUnderstand, its text the
// same for everybody: it tells nothing of the inside but a reference that our log has.
func Fault(code, text, reference string) []byte {
	var out bytes.Buffer
	out.WriteString(`<soap:Envelope xmlns:soap="` + spaceSOAP + `"><soap:Body><soap:Fault>`)
	for _, part := range [][2]string{{"faultcode", "soap:" + code}, {"faultstring", text}} {
		out.WriteString("<" + part[0] + ">")
		_ = xml.EscapeText(&out, []byte(part[1])) // a bytes.Buffer does not fail
		out.WriteString("</" + part[0] + ">")
	}
	out.WriteString("<detail><reference>")
	_ = xml.EscapeText(&out, []byte(reference))
	out.WriteString("</reference></detail></soap:Fault></soap:Body></soap:Envelope>")
	return out.Bytes()
}
