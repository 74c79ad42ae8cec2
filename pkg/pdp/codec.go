package pdp

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// stored is a Finding as bytes. Identifiers in it name people and companies, so whoever
// keeps the bytes must encrypt them.
type stored struct {
	Revision  register.Revision `json:"r"`
	Tag       register.Tag      `json:"t"`
	Parties   []register.Party  `json:"p"`
	From      time.Time         `json:"f"`
	Until     time.Time         `json:"u"`
	Catalogue int64             `json:"c"`

	Actor        string `json:"a"`
	Represented  string `json:"b"`
	Intermediary string `json:"i"`

	Outcome  decision.Outcome        `json:"o"`
	Required etoegang.AssuranceLevel `json:"l"`
	Reasons  []decision.Reason       `json:"w"`
	Options  []storedOption          `json:"x"`
}

type storedOption struct {
	Represented    storedOrganisation      `json:"b"`
	Intermediary   *storedOrganisation     `json:"i"`
	Establishments []string                `json:"e"`
	Identifiers    [][2]string             `json:"n"` // type and value
	Services       []string                `json:"s"`
	Used           etoegang.AssuranceLevel `json:"u"`
	Effective      etoegang.AssuranceLevel `json:"f"`
	Mandates       []mandate.ID            `json:"m"`
	Unconfirmed    []mandate.ID            `json:"t"`
	ConfirmAt      string                  `json:"c"`
}

type storedOrganisation struct {
	ID      mandate.OrganisationID `json:"i"`
	KvK     string                 `json:"k"`
	RSIN    string                 `json:"r"`
	Name    string                 `json:"n"`
	Active  bool                   `json:"a"`
	Blocked bool                   `json:"b"`
}

// Encode writes a finding down for another node.
func (f *Finding) Encode() ([]byte, error) {
	s := stored{
		Revision: f.Stamp.Revision, Tag: f.Stamp.Tag, Parties: f.Parties, From: f.From, Until: f.Until, Catalogue: f.Catalogue,
		Actor: f.Actor, Represented: f.Represented, Intermediary: f.Intermediary,
		Outcome: f.Decision.Outcome, Required: f.Decision.Required, Reasons: f.Decision.Reasons,
	}
	for _, o := range f.Decision.Options {
		s.Options = append(s.Options, storeOption(o))
	}
	return json.Marshal(s)
}

func storeOption(o decision.Option) storedOption {
	s := storedOption{
		Represented: storeOrganisation(o.Represented), Used: o.Used, Effective: o.Effective,
		Mandates: o.Mandates, Unconfirmed: o.Unconfirmed, ConfirmAt: o.ConfirmAt.String(),
	}
	if o.Intermediary != nil {
		a := storeOrganisation(*o.Intermediary)
		s.Intermediary = &a
	}
	for _, n := range o.Establishments {
		s.Establishments = append(s.Establishments, n.Text())
	}
	for _, id := range o.Identifiers {
		s.Identifiers = append(s.Identifiers, [2]string{string(id.Type()), id.Text()})
	}
	for _, u := range o.Services {
		s.Services = append(s.Services, u.String())
	}
	return s
}

func storeOrganisation(o mandate.Organisation) storedOrganisation {
	return storedOrganisation{o.ID, o.KvK.Text(), o.RSIN.Text(), o.Name, o.Active, o.Blocked}
}

// errFinding is the error of bytes that are no finding of this release.
var errFinding = errors.New("pdp: not a finding")

// DecodeFinding reads what Encode wrote.
func DecodeFinding(b []byte) (*Finding, error) {
	var s stored
	if err := json.Unmarshal(b, &s); err != nil || s.Tag == (register.Tag{}) || s.Outcome > decision.Permit {
		return nil, errFinding
	}
	f := &Finding{
		Catalogue: s.Catalogue, Actor: s.Actor, Represented: s.Represented, Intermediary: s.Intermediary,
		Decision: decision.Decision{Outcome: s.Outcome, Required: s.Required, Reasons: s.Reasons, Since: s.From, Until: s.Until},
	}
	f.Stamp, f.Parties, f.From, f.Until = register.Stamp{Revision: s.Revision, Tag: s.Tag}, s.Parties, s.From, s.Until
	r := reader{}
	for _, o := range s.Options {
		f.Decision.Options = append(f.Decision.Options, r.option(o))
	}
	if r.wrong || (len(s.Options) == 1) != (s.Outcome == decision.Permit) || len(s.Options) > 1 {
		return nil, errFinding
	}
	return f, nil
}

// reader parses identifiers, and remembers that one was none.
type reader struct{ wrong bool }

// read parses a text that may be empty.
func read[T any](r *reader, parse func(string) (T, error), text string) (value T) {
	if text == "" {
		return value
	}
	value, err := parse(text)
	r.wrong = r.wrong || err != nil
	return value
}

func (r *reader) option(s storedOption) decision.Option {
	o := decision.Option{
		Represented: r.organisation(s.Represented), Used: s.Used, Effective: s.Effective,
		Mandates: s.Mandates, Unconfirmed: s.Unconfirmed, ConfirmAt: read(r, etoegang.ParseEntityID, s.ConfirmAt),
	}
	if s.Intermediary != nil {
		a := r.organisation(*s.Intermediary)
		o.Intermediary = &a
	}
	for _, n := range s.Establishments {
		o.Establishments = append(o.Establishments, read(r, etoegang.ParseEstablishmentNumber, n))
	}
	for _, id := range s.Identifiers {
		subject, err := etoegang.ParseLegalSubject(etoegang.EntityType(id[0]), id[1])
		r.wrong = r.wrong || err != nil
		o.Identifiers = append(o.Identifiers, subject)
	}
	for _, u := range s.Services {
		o.Services = append(o.Services, read(r, etoegang.ParseServiceUUID, u))
	}
	return o
}

func (r *reader) organisation(s storedOrganisation) mandate.Organisation {
	return mandate.Organisation{
		ID: s.ID, KvK: read(r, etoegang.ParseKvKNumber, s.KvK), RSIN: read(r, etoegang.ParseRSIN, s.RSIN),
		Name: s.Name, Active: s.Active, Blocked: s.Blocked,
	}
}

// Size is about how many bytes of memory a finding takes.
func (f *Finding) Size() int {
	size := 400 + 16*len(f.Parties) + 40*len(f.Decision.Reasons)
	for _, o := range f.Decision.Options {
		size += 500 + len(o.Represented.Name) + 24*len(o.Identifiers) + 16*(len(o.Establishments)+len(o.Services)+len(o.Mandates)+len(o.Unconfirmed))
	}
	return size
}
