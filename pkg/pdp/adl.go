package pdp

import (
	"encoding/json"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
)

// The journal as an Authorization Decision Log: Logius, Authorization Decision Log 1.0.0,
// consultation version of 29 April 2026. Section numbers below are of that document. This
// file is the whole mapping.
//
// It reaches the highest level of detail (4.1.4): request and response, the version of the
// rules, the register's revision and catalogue as sources that can be asked again, and the
// settings. Whoever wants the decision made again runs "mandated replay" (Replay).

// ADL writes a record as one line of an Authorization Decision Log, without the line's
// end. self is the register that decided. The same record always gives the same line, so
// that one exported twice is ingested once (3.2.4). It tells no more of anybody than the
// record does.
func ADL(self etoegang.EntityID, r Record) ([]byte, error) {
	line := adlLine{
		EventName: adlEvaluation, Timestamp: r.At.UnixMilli(), Status: adlUnset,
		Resource: adlResource{Service: "mandated", Register: self.String()},
		Body:     adlBody{Request: r.adlRequest(), Configuration: map[string]RecordRules{adlDecisionPoint: r.Rules}},
		Attributes: adlAttributes{
			Policies:  map[string]int{adlRules: r.Rules.Version},
			Record:    r.ID,
			Source:    r.Hot,
			View:      r.View,
			Assertion: r.Assertion,
			Failure:   r.Failure,
		},
	}
	line.TraceID, line.SpanID = r.adlTrace()
	line.Parent = r.Parent
	if r.Revision > 0 {
		line.Attributes.Information = &adlInformation{adlRegister{r.Revision, r.Tag}, r.Catalogue}
	}
	if r.Outcome == Indeterminate {
		line.Status = adlError
	} else {
		line.Body.Response = r.adlResponse()
	}
	return json.Marshal(line)
}

// Words of the standard, and our names for sources.
const (
	adlEvaluation = "adl.access_evaluation" // 3.3.4: of the five, what an XACML question comes closest to
	adlUnset      = "Unset"                 // 3.3.6: decided; a Deny is no error
	adlError      = "Error"                 // 3.3.6: no decision could be made

	adlRules         = "mandated-rules"
	adlDecisionPoint = "mandated"
)

// adlLine is a log record (3.3).
type adlLine struct {
	TraceID    string        `json:"trace_id"`                 // 3.3.1
	SpanID     string        `json:"span_id"`                  // 3.3.2
	Parent     string        `json:"parent_span_id,omitempty"` // 3.3.3: the asker's span, if he named one
	EventName  string        `json:"event_name"`
	Timestamp  int64         `json:"timestamp"` // 3.3.5: milliseconds since 1970
	Status     string        `json:"status"`
	Attributes adlAttributes `json:"attributes"`
	Resource   adlResource   `json:"resource"`
	Body       adlBody       `json:"body"`
}

// adlResource says who decided (3.3.9), so that logs of several registers can be joined.
type adlResource struct {
	Service  string `json:"service.name"`
	Register string `json:"mandated.register.entity"`
}

// adlAttributes are references to sources, never the data themselves, and what we add in
// a namespace of our own (3.3.7).
type adlAttributes struct {
	Policies    map[string]int  `json:"adl.core.policies"`              // 3.3.7.3
	Information *adlInformation `json:"adl.core.information,omitempty"` // 3.3.7.4; nothing was looked up: left out

	Record    string `json:"mandated.journal.record"`
	Source    Source `json:"mandated.decision.source,omitempty"` // where a kept decision came from
	View      int64  `json:"mandated.decision.view,omitempty"`   // the revision up to which it was known to hold
	Assertion string `json:"mandated.answer.assertion,omitempty"`
	Failure   string `json:"mandated.decision.failure,omitempty"`
}

// adlInformation are versioned sources (3.5.1): the register answers from any revision,
// and keeps every catalogue.
type adlInformation struct {
	Register  adlRegister `json:"register"`
	Catalogue int64       `json:"service-catalogue"`
}

type adlRegister struct {
	Revision int64  `json:"revision"`
	Tag      string `json:"tag,omitempty"`
}

// adlBody are the data themselves (3.3.8). What stands here does not stand in attributes.
type adlBody struct {
	Request       adlRequest             `json:"adl.core.request"`            // 3.3.7.1, AuthZEN 6.1
	Response      *adlResponse           `json:"adl.core.response,omitempty"` // 3.3.7.2, AuthZEN 6.2
	Configuration map[string]RecordRules `json:"adl.core.configuration"`      // 3.3.7.5
}

// adlRequest is the question in AuthZEN form: who acts, what kind of question, which
// service; and in the context for whom, at which levels, and around which messages.
type adlRequest struct {
	Subject  adlThing   `json:"subject"`
	Action   adlAction  `json:"action"`
	Resource adlThing   `json:"resource"`
	Context  adlContext `json:"context"`
}

type adlThing struct {
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Properties map[string]string `json:"properties,omitempty"`
}

type adlAction struct {
	Name string `json:"name"`
}

type adlContext struct {
	Time           string   `json:"time"` // 3.5.2: the moment that the answer is about
	Represented    string   `json:"represented,omitempty"`
	Intermediary   string   `json:"intermediary,omitempty"`
	Establishments []string `json:"establishments,omitempty"`
	UserChooses    bool     `json:"user_chooses,omitempty"`
	Chosen         bool     `json:"chosen,omitempty"`
	ConfirmAt      string   `json:"confirm_at,omitempty"`
	Services       []string `json:"services,omitempty"`
	Asked          string   `json:"level_asked,omitempty"`
	Login          string   `json:"level_login"`
	Previous       string   `json:"level_previous,omitempty"`
	Caller         string   `json:"caller,omitempty"`
	Message        string   `json:"message,omitempty"`
	Audience       string   `json:"audience,omitempty"`
	RestsOn        []string `json:"rests_on,omitempty"`
}

// adlResponse is the answer in AuthZEN form. A Choose is no permission yet: decision is
// false, and the outcome says why.
type adlResponse struct {
	Decision bool      `json:"decision"`
	Context  adlAnswer `json:"context"`
}

type adlAnswer struct {
	Outcome  string         `json:"outcome"`
	Required string         `json:"level_required,omitempty"`
	Options  []RecordOption `json:"options,omitempty"`
	Reasons  []RecordReason `json:"reasons,omitempty"`
	More     bool           `json:"more,omitempty"`
	Until    string         `json:"until,omitempty"`
}

// adlTime is RFC 3339 (3.5.2).
const adlTime = "2006-01-02T15:04:05.000Z07:00"

// adlTrace gives trace and span. Both are mandatory; a question that was part of no trace
// is a trace of its own, and the record's id is 128 random bits, as 3.3.1 asks.
func (r Record) adlTrace() (trace, span string) {
	trace, span = r.Trace, r.Span
	if trace == "" {
		trace = r.ID
	}
	if span == "" {
		span = r.ID[max(0, len(r.ID)-16):]
	}
	return trace, span
}

func (r Record) adlRequest() adlRequest {
	subject := adlThing{Type: "person", ID: r.Actor}
	if r.Actor == "" { // the company's half of a chain: the intermediary acts
		subject = adlThing{Type: "organisation", ID: r.Intermediary}
	}
	return adlRequest{
		Subject:  subject,
		Action:   adlAction{r.Question},
		Resource: adlThing{Type: "service", ID: r.Service, Properties: map[string]string{"service_uuid": r.ServiceUUID}},
		Context: adlContext{
			Time: r.At.UTC().Format(adlTime), Represented: r.Represented, Intermediary: r.Intermediary, Establishments: r.Establishments,
			UserChooses: r.UserChooses, Chosen: r.Chosen, ConfirmAt: r.ConfirmAt, Services: r.Services,
			Asked: r.Asked, Login: r.Login, Previous: r.Previous,
			Caller: r.Caller, Message: r.Message, Audience: r.Audience, RestsOn: r.RestsOn,
		},
	}
}

func (r Record) adlResponse() *adlResponse {
	answer := adlAnswer{Outcome: r.Outcome, Required: r.Required, Options: r.Options, Reasons: r.Reasons, More: r.More}
	if r.Until != nil {
		answer.Until = r.Until.UTC().Format(adlTime)
	}
	return &adlResponse{r.Outcome == decision.Permit.String(), answer}
}
