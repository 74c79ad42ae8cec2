package decision_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/mandate"
)

func loadCorpus(t *testing.T) []corpus.Case {
	cases, err := corpus.Load("../../testdata/decisions")
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// Every idea in the corpus, decided by the core alone.
func TestCorpus(t *testing.T) {
	for _, c := range loadCorpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			got := c.Render(decision.Decide(c.Facts(), c.Question))
			if diff := cmp.Diff(c.Answer, got); diff != "" {
				t.Errorf("%s\n%s", c.Idea, diff)
			}
		})
	}
}

// Every idea in the corpus, answered by the model: the model is what the core is held
// against in a hundred thousand worlds, so it is itself held against what people wrote.
func TestCorpusByModel(t *testing.T) {
	for _, c := range loadCorpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			got := c.Render(model(c.Facts(), c.Question))
			if diff := cmp.Diff(c.Answer, got); diff != "" {
				t.Errorf("%s\n%s", c.Idea, diff)
			}
		})
	}
}

// A reason that no example explains is one that nobody understands.
func TestCorpusExplainsEveryReason(t *testing.T) {
	var explained []decision.Code
	for _, c := range loadCorpus(t) {
		explained = append(explained, decision.Decide(c.Facts(), c.Question).Codes()...)
	}
	for _, code := range decision.Codes() {
		if !slices.Contains(explained, code) {
			t.Errorf("no case has %s", code)
		}
		if code.Sentence() == "" {
			t.Errorf("%s has no sentence", code)
		}
	}
}

// The corpus also runs on a real register, which would refuse a mandate that is not
// fit to be registered. States come later in a mandate's life and are left out here.
func TestCorpusCanBeRegistered(t *testing.T) {
	for _, c := range loadCorpus(t) {
		for _, m := range c.World.Mandates {
			m.State = mandate.Active
			if err := mandate.Check(m, c.Question.At, true); err != nil {
				t.Errorf("%s: mandate %d: %v", c.Name, m.ID, err)
			}
			if m.Kind != mandate.Assignment {
				continue
			}
			if client := c.World.Mandates[m.Client-1]; client.Kind != mandate.Chain || client.Intermediary.ID != m.Grantor.ID {
				t.Errorf("%s: mandate %d passes on mandate %d, which was not given to %s", c.Name, m.ID, m.Client, m.Grantor.Name)
			}
		}
	}
}
