package sandbox

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"net/http"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/sandbox/explain"
)

//go:embed pages
var pageFiles embed.FS

var (
	// pages are our templates in each language, in which say finds their words.
	pages = map[look.Language]*template.Template{look.Dutch: parse(look.Dutch), look.English: parse(look.English)}
	style = must(pageFiles.ReadFile("pages/style.css"))

	own       = policy(style)
	ofExplain = policy([]byte(explain.Style()))
)

// policy lets a page have its own style and nothing else. Forms go anywhere, since browsers
// hold the redirects after a form against it, too, and a log-in ends at a provider that may
// be any.
func policy(style []byte) string {
	sum := sha256.Sum256(style)
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action https: http:; frame-ancestors 'none'; base-uri 'none'"
}

func parse(l look.Language) *template.Template {
	return must(template.New("").Option("missingkey=error").Funcs(template.FuncMap{"say": texts.In(l).Say}).ParseFS(pageFiles, "pages/*.html"))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // a file that is built into the program
	}
	return v
}

// show writes a page. Its template finds the language as .Language and the rest as
// .Data.
func show(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	speak := look.LanguageOf(r)
	var page bytes.Buffer
	if err := pages[speak].ExecuteTemplate(&page, name, map[string]any{
		"Language": speak, "Data": data, "Style": template.CSS(style), "Page": name,
	}); err != nil {
		panic(err) // a mistake in a template of ours
	}
	describe(w, speak, own)
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}

// describe says what a page is, and what it may do.
func describe(w http.ResponseWriter, language look.Language, policy string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Language", string(language))
	h.Set("Vary", "Accept-Language, Cookie")
	h.Set("Referrer-Policy", "strict-origin")
}

// private lets nothing that a browser gets be kept or guessed at.
func private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-cache, no-store")
		h.Set("Pragma", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// step is one step of a log-in. What goes wrong in it is shown on a page: here, unlike in the
// network, whoever looks may know everything.
type step func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP takes the step.
func (s step) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s(w, r); err != nil {
		show(w, r, http.StatusBadRequest, "problem.html", err.Error())
	}
}

// token is a random name that nobody can guess.
func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return hex.EncodeToString(b[:])
}

// browserOf knows a browser again: what one has begun another cannot go on with. It gives the
// browser a cookie of a role if it has none.
func browserOf(w http.ResponseWriter, r *http.Request, role string) string {
	name := "__Host-" + role
	if c, err := r.Cookie(name); err == nil && len(c.Value) == 32 {
		return c.Value
	}
	c := &http.Cookie{Name: name, Value: token(), Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	http.SetCookie(w, c)
	return c.Value
}
