package register

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// A register of a million mandates, built once per run: 200,000 companies, of which
// 5,000 are intermediaries, and 200,000 people. Every person holds two direct
// mandates and one or two assignments; every company has one intermediary.
const (
	bigCompanies      = 200_000
	bigIntermediaries = 5_000
	bigPeople         = 200_000
	bigMandates       = 1_000_000
)

var big struct {
	once sync.Once
	dir  string
	path string
	took time.Duration
	err  error
}

func TestMain(m *testing.M) {
	if child() {
		return
	}
	_ = flag.Set("rapid.checks", "20") // unless the command line says otherwise
	code := m.Run()
	if big.dir != "" {
		_ = os.RemoveAll(big.dir)
	}
	os.Exit(code)
}

// million opens the big register.
func million(b *testing.B) *Register {
	b.Helper()
	big.once.Do(func() {
		if big.dir, big.err = os.MkdirTemp("", "register-million-"); big.err != nil {
			return
		}
		big.path = filepath.Join(big.dir, "register.db")
		start := time.Now()
		big.err = buildMillion(big.path)
		big.took = time.Since(start)
		b.Logf("built in %v", big.took)
	})
	if big.err != nil {
		b.Fatal(big.err)
	}
	r, err := Open(ctx, big.path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Close() })
	return r
}

func buildMillion(path string) error {
	r, err := Create(ctx, path, mr1, lease, Options{Now: newClock().Now})
	if err != nil {
		return err
	}
	defer r.Close()
	if err := inBatches(r, bigCompanies, func(t *Tx, i int) error {
		_, err := t.PutOrganisation(company(i + 1))
		return err
	}); err != nil {
		return err
	}
	if err := inBatches(r, bigPeople, func(t *Tx, i int) error {
		_, err := t.PutPerson(human(i + 1))
		return err
	}); err != nil {
		return err
	}
	return inBatches(r, bigMandates, func(t *Tx, i int) error {
		_, err := t.Grant(bigMandate(i), GrantOptions{})
		return err
	})
}

// bigMandate is the i-th mandate: first a chain for every company, then two direct
// mandates and two assignments per person. Ids equal i+1.
func bigMandate(i int) mandate.Mandate {
	org := func(n int) mandate.Organisation { return mandate.Organisation{ID: mandate.OrganisationID(n)} }
	person := mandate.Person{ID: mandate.PersonID(i%bigPeople + 1)}
	switch round := i / bigPeople; round {
	case 0:
		return chain(org(bigIntermediaries+i%(bigCompanies-bigIntermediaries)+1), org(i%bigIntermediaries+1), item(i))
	case 1, 2:
		return direct(org((i*7919+round*13)%bigCompanies+1), person, item(i))
	default:
		c := (i*104729 + round*17) % bigCompanies // a chain granted in round 0
		m := bigMandate(c)
		m.ID = mandate.ID(c + 1)
		return assignment(m, person, item(c))
	}
}

func item(i int) mandate.Item {
	uuid := must(etoegang.ParseServiceUUID(fmt.Sprintf("11111111-2222-3333-4444-%012d", i%1200)))
	return mandate.Item{Service: uuid, Level: etoegang.LoA3}
}

func inBatches(r *Register, n int, fn func(t *Tx, i int) error) error {
	for from := 0; from < n; from += 5000 {
		if _, err := r.Change(ctx, desk, func(t *Tx) error {
			for i := from; i < min(n, from+5000); i++ {
				if err := fn(t, i); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// measure runs fn for random questions and reports the usual and the slow ones.
func measure(b *testing.B, fn func(random *rand.Rand) error) {
	random := rand.New(rand.NewPCG(1, 2))
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		if err := fn(random); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
}

func BenchmarkHeldBy(b *testing.B) {
	r := million(b)
	b.Run("every", func(b *testing.B) {
		measure(b, func(random *rand.Rand) error {
			return r.Read(ctx, func(s *Snapshot) error {
				held, err := s.HeldBy(subject(random.IntN(bigPeople)+1), etoegang.LegalSubject{})
				if err == nil && len(held.Direct)+len(held.Assigned) == 0 {
					err = ErrNotFound
				}
				return err
			})
		})
	})
	b.Run("one", func(b *testing.B) {
		measure(b, func(random *rand.Rand) error {
			return r.Read(ctx, func(s *Snapshot) error {
				i := bigPeople + random.IntN(bigPeople)
				held, err := s.HeldBy(subject(i%bigPeople+1), kvk(int(bigMandate(i).Grantor.ID)).LegalSubject())
				if err == nil && len(held.Direct) == 0 {
					err = ErrNotFound
				}
				return err
			})
		})
	})
	b.Run("nobody", func(b *testing.B) {
		measure(b, func(random *rand.Rand) error {
			return r.Read(ctx, func(s *Snapshot) error {
				_, err := s.HeldBy(subject(bigPeople+1+random.IntN(bigPeople)), etoegang.LegalSubject{})
				return err
			})
		})
	})
}

func BenchmarkBetween(b *testing.B) {
	r := million(b)
	measure(b, func(random *rand.Rand) error {
		return r.Read(ctx, func(s *Snapshot) error {
			m := bigMandate(random.IntN(bigPeople))
			list, err := s.Between(kvk(int(m.Grantor.ID)).LegalSubject(), etoegang.Intermediary{KvK: kvk(int(m.Intermediary.ID))})
			if err == nil && len(list) == 0 {
				err = ErrNotFound
			}
			return err
		})
	})
}

func BenchmarkOpen(b *testing.B) {
	million(b)
	measure(b, func(*rand.Rand) error {
		r, err := Open(ctx, big.path, Options{})
		if err != nil {
			return err
		}
		return r.Close()
	})
}

// BenchmarkImport adds to the big register: that is when an import is slowest.
func BenchmarkImport(b *testing.B) {
	r := million(b)
	start, n, at := time.Now(), 0, 0
	for b.Loop() {
		if _, err := r.Change(ctx, desk, func(t *Tx) error {
			for i := at; i < at+5000; i++ {
				m := bigMandate(bigPeople + (i*7)%bigPeople)
				m.Validity.From = m.Validity.To.AddDate(i/bigPeople, 0, 0)
				m.Validity.To = m.Validity.From.AddDate(1, 0, 0)
				if _, err := t.Grant(m, GrantOptions{}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		n, at = n+5000, at+5000
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "mandates/s")
}
