package pdp_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

var ctx = context.Background()

// scenario plays one idea of the corpus: its world in a real register, and its question.
func scenario(t *testing.T, name string) (scene, pdp.Request) {
	t.Helper()
	cases, err := corpus.Load("../../testdata/decisions")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Name == name {
			return play(t, c), requestOf(c)
		}
	}
	t.Fatalf("the corpus has no idea called %s", name)
	return scene{}, pdp.Request{}
}

// list is what the journal kept, in no order.
func (m *memory) list(t *testing.T) []pdp.Record {
	t.Helper()
	m.Lock()
	defer m.Unlock()
	var list []pdp.Record
	for id, body := range m.records {
		var r pdp.Record
		if err := json.Unmarshal(body, &r); err != nil || r.ID != id {
			t.Fatalf("record %s is of %q: %v", id, r.ID, err)
		}
		list = append(list, r)
	}
	return list
}

// notFoundOut wants an error that is neither yes nor no, and no answer beside it.
func notFoundOut(t *testing.T, a pdp.Answer, err error, cause error) {
	t.Helper()
	if !errors.Is(err, pdp.ErrNotFoundOut) || !errors.Is(err, cause) {
		t.Errorf("the error is %v, want ErrNotFoundOut for %v", err, cause)
	}
	if a.Outcome != decision.Deny || a.ID != "" || len(a.Options) > 0 || len(a.Reasons) > 0 {
		t.Errorf("beside the error stands an answer: %+v", a)
	}
}

var errBroken = errors.New("disk full, says 12345678\nat line 7")

// What cannot be recorded is not told: not even a Deny.
func TestNoAnswerWithoutItsRecord(t *testing.T) {
	for _, idea := range []string{"chain-permit", "blocked-company", "choose-among-clients"} {
		s, request := scenario(t, idea)
		if _, err := s.pdp.Decide(ctx, request); err != nil {
			t.Fatalf("%s with a good journal: %v", idea, err)
		}
		s.journal.broken = errBroken
		answer, err := s.pdp.Decide(ctx, request)
		notFoundOut(t, answer, err, errBroken)
		s.journal.broken = nil
		if _, err := s.pdp.Decide(ctx, request); err != nil || len(s.journal.records) != 2 {
			t.Errorf("%s after the repair: %v, %d records of 2 decisions", idea, err, len(s.journal.records))
		}
	}
}

// broken is a register that cannot be read.
type broken struct{ *register.Register }

func (broken) Read(context.Context, func(*register.Snapshot) error) error { return errBroken }

// A register that cannot be read is recorded as what it is, with what was asked, so that
// whoever was turned away can be told why.
func TestBrokenRegisterIsRecorded(t *testing.T) {
	s, request := scenario(t, "chain-permit")
	request.Message, request.Trace = "_message", pdp.Trace{ID: "4bf92f3577b34da6a3ce929d0e0e4736", Span: "00f067aa0ba902b7"}
	p := pdp.New(pdp.Config{Register: broken{s.register}, Catalogues: shelf{}, Journal: s.journal, Now: time.Now, Key: s.register.Key("journal")})
	answer, err := p.Decide(ctx, request)
	notFoundOut(t, answer, err, errBroken)
	records := s.journal.list(t)
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	r := records[0]
	if r.Outcome != pdp.Indeterminate || !strings.HasSuffix(r.Failure, "disk full, says …") || r.Options != nil || r.Reasons != nil || r.Required != "" ||
		r.Message != "_message" || r.Trace != request.Trace.ID || r.Span != request.Trace.Span || r.Service != request.ServiceID.String() || !strings.HasPrefix(r.Actor, "unknown:") {
		t.Errorf("the record says %+v", r)
	}

	// With the journal gone as well nothing is left to tell but that.
	s.journal.broken = errors.New("journal gone")
	answer, err = p.Decide(ctx, request)
	notFoundOut(t, answer, err, s.journal.broken)
}

// empty gives no catalogue at all.
type empty struct{}

func (empty) Of(*register.Snapshot) (*catalogue.Catalogue, error) { return nil, errBroken }

func (empty) Loaded(int64) (*catalogue.Catalogue, bool) { return nil, false }

// Without its catalogue a decision would be about nobody knows which service: a register
// that never had one and one whose catalogue cannot be read decide nothing.
func TestNoCatalogue(t *testing.T) {
	s, request := scenario(t, "chain-permit")
	p := pdp.New(pdp.Config{Register: s.register, Catalogues: empty{}, Journal: s.journal, Now: time.Now, Key: s.register.Key("journal")})
	answer, err := p.Decide(ctx, request)
	notFoundOut(t, answer, err, errBroken)

	bare, err := register.Create(ctx, filepath.Join(t.TempDir(), "register.db"), corpus.Here, time.Second, register.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bare.Close() }()
	p = pdp.New(pdp.Config{Register: bare, Catalogues: shelf{}, Journal: s.journal, Now: time.Now, Key: bare.Key("journal")})
	if answer, err = p.Decide(ctx, request); err == nil || !strings.Contains(err.Error(), "no service catalogue yet") {
		t.Errorf("a register without catalogue answers %v, %v", answer.Outcome, err)
	}
	for _, r := range s.journal.list(t) {
		if r.Outcome != pdp.Indeterminate || r.Failure == "" {
			t.Errorf("recorded as %+v", r)
		}
	}
}

// A service that is not in the catalogue is another matter: that is a Deny.
func TestUnknownServiceIsDenied(t *testing.T) {
	s, request := scenario(t, "chain-permit")
	request.ServiceID = must(etoegang.ParseServiceID("urn:etoegang:DV:00000009999999990000:services:9"))
	answer, err := s.pdp.Decide(ctx, request)
	if err != nil || answer.Outcome != decision.Deny || answer.Codes()[0] != decision.ServiceUnknown {
		t.Errorf("%v %v, %v", answer.Outcome, answer.Codes(), err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Those whom the register does not know stand in the record under a hash: the same one
// always alike, so that a helpdesk can follow him; no two alike; and in another register
// under another, so that nobody can follow him from one to the other.
func TestUnknownPartiesAreHashed(t *testing.T) {
	s, request := scenario(t, "chain-permit")
	idea := ideaCalled(t, "chain-permit")
	elder := must(register.Create(ctx, filepath.Join(t.TempDir(), "register.db"), corpus.Here, time.Millisecond,
		register.Options{Now: func() time.Time { return idea.Question.At }})) // with a secret of its own
	t.Cleanup(func() { _ = elder.Close() })
	other := playIn(t, idea, elder)
	stranger := request
	stranger.Actor.Pseudonym = must(etoegang.ParsePseudonym(strings.Repeat("7", 64)))
	stranger.Represented = []etoegang.LegalSubject{must(etoegang.ParseKvKNumber("99887766")).LegalSubject()}
	stranger.Intermediary = must(etoegang.ParseIntermediary("99887766"))
	stranger.Question = decision.Recheck
	elsewhere := stranger
	elsewhere.Actor.Authenticator = must(etoegang.ParseEntityID("urn:etoegang:AD:00000003876543210000:entities:9005"))

	recorded := func(s scene, r pdp.Request) pdp.Record {
		t.Helper()
		s.journal.records = nil
		if _, err := s.pdp.Decide(ctx, r); err != nil {
			t.Fatal(err)
		}
		for _, body := range s.journal.records {
			if text := string(body); strings.Contains(text, "99887766") || strings.Contains(text, strings.Repeat("7", 64)) {
				t.Errorf("the record spells it out: %s", text)
			}
		}
		return s.journal.list(t)[0]
	}
	first := recorded(s, stranger)
	for _, name := range []string{first.Actor, first.Represented, first.Intermediary} {
		if !strings.HasPrefix(name, "unknown:") || len(name) != len("unknown:")+32 {
			t.Errorf("an unknown party is called %q", name)
		}
	}
	if again := recorded(s, stranger); again.Actor != first.Actor || again.Represented != first.Represented {
		t.Error("asked again, the same stranger is another")
	}
	if first.Represented != first.Intermediary {
		t.Error("one organisation has two names in one record")
	}
	if first.Actor == first.Represented || recorded(s, elsewhere).Actor == first.Actor {
		t.Error("two strangers are alike")
	}
	if there := recorded(other, stranger); there.Actor == first.Actor || there.Represented == first.Represented {
		t.Error("two registers call a stranger alike")
	}
	if known := recorded(s, request); !strings.HasPrefix(known.Actor, "person:") {
		t.Errorf("a person of the register is called %q", known.Actor)
	}
}

// However many ask at once, each decision has its one record, and the records tell the
// messages apart.
func TestOneRecordPerDecision(t *testing.T) {
	s, request := scenario(t, "chain-permit")
	const askers, questions = 8, 25
	var asking sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]string{} // record -> message
	for a := range askers {
		asking.Go(func() {
			for q := range questions {
				r := request
				r.Message = strings.Repeat("a", a) + strings.Repeat("q", q) + "."
				answer, err := s.pdp.Decide(ctx, r)
				if err != nil || answer.Outcome != decision.Permit {
					t.Errorf("%v, %v", answer.Outcome, err)
				}
				mu.Lock()
				answers[answer.ID] = r.Message
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	records := s.journal.list(t)
	if len(records) != askers*questions || len(answers) != len(records) {
		t.Errorf("%d answers and %d records of %d questions", len(answers), len(records), askers*questions)
	}
	for _, r := range records {
		if answers[r.ID] != r.Message || r.Outcome != "Permit" {
			t.Errorf("record %s is of message %q, the answer was to %q", r.ID, r.Message, answers[r.ID])
		}
	}
}

// A Permit that cannot be delivered was none: its record says so, and nobody hears yes.
// What is no Permit needs no delivery.
func TestPermitThatCannotBeDelivered(t *testing.T) {
	s, request := scenario(t, "chain-permit")
	request.Deliver = func(a pdp.Answer) error {
		if a.Outcome != decision.Permit || len(a.Options) != 1 {
			t.Errorf("to be delivered: %+v", a)
		}
		return errBroken
	}
	answer, err := s.pdp.Decide(ctx, request)
	notFoundOut(t, answer, err, errBroken)
	if r := s.journal.list(t)[0]; r.Outcome != pdp.Indeterminate || !strings.HasSuffix(r.Failure, "disk full, says …") || r.Options != nil {
		t.Errorf("recorded as %+v", r)
	}
	s, request = scenario(t, "blocked-company")
	request.Deliver = func(pdp.Answer) error { t.Error("a Deny is delivered"); return nil }
	if answer, err := s.pdp.Decide(ctx, request); err != nil || answer.Outcome != decision.Deny {
		t.Errorf("%v, %v", answer.Outcome, err)
	}
}

// busy is a journal that waits for its turn no longer than the context allows.
type busy struct{ *memory }

func (b busy) Append(ctx context.Context, id string, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.memory.Append(ctx, id, body)
}

// An asker who has left gets no answer, and that he asked stays recorded.
func TestAskerWhoLeftIsRecorded(t *testing.T) {
	s, request := scenario(t, "chain-permit")
	p := pdp.New(pdp.Config{Register: s.register, Catalogues: shelf{}, Journal: busy{s.journal}, Now: time.Now, Key: s.register.Key("journal")})
	gone, leave := context.WithCancel(ctx)
	leave()
	answer, err := p.Decide(gone, request)
	notFoundOut(t, answer, err, context.Canceled)
	if r := s.journal.list(t); len(r) != 1 || r[0].Outcome != pdp.Indeterminate {
		t.Errorf("recorded: %+v", r)
	}
}

// Explaining leaves no record, and says the same as deciding does.
func TestExplainLeavesNoRecord(t *testing.T) {
	for _, idea := range []string{"chain-permit", "blocked-company", "choose-among-clients"} {
		s, request := scenario(t, idea)
		explained, facts, asked, err := s.pdp.Explain(ctx, request)
		if err != nil || len(s.journal.records) != 0 || explained.ID != "" {
			t.Fatalf("%s: %v, %d records", idea, err, len(s.journal.records))
		}
		decided, err := s.pdp.Decide(ctx, request)
		if err != nil || decided.Outcome != explained.Outcome || decision.Decide(facts, asked).Outcome != decided.Outcome {
			t.Errorf("%s: explained as %v, decided as %v, %v", idea, explained.Outcome, decided.Outcome, err)
		}
	}
}

// A question without a moment is about now; one with a moment about that, and its record
// says which.
func TestMomentOfTheQuestion(t *testing.T) {
	s, request := scenario(t, "chain-permit")
	for _, at := range []time.Time{{}, time.Date(1996, 3, 2, 9, 30, 0, 0, time.UTC)} {
		s.journal.records = nil
		request.At = at
		answer, err := s.pdp.Decide(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		want := at
		if at.IsZero() {
			want = answer.At
		}
		if r := s.journal.list(t)[0]; !r.At.Equal(want) || (answer.Outcome == decision.Permit) != at.IsZero() {
			t.Errorf("asked for %v: %v at %v", at, answer.Outcome, r.At)
		}
	}
}
