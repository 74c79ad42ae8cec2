// Package schema reads the numbered steps by which a database comes to its tables, as goose
// takes them. It owns how a step is read; which steps there are is its callers' affair, and it
// never touches a database itself.
//
// goose has a reader of its own, which looks for the end of every statement and lets only one of
// them through at a time. SQLite and PostgreSQL know where their statements end, so a step goes
// to them whole.
package schema

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// steps are the files of a folder, NUMBER_NAME.sql, of which each is taken in one transaction.
func steps(folder fs.FS) (list []*goose.Migration, err error) {
	names, err := fs.Glob(folder, "*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		number, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("step %s of the schema: %w", name, err)
		}
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		list = append(list, goose.NewGoMigration(number, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, string(text))
			return err
		}}, nil))
	}
	return list, nil
}

// Provider is goose with the steps of a folder alone: files with the name NUMBER_NAME.sql.
func Provider(dialect goose.Dialect, db *sql.DB, folder fs.FS, options ...goose.ProviderOption) (*goose.Provider, error) {
	list, err := steps(folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db, nil, append(options, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(list...))...)
}
