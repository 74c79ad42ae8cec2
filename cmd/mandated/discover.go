package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

type discoverCommand struct {
	Intermediary string        `required:"" help:"KvK number of the intermediary whose clients are looked for." placeholder:"KVK"`
	For          string        `help:"KvK number of the one client that is looked for." placeholder:"KVK"`
	Service      string        `help:"Only mandates that cover this service, be it with all others." placeholder:"UUID"`
	Level        string        `help:"Only mandates of this level or a higher one." placeholder:"LEVEL"`
	Wait         time.Duration `help:"How long the registers may take, all together. Default: chain.discovery of the configuration." placeholder:"DURATION"`
	Record       bool          `help:"Record what is found as chain mandates that those registers hold."`
	Dev          bool          `help:"Accept development keys. Never in production."`
}

func (c discoverCommand) Run(e *environment) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	config, err := e.load()
	if err != nil {
		return err
	}
	if c.Wait != 0 {
		config.Chain.Discovery = daemon.Duration(c.Wait)
	}
	all, err := daemon.Discover(e.ctx, config, daemon.Options{Dev: c.Dev, Log: slog.New(slog.DiscardHandler), Now: e.now}, filter)
	if err != nil {
		return err
	}
	var made *recordedView
	if c.Record && len(all.Found) > 0 {
		if made, err = record(e, filter.Intermediary, all.Found); err != nil {
			return err
		}
	}
	return c.tell(e, all, made)
}

func (c discoverCommand) filter() (f saml.ChainFilter, err error) {
	if c.Wait < 0 {
		return f, errors.New("--wait: nobody answers in less than no time")
	}
	if f.Intermediary, err = etoegang.ParseIntermediary(c.Intermediary); err != nil {
		return f, err
	}
	if c.For != "" {
		client, err := etoegang.ParseKvKNumber(c.For)
		if err != nil {
			return f, err
		}
		f.Represented = client.LegalSubject()
	}
	if c.Service != "" {
		if f.Service, err = etoegang.ParseServiceUUID(c.Service); err != nil {
			return f, err
		}
	}
	if c.Level != "" {
		f.Level, err = etoegang.ParseLevelName(c.Level)
	}
	return f, err
}

// relationView is a relation as programs read it.
type relationView struct {
	Client   string    `json:"client"` // KvK number
	Name     string    `json:"name,omitempty"`
	Register string    `json:"register"`
	Covers   []string  `json:"covers"`
	Until    time.Time `json:"until"`
}

type silentView struct {
	Register string `json:"register"`
	Why      string `json:"why"`
	Cause    string `json:"cause,omitempty"`
}

func viewRelation(r saml.Relation) relationView {
	v := relationView{Client: r.Represented.Text(), Name: r.Name, Register: r.Register.String(), Until: r.Until}
	for _, item := range scope(r) {
		v.Covers = append(v.Covers, item.String())
	}
	return v
}

func scope(r saml.Relation) (scope mandate.Scope) {
	for _, c := range r.Covers {
		scope = append(scope, mandate.Item{Service: c.Service, Provider: c.Provider, Level: c.Level})
	}
	return scope
}

// tell writes what was found. The exit code says whether that is all.
func (c discoverCommand) tell(e *environment, all server.Discovered, made *recordedView) error {
	found, silent := []relationView{}, []silentView{}
	for _, r := range all.Found {
		found = append(found, viewRelation(r))
	}
	for _, s := range all.Silent {
		v := silentView{Register: s.Register.String(), Why: string(s.Why)}
		if s.Cause != nil {
			v.Cause = s.Cause.Error()
		}
		silent = append(silent, v)
	}
	data := map[string]any{"relations": found, "silent": silent, "complete": len(silent) == 0}
	if made != nil {
		data["recorded"] = made
	}
	err := e.show(data, func() {
		tellRelations(e, found)
		if made != nil {
			fmt.Fprintln(e.out, made)
		}
		tellSilent(e, silent)
	})
	if err == nil && len(silent) > 0 {
		err = quietError{}
	}
	return err
}

func tellRelations(e *environment, found []relationView) {
	if len(found) == 0 {
		fmt.Fprintln(e.out, "no relations found")
		return
	}
	rows := [][]string{{"CLIENT", "NAME", "COVERS", "UNTIL", "HELD BY"}}
	for _, v := range found {
		rows = append(rows, []string{v.Client, v.Name, strings.Join(v.Covers, " "), date(v.Until), v.Register})
	}
	e.table(rows)
}

// tellSilent names who did not answer, so that a part is not taken for the whole.
func tellSilent(e *environment, silent []silentView) {
	for _, v := range silent {
		fmt.Fprintf(e.err, "%s did not answer: %s", v.Register, v.Why)
		if v.Cause != "" {
			fmt.Fprintf(e.err, " (%s)", v.Cause)
		}
		fmt.Fprintln(e.err)
	}
	if len(silent) > 0 {
		fmt.Fprintln(e.err, "This is not complete.")
	}
}

// recordedView is what was recorded.
type recordedView struct {
	Recorded int         `json:"recorded"`
	There    int         `json:"there_already"`
	Ended    int         `json:"ended_meanwhile"`
	Unfit    int         `json:"unfit"` // no mandate can say so here
	Change   receiptView `json:"change"`
}

func (v *recordedView) String() string {
	text := fmt.Sprintf("%d recorded, %d there already, ", v.Recorded, v.There)
	if v.Ended > 0 {
		text += fmt.Sprintf("%d ended meanwhile, ", v.Ended)
	}
	if v.Unfit > 0 {
		text += fmt.Sprintf("%d not fit to be recorded, ", v.Unfit)
	}
	return text + v.Change.String()
}

// record records relations as chain mandates that other registers hold, all of them or none.
// What is there already is left as it is, and what no register could record is counted: one
// register's mistake does not keep out what it and others have told.
func record(e *environment, a etoegang.Intermediary, found []saml.Relation) (*recordedView, error) {
	v := &recordedView{}
	receipt, err := e.change("discovered at other registers", func(t *register.Tx) error {
		for _, r := range found {
			if err := v.add(t, a, r); err != nil {
				return fmt.Errorf("recording what %s told: %w", r.Register, err)
			}
		}
		return nil
	})
	v.Change = viewReceipt(receipt)
	return v, err
}

// add records one relation, if it can be, and counts it.
func (v *recordedView) add(t *register.Tx, a etoegang.Intermediary, r saml.Relation) error {
	if !lasts(r, t.Now()).After(t.Now()) {
		v.Ended++
		return nil
	}
	good, err := fit(t, a, r)
	if err != nil {
		return err
	}
	if !good {
		v.Unfit++
		return nil
	}
	made, err := recordOne(t, a, r)
	if made {
		v.Recorded++
	} else {
		v.There++
	}
	return err
}

// fit tells whether a relation can be a chain mandate here: between two companies, of which
// the client has a KvK number or is known here by another.
func fit(t *register.Tx, a etoegang.Intermediary, r saml.Relation) (bool, error) {
	if r.Represented.Type() == etoegang.TypeKvKNr {
		client, err := etoegang.ParseKvKNumber(r.Represented.Text())
		return client != a.KvK && !register.ReservedNumber(client), err
	}
	known, err := t.Snapshot().Organisation(r.Represented)
	return known != nil && known.KvK != a.KvK, err
}

// lasts is the end of a relation as a mandate of now can have it: the other register may be
// more precise than ours, and have its mandates last longer.
func lasts(r saml.Relation, now time.Time) time.Time {
	end, last := r.Until.Truncate(time.Second), mandate.AddYears(now.Truncate(time.Second), mandate.MaxYears)
	if end.After(last) {
		return last
	}
	return end
}

// recordOne records what of a relation is not there yet.
func recordOne(t *register.Tx, a etoegang.Intermediary, r saml.Relation) (made bool, err error) {
	m := mandate.Mandate{Kind: mandate.Chain, State: mandate.Active, Register: r.Register, Validity: mandate.Validity{From: t.Now().Truncate(time.Second), To: lasts(r, t.Now())}}
	if m.Scope, err = missing(t, a, r); err != nil || len(m.Scope) == 0 {
		return false, err
	}
	if m.Grantor, err = client(t, r); err != nil {
		return false, err
	}
	if m.Intermediary, err = organisation(t, a.KvK.Text()); err != nil {
		return false, err
	}
	_, err = t.Grant(m, register.GrantOptions{})
	return true, err
}

// missing is what of a relation's scope is not recorded for as long as both last.
func missing(t *register.Tx, a etoegang.Intermediary, r saml.Relation) (mandate.Scope, error) {
	known, err := t.Snapshot().Between(r.Represented, a)
	if err != nil {
		return nil, err
	}
	there := map[mandate.Item]bool{}
	for _, m := range known {
		if m.Register != r.Register || m.State.Ended() || !m.Validity.To.After(t.Now()) {
			continue
		}
		for _, item := range m.Scope {
			there[item] = true
		}
	}
	var scope mandate.Scope
	for _, c := range r.Covers {
		if item := (mandate.Item{Service: c.Service, Provider: c.Provider, Level: c.Level}); !there[item] {
			scope = append(scope, item)
		}
	}
	return scope, nil
}

// client finds the company, or makes it with the name that the other register has.
func client(t *register.Tx, r saml.Relation) (mandate.Organisation, error) {
	known, err := t.Snapshot().Organisation(r.Represented)
	switch {
	case err != nil:
		return mandate.Organisation{}, err
	case known != nil:
		return *known, nil
	}
	kvk, err := etoegang.ParseKvKNumber(r.Represented.Text())
	if err != nil {
		return mandate.Organisation{}, err
	}
	return t.PutOrganisation(mandate.Organisation{KvK: kvk, Name: r.Name, Active: true})
}
