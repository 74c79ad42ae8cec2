package review

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/loopback"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// descriptor looks at what describes one role. It counts the keys that can be used.
func (r *reviewer) descriptor(d *node, role etoegang.Role) (signing, encryption int) {
	for _, k := range d.all(spaceMetadata, "KeyDescriptor") {
		if !r.key(k) {
			continue
		}
		if k.attributes["use"] != "encryption" {
			signing++
		}
		if k.attributes["use"] != "signing" {
			encryption++
		}
	}
	for _, c := range d.children {
		if c.space == spaceMetadata && (strings.HasSuffix(c.name, "Service")) && c.name != "AttributeConsumingService" {
			r.endpoint(c)
		}
	}
	if d.name == "SPSSODescriptor" {
		r.consumers(d, role)
	}
	return signing, encryption
}

// key looks at one key. true: it can be used.
func (r *reviewer) key(k *node) bool {
	if use := k.attributes["use"]; use != "" && use != "signing" && use != "encryption" {
		r.add(k.line, true, say("use=%.40q bestaat niet.", "use=%.40q does not exist.", use),
			say("Schrijf signing of encryption, of laat use weg voor allebei.", "Write signing or encryption, or leave use out for both."))
		return false
	}
	if name := k.only(spaceDSig, "KeyInfo", "KeyName"); name == nil {
		r.add(k.line, false, say("De sleutel heeft geen KeyName. Een handtekening die haar sleutel noemt, vindt hem niet.", "The key has no KeyName. A signature that names its key does not find it."),
			say("Zet in KeyInfo een KeyName, en dezelfde naam in uw handtekeningen.", "Put a KeyName into KeyInfo, and the same name into your signatures."))
	}
	c := k.only(spaceDSig, "KeyInfo", "X509Data", "X509Certificate")
	if c == nil {
		r.add(k.line, true, say("Er staat geen certificaat in deze sleutel, of meer dan één.", "There is no certificate in this key, or more than one."),
			say("Zet het certificaat in KeyInfo/X509Data/X509Certificate, elk in een KeyDescriptor van zichzelf.", "Put the certificate into KeyInfo/X509Data/X509Certificate, each in a KeyDescriptor of its own."))
		return false
	}
	return r.certificate(c)
}

func (r *reviewer) certificate(n *node) bool {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.text), ""))
	var c *x509.Certificate
	if err == nil {
		c, err = x509.ParseCertificate(der)
	}
	if err != nil {
		r.add(n.line, true, say("Het certificaat is niet te lezen.", "The certificate cannot be read."),
			say("Neem de regels tussen BEGIN CERTIFICATE en END CERTIFICATE over, zonder die regels zelf.", "Copy the lines between BEGIN CERTIFICATE and END CERTIFICATE, without those lines themselves."))
		return false
	}
	if public, ok := c.PublicKey.(*rsa.PublicKey); !ok || public.N.BitLen() < xmlsec.WeakestKey {
		r.add(n.line, true, say("De sleutel in het certificaat is geen RSA van minstens 2048 bits.", "The key in the certificate is not RSA of at least 2048 bits."),
			say("Maak een RSA-sleutel van 2048 bits of meer, en een nieuw certificaat.", "Make an RSA key of 2048 bits or more, and a new certificate."))
		return false
	}
	if r.now.After(c.NotAfter) || r.now.Before(c.NotBefore) {
		r.add(n.line, false, say("Het certificaat geldt nu niet: van %s tot %s. Voor zo'n sleutel wordt niets versleuteld.", "The certificate is not valid now: from %s to %s. Nothing is encrypted to such a key.", c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly)),
			say("Maak een nieuw certificaat.", "Make a new certificate."))
	}
	return true
}

// endpoint looks at an address.
func (r *reviewer) endpoint(n *node) {
	location := n.attributes["Location"]
	u, err := url.Parse(location)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback.Is(u.Hostname())) {
		r.add(n.line, true, say("%s: het adres %.120q is niet https.", "%s: the address %.120q is not https.", n.name, location),
			say("Gebruik een volledig adres met https. Alleen op deze computer zelf mag http.", "Use a whole address with https. Only on this computer itself http will do."))
	}
}

// consumers looks at where answers go.
func (r *reviewer) consumers(d *node, role etoegang.Role) {
	list, seen, answerable := d.all(spaceMetadata, "AssertionConsumerService"), map[string]bool{}, false
	for _, c := range list {
		binding, index := c.attributes["Binding"], c.attributes["index"]
		answerable = answerable || binding == saml.BindingArtifact || binding == saml.BindingPOST
		if binding != saml.BindingArtifact && binding != saml.BindingPOST {
			r.add(c.line, false, say("Een antwoord met binding %.80q geeft de makelaar niet.", "The broker gives no answer with binding %.80q.", binding),
				say("Gebruik HTTP-Artifact of HTTP-POST.", "Use HTTP-Artifact or HTTP-POST."))
		}
		if _, err := strconv.ParseUint(index, 10, 16); err != nil {
			r.add(c.line, true, say("index %.40q is geen getal.", "index %.40q is not a number.", index),
				say("Nummer de adressen: index=\"0\", index=\"1\", en zo verder.", "Number the addresses: index=\"0\", index=\"1\", and so on."))
		} else if seen[index] {
			r.add(c.line, false, say("index %s komt twee keer voor: de eerste telt.", "index %s stands there twice: the first counts.", index),
				say("Geef elk adres een eigen nummer.", "Give each address a number of its own."))
		}
		seen[index] = true
	}
	if role == etoegang.Provider && !answerable {
		r.add(d.line, len(list) == 0, say("Er is geen AssertionConsumerService met HTTP-Artifact of HTTP-POST, dus er kan niets geantwoord worden.", "There is no AssertionConsumerService with HTTP-Artifact or HTTP-POST, so nothing can be answered."),
			say("Voeg het adres toe waar uw software antwoorden ontvangt.", "Add the address where your software receives answers."))
	}
	if s := d.attributes["AuthnRequestsSigned"]; role == etoegang.Provider && (s == "false" || s == "0") {
		r.add(d.line, false, say("AuthnRequestsSigned staat op false. In het echte netwerk moet elke vraag ondertekend zijn.", "AuthnRequestsSigned is false. In the real network every request must be signed."),
			say("Laat uw software vragen ondertekenen en zet het op true.", "Let your software sign requests, and set it to true."))
	}
}
