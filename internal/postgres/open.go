package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// Options are what a room chooses about its connections. The zero value is ready.
type Options struct {
	Connections int  // most open at once; 0: sixteen
	ReadOnly    bool // every statement that writes fails with ErrReadOnly
	Standby     bool // a standby is as good as a primary, which otherwise is refused with ErrStandby

	// Wait is how long a statement waits for a lock before it fails with ErrBusy. 0: five
	// seconds. A statement as a whole may take ten.
	Wait time.Duration

	// Settings are further settings of each session, such as those of the planner.
	Settings map[string]string
}

// How patient a connection is. A server that is gone without a word is noticed in about
// gone, whether we are sending to it or waiting for it; one that is there and stands
// still is for the caller's context to notice.
const (
	connecting = 2 * time.Second
	gone       = 5 * time.Second
	lifetime   = 30 * time.Minute
	idle       = 5 * time.Minute
)

// Open prepares connections to the database at place and makes the first. What place may
// say is what libpq's addresses may (several hosts, sslmode, sslrootcert, passfile,
// target_session_attrs, ...), except a password: ErrPassword.
//
// A setting in the place's query wins over ours, except those that Options speak of and
// the durability of commits, which is never below what the primary's disk holds.
func Open(ctx context.Context, place string, o Options) (*sql.DB, error) {
	config, err := configure(place, o)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*config)
	connections := o.Connections
	if connections == 0 {
		connections = 16
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxLifetime(lifetime)
	db.SetConnMaxIdleTime(idle)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, Explain(err)
	}
	return db, nil
}

func configure(place string, o Options) (*pgx.ConnConfig, error) {
	if secret(place) {
		return nil, ErrPassword
	}
	config, err := pgx.ParseConfig(place)
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connecting
	}
	config.DialFunc = dialer(config.ConnectTimeout).DialContext
	for name, value := range settings(o) {
		if _, own := config.RuntimeParams[name]; !own {
			config.RuntimeParams[name] = value
		}
	}
	for name, value := range demands(o) {
		config.RuntimeParams[name] = value
	}
	config.ValidateConnect = welcome(config.ValidateConnect, o)
	return config, nil
}

// settings hold unless the place says otherwise.
func settings(o Options) map[string]string {
	all := map[string]string{
		"application_name": "mandated",
		"TimeZone":         "UTC",
		// No question of ours takes seconds: one that does has met a lock or a sick disk.
		"statement_timeout": "10s",
		// A program that was paused in a transaction holds its locks until this ends it.
		"idle_in_transaction_session_timeout": "3s",
	}
	for name, value := range o.Settings {
		all[name] = value
	}
	return all
}

// demands hold whatever the place says.
func demands(o Options) map[string]string {
	wait := o.Wait
	if wait == 0 {
		wait = 5 * time.Second
	}
	all := map[string]string{"lock_timeout": strconv.FormatInt(max(1, wait.Milliseconds()), 10)}
	if o.ReadOnly || o.Standby {
		all["default_transaction_read_only"] = "on"
	}
	return all
}

// A session of ours never acknowledges what only memory holds; a database that promises
// more than the disk keeps its promise.
const greeting = `SELECT pg_is_in_recovery(), set_config('synchronous_commit',
	CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)`

// welcome judges each server as it is connected to: where the place names several, one
// that is refused gives way to the next.
func welcome(attributes pgconn.ValidateConnectFunc, o Options) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, conn *pgconn.PgConn) error {
		if attributes != nil {
			if err := attributes(ctx, conn); err != nil {
				return err
			}
		}
		results, err := conn.Exec(ctx, greeting).ReadAll()
		if err != nil {
			return fmt.Errorf("greeting the database: %w", err)
		}
		if string(results[0].Rows[0][0]) == "t" && !o.Standby {
			return ErrStandby
		}
		return nil
	}
}

func dialer(patience time.Duration) *net.Dialer {
	return &net.Dialer{
		Timeout: patience,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: gone / 2, Interval: time.Second, Count: int(gone / 2 / time.Second),
		},
		Control: loseSoon,
	}
}
