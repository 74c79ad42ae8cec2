package pdp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
)

// The mapping to the letter, of a record in which everything is filled.
func TestADLLine(t *testing.T) {
	until := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	record := pdp.Record{
		ID: "a1b2c3d4e5f60718293a4b5c6d7e8f90", At: time.Date(2026, 11, 24, 12, 0, 0, 42_000_000, time.UTC),
		Trace: "4bf92f3577b34da6a3ce929d0e0e4736", Span: "00f067aa0ba902b7",
		Caller: "urn:etoegang:HM:00000003123456780000:entities:9002", Message: "_q1", Question: "recheck",
		Assertion: "_a1", RestsOn: []string{"_a0"}, Audience: "urn:etoegang:DV:00000001000000010000:entities:9004",
		Service: "urn:etoegang:DV:00000001000000010000:services:1", ServiceUUID: "00000001-0000-4000-8000-000000000000",
		Asked: "loa3", Login: "loa4", Previous: "loa3", Actor: "person:12", Represented: "organisation:7", Intermediary: "organisation:3",
		Establishments: []string{"unknown:0011"},
		Outcome:        "Permit", Required: "loa3", Until: &until,
		Options:  []pdp.RecordOption{{Represented: "organisation:7", Intermediary: "organisation:3", Used: "loa3", Effective: "loa3", Mandates: []mandate.ID{5, 4}}},
		Reasons:  []pdp.RecordReason{{Code: "expired", Mandate: 9}},
		Rules:    pdp.RecordRules{Version: 1, Certified: "loa4", TestNetwork: true},
		Revision: 812, Tag: "000102030405060708090a0b0c0d0e0f", View: 815, Hot: pdp.FromRedis, Catalogue: 53,
	}
	line, err := pdp.ADL(corpus.Here, record)
	if err != nil || bytes.ContainsRune(line, '\n') {
		t.Fatalf("%s, %v", line, err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, line, "", "  "); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(wantADL), got.String()); diff != "" {
		t.Error(diff)
	}
}

const wantADL = `
{
  "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
  "span_id": "00f067aa0ba902b7",
  "event_name": "adl.access_evaluation",
  "timestamp": 1795521600042,
  "status": "Unset",
  "attributes": {
    "adl.core.policies": {
      "mandated-rules": 1
    },
    "adl.core.information": {
      "register": {
        "revision": 812,
        "tag": "000102030405060708090a0b0c0d0e0f"
      },
      "service-catalogue": 53
    },
    "mandated.journal.record": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "mandated.decision.source": "redis",
    "mandated.decision.view": 815,
    "mandated.answer.assertion": "_a1"
  },
  "resource": {
    "service.name": "mandated",
    "mandated.register.entity": "urn:etoegang:MR:00000003123456780000:entities:9001"
  },
  "body": {
    "adl.core.request": {
      "subject": {
        "type": "person",
        "id": "person:12"
      },
      "action": {
        "name": "recheck"
      },
      "resource": {
        "type": "service",
        "id": "urn:etoegang:DV:00000001000000010000:services:1",
        "properties": {
          "service_uuid": "00000001-0000-4000-8000-000000000000"
        }
      },
      "context": {
        "time": "2026-11-24T12:00:00.042Z",
        "represented": "organisation:7",
        "intermediary": "organisation:3",
        "establishments": [
          "unknown:0011"
        ],
        "level_asked": "loa3",
        "level_login": "loa4",
        "level_previous": "loa3",
        "caller": "urn:etoegang:HM:00000003123456780000:entities:9002",
        "message": "_q1",
        "audience": "urn:etoegang:DV:00000001000000010000:entities:9004",
        "rests_on": [
          "_a0"
        ]
      }
    },
    "adl.core.response": {
      "decision": true,
      "context": {
        "outcome": "Permit",
        "level_required": "loa3",
        "options": [
          {
            "represented": "organisation:7",
            "intermediary": "organisation:3",
            "level_used": "loa3",
            "level_effective": "loa3",
            "mandates": [
              5,
              4
            ]
          }
        ],
        "reasons": [
          {
            "code": "expired",
            "mandate": 9
          }
        ],
        "until": "2027-01-01T00:00:00.000Z"
      }
    },
    "adl.core.configuration": {
      "mandated": {
        "version": 1,
        "certified": "loa4",
        "test_network": true
      }
    }
  }
}
`

// adlRecord is a log record as its reader sees it.
type adlRecord struct {
	TraceID    string                     `json:"trace_id"`
	SpanID     string                     `json:"span_id"`
	EventName  string                     `json:"event_name"`
	Timestamp  uint64                     `json:"timestamp"`
	Status     string                     `json:"status"`
	Attributes map[string]json.RawMessage `json:"attributes"`
	Resource   map[string]string          `json:"resource"`
	Body       map[string]json.RawMessage `json:"body"`
}

var (
	adlTrace = regexp.MustCompile(`^[0-9a-f]{32}$`)
	adlSpan  = regexp.MustCompile(`^[0-9a-f]{16}$`)
	adlKey   = regexp.MustCompile(`^(adl\.core\.(request|response|policies|information|configuration)|mandated\.[a-z]+\.[a-z]+)$`)
)

// conforms holds a line against what the standard demands of every one (Authorization
// Decision Log 1.0.0, 3.3).
func conforms(t *testing.T, record pdp.Record) adlRecord {
	t.Helper()
	line, err := pdp.ADL(corpus.Here, record)
	if err != nil {
		t.Fatal(err)
	}
	var l adlRecord
	strict := json.NewDecoder(bytes.NewReader(line))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&l); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	failed := record.Outcome == pdp.Indeterminate
	switch response, answered := l.Body["adl.core.response"]; {
	case !adlTrace.MatchString(l.TraceID) || !adlSpan.MatchString(l.SpanID):
		t.Errorf("trace %q, span %q", l.TraceID, l.SpanID)
	case l.EventName != "adl.access_evaluation" || l.Timestamp != uint64(record.At.UnixMilli()):
		t.Errorf("%s at %d", l.EventName, l.Timestamp)
	case failed != (l.Status == "Error") || !failed && l.Status != "Unset":
		t.Errorf("a %s has status %s", record.Outcome, l.Status)
	case answered == failed:
		t.Errorf("a %s has response %s", record.Outcome, response)
	case answered && strings.HasPrefix(string(response), `{"decision":true`) != (record.Outcome == "Permit"):
		t.Errorf("a %s has response %s", record.Outcome, response)
	case l.Resource["mandated.register.entity"] != corpus.Here.String():
		t.Errorf("made by %v", l.Resource)
	}
	for key := range l.Attributes {
		if _, both := l.Body[key]; both || !adlKey.MatchString(key) {
			t.Errorf("attribute %s is in the body as well, or is none", key)
		}
	}
	for key := range l.Body {
		if !strings.HasPrefix(key, "adl.core.") || !adlKey.MatchString(key) {
			t.Errorf("%s is nothing for a body", key)
		}
	}
	var request struct {
		Subject, Resource struct{ Type, ID string }
		Action            struct{ Name string }
	}
	if err := json.Unmarshal(l.Body["adl.core.request"], &request); err != nil {
		t.Fatal(err)
	}
	if request.Subject.Type == "" || request.Subject.ID == "" || request.Resource.Type == "" || request.Resource.ID == "" || request.Action.Name == "" {
		t.Errorf("the request lacks what AuthZEN demands: %+v", request)
	}
	return l
}

// Whatever is decided is a line of that log, with all that is mandatory, also where no
// trace came with the question; and where nothing was decided that is no denial.
func TestADLOfEveryIdea(t *testing.T) {
	outcomes := map[string]bool{}
	for _, c := range must(corpus.Load("../../testdata/decisions")) {
		if len(outcomes) == 3 && !strings.HasPrefix(c.Name, "confirm") {
			continue // the shape depends on the outcome and on who acts
		}
		p := newPast(t, c)
		record := p.decide(pdp.New(p.config), requestOf(c))
		outcomes[record.Outcome] = true
		first := conforms(t, record)
		if _, known := first.Attributes["adl.core.information"]; !known {
			t.Errorf("%s: it rests on nothing", c.Name)
		}
		if again := conforms(t, record); first.TraceID != again.TraceID || first.SpanID != again.SpanID {
			t.Errorf("%s: exported twice it is two", c.Name)
		}
	}
	if len(outcomes) != 3 {
		t.Errorf("only these outcomes were seen: %v", outcomes)
	}
}

func TestADLOfNothingFoundOut(t *testing.T) {
	p := newPast(t, ideaCalled(t, "chain-permit"))
	away := p.config
	away.Register = broken{p.register}
	request := requestOf(p.idea)
	request.Trace = pdp.Trace{ID: "4bf92f3577b34da6a3ce929d0e0e4736"}
	if _, err := pdp.New(away).Decide(ctx, request); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	l := conforms(t, p.journal.list(t)[0])
	if l.TraceID != request.Trace.ID || l.Attributes["adl.core.information"] != nil || !strings.Contains(string(l.Attributes["mandated.decision.failure"]), "disk full") {
		t.Errorf("%+v", l)
	}
}

// Nobody's number or pseudonym is in the log, also not of those whom the register does not
// know.
func TestADLNamesNobody(t *testing.T) {
	c := ideaCalled(t, "chain-permit")
	p := newPast(t, c)
	stranger := requestOf(c)
	stranger.Question, stranger.Actor.Pseudonym = decision.Recheck, must(etoegang.ParsePseudonym(strings.Repeat("7", 64)))
	stranger.Represented = []etoegang.LegalSubject{must(etoegang.ParseKvKNumber("99887766")).LegalSubject()}
	stranger.Intermediary = must(etoegang.ParseIntermediary("88776655"))
	// The OIN of a register holds the KvK number of whoever keeps it: of nobody asked about.
	self := must(etoegang.ParseEntityID("urn:etoegang:MR:00000003555555550000:entities:9003"))
	for _, request := range []pdp.Request{requestOf(c), stranger} {
		line := must(pdp.ADL(self, p.decide(pdp.New(p.config), request)))
		known := []string{stranger.Actor.Pseudonym.Text(), stranger.Represented[0].Text(), stranger.Intermediary.KvK.Text()}
		for _, o := range c.World.Companies {
			known = append(known, o.KvK.Text(), o.RSIN.Text(), o.Name)
		}
		for _, g := range c.World.Persons {
			known = append(known, g.Subject.Pseudonym.Text(), g.Name)
		}
		known = slices.DeleteFunc(known, func(s string) bool { return s == "" })
		for _, name := range known {
			if bytes.Contains(line, []byte(name)) {
				t.Errorf("%s stands in %s", name, line)
			}
		}
	}
}
