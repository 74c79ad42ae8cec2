package register

import (
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// A big register: for every million mandates 200,000 companies, of which 5,000 are
// intermediaries, and 200,000 people. Every person holds two direct mandates and two
// assignments; every company has one intermediary.
type size int // in millions of mandates

func (n size) companies() int      { return int(n) * 200_000 }
func (n size) intermediaries() int { return int(n) * 5_000 }
func (n size) people() int         { return int(n) * 200_000 }
func (n size) mandates() int       { return int(n) * 1_000_000 }

// servedMillions makes the benchmarks run on PostgreSQL as well.
var servedMillions = flag.Int("postgres", 0, "benchmarks also on PostgreSQL, with so many million mandates")

func TestMain(m *testing.M) {
	if child() {
		return
	}
	_ = flag.Set("rapid.checks", "20") // unless the command line says otherwise
	code := m.Run()
	if million.dir != "" {
		_ = os.RemoveAll(million.dir)
	}
	os.Exit(code)
}

// onBig runs a benchmark on a big register of each kind that is wanted.
func onBig(b *testing.B, fn func(*testing.B, *Register, size)) {
	b.Helper()
	b.Run("SQLite", func(b *testing.B) { fn(b, openBig(b, million.at(b)), 1) })
	b.Run("PostgreSQL", func(b *testing.B) {
		if *servedMillions == 0 {
			b.Skip("-postgres=1 runs it there too")
		}
		fn(b, openBig(b, served.at(b)), size(*servedMillions))
	})
}

func openBig(b *testing.B, place string) *Register {
	b.Helper()
	r, err := Open(ctx, place, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Close() })
	return r
}

// built is a big register that is built once per run.
type built struct {
	once  sync.Once
	dir   string
	place string
	err   error
}

var million, served built

// at builds a million mandates in a file, by the register's own door.
func (m *built) at(b *testing.B) string {
	b.Helper()
	m.once.Do(func() {
		if m == &served {
			m.place, m.err = fillServer(b, size(*servedMillions))
			return
		}
		if m.dir, m.err = os.MkdirTemp("", "register-million-"); m.err == nil {
			m.place = filepath.Join(m.dir, "register.db")
			m.err = buildMillion(m.place)
		}
	})
	if m.err != nil {
		b.Fatal(m.err)
	}
	return m.place
}

func buildMillion(path string) error {
	n := size(1)
	r, err := Create(ctx, path, mr1, lease, newClock().options())
	if err != nil {
		return err
	}
	defer r.Close()
	if err := inBatches(r, n.companies(), func(t *Tx, i int) error {
		_, err := t.PutOrganisation(company(i + 1))
		return err
	}); err != nil {
		return err
	}
	if err := inBatches(r, n.people(), func(t *Tx, i int) error {
		_, err := t.PutPerson(human(i + 1))
		return err
	}); err != nil {
		return err
	}
	return inBatches(r, n.mandates(), func(t *Tx, i int) error {
		_, err := t.Grant(n.mandate(i), GrantOptions{})
		return err
	})
}

// mandate is the i-th: first a chain for every company, then two direct mandates and two
// assignments per person. Ids equal i+1.
func (n size) mandate(i int) mandate.Mandate {
	org := func(n int) mandate.Organisation { return mandate.Organisation{ID: mandate.OrganisationID(n)} }
	person := mandate.Person{ID: mandate.PersonID(i%n.people() + 1)}
	switch round := i / n.people(); round {
	case 0:
		return chain(org(n.intermediaries()+i%(n.companies()-n.intermediaries())+1), org(i%n.intermediaries()+1), item(i))
	case 1, 2:
		return direct(org((i*7919+round*13)%n.companies()+1), person, item(i))
	default:
		c := (i*104729 + round*17) % n.companies() // a chain granted in round 0
		m := n.mandate(c)
		m.ID = mandate.ID(c + 1)
		return assignment(m, person, item(c))
	}
}

// fillServer builds the same in PostgreSQL by itself, within the database, past its
// triggers: by our own door ten million would take an hour. It has no statistics, as on
// the day of a great import: no plan may need them.
func fillServer(b *testing.B, n size) (string, error) {
	d := servers.Postgres(lasting{b}, servers.PostgresOptions{Settings: map[string]string{
		"autovacuum": "off", "shared_buffers": "2GB", "max_wal_size": "8GB", "maintenance_work_mem": "1GB", "synchronous_commit": "off"}})
	r, err := Create(ctx, d.DSN(), mr1, lease, newClock().options())
	if err != nil {
		return "", err
	}
	_ = r.Close()
	db, err := sql.Open("pgx", d.DSN())
	if err != nil {
		return "", err
	}
	defer db.Close()
	_, err = db.Exec(strings.NewReplacer(":companies", fmt.Sprint(n.companies()), ":intermediaries", fmt.Sprint(n.intermediaries()),
		":people", fmt.Sprint(n.people()), ":mandates", fmt.Sprint(n.mandates()),
		":from", fmt.Sprint(year().From.UnixMilli()), ":to", fmt.Sprint(year().To.UnixMilli()), ":ad", ad.String()).Replace(fill))
	return d.DSN(), err
}

// lasting keeps a server for the benchmarks that follow: it ends with the process.
type lasting struct{ *testing.B }

func (lasting) Cleanup(func()) {}

const fill = `
	SET session_replication_role = replica;
	INSERT INTO revision SELECT 1, decode(md5('one'), 'hex'), at, 'benchmark', 'filled' FROM revision;
	UPDATE head SET revision = 1;
	INSERT INTO change_feed VALUES (1, '\x2a');
	INSERT INTO organisation (id) SELECT generate_series(1, :companies);
	INSERT INTO organisation_version SELECT id, 1, 1, 9223372036854775807, lpad(id::text, 8, '0'), NULL, 'Company ' || id, TRUE, FALSE FROM organisation;
	INSERT INTO person (id) SELECT generate_series(1, :people);
	INSERT INTO person_version SELECT id, 1, 1, 9223372036854775807, ':ad', lpad(to_hex(id), 64, '0'), 'Person ' || id, TRUE, FALSE FROM person;
	INSERT INTO mandate (id, kind, grantor, represented, person, intermediary, client, limited, valid_from, valid_to, reference)
		SELECT i + 1, 'chain', :intermediaries + i % (:companies - :intermediaries) + 1, :intermediaries + i % (:companies - :intermediaries) + 1,
			NULL, i % :intermediaries + 1, NULL, FALSE, :from, :to, ''
		FROM generate_series(0, :people - 1) AS i;
	INSERT INTO mandate (id, kind, grantor, represented, person, intermediary, client, limited, valid_from, valid_to, reference)
		SELECT i + 1, 'direct', (i * 7919 + i / :people * 13) % :companies + 1, (i * 7919 + i / :people * 13) % :companies + 1,
			i % :people + 1, NULL, NULL, FALSE, :from, :to, ''
		FROM generate_series(:people::bigint, 3 * :people - 1) AS i;
	INSERT INTO mandate (id, kind, grantor, represented, person, intermediary, client, limited, valid_from, valid_to, reference)
		SELECT i + 1, 'assignment', c % :intermediaries + 1, :intermediaries + c % (:companies - :intermediaries) + 1,
			i % :people + 1, NULL, c + 1, FALSE, :from, :to, ''
		FROM (SELECT i, (i * 104729 + i / :people * 17) % :companies AS c FROM generate_series(3 * :people::bigint, :mandates - 1) AS i) AS a;
	INSERT INTO mandate_version SELECT id, 1, 1, 9223372036854775807, 'active' FROM mandate;
	INSERT INTO mandate_scope SELECT id, '11111111-2222-3333-4444-' || lpad((coalesce(client, id) % 1200)::text, 12, '0'), '', 'loa3' FROM mandate;`

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
	onBig(b, func(b *testing.B, r *Register, n size) {
		b.Run("every", func(b *testing.B) {
			measure(b, func(random *rand.Rand) error {
				return r.Read(ctx, func(s *Snapshot) error {
					held, err := s.HeldBy(subject(random.IntN(n.people())+1), etoegang.LegalSubject{})
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
					i := n.people() + random.IntN(n.people())
					held, err := s.HeldBy(subject(i%n.people()+1), kvk(int(n.mandate(i).Grantor.ID)).LegalSubject())
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
					_, err := s.HeldBy(subject(n.people()+1+random.IntN(n.people())), etoegang.LegalSubject{})
					return err
				})
			})
		})
	})
}

func BenchmarkBetween(b *testing.B) {
	onBig(b, func(b *testing.B, r *Register, n size) {
		measure(b, func(random *rand.Rand) error {
			return r.Read(ctx, func(s *Snapshot) error {
				m := n.mandate(random.IntN(n.people()))
				list, err := s.Between(kvk(int(m.Grantor.ID)).LegalSubject(), etoegang.Intermediary{KvK: kvk(int(m.Intermediary.ID))})
				if err == nil && len(list) == 0 {
					err = ErrNotFound
				}
				return err
			})
		})
	})
}

func BenchmarkPoll(b *testing.B) {
	onBig(b, func(b *testing.B, r *Register, _ size) {
		measure(b, func(*rand.Rand) error { return second(r.Poll(ctx, 1, 1000)) })
	})
}

func BenchmarkOpen(b *testing.B) {
	place := million.at(b)
	measure(b, func(*rand.Rand) error {
		r, err := Open(ctx, place, Options{})
		if err != nil {
			return err
		}
		return r.Close()
	})
}

// BenchmarkImport adds to the big register: that is when an import is slowest.
func BenchmarkImport(b *testing.B) {
	onBig(b, func(b *testing.B, r *Register, n size) {
		start, granted, at := time.Now(), 0, 0
		for b.Loop() {
			if _, err := r.Change(ctx, desk, func(t *Tx) error {
				for i := at; i < at+5000; i++ {
					m := n.mandate(n.people() + (i*7)%n.people())
					m.Validity.From = m.Validity.To.AddDate(i/n.people(), 0, 0)
					m.Validity.To = m.Validity.From.AddDate(1, 0, 0)
					if _, err := t.Grant(m, GrantOptions{}); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
			granted, at = granted+5000, at+5000
		}
		b.ReportMetric(float64(granted)/time.Since(start).Seconds(), "mandates/s")
	})
}
