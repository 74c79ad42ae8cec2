package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// desk is where a broker keeps queries that travel as artifacts, and gives each to the
// register it is for, once.
type desk struct {
	resolution string // its ArtifactResolutionService; "": the network has no browsers
	web        *http.Server

	mu   sync.Mutex
	kept map[saml.Artifact]parcel
}

type parcel struct {
	query *xmlsec.Element
	to    etoegang.EntityID
}

// resolution is where a register's artifacts are resolved.
func (r *RegisterNode) resolution() string {
	return strings.TrimSuffix(r.Address, server.PathQuery) + server.PathResolution
}

// open starts the broker's ArtifactResolutionService.
func (b *Broker) open() error {
	l, err := listen()
	if err != nil {
		return err
	}
	b.desk.kept, b.desk.resolution = map[saml.Artifact]parcel{}, b.network.scheme()+l.Addr().String()+"/resolve/1.13"
	b.desk.web = &http.Server{Handler: http.HandlerFunc(b.handOut), ReadHeaderTimeout: 10 * time.Second}
	if !b.network.options.TLS {
		go func() { _ = b.desk.web.Serve(l) }()
		return nil
	}
	b.desk.web.TLSConfig = &tls.Config{
		MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{b.pair.Certificate.Raw}, PrivateKey: b.pair.Key}},
	}
	go func() { _ = b.desk.web.ServeTLS(l, "", "") }()
	return nil
}

// Leave closes the broker's desk: what is kept there can no longer be fetched.
func (b *Broker) Leave() error {
	if b.desk.web == nil {
		return nil
	}
	return b.desk.web.Close()
}

// handOut answers an ArtifactResolve.
func (b *Broker) handOut(w http.ResponseWriter, r *http.Request) {
	answer, err := b.resolve(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", saml.ContentType)
	_, _ = w.Write(answer)
}

func (b *Broker) resolve(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	n, known := b.network, r.TLS == nil
	var registers []saml.Participant
	for _, node := range n.registers() {
		registers = append(registers, node.participant())
		known = known || r.TLS.PeerCertificates[0].Equal(node.pair.Certificate)
	}
	if !known {
		return nil, errors.New("the client is no register")
	}
	receiver := saml.Receiver{
		Self: b.Entity, Addresses: saml.Addresses{Resolution: b.desk.resolution}, Directory: saml.NewDirectory(registers...), Ages: saml.DefaultAges,
	}
	asked, err := receiver.ReceiveResolve(body, n.Now())
	if err != nil {
		return nil, err
	}
	signed, err := saml.Resolved{
		ID: saml.NewID(), InResponseTo: asked.ID, Issuer: b.Entity, Issued: n.Now(), Message: b.give(asked),
	}.Sign(b.Signer())
	if err != nil {
		return nil, err
	}
	return saml.Wrap(signed), nil
}

// give gives a query to the register that it is for, once.
func (b *Broker) give(asked saml.Resolving) *xmlsec.Element {
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	p := b.desk.kept[asked.Artifact]
	if p.to != asked.Issuer {
		return nil
	}
	delete(b.desk.kept, asked.Artifact)
	return p.query
}

// Visit is a user's way through a register: sent there by the broker, and back again.
type Visit struct {
	Result          // what the broker reads in the end
	Address  string // where the broker sends the browser
	Relay    string // what it lets travel along
	artifact saml.Artifact
	asking   saml.Asking
	at       *RegisterNode
}

// Send prepares a question that goes through the user's browser: the query waits at the
// broker, and Address is where the browser brings its artifact.
func (b *Broker) Send(q Question, relay string) (*Visit, error) {
	if q.At == nil {
		q.At = b.network.First
	}
	result, asking, err := b.prepare(q)
	if err != nil {
		return nil, err
	}
	v := &Visit{Result: *result, Relay: relay, asking: asking, at: q.At}
	v.asking.Destination = v.at.Door
	query, err := v.asking.Sign(b.Signer())
	if err != nil {
		return nil, err
	}
	v.artifact = saml.NewArtifact(b.Entity, 0)
	b.desk.mu.Lock()
	b.desk.kept[v.artifact] = parcel{query, v.at.Entity}
	b.desk.mu.Unlock()
	parameters := url.Values{"SAMLart": {v.artifact.String()}}
	if relay != "" {
		parameters.Set("RelayState", relay)
	}
	v.Address = v.at.DoorEndpoint + "?" + parameters.Encode()
	return v, nil
}

// Receive is what the broker does when the browser is back at the address of its
// AssertionConsumerService: it fetches the register's answer, and reads it into the visit.
func (b *Broker) Receive(ctx context.Context, v *Visit, back string) error {
	address, err := url.Parse(back)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(back, b.Consumer+"?") || address.Query().Get("RelayState") != v.Relay {
		return fmt.Errorf("the browser is at %s with RelayState %q", address.Host, address.Query().Get("RelayState"))
	}
	artifact, err := saml.ParseArtifact(address.Query().Get("SAMLart"))
	if err != nil {
		return err
	}
	v.Reply, err = b.Resolve(ctx, v, artifact)
	return err
}

// Resolve fetches what stands behind a register's artifact, as the answer to the visit's
// query. saml.ErrNothingThere: nothing does, for this broker, any more.
func (b *Broker) Resolve(ctx context.Context, v *Visit, artifact saml.Artifact) (*saml.Reply, error) {
	n := b.network
	asked := saml.Resolving{ID: saml.NewID(), Issuer: b.Entity, Destination: v.at.resolution(), Issued: n.Now(), Artifact: artifact}
	signed, err := asked.Sign(b.Signer())
	if err != nil {
		return nil, err
	}
	v.Sent = saml.Wrap(signed)
	at := strings.TrimSuffix(v.at.Endpoint, server.PathQuery) + server.PathResolution
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(v.Sent))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", saml.ContentType)
	response, err := b.httpClient(v.at.Party).Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if v.Received, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("resolving an artifact: HTTP %d: %s", response.StatusCode, v.Received)
	}
	return saml.ReadResolved(v.Received, saml.NewDirectory(v.at.participant()), asked.ID, v.asking.ID, n.Now())
}

// Artifact is that of the query, as it stands in Address.
func (v *Visit) Artifact() saml.Artifact { return v.artifact }

// At lets another daemon of the same register resolve the answer, as behind a load balancer.
func (v *Visit) At(r *RegisterNode) { v.at = r }
