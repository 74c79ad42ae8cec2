package xmlsec

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkEngines measures in one run, in turn and in CPU time of the process, what
// verifying and answering cost beside the cryptography they cannot do without. Machines
// change their speed and are shared: so medians, and ratios are what to look at.
func BenchmarkEngines(b *testing.B) {
	doc, places := honestQuery(b), places(b)
	key := someone(b, "broker").key
	sum := sha256.Sum256(doc)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	verify := func(v Verifier) func() {
		return func() {
			d := mustRead(b, doc)
			if _, err := v.Verify(d, noon, places...); err != nil {
				b.Fatal(err)
			}
			d.Release()
		}
	}
	work := []*measured{
		{name: "sign", work: func() { _, _ = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:]) }},
		{name: "verify2", work: func() {
			for range 2 {
				_ = rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature)
			}
		}},
		{name: "sha256", work: func() { sum = sha256.Sum256(doc) }},
		{name: "gate", work: func() { mustRead(b, doc).Release() }},
		{name: "xml", work: func() { verifyWithoutRSA(b, doc, places) }},
		{name: "fast", work: verify(Verifier{})},
		{name: "reference", work: verify(Verifier{Engine: Reference})},
	}
	for i := 0; i < b.N; i++ {
		for _, w := range work {
			w.measure()
		}
	}
	b.ReportMetric(0, "ns/op")
	cost := map[string]float64{}
	for _, w := range work {
		cost[w.name] = w.median()
		b.ReportMetric(cost[w.name], w.name+"-us")
	}
	b.ReportMetric(100*cost["xml"]/cost["sign"], "%xml/sign")
	b.ReportMetric(cost["fast"]/cost["reference"], "fast/reference")
	b.ReportMetric(work[5].allocations(), "allocs")
	b.ReportMetric(work[5].bytes()/1024, "KiB")
}

// verifyWithoutRSA does all that the fast engine does but the RSA itself.
func verifyWithoutRSA(b *testing.B, doc []byte, places []Place) {
	d := mustRead(b, doc)
	all := d.findPlaces(places)
	if countFound(all, places) != nil || d.pair(all) != nil {
		b.Fatal("refused")
	}
	for i := range all {
		f := &all[i]
		if f.judge(d, noon) != nil {
			b.Fatal("refused")
		}
		digest(d.doc, d.tokens, f.element, f.signature, f.envelope.prefixes)
		digest(d.doc, d.tokens, f.signature+1, noElement, nil)
		reading{doc: d.doc, tokens: d.tokens, skip: f.signature, bare: nested(all, f.element), verified: true}.read(f.element)
	}
	d.Release()
}

// chunk is how often something is done between two readings of the clock, which is coarse.
const chunk = 20

// measured is work, and what it cost each time.
type measured struct {
	name    string
	work    func()
	costs   []float64
	mallocs uint64
	total   uint64
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
func (m *measured) bytes() float64       { return float64(m.total) / float64(len(m.costs)*chunk) }

func processCPU() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // RUSAGE_SELF cannot fail
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkVerifyXML is the fast engine without its RSA, for a profile.
func BenchmarkVerifyXML(b *testing.B) {
	doc, places := honestQuery(b), places(b)
	b.ReportAllocs()
	for b.Loop() {
		verifyWithoutRSA(b, doc, places)
	}
}
