// Package pages are the web pages on which people manage mandates: those of a company and of
// its intermediary, and the register's own staff.
//
// It owns the ways through the pages, sessions, and what everything is called in Dutch and in
// English. Every rule about mandates is the desk's, and is asked there in the very change that
// is made; how pages look is package look's, who logs in package signin's. It has never heard
// of SQL, reads no XML, opens no listener, and keeps nothing of its own: whatever must outlive a
// request lies sealed in the guard.
package pages

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/seal"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/mandate"
)

// Config is what the pages are made of. Unless it says otherwise, it is required.
type Config struct {
	Name    string // of the register, as people know it: the title of the site
	Address string // of the start page, as people type it, without a slash at its end

	Desk      *desk.Desk
	Catalogue func() *catalogue.Catalogue // the current edition, for names; it may give nil: none is loaded
	SignIn    func() *signin.Door         // the current door, which leads back to PathReturn; it may give nil: the broker is not known
	Store     Store                       // shared by all nodes
	Works     Works

	// SealingKey has seal.KeySize bytes, the same on all nodes: what the store and forms keep
	// is sealed with it. With another key everybody must log in again.
	SealingKey []byte

	// LastUse tells when mandates were last used to log in with. nil: nobody knows, and nothing is
	// said of it.
	LastUse func(context.Context, []mandate.ID) (journal.Uses, error)

	// Pace tells how long whoever sends a request must wait, 0 if not at all. Nil: nobody must.
	Pace func(*http.Request) time.Duration

	Footer []look.Link // to the accessibility statement, for instance; none: there is no footer
	Now    func() time.Time
	Log    *slog.Logger // nothing in it names anybody
}

// Store keeps what must outlive a request: see guard.Guard, whose errors it gives.
type Store interface {
	Admit(ctx context.Context, issuer, id string, until time.Time) error
	Keep(ctx context.Context, key string, sealed []byte, until time.Time) error
	Replace(ctx context.Context, key string, sealed []byte, until time.Time) error
	Look(ctx context.Context, key string) ([]byte, error)
	Take(ctx context.Context, key string) ([]byte, error)
}

var _ Store = &guard.Guard{}

// PathReturn is where the broker sends browsers back to, with an artifact or with a form.
const PathReturn = "/login/return"

// pages answers requests. It is safe for use by many goroutines.
type pages struct {
	c      Config
	keep   keeper
	counts counted
}

// New makes the pages.
func New(c Config) (http.Handler, error) {
	p, err := made(c)
	if err != nil {
		return nil, err
	}
	return p.behind(p.routes()), nil
}

// made are the pages without their ways.
func made(c Config) (*pages, error) {
	switch {
	case c.Name == "":
		return nil, errors.New("pages: the register has no name")
	case !strings.HasPrefix(c.Address, "https://") || strings.HasSuffix(c.Address, "/"):
		return nil, errors.New("pages: the address does not begin with https:// or ends with a slash")
	case c.Desk == nil || c.Catalogue == nil || c.SignIn == nil || c.Store == nil || c.Works == nil || c.Now == nil || c.Log == nil:
		return nil, errors.New("pages: one of desk, catalogue, sign-in, store, works, clock and log is missing")
	case len(c.SealingKey) != seal.KeySize:
		return nil, errors.New("pages: the sealing key has the wrong length")
	}
	if c.Pace == nil {
		c.Pace = func(*http.Request) time.Duration { return 0 }
	}
	return &pages{c: c, keep: keeper{c.Store, seal.New(c.SealingKey)}}, nil
}

// behind puts one door before all routes.
func (p *pages) behind(routes []route) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+look.StylePath, look.Style)
	for _, r := range routes {
		mux.Handle(r.pattern, p.handle(r))
	}
	mux.Handle("/", p.handle(route{who: anybody, serve: (*visit).nowhere}))
	// The broker's form comes from another site: it is judged by what is signed in it, and
	// by the cookie of the browser in which the log-in began.
	crossing := http.NewCrossOriginProtection()
	crossing.AddInsecureBypassPattern("POST " + PathReturn)
	crossing.SetDenyHandler(p.handle(route{who: anybody, serve: (*visit).crossed}))
	return look.Switch(p.paced(crossing.Handler(mux)))
}

// paced answers whoever asks too often with a page that says so, without looking who he is.
func (p *pages) paced(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := p.c.Pace(r); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
			v := p.visit(w, r)
			v.answer(v.tooOften())
			return
		}
		h.ServeHTTP(w, r)
	})
}

// access is who may see a page.
type access int

const (
	anybody   access = iota
	visitors         // who have logged in
	appointed        // who act in a role
	companies        // in a role of a company
	staff            // as the register's own people
)

// weight is whether a page asks for a log-in of a moment ago.
type weight int

const (
	light    weight = iota
	official        // it does, of the register's staff
	grave           // it does
)

// route is one way to a page.
type route struct {
	pattern string
	who     access
	weight  weight
	serve   func(*visit) (answer, error)
}

// routes is the one list of what there is. Forms that change something are POSTs, and each has
// a token that is good for one time.
//
// Grave is what gives somebody power over others' mandates or cannot be made undone by whoever
// did it by mistake: appointing, dismissing, offboarding. Official is what a party does for
// itself, and the register's staff do for others: with them it is grave, too. Who sits down at a
// screen that was left alone can do none of it. To suspend a mandate is not grave, whoever does
// it: it must be possible at once, and harms less than what it stops. To suspend all that somebody
// has is.
func (p *pages) routes() []route {
	return []route{
		{"GET /{$}", anybody, light, (*visit).start},
		{"GET /login", anybody, light, (*visit).login},
		{"GET " + PathReturn, anybody, light, (*visit).comeBack},
		{"POST " + PathReturn, anybody, light, (*visit).comeBack},
		{"POST /logout", anybody, light, (*visit).logOut},
		{"GET /role", visitors, light, (*visit).chooseRole},
		{"POST /role", visitors, light, (*visit).takeRole},
		{"GET /invitation", anybody, light, (*visit).invitation},
		{"POST /invitation", visitors, light, (*visit).acceptInvitation},

		{"GET /mandates", companies, light, (*visit).mandates},
		{"GET /mandates/{id}", appointed, light, (*visit).mandate},
		{"POST /mandates/{id}/suspend", appointed, light, (*visit).suspend},
		{"POST /mandates/{id}/resume", appointed, official, (*visit).resume},
		{"GET /mandates/{id}/revoke", appointed, official, (*visit).askRevoke},
		{"POST /mandates/{id}/revoke", appointed, official, (*visit).revoke},
		{"GET /mandates/{id}/narrow", appointed, official, (*visit).askNarrow},
		{"POST /mandates/{id}/narrow", appointed, official, (*visit).narrow},
		{"GET /mandates/{id}/renew", companies, light, (*visit).askRenewal},
		{"POST /mandates/{id}/renew", companies, light, (*visit).renewal},

		{"GET /requests", appointed, light, (*visit).requests},
		{"GET /requests/{id}", appointed, light, (*visit).request},
		{"POST /requests/{id}/accept", appointed, official, (*visit).accept},
		{"POST /requests/{id}/refuse", appointed, official, (*visit).refuse},

		{"GET /grant/{kind}", appointed, light, (*visit).beginGrant},
		{"POST /grant/{kind}", appointed, light, (*visit).setOut},
		{"GET /drafts/{draft}/who", appointed, light, (*visit).who},
		{"POST /drafts/{draft}/who", appointed, light, (*visit).setWho},
		{"GET /drafts/{draft}/what", appointed, light, (*visit).what},
		{"POST /drafts/{draft}/what", appointed, light, (*visit).setWhat},
		{"GET /drafts/{draft}/check", appointed, official, (*visit).check},
		{"POST /drafts/{draft}/check", appointed, official, (*visit).confirm},

		{"GET /clients", companies, light, (*visit).clients},
		{"POST /clients", companies, light, (*visit).searchClients},
		{"GET /clients/list", companies, light, (*visit).clientsList},
		{"GET /people/{person}/offboard", companies, grave, (*visit).askOffboard},
		{"POST /people/{person}/offboard", companies, grave, (*visit).offboard},

		{"GET /people/{person}/handover", companies, grave, (*visit).askHandOver},
		{"POST /people/{person}/handover", companies, grave, (*visit).handOver},
		{"GET /people/{person}/handover/{handover}", companies, light, (*visit).handedOver},

		{"GET /people/{person}/ended", companies, light, (*visit).offboarded},

		{"GET /appointments", appointed, light, (*visit).appointments},
		{"GET " + appointAt, appointed, grave, (*visit).askAppoint},
		{"POST " + appointAt, appointed, grave, (*visit).appoint},
		{"GET " + contactAt, appointed, light, (*visit).askContact},
		{"POST " + contactAt, appointed, light, (*visit).setContact},
		{"GET /letters/{letter}", appointed, light, (*visit).letter},
		{"GET /appointments/{id}/dismiss", appointed, grave, (*visit).askDismiss},
		{"POST /appointments/{id}/dismiss", appointed, grave, (*visit).dismiss},

		{"GET /parties", staff, light, (*visit).parties},
		{"POST /parties", staff, light, (*visit).findParties},
		{"GET /organisations/{organisation}", staff, light, (*visit).organisation},
		{"GET /people/{person}", staff, light, (*visit).onePerson},
		{"GET /organisations/{organisation}/appointments/{id}", staff, light, (*visit).howDismissed},
		{"GET /organisations/{organisation}/appointments/{id}/dismiss", staff, grave, (*visit).askDismissTheirs},
		{"POST /organisations/{organisation}/appointments/{id}/dismiss", staff, grave, (*visit).dismissTheirs},

		{"GET /stop", staff, light, (*visit).askWhom},
		{"POST /stop", staff, light, (*visit).findWhom},
		{"GET /organisations/{organisation}/stop", staff, grave, (*visit).askStop},
		{"POST /organisations/{organisation}/stop", staff, grave, (*visit).stop},
		{"GET /people/{person}/stop", staff, grave, (*visit).askStop},
		{"POST /people/{person}/stop", staff, grave, (*visit).stop},

		{"GET " + manyAt, companies, light, (*visit).askList},
		{"POST " + manyAt, companies, light, (*visit).takeList},
		{"GET " + manyAt + "/{asking}", companies, light, (*visit).askedThem},
		{"GET " + manyAt + "/{asking}/letters", companies, light, (*visit).manyLetters},
		{"GET " + renewAt, companies, light, (*visit).askRenew},
		{"POST " + renewAt, companies, light, (*visit).renew},
		{"GET " + askedAt, companies, light, (*visit).asked},
		{"GET " + askedAt + "/list", companies, light, (*visit).askedList},
		{"GET " + askedAt + "/letters", companies, light, (*visit).askedLetters},
		{"GET /requests/{id}/letter", companies, light, (*visit).requestLetter},

		{"GET /teams", companies, light, (*visit).teams},
		{"POST /teams", companies, light, (*visit).makeTeam},
		{"GET /teams/{id}", companies, light, (*visit).team},
		{"POST /teams/{id}/name", companies, light, (*visit).renameTeam},
		{"POST /teams/{id}/end", companies, light, (*visit).endTeam},
		{"GET /teams/{id}/join", companies, light, (*visit).askJoin},
		{"POST /teams/{id}/join", companies, light, (*visit).join},
		{"GET /teams/{id}/members/{person}", companies, light, (*visit).askLeave},
		{"POST /teams/{id}/members/{person}", companies, light, (*visit).leave},
		{"GET /teams/{id}/clients", companies, light, (*visit).askTeamClients},
		{"POST /teams/{id}/clients", companies, light, (*visit).addTeamClients},
		{"POST /teams/{id}/search", companies, light, (*visit).searchTeamClients},
		{"GET /teams/{id}/clients/{client}", companies, light, (*visit).askDropClient},
		{"POST /teams/{id}/clients/{client}", companies, light, (*visit).dropClient},
		{"GET /teams/{id}/fill", companies, light, (*visit).askFill},
		{"POST /teams/{id}/fill", companies, light, (*visit).beginFill},
		{"GET /teams/{id}/fill/{filling}", companies, light, (*visit).fill},

		{"GET /costs", appointed, light, (*visit).costs},
		{"GET /costs/list", appointed, light, (*visit).costsList},

		{"GET /standing", staff, grave, (*visit).askStanding},
		{"POST /standing", staff, grave, (*visit).putStanding},

		{"GET /journal", staff, light, (*visit).askRecord},
		{"POST /journal", staff, light, (*visit).findRecord},
		{"GET /peers", staff, light, (*visit).peers},
		{"GET /catalogue", staff, light, (*visit).editions},
		{"POST /catalogue", staff, light, (*visit).chooseEditions},
		{"GET /catalogue/{old}/{new}", staff, light, (*visit).compareEditions},
		{"POST " + pathUpload, staff, light, (*visit).lookAtEdition},
	}
}
