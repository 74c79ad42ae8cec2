package load

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/cache"
	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/pdp"
)

// size is how many chain mandates there are; each is assigned to a person, so that there
// are twice as many mandates.
var size = number("MANDATED_LOAD", 0) / 2

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

const (
	intermediaries = 100_000
	ofTheLargest   = 100_000 // clients of intermediary 1
	authenticator  = "urn:etoegang:AD:00000003520354760000:entities:9003"
)

// Ten million mandates: what a decision costs when it is in this process, in Redis, and
// nowhere but in the register; and what a daemon needs to serve them.
func TestTenMillionMandates(t *testing.T) {
	if size == 0 {
		t.Skip("MANDATED_LOAD is not set to a number of mandates, such as 10000000")
	}
	database := servers.Postgres(t, servers.PostgresOptions{Durable: true, Settings: map[string]string{
		"shared_buffers": "2GB", "maintenance_work_mem": "1GB", "max_wal_size": "16GB", "checkpoint_timeout": "30min",
	}})
	redis := servers.Redis(t, servers.RedisOptions{})
	n, err := harness.Open(context.Background(), t.TempDir(), harness.Options{RealTime: true, Configure: func(settings map[string]any) {
		for _, store := range []string{"register", "journal", "guard"} {
			settings[store] = database.DSN()
		}
		settings["redis"] = map[string]any{"addresses": []string{redis.Addr()}}
		settings["canary"] = "0s"
	}})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	fill(t, database.DSN())
	t.Logf("filled in %v", time.Since(began).Round(time.Second))

	s := &stage{T: t, network: n, service: n.Services["vat"]}
	s.decisions(redis.Addr())
	if err := n.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.daemon()
	s.table()
}

// fill writes all mandates at the newest revision, past the triggers: what they check
// holds for what is written here.
func fill(t *testing.T, place string) {
	t.Helper()
	db, err := sql.Open("pgx", place)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // the setting below is the connection's
	companies := size/2 + intermediaries
	const forever = `9223372036854775807`
	for _, statement := range []string{
		`SET session_replication_role = replica`,
		fmt.Sprintf(`INSERT INTO organisation OVERRIDING SYSTEM VALUE SELECT generate_series(1, %d)`, companies),
		fmt.Sprintf(`INSERT INTO organisation_version SELECT i, 1, head.revision, `+forever+`,
			lpad((10000000 + i)::text, 8, '0'), NULL, 'Company ' || i, true, false FROM head, generate_series(1, %d) i`, companies),
		fmt.Sprintf(`INSERT INTO person OVERRIDING SYSTEM VALUE SELECT generate_series(1, %d)`, 3*intermediaries),
		fmt.Sprintf(`INSERT INTO person_version SELECT i, 1, head.revision, `+forever+`, '`+authenticator+`',
			encode(sha256(('person ' || i)::bytea), 'hex'), 'Person ' || i, true, false FROM head, generate_series(1, %d) i`, 3*intermediaries),
		fmt.Sprintf(`CREATE TEMPORARY VIEW chain AS SELECT k, %[2]d + 1 + k %% %[3]d AS company,
			CASE WHEN k <= %[4]d THEN 1 ELSE 1 + (k::bigint * 7919) %% %[2]d END AS intermediary FROM generate_series(1, %[1]d) k`,
			size, intermediaries, companies-intermediaries, ofTheLargest),
		`CREATE TEMPORARY VIEW validity AS SELECT floor(extract(epoch FROM now()))::bigint * 1000 AS from_, (floor(extract(epoch FROM now()))::bigint + 31536000) * 1000 AS to_`,
		`INSERT INTO mandate OVERRIDING SYSTEM VALUE
			SELECT k, 'chain', company, company, NULL, intermediary, NULL, NULL, false, from_, to_, '' FROM chain, validity`,
		fmt.Sprintf(`INSERT INTO mandate OVERRIDING SYSTEM VALUE
			SELECT %d + k, 'assignment', intermediary, company, (intermediary - 1) * 3 + 1 + k %% 3, NULL, k, NULL, false, from_, to_, '' FROM chain, validity`, size),
		fmt.Sprintf(`INSERT INTO mandate_version SELECT k, 1, head.revision, `+forever+`, 'active' FROM head, generate_series(1, %d) k`, 2*size),
		fmt.Sprintf(`INSERT INTO mandate_scope SELECT k, '', '', 'loa3' FROM generate_series(1, %d) k`, 2*size),
		`ANALYZE`,
		`CHECKPOINT`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

type stage struct {
	*testing.T
	network *harness.Network
	service harness.Service
	figures []figure
}

// figure is something measured, beside the bar it is held against.
type figure struct {
	what          string
	measured, bar string
	met           bool
}

// time holds a time against its bar. Missing it is told and fails nothing, since it is the
// machine's as much as ours.
func (s *stage) time(what string, measured, bar time.Duration) bool {
	s.figures = append(s.figures, figure{what, measured.String(), bar.String(), measured <= bar})
	return measured <= bar
}

// table writes down all figures, as the README has them.
func (s *stage) table() {
	text := strings.Builder{}
	text.WriteString("\n| what | measured | bar | |\n|---|---|---|---|\n")
	for _, f := range s.figures {
		verdict := "ok"
		if !f.met {
			verdict = "MISSED"
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", f.what, f.measured, f.bar, verdict)
	}
	s.Logf("at %d mandates:%s", 2*size, &text)
}

// question asks about the k-th chain.
func (s *stage) question(db *sql.DB, k int) pdp.Request {
	var kvk, pseudonym string
	err := db.QueryRow(`SELECT o.kvk, p.pseudonym FROM mandate m JOIN organisation_version o ON o.organisation = m.represented
		JOIN person_version p ON p.person = m.person WHERE m.id = $1`, size+k).Scan(&kvk, &pseudonym)
	if err != nil {
		s.Fatal(err)
	}
	company, err := etoegang.ParseKvKNumber(kvk)
	if err != nil {
		s.Fatal(err)
	}
	q := pdp.Request{
		Question: decision.Authorize, ServiceID: s.service.ID, ServiceUUID: s.service.UUID,
		Login: etoegang.LoA3, Represented: []etoegang.LegalSubject{company.LegalSubject()},
	}
	q.Actor.Authenticator, _ = etoegang.ParseEntityID(authenticator)
	if q.Actor.Pseudonym, err = etoegang.ParsePseudonym(pseudonym); err != nil {
		s.Fatal(err)
	}
	return q
}

// forgets is a journal for measuring everything but the journal.
type forgets struct{}

func (forgets) Append(context.Context, string, []byte) error { return nil }

// decisions measures a decision by where it comes from. Half of the questions are about
// the clients of the largest intermediary.
func (s *stage) decisions(redis string) {
	c, err := daemon.LoadConfig(s.network.First.Config, nil)
	if err != nil {
		s.Fatal(err)
	}
	ctx := context.Background()
	r, err := daemon.OpenRegister(ctx, c, time.Now)
	if err != nil {
		s.Fatal(err)
	}
	defer r.Close()
	client := cache.Connect(cache.ConnectOptions{Addresses: []string{redis}})
	defer client.Close()
	hot := func(memory int64) *cache.Cache[*pdp.Finding] {
		return cache.New(cache.Codec[*pdp.Finding]{Encode: (*pdp.Finding).Encode, Decode: pdp.DecodeFinding, Size: (*pdp.Finding).Size},
			cache.Options{Memory: memory, Redis: client, Secret: r.Key("hot decisions"), Metrics: prometheus.NewRegistry()})
	}
	config := daemon.Explainer(c, r, r.Key("journal"), time.Now)
	config.Journal = forgets{}
	config.Freshness = freshness.New(r, r.Lease(), freshness.Machine)
	following, stop := context.WithCancel(ctx)
	defer stop()
	if err := config.Freshness.Poll(ctx); err != nil {
		s.Fatal(err)
	}
	go config.Freshness.Follow(following, func(error) {})

	db, err := sql.Open("pgx", c.Register)
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	var questions []pdp.Request
	for i := range 4000 {
		k := 1 + rand.IntN(size)
		if i%2 == 0 {
			k = 1 + rand.IntN(min(ofTheLargest, size))
		}
		questions = append(questions, s.question(db, k))
	}
	first := s.measure("register (PostgreSQL), first time", pdp.New(config), questions, pdp.FromRegister)
	s.time("decision from PostgreSQL, never asked before, p50", first, time.Millisecond)
	again := s.measure("register (PostgreSQL), again", pdp.New(config), questions, pdp.FromRegister)
	s.time("decision from PostgreSQL, asked again, p50", again, time.Millisecond)
	near, far := hot(64<<20), hot(0)
	defer near.Close()
	defer far.Close()
	config.Hot = near
	keeping := pdp.New(config)
	s.measure("register, and kept", keeping, questions, pdp.FromRegister)
	s.time("hot decision from memory, p50", s.measure("memory", keeping, questions, pdp.FromMemory), 2*time.Microsecond)
	near.Close() // what was to be kept in Redis is there now
	config.Hot = far
	s.time("hot decision from Redis, p50", s.measure("Redis", pdp.New(config), questions, pdp.FromRedis), 100*time.Microsecond)
}

// measure asks all questions, one after the other, and gives how long half of them take at
// most.
func (s *stage) measure(name string, p *pdp.PDP, questions []pdp.Request, want pdp.Source) time.Duration {
	var times []time.Duration
	elsewhere := 0
	for _, q := range questions {
		began := time.Now()
		found, source, err := p.Probe(context.Background(), q)
		took := time.Since(began)
		if err != nil || found.Outcome != decision.Permit {
			s.Fatalf("%s: %v, %v", name, found.Outcome, err)
		}
		if source != want {
			elsewhere++
			continue
		}
		times = append(times, took)
	}
	slices.Sort(times)
	if len(times) < len(questions)/2 {
		s.Fatalf("%s: only %d of %d came from there", name, len(times), len(questions))
	}
	s.Logf("%-34s p50 %8v  p99 %8v  (%d, %d came from elsewhere)", name, times[len(times)/2], times[len(times)*99/100], len(times), elsewhere)
	return times[len(times)/2]
}

// What a daemon may need, whatever the machine: these bars fail the test.
const (
	readyWithin = 5 * time.Second
	mostMemory  = 300_000_000 // bytes
)

// daemon starts the program on these mandates, asks it over HTTP until the memory for hot
// decisions is full, and looks how large it is.
func (s *stage) daemon() {
	binary := filepath.Join(s.TempDir(), "mandated")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/mandated/mandated/cmd/mandated").CombinedOutput(); err != nil {
		s.Fatalf("%v: %s", err, out)
	}
	serve := exec.Command(binary, "serve", "--dev", "-c", s.network.First.Config)
	log, err := os.Create(filepath.Join(s.TempDir(), "log"))
	if err != nil {
		s.Fatal(err)
	}
	defer log.Close()
	serve.Stderr = log
	began := time.Now()
	if err := serve.Start(); err != nil {
		s.Fatal(err)
	}
	defer func() { _ = serve.Process.Kill(); _ = serve.Wait() }()
	s.awaitReady(began)
	if ready := time.Since(began).Round(time.Millisecond); !s.time("daemon ready after its start", ready, readyWithin) {
		s.Errorf("ready after %v, which is more than %v", ready, readyWithin)
	}
	db, err := sql.Open("pgx", s.config().Register)
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	order := rand.Perm(size)
	const timed = 500
	asked := time.Now()
	s.askAll(db, order[:min(timed, size)], 1)
	s.Logf("%d questions over HTTP, one at a time, the asking side included: %v each", timed, (time.Since(asked) / timed).Round(10*time.Microsecond))
	kept := s.fillMemory(db, order[min(timed, size):])
	memory := resident(s.T, serve.Process.Pid)
	s.figures = append(s.figures, figure{
		fmt.Sprintf("memory of the daemon (VmRSS), %.0f MB of it allowed to hot decisions, and %.0f MB used", s.room()/1e6, kept/1e6),
		fmt.Sprintf("%d MB", memory/1_000_000), fmt.Sprintf("%d MB", mostMemory/1_000_000), memory < mostMemory,
	})
	if memory >= mostMemory {
		s.Errorf("the daemon takes %d bytes of memory, which is more than %d", memory, mostMemory)
	}
}

func (s *stage) awaitReady(began time.Time) {
	for {
		response, err := http.Get(s.network.First.Operations + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Since(began) > time.Minute {
			s.Fatalf("not ready after a minute: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// askAll asks about these chains over HTTP, several at once. All are permitted.
func (s *stage) askAll(db *sql.DB, chains []int, askers int) {
	next := make(chan harness.Question)
	var asking sync.WaitGroup
	for range askers {
		asking.Go(func() {
			for q := range next {
				result, err := s.network.Broker.Authorize(context.Background(), q)
				if err != nil || result.Reply == nil || !result.Reply.Permitted() {
					s.Errorf("%v, %+v", err, result)
				}
			}
		})
	}
	for _, k := range chains {
		q := s.question(db, 1+k)
		person := s.network.NewPerson("somebody")
		person.Subject = q.Actor
		company, err := etoegang.ParseKvKNumber(q.Represented[0].Text())
		if err != nil {
			s.Fatal(err)
		}
		next <- harness.Question{Person: person, Service: s.service, Login: etoegang.LoA3, Company: company}
	}
	close(next)
	asking.Wait()
}

// fillMemory asks about ever other chains until the daemon's memory for hot decisions is
// full, or fills no further since values leave it by their age; and gives how many bytes of
// it are used.
func (s *stage) fillMemory(db *sql.DB, chains []int) (kept float64) {
	began, asked := time.Now(), 0
	for before := -1.0; kept < 0.95*s.room() && kept > before && asked < len(chains) && !s.Failed(); {
		before = kept
		some := chains[asked:min(asked+1000, len(chains))]
		s.askAll(db, some, 4)
		asked += len(some)
		kept = s.metric("mandated_cache_memory_bytes")
	}
	s.Logf("%d further questions over HTTP, four at a time, in %v: hot decisions take %.1f MB of %.1f MB", asked, time.Since(began).Round(time.Second), kept/1e6, s.room()/1e6)
	return kept
}

// room is how many bytes of hot decisions the daemon keeps.
func (s *stage) room() float64 { return float64(s.config().Memory) * (1 << 20) }

// metric reads a metric without labels from the daemon.
func (s *stage) metric(name string) float64 {
	response, err := http.Get(s.network.First.Operations + "/metrics")
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				s.Fatal(err)
			}
			return value
		}
	}
	s.Fatalf("the daemon has no metric %s", name)
	return 0
}

func (s *stage) config() daemon.Config {
	c, err := daemon.LoadConfig(s.network.First.Config, nil)
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// resident is how many bytes of the machine's memory a process has (VmRSS).
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			var kilobytes int64
			if _, err := fmt.Sscanf(text, "%d kB", &kilobytes); err != nil {
				t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
