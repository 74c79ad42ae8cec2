package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const columns = `SELECT sequence, id, at, body, previous, hash FROM records `

// Get returns the record with that id, or ErrNotFound.
func (j *Journal) Get(ctx context.Context, id string) (Record, error) {
	leave, err := j.enter()
	if err != nil {
		return Record{}, err
	}
	defer leave()
	r, err := scan(j.file.DB().QueryRowContext(ctx, columns+`WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, ErrNotFound
	}
	if err != nil {
		return Record{}, fmt.Errorf("reading the journal: %w", err)
	}
	return r, nil
}

// Records returns the records that follow sequence number after, in order and at
// most limit of them. Fewer than limit means that the end was reached.
func (j *Journal) Records(ctx context.Context, after int64, limit int) ([]Record, error) {
	if limit < 1 {
		return nil, fmt.Errorf("journal: cannot read %d records", limit)
	}
	leave, err := j.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	var records []Record
	err = eachRecord(ctx, j.file.DB(), after, limit, func(r Record) { records = append(records, r) })
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	return records, nil
}

// eachRecord hands over one record at a time.
func eachRecord(ctx context.Context, db *sql.DB, after int64, limit int, use func(Record)) error {
	rows, err := db.QueryContext(ctx, columns+`WHERE sequence > ? ORDER BY sequence LIMIT ?`, after, limit)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return err
		}
		use(r)
	}
	return rows.Err()
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
