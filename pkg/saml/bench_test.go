package saml_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// BenchmarkMessages measures in one run, in turn and in CPU time of the process, what the
// XML of a decision costs: a question received, an answer written. Signing and decrypting
// are remembered from the first time, and what crypto/rsa takes for the verifications that
// remain is subtracted: of the question's two signatures, and of our own two before they
// leave. The bar is a share of one RSA-2048 signature.
func BenchmarkMessages(b *testing.B) {
	w := world()
	key := w.self.signer.Key.(*rsa.PrivateKey)
	signer, receiver := w.self.signer, *w.receiver
	signer.Key = &remembering{Signer: key, known: map[string][]byte{}}
	receiver.Openers = []xmlsec.Opener{{KeyName: signer.KeyName, Key: &remembered{Decrypter: key, known: map[string][]byte{}}}}
	reference := receiver
	reference.Verifier = xmlsec.Verifier{Engine: xmlsec.Reference}
	query := w.honest()["authorize"]
	write := writes(w, signer)
	written := 0
	receive := func(r *saml.Receiver) func() {
		return func() {
			if _, err := r.Receive(query, fuzzTime); err != nil {
				b.Fatal(err)
			}
		}
	}
	digest := make([]byte, 32)
	signature := sure(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest))
	work := []*measured{
		{name: "sign", work: func() { _, _ = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest) }},
		{name: "verify2", work: func() {
			for range 2 {
				_ = rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest, signature)
			}
		}},
		{name: "receive", work: receive(&receiver)},
		{name: "reference", work: receive(&reference)},
		{name: "answer", work: func() { written = len(write()) }},
	}
	for _, m := range work {
		m.work() // everything is remembered from now on
	}
	for i := 0; i < b.N; i++ {
		for _, m := range work {
			m.measure()
		}
	}
	b.ReportMetric(0, "ns/op")
	cost := map[string]float64{}
	for _, m := range work {
		cost[m.name] = m.median()
		b.ReportMetric(cost[m.name], m.name+"-us")
	}
	b.ReportMetric(100*(cost["receive"]-cost["verify2"])/cost["sign"], "%receive/sign")
	b.ReportMetric(100*(cost["answer"]-cost["verify2"])/cost["sign"], "%answer/sign")
	b.ReportMetric(cost["receive"]/cost["reference"], "receive/reference")
	b.ReportMetric(work[2].allocations(), "receive-allocs")
	b.ReportMetric(work[4].allocations(), "answer-allocs")
	b.ReportMetric(work[2].kilobytes(), "receive-KiB")
	b.ReportMetric(work[4].kilobytes(), "answer-KiB")
	b.ReportMetric(float64(len(query)), "asked-bytes")
	b.ReportMetric(float64(written), "answered-bytes")
}

// remembered is a key that decrypts everything once.
type remembered struct {
	crypto.Decrypter
	known map[string][]byte
}

func (r *remembered) Decrypt(random io.Reader, text []byte, o crypto.DecrypterOpts) ([]byte, error) {
	if plain, ok := r.known[string(text)]; ok {
		return plain, nil
	}
	plain, err := r.Decrypter.Decrypt(random, text, o)
	r.known[string(text)] = plain
	return plain, err
}

// chunk is how often something is done between two readings of the clock, which is coarse.
const chunk = 20

// measured is work, and what it cost each time.
type measured struct {
	name           string
	work           func()
	costs          []float64
	mallocs, total uint64
}

func (m *measured) measure() {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	started := processCPU()
	for range chunk {
		m.work()
	}
	m.costs = append(m.costs, float64((processCPU()-started).Nanoseconds())/1000/chunk)
	runtime.ReadMemStats(&after)
	m.mallocs += after.Mallocs - before.Mallocs
	m.total += after.TotalAlloc - before.TotalAlloc
}

func (m *measured) median() float64 {
	slices.Sort(m.costs)
	return m.costs[len(m.costs)/2]
}

func (m *measured) allocations() float64 { return float64(m.mallocs) / float64(len(m.costs)*chunk) }
func (m *measured) kilobytes() float64 {
	return float64(m.total) / float64(len(m.costs)*chunk) / 1024
}

func processCPU() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // RUSAGE_SELF cannot fail
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// writes returns what writes a Permit as brokers mostly get it.
func writes(w *fuzzWorld, signer xmlsec.Signer) func() []byte {
	sealed := func() *xmlsec.Element {
		return sure(saml.SealName(etoegang.TypeKvKNr, fuzzCompany.Text(), w.provider.recipient()))
	}
	answer := saml.Answer{
		ID: "_answer", Issuer: w.self.entity, Subject: "_subject", Issued: fuzzTime, Until: fuzzTime.Add(2 * time.Minute), Permit: true, Echo: true,
		Links: []saml.Link{{ID: "_one", Signature: "AA=="}}, ServiceID: fuzzService, ServiceUUIDs: []etoegang.ServiceUUID{fuzzUUID},
		Asked: etoegang.LoA3, Used: etoegang.LoA3, Acting: sealed(), Represented: []*xmlsec.Element{sealed(), sealed()},
	}
	response := saml.Response{
		ID: "_response", InResponseTo: "_asked", Issuer: w.self.entity, Issued: fuzzTime, Destination: fuzzConsumer, Status: saml.Success,
	}
	return func() []byte {
		r := response
		r.Assertion = sure(answer.Sign(signer))
		return saml.Wrap(sure(r.Sign(signer)))
	}
}

// BenchmarkReceive and BenchmarkAnswer are for profiles.
func BenchmarkReceive(b *testing.B) {
	w := world()
	receiver := *w.receiver
	receiver.Openers = []xmlsec.Opener{{KeyName: w.self.signer.KeyName, Key: &remembered{Decrypter: w.self.signer.Key.(*rsa.PrivateKey), known: map[string][]byte{}}}}
	query := w.honest()["authorize"]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := receiver.Receive(query, fuzzTime); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	w := world()
	signer := w.self.signer
	signer.Key = &remembering{Signer: signer.Key, known: map[string][]byte{}}
	write := writes(w, signer)
	b.ReportAllocs()
	for b.Loop() {
		write()
	}
}
