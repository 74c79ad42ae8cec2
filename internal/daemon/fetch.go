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
	daemon *Daemon

	mu      sync.Mutex
	clients map[etoegang.EntityID]*http.Client
}

// Fetch sends a SOAP message and gives the answer.
func (f *fetcher) Fetch(ctx context.Context, from saml.Participant, address string, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(message))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", saml.ContentType)
	request.Header.Set("SOAPAction", `"http://www.oasis-open.org/committees/security"`) // SAML 2.0 bindings, section 3.2.3
	response, err := f.client(from.Entity).Do(request)
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

// client is that for one participant: connections to him are kept, and are never used for
// anybody else.
func (f *fetcher) client(e etoegang.EntityID) *http.Client {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.clients[e]; c != nil {
		return c
	}
	c := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute, TLSClientConfig: f.tls(e), ForceAttemptHTTP2: true,
		},
	}
	if f.clients == nil {
		f.clients = map[etoegang.EntityID]*http.Client{}
	}
	f.clients[e] = c
	return c
}

// tls shows our certificate to who asks for one, and believes the other side if its
// metadata list its certificate or if the certificate authorities of this machine vouch for
// its name.
func (f *fetcher) tls(e etoegang.EntityID) *tls.Config {
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
			peer, known := f.daemon.state.Load().Receiver.Directory.Find(e, now)
			if known && peer.Presents(s.PeerCertificates[0], now) {
				return nil
			}
			others := x509.NewCertPool()
			for _, c := range s.PeerCertificates[1:] {
				others.AddCert(c)
			}
			_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: s.ServerName, Intermediates: others, CurrentTime: now})
			if err != nil {
				return errors.Join(fmt.Errorf("the server is not %s: its metadata do not list the certificate", e), err)
			}
			return nil
		},
	}
}
