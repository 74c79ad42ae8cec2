package daemon

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// inquiry is a fetcher, and a broker that it asks.
type inquiry struct {
	t       *testing.T
	fetcher *fetcher
	broker  saml.Participant
}

// newInquiry has a broker whose metadata list these certificates. No authority is believed.
func newInquiry(t *testing.T, listed ...*x509.Certificate) *inquiry {
	t.Helper()
	entity, err := etoegang.ParseEntityID("urn:etoegang:HM:00000003222222220000:entities:9001")
	if err != nil {
		t.Fatal(err)
	}
	i := &inquiry{t: t, broker: saml.Participant{Entity: entity}}
	for _, c := range listed {
		i.broker.Signing = append(i.broker.Signing, xmlsec.Key{Name: "key", Certificate: c})
	}
	d := &Daemon{now: time.Now}
	d.state.Store(&server.State{Receiver: &saml.Receiver{Directory: saml.NewDirectory(i.broker)}})
	i.fetcher = newFetcher(d)
	i.fetcher.roots = x509.NewCertPool()
	t.Cleanup(i.fetcher.close)
	return i
}

func (i *inquiry) ask(address string) ([]byte, error) {
	return i.fetcher.Fetch(context.Background(), i.broker, address, []byte("<question/>"))
}

// desks are the addresses of a server on this machine, by the host that they name.
func desks(t *testing.T, s *httptest.Server, hosts ...string) map[string]string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for _, host := range hosts {
		list[host] = u.Scheme + "://" + net.JoinHostPort(host, u.Port()) + "/resolve"
	}
	return list
}

// certificateFor is one that is its own authority, for a name or IP address.
func certificateFor(t *testing.T, host string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}
}

// over serves answers over TLS.
func over(t *testing.T, config *tls.Config, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = config
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are broken off
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// plainly serves answers on this machine, where metadata allow it without TLS.
func plainly(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func answer(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<answer/>") }

// Metadata say by which certificate a participant is known. Another is not its, unless an
// authority says so.
func TestServersAreKnownByMetadata(t *testing.T) {
	own := certificateFor(t, "elsewhere.example") // metadata list certificates and no names
	s := over(t, &tls.Config{Certificates: []tls.Certificate{own}}, answer)
	if body, err := newInquiry(t, own.Leaf).ask(s.URL); err != nil || string(body) != "<answer/>" {
		t.Errorf("listed by its metadata: %q, %v", body, err)
	}
	stranger := certificateFor(t, "127.0.0.1")
	s = over(t, &tls.Config{Certificates: []tls.Certificate{certificateFor(t, "127.0.0.1")}}, answer)
	for why, listed := range map[string][]*x509.Certificate{"nothing is listed": nil, "another is listed": {stranger.Leaf}} {
		_, err := newInquiry(t, listed...).ask(s.URL)
		if !errors.As(err, new(x509.UnknownAuthorityError)) || !strings.Contains(err.Error(), "its metadata do not list the certificate") {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// An authority vouches for a name or an IP address and for nothing else: whoever has a
// certificate for his own could otherwise answer in the place of every broker.
func TestAuthoritiesVouchForOneHost(t *testing.T) {
	for _, c := range []struct {
		certified, asked string
		good             bool
	}{
		{"127.0.0.1", "127.0.0.1", true},
		{"localhost", "localhost", true},
		{"other.example", "localhost", false},
		{"127.0.0.1", "localhost", false},
		{"192.0.2.1", "127.0.0.1", false},
		{"other.example", "127.0.0.1", false},
		{"localhost", "127.0.0.1", false},
		{"localhost", "", false}, // which is this machine
	} {
		certificate := certificateFor(t, c.certified)
		s := over(t, &tls.Config{Certificates: []tls.Certificate{certificate}}, answer)
		i := newInquiry(t)
		i.fetcher.roots.AddCert(certificate.Leaf)
		if _, err := i.ask(desks(t, s, c.asked)[c.asked]); (err == nil) != c.good {
			t.Errorf("certified %q, asked at %q: %v", c.certified, c.asked, err)
		}
	}
}

// That a participant is believed at one of its addresses says nothing of another.
func TestEveryAddressIsBelievedByItself(t *testing.T) {
	certificate := certificateFor(t, "127.0.0.1")
	s := over(t, &tls.Config{Certificates: []tls.Certificate{certificate}}, answer)
	at := desks(t, s, "127.0.0.1", "localhost")
	i := newInquiry(t)
	i.fetcher.roots.AddCert(certificate.Leaf)
	for range 2 {
		if _, err := i.ask(at["127.0.0.1"]); err != nil {
			t.Error(err)
		}
		if _, err := i.ask(at["localhost"]); !errors.As(err, new(x509.HostnameError)) {
			t.Errorf("at the other address: %v", err)
		}
	}
}

// Brokers ask for a certificate, too. We show the one that metadata list as ours, which
// nobody can do who has not its key.
func TestOurCertificateIsShown(t *testing.T) {
	own, ours := certificateFor(t, "broker.example"), certificateFor(t, "register.example")
	var shown []*x509.Certificate
	s := over(t, &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert}, func(w http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates
		answer(w, r)
	})
	i := newInquiry(t, own.Leaf)
	if _, err := i.ask(s.URL); err == nil {
		t.Error("answered without a certificate")
	}
	i.fetcher.daemon.pair.Store(&ours)
	if _, err := i.ask(s.URL); err != nil || len(shown) != 1 || !shown[0].Equal(ours.Leaf) {
		t.Errorf("%v; shown are %d certificates", err, len(shown))
	}
}

// Where a participant is asked stands in its metadata. A redirect would lead elsewhere: into
// our own network, for instance.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := plainly(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		s := plainly(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		if _, err := newInquiry(t).ask(s.URL); err == nil {
			t.Errorf("HTTP %d is an answer", status)
		}
	}
}

// What is no answer, or too much of one to be read, is an error.
func TestAnswersThatAreNone(t *testing.T) {
	limit := xmlsec.MessageLimits.Bytes
	for why, c := range map[string]struct {
		status, length int
		want           string // "": it is one
	}{
		"it is broken":       {http.StatusInternalServerError, 10, "HTTP 500"},
		"it has nothing":     {http.StatusNoContent, 0, "HTTP 204"},
		"just short enough":  {http.StatusOK, limit, ""},
		"a byte too long":    {http.StatusOK, limit + 1, "more than 262144 bytes"},
		"very much too long": {http.StatusOK, 8 * limit, "more than 262144 bytes"},
	} {
		s := plainly(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = w.Write(bytes.Repeat([]byte("x"), c.length))
		})
		_, err := newInquiry(t).ask(s.URL)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", why, err, c.want)
		}
	}
}

// A user waits while a broker is asked. One that takes the question and is silent, before
// the answer or within it, is given up.
func TestSilentServersAreGivenUp(t *testing.T) {
	for why, begin := range map[string]string{"before the answer": "", "within the answer": "<ans"} {
		silent := make(chan struct{})
		s := plainly(t, func(w http.ResponseWriter, _ *http.Request) {
			if begin != "" {
				_, _ = io.WriteString(w, begin)
				w.(http.Flusher).Flush()
			}
			<-silent
		})
		i := newInquiry(t)
		if i.fetcher.patience != 5*time.Second {
			t.Errorf("a user waits %v", i.fetcher.patience)
		}
		i.fetcher.patience = 100 * time.Millisecond
		if _, err := i.ask(s.URL); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", why, err)
		}
		close(silent)
	}
}
