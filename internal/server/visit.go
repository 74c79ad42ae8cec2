package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/seal"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/saml"
)

// visit is a user's visit to our pages, from the moment that his broker's query was believed
// until the answer leaves. It is kept as the message with which it began, and that is
// believed anew at every step: nothing is remembered that was not signed.
//
// A visit belongs to the browser in which it began: its name stands in addresses, and is
// worth nothing without the secret in that browser's cookie.
type visit struct {
	Evidence evidence        `json:"e"`
	Relay    string          `json:"r"` // what the broker lets travel along
	Denied   []decision.Code `json:"d"` // why there was nothing to choose when it began
	Answer   string          `json:"a"` // the ID that the record of that gives our assertion
	Record   string          `json:"j"` // that record
	Browser  []byte          `json:"b"` // SHA-256 of the browser's secret

	name, secret string
}

var (
	// errVisitOver: a visit was answered, or took too long, or never was.
	errVisitOver = errors.New("server: the visit is over")
	// errOtherBrowser: it began in another browser, or this one keeps no cookies.
	errOtherBrowser = errors.New("server: the visit began in another browser")
	// errNoLonger: what was believed when it came is not believed now.
	errNoLonger = errors.New("server: what began the visit is no longer believed")
)

// visits keep what is known of visits, sealed, where every node finds it.
type visits struct {
	store  Guard
	absent error
	seal   *seal.Sealer
	lasts  time.Duration
}

func newVisits(c *Config) *visits {
	return &visits{store: c.Guard, absent: c.Absent, seal: seal.New(c.SealingKey), lasts: c.Visit}
}

// begin keeps a visit under a new name, for a new secret.
func (s *visits) begin(ctx context.Context, v visit, now time.Time) (*visit, error) {
	var name [16]byte
	_, _ = rand.Read(name[:]) // crypto/rand never fails
	v.name, v.secret = hex.EncodeToString(name[:]), rand.Text()
	sum := sha256.Sum256([]byte(v.secret))
	v.Browser = sum[:]
	return &v, s.keep(ctx, s.store.Keep, v.place(), v, now.Add(s.lasts))
}

// keep keeps something in a place, sealed for that place alone, with one of the ways in which
// the store keeps.
func (s *visits) keep(ctx context.Context, way func(context.Context, string, []byte, time.Time) error, place string, content any, until time.Time) error {
	plain, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("keeping what a visit needs: %w", err)
	}
	return way(ctx, place, s.seal.Seal(nil, plain, place), until)
}

// look reads what is kept in a place; without anything there it gives the error absent.
func (s *visits) look(ctx context.Context, place string, content any) error {
	sealed, err := s.store.Look(ctx, place)
	if err != nil {
		return err
	}
	plain, err := s.seal.Open(sealed, place)
	if err == nil {
		err = json.Unmarshal(plain, content)
	}
	if err != nil {
		return fmt.Errorf("reading what a visit needs: %w", err)
	}
	return nil
}

// place is where a visit is kept, and where its seal holds.
func (v *visit) place() string { return "visit " + v.name }

// find gives the visit of that name, to the browser in which it began.
func (s *visits) find(ctx context.Context, r *http.Request, name string, secure bool) (*visit, error) {
	v := &visit{name: name}
	err := s.look(ctx, v.place(), v)
	if errors.Is(err, s.absent) {
		err = errVisitOver
	}
	if err != nil {
		return nil, err
	}
	return v, v.isIn(r, secure)
}

// isIn tells whether the visit began in the browser that asks, or gives errOtherBrowser.
func (v *visit) isIn(r *http.Request, secure bool) error {
	cookie, err := r.Cookie(v.cookie(secure))
	if err != nil {
		return errOtherBrowser
	}
	if sum := sha256.Sum256([]byte(cookie.Value)); subtle.ConstantTimeCompare(sum[:], v.Browser) != 1 {
		return errOtherBrowser
	}
	return nil
}

// hasCookie tells whether a browser has a secret of this visit, which may be right or wrong.
func (v *visit) hasCookie(r *http.Request, secure bool) bool {
	_, err := r.Cookie(v.cookie(secure))
	return err == nil
}

// end ends a visit: of all who want to, one succeeds, and to him the answer belongs.
func (s *visits) end(ctx context.Context, v *visit) error {
	_, err := s.store.Take(ctx, v.place())
	if errors.Is(err, s.absent) {
		return errVisitOver
	}
	return err
}

// cookie is the name under which a browser keeps its secret. Each visit has one of its own:
// people log in with two windows at the same time. The prefix keeps others of our domain
// from setting it (RFC 6265bis, section 4.1.3.2).
func (v *visit) cookie(secure bool) string {
	name := "visit-" + v.name[:min(16, len(v.name))]
	if secure {
		return "__Host-" + name
	}
	return name
}

// leaveCookie lets the browser keep a secret for so many seconds.
func (v *visit) leaveCookie(w http.ResponseWriter, secure bool, secret string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: v.cookie(secure), Value: secret, Path: "/", MaxAge: seconds,
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode, // strict would not survive the way here from the broker
	})
}

// secure tells whether browsers come here over TLS.
func (s *State) secure() bool { return strings.HasPrefix(s.Receiver.Addresses.Browser, "https:") }

// address is where the visit goes on.
func (v *visit) address() string { return PathChoose + "/" + v.name }

// welcome sends the browser, with its secret, to where the user chooses.
func (s *Server) welcome(w http.ResponseWriter, v *visit, e *event) {
	v.leaveCookie(w, s.c.State().secure(), v.secret, int(s.c.Visit.Seconds()))
	w.Header().Set("Location", v.address())
	e.status = "page choose"
	e.send(w, http.StatusSeeOther, "text/plain; charset=utf-8", nil)
}

// guest is a user on his visit, with his query, believed anew.
type guest struct {
	*visit
	server *Server
	state  *State
	in     *saml.Received
	left   bool // the place is given back
}

// guest finds out whose visit this is. How many are attended to at once is bounded; without
// an error a place is taken, to be given back by leave: before anything is sent, so that who
// reads slowly keeps none.
func (s *Server) guest(r *http.Request, e *event) (*guest, error) {
	if err := s.visiting.enter(r.Context(), peerOf(r)); err != nil {
		return nil, err
	}
	g, err := s.recognise(r, e)
	if err != nil {
		s.visiting.leave()
		return nil, err
	}
	return g, nil
}

// leave gives the place back, if that was not done before.
func (g *guest) leave() {
	if !g.left {
		g.left = true
		g.server.visiting.leave()
	}
}

func (s *Server) recognise(r *http.Request, e *event) (*guest, error) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	state := s.c.State()
	v, err := s.visits.find(ctx, r, r.PathValue("visit"), state.secure())
	if err != nil {
		return nil, err
	}
	in, err := v.Evidence.receive(state.Receiver)
	if err == nil && v.Evidence.Asked == "" && !s.peer(state, in.Query.Issuer).Post {
		err = errNotPosted
	}
	if err != nil { // it was believed when it came: its sender's keys have gone since, or he may no longer do so
		return nil, fmt.Errorf("%w: %w", errNoLonger, err)
	}
	e.received(in)
	return &guest{visit: v, server: s, state: state, in: in}, nil
}

// token seals what a page sends back to us, for this visit and this purpose alone: names of
// companies stand in no address, and nothing is chosen that was not offered.
func (g *guest) token(purpose string, content any) string {
	plain, err := json.Marshal(content)
	if err != nil {
		panic(err) // our own types
	}
	return g.server.visits.seal.SealText(plain, purpose+" "+g.name)
}

// read opens a token.
func (g *guest) read(purpose, token string, content any) error {
	plain, err := g.server.visits.seal.OpenText(token, purpose+" "+g.name)
	if err != nil || json.Unmarshal(plain, content) != nil {
		return errNotOurs
	}
	return nil
}

// errNotOurs: a page sends back what no page of this visit had.
var errNotOurs = errors.New("server: not from a page of this visit")
