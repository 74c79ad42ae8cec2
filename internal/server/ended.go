package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// Of two presses of a button browsers forget what the first was answered. So for as long as an
// answer waits for its broker, whatever else comes from the same browser on the same visit
// is sent the same way: it is one answer still, and the broker fetches it once.

// ended is what is kept of a visit that is over.
type ended struct {
	Browser []byte `json:"b"` // as in the visit
	Way     way    `json:"w"`
}

func (v *visit) endedPlace() string { return "ended " + v.name }

// sendBack ends a visit at the broker. The cookie lives on as long as its end is remembered:
// who works for many clients has many visits in an hour.
func (g *guest) sendBack(w http.ResponseWriter, r *http.Request, answer *xmlsec.Element, e *event) {
	back, err := g.server.wayBack(r.Context(), g.in, answer, g.Relay)
	if err == nil {
		e.note(errEndForgotten, g.server.visits.keepEnd(r.Context(), g.visit, back, g.server.c.Now()))
		if cookie, missing := r.Cookie(g.cookie(g.state.secure())); missing == nil {
			g.leaveCookie(w, g.state.secure(), cookie.Value, int(artifactLifetime.Seconds()))
		}
		err = g.server.follow(w, r, back, e)
	}
	if err != nil {
		e.page(w, r, pageUndelivered, err)
	}
}

// errEndForgotten: an answer left, and a second press of the button will not find it.
var errEndForgotten = errors.New("server: where the visit led is not remembered")

func (s *visits) keepEnd(ctx context.Context, v *visit, back way, now time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return s.keep(ctx, s.store.Keep, v.endedPlace(), ended{v.Browser, back}, now.Add(artifactLifetime))
}

// endOf gives where a visit has led, to the browser whose it was; errVisitOver if that is not
// known, or not any more.
func (s *visits) endOf(ctx context.Context, r *http.Request, v *visit, secure bool) (back way, err error) {
	var end ended
	err = s.look(ctx, v.endedPlace(), &end)
	if errors.Is(err, s.absent) {
		err = errVisitOver
	}
	if err != nil {
		return back, err
	}
	v.Browser = end.Browser
	return end.Way, v.isIn(r, secure)
}

// The first press may still be on its way to its end, perhaps on another node: a second one
// waits for that, longer than it usually takes.
const (
	endPatience = time.Second
	endPause    = 50 * time.Millisecond // and twice as long each time
)

// again sends the user where his visit has led already.
func (s *Server) again(w http.ResponseWriter, r *http.Request, e *event) {
	ctx, cancel := context.WithTimeout(r.Context(), endPatience)
	defer cancel()
	v, secure := &visit{name: r.PathValue("visit")}, s.c.State().secure()
	back, err := s.visits.endOf(ctx, r, v, secure)
	for pause := endPause; errors.Is(err, errVisitOver) && v.hasCookie(r, secure) && ctx.Err() == nil; pause *= 2 {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		back, err = s.visits.endOf(context.WithoutCancel(ctx), r, v, secure)
	}
	if err != nil {
		e.page(w, r, pageOfVisit(err), err)
		return
	}
	e.outcome = "again"
	if err := s.follow(w, r, back, e); err != nil {
		e.page(w, r, pageUndelivered, err)
	}
}
