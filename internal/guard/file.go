package guard

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/mandated/mandated/internal/group"
	"github.com/mandated/mandated/internal/sqlite"
)

var format = sqlite.Format{
	Name:          "replay guard",
	ApplicationID: 0x6d646731, // "mdg1"
	Version:       1,
	Schema: `
CREATE TABLE admitted (
	key   BLOB PRIMARY KEY,  -- SHA-256 of issuer and id
	until INTEGER NOT NULL   -- unix milliseconds; the last at which it counts
) STRICT, WITHOUT ROWID;
CREATE INDEX admitted_until ON admitted (until);

CREATE TABLE kept (
	key   BLOB PRIMARY KEY,  -- SHA-256 of the key
	value BLOB NOT NULL,     -- as its keeper sealed it
	until INTEGER NOT NULL
) STRICT;
CREATE INDEX kept_until ON kept (until);
`,
}

// fileStore is a guard in an SQLite file. Whoever shares it is on the same machine and
// has the same clock, and a file is never lost half-way: skew and tokens have no part
// in it.
type fileStore struct {
	file  *sqlite.File
	group *group.Group[message]
	now   func() time.Time
}

func openFile(ctx context.Context, path string, now func() time.Time) (backend, error) {
	file, err := sqlite.Open(ctx, path, format)
	if err != nil {
		return nil, err
	}
	s := &fileStore{file: file, now: now}
	s.group = group.New(s.write)
	return s, nil
}

func (s *fileStore) admit(ctx context.Context, m *message) error {
	if err := s.group.Do(ctx, m); err != nil {
		return err
	}
	return m.refusal
}

// write admits a group in one transaction.
func (s *fileStore) write(_ context.Context, group []*message) error {
	now := s.now().UnixMilli()
	return s.file.Write(func(tx *sqlite.Tx) error {
		if err := sweep(tx, "admitted", now, len(group)); err != nil {
			return err
		}
		for _, m := range group {
			if err := m.admit(tx, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// admit looks and stores in one statement. A row that has expired and was not yet
// swept gives way.
func (m *message) admit(tx *sqlite.Tx, now int64) error {
	if m.until < now {
		m.refusal = ErrLate
		return nil
	}
	stored, err := tx.Exec(`INSERT INTO admitted (key, until) VALUES (?, ?)
		ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE until < ?`, m.key, m.until, now)
	if stored == 0 {
		m.refusal = ErrReplayed
	}
	return err
}

// sweep forgets up to a few more expired rows than are about to be added, so the
// file stays as large as the busiest window was, and no transaction is slow.
func sweep(tx *sqlite.Tx, table string, now int64, added int) error {
	_, err := tx.Exec(`DELETE FROM `+table+` WHERE key IN (SELECT key FROM `+table+` WHERE until < ? ORDER BY until LIMIT ?)`,
		now, 2*added)
	return err
}

// What is no fault of the file is no error inside a transaction, because after an error
// its connection is made anew.
func (s *fileStore) keep(_ context.Context, v *value) error {
	now := s.now().UnixMilli()
	if v.until < now {
		return ErrLate
	}
	return s.put(v, now, now)
}

func (s *fileStore) replace(_ context.Context, v *value) error {
	now := s.now().UnixMilli()
	if v.until < now {
		return ErrLate
	}
	return s.put(v, now, math.MaxInt64)
}

// put holds a value, in place of one that counts only until before the given moment.
func (s *fileStore) put(v *value, now, past int64) error {
	var stored int64
	err := s.file.Write(func(tx *sqlite.Tx) (err error) {
		if err := sweep(tx, "kept", now, 1); err != nil {
			return err
		}
		stored, err = tx.Exec(`INSERT INTO kept (key, value, until) VALUES (?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until WHERE until < ?`,
			v.key, notNull(v.sealed), v.until, past)
		return err
	})
	if err == nil && stored == 0 {
		err = ErrExists
	}
	return err
}

func (s *fileStore) look(ctx context.Context, key []byte) (sealed []byte, err error) {
	err = s.file.DB().QueryRowContext(ctx, `SELECT value FROM kept WHERE key = ? AND until >= ?`, key, s.now().UnixMilli()).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return sealed, err
}

func (s *fileStore) take(_ context.Context, key []byte) (sealed []byte, err error) {
	found := true
	err = s.file.Write(func(tx *sqlite.Tx) error {
		err := tx.Row(`SELECT value FROM kept WHERE key = ? AND until >= ?`, []any{key, s.now().UnixMilli()}, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			found = false
			return nil
		}
		if err == nil {
			_, err = tx.Exec(`DELETE FROM kept WHERE key = ?`, key)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNotFound
	}
	return sealed, nil
}

func (s *fileStore) close() error {
	s.group.Close()
	return s.file.Close()
}
