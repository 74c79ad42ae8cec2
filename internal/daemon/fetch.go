package daemon

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// fetchPatience is how long a participant may take to give what stands behind its artifact:
// a user is waiting.
const fetchPatience = 5 * time.Second

// fetcher asks other participants over HTTP. It goes nowhere but to addresses of metadata
// that we believe, follows no redirects, and shows our own certificate.
type fetcher struct {
	daemon   *Daemon
	patience time.Duration  // for one answer
	roots    *x509.CertPool // who may vouch for a server's name; nil: whom this machine believes

	mu      sync.Mutex
	clients map[counter]*http.Client
}

// counter is where one participant is asked: it may have several addresses, and a certificate
// that is good for one says nothing of another.
type counter struct {
	of   etoegang.EntityID
	host string // a name or IP address, without port
}

func newFetcher(d *Daemon) *fetcher {
	return &fetcher{daemon: d, patience: fetchPatience, clients: map[counter]*http.Client{}}
}

// close closes the connections that nothing is asked on.
func (f *fetcher) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.clients {
		c.CloseIdleConnections()
	}
}

// Fetch sends a SOAP message and gives the answer.
func (f *fetcher) Fetch(ctx context.Context, from saml.Participant, address string, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(message))
	if err != nil {
		return nil, err
	}
	at := counter{from.Entity, request.URL.Hostname()}
	if at.host == "" {
		return nil, fmt.Errorf("%s: the address %q names no host", from.Entity, address)
	}
	request.Header.Set("Content-Type", saml.ContentType)
	request.Header.Set("SOAPAction", `"http://www.oasis-open.org/committees/security"`) // SAML 2.0 bindings, section 3.2.3
	response, err := f.client(at).Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers with HTTP %d", from.Entity, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, int64(xmlsec.MessageLimits.Bytes)+1))
	if err == nil && len(body) > xmlsec.MessageLimits.Bytes {
		err = fmt.Errorf("%s answers with more than %d bytes", from.Entity, xmlsec.MessageLimits.Bytes)
	}
	return body, err
}

// client is that for one counter: connections to it are kept, and are never used for anybody
// else.
func (f *fetcher) client(at counter) *http.Client {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.clients[at]; c != nil {
		return c
	}
	c := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute, TLSClientConfig: f.tls(at), ForceAttemptHTTP2: true,
		},
	}
	f.clients[at] = c
	return c
}

// tls shows our certificate to who asks for one, and believes the other side if its
// metadata list its certificate or if the certificate authorities of this machine vouch for
// the host that we ask. The handshake does not know that host if it is an IP address.
func (f *fetcher) tls(at counter) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if pair := f.daemon.pair.Load(); pair != nil {
				return pair, nil
			}
			return &tls.Certificate{}, nil
		},
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(s tls.ConnectionState) error {
			now := f.daemon.now()
			peer, known := f.daemon.state.Load().Receiver.Directory.Find(at.of, now)
			if known && peer.Presents(s.PeerCertificates[0], now) {
				return nil
			}
			others := x509.NewCertPool()
			for _, c := range s.PeerCertificates[1:] {
				others.AddCert(c)
			}
			_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: at.host, Roots: f.roots, Intermediates: others, CurrentTime: now})
			if err != nil {
				return errors.Join(fmt.Errorf("the server is not %s: its metadata do not list the certificate", at.of), err)
			}
			return nil
		},
	}
}
