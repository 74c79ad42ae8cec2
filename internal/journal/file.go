package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/mandated/mandated/internal/sqlite"
)

// format of the journal's file. The triggers are there against slips: who means to
// change the past can drop them, and is found by Verify.
var format = sqlite.Format{
	Name:          "journal",
	ApplicationID: 0x6d646a31, // "mdj1"
	Version:       1,
	Schema: `
CREATE TABLE records (
	sequence INTEGER PRIMARY KEY,  -- dense, from 1, in commit order
	id       TEXT NOT NULL UNIQUE, -- the caller's, random
	at       INTEGER NOT NULL,     -- unix milliseconds
	body     BLOB NOT NULL,
	previous BLOB NOT NULL,        -- hash of the record before, zeros for the first
	hash     BLOB NOT NULL
) STRICT;
CREATE INDEX records_at ON records (at);

CREATE TABLE checkpoints (         -- copies of the lines outside the store
	number    INTEGER PRIMARY KEY,
	sequence  INTEGER NOT NULL,
	hash      BLOB NOT NULL,
	at        INTEGER NOT NULL,
	key_id    TEXT NOT NULL,
	signature BLOB NOT NULL
) STRICT;
CREATE INDEX checkpoints_sequence ON checkpoints (sequence);

CREATE TABLE retired (             -- stubs: the newest stands where the records begin
	sequence  INTEGER PRIMARY KEY, -- of the last record that is gone
	hash      BLOB NOT NULL,
	last_at   INTEGER NOT NULL,    -- that record's time
	at        INTEGER NOT NULL,
	key_id    TEXT NOT NULL,
	signature BLOB NOT NULL
) STRICT;

CREATE TABLE uses (                -- when mandates were last used, as the records that were read tell
	mandate  INTEGER PRIMARY KEY,
	at       INTEGER NOT NULL,     -- that record's time
	sequence INTEGER NOT NULL,     -- of that record, which may be retired by now
	service  TEXT NOT NULL
) STRICT;

CREATE TABLE followed (            -- up to where they were read
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	sequence INTEGER NOT NULL,     -- of the last record that was read, 0 if none was
	at       INTEGER NOT NULL,     -- that record's time
	since    INTEGER NOT NULL      -- the time of the first from which on none was missed
) STRICT;
INSERT INTO followed VALUES (1, 0, 0, 0);

CREATE TRIGGER records_stay BEFORE UPDATE ON records
BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;
CREATE TRIGGER records_remain BEFORE DELETE ON records
WHEN old.sequence > (SELECT coalesce(max(sequence), 0) FROM retired)
BEGIN SELECT RAISE(ABORT, 'records are never deleted, except by retirement'); END;

CREATE TRIGGER checkpoints_stay BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoints_remain BEFORE DELETE ON checkpoints
WHEN old.sequence >= (SELECT coalesce(max(sequence), 0) FROM retired)
BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted, except by retirement'); END;

CREATE TRIGGER retired_stay BEFORE UPDATE ON retired
BEGIN SELECT RAISE(ABORT, 'stubs are never changed'); END;
CREATE TRIGGER retired_remain BEFORE DELETE ON retired
BEGIN SELECT RAISE(ABORT, 'stubs are never deleted'); END;
`,
}

// fileStore is a journal in an SQLite file.
type fileStore struct {
	tables
	file *sqlite.File
}

func openFile(ctx context.Context, path string, readOnly bool) (store, error) {
	open := sqlite.Open
	if readOnly {
		open = sqlite.OpenReadOnly
	}
	file, err := open(ctx, path, format)
	if err != nil {
		return nil, err
	}
	return &fileStore{tables{file.DB(), "", `SELECT value FROM json_each($1)`, `instr(body, $1) > 0`, explainFull}, file}, nil
}

// append takes no notice of ctx: a file answers or fails, and is never lost half-way.
func (s *fileStore) append(_ context.Context, now time.Time, entries []*entry) (int64, error) {
	var last link
	err := s.file.Write(func(tx *sqlite.Tx) (err error) {
		if last, err = lastRecord(tx); err != nil {
			return err
		}
		for _, e := range entries {
			if err := insertRecord(tx, &last, now, e); err != nil {
				return err
			}
		}
		return nil
	})
	return last.sequence, explainFull(err)
}

func lastRecord(tx *sqlite.Tx) (link, error) {
	var l link
	var hash []byte
	err := tx.Row(lastQuery, nil, &l.sequence, &hash)
	return l.read(hash, err)
}

const lastQuery = `SELECT sequence, hash FROM records ORDER BY sequence DESC LIMIT 1`

// read takes the hash of the last record over, unless it is damaged. An empty chain
// ends where it begins.
func (l link) read(hash []byte, err error) (link, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return link{}, nil
	}
	if err == nil && copy(l.hash[:], hash) != len(l.hash) {
		err = broken(l.sequence, "is damaged")
	}
	return l, err
}

func insertRecord(tx *sqlite.Tx, last *link, now time.Time, e *entry) error {
	r := Record{
		Sequence: last.sequence + 1,
		ID:       e.id,
		At:       now.UTC().Truncate(time.Millisecond),
		Body:     e.body,
		Previous: last.hash,
	}
	r.Hash = r.digest()
	rows, err := tx.Exec(`INSERT INTO records (sequence, id, at, body, previous, hash) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`, r.Sequence, r.ID, r.At.UnixMilli(), notNull(r.Body), r.Previous[:], r.Hash[:])
	if e.taken = rows == 0; err == nil && !e.taken {
		*last = r.link()
	}
	return err
}

// notNull is the body as it is stored: a nil slice would be NULL.
func notNull(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}

func (s *fileStore) sign(_ context.Context, c *Checkpoint) error {
	return explainFull(s.file.Write(func(tx *sqlite.Tx) error { return s.insertCheckpoint(tx.Exec, c) }))
}

func (s *fileStore) retire(_ context.Context, stub *Stub) error {
	return explainFull(s.file.Write(func(tx *sqlite.Tx) error { return s.retireRecords(tx.Exec, stub) }))
}

func (s *fileStore) follow(_ context.Context, from, to mark, uses []Use) (moved bool, err error) {
	err = s.file.Write(func(tx *sqlite.Tx) error {
		rows, err := tx.Exec(s.in(moveMark), from.sequence, to.sequence, millis(to.at), millis(to.since))
		if moved = rows == 1; err != nil || !moved {
			return err
		}
		for _, u := range uses {
			if _, err := tx.Exec(s.in(`INSERT INTO @uses (mandate, at, sequence, service) VALUES ($1, $2, $3, $4) `+keepLater),
				u.Mandate, millis(u.At), u.Sequence, u.Service); err != nil {
				return err
			}
		}
		return nil
	})
	return moved && err == nil, explainFull(err)
}

func (s *fileStore) end(ctx context.Context) (link, error) {
	var l link
	var hash []byte
	err := s.db.QueryRowContext(ctx, lastQuery).Scan(&l.sequence, &hash)
	return l.read(hash, err)
}

func (s *fileStore) close() error { return s.file.Close() }
