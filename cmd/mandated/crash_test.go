package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// The daemon is killed while it answers, again and again. Whoever got an answer finds its
// record in the journal, the journal is whole against the checkpoints outside it, the
// register opens, and a message that was answered before the kill is not answered again
// after it. MANDATED_SOAK=1 kills two hundred times.
func TestKill(t *testing.T) {
	w := newCrashSite(t)
	rounds := 5
	if os.Getenv("MANDATED_SOAK") != "" {
		rounds = 200
	}
	for range rounds {
		w.round()
	}
	w.start().stop(t)
	w.check()
	if report := w.verify(); report.Unproven > 0 || report.Records < int64(len(w.answered)) {
		t.Errorf("after the last, orderly end: %+v, and %d answers were given", report, len(w.answered))
	}
	t.Logf("%d answers over %d kills", len(w.answered), rounds)
}

// crashSite is a network folder whose daemon is a process that gets killed.
type crashSite struct {
	t        *testing.T
	folder   string
	config   daemon.Config
	network  *harness.Network
	question harness.Question
	environ  []string

	mu       sync.Mutex
	answered []string        // ids of the queries that were answered
	last     *harness.Result // the answer that came last
}

func newCrashSite(t *testing.T) *crashSite {
	t.Helper()
	w := &crashSite{t: t, folder: t.TempDir()}
	ok := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(copyNetwork(w.folder))
	path := filepath.Join(w.folder, "register", "mandated.yaml")
	w.environ = append(os.Environ(), "MANDATED_CONFIG="+path)
	var err error
	w.config, err = daemon.LoadConfig(path, nil)
	ok(err)
	var known map[string]mandate.Person
	w.network, known, err = harness.Attach(w.folder)
	ok(err)
	w.question = harness.Question{Person: known["Anna"], Service: w.network.Services["vat"]}
	ok(w.grant(known["Anna"]))
	return w
}

func (w *crashSite) grant(p mandate.Person) error {
	r, err := daemon.OpenRegister(context.Background(), w.config, time.Now)
	if err != nil {
		return err
	}
	_, err = r.Change(context.Background(), register.Author{Who: "test", Why: "crash"}, func(t *register.Tx) error {
		bakery, err := t.PutOrganisation(harness.Company("Bakkerij", "12345678", ""))
		if err != nil {
			return err
		}
		if p, err = t.PutPerson(p); err != nil {
			return err
		}
		from := time.Now().UTC().Truncate(time.Second)
		_, err = t.Grant(mandate.Mandate{
			Kind: mandate.Direct, State: mandate.Active, Grantor: bakery, Person: p, Scope: harness.For(w.question.Service, w.question.Service.Level),
			Validity: mandate.Validity{From: from, To: from.AddDate(1, 0, 0)},
		}, register.GrantOptions{})
		return err
	})
	if err != nil {
		return err
	}
	return r.Close()
}

func (w *crashSite) start() *process {
	w.t.Helper()
	p, err := startDaemon("mandated", w.environ, "--dev")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(p.kill)
	return p
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.Process.Signal(os.Interrupt)
	if code, err := p.ends(); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, p.said)
	}
}

// round starts a daemon, asks it from several sides, and kills it in the midst of that.
func (w *crashSite) round() {
	w.t.Helper()
	p := w.start()
	w.replay()
	enough, asking := make(chan struct{}), sync.WaitGroup{}
	var once sync.Once
	wanted := 1 + rand.IntN(20) // answers until the kill, so that it comes at any moment
	for range 4 {
		asking.Go(func() {
			for w.ask() {
				w.mu.Lock()
				if wanted--; wanted <= 0 {
					once.Do(func() { close(enough) })
				}
				w.mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-p.exited:
		w.t.Fatalf("the daemon ended by itself: %s", p.said)
	}
	<-time.After(rand.N(20 * time.Millisecond)) // somewhere within the next answer
	p.kill()
	asking.Wait()
	w.check()
}

// ask asks one question, and tells whether an answer came. A daemon that is being killed
// gives none; what it does give must be right.
func (w *crashSite) ask() bool {
	result, err := w.network.Broker.Authorize(context.Background(), w.question)
	if err != nil {
		return false
	}
	if result.Reply == nil || !result.Reply.Permitted() {
		w.t.Errorf("HTTP %d instead of a Permit: %s", result.HTTPStatus, result.Received)
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered, w.last = append(w.answered, result.Reply.InResponseTo), result
	return true
}

// replay sends the last answered message once more: the guard must not have forgotten it.
func (w *crashSite) replay() {
	w.t.Helper()
	if w.last == nil {
		return
	}
	response, err := http.Post(w.network.First.Address, "text/xml", bytes.NewReader(w.last.Sent))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Contains(body, []byte(">replayed<")) {
		w.t.Errorf("a message of before the kill was answered again: %s", body)
	}
}

// check opens what the dead daemon left, without the daemon.
func (w *crashSite) check() {
	w.t.Helper()
	ctx := context.Background()
	r, err := daemon.OpenRegister(ctx, w.config, time.Now)
	if err != nil {
		w.t.Fatalf("the register after a kill: %v", err)
	}
	_ = r.Close()
	if report := w.verify(); len(report.Problems) > 0 {
		w.t.Fatalf("the journal after a kill: %+v", report)
	}
	recorded := w.messages()
	for _, id := range w.answered {
		if recorded[id] != 1 {
			w.t.Errorf("%d records of %s, which was answered", recorded[id], id)
		}
	}
}

func (w *crashSite) verify() journal.Report {
	w.t.Helper()
	certificates, err := daemon.ReadCertificates(w.config.Path(w.config.Signing[0].Certificate))
	if err != nil {
		w.t.Fatal(err)
	}
	outside, err := os.ReadFile(w.config.Path(w.config.Checkpoints))
	if err != nil && !os.IsNotExist(err) { // a daemon that was killed soon has signed none
		w.t.Fatal(err)
	}
	report, err := journal.Verify(context.Background(), w.config.Path(w.config.Journal), bytes.NewReader(outside), certificates[0].PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// messages counts the records of the journal by the message that they answer.
func (w *crashSite) messages() map[string]int {
	w.t.Helper()
	j, err := journal.Open(context.Background(), w.config.Path(w.config.Journal), journal.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	count := map[string]int{}
	for after := int64(0); ; {
		records, err := j.Records(context.Background(), after, 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range records {
			var record pdp.Record
			if err := json.Unmarshal(r.Body, &record); err != nil {
				w.t.Fatal(fmt.Errorf("record %d: %w", r.Sequence, err))
			}
			count[record.Message]++
			after = r.Sequence
		}
		if len(records) == 0 {
			return count
		}
	}
}
