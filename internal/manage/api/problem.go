package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Problem is a refusal as callers read it (RFC 9457).
type Problem struct {
	Status  int       `json:"status" doc:"the HTTP status" example:"409"`
	Code    string    `json:"code" doc:"what is wrong, for programs: it never changes" example:"overlap"`
	Title   string    `json:"title" doc:"what is wrong, for people, in Dutch or English by Accept-Language"`
	Detail  string    `json:"detail" doc:"what to do next"`
	Mandate int64     `json:"mandate,omitempty" doc:"the mandate of yours that is in the way"`
	Errors  []Mistake `json:"errors,omitempty" doc:"where in the request something is wrong"`
	wait    time.Duration
}

// Mistake is something wrong at one place of a request.
type Mistake struct {
	Location string `json:"location" doc:"the place, as in body.scope[0]" example:"body.scope[0]"`
	Message  string `json:"message" doc:"what is wrong there"`
}

// Error is for logs.
func (p *Problem) Error() string { return p.Code }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are what an answer tells beside it: how to show who one is, and when to try again.
// Not where the change may have been made: who repeats that without looking does it twice.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if p.Code != codeUnheard && p.Code != codeUncertain {
			h.Set(headerRetry, strconv.Itoa(int(p.wait/time.Second)))
		}
	}
	return h
}

const headerRetry = "Retry-After"

// after says when to try again.
func (p *Problem) after(wait time.Duration) *Problem {
	p.wait = wait
	return p
}

// ContentType is that of a problem.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// in says a refusal in a language.
func (r refusal) in(l look.Language) *Problem {
	text := r.en
	if l == look.Dutch {
		text = r.nl
	}
	return &Problem{Status: r.status, Code: r.code, Title: text.title, Detail: text.next, wait: time.Minute}
}

// Error makes a refusal an error of this room.
func (r *refusal) Error() string { return r.code }

// refusalOf finds what a caller is told of an error.
func refusalOf(err error) (r refusal, known bool) {
	if own, ok := errors.AsType[*refusal](err); ok {
		return *own, true
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refusedSize, true
	}
	for _, r := range refusals {
		for _, of := range r.errs {
			if errors.Is(err, of) {
				return r, true
			}
		}
	}
	_, moved := errors.AsType[*register.TransitionError](err)
	_, dismissed := errors.AsType[*register.AppointmentError](err)
	switch {
	case moved || dismissed:
		return refusalOf(mandate.ErrNotInForce)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return refusalOf(register.ErrBusy)
	}
	return refusedEverything, false
}

// problem says an error to whoever called. What is not expected is logged: with the
// operation, and never with what was asked.
func (a *api) problem(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	r, known := refusalOf(err)
	if !known || r.code == refusedEverything.code {
		a.Log.ErrorContext(ctx, "api: unexpected error", "operation", callOf(ctx).operation, "error", err)
	}
	p := r.in(callOf(ctx).language)
	if overlap, ok := errors.AsType[*register.OverlapError](err); ok {
		p.Mandate = int64(overlap.Mandate)
	}
	if ended, ok := errors.AsType[*desk.EndedError](err); ok {
		p.Mandate = int64(ended.Mandate.ID)
	}
	if mistakes, ok := errors.AsType[mistakes](err); ok {
		p.Errors = mistakes
	}
	if unlisted, ok := errors.AsType[*mandate.UnlistedError](err); ok {
		p.Errors = mistakes{{"body.scope", unlisted.Error()}}
	}
	return p
}

// translated turns what the framework says of a request into a problem of ours. It never
// repeats a value: that may be the number of a person.
func (a *api) translated(ctx huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	r := refusedInput
	switch e.Status {
	case http.StatusRequestEntityTooLarge:
		r = refusedSize
	case http.StatusRequestTimeout:
		r = refusedSlow
	case http.StatusUnsupportedMediaType:
		r = refusedType
	case http.StatusNotAcceptable:
		r = refusedAccept
	case http.StatusInternalServerError:
		r = refusedEverything
		a.Log.ErrorContext(ctx.Context(), "api: unexpected error", "operation", ctx.Operation().OperationID)
	}
	p := r.in(callOf(ctx.Context()).language)
	for _, d := range e.Errors {
		if d != nil {
			p.Errors = append(p.Errors, Mistake{d.Location, d.Message})
		}
	}
	return p, nil
}

// rightly corrects the one status of the framework that is not ours: a request that is not
// as the document says is a bad request.
type rightly struct{ framework }

type framework = huma.Context

// Unwrap gives the framework its own.
func (r rightly) Unwrap() huma.Context { return r.framework }

// SetStatus: see rightly.
func (r rightly) SetStatus(status int) {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	r.framework.SetStatus(status)
}

// write answers with a problem.
func (p *Problem) write(w http.ResponseWriter) {
	body, _ := json.Marshal(p) // texts and numbers
	h := w.Header()
	h.Set("Content-Type", p.ContentType(""))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	maps.Copy(h, p.GetHeaders())
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // who has left does not hear it
}

// mistakes are what is wrong with the fields of a request: an error that is refusedInput.
type mistakes []Mistake

func (m mistakes) Error() string { return refusedInput.code }

// As makes it a refusal of the input.
func (m mistakes) As(target any) bool {
	r, ok := target.(**refusal)
	if ok {
		*r = &refusedInput
	}
	return ok
}
