package saml

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// A request may stand in an address itself: compressed, and with a signature beside it over
// the text of the address as it was sent (SAML 2.0 bindings, section 3.4).

// addressAlgorithm is the one that the scheme allows.
const addressAlgorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"

// Redirect puts the request into an address of its Destination, signed. relay goes along and
// comes back with the answer; "": nothing does.
func (r AuthnRequest) Redirect(relay string, s xmlsec.Signer) (string, error) {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // the level is known
	_, _ = w.Write(r.Element().Bytes())                     // a bytes.Buffer does not fail
	_ = w.Close()
	query := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes()))
	if relay != "" {
		query += "&RelayState=" + url.QueryEscape(relay)
	}
	query += "&SigAlg=" + url.QueryEscape(addressAlgorithm)
	signature, err := s.SignText([]byte(query))
	if err != nil {
		return "", err
	}
	separator := "?"
	if strings.Contains(r.Destination, "?") {
		separator = "&"
	}
	return r.Destination + separator + query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)), nil
}

// Redirected is a request that stood in an address.
type Redirected struct {
	Request []byte // an AuthnRequest, without a signature in it
	Relay   string // RelayState

	signed    []byte // the text that the signature is over
	algorithm string
	signature []byte // nil: there is none
}

// What can be wrong with such an address.
var (
	errTwice     = errors.New("a parameter stands there twice")
	errUnsigned  = errors.New("the request is not signed, and the provider's metadata do not say AuthnRequestsSigned=\"false\"")
	errAlgorithm = errors.New("the request must be signed with RSA and SHA-256")
	errSignature = errors.New("the signature of the address is not the provider's")
	errLong      = errors.New("the request is too long")
)

// ReadRedirect takes the query of an address apart. Its text is kept as it was sent: whoever
// writes it anew may escape other characters than the sender did, and break the signature.
func ReadRedirect(query string) (r Redirected, err error) {
	raw := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if _, twice := raw[name]; twice {
			return r, errTwice
		}
		raw[name] = value
	}
	text := map[string]string{}
	for name, value := range raw {
		if text[name], err = url.QueryUnescape(value); err != nil {
			return r, err
		}
	}
	r.Relay, r.algorithm = text["RelayState"], text["SigAlg"]
	if r.Request, err = inflate(text["SAMLRequest"]); err != nil {
		return r, fmt.Errorf("unpacking the request: %w", err)
	}
	if text["Signature"] == "" {
		return r, nil
	}
	signed := "SAMLRequest=" + raw["SAMLRequest"]
	if relay, there := raw["RelayState"]; there {
		signed += "&RelayState=" + relay
	}
	r.signed = []byte(signed + "&SigAlg=" + raw["SigAlg"])
	r.signature, err = base64.StdEncoding.DecodeString(text["Signature"])
	return r, err
}

func inflate(text string) ([]byte, error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	limit := int64(xmlsec.MessageLimits.Bytes)
	request, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), limit+1))
	if err == nil && int64(len(request)) > limit {
		err = errLong
	}
	return request, err
}

// Signed tells whether there is a signature, whosever it is.
func (r Redirected) Signed() bool { return r.signature != nil }

// Check tells whether the signature is the sender's.
func (r Redirected) Check(sender Participant) error {
	if r.signature == nil {
		return errUnsigned
	}
	if r.algorithm != addressAlgorithm {
		return fmt.Errorf("%w, not %q", errAlgorithm, r.algorithm)
	}
	sum := sha256.Sum256(r.signed)
	for _, key := range sender.Signing {
		public, _ := key.Certificate.PublicKey.(*rsa.PublicKey) // others are refused when metadata are read
		if rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], r.signature) == nil {
			return nil
		}
	}
	return errSignature
}
