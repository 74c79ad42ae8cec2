package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

type decideCommand struct {
	Service  string `required:"" help:"ServiceID: urn:etoegang:DV:<OIN>:services:<n>." placeholder:"URN"`
	UUID     string `required:"" help:"ServiceUUID of the instance or its definition." placeholder:"UUID"`
	Person   int64  `help:"Number of the person who acts; without one the question is for the company's half of a chain." placeholder:"N"`
	For      string `help:"KvK number of the company to act for." placeholder:"KVK"`
	Through  string `help:"KvK number of the intermediary; with it the question is whether an earlier answer still holds, or without --person to confirm it." placeholder:"KVK"`
	Login    string `default:"loa4" help:"Level at which the person logged in."`
	Asked    string `help:"Level asked for. Default: the catalogue's."`
	Previous string `default:"loa4" help:"Level that the first register stated, for the company's half."`
	At       string `help:"Decide for this moment, on what was known at it. Default: now." placeholder:"MOMENT"`
	AtLeast  int64  `name:"at-least-revision" help:"Decide on this revision of the register or a later one, or not at all." placeholder:"N"`
}

func (d decideCommand) Run(e *environment) error {
	return e.look(func(c daemon.Config, r *register.Register) error {
		known, err := d.knowledge(e, r)
		if err != nil {
			return err
		}
		request, err := d.request(e, known)
		if err != nil {
			return err
		}
		point := pdp.New(daemon.Explainer(c, known, r.Key("journal"), e.now))
		answer, facts, asked, err := point.Explain(e.ctx, request)
		if err != nil {
			return err
		}
		view := explain(answer, facts, asked)
		return e.show(view, func() { view.tell(e) })
	})
}

// knowledge is a register of which only one revision is read: what was known at a moment.
type knowledge struct {
	*register.Register
	revision register.Revision
}

func (k knowledge) Read(ctx context.Context, fn func(*register.Snapshot) error) error {
	return k.ReadAt(ctx, k.revision, fn)
}

// knowledge finds what was known at the moment to decide for; without one, what is known
// now. Of the future nothing more is known than now.
func (d decideCommand) knowledge(e *environment, r *register.Register) (k knowledge, err error) {
	k.Register = r
	if d.At == "" {
		err = r.Read(e.ctx, func(s *register.Snapshot) error {
			k.revision = s.Revision()
			return nil
		})
	} else {
		k.revision, err = d.then(e, r)
	}
	if err == nil && k.revision < register.Revision(d.AtLeast) {
		err = fmt.Errorf("revision %d is asked for, and the register is at %d: it is another one than you think, or a restored backup", d.AtLeast, k.revision)
	}
	return k, err
}

// then is the revision that the register was at.
func (d decideCommand) then(e *environment, r *register.Register) (register.Revision, error) {
	at, err := mandate.ParseMoment(d.At)
	if err != nil {
		return 0, err
	}
	revision, err := r.RevisionAt(e.ctx, at)
	if errors.Is(err, register.ErrNotFound) {
		return 0, fmt.Errorf("at %s nothing was known here: the register is younger", d.At)
	}
	return revision, err
}

func (d decideCommand) request(e *environment, r knowledge) (q pdp.Request, err error) {
	q = pdp.Request{Question: decision.Authorize}
	if q.ServiceID, err = etoegang.ParseServiceID(d.Service); err != nil {
		return q, err
	}
	if q.ServiceUUID, err = etoegang.ParseServiceUUID(d.UUID); err != nil {
		return q, err
	}
	if q.Login, err = etoegang.ParseLevelName(d.Login); err != nil {
		return q, err
	}
	if d.Asked != "" {
		if q.Asked, err = etoegang.ParseLevelName(d.Asked); err != nil {
			return q, err
		}
	}
	if d.At != "" {
		if q.At, err = mandate.ParseMoment(d.At); err != nil {
			return q, err
		}
	}
	return q, d.parties(e, r, &q)
}

func (d decideCommand) parties(e *environment, r knowledge, q *pdp.Request) (err error) {
	if d.For != "" {
		kvk, err := etoegang.ParseKvKNumber(d.For)
		if err != nil {
			return err
		}
		q.Represented = []etoegang.LegalSubject{kvk.LegalSubject()}
	}
	if d.Through != "" {
		q.Question = decision.Recheck
		if q.Intermediary, err = etoegang.ParseIntermediary(d.Through); err != nil {
			return err
		}
	}
	if d.Person == 0 {
		q.Question = decision.Confirm
		if d.For == "" || d.Through == "" {
			return fmt.Errorf("say who acts with --person N, or for the company's half of a chain --for KVK and --through KVK")
		}
		q.Previous, err = etoegang.ParseLevelName(d.Previous)
		return err
	}
	return r.Read(e.ctx, func(s *register.Snapshot) error {
		person, err := s.PersonNumbered(mandate.PersonID(d.Person))
		if err == nil && person == nil {
			err = fmt.Errorf("there is no person %d at revision %d", d.Person, r.revision)
		}
		if err == nil {
			q.Actor = person.Subject
		}
		return err
	})
}

// explanation is a decision with everything that led to it.
type explanation struct {
	Question  string            `json:"question"`
	At        time.Time         `json:"at"`
	Outcome   string            `json:"outcome"`
	Required  string            `json:"level_required"`
	Options   []optionView      `json:"options"`
	Reasons   []reasonView      `json:"reasons"`
	Until     *time.Time        `json:"until,omitempty"`
	Service   string            `json:"service"`
	Facts     []mandateView     `json:"facts"`
	Revision  register.Revision `json:"revision"`
	Catalogue int64             `json:"catalogue"`
	catalogue *etoegang.Service `json:"-"`
	login     etoegang.AssuranceLevel
}

type optionView struct {
	Represented    partyView    `json:"represented"`
	Intermediary   *partyView   `json:"intermediary,omitempty"`
	Establishments []string     `json:"establishments,omitempty"`
	Identifiers    []string     `json:"identifier_types,omitempty"`
	Used           string       `json:"level_used"`
	Effective      string       `json:"level_effective"`
	Mandates       []mandate.ID `json:"mandates"`
	ConfirmAt      string       `json:"confirm_at,omitempty"`
}

type reasonView struct {
	Code    string     `json:"code"`
	Mandate mandate.ID `json:"mandate,omitempty"`
	Meaning string     `json:"meaning"`
}

func explain(a pdp.Answer, f decision.Facts, r decision.Request) explanation {
	x := explanation{
		Question: string(r.Question), At: a.At.UTC(), Outcome: a.Outcome.String(), Required: a.Required.String(),
		Options: []optionView{}, Reasons: []reasonView{}, Facts: []mandateView{},
		Revision: a.Revision, Catalogue: a.Catalogue, catalogue: f.Service, login: r.Authentication,
	}
	if f.Service != nil {
		x.Service = f.Service.UUID.String()
	}
	for _, m := range f.Direct {
		x.Facts = append(x.Facts, viewOf(m))
	}
	for _, a := range f.Assigned {
		x.Facts = append(x.Facts, viewOf(a.Assignment), viewOf(a.Chain))
	}
	for _, m := range f.Chain {
		x.Facts = append(x.Facts, viewOf(m))
	}
	for _, o := range a.Options {
		x.Options = append(x.Options, viewOption(o))
	}
	for _, reason := range a.Reasons {
		x.Reasons = append(x.Reasons, reasonView{string(reason.Code), reason.Mandate, reason.Code.Sentence()})
	}
	if !a.Until.IsZero() {
		until := a.Until.UTC()
		x.Until = &until
	}
	return x
}

func viewOption(o decision.Option) optionView {
	v := optionView{
		Represented: organisationView(o.Represented), Used: o.Used.String(), Effective: o.Effective.String(),
		Mandates: o.Mandates, ConfirmAt: o.ConfirmAt.String(),
	}
	if o.Intermediary != nil {
		a := organisationView(*o.Intermediary)
		v.Intermediary = &a
	}
	for _, n := range o.Establishments {
		v.Establishments = append(v.Establishments, n.Text())
	}
	for _, id := range o.Identifiers {
		v.Identifiers = append(v.Identifiers, id.Type().Short())
	}
	return v
}

// tell explains the decision in words: what was asked, what was looked at, how each of it
// fared, and what came out.
func (x explanation) tell(e *environment) {
	fmt.Fprintf(e.out, "%s at %s, revision %d, catalogue %d\n", x.Question, x.At.Format(time.RFC3339), x.Revision, x.Catalogue)
	if x.catalogue == nil {
		fmt.Fprintln(e.out, "service   not in the catalogue")
	} else {
		fmt.Fprintf(e.out, "service   %s, needs %s, level required %s, log-in %s\n", x.Service, x.catalogue.Level, x.Required, x.login)
	}
	fmt.Fprintf(e.out, "looked at %d mandates\n", len(x.Facts))
	rows := [][]string{append(append([]string{}, mandateHeader...), "STANDS IN THE WAY")}
	for _, m := range x.Facts {
		rows = append(rows, append(mandateRow(m), x.about(m.ID)))
	}
	if len(x.Facts) > 0 {
		e.table(rows)
	}
	for _, r := range x.Reasons {
		if r.Mandate == 0 {
			fmt.Fprintf(e.out, "reason    %s: %s\n", r.Code, r.Meaning)
		}
	}
	fmt.Fprintf(e.out, "outcome   %s\n", x.Outcome)
	for _, o := range x.Options {
		fmt.Fprintf(e.out, "  for %s", o.Represented)
		if o.Intermediary != nil {
			fmt.Fprintf(e.out, " through %s", *o.Intermediary)
		}
		fmt.Fprintf(e.out, ", level used %s, effective %s, mandates %v", o.Used, o.Effective, o.Mandates)
		if o.ConfirmAt != "" {
			fmt.Fprintf(e.out, ", to be confirmed by %s", o.ConfirmAt)
		}
		fmt.Fprintln(e.out)
	}
	if x.Until != nil {
		fmt.Fprintf(e.out, "until     %s\n", x.Until.Format(time.RFC3339))
	}
}

// about joins what stands in the way of one mandate.
func (x explanation) about(id mandate.ID) string {
	text := ""
	for _, r := range x.Reasons {
		if r.Mandate == id {
			if text != "" {
				text += "; "
			}
			text += r.Code
		}
	}
	if text == "" {
		return "nothing"
	}
	return text
}
