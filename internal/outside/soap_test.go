package outside_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

const soap = "http://schemas.xmlsoap.org/soap/envelope/"

// The envelope around an honest query is not what a SOAP 1.1 envelope is.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	header := func(block string) func(*letter) []byte {
		return func(l *letter) []byte {
			l.envelope().InsertChildAt(0, snippet(`<soap:Header xmlns:soap="`+soap+`">`+block+`</soap:Header>`))
			return l.bytes()
		}
	}
	mustUnderstand := verdict{counted: fmt.Sprintf("fault defence=%q", defence(saml.ErrMustUnderstand)), code: "soap:MustUnderstand"}
	newStage(t, harness.Options{}).attacks(t, []attack{
		{"the bare query", func(l *letter) []byte {
			q := l.query().Copy()
			l.doc.SetRoot(q)
			return l.bytes()
		}, fault(saml.ErrNotSOAP)},
		{"SOAP 1.2", func(l *letter) []byte {
			return bytes.ReplaceAll(l.bytes(), []byte(soap), []byte("http://www.w3.org/2003/05/soap-envelope"))
		}, fault(saml.ErrNotSOAP)},
		{"no namespace", func(l *letter) []byte {
			l.envelope().Space, l.body().Space = "", ""
			return l.bytes()
		}, fault(saml.ErrNotSOAP)},
		{"an empty Body", func(l *letter) []byte { drop(l.query()); return l.bytes() }, fault(saml.ErrNoQuery)},
		{"no Body", func(l *letter) []byte { drop(l.body()); return l.bytes() }, fault(saml.ErrNotSOAP)},
		{"two Bodies", func(l *letter) []byte {
			second := twin(l.body())
			second.Child = nil
			return l.bytes()
		}, fault(saml.ErrNotSOAP)},
		{"a Header after the Body", func(l *letter) []byte {
			l.envelope().AddChild(snippet(`<soap:Header xmlns:soap="` + soap + `"/>`))
			return l.bytes()
		}, fault(saml.ErrNotSOAP)},
		{"two Headers", func(l *letter) []byte {
			for range 2 {
				l.envelope().InsertChildAt(0, snippet(`<soap:Header xmlns:soap="`+soap+`"/>`))
			}
			return l.bytes()
		}, fault(saml.ErrNotSOAP)},
		{"something after the Body", func(l *letter) []byte { l.envelope().AddChild(snippet(foreignXML)); return l.bytes() }, fault(saml.ErrNotSOAP)},
		{"an AuthnRequest in the Body", func(l *letter) []byte {
			l.query().Space, l.query().Tag = "samlp", "AuthnRequest"
			return bytes.Replace(l.bytes(), []byte("<samlp:AuthnRequest"), []byte(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"`), 1)
		}, fault(saml.ErrNoQuery)},
		{"a query without a namespace", func(l *letter) []byte {
			l.query().Space = ""
			return l.bytes()
		}, fault(saml.ErrNoQuery)},
		{"a query of a made-up namespace", func(l *letter) []byte {
			return l.with(`xmlns:xacml-samlp="urn:oasis:xacml:2.0:saml:protocol:schema:os"`, `xmlns:xacml-samlp="urn:oasis:xacml:3.0:saml:protocol:schema:os"`)
		}, fault(saml.ErrNoQuery)},
		{"a header that must be understood", header(`<x:h xmlns:x="urn:example:h" soap:mustUnderstand="1"/>`), mustUnderstand},
		{"a header that must be understood, truly", header(`<x:h xmlns:x="urn:example:h" soap:mustUnderstand="true"/>`), mustUnderstand},
		{"WS-Security that must be understood", header(`<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd" soap:mustUnderstand="1"/>`), mustUnderstand},
		{"a signature in the header", header(`<s:Signature xmlns:s="` + spaceDS + `"/>`), fault(xmlsec.ErrSignaturePlace)},
	})
}

// What is no message at all.
func TestNotAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	honest := s.letter(s.anna)
	whole := string(honest.bytes())
	for _, c := range []struct {
		name, message string
		want          error
	}{
		{"nothing", "", xmlsec.ErrMalformed},
		{"white space", " \n", xmlsec.ErrMalformed},
		{"words", "permit me", xmlsec.ErrMalformed},
		{"JSON", `{"decision":"Permit"}`, xmlsec.ErrMalformed},
		{"HTML", "<!DOCTYPE html><html></html>", xmlsec.ErrDirective},
		{"an empty element", "<a/>", saml.ErrNotSOAP},
		{"half a message", whole[:len(whole)/2], xmlsec.ErrMalformed},
		{"a message and a letter", whole + "x", xmlsec.ErrMalformed},
		{"a message and an element", whole + "<a/>", xmlsec.ErrMalformed},
		{"a message twice", whole + whole, xmlsec.ErrMalformed},
		{"a letter and a message", "x" + whole, xmlsec.ErrMalformed},
		{"a closing tag too many", whole + "</soap:Envelope>", xmlsec.ErrMalformed},
		{"another closing tag", strings.Replace(whole, "</soap:Body>", "</soap:Envelope>", 1), xmlsec.ErrMalformed},
		{"a bare ampersand", strings.Replace(whole, ":services:", ":serv&ices:", 1), xmlsec.ErrEntity},
		{"a bare less-than", strings.Replace(whole, ":services:", ":serv<ices:", 1), xmlsec.ErrMixedContent},
		{"a less-than in an attribute", strings.Replace(whole, `Version="2.0"`, `Version="2<0"`, 1), xmlsec.ErrMalformed},
		{"an attribute without quotes", strings.Replace(whole, `Version="2.0"`, `Version=2.0`, 1), xmlsec.ErrMalformed},
		{"an attribute twice", strings.Replace(whole, `Version="2.0"`, `Version="2.0" Version="2.0"`, 1), xmlsec.ErrDuplicateAttribute},
		{"an attribute twice by two prefixes", strings.Replace(whole, `Version="2.0"`, `Version="2.0" xmlns:p="urn:example:p" xmlns:q="urn:example:p" p:a="1" q:a="2"`, 1), xmlsec.ErrDuplicateAttribute},
		{"a prefix nobody declared", strings.Replace(whole, `Version="2.0"`, `Version="2.0" nobody:a="1"`, 1), xmlsec.ErrNamespace},
		{"a name with two colons", strings.Replace(whole, `Version="2.0"`, `Version="2.0" a:b:c="1"`, 1), xmlsec.ErrMalformed},
		{"a name that begins with a colon", strings.Replace(whole, `Version="2.0"`, `Version="2.0" :a="1"`, 1), xmlsec.ErrMalformed},
		{"a name in other letters", strings.Replace(whole, `Version="2.0"`, `Version="2.0" Vérsion="1.0"`, 1), xmlsec.ErrMalformed},
		{"a relative namespace", strings.Replace(whole, `Version="2.0"`, `Version="2.0" xmlns:r="relative"`, 1), xmlsec.ErrNamespace},
		{"an empty namespace", strings.Replace(whole, `Version="2.0"`, `Version="2.0" xmlns:r=""`, 1), xmlsec.ErrNamespace},
		{"xml as another namespace", strings.Replace(whole, `Version="2.0"`, `Version="2.0" xmlns:xml="urn:example:x"`, 1), xmlsec.ErrNamespace},
	} {
		t.Run(c.name, func(t *testing.T) { s.repels(t, []byte(c.message), fault(c.want)) })
	}
	s.answers(t, honest.bytes(), s.anna)
}

// What HTTP itself lets us refuse is no SOAP message, and gets no SOAP answer; only the
// refusal is counted.
func TestHTTP(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	honest := s.letter(s.anna).bytes()
	send := func(method, address, contentType string, body []byte) reply {
		request := must[*http.Request](t)(http.NewRequest(method, address, bytes.NewReader(body)))
		request.Header.Set("Content-Type", contentType)
		return s.do(request)
	}
	address := s.net.First.Address
	elsewhere := strings.Replace(address, "/soap", "/soap/", 1)
	large := append(bytes.Clone(honest), bytes.Repeat([]byte(" "), 256<<10)...)
	for _, c := range []struct {
		name   string
		reply  func() reply
		status int
		why    string // as counted; "": not counted, it never reached the endpoint
	}{
		{"GET", func() reply { return send("GET", address, "text/xml", nil) }, 405, ""},
		{"PUT", func() reply { return send("PUT", address, "text/xml", honest) }, 405, ""},
		{"another address", func() reply { return send("POST", elsewhere, "text/xml", honest) }, 404, ""},
		{"another version", func() reply {
			return send("POST", strings.Replace(address, "1.13", "1.11", 1), "text/xml", honest)
		}, 404, ""},
		{"no type", func() reply { return send("POST", address, "", honest) }, 415, "content-type"},
		{"SOAP 1.2", func() reply { return send("POST", address, "application/soap+xml", honest) }, 415, "content-type"},
		{"a form", func() reply { return send("POST", address, "application/x-www-form-urlencoded", honest) }, 415, "content-type"},
		{"JSON", func() reply { return send("POST", address, "application/json", honest) }, 415, "content-type"},
		{"several parts", func() reply { return send("POST", address, "multipart/related; boundary=x", honest) }, 415, "content-type"},
		{"UTF-16", func() reply { return send("POST", address, "text/xml; charset=utf-16", honest) }, 415, "content-type"},
		{"UTF-7", func() reply { return send("POST", address, "text/xml; charset=utf-7", honest) }, 415, "content-type"},
		{"Latin-1", func() reply { return send("POST", address, "text/xml; charset=iso-8859-1", honest) }, 415, "content-type"},
		{"two charsets", func() reply { return send("POST", address, "text/xml; charset=utf-8; charset=utf-16", honest) }, 415, "content-type"},
		{"too large", func() reply { return send("POST", address, "text/xml", large) }, 413, "too-large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			played.hostile.Add(1)
			want := counts{}
			if c.why != "" {
				want[fmt.Sprintf("refusal why=%q", c.why)] = 1
			}
			r := c.reply()
			if grown := s.grown(); r.status != c.status || !maps.Equal(grown, want) || s.recorded() != 0 {
				t.Errorf("answered with %d, counted %v; want %d, %v", r.status, grown, c.status, want)
			}
			if bytes.Contains(r.body, []byte("Assertion")) {
				t.Errorf("answered with %s", r.body)
			}
		})
	}
	s.answers(t, honest, s.anna)
}

// A body that ends too soon, and one that never said how long it would be.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	u := must[*http.Request](t)(http.NewRequest("POST", s.net.First.Address, nil)).URL
	c := must[net.Conn](t)(net.Dial("tcp", u.Host))
	defer c.Close()
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/xml\r\nContent-Length: 5000\r\n\r\n<soap:Envelope", u.Path, u.Host)
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	played.hostile.Add(1)
	response := must[*http.Response](t)(http.ReadResponse(bufio.NewReader(c), nil))
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest || s.recorded() != 0 {
		t.Errorf("answered with %d", response.StatusCode)
	}
	if grown := s.grown(); !maps.Equal(grown, counts{`refusal why="unreadable"`: 1}) {
		t.Errorf("counted %v", grown)
	}
}

// Over TLS the certificate that the client shows must be one of whoever signed the
// message: a broker cannot hand in what another broker has signed.
func TestStrangerOverTLS(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{TLS: true})
	post := func(as xmlsec.Signer, message []byte) reply {
		certificate := tls.Certificate{Certificate: [][]byte{as.Certificate.Raw}, PrivateKey: as.Key}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate}, InsecureSkipVerify: true, // who the server is, is not the question here
		}}}
		defer client.CloseIdleConnections()
		response := must[*http.Response](t)(client.Post(s.to.Address, "text/xml", bytes.NewReader(message)))
		defer response.Body.Close()
		return reply{response.StatusCode, response.Header, must[[]byte](t)(io.ReadAll(response.Body))}
	}
	for name, thief := range map[string]xmlsec.Signer{"a rival broker": s.rival.signer(), "the provider": s.vat.Home.Signer(), "the authenticator": s.net.Authenticator.Signer()} {
		t.Run(name, func(t *testing.T) {
			played.hostile.Add(1)
			wantFault(t, post(thief, s.letter(s.anna).bytes()), "soap:Client")
			want := counts{fmt.Sprintf("fault defence=%q", "the-client-certificate-is-not-one-of-the-issuer's"): 1}
			if grown := s.grown(); !maps.Equal(grown, want) || s.recorded() != 0 {
				t.Errorf("counted %v", grown)
			}
		})
	}
	s.wantPermit(t, post(s.net.Broker.Signer(), s.letter(s.anna).bytes()))
}
