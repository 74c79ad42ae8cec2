package pdp_test

import (
	"encoding/json"
	"testing"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
)

// Anna's office has mandated her itself. With the setting she may choose a client of the
// office that this register has never heard of and another one confirms; the record names
// that client by a hash, and a replay agrees.
func TestClientThatOnlyAnotherRegisterKnows(t *testing.T) {
	for _, own := range []bool{true, false} {
		s, r := scenario(t, "chosen-own-company")
		s.config.OwnElsewhere = own
		s.pdp = pdp.New(s.config)
		r.Represented = []etoegang.LegalSubject{must(etoegang.ParseKvKNumber("99887766")).LegalSubject()}
		r.Intermediary = must(etoegang.ParseIntermediary("12345678")) // the bakery, which has mandated her
		r.Chosen, r.ConfirmAt = true, corpus.Elsewhere
		answer, err := s.pdp.Decide(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		var record pdp.Record
		if err := json.Unmarshal(s.journal.records[answer.ID], &record); err != nil {
			t.Fatal(err)
		}
		if !own {
			if answer.Outcome != decision.Deny || answer.Codes()[0] != decision.RepresentedUnknown {
				t.Errorf("without the setting: %+v", answer.Decision)
			}
			continue
		}
		if answer.Outcome != decision.Permit || answer.Options[0].ConfirmAt != corpus.Elsewhere || answer.Options[0].Represented.KvK.Text() != "99887766" {
			t.Fatalf("%+v", answer.Decision)
		}
		if len(record.Options) != 1 || record.Options[0].Represented != record.Represented || record.Represented[:8] != "unknown:" || !record.Rules.OwnElsewhere {
			t.Errorf("recorded: %+v", record)
		}
		again, err := pdp.Replay(ctx, s.config, s.register, record, pdp.Then)
		if err != nil || len(again.Differences) > 0 {
			t.Errorf("replayed: %v, %v", again.Differences, err)
		}
	}
}
