package server_test

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// benchPeer is a register of a large network, on a store of its own.
type benchPeer struct {
	participant saml.Participant
	signer      xmlsec.Signer
	openers     []xmlsec.Opener
	web         *httptest.Server
}

func newPeer(b *testing.B, i int) *benchPeer {
	b.Helper()
	pair := must(devkeys.New(fmt.Sprintf("peer-%d", i), time.Now()))
	entity := must(etoegang.ParseEntityID(fmt.Sprintf("urn:etoegang:MR:0000000388888888%04d:entities:%d", i, 9000+i)))
	key := []xmlsec.Key{{Name: pair.KeyName(), Certificate: pair.Certificate}}
	return &benchPeer{
		participant: saml.Participant{Entity: entity, Signing: key, Encryption: key},
		signer:      xmlsec.Signer{Key: pair.Key, KeyName: pair.KeyName(), Certificate: pair.Certificate},
		openers:     []xmlsec.Opener{{KeyName: pair.KeyName(), Key: crypto.Decrypter(pair.Key)}},
	}
}

func (p *benchPeer) state(all ...*benchPeer) *server.State {
	var participants []saml.Participant
	for _, other := range all {
		participants = append(participants, other.participant)
	}
	return &server.State{Signer: p.signer, Receiver: &saml.Receiver{
		Self: p.participant.Entity, Addresses: saml.Addresses{Chain: p.participant.Chain}, Directory: saml.NewDirectory(participants...),
		Openers: p.openers, Ages: saml.DefaultAges,
	}}
}

// serve starts the register with so many clients of the office.
func (p *benchPeer) serve(b *testing.B, clients int, all ...*benchPeer) {
	b.Helper()
	r := must(register.Create(ctx, filepath.Join(b.TempDir(), "register.db"), p.participant.Entity, time.Millisecond, register.Options{}))
	b.Cleanup(func() { _ = r.Close() })
	from := time.Now().UTC().Truncate(time.Second)
	must(r.Change(ctx, register.Author{Who: "bench", Why: "clients"}, func(t *register.Tx) error {
		a := must(t.PutOrganisation(office))
		for i := range clients {
			client := must(t.PutOrganisation(harness.Company(fmt.Sprintf("Client %d", i), fmt.Sprintf("%08d", 30_000_000+i), "")))
			must(t.Grant(mandate.Mandate{
				Kind: mandate.Chain, Grantor: client, Intermediary: a, Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}, State: mandate.Active,
				Validity: mandate.Validity{From: from, To: mandate.AddYears(from, 1)},
			}, register.GrantOptions{}))
		}
		return nil
	}))
	state := p.state(all...)
	s := server.New(server.Config{
		Self: p.participant.Entity, State: func() *server.State { return state }, Register: r, Guard: open, Replayed: errSeen,
		Metrics: server.NewMetrics(prometheus.NewRegistry()), Log: quiet, Now: time.Now,
		PseudonymKey: make([]byte, 32), SealingKey: make([]byte, 32), Work: 64,
	})
	p.web.Config.Handler = s.Handler()
	p.web.Start()
	b.Cleanup(p.web.Close)
}

// overHTTP fetches, and remembers when the last answer was there.
type overHTTP struct{ last atomic.Int64 }

func (o *overHTTP) Fetch(ctx context.Context, _ saml.Participant, address string, message []byte) ([]byte, error) {
	request := must(http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(message)))
	request.Header.Set("Content-Type", saml.ContentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	o.last.Store(time.Now().UnixNano())
	return body, err
}

// What a discovery costs at five registers, all on this machine, of which one takes the
// question and is silent: the whole takes as long as one is willing to wait, which says
// nothing; how soon the others' answers were there is reported as ms/answered.
func BenchmarkDiscover(b *testing.B) {
	for _, clients := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { discoverOften(b, clients) })
	}
}

func discoverOften(b *testing.B, clients int) {
	asker, silent := newPeer(b, 0), newPeer(b, 5)
	all := []*benchPeer{asker, silent}
	for i := 1; i <= 4; i++ {
		all = append(all, newPeer(b, i))
	}
	deaf := must(net.Listen("tcp", "127.0.0.1:0"))
	b.Cleanup(func() { _ = deaf.Close() })
	silent.participant.Chain = "http://" + deaf.Addr().String()
	for _, p := range all[2:] {
		p.web = httptest.NewUnstartedServer(nil)
		p.participant.Chain = "http://" + p.web.Listener.Addr().String() + server.PathChain
	}
	for _, p := range all[2:] {
		p.serve(b, clients/4, all...)
	}
	state, fetcher := asker.state(all...), &overHTTP{}
	patience := 2 * time.Second
	if clients > 10_000 {
		patience = time.Minute
	}
	d := &server.Discovery{Self: asker.participant.Entity, State: func() *server.State { return state }, Fetcher: fetcher, Now: time.Now, Patience: patience}
	var took time.Duration
	b.ReportAllocs()
	for b.Loop() {
		started := time.Now()
		found := d.Discover(ctx, intermediary(office))
		took += time.Unix(0, fetcher.last.Load()).Sub(started)
		if len(found.Found) != clients/4*4 || len(found.Silent) != 1 || found.Silent[0].Why != server.TooLate {
			b.Fatalf("found %d, silent %+v", len(found.Found), found.Silent)
		}
	}
	b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ms/answered")
}
