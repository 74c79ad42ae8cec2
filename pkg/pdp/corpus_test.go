package pdp_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// shelf is one catalogue, at hand under its own number.
type shelf struct{ c *catalogue.Catalogue }

func (s shelf) Of(*register.Snapshot) (*catalogue.Catalogue, error) { return s.c, nil }

func (s shelf) Loaded(int64) (*catalogue.Catalogue, bool) { return s.c, true }

// memory is a journal that a test can read.
type memory struct {
	sync.Mutex
	records map[string][]byte
	broken  error
}

func (m *memory) Append(_ context.Context, id string, body []byte) error {
	m.Lock()
	defer m.Unlock()
	if m.broken != nil {
		return m.broken
	}
	if m.records == nil {
		m.records = map[string][]byte{}
	}
	m.records[id] = body
	return nil
}

// scene is a decision point on a real register that holds a world of the corpus.
type scene struct {
	register *register.Register
	journal  *memory
	config   pdp.Config
	pdp      *pdp.PDP
}

func play(t *testing.T, c corpus.Case) scene {
	t.Helper()
	return playIn(t, c, anew(t, func() time.Time { return c.Question.At }))
}

// playIn plays in a register that is still empty.
func playIn(t *testing.T, c corpus.Case, r *register.Register) scene {
	t.Helper()
	now := func() time.Time { return c.Question.At }
	if err := c.World.Fill(ctx, r); err != nil {
		t.Fatalf("no register would hold this world: %v", err)
	}
	doc := catalogue.Build(c.World.Catalogue(c.Question.At)).Bytes()
	parsed, _, err := catalogue.Parse(doc, catalogue.Trust{File: true}, c.Question.At)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Change(ctx, register.Author{Who: "test", Why: "catalogue"}, func(t *register.Tx) error {
		return t.PutCatalogue(register.CatalogueVersion{Sequence: parsed.Sequence(), Version: parsed.Version(), Issued: parsed.Issued(), SHA256: parsed.SHA256(), Document: doc})
	})
	if err != nil {
		t.Fatal(err)
	}
	s := scene{register: r, journal: &memory{}}
	s.config = pdp.Config{
		Register: r, Catalogues: shelf{parsed}, Journal: s.journal, Now: now, Key: r.Key("journal"),
		Certified: c.Question.Certified, ConfirmHere: c.Question.ConfirmHere, TestNetwork: c.Question.TestNetwork,
	}
	s.pdp = pdp.New(s.config)
	return s
}

func requestOf(c corpus.Case) pdp.Request {
	q := c.Question
	r := pdp.Request{
		Question: q.Question, Asked: q.Asked, Login: q.Authentication, Actor: q.Actor,
		Intermediary: q.Intermediary, Previous: q.Previous, Establishments: q.Establishments,
		UserChooses: q.UserChooses, Chosen: q.Chosen, ConfirmAt: q.ConfirmAt, Services: q.Services,
	}
	r.ServiceID, r.ServiceUUID = c.Asked()
	if !q.Represented.IsZero() {
		r.Represented = []etoegang.LegalSubject{q.Represented}
	}
	return r
}

// The same ideas as the core decides, from a real register and a real catalogue; and each
// decision has its one record, which says the same.
func TestCorpusOnSQLite(t *testing.T) {
	cases, err := corpus.Load("../../testdata/decisions")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range corpus.Part(cases) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			s := play(t, c)
			answer, err := s.pdp.Decide(context.Background(), requestOf(c))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.Answer, c.Render(answer.Decision)); diff != "" {
				t.Errorf("%s\n%s", c.Idea, diff)
			}
			var record pdp.Record
			if err := json.Unmarshal(s.journal.records[answer.ID], &record); err != nil {
				t.Fatalf("no record of the decision: %v", err)
			}
			if len(s.journal.records) != 1 || record.Outcome != answer.Outcome.String() || len(record.Reasons) != len(answer.Reasons) || record.Revision != int64(answer.Revision) {
				t.Errorf("%d records, this one says %+v", len(s.journal.records), record)
			}
		})
	}
}
