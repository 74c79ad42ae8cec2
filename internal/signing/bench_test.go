package signing_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/signing"
)

// chunk is how many signatures are made between two looks at the clock of CPU time, which
// is coarse.
const chunk = 50

// signers are those to measure, by name. A build with more engines has more.
var signers = map[string]func(testing.TB) *signing.Signer{
	"go": func(b testing.TB) *signing.Signer { return opened(b, signing.Go, keyring()["one"], nil) },
}

// BenchmarkSign measures a checked signature of RSA-2048 by each engine of this build, in
// CPU time of the process, beside bare crypto/rsa in the same run: in turn, and medians,
// because machines change their speed.
func BenchmarkSign(b *testing.B) {
	for _, name := range []string{"go", "openssl", "pkcs11"} {
		if signer := signers[name]; signer != nil {
			b.Run(name, func(b *testing.B) { benchmarkSign(b, signer(b)) })
		}
	}
}

func benchmarkSign(b *testing.B, s crypto.Signer) {
	key, d := keyring()["one"], digest(b)
	var engine, bare, ratio []float64
	for done := 0; done < b.N; done += chunk {
		e := measure(func() error { _, err := s.Sign(rand.Reader, d, crypto.SHA256); return err }, b)
		g := measure(func() error { _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, d); return err }, b)
		engine, bare, ratio = append(engine, e), append(bare, g), append(ratio, e/g)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(engine), "cpu-us")
	b.ReportMetric(median(bare), "cryptorsa-us")
	b.ReportMetric(median(ratio), "x-cryptorsa")
}

// measure gives microseconds of CPU for one of a chunk.
func measure(sign func() error, b *testing.B) float64 {
	b.Helper()
	before := processCPU()
	for range chunk {
		if err := sign(); err != nil {
			b.Fatal(err)
		}
	}
	return float64((processCPU() - before).Microseconds()) / chunk
}

func processCPU() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // RUSAGE_SELF cannot fail
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}
