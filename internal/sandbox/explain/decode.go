package explain

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
	"net/url"
	"regexp"
	"strings"
)

// parameter is one of an address or a form, as it is written there.
type parameter struct{ name, raw, value string }

// form finds what a browser brought: parameters of SAML in an address or a form.
var form = regexp.MustCompile(`(?:^|[?&])(?:SAMLart|SAMLRequest|SAMLResponse)=`)

// decode finds the XML in what went over the wire.
func (r *reading) decode() {
	raw := bytes.TrimSpace(r.message.Raw)
	head := raw[:min(len(raw), 4<<10)]
	switch {
	case len(raw) == 0:
		r.trouble = append(r.trouble, say("Het bericht is leeg.", "The message is empty."))
	case looksLikeXML(raw):
		r.document = raw
	case form.Match(head):
		r.parse(string(raw[:min(len(raw), 2*largestDocument)]))
	default:
		r.fromBase64(string(raw))
	}
}

func looksLikeXML(raw []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(raw, []byte("\uFEFF")), []byte("<"))
}

// parse takes an address or a form apart, in its order.
func (r *reading) parse(raw string) {
	if _, query, is := strings.Cut(raw, "?"); is {
		raw = query
	}
	for _, pair := range strings.Split(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		meant, err := url.QueryUnescape(value)
		if err != nil {
			meant = value
		}
		p := parameter{name, value, strings.TrimSpace(meant)}
		r.parameters = append(r.parameters, p)
	}
	for _, p := range r.parameters {
		if p.name == "SAMLRequest" || p.name == "SAMLResponse" {
			r.fromBase64(p.value)
			return // one message is enough of a form that somebody made to keep us busy
		}
	}
}

// fromBase64 decodes a message as browsers carry it: in base64, and in an address also
// compressed (SAML 2.0 bindings, sections 3.4.4.1 and 3.5.4).
func (r *reading) fromBase64(text string) {
	decoded, err := base64.StdEncoding.DecodeString(withoutSpace(text))
	if err != nil {
		r.trouble = append(r.trouble, say("Dit is geen XML, geen adres of formulier van SAML, en geen base64.",
			"This is not XML, not an address or a form of SAML, and not base64."))
		return
	}
	if !looksLikeXML(bytes.TrimSpace(decoded)) {
		inflated, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(decoded)), largestDocument+1))
		if err != nil || !looksLikeXML(bytes.TrimSpace(inflated)) {
			r.trouble = append(r.trouble, say("Er komt geen XML uit de base64.", "No XML comes out of the base64."))
			return
		}
		decoded = inflated
		r.around = append(r.around, say("Het bericht was ingepakt (DEFLATE) en in base64 gezet, zodat het in een webadres past.",
			"The message was compressed (DEFLATE) and put into base64, so that it fits into a web address."))
	} else {
		r.around = append(r.around, say("Het bericht was in base64 gezet, zodat het in een formulier past.",
			"The message was put into base64, so that it fits into a form."))
	}
	r.document, r.travelled = bytes.TrimSpace(decoded), true
}
