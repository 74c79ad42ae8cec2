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

// desk is where a broker keeps what travels as artifacts, queries and answers for a register's
// pages, and gives each to the register it is for, once.
type desk struct {
	resolution string // its ArtifactResolutionService; "": the network has no browsers
	web        *http.Server

	mu   sync.Mutex
	kept map[saml.Artifact]parcel
}

type parcel struct {
	message *xmlsec.Element
	to      etoegang.EntityID
	relay   string // that travels along
}

// resolution is where a register's artifacts are resolved.
func (r *RegisterNode) resolution() string {
	return strings.TrimSuffix(r.Address, server.PathQuery) + server.PathResolution
}

// chain is where other registers ask for chain mandates.
func (r *RegisterNode) chain() string {
	return strings.TrimSuffix(r.Address, server.PathQuery) + server.PathChain
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
	var askers []saml.Participant
	for _, node := range n.registers() {
		askers = append(askers, node.Participant())
		known = known || r.TLS.PeerCertificates[0].Equal(node.pair.Certificate)
	}
	if !known {
		return nil, errors.New("the client is no register")
	}
	if m := n.options.Manage; m != nil {
		askers = append(askers, n.Providers[m.Provider].Participant())
	}
	receiver := saml.Receiver{
		Self: b.Entity, Addresses: saml.Addresses{Resolution: b.desk.resolution}, Directory: saml.NewDirectory(askers...), Ages: saml.DefaultAges,
	}
	asked, err := receiver.ReceiveResolve(body, n.Now())
	if err != nil {
		return nil, err
	}
	p := b.give(asked)
	signed, err := saml.Resolved{
		ID: saml.NewID(), InResponseTo: asked.ID, Issuer: b.Entity, Issued: n.Now(), Message: p.message,
	}.Sign(b.Signer())
	if err != nil {
		return nil, err
	}
	given := saml.Wrap(signed)
	if n.options.Fetched != nil && p.message != nil {
		n.options.Fetched(asked.Issuer, p.relay, body, given)
	}
	return given, nil
}

// Keep keeps a message for a register, under the name by which that will ask, and gives the
// artifact that travels in its place.
func (b *Broker) Keep(message *xmlsec.Element, to etoegang.EntityID, relay string) saml.Artifact {
	artifact := saml.NewArtifact(b.Entity, 0)
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	b.desk.kept[artifact] = parcel{message, to, relay}
	return artifact
}

// give gives a message to the register that it is for, once.
func (b *Broker) give(asked saml.Resolving) parcel {
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	p := b.desk.kept[asked.Artifact]
	if p.to != asked.Issuer {
		return parcel{}
	}
	delete(b.desk.kept, asked.Artifact)
	return p
}

// Visit is a user's way through a register: sent there by the broker, and back again.
type Visit struct {
	Result         // what the broker reads in the end
	Address string // where the broker sends the browser
	Relay   string // what it lets travel along

	// Before is where somebody else brings the same query first, if the mistake is that it is
	// replayed; "" otherwise.
	Before string

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
	return b.entrust(result, asking, q.At, relay)
}

// SendConfirm prepares the question of Confirm as Send prepares one.
func (b *Broker) SendConfirm(first *Result, at *RegisterNode, relay string) (*Visit, error) {
	result, asking, err := b.prepareConfirm(first, at)
	if err != nil {
		return nil, err
	}
	return b.entrust(result, asking, at, relay)
}

// entrust keeps a query for the register to which the browser brings its artifact.
func (b *Broker) entrust(result *Result, asking saml.Asking, at *RegisterNode, relay string) (*Visit, error) {
	v := &Visit{Result: *result, Relay: relay, asking: asking, at: at}
	v.asking.Destination = v.at.Door
	mistake := result.question.Mistake
	query, err := v.asking.Sign(b.signs(mistake))
	if err == nil && mistake == Altered {
		query, err = Alter(query)
	}
	if err != nil {
		return nil, err
	}
	if mistake == Replayed {
		_, v.Before = b.lay(v, query)
	}
	v.artifact, v.Address = b.lay(v, query)
	return v, nil
}

// lay keeps a query on the desk. It gives the artifact and where a browser brings that.
func (b *Broker) lay(v *Visit, query *xmlsec.Element) (artifact saml.Artifact, address string) {
	artifact = b.Keep(query, v.at.Entity, v.Relay)
	parameters := url.Values{"SAMLart": {artifact.String()}}
	if v.Relay != "" {
		parameters.Set("RelayState", v.Relay)
	}
	return artifact, v.at.DoorEndpoint + "?" + parameters.Encode()
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
	return saml.ReadResolved(v.Received, saml.NewDirectory(v.at.Participant()), asked.ID, v.asking.ID, n.Now())
}

// Artifact is that of the query, as it stands in Address.
func (v *Visit) Artifact() saml.Artifact { return v.artifact }

// At lets another daemon of the same register resolve the answer, as behind a load balancer.
func (v *Visit) At(r *RegisterNode) { v.at = r }
