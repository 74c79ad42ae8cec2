package decision_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/decision"
)

// Every idea in the corpus, decided by the core alone.
func TestCorpus(t *testing.T) {
	cases, err := corpus.Load("../../testdata/decisions")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			got := c.Render(decision.Decide(c.Facts(), c.Question))
			if diff := cmp.Diff(c.Answer, got); diff != "" {
				t.Errorf("%s\n%s", c.Idea, diff)
			}
		})
	}
}
