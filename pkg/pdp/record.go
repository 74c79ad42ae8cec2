package pdp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/quiet"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Record is what the journal keeps of one decision: what was asked, what was answered
// and on what ground. It names people and companies by the register's own numbers
// ("person:12", "organisation:7"), and those whom the register does not know, and
// establishments, by a keyed hash: no names, no numbers, no pseudonyms. Together with the
// register's history it is enough to decide the same question again (Replay).
type Record struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Trace    string    `json:"trace_id,omitempty"`
	Span     string    `json:"span_id,omitempty"`
	Parent   string    `json:"parent_span_id,omitempty"`
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

	Establishments []string `json:"establishments,omitempty"` // recheck: to which the earlier answer was limited; or which were chosen; hashed

	UserChooses bool `json:"user_chooses,omitempty"` // the user could be asked

	Chosen    bool     `json:"chosen,omitempty"`     // the user has chosen what stands above, and
	ConfirmAt string   `json:"confirm_at,omitempty"` // where it is to be confirmed, and
	Services  []string `json:"services,omitempty"`   // which of the services behind a portal; none: all

	Outcome   string         `json:"outcome"` // Permit, Deny, Choose or Indeterminate
	Required  string         `json:"level_required,omitempty"`
	Options   []RecordOption `json:"options,omitempty"`
	Reasons   []RecordReason `json:"reasons,omitempty"`
	More      bool           `json:"more,omitempty"` // there are companies that were not looked at
	Until     *time.Time     `json:"until,omitempty"`
	Rules     RecordRules    `json:"rules"`
	Revision  int64          `json:"revision"`       // of the facts
	Tag       string         `json:"tag,omitempty"`  // of that revision: tells a restored backup from the register decided on
	View      int64          `json:"view,omitempty"` // up to which nothing about them has changed
	Hot       Source         `json:"hot,omitempty"`  // where a kept decision came from
	Catalogue int64          `json:"catalogue"`
	Failure   string         `json:"failure,omitempty"` // Indeterminate: what broke
}

// RecordRules are the rules and settings that were decided by.
type RecordRules struct {
	Version     int    `json:"version"`
	Certified   string `json:"certified,omitempty"`
	ConfirmHere bool   `json:"confirm_here,omitempty"`
	TestNetwork bool   `json:"test_network,omitempty"`

	OwnElsewhere bool `json:"own_elsewhere,omitempty"`
}

// RecordOption is one way to act that the decision found.
type RecordOption struct {
	Represented  string       `json:"represented"`
	Intermediary string       `json:"intermediary,omitempty"`
	Used         string       `json:"level_used"`
	Effective    string       `json:"level_effective"`
	Mandates     []mandate.ID `json:"mandates"`
	Unconfirmed  []mandate.ID `json:"unconfirmed,omitempty"` // of them, those that a question of its own is to confirm here
	ConfirmAt    string       `json:"confirm_at,omitempty"`

	Establishments []string `json:"establishments,omitempty"` // hashed
}

// RecordReason is one reason and the mandate it is about.
type RecordReason struct {
	Code    string     `json:"code"`
	Mandate mandate.ID `json:"mandate,omitempty"`
}

// Indeterminate is the outcome in a record when nothing could be found out.
const Indeterminate = "Indeterminate"

func (p *PDP) record(ctx context.Context, r Request, f *Finding, a Answer, failure error) error {
	body, err := json.Marshal(p.recordOf(r, f, a, failure))
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	return p.c.Journal.Append(ctx, a.ID, body)
}

// recordOf says what was asked, on which facts, and what was answered. f is nil if
// nothing was found.
func (p *PDP) recordOf(r Request, f *Finding, a Answer, failure error) Record {
	record := p.describe(r)
	record.ID, record.At, record.View, record.Hot = a.ID, a.At.UTC(), int64(a.View), a.Hot
	if f != nil {
		record.Revision, record.Tag, record.Catalogue = int64(f.Stamp.Revision), tagText(f.Stamp.Tag), f.Catalogue
		record.Actor, record.Represented, record.Intermediary = f.Actor, f.Represented, f.Intermediary
	}
	if failure != nil {
		record.Outcome, record.Failure = Indeterminate, broke(failure)
	} else {
		p.conclusion(&record, a.Decision, a.More)
	}
	return record
}

// broke is what broke, in a line that names nobody: errors may quote what a stranger sent.
func broke(failure error) string {
	line, _, _ := strings.Cut(quiet.Cut(failure.Error()), "\n")
	return fmt.Sprintf("%.500s", line)
}

// describe records what was asked, naming parties as if they were unknown.
func (p *PDP) describe(r Request) Record {
	record := Record{
		Assertion: r.Assertion, RestsOn: r.RestsOn, Audience: r.Audience.String(),
		Trace: r.Trace.ID, Span: r.Trace.Span, Parent: r.Trace.Parent, Caller: r.Caller.String(), Message: r.Message, Question: string(r.Question),
		Service: r.ServiceID.String(), ServiceUUID: r.ServiceUUID.String(),
		Login: r.Login.String(), Establishments: p.establishments(r.Establishments),
		Represented:  p.organisation(nil, first(r.Represented)),
		Intermediary: p.organisation(nil, r.Intermediary.KvK.LegalSubject()),
		Rules:        RecordRules{Version: decision.Version, ConfirmHere: !p.c.ConfirmHere.IsZero(), TestNetwork: p.c.TestNetwork, OwnElsewhere: p.c.OwnElsewhere},
	}
	if p.c.Certified != etoegang.NoLevel {
		record.Rules.Certified = p.c.Certified.String()
	}
	if r.Asked != etoegang.NoLevel {
		record.Asked = r.Asked.String()
	}
	if r.Previous != etoegang.NoLevel {
		record.Previous = r.Previous.String()
	}
	if !r.Actor.IsZero() {
		record.Actor = p.person(nil, r.Actor)
	}
	record.UserChooses, record.Chosen, record.ConfirmAt = r.UserChooses, r.Chosen, r.ConfirmAt.String()
	for _, s := range r.Services {
		record.Services = append(record.Services, s.String())
	}
	return record
}

// conclusion records what was answered.
func (p *PDP) conclusion(record *Record, d decision.Decision, more bool) {
	record.Outcome, record.More = d.Outcome.String(), more
	if d.Required != etoegang.NoLevel {
		record.Required = d.Required.String()
	}
	for _, o := range d.Options {
		option := RecordOption{
			Represented: p.represented(o), Establishments: p.establishments(o.Establishments),
			Used: o.Used.String(), Effective: o.Effective.String(),
			Mandates: o.Mandates, Unconfirmed: o.Unconfirmed, ConfirmAt: o.ConfirmAt.String(),
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

// represented names the company of an option, which only another register may know.
func (p *PDP) represented(o decision.Option) string {
	if o.Represented.ID == 0 {
		return p.organisation(nil, o.Represented.KvK.LegalSubject())
	}
	return organisationNumber(&o.Represented)
}

func (p *PDP) establishments(list []etoegang.EstablishmentNumber) (names []string) {
	for _, n := range list {
		names = append(names, p.hash("establishment", n.Text()))
	}
	return names
}

func (p *PDP) person(known *mandate.Person, s etoegang.ActingSubject) string {
	if known != nil {
		return fmt.Sprint(personPrefix, known.ID)
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

func tagText(t register.Tag) string { return hex.EncodeToString(t[:]) }

func organisationNumber(o *mandate.Organisation) string {
	return fmt.Sprint(organisationPrefix, o.ID)
}

// What begins the names of those whom the register knows.
const (
	personPrefix       = "person:"
	organisationPrefix = "organisation:"
)

// PersonNamed is the number of the person whom a record names; known is false for one under a
// hash, and for none.
func PersonNamed(name string) (id mandate.PersonID, known bool, err error) {
	n, known, err := number(name, personPrefix)
	return mandate.PersonID(n), known, err
}

// OrganisationNamed is the number of the organisation whom a record names, as PersonNamed.
func OrganisationNamed(name string) (id mandate.OrganisationID, known bool, err error) {
	n, known, err := number(name, organisationPrefix)
	return mandate.OrganisationID(n), known, err
}

func number(name, prefix string) (id int64, known bool, err error) {
	if name == "" || strings.HasPrefix(name, unknownPrefix) {
		return 0, false, nil
	}
	digits, ok := strings.CutPrefix(name, prefix)
	if id, err = strconv.ParseInt(digits, 10, 64); err != nil || !ok {
		return 0, false, fmt.Errorf("the record names %q, which is no %sN", name, prefix)
	}
	return id, true, nil
}

// unknownPrefix begins the names of those whom the register does not know, and of
// establishments.
const unknownPrefix = "unknown:"

// hash names somebody unknown: the same one always alike, and nobody can tell who it is
// without the key. Parts are prefixed with their length, so that no two lists collide.
func (p *PDP) hash(parts ...string) string {
	h := hmac.New(sha256.New, p.c.Key)
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return unknownPrefix + hex.EncodeToString(h.Sum(nil)[:16])
}
