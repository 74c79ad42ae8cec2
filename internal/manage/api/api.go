// Package api is the REST API by which programs of organisations manage mandates, and directors
// and the register's staff who act through software of their own: OpenAPI 3.1 at /openapi.json,
// the addresses under /api/v1.
//
// It owns who calls (a client certificate, or a token signed by a registered key), the shape
// of requests and answers, pages of lists, and the one table that says errors to callers. It
// has no rules: package desk lets somebody do something or not, and gives nobody a row of
// others. It has never heard of SQL, pages or SAML.
//
// What is complete is said to be complete: a list has a cursor to its next page, which shows
// the same revision; what is streamed ends with a line that says so, and is cut off before it
// if anything fails.
package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/seal"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The addresses.
const (
	Path        = "/api/v1"
	PathOpenAPI = "/openapi.json"
)

// APIVersion is that of the interface, by semantic versioning.
const APIVersion = "1.0.0"

// Guard remembers which tokens were seen, and what was uploaded under which key.
// *guard.Guard is one; the errors are those of package guard.
type Guard interface {
	Admit(ctx context.Context, issuer, id string, until time.Time) error
	Keep(ctx context.Context, key string, sealed []byte, until time.Time) error
	Look(ctx context.Context, key string) ([]byte, error)
}

// Contact is whom programmers ask.
type Contact struct{ Name, Mail, URL string }

// Config is what the API is made of. Unless it says otherwise, it is required.
type Config struct {
	Desk  *desk.Desk
	Guard Guard

	// Address is our own, https without a path: it begins every address here, and tokens
	// name it as their audience.
	Address string
	Contact Contact

	// Catalogue gives the service catalogue in use, nil if none is loaded.
	Catalogue func() *catalogue.Catalogue

	// LastUse tells when mandates were last used. Nil: nobody knows, and there are no
	// operations that ask.
	LastUse func(context.Context, []mandate.ID) (journal.Uses, error)

	// Pace tells how long whoever sends a request must wait, 0 if not at all. Nil: nobody must.
	Pace func(*http.Request) time.Duration

	Folder string // where uploads lie while they are read; "": that of the system
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
}

// The limits.
const (
	mostBody    = 1 << 20
	mostUpload  = 64 << 20
	mostUploads = 4 // at once, and one of an organisation
	patience    = 30 * time.Second
	longUpload  = 5 * time.Minute  // to arrive
	longStream  = 15 * time.Minute // to be done
)

// A key in other letters is another key. The framework has one switch for the whole program,
// of which nobody else uses it.
func init() { huma.ValidateStrictCasing = true }

type api struct {
	Config
	huma    huma.API
	cursors *seal.Sealer
	uploads uploads
	stall   time.Duration // how long a caller may keep what moves waiting
	atOnce  int           // rows of a stream that are read together
}

// New makes the handler of everything under Path, and of PathOpenAPI. It expects TLS with
// client certificates that are asked for and not judged (tls.RequestClientCert): which ones
// count is a matter of who registered them.
func New(c Config) (http.Handler, error) {
	_, h, err := build(c)
	return h, err
}

func build(c Config) (*api, http.Handler, error) {
	if u, err := url.Parse(c.Address); err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" {
		return nil, nil, fmt.Errorf("the address of the API must be https://<host> without a path, not %q", c.Address)
	}
	if c.Desk == nil || c.Guard == nil || c.Catalogue == nil || c.Log == nil {
		return nil, nil, fmt.Errorf("the API needs a desk, a guard, a catalogue and a log")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Pace == nil {
		c.Pace = func(*http.Request) time.Duration { return 0 }
	}
	a := &api{Config: c, cursors: seal.New(c.Desk.Key("API cursors")), stall: patience, atOnce: onePage}
	mux := http.NewServeMux()
	a.huma = humago.NewWithPrefix(mux, Path, a.settings())
	a.huma.UseMiddleware(a.enter)
	a.operations()
	delete(a.huma.OpenAPI().Components.Schemas.Map(), "ErrorModel") // the framework's, in place of which we have Problem
	document, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return nil, nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	show := func(w http.ResponseWriter, _ *http.Request) { showDocument(w, document) }
	mux.HandleFunc("GET "+PathOpenAPI, show)
	mux.HandleFunc("GET "+Path+PathOpenAPI, show)
	return a, a.outside(mux), nil
}

func showDocument(w http.ResponseWriter, document []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*") // API Design Rules: anybody's page may read it
	_, _ = w.Write(document)
}

// settings are those of the framework. Its own pages, formats and links stay out.
func (a *api) settings() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Mandates", Version: APIVersion, Description: introduction,
				Contact: &huma.Contact{Name: a.Contact.Name, Email: a.Contact.Mail, URL: a.Contact.URL},
			},
			Servers: []*huma.Server{{URL: a.Address + Path}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"certificate": {Type: "mutualTLS", Description: aboutCertificates},
					"token":       {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: aboutTokens},
				},
			},
			Security: []map[string][]string{{"certificate": {}}, {"token": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}, // the latter for problem+json
		DefaultFormat:                "application/json",
		NoFormatFallback:             false,
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{a.translated},
	}
}

const (
	introduction = `Manage the mandates of one organisation in this register: those it gives, those it receives, and what its people do with them.

Every answer shows the register at one revision. A list has a limit and a cursor; the next page shows the same revision. Whatever is not your organisation's is not found. Problems follow RFC 9457: code never changes, title and detail are in Dutch or English by Accept-Language.`

	aboutCertificates = `A client certificate that was registered for an appointment. If it was for several, the header Appointment has the number of the one that is meant.`

	aboutTokens = `A JWT signed with PS256, RS256, ES256 or EdDSA by a key that was registered for an appointment. kid: the SHA-256 of its SubjectPublicKeyInfo, base64url without padding. aud: the address of this register (https://<host>). iat and exp: at most 5 minutes apart. jti: used once. sub: the number of the appointment, needed if the key has several.`
)

// outside does what every request needs before it is known what it asks. A page of somebody
// else's, open in the browser of whoever has our client certificate there, changes nothing.
func (a *api) outside(mux *http.ServeMux) http.Handler {
	crossing := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("API-Version", APIVersion)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Accept, Accept-Language")
		c := &call{language: look.LanguageOf(r)}
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		if wait := a.Pace(r); wait > 0 {
			refusedPace.in(c.language).after(wait).write(w)
			return
		}
		if _, pattern := mux.Handler(r); pattern == "" {
			a.nowhere(mux, r).in(c.language).write(w)
			return
		}
		if crossing.Check(r) != nil {
			refusedOrigin.in(c.language).write(w)
			return
		}
		if r.ContentLength > mostUpload {
			refusedSize.in(c.language).write(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostUpload)
		mux.ServeHTTP(w, r)
	})
}

// nowhere tells what is wrong with an address that nobody answers.
func (a *api) nowhere(mux *http.ServeMux, r *http.Request) refusal {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "" {
			return refusedMethod
		}
	}
	return refusedPath
}

// enter lets a caller in whose role may use the operation, for as long as that may take.
func (a *api) enter(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	c := callOf(r.Context())
	operation := ctx.Operation()
	c.operation = operation.OperationID
	limited, cancel := context.WithTimeout(r.Context(), timeOf(operation))
	defer cancel()
	appointment, err := a.identify(r.WithContext(limited))
	if err == nil {
		_, err = appointment.Act(appointment.Level, a.Now()) // also where nothing of the organisation is looked at
	}
	if err == nil && !slices.Contains(rolesOf(operation), appointment.Role) {
		err = &refusedRole
		if appointment.Role == mandate.Reader && slices.Contains(rolesOf(operation), mandate.Program) {
			err = mandate.ErrMayOnlyRead
		}
	}
	if err != nil {
		a.problem(limited, err).write(w)
		return
	}
	c.caller = desk.Caller{Appointment: appointment.ID, Level: appointment.Level} // whoever shows a key is at his own level
	c.organisation, c.appointment = appointment.Organisation.ID, appointment
	next(rightly{huma.WithContext(ctx, limited)})
}

// look lets the caller look at a revision, 0 being the newest.
func (a *api) look(ctx context.Context, at register.Revision, fn func(*desk.Look) error) error {
	err := a.Desk.Look(ctx, callOf(ctx).caller, at, func(l *desk.Look) error { return inside(fn(l)) })
	if in, ok := err.(*within); ok {
		return in.error
	}
	if isNotFound(err) {
		return &refusedRevision
	}
	return err
}
