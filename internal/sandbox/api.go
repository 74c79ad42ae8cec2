package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"

	"github.com/mandated/mandated/internal/loopback"
)

// What programs ask of the sandbox: JSON over HTTP, for this machine alone and without
// passwords. A page of another site that a browser shows can neither read nor change anything.

// longestBody is how many bytes a request may have.
const longestBody = 256 << 10

// problem is what went wrong with a request (RFC 9457), and what to do about it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Next   string `json:"next"` // the next step, in a sentence
}

func (p *problem) Error() string { return p.Detail }

// wrong makes a problem.
func wrong(status int, next, format string, args ...any) error {
	return &problem{"about:blank", http.StatusText(status), status, fmt.Sprintf(format, args...), next}
}

// answer is what a request is answered with.
type answer struct {
	status int
	body   any    // JSON; nil: none
	xml    []byte // instead of a body
}

// call answers one request.
type call func(r *http.Request) (answer, error)

// ServeHTTP answers it in JSON, also when something is wrong.
func (c call) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, longestBody)
	a, err := answer{}, fromHere(r)
	if err == nil {
		a, err = c(r)
	}
	var p *problem
	switch {
	case errors.As(err, &p):
		writeJSON(w, "application/problem+json", p.Status, p)
	case err != nil:
		writeJSON(w, "application/problem+json", http.StatusInternalServerError, &problem{
			"about:blank", http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError, err.Error(), "Ask again. Does it fail again? Then reset the sandbox with POST /api/reset.",
		})
	case a.xml != nil:
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write(a.xml)
	case a.body == nil:
		w.WriteHeader(a.status)
	default:
		writeJSON(w, "application/json", a.status, a.body)
	}
}

func writeJSON(w http.ResponseWriter, kind string, status int, body any) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	if err := e.Encode(body); err != nil {
		panic(err) // our own types can be written
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes())
}

// fromHere refuses what a page of another site sends through a browser, also one that has
// given this machine a name of its own.
func fromHere(r *http.Request) error {
	const next = "Call the API from a program, not from a page of another website."
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil { // the port of https is not told
		host = r.Host
	}
	if !loopback.Is(host) {
		return wrong(http.StatusForbidden, next, "the request is for the host %.100q, which is not this machine", r.Host)
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return wrong(http.StatusForbidden, next, "the request comes from another website: Sec-Fetch-Site is %.50q", site)
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "https://"+r.Host {
		return wrong(http.StatusForbidden, next, "the request comes from another website: Origin is %.100q", origin)
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" && (r.Method == http.MethodPost || r.Method == http.MethodPut) {
		return wrong(http.StatusUnsupportedMediaType, "Send the header Content-Type: application/json.", "the request is not JSON")
	}
	return nil
}

// read reads a request's body strictly.
func read[T any](r *http.Request) (body T, err error) {
	const next = "Correct the JSON. GET /api/ tells which fields there are."
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err = d.Decode(&body)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			return body, wrong(http.StatusBadRequest, next, "there is more after the JSON object")
		}
		return body, nil
	}
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return body, wrong(http.StatusRequestEntityTooLarge, "Send less at a time.", "the request is longer than %d bytes", long.Limit)
	}
	return body, wrong(http.StatusBadRequest, next, "%v", err)
}

// looking lets a call hold the scene for reading.
func (s *Sandbox) looking(next call) call {
	return func(r *http.Request) (answer, error) {
		s.scene.RLock()
		defer s.scene.RUnlock()
		return next(r)
	}
}

// adding lets a call change who is there.
func (s *Sandbox) adding(next call) call {
	return func(r *http.Request) (answer, error) {
		s.scene.Lock()
		defer s.scene.Unlock()
		return next(r)
	}
}

func ok(body any) (answer, error) { return answer{status: http.StatusOK, body: body}, nil }

func created(body any) (answer, error) { return answer{status: http.StatusCreated, body: body}, nil }

func gone() (answer, error) { return answer{status: http.StatusNoContent}, nil }
