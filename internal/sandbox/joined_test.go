package sandbox_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/sandbox"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// joiner is a provider of our own making that has joined: it takes answers by HTTP-POST.
type joiner struct {
	peer
	t       *testing.T
	s       *sandbox.Sandbox
	id      etoegang.EntityID
	answers chan []byte
}

func newJoiner(t *testing.T, s *sandbox.Sandbox, oin string, change func(metadata string) string) *joiner {
	t.Helper()
	j := &joiner{t: t, s: s, answers: make(chan []byte, 1)}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, _ := base64.StdEncoding.DecodeString(r.PostFormValue("SAMLResponse"))
		j.answers <- answer
	}))
	t.Cleanup(web.Close)
	pair, err := devkeys.New("joiner", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	j.peer = peer{entity: "urn:etoegang:DV:" + oin + ":entities:9500", at: web.URL, pair: pair}
	if j.id, err = etoegang.ParseEntityID(j.entity); err != nil {
		t.Fatal(err)
	}
	j.join(t, s, "joiner-"+oin, change(j.metadata("HTTP-POST", "/acs", "urn:etoegang:1.11:attribute-represented:CompanyName")))
	return j
}

func asIs(metadata string) string { return metadata }

func (j *joiner) signer() xmlsec.Signer {
	return xmlsec.Signer{Key: j.pair.Key, KeyName: j.pair.KeyName(), Certificate: j.pair.Certificate}
}

// request is what the provider sends, if nothing is changed.
func (j *joiner) request() saml.AuthnRequest {
	return saml.AuthnRequest{ID: saml.NewID(), Issuer: j.id, Destination: j.s.Address + "/broker/sso/1.13", Issued: time.Now()}
}

// address puts a request into an address, by hand: what the sandbox does itself is not used.
func (j *joiner) address(r saml.AuthnRequest, key crypto.Signer) string {
	j.t.Helper()
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.DefaultCompression)
	_, _ = w.Write(r.Element().Bytes())
	_ = w.Close()
	// Lower case escapes, as some software writes them: the text counts as it was sent.
	query := "SAMLRequest=" + strings.ReplaceAll(url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes())), "%2B", "%2b") +
		"&RelayState=here&SigAlg=" + url.QueryEscape("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")
	sum := sha256.Sum256([]byte(query))
	signature, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		j.t.Fatal(err)
	}
	return r.Destination + "?" + query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

// answer is what the provider reads at the end of a log-in.
func (j *joiner) answer(b *browser, request string) (*saml.SignedOn, saml.Provided, error) {
	j.t.Helper()
	if b.press("", nil); !strings.HasPrefix(b.at.String(), j.at) {
		j.t.Fatalf("the log-in ends at %s: %s", b.at, b.text())
	}
	r := saml.Receiver{
		Self: j.id, Directory: j.s.Directory(), Ages: saml.DefaultAges, Openers: []xmlsec.Opener{{KeyName: "", Key: j.pair.Key}},
	}
	answer, err := r.ReceiveSignedOn(<-j.answers, time.Now())
	if err != nil {
		j.t.Fatal(err)
	}
	if answer.Status != saml.Success {
		return answer, saml.Provided{}, nil
	}
	told, err := r.Provided(answer, request, j.at+"/acs", time.Now())
	return answer, told, err
}

// Whoever drops metadata into the folder takes part: people log in there for the same
// companies, and what is for the provider only its own key reads.
func TestProviderJoins(t *testing.T) {
	s := open(t)
	j := newJoiner(t, s, "00000009000000000003", asIs)
	request := j.request()
	b := newBrowser(t, s).visit(j.address(request, j.pair.Key)).choose("Elif Yilmaz", "")
	_, told, err := j.answer(b, request.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(told.Represented) != 1 || told.Represented[0].Text() != "34567890" || told.Intermediary.KvK.Text() != "87654321" {
		t.Errorf("it reads %v through %v", told.Represented, told.Intermediary)
	}
	if told.Names[etoegang.AttributeRepresentedName] != "Bloemisterij Tulp" || told.Level != etoegang.LoA3 || !strings.Contains(told.ServiceID.String(), "00000009000000000003") {
		t.Errorf("it reads %v, %s, %s", told.Names, told.Level, told.ServiceID)
	}
}

// Identifiers go over the wire encrypted. In the clear they go to whoever asks for that in
// his metadata, and to nobody else.
func TestOnlyWhoAsksReadsInTheClear(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		oin    string
		change func(string) string
		clear  bool
	}{
		{"00000009000000000004", asIs, false},
		{"00000009000000000005", func(m string) string {
			return strings.Replace(m, "urn:etoegang:1.11:attribute-represented:CompanyName", clearKvK, 1)
		}, true},
	} {
		j := newJoiner(t, s, c.oin, c.change)
		request := j.request()
		b := newBrowser(t, s).visit(j.address(request, j.pair.Key)).choose("Anna de Vries", "")
		if _, _, err := j.answer(b, request.ID); err != nil {
			t.Fatal(err)
		}
		clear := false
		for _, m := range s.Log.Logins()[0].Messages {
			clear = clear || bytes.Contains(m.Raw, []byte(">12345678<"))
		}
		if clear != c.clear {
			t.Errorf("%s: the number is readable for all: %v", c.oin, clear)
		}
	}
}

// The broker believes no request that is not the provider's, here and now, and sends answers
// nowhere but to addresses of its metadata.
func TestRequestsThatTheBrokerRefuses(t *testing.T) {
	s := open(t)
	j := newJoiner(t, s, "00000009000000000006", asIs)
	other, err := devkeys.New("other", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*saml.AuthnRequest)) string {
		r := j.request()
		change(&r)
		return j.address(r, j.pair.Key)
	}
	good := with(func(*saml.AuthnRequest) {})
	for what, c := range map[string]struct{ address, reads string }{
		"not signed":              {good[:strings.Index(good, "&SigAlg=")], "is not signed"},
		"signed with another key": {j.address(j.request(), other.Key), "signature of the address is not the provider's"},
		"altered":                 {strings.Replace(good, "RelayState=here", "RelayState=there", 1), "signature of the address is not the provider's"},
		"signed with SHA-1":       {strings.Replace(good, "2001%2F04%2Fxmldsig-more%23rsa-sha256", "2000%2F09%2Fxmldsig%23rsa-sha1", 1), "must be signed with RSA and SHA-256"},
		"a parameter twice":       {good + "&RelayState=there", "stands there twice"},
		"too long a RelayState":   {strings.Replace(good, "RelayState=here", "RelayState="+strings.Repeat("x", 81), 1), "longer than 80 bytes"},
		"to elsewhere":            {strings.Replace(with(func(r *saml.AuthnRequest) { r.Destination = "https://other.test/sso" }), "https://other.test/sso", s.Address+"/broker/sso/1.13", 1), "destination"},
		"old":                     {with(func(r *saml.AuthnRequest) { r.Issued = r.Issued.Add(-10 * time.Minute) }), "expired"},
		"of a stranger": {with(func(r *saml.AuthnRequest) {
			r.Issuer, _ = etoegang.ParseEntityID("urn:etoegang:DV:00000009000000000099:entities:9500")
		}), "nobody whose requests we answer"},
		"answer to an address of nobody": {with(func(r *saml.AuthnRequest) { r.Address = "https://evil.test/acs" }), "do not list the address"},
		"answer to no index":             {with(func(r *saml.AuthnRequest) { r.Consumer = "7" }), "no AssertionConsumerService with index"},
		"an artifact of nobody":          {s.Address + "/broker/sso/1.13?SAMLart=" + url.QueryEscape(saml.NewArtifact(j.id, 0).String()), "no provider that has an ArtifactResolutionService"},
	} {
		t.Run(what, func(t *testing.T) {
			b := newBrowser(t, s).visit(c.address)
			b.reads("This does not work", c.reads)
			if b.code != http.StatusBadRequest {
				t.Errorf("HTTP %d", b.code)
			}
		})
	}
	newBrowser(t, s).visit(good).reads("Who are you?")
}

// In a form the signature is in the message, and covers all of it.
func TestPostedRequestThatWasAltered(t *testing.T) {
	s := open(t)
	j := newJoiner(t, s, "00000009000000000007", asIs)
	signed, err := j.request().Sign(j.signer())
	if err != nil {
		t.Fatal(err)
	}
	send := func(doc []byte) *browser {
		form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(doc)}}.Encode()
		request, _ := http.NewRequest(http.MethodPost, s.Address+"/broker/sso/1.13", strings.NewReader(form))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return newBrowser(t, s).do(request)
	}
	send(signed.Bytes()).reads("Who are you?")
	send(bytes.Replace(signed.Bytes(), []byte(` Version="2.0"`), []byte(` ForceAuthn="true" Version="2.0"`), 1)).reads("This does not work", "digest")
	send(j.request().Element().Bytes()).reads("This does not work", "signature")
}

// A provider may say that it does not sign its requests; then they need no signature.
func TestProviderThatDoesNotSign(t *testing.T) {
	s := open(t)
	j := newJoiner(t, s, "00000009000000000008", func(m string) string {
		return strings.Replace(m, `AuthnRequestsSigned="true"`, `AuthnRequestsSigned="false"`, 1)
	})
	address := j.address(j.request(), j.pair.Key)
	newBrowser(t, s).visit(address[:strings.Index(address, "&SigAlg=")]).reads("Who are you?")
}

// A provider need not describe what it offers: who asks for nothing there either files the VAT
// return, as the start page says.
func TestProviderThatNamesNoService(t *testing.T) {
	s := open(t)
	j := newJoiner(t, s, "00000009000000000014", func(m string) string {
		from, to := strings.Index(m, "<md:AttributeConsumingService"), strings.Index(m, "</md:SPSSODescriptor>")
		return m[:from] + m[to:]
	})
	request := j.request()
	_, told, err := j.answer(newBrowser(t, s).visit(j.address(request, j.pair.Key)).choose("Anna de Vries", ""), request.ID)
	if err != nil || told.ServiceUUID != s.Network.Services["vat"].UUID {
		t.Errorf("it reads %s, %v", told.ServiceUUID, err)
	}
}

// What the broker understands and cannot do it tells the provider, in the scheme's words.
func TestRequestsThatAreNotSupported(t *testing.T) {
	s := open(t)
	j := newJoiner(t, s, "00000009000000000009", asIs)
	for what, change := range map[string]func(*saml.AuthnRequest){
		"a service that is not there": func(r *saml.AuthnRequest) { r.Service = "9" },
		"without showing anything":    func(r *saml.AuthnRequest) { r.Passive = true },
		"a level of the past":         func(r *saml.AuthnRequest) { r.Level = etoegang.LoA1 },
	} {
		request := j.request()
		change(&request)
		answer, _, _ := j.answer(newBrowser(t, s).visit(j.address(request, j.pair.Key)), request.ID)
		if answer.Status != saml.RequesterUnsupported || answer.InResponseTo != request.ID {
			t.Errorf("%s: %s", what, answer.Status.Short())
		}
	}
}

// The start page says what is wrong with a file of metadata, and a provider whose file is
// gone takes part no more.
func TestFilesOfProviders(t *testing.T) {
	s := open(t)
	j := newJoiner(t, s, "00000009000000000010", asIs)
	good := j.metadata("HTTP-POST", "/acs", clearKvK)
	start := newBrowser(t, s)
	for what, c := range map[string]struct{ text, reads string }{
		"no XML":                {"Dear reader,", "wrong.xml does not take part: reading metadata"},
		"described twice":       {good, "is described in joiner-00000009000000000010.xml already"},
		"of a register":         {strings.Replace(strings.Replace(good, ":DV:", ":MR:", 1), "SPSSODescriptor", "PDPDescriptor", 2), "describes one service provider"},
		"of the municipality":   {strings.Replace(good, "00000009000000000010", "00000001000000010000", 1), "another provider has this OIN"},
		"a service not there":   {strings.Replace(strings.Replace(good, "000000010:", "000000011:", 1), `index="2"`, `index="9"`, 1), `index "9" is none of a service here`},
		"an address of nowhere": {strings.Replace(strings.Replace(good, "000000010:", "000000011:", 1), j.at, "javascript:alert()", 1), "is not https"},
		"no scheme's name":      {strings.Replace(good, j.entity, "https://provider.test", 1), "entityID"},
		"nowhere to answer":     {strings.Replace(strings.Replace(good, "000000010:", "000000011:", 1), "AssertionConsumerService", "SingleLogoutService", 1), "no AssertionConsumerService"},
	} {
		t.Run(what, func(t *testing.T) {
			path := s.Providers() + "/wrong.xml"
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			start.t = t
			start.visit(s.Address+"/").reads("wrong.xml does not take part:", c.reads, "joiner-00000009000000000010.xml takes part")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		})
	}
	start.t = t
	renamed := s.Providers() + "/renamed.xml"
	if err := os.Rename(s.Providers()+"/joiner-00000009000000000010.xml", renamed); err != nil {
		t.Fatal(err)
	}
	start.visit(s.Address + "/").reads("renamed.xml takes part")
	if err := os.Remove(renamed); err != nil {
		t.Fatal(err)
	}
	start.visit(s.Address + "/").reads("Nobody has joined yet")
	start.visit(j.address(j.request(), j.pair.Key)).reads("nobody whose requests we answer")
}

// A provider that changes its key joins anew: what it gets is encrypted to the new one.
func TestProviderWithANewKey(t *testing.T) {
	s := open(t)
	j := newJoiner(t, s, "00000009000000000012", asIs)
	old := j.address(j.request(), j.pair.Key)
	var err error
	if j.pair, err = devkeys.New("joiner", time.Now()); err != nil {
		t.Fatal(err)
	}
	j.join(t, s, "joiner-00000009000000000012", j.metadata("HTTP-POST", "/acs", clearKvK)+"\n")
	newBrowser(t, s).visit(old).reads("signature of the address is not the provider's")
	request := j.request()
	b := newBrowser(t, s).visit(j.address(request, j.pair.Key)).choose("Anna de Vries", "")
	if _, told, err := j.answer(b, request.ID); err != nil || len(told.Represented) != 2 {
		t.Errorf("it reads %v, %v", told.Represented, err)
	}
}
