package register

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed schema/sqlite/*.sql
var schema embed.FS

// migrations are the numbered steps from an empty file to the schema of this program.
func migrations(db *sql.DB) (*goose.Provider, error) {
	steps, err := fs.Sub(schema, "schema/sqlite")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, steps, goose.WithDisableGlobalRegistry(true))
}

// migrate brings the schema up to date. It leaves a newer schema alone.
func migrate(ctx context.Context, db *sql.DB) error {
	steps, err := migrations(db)
	if err != nil {
		return err
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	return nil
}

// upToDate tells whether the schema is the one this program knows.
func upToDate(ctx context.Context, db *sql.DB) error {
	found, known, err := schemaVersions(ctx, db)
	switch {
	case err != nil:
		return err
	case found > known:
		return fmt.Errorf("%w (schema %d, this program knows %d)", ErrNewerSchema, found, known)
	case found < known:
		return fmt.Errorf("%w (schema %d, this program needs %d)", ErrOlderSchema, found, known)
	}
	return nil
}

// schemaVersions gives the version of the file and the version of this program. It
// only reads.
func schemaVersions(ctx context.Context, db *sql.DB) (found, known int64, err error) {
	steps, err := migrations(db)
	if err != nil {
		return 0, 0, err
	}
	for _, step := range steps.ListSources() {
		known = max(known, step.Version)
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&found)
	return found, known, err
}
