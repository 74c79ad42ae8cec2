package pdp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Record is what the journal keeps of one decision: what was asked, what was answered
// and on what ground. It names people and companies by the register's own numbers
// ("person:12", "organisation:7"), and those whom the register does not know by a keyed
// hash: no names, no KvK numbers, no pseudonyms.
type Record struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Trace    string    `json:"trace_id,omitempty"`
	Caller   string    `json:"caller,omitempty"`
	Message  string    `json:"message,omitempty"`
	Question string    `json:"question"`

	Assertion string   `json:"assertion,omitempty"` // that carries the answer, if one left
	RestsOn   []string `json:"rests_on,omitempty"`  // assertions, the nearest first
	Audience  string   `json:"audience,omitempty"`  // the provider for whom it all is

	Service      string `json:"service"`
	ServiceUUID  string `json:"service_uuid"`
	Asked        string `json:"level_asked,omitempty"`
	Login        string `json:"level_login"`
	Previous     string `json:"level_previous,omitempty"`
	Actor        string `json:"actor,omitempty"`
	Represented  string `json:"represented,omitempty"`
	Intermediary string `json:"intermediary,omitempty"`
	Limited      bool   `json:"limited_to_establishments,omitempty"` // recheck: the earlier answer was

	Outcome   string         `json:"outcome"` // Permit, Deny, Choose or Indeterminate
	Required  string         `json:"level_required,omitempty"`
	Options   []RecordOption `json:"options,omitempty"`
	Reasons   []RecordReason `json:"reasons,omitempty"`
	Until     *time.Time     `json:"until,omitempty"`
	Revision  int64          `json:"revision"`
	Catalogue int64          `json:"catalogue"`
	Failure   string         `json:"failure,omitempty"` // Indeterminate: what broke
}

// RecordOption is one way to act that the decision found.
type RecordOption struct {
	Represented  string       `json:"represented"`
	Intermediary string       `json:"intermediary,omitempty"`
	Limited      bool         `json:"limited_to_establishments,omitempty"`
	Used         string       `json:"level_used"`
	Effective    string       `json:"level_effective"`
	Mandates     []mandate.ID `json:"mandates"`
	ConfirmAt    string       `json:"confirm_at,omitempty"`
}

// RecordReason is one reason and the mandate it is about.
type RecordReason struct {
	Code    string     `json:"code"`
	Mandate mandate.ID `json:"mandate,omitempty"`
}

// Indeterminate is the outcome in a record when nothing could be found out.
const Indeterminate = "Indeterminate"

func (p *PDP) record(ctx context.Context, r Request, f facts, a Answer, failure error) error {
	record := p.describe(r, f)
	record.ID, record.At = a.ID, a.At.UTC()
	record.Revision, record.Catalogue = int64(a.Revision), a.Catalogue
	if failure != nil {
		record.Outcome, record.Failure = Indeterminate, failure.Error()
	} else {
		record.conclude(a.Decision)
	}
	body, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	return p.c.Journal.Append(ctx, a.ID, body)
}

// describe records what was asked.
func (p *PDP) describe(r Request, f facts) Record {
	record := Record{
		Assertion: r.Assertion, RestsOn: r.RestsOn, Audience: r.Audience.String(),
		Trace: r.Trace, Caller: r.Caller.String(), Message: r.Message, Question: string(r.Question),
		Service: r.ServiceID.String(), ServiceUUID: r.ServiceUUID.String(),
		Login: r.Login.String(), Limited: len(r.Establishments) > 0,
		Represented:  p.organisation(f.decided.Represented, first(r.Represented)),
		Intermediary: p.organisation(f.intermediary, r.Intermediary.KvK.LegalSubject()),
	}
	if r.Asked != etoegang.NoLevel {
		record.Asked = r.Asked.String()
	}
	if r.Previous != etoegang.NoLevel {
		record.Previous = r.Previous.String()
	}
	if !r.Actor.IsZero() {
		record.Actor = p.person(f.decided.Person, r.Actor)
	}
	return record
}

// conclude records what was answered.
func (record *Record) conclude(d decision.Decision) {
	record.Outcome = d.Outcome.String()
	if d.Required != etoegang.NoLevel {
		record.Required = d.Required.String()
	}
	for _, o := range d.Options {
		option := RecordOption{
			Represented: organisationNumber(&o.Represented), Limited: len(o.Establishments) > 0,
			Used: o.Used.String(), Effective: o.Effective.String(),
			Mandates: o.Mandates, ConfirmAt: o.ConfirmAt.String(),
		}
		if o.Intermediary != nil {
			option.Intermediary = organisationNumber(o.Intermediary)
		}
		record.Options = append(record.Options, option)
	}
	for _, reason := range d.Reasons {
		record.Reasons = append(record.Reasons, RecordReason{string(reason.Code), reason.Mandate})
	}
	if !d.Until.IsZero() {
		until := d.Until.UTC()
		record.Until = &until
	}
}

func (p *PDP) person(known *mandate.Person, s etoegang.ActingSubject) string {
	if known != nil {
		return fmt.Sprintf("person:%d", known.ID)
	}
	return p.hash("person", s.Authenticator.String(), s.Pseudonym.Text())
}

func (p *PDP) organisation(known *mandate.Organisation, s etoegang.LegalSubject) string {
	switch {
	case known != nil:
		return organisationNumber(known)
	case s.IsZero():
		return ""
	}
	return p.hash("organisation", string(s.Type()), s.Text())
}

func organisationNumber(o *mandate.Organisation) string { return fmt.Sprintf("organisation:%d", o.ID) }

// hash names somebody unknown: the same one always alike, and nobody can tell who it is
// without the key. Parts are prefixed with their length, so that no two lists collide.
func (p *PDP) hash(parts ...string) string {
	h := hmac.New(sha256.New, p.c.Key)
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return "unknown:" + hex.EncodeToString(h.Sum(nil)[:16])
}
