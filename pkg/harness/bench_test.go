package harness_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
)

// chunk is how many decisions are measured between two measurements of the floor. The
// clock of CPU time is coarse, and machines change their speed: so in turn, and medians.
const chunk = 20

// BenchmarkDecision measures whole decisions, signed question to signed and recorded
// answer, in CPU time of the process, beside the floor: the raw RSA and SHA-256 work of
// the same decision in the same run. Two floors are told. "signing" is the two signatures,
// two verifications and hashes that any register must do; "rsa" adds opening the person's
// encrypted name and sealing three identifiers for the provider, which this scheme needs.
func BenchmarkDecision(b *testing.B) {
	b.Run("process", func(b *testing.B) { benchmarkDecision(b, inProcess) })
	b.Run("http", func(b *testing.B) { benchmarkDecision(b, overHTTP) })
}

func inProcess(n *harness.Network) func([]byte) (int, []byte) {
	handler := n.First.Handler()
	return func(query []byte) (int, []byte) {
		request := httptest.NewRequest(http.MethodPost, n.First.Address, bytes.NewReader(query))
		request.Header.Set("Content-Type", saml.ContentType)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder.Code, recorder.Body.Bytes()
	}
}

func overHTTP(n *harness.Network) func([]byte) (int, []byte) {
	return func(query []byte) (int, []byte) {
		response, err := http.Post(n.First.Address, saml.ContentType, bytes.NewReader(query))
		if err != nil {
			return 0, nil
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		return response.StatusCode, body
	}
}

func benchmarkDecision(b *testing.B, way func(*harness.Network) func([]byte) (int, []byte)) {
	n := harness.Start(b, harness.Options{})
	anna, vat := n.NewPerson("Anna"), n.Services["vat"]
	if _, err := n.First.Direct(bakery, anna, harness.For(vat, etoegang.LoA3)); err != nil {
		b.Fatal(err)
	}
	ask, floor := way(n), newFloor(b)
	var cpu, wall, signing, whole []float64
	var allocations, allocated uint64
	total := 0
	for total < b.N {
		queries := make([][]byte, chunk)
		for i := range queries {
			var err error
			if queries[i], err = n.Broker.Query(harness.Question{Person: anna, Service: vat}); err != nil {
				b.Fatal(err)
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, w := measure(func() {
			for _, q := range queries {
				if code, body := ask(q); code != http.StatusOK || !bytes.Contains(body, []byte(">Permit<")) {
					b.Fatalf("HTTP %d: %s", code, body)
				}
			}
		})
		runtime.ReadMemStats(&after)
		allocations, allocated = allocations+after.Mallocs-before.Mallocs, allocated+after.TotalAlloc-before.TotalAlloc
		s, _ := measure(func() { floor.repeat(floor.signing) })
		r, _ := measure(func() { floor.repeat(floor.identifiers) })
		cpu, wall, signing, whole = append(cpu, c), append(wall, w), append(signing, s), append(whole, s+r)
		total += chunk
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(cpu), "cpu-us")
	b.ReportMetric(median(wall), "wall-us")
	b.ReportMetric(median(signing), "floor-signing-us")
	b.ReportMetric(median(whole), "floor-rsa-us")
	b.ReportMetric(median(cpu)/median(signing), "x-floor-signing")
	b.ReportMetric(median(cpu)/median(whole), "x-floor-rsa")
	b.ReportMetric(float64(allocations)/float64(total), "allocs")
	b.ReportMetric(float64(allocated)/float64(total)/1024, "KiB")
}

// measure gives microseconds of CPU (of the whole process) and of wall time for one of a
// chunk.
func measure(work func()) (cpu, wall float64) {
	started, before := time.Now(), processCPU()
	work()
	return float64((processCPU() - before).Microseconds()) / chunk, float64(time.Since(started).Microseconds()) / chunk
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

// floor is the raw cryptography of one decision.
type floor struct {
	key        *rsa.PrivateKey
	digest     [32]byte
	signature  []byte
	encrypted  []byte
	ask, reply []byte
}

func newFloor(b *testing.B) *floor {
	f := &floor{ask: make([]byte, 10<<10), reply: make([]byte, 14<<10)}
	var err error
	if f.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		b.Fatal(err)
	}
	if f.signature, err = rsa.SignPKCS1v15(rand.Reader, f.key, crypto.SHA256, f.digest[:]); err != nil {
		b.Fatal(err)
	}
	if f.encrypted, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, &f.key.PublicKey, f.digest[:], nil); err != nil {
		b.Fatal(err)
	}
	return f
}

func (f *floor) repeat(work func()) {
	for range chunk {
		work()
	}
}

// signing: both signatures of the question verified, both of the answer made, and every
// byte that they cover hashed; an assertion is covered by its own and by the outer one.
func (f *floor) signing() {
	for range 2 {
		f.digest = sha256.Sum256(f.ask)
		_ = rsa.VerifyPKCS1v15(&f.key.PublicKey, crypto.SHA256, f.digest[:], f.signature)
		f.digest = sha256.Sum256(f.reply)
		_, _ = rsa.SignPKCS1v15(rand.Reader, f.key, crypto.SHA256, f.digest[:])
	}
}

// identifiers: the person's name opened, his pseudonym, the KvK number and the RSIN sealed.
func (f *floor) identifiers() {
	_, _ = f.key.Decrypt(rand.Reader, f.encrypted, &rsa.OAEPOptions{Hash: crypto.SHA1})
	for range 3 {
		_, _ = rsa.EncryptOAEP(sha1.New(), rand.Reader, &f.key.PublicKey, f.digest[:], nil)
	}
}
