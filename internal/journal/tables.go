package journal

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"
	"strings"
	"time"
)

// tables is how records, checkpoints and stubs are read. Both kinds of store have the
// same ones; in a database that others use too their names begin with a word of ours.
// Each question is a statement of its own and sees one moment. No method holds a lock
// or a transaction once it has returned.
type tables struct {
	db      *sql.DB
	prefix  string
	listed  string            // the numbers in $1, which is a list of them in JSON
	holds   string            // tells whether a body has $1 in it
	explain func(error) error // puts words around the database's
}

// in writes the tables' real names in place of @records and so on.
func (t tables) in(query string) string { return strings.ReplaceAll(query, "@", t.prefix) }

const (
	recordColumns     = `SELECT sequence, id, at, body, previous, hash FROM @records `
	checkpointColumns = `SELECT sequence, number, hash, at, key_id, signature FROM @checkpoints `
	stubColumns       = `SELECT sequence, hash, last_at, at, key_id, signature FROM @retired `
)

func (t tables) byID(ctx context.Context, id string) (Record, error) {
	r, err := scan(t.db.QueryRowContext(ctx, t.in(recordColumns+`WHERE id = $1`), id))
	return r, t.explain(err)
}

func (t tables) bySequence(ctx context.Context, sequence int64) (Record, error) {
	r, err := scan(t.db.QueryRowContext(ctx, t.in(recordColumns+`WHERE sequence = $1`), sequence))
	return r, t.explain(err)
}

// beginning: hexadecimal digits come before g.
func (t tables) beginning(ctx context.Context, id string, limit int) (list []Record, err error) {
	err = t.each(ctx, func(r Record) bool { list = append(list, r); return false }, `WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3`, id, id+"g", limit)
	return list, err
}

func (t tables) with(ctx context.Context, text []byte, after, upTo int64, use func(Record) (enough bool)) error {
	return t.each(ctx, use, `WHERE sequence > $2 AND sequence <= $3 AND `+t.holds+` ORDER BY sequence DESC`, text, after, upTo)
}

// each hands over the records that a statement finds, one at a time, until use has enough.
func (t tables) each(ctx context.Context, use func(Record) (enough bool), which string, args ...any) error {
	rows, err := t.db.QueryContext(ctx, t.in(recordColumns+which), args...)
	if err != nil {
		return t.explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return t.explain(err)
		}
		if use(r) {
			return nil
		}
	}
	return t.explain(rows.Err())
}

// pageBytes bounds what a page holds, except that it holds one record whatever its size.
const pageBytes = 4 << 20

func (t tables) page(ctx context.Context, after int64, limit int, use func(Record)) (more bool, err error) {
	left, size := limit, 0
	err = t.each(ctx, func(r Record) bool {
		use(r)
		left--
		size += len(r.Body)
		more = left == 0 || size >= pageBytes
		return more
	}, `WHERE sequence > $1 ORDER BY sequence LIMIT $2`, after, limit)
	return more, err
}

// The sum keeps either database from looking for the smallest number first, through all
// records that are too old, when the index on time leads to the others at once.
func (t tables) since(ctx context.Context, moment time.Time) (sequence int64, err error) {
	first := moment.Add(time.Millisecond - 1).UnixMilli()
	err = t.db.QueryRowContext(ctx, t.in(`SELECT coalesce(min(sequence + 0), 0) FROM @records WHERE at >= $1`), first).Scan(&sequence)
	return sequence, t.explain(err)
}

func (t tables) checkpoints(ctx context.Context, after int64) iter.Seq2[*Checkpoint, error] {
	last := spot{after, math.MaxInt64}
	return t.eachCheckpoint(ctx, last, `WHERE (sequence, number) > ($1, $2) ORDER BY sequence, number LIMIT 1000`)
}

func (t tables) newest(ctx context.Context, good func(*Checkpoint) bool) (*Checkpoint, error) {
	last := spot{math.MaxInt64, math.MaxInt64}
	const backwards = `WHERE (sequence, number) < ($1, $2) ORDER BY sequence DESC, number DESC LIMIT 10` // most often the first is good
	for c, err := range t.eachCheckpoint(ctx, last, backwards) {
		var damaged badLine
		if errors.As(err, &damaged) {
			continue
		}
		if err != nil || good(c) {
			return c, err
		}
	}
	return nil, nil
}

// spot is a checkpoint's place in the order in which they are read.
type spot struct{ sequence, number int64 }

// eachCheckpoint reads in pages, so that whoever looks at them may take his time.
func (t tables) eachCheckpoint(ctx context.Context, last spot, order string) iter.Seq2[*Checkpoint, error] {
	return func(yield func(*Checkpoint, error) bool) {
		for {
			before := last
			page, err := t.checkpointPage(ctx, &last, order)
			for _, p := range page {
				if !yield(p.checkpoint, p.err) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
			}
			if err != nil || last == before {
				return
			}
		}
	}
}

// readCheckpoint is a checkpoint, or what is wrong with it.
type readCheckpoint struct {
	checkpoint *Checkpoint
	err        error
}

func (t tables) checkpointPage(ctx context.Context, last *spot, order string) (page []readCheckpoint, err error) {
	rows, err := t.db.QueryContext(ctx, t.in(checkpointColumns+order), last.sequence, last.number)
	if err != nil {
		return nil, t.explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scanCheckpoint(rows, last)
		if bad := (badLine{}); err != nil && !errors.As(err, &bad) {
			return page, t.explain(err)
		}
		page = append(page, readCheckpoint{c, err})
	}
	return page, t.explain(rows.Err())
}

func (t tables) stub(ctx context.Context) (*Stub, error) {
	var s Stub
	var hash []byte
	var last, at int64
	err := t.db.QueryRowContext(ctx, t.in(stubColumns+`ORDER BY sequence DESC LIMIT 1`)).
		Scan(&s.Sequence, &hash, &last, &at, &s.KeyID, &s.Signature)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	copy(s.Hash[:], hash) // a damaged one fits no signature
	s.LastAt, s.At = time.UnixMilli(last).UTC(), time.UnixMilli(at).UTC()
	return &s, t.explain(err)
}

// executor is a transaction's way to run a statement, which tells how many rows it
// changed.
type executor func(query string, args ...any) (int64, error)

func (t tables) insertCheckpoint(exec executor, c *Checkpoint) error {
	_, err := exec(t.in(`INSERT INTO @checkpoints (sequence, hash, at, key_id, signature) VALUES ($1, $2, $3, $4, $5)`),
		c.Sequence, c.Hash[:], c.At.UnixMilli(), c.KeyID, c.Signature)
	return err
}

// retireRecords writes the stub first: the triggers let nothing go that no stub stands
// for.
func (t tables) retireRecords(exec executor, s *Stub) error {
	rows, err := exec(t.in(`INSERT INTO @retired (sequence, hash, last_at, at, key_id, signature)
		SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM @retired WHERE sequence >= $1)`),
		s.Sequence, s.Hash[:], s.LastAt.UnixMilli(), s.At.UnixMilli(), s.KeyID, s.Signature)
	if err == nil && rows == 0 {
		err = errElsewhere
	}
	if err != nil {
		return err
	}
	if _, err := exec(t.in(`DELETE FROM @records WHERE sequence <= $1`), s.Sequence); err != nil {
		return err
	}
	_, err = exec(t.in(`DELETE FROM @checkpoints WHERE sequence < $1`), s.Sequence)
	return err
}

// scan reads a row. A hash that has not its 32 bytes is read as zeros, which fits
// nothing, so a damaged record is found by Verify instead of ending it.
func scan(row interface{ Scan(...any) error }) (Record, error) {
	var r Record
	var at int64
	var previous, hash []byte
	if err := row.Scan(&r.Sequence, &r.ID, &at, &r.Body, &previous, &hash); err != nil {
		return Record{}, err
	}
	r.At = time.UnixMilli(at).UTC()
	if len(previous) == len(r.Previous) && len(hash) == len(r.Hash) {
		r.Previous, r.Hash = Hash(previous), Hash(hash)
	}
	return r, nil
}

func scanCheckpoint(rows *sql.Rows, at *spot) (*Checkpoint, error) {
	var c Checkpoint
	var made int64
	var hash []byte
	if err := rows.Scan(&at.sequence, &at.number, &hash, &made, &c.KeyID, &c.Signature); err != nil {
		return nil, err
	}
	if len(hash) != len(c.Hash) {
		return nil, badLine{"a stored checkpoint", errors.New("its hash is damaged")}
	}
	c.Sequence, c.Hash, c.At = at.sequence, Hash(hash), time.UnixMilli(made).UTC()
	return &c, nil
}
