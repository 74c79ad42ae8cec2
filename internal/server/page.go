package server

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/pdp"
)

//go:embed pages
var pageFiles embed.FS

var (
	pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))
	style = must(pageFiles.ReadFile("pages/style.css"))

	// styleSource lets a page have our own style and nothing else.
	styleSource = func() string {
		sum := sha256.Sum256(style)
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}()
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // a file that is built into the program
	}
	return v
}

// page shows a user what went wrong. Nothing of the message is in it.
func (e *event) page(w http.ResponseWriter, r *http.Request, p page, cause error) {
	e.level, e.status, e.cause, e.reference = p.level, "page "+p.name, cause, newReference()
	switch p {
	case pageBroken, pageUndelivered:
		e.outcome = pdp.Indeterminate
	case pageBusy:
		e.outcome = "busy"
	default:
		e.outcome = "not-believed"
	}
	switch {
	case r.Context().Err() != nil: // a page that was reloaded, or left
		e.outcome, e.level = "left", slog.LevelInfo
	case p != pageBusy: // the gate has counted those
		e.server.c.Metrics.faulted(cause)
	}
	speak := look.LanguageOf(r)
	w.Header().Set("Referrer-Policy", "no-referrer")
	e.show(w, p.status, "'none'", "message.html", map[string]any{"Language": speak, "Text": texts[speak][p.name], "Reference": e.reference})
}

// form lets the browser carry the answer to the broker itself, at a press of a button.
func (e *event) form(w http.ResponseWriter, r *http.Request, to, answer, relay string) error {
	address, err := url.Parse(to)
	if err != nil {
		return err
	}
	// Browsers hold redirects after a form against form-action, too, and from the broker it
	// goes on to the provider; and some brokers look at where a form comes from.
	anywhere := "https:"
	if address.Scheme == "http" { // on this machine
		anywhere += " http:"
	}
	speak := look.LanguageOf(r)
	w.Header().Set("Referrer-Policy", "strict-origin")
	e.show(w, http.StatusOK, anywhere, "form.html", map[string]any{
		"Language": speak, "Text": texts[speak]["form"], "To": to, "Answer": answer, "Relay": relay,
	})
	return nil
}

// show writes a page, with nothing of anybody else's in it, and with forms that go where
// formAction says.
func (e *event) show(w http.ResponseWriter, status int, formAction, name string, data map[string]any) {
	data["Style"] = template.CSS(style)
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		panic(err) // a mistake in a template of ours
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styleSource+"; form-action "+formAction+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Content-Language", string(data["Language"].(look.Language)))
	h.Set("Vary", "Accept-Language, Cookie")
	e.send(w, status, "text/html; charset=utf-8", page.Bytes())
}

// private lets nothing that a browser gets be kept or guessed at, whatever it is (eHerkenning
// interface specifications, "Interface specifications web").
func private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-cache, no-store")
		h.Set("Pragma", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
