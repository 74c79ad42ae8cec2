package intake

import (
	"errors"
	"fmt"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// desk handles the lines of one batch, within one change. While that lasts nobody
// else writes, so what it looked up stays true.
type desk struct {
	tx        *register.Tx
	view      *register.Snapshot
	self      etoegang.EntityID // the register itself
	migrating bool

	between map[pair][]mandate.Mandate // chain mandates, until one is added
}

// pair is a client and its intermediary.
type pair struct{ client, intermediary etoegang.KvKNumber }

// judge judges and writes a batch, in order. An error is the register's, and the end
// of the batch.
func (j *job) judge(tx *register.Tx, batch []wish) ([]Result, error) {
	d := &desk{
		tx: tx, view: tx.Snapshot(), self: j.register.EntityID(), migrating: j.options.Migrating,
		between: map[pair][]mandate.Mandate{},
	}
	if err := tx.Expect(partiesOf(batch)); err != nil {
		return nil, err
	}
	headings := j.file.Headings()
	results := make([]Result, 0, len(batch))
	for _, w := range batch {
		status, id, err := d.settle(w)
		result, err := w.result(status, id, err, headings)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

// partiesOf are the companies and people in a batch.
func partiesOf(batch []wish) (companies []etoegang.KvKNumber, people []etoegang.ActingSubject) {
	for _, w := range batch {
		for _, n := range []etoegang.KvKNumber{w.mandate.Grantor.KvK, w.mandate.Intermediary.KvK, w.client} {
			if !n.IsZero() {
				companies = append(companies, n)
			}
		}
		if !w.mandate.Person.Subject.IsZero() {
			people = append(people, w.mandate.Person.Subject)
		}
	}
	return companies, people
}

// settle judges one line and, if it is right, writes it. The order matters: a
// mandate that is there already stays what it is, also when by now it could no
// longer be granted.
func (d *desk) settle(w wish) (Status, mandate.ID, error) {
	if w.problem != nil {
		return Refused, 0, w.problem
	}
	p, err := d.lookUp(w)
	if err != nil {
		return "", 0, err
	}
	same, err := d.same(w, p)
	switch {
	case err != nil:
		return "", 0, err
	case same != 0:
		return Unchanged, same, d.complete(w.mandate, p, onlyBlanks)
	}
	m, err := d.fit(w, p)
	if err != nil {
		return "", 0, err
	}
	id, err := d.grant(m, p)
	return Granted, id, err
}

// fit makes the mandate complete and judges it, all but what the register judges
// when it is granted.
func (d *desk) fit(w wish, p parties) (mandate.Mandate, error) {
	m := w.mandate
	if m.Register == d.self {
		return m, refuse(otherRegister, "this-register", nil)
	}
	if m.Kind == mandate.Assignment {
		client, err := d.client(w)
		if err != nil {
			return m, err
		}
		m.Client = client
	}
	m.Grantor.ID, m.Intermediary.ID, m.Person.ID = p.standIns(m)
	if err := mandate.Check(m, d.tx.Now(), d.migrating); err != nil {
		return m, unfit(err)
	}
	return m, nil
}

// grant registers who is new, then the mandate, then what else the line says about
// those who were known. Only mandates between known parties can be refused here, so
// a refusal leaves nothing behind.
func (d *desk) grant(m mandate.Mandate, p parties) (mandate.ID, error) {
	p, err := d.enrol(m, p)
	if err != nil {
		return 0, err
	}
	m.Grantor.ID, m.Intermediary.ID, m.Person.ID = p.grantor.ID, p.intermediary.ID, p.person.ID
	granted, err := d.tx.Grant(m, register.GrantOptions{Migrating: d.migrating})
	if overlap, ok := errors.AsType[*register.OverlapError](err); ok && !p.enrolled {
		return 0, d.collision(m, overlap.Mandate)
	}
	if err != nil {
		return 0, fmt.Errorf("granting a mandate that was judged to be right: %w", err)
	}
	delete(d.between, pair{m.Grantor.KvK, m.Intermediary.KvK})
	return granted.ID, d.complete(m, p, everything)
}
