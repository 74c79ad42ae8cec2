package guard

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/mandated/mandated/internal/group"
	"github.com/mandated/mandated/internal/postgres"
)

//go:embed schema/postgres/*.sql
var schema embed.FS

// schemaTable is where the steps of our schema are noted that a database has.
const schemaTable = "guard_schema"

// databaseStore is a guard in a PostgreSQL database, whose other tables it does not know.
type databaseStore struct {
	db    *sql.DB
	group *group.Group[message]
	now   func() time.Time
}

func openDatabase(ctx context.Context, place string, now func() time.Time) (backend, error) {
	db, err := connect(ctx, place)
	if err != nil {
		return nil, fmt.Errorf("opening replay guard %s: %w", postgres.Shown(place), err)
	}
	s := &databaseStore{db: db, now: now}
	s.group = group.New(s.write)
	return s, nil
}

func connect(ctx context.Context, place string) (*sql.DB, error) {
	steps, err := fs.Sub(schema, "schema/postgres")
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, place, postgres.Options{Connections: 4})
	if err != nil {
		return nil, err
	}
	if err := postgres.Migrate(ctx, db, steps, schemaTable); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	found, known, err := postgres.Versions(ctx, db, steps, schemaTable)
	if err == nil && found > known {
		err = fmt.Errorf("written by a newer release: schema version %d, this release knows %d", found, known)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (s *databaseStore) admit(ctx context.Context, m *message) error {
	if err := s.group.Do(ctx, m); err != nil {
		return err
	}
	return m.refusal
}

// write admits a group in one statement. Of copies in it only the first is asked about.
func (s *databaseStore) write(ctx context.Context, group []*message) error {
	slices.SortStableFunc(group, func(a, b *message) int { return bytes.Compare(a.key, b.key) })
	return s.patiently(ctx, func(ctx context.Context) error {
		now := s.now().UnixMilli()
		var asked []*message
		for _, m := range group {
			switch {
			case m.until < now:
				m.refusal = ErrLate
			case len(asked) > 0 && bytes.Equal(asked[len(asked)-1].key, m.key):
				m.refusal = ErrReplayed
			default:
				asked = append(asked, m)
			}
		}
		return s.ask(ctx, asked, now)
	})
}

// ask puts the answer into each message: those that the database does not name are
// refused.
func (s *databaseStore) ask(ctx context.Context, group []*message, now int64) error {
	var keys, tokens [][]byte
	var untils []int64
	byKey := map[string]*message{}
	for _, m := range group {
		keys, tokens, untils = append(keys, m.key), append(tokens, m.token), append(untils, m.until)
		m.refusal = ErrReplayed
		byKey[string(m.key)] = m
	}
	past := now - skew.Milliseconds()
	rows, err := s.db.QueryContext(ctx, `SELECT guard_admit($1, $2, $3, $4)`, keys, tokens, untils, past)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return err
		}
		byKey[string(key)].refusal = nil
	}
	return rows.Err()
}

func (s *databaseStore) keep(ctx context.Context, v *value) error {
	return s.patiently(ctx, func(ctx context.Context) error {
		now := s.now().UnixMilli()
		if v.until < now {
			return ErrLate
		}
		var kept bool
		err := s.db.QueryRowContext(ctx, `SELECT guard_keep($1, $2, $3, $4, $5)`,
			v.key, v.token, notNull(v.sealed), v.until, now).Scan(&kept)
		if err == nil && !kept {
			err = ErrExists
		}
		return err
	})
}

func (s *databaseStore) replace(ctx context.Context, v *value) error {
	return s.patiently(ctx, func(ctx context.Context) error {
		if v.until < s.now().UnixMilli() {
			return ErrLate
		}
		_, err := s.db.ExecContext(ctx, `INSERT INTO guard_kept (key, token, value, until) VALUES ($1, $2, $3, $4)
			ON CONFLICT (key) DO UPDATE SET token = excluded.token, value = excluded.value, until = excluded.until`,
			v.key, v.token, notNull(v.sealed), v.until)
		return err
	})
}

func (s *databaseStore) look(ctx context.Context, key []byte) (sealed []byte, err error) {
	err = s.patiently(ctx, func(ctx context.Context) error {
		err := s.db.QueryRowContext(ctx, `SELECT value FROM guard_kept WHERE key = $1 AND until >= $2`,
			key, s.now().UnixMilli()).Scan(&sealed)
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNotFound
		}
		return err
	})
	return sealed, err
}

func (s *databaseStore) take(ctx context.Context, key []byte) (sealed []byte, err error) {
	var tries taking
	err = s.patiently(ctx, func(ctx context.Context) error {
		err := s.db.QueryRowContext(ctx, `DELETE FROM guard_kept WHERE key = $1 AND until >= $2 RETURNING value`,
			key, s.now().UnixMilli()).Scan(&sealed)
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNotFound
		}
		return tries.heard(err)
	})
	if err != nil {
		return nil, err
	}
	return sealed, nil
}

// patiently asks again while the database is lost, or hands over to another.
func (s *databaseStore) patiently(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return postgres.Explain(group.Again(ctx, postgres.Passing, func() error { return ask(ctx) }))
}

func (s *databaseStore) close() error {
	s.group.Close()
	return s.db.Close()
}
