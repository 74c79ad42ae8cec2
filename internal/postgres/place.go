// Package postgres owns how the rooms of the daemon reach a PostgreSQL database: which
// places in the configuration are one, how a connection is made and what holds for its
// sessions, how a schema is brought up to date, and what the database's errors mean to
// whoever has to do something about them.
//
// It knows nobody's tables: schemas and statements belong to the room that opens the
// database, and several rooms may share one. It never logs and never traces, so that
// neither a statement nor a value in it leaves the room that asked.
//
// What a session owes to the promises of the register is set here, once for all. A commit
// that has returned is on the disk of the primary, and of a synchronous standby where the
// database has one (synchronous_commit, postgresql.org/docs, "Asynchronous Commit"). A
// standby does not pass for its primary. A program that stands still does not keep others
// out, because the database ends transactions that nobody goes on with.
package postgres

import (
	"errors"
	"net/url"
	"strings"
)

// ErrPassword: a place that holds a secret, which a configuration file must not.
var ErrPassword = errors.New("a password does not belong in the place of a database: put it in a file and name that (postgres://...?passfile=FILE, a line host:port:database:user:password), or in PGPASSWORD")

// IsPlace tells whether a place in the configuration is a database: it begins with
// postgres:// or postgresql://. Everything else is a file.
func IsPlace(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// Shown is the place as it may stand in messages: without password and query. It works by
// the letter, also on a place that is no good.
func Shown(place string) string {
	scheme, rest, found := strings.Cut(place, "://")
	if !found || !IsPlace(place) {
		return place
	}
	rest, _, _ = strings.Cut(rest, "?")
	user, host := split(rest)
	if user, _, _ = strings.Cut(user, ":"); user != "" {
		host = user + "@" + host
	}
	return scheme + "://" + host
}

// split takes the user and password off what follows the scheme. The last @ counts, as a
// password may hold one that was not escaped.
func split(rest string) (user, host string) {
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		return rest[:at], rest[at+1:]
	}
	return "", rest
}

// secret tells whether a place holds a password: of the user, or of a key file.
func secret(place string) bool {
	_, rest, _ := strings.Cut(place, "://")
	rest, query, _ := strings.Cut(rest, "?")
	if user, _ := split(rest); strings.Contains(user, ":") {
		return true
	}
	values, err := url.ParseQuery(query)
	return err != nil || values.Has("password") || values.Has("sslpassword")
}
