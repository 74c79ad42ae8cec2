package pdp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// History is a register that still knows what it knew. *register.Register is one.
type History interface {
	// EntityID is the register's own name.
	EntityID() etoegang.EntityID

	// Read gives the newest snapshot, ReadAt that of a revision.
	Read(ctx context.Context, fn func(*register.Snapshot) error) error
	ReadAt(ctx context.Context, rev register.Revision, fn func(*register.Snapshot) error) error
}

var _ History = (*register.Register)(nil)

// When says on which facts, and for which moment, a question is decided again.
type When uint8

// The two ways to replay.
const (
	Then When = iota // everything as recorded: revision, catalogue, settings and moment
	Now              // today's facts, catalogue, settings and moment
)

// Replayed is a recorded question decided again.
type Replayed struct {
	// Record is what would be recorded of it: the question as it was, on which facts it
	// was decided again, and the answer. Zero if it could not be asked again.
	Record Record

	// Differences are what only one of the two answers says, a line each, for people. None:
	// they agree.
	Differences []string

	// Notes are what a reader of the differences has to know: other rules, other settings,
	// or that nothing was decided the first time.
	Notes []string
}

// ErrNoHistory is wrapped by the error of Replay when the register does not have what the
// record speaks of: the two do not belong together, or one is older than the other.
var ErrNoHistory = errors.New("pdp: the register's history does not hold what the record rests on")

// Replay decides the question of a record again and compares the answers. With Then they
// must agree, also if a kept decision was used: its facts are of the revision that the
// record names. A decision by another version of the rules may differ, and a note says so.
//
// Of c it uses Catalogues, Key and Now; and with Now its settings.
//
// Those whom the register did not know stand in the record under a hash. They are taken as
// unknown still. If nothing was decided, because something broke, the question is decided
// with Now and nothing is compared; if it broke before anybody was looked up, everybody
// stands there under a hash, and the question cannot be asked again.
//
// Its errors: ErrNoHistory; a record that cannot be read; and those of h.
func Replay(ctx context.Context, c Config, h History, record Record, with When) (Replayed, error) {
	var out Replayed
	decided := record.Outcome != Indeterminate
	if !decided {
		with = Now
		out.note("nothing was decided: %s", record.Failure)
		if record.Revision == 0 {
			out.note("it broke before anybody was looked up: the record names everybody by a hash, so the question cannot be asked again")
			return out, nil
		}
	}
	p := New(c.replaying(record.Rules, h.EntityID(), with))
	decide := func(s *register.Snapshot) (err error) {
		out.Record, err = p.again(s, record, with)
		return err
	}
	var err error
	if with == Now {
		err = h.Read(ctx, decide)
	} else {
		err = h.ReadAt(ctx, register.Revision(record.Revision), decide)
	}
	if errors.Is(err, register.ErrNotFound) {
		err = fmt.Errorf("%w: revision %d: %w", ErrNoHistory, record.Revision, err)
	}
	if err != nil {
		return Replayed{}, fmt.Errorf("replaying %s: %w", record.ID, err)
	}
	out.compare(record, with, decided)
	return out, nil
}

// replaying gives the configuration for a replay: with Then, the settings of the record.
func (c Config) replaying(rules RecordRules, self etoegang.EntityID, with When) Config {
	if with == Now {
		return c
	}
	c.Certified, _ = parseLevel(rules.Certified) // judged by questionOf with the rest
	c.TestNetwork, c.OwnElsewhere, c.ConfirmHere = rules.TestNetwork, rules.OwnElsewhere, etoegang.EntityID{}
	if rules.ConfirmHere {
		c.ConfirmHere = self
	}
	return c
}

// again decides a recorded question on a snapshot, and records that.
func (p *PDP) again(s *register.Snapshot, record Record, with When) (Record, error) {
	r, err := questionOf(s, record)
	if err != nil {
		return Record{}, err
	}
	if with == Now {
		r.At = p.c.Now()
	}
	facts, _, err := p.gather(s, r, &Finding{}, everything)
	if err != nil {
		return Record{}, err
	}
	r.Establishments = p.recognise(record.Establishments, facts)
	f := &Finding{}
	if _, err := p.decide(s, r, f, firstLook); err != nil {
		return Record{}, err
	}

	stamp := s.Stamp()
	record.At, record.Rules = r.At.UTC(), p.describe(r).Rules
	record.Revision, record.Tag, record.Catalogue = int64(stamp.Revision), tagText(stamp.Tag), s.CatalogueSequence()
	record.View, record.Hot, record.Failure = 0, FromRegister, ""
	record.Required, record.Options, record.Reasons, record.Until = "", nil, nil, nil
	p.conclusion(&record, f.Decision, f.More)
	if r.Chosen && facts.Represented == nil { // in an option of one whom only another register knows stands the stand-in
		for i := range record.Options {
			record.Options[i].Represented = record.Represented
		}
	}
	return record, nil
}

// questionOf makes a record a question again, for the snapshot that knows its numbers.
func questionOf(s *register.Snapshot, record Record) (q Request, err error) {
	text := reader{}
	q = Request{
		Question: decision.Question(record.Question), At: record.At,
		ServiceID:   read(&text, etoegang.ParseServiceID, record.Service),
		ServiceUUID: read(&text, etoegang.ParseServiceUUID, record.ServiceUUID),
		Asked:       read(&text, parseLevel, record.Asked),
		Login:       read(&text, parseLevel, record.Login),
		Previous:    read(&text, parseLevel, record.Previous),
		UserChooses: record.UserChooses,
		Chosen:      record.Chosen,
		ConfirmAt:   read(&text, etoegang.ParseEntityID, record.ConfirmAt),
	}
	for _, service := range record.Services {
		q.Services = append(q.Services, read(&text, etoegang.ParseServiceUUID, service))
	}
	read(&text, parseLevel, record.Rules.Certified)
	if text.wrong {
		return q, errors.New("the record names a service or a level that is none")
	}
	if q.Actor, err = actorOf(s, record.Actor); err != nil {
		return q, err
	}
	represented, err := companyOf(s, record.Represented)
	if err != nil {
		return q, err
	}
	if !represented.IsZero() {
		q.Represented = []etoegang.LegalSubject{represented.LegalSubject()}
	}
	q.Intermediary.KvK, err = companyOf(s, record.Intermediary)
	return q, err
}

// parseLevel reads a level as records have it, where none is a word.
func parseLevel(name string) (etoegang.AssuranceLevel, error) {
	if name == "" || name == etoegang.NoLevel.String() {
		return etoegang.NoLevel, nil
	}
	return etoegang.ParseLevelName(name)
}

// nobody is a person whom no register can hold: it would want to know which
// authentication service knows him.
var nobody = func() etoegang.ActingSubject {
	pseudonym, err := etoegang.ParsePseudonym(strings.Repeat("0", 64))
	if err != nil {
		panic(err) // 64 digits are one
	}
	return etoegang.ActingSubject{Pseudonym: pseudonym}
}()

// actorOf finds the person whom a record names.
func actorOf(s *register.Snapshot, name string) (etoegang.ActingSubject, error) {
	id, known, err := PersonNamed(name)
	switch {
	case err != nil || name == "":
		return etoegang.ActingSubject{}, err
	case !known:
		return nobody, nil
	}
	person, err := s.PersonNumbered(id)
	if err == nil && person == nil {
		err = fmt.Errorf("%w: %s at revision %d", ErrNoHistory, name, s.Revision())
	}
	if err != nil {
		return etoegang.ActingSubject{}, err
	}
	return person.Subject, nil
}

// companyOf finds the KvK number of the organisation that a record names.
func companyOf(s *register.Snapshot, name string) (etoegang.KvKNumber, error) {
	id, known, err := OrganisationNamed(name)
	switch {
	case err != nil || name == "":
		return etoegang.KvKNumber{}, err
	case !known:
		return freeNumber(s)
	}
	organisation, err := s.OrganisationNumbered(id)
	if err == nil && organisation == nil {
		err = fmt.Errorf("%w: %s at revision %d", ErrNoHistory, name, s.Revision())
	}
	if err != nil {
		return etoegang.KvKNumber{}, err
	}
	return organisation.KvK, nil
}

// freeNumber gives a KvK number that nobody has at the snapshot, for somebody of whom is
// known only that he was unknown.
func freeNumber(s *register.Snapshot) (etoegang.KvKNumber, error) {
	for n := 99999999; ; n-- {
		kvk, err := etoegang.ParseKvKNumber(fmt.Sprintf("%08d", n))
		if err != nil {
			return kvk, err
		}
		holder, err := s.Organisation(kvk.LegalSubject())
		if err != nil || holder == nil {
			return kvk, err
		}
	}
}

// recognise finds the establishments of a record in the mandates that are looked at. One
// that no mandate has becomes a number that no mandate has.
func (p *PDP) recognise(hashes []string, f decision.Facts) (list []etoegang.EstablishmentNumber) {
	known := map[string]etoegang.EstablishmentNumber{}
	for _, m := range considered(f) {
		for i, hash := range p.establishments(m.Establishments) {
			known[hash] = m.Establishments[i]
		}
	}
	for _, hash := range hashes {
		n, ok := known[hash]
		for free := 0; !ok; free++ {
			n, _ = etoegang.ParseEstablishmentNumber(fmt.Sprintf("%012d", free)) // twelve digits are one
			_, taken := known[p.establishments([]etoegang.EstablishmentNumber{n})[0]]
			ok = !taken
		}
		list = append(list, n)
	}
	return list
}

func considered(f decision.Facts) []mandate.Mandate {
	list := slices.Concat(f.Direct, f.Chain)
	for _, a := range f.Assigned {
		list = append(list, a.Assignment, a.Chain)
	}
	return list
}

// compare notes what differs. What was not decided is compared with nothing.
func (out *Replayed) compare(record Record, with When, decided bool) {
	was, is := record.Rules, out.Record.Rules
	if was.Version != is.Version {
		out.note("it was decided by version %d of the rules, and is decided again by version %d", was.Version, is.Version)
	}
	if was.Version = is.Version; was != is {
		out.note("the settings have changed: %s; now %s", was, is)
	}
	if strings.Contains(record.Actor+record.Represented+record.Intermediary, unknownPrefix) && with == Now {
		out.note("those whom the register did not know then are taken as unknown still")
	}
	if !decided {
		return
	}
	before, after := record.answer(), out.Record.answer()
	if with == Then {
		before, after = append(before, record.facts()), append(after, out.Record.facts())
	}
	words := [...][2]string{Then: {"recorded", "replayed"}, Now: {"then", "now"}}[with]
	out.only(words[0], before, after)
	out.only(words[1], after, before)
	if len(out.Differences) == 0 && !slices.Equal(before, after) {
		out.Differences = append(out.Differences, "the same in another order")
	}
}

func (out *Replayed) note(format string, args ...any) {
	out.Notes = append(out.Notes, fmt.Sprintf(format, args...))
}

// only adds the lines of one answer that the other does not have.
func (out *Replayed) only(word string, lines, others []string) {
	for _, line := range lines {
		if !slices.Contains(others, line) {
			out.Differences = append(out.Differences, word+": "+line)
		}
	}
}

// answer is everything that a record says of what was decided, a line each.
func (r Record) answer() []string {
	lines := []string{"outcome " + r.Outcome}
	if r.Required != "" {
		lines = append(lines, "level required "+r.Required)
	}
	for _, o := range r.Options {
		lines = append(lines, o.String())
	}
	for _, reason := range r.Reasons {
		lines = append(lines, reason.String())
	}
	if r.More {
		lines = append(lines, "more companies that were not looked at")
	}
	until := "without end"
	if r.Until != nil {
		until = "until " + r.Until.UTC().Format(time.RFC3339Nano)
	}
	return append(lines, until)
}

// facts is what a decision was made on.
func (r Record) facts() string {
	return fmt.Sprintf("on revision %d (%s), catalogue %d", r.Revision, r.Tag, r.Catalogue)
}

// String is the option in one line, for people.
func (o RecordOption) String() string {
	text := "option for " + o.Represented
	if o.Intermediary != "" {
		text += " through " + o.Intermediary
	}
	text += fmt.Sprintf(", level used %s, effective %s, mandates %v", o.Used, o.Effective, o.Mandates)
	if o.ConfirmAt != "" {
		text += ", to be confirmed by " + o.ConfirmAt
	}
	if len(o.Establishments) > 0 {
		text += ", only establishments " + strings.Join(o.Establishments, " ")
	}
	return text
}

// String is the reason in one line, for people.
func (r RecordReason) String() string {
	if r.Mandate == 0 {
		return "reason " + r.Code
	}
	return fmt.Sprintf("reason %s of mandate %d", r.Code, r.Mandate)
}

// String is the rules in one line, for people.
func (r RecordRules) String() string {
	text := fmt.Sprintf("rules %d", r.Version)
	if r.Certified != "" {
		text += ", certified " + r.Certified
	}
	if r.ConfirmHere {
		text += ", own chains confirmed here"
	}
	if r.TestNetwork {
		text += ", test network"
	}
	if r.OwnElsewhere {
		text += ", clients elsewhere without assignment"
	}
	return text
}
