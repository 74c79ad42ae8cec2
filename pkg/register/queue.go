package register

import "slices"

// What a change adds is put off until somebody asks or something is changed, and then written
// table by table, many rows in one statement: a statement costs a database more than a row. So a
// part of a change that comes to nothing before has written nothing.

// table is one to which rows are added, in the order in which they refer to each other.
type table int

const (
	inOrganisation table = iota
	inOrganisationVersion
	inOrganisationName
	inPerson
	inPersonVersion
	inMandate
	inMandateVersion
	inMandateScope
	inMandateEstablishment
	inFee
	inRequest
	inStep
	inNotice
	tables int = iota
)

var inserts = [tables]string{
	inOrganisation:         `INSERT INTO organisation (id) VALUES `,
	inOrganisationVersion:  `INSERT INTO organisation_version (organisation, version, since, until, kvk, rsin, name, active, blocked) VALUES `,
	inOrganisationName:     `INSERT INTO organisation_name (organisation, version, word, text) VALUES `,
	inPerson:               `INSERT INTO person (id) VALUES `,
	inPersonVersion:        `INSERT INTO person_version (person, version, since, until, authenticator, pseudonym, name, active, blocked) VALUES `,
	inMandate:              `INSERT INTO mandate (id, kind, grantor, represented, person, intermediary, client, register, limited, valid_from, valid_to, reference, supersedes) VALUES `,
	inMandateVersion:       `INSERT INTO mandate_version (mandate, version, since, until, state) VALUES `,
	inMandateScope:         `INSERT INTO mandate_scope (mandate, service, provider, level) VALUES `,
	inMandateEstablishment: `INSERT INTO mandate_establishment (mandate, establishment) VALUES `,
	inFee:                  `INSERT INTO fee (mandate, since, cents) VALUES `,
	inRequest:              `INSERT INTO request (mandate, asked_by, offer, expires, hands_over) VALUES `,
	inStep:                 `INSERT INTO step (mandate, number, since, act, side, appointment, consent, catalogue) VALUES `,
	inNotice:               `INSERT INTO notice (id, since, until, kind, organisation, mandate, appointment, company, days, author, at, once) VALUES `,
}

// queue is what is put off.
type queue struct {
	rows [tables][][]any
	n    int
	part [tables]int // where that of the part begins: see Try
}

// mostQueued bounds what is put off.
const mostQueued = 4096

// insert adds a row.
func (t *Tx) insert(to table, row ...any) error {
	if err := t.view.ready(); err != nil {
		return err
	}
	t.queue.rows[to] = append(t.queue.rows[to], row)
	if t.queue.n++; t.queue.n < mostQueued {
		return nil
	}
	return t.flush()
}

// begin begins a part.
func (q *queue) begin() {
	for i, rows := range q.rows {
		q.part[i] = len(rows)
	}
}

// drop forgets what the part has put off.
func (q *queue) drop() {
	q.n = 0
	for i, rows := range q.rows {
		q.rows[i] = rows[:min(q.part[i], len(rows))]
		q.n += len(q.rows[i])
	}
}

// take empties the queue of what was there before the part, or of everything.
func (q *queue) take(all bool) (rows [tables][][]any) {
	q.n = 0
	for i := range q.rows {
		n := len(q.rows[i])
		if !all {
			n = min(n, q.part[i])
		}
		rows[i], q.rows[i] = q.rows[i][:n:n], q.rows[i][n:]
		q.part[i] = 0
		q.n += len(q.rows[i])
	}
	return rows
}

// flush writes what was put off. What a part has put off can still be undone.
func (t *Tx) flush() error {
	if t.part == ahead {
		if err := t.write(t.queue.take(false)); err != nil || t.queue.n == 0 {
			return err
		}
		if err := t.savepoint(); err != nil {
			return err
		}
	}
	return t.write(t.queue.take(true))
}

func (t *Tx) write(rows [tables][][]any) error {
	for i, list := range rows {
		if err := t.doRows(inserts[i], list); err != nil {
			return err
		}
	}
	return nil
}

// rowsAtOnce are so many as one statement writes: few numbers, so that there are few statements
// to prepare.
var rowsAtOnce = []int{64, 16, 4, 1}

// fill writes rows of equal length that are not put off.
func (t *Tx) fill(insert string, rows [][]any) error {
	if err := t.comeTo(); err != nil {
		return err
	}
	return t.doRows(insert, rows)
}

func (t *Tx) doRows(insert string, rows [][]any) error {
	for _, n := range rowsAtOnce {
		for ; len(rows) >= n; rows = rows[n:] {
			if err := t.do(insert+places(n, len(rows[0]), 1), slices.Concat(rows[:n]...)...); err != nil {
				return err
			}
		}
	}
	return nil
}
