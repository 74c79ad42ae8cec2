package saml_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

const (
	rsaSHA1   = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	rsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	rsaSHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
)

const oddRelay = "état & =?+%"

// redirected is the query of an honest address of the provider's.
func (w *fuzzWorld) redirected(relay string) string {
	_, query, _ := strings.Cut(sure(w.authnRequest().Redirect(relay, w.provider.signer)), "?")
	return query
}

// sender is the provider as its metadata describe it.
func (w *fuzzWorld) sender() saml.Participant {
	return saml.Participant{Entity: w.provider.entity, Signing: []xmlsec.Key{{Name: w.provider.signer.KeyName, Certificate: w.provider.signer.Certificate}}}
}

// signText puts the provider's signature beside a query of somebody else's making.
func (w *fuzzWorld) signText(query string, hash crypto.Hash, sum []byte) string {
	signature := sure(rsa.SignPKCS1v15(nil, w.provider.signer.Key.(*rsa.PrivateKey), hash, sum))
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

// deflated is a request as it stands in an address.
func deflated(request []byte) string {
	var packed bytes.Buffer
	d := sure(flate.NewWriter(&packed, flate.BestCompression))
	_ = sure(d.Write(request))
	_ = d.Close()
	return url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes()))
}

// parts are the parameters of a query as they were sent.
func parts(query string) map[string]string {
	all := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		all[name] = pair
	}
	return all
}

// What a signature is over does not depend on the order of the parameters, nor on others that
// somebody adds, and it is the text as it was sent, however the sender escapes it.
func TestRedirectIsReadAsItWasSent(t *testing.T) {
	w := world()
	honest := w.redirected(oddRelay)
	p := parts(honest)
	small := strings.NewReplacer("%2B", "%2b", "%2F", "%2f", "%3D", "%3d", "%3A", "%3a", "+", "%20").Replace(p["SAMLRequest"] + "&" + p["RelayState"] + "&" + p["SigAlg"])
	if small == p["SAMLRequest"]+"&"+p["RelayState"]+"&"+p["SigAlg"] {
		t.Fatal("there is nothing to escape in two ways")
	}
	for what, c := range map[string]struct{ query, relay string }{
		"as we send it":        {honest, oddRelay},
		"without a RelayState": {w.redirected(""), ""},
		"in another order":     {p["Signature"] + "&" + p["SigAlg"] + "&" + p["RelayState"] + "&" + p["SAMLRequest"], oddRelay},
		"with something more":  {"utm=1&" + honest + "&SAMLEncoding=x", oddRelay},
		"in small letters":     {small + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sure(w.provider.signer.SignText([]byte(small))))), oddRelay},
	} {
		r, err := saml.ReadRedirect(c.query)
		if err != nil || !r.Signed() {
			t.Errorf("%s: %v, signed %v", what, err, r.Signed())
			continue
		}
		if err := r.Check(w.sender()); err != nil || r.Relay != c.relay || !bytes.Equal(r.Request, w.authnRequest().Element().Bytes()) {
			t.Errorf("%s: %v, %q: %s", what, err, r.Relay, r.Request)
		}
	}
}

// Nothing in an address is believed that the sender did not sign with the one algorithm there
// is, and what cannot be read is refused before anything is compared.
func TestRedirectIsRefused(t *testing.T) {
	w := world()
	honest := w.redirected(oddRelay)
	p := parts(honest)
	request := p["SAMLRequest"] + "&" + p["RelayState"]
	text := func(algorithm string) string { return request + "&SigAlg=" + url.QueryEscape(algorithm) }
	sum1, sum512 := sha1.Sum([]byte(text(rsaSHA1))), sha512.Sum512([]byte(text(rsaSHA512)))
	for what, c := range map[string]struct{ query, reads string }{
		"unsigned":                 {text(rsaSHA256), "not signed"},
		"an empty signature":       {text(rsaSHA256) + "&Signature=", "not signed"},
		"no algorithm":             {request + "&" + p["Signature"], `not ""`},
		"SHA-1, well signed":       {w.signText(text(rsaSHA1), crypto.SHA1, sum1[:]), "rsa-sha1"},
		"SHA-512, well signed":     {w.signText(text(rsaSHA512), crypto.SHA512, sum512[:]), "rsa-sha512"},
		"another algorithm's name": {text(rsaSHA512) + "&" + p["Signature"], "rsa-sha512"},
		"escaped anew on its way":  {strings.ReplaceAll(honest, "%2F", "%2f"), "not the provider's"},
		"another RelayState":       {strings.Replace(honest, p["RelayState"], "RelayState=x", 1), "not the provider's"},
		"without its RelayState":   {strings.Replace(honest, "&"+p["RelayState"], "", 1), "not the provider's"},
		"with a RelayState":        {w.redirected("") + "&RelayState=x", "not the provider's"},
		"another request":          {strings.Replace(honest, p["SAMLRequest"], "SAMLRequest="+deflated([]byte("<a/>")), 1), "not the provider's"},
		"another's signature":      {strings.Replace(honest, p["Signature"], parts(w.redirected(""))["Signature"], 1), "not the provider's"},
		"a signature of no base64": {text(rsaSHA256) + "&Signature=%3F", "illegal base64"},
		"a request twice":          {honest + "&" + p["SAMLRequest"], "twice"},
		"a RelayState twice":       {honest + "&RelayState=x", "twice"},
		"an algorithm twice":       {"SigAlg=x&" + honest, "twice"},
		"no request":               {strings.Replace(honest, p["SAMLRequest"]+"&", "", 1), "unpacking"},
		"an escaped name":          {strings.Replace(honest, "SAMLRequest", "SAML%52equest", 1), "unpacking"},
		"no escape":                {honest + "&x=%zz", "invalid URL escape"},
		"no base64":                {"SAMLRequest=%3F", "illegal base64"},
		"not compressed":           {"SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("<a/>"))), "unpacking"},
		"cut off":                  {"SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sure(base64.StdEncoding.DecodeString(sure(url.QueryUnescape(deflated(w.authnRequest().Element().Bytes())))))[:40])), "unexpected EOF"},
		"too long by a byte":       {"SAMLRequest=" + deflated(bytes.Repeat([]byte("a"), xmlsec.MessageLimits.Bytes+1)), "too long"},
		"a bomb":                   {"SAMLRequest=" + deflated(make([]byte, 64<<20)), "too long"},
	} {
		r, err := saml.ReadRedirect(c.query)
		if err == nil {
			err = r.Check(w.sender())
		}
		if err == nil || !strings.Contains(err.Error(), c.reads) {
			t.Errorf("%s: %v, want %q", what, err, c.reads)
		}
	}
	if r, err := saml.ReadRedirect("SAMLRequest=" + deflated(bytes.Repeat([]byte("a"), xmlsec.MessageLimits.Bytes))); err != nil || len(r.Request) != xmlsec.MessageLimits.Bytes {
		t.Errorf("as long as can be: %d bytes, %v", len(r.Request), err)
	}
}

// FuzzRedirect: no address makes the reader fall over or hold more than a message may have, and
// none is believed but what the provider signed.
func FuzzRedirect(f *testing.F) {
	w := world()
	honest := map[string]string{} // requests by RelayState
	for _, relay := range []string{"", oddRelay} {
		query := w.redirected(relay)
		honest[relay] = string(w.authnRequest().Element().Bytes())
		p := parts(query)
		f.Add(query)
		f.Add(p["Signature"] + "&" + p["SigAlg"] + "&" + p["SAMLRequest"])
		f.Add(strings.ReplaceAll(query, "%2", "%2%2"))
		f.Add(query + "&" + query)
		f.Add(strings.Replace(query, "sha256", "sha1", 1))
	}
	f.Add("SAMLRequest=" + deflated(make([]byte, 1<<20)))
	f.Fuzz(func(t *testing.T, query string) {
		r, err := saml.ReadRedirect(query)
		if len(r.Request) > xmlsec.MessageLimits.Bytes+1 || err == nil && len(r.Request) > xmlsec.MessageLimits.Bytes {
			t.Fatalf("%d bytes, %v", len(r.Request), err)
		}
		if err != nil || r.Check(w.sender()) != nil {
			return
		}
		if request, sent := honest[r.Relay]; !sent || request != string(r.Request) {
			t.Fatalf("believed what nobody signed, with RelayState %q: %s", r.Relay, r.Request)
		}
	})
}
