package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// What a person chose last comes first when he chooses again. It is kept for a while, sealed
// and under a name that tells nothing, and it is a convenience: if it is lost, or there is an
// error, nobody is told. It is no source of anything else.
const (
	mostRecent = 5
	recentFor  = 90 * 24 * time.Hour

	rememberPatience = 500 * time.Millisecond // an answer waits for it
)

// recent is what a person chose last, the last first.
type recent []recentOne

type recentOne struct {
	Organisation mandate.OrganisationID `json:"o"`
	Clients      bool                   `json:"c"`
}

// place is where it is kept: which person's it is nobody can tell.
func (g *guest) recentPlace() string {
	actor := g.in.Actor
	return "recent " + keyed(g.server.c.PseudonymKey, "recent", actor.Authenticator.String(), actor.Pseudonym.Text())
}

// recalled gives what the person chose last.
func (g *guest) recalled(ctx context.Context) (list recent) {
	if g.server.visits.look(ctx, g.recentPlace(), &list) != nil {
		return nil
	}
	return list
}

// remember puts a choice before the earlier ones.
func (g *guest) remember(ctx context.Context, c chosen, e *event) {
	if c.Organisation == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, rememberPatience)
	defer cancel()
	one := recentOne{c.Organisation, c.Intermediary != ""}
	list := append(recent{one}, slices.DeleteFunc(g.recalled(ctx), func(o recentOne) bool { return o == one })...)
	visits := g.server.visits
	e.note(errNotRemembered, visits.keep(ctx, visits.store.Replace, g.recentPlace(), list[:min(len(list), mostRecent)], g.server.c.Now().Add(recentFor)))
}

// errNotRemembered: an answer left, and what was chosen could not be noted.
var errNotRemembered = errors.New("server: what was chosen last is not remembered")
