package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

const aboutImports = `CSV with a first line for the names of the columns, or JSON lines with texts under the same names: kind, grantorKvk, grantorName, intermediaryKvk, intermediaryName, person (a number), authenticator, pseudonym, personName, client (the number of a chain mandate), scope, establishments, from, until, reference. In a scope items have a space between them, in establishments numbers a space or a comma; a date can be 31-12-2027, too. The columns id and state of an export are not looked at.

The upload is read whole before anything is done, so one that breaks off does nothing. Then the answer comes in JSON lines, one for each line of the upload in its order: {"line": ..., "outcome": "granted" | "requested" | "unchanged" | "refused", "mandate": ..., "problem": {...}}. The last line is {"end": {"lines": ..., ...}}; an answer without it was cut off. Lines are independent: one that is refused has done nothing and stops no other.

Repeating an upload grants nothing twice: what is there already is unchanged, with its number, and what has ended since is refused. A dry run does nothing; it judges each 200 lines together, so that a line repeated farther on is not seen as unchanged.`

const (
	mostLines  = 100_000
	oneBatch   = 200            // lines in one change: others have their turn in between
	keyRemains = 24 * time.Hour // how long a key belongs to its upload
)

// The columns of an upload.
const (
	columnID               = "id"
	columnState            = "state"
	columnKind             = "kind"
	columnGrantorKvK       = "grantorKvk"
	columnGrantorName      = "grantorName"
	columnIntermediaryKvK  = "intermediaryKvk"
	columnIntermediaryName = "intermediaryName"
	columnPerson           = "person"
	columnAuthenticator    = "authenticator"
	columnPseudonym        = "pseudonym"
	columnPersonName       = "personName"
	columnClient           = "client"
	columnScope            = "scope"
	columnEstablishments   = "establishments"
	columnFrom             = "from"
	columnUntil            = "until"
	columnReference        = "reference"
)

var columns = []sheet.Column{
	{Name: columnKind, Also: []string{"soort"}, Needed: true},
	{Name: columnGrantorKvK, Also: []string{"kvkGever"}, Needed: true},
	{Name: columnGrantorName, Also: []string{"naamGever"}},
	{Name: columnIntermediaryKvK, Also: []string{"kvkIntermediair"}},
	{Name: columnIntermediaryName, Also: []string{"naamIntermediair"}},
	{Name: columnPerson, Also: []string{"persoon"}},
	{Name: columnAuthenticator, Also: []string{"authenticatiedienst"}},
	{Name: columnPseudonym, Also: []string{"pseudoniem"}},
	{Name: columnPersonName, Also: []string{"naamPersoon"}},
	{Name: columnClient, Also: []string{"klant"}},
	{Name: columnScope, Also: []string{"bereik"}, Needed: true},
	{Name: columnEstablishments, Also: []string{"vestigingen"}},
	{Name: columnFrom, Also: []string{"van"}, Needed: true},
	{Name: columnUntil, Also: []string{"tot"}, Needed: true},
	{Name: columnReference, Also: []string{"kenmerk"}},
	{Name: columnID, Also: []string{"nummer"}},
	{Name: columnState, Also: []string{"status"}},
}

// The outcomes of a line.
const (
	granted   = "granted"   // in force
	requested = "requested" // waits for somebody's answer
	unchanged = "unchanged" // it was there already
	refused   = "refused"
)

// Result is what became of one line.
type Result struct {
	Line    int      `json:"line"`
	Outcome string   `json:"outcome"`
	Mandate int64    `json:"mandate,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// ImportEnd is what the last line tells.
type ImportEnd struct {
	Lines     int   `json:"lines"`
	Granted   int   `json:"granted"`
	Requested int   `json:"requested"`
	Unchanged int   `json:"unchanged"`
	Refused   int   `json:"refused"`
	DryRun    bool  `json:"dryRun"`
	Revision  int64 `json:"revision"`
}

func (e *ImportEnd) count(outcome string) {
	e.Lines++
	switch outcome {
	case granted:
		e.Granted++
	case requested:
		e.Requested++
	case unchanged:
		e.Unchanged++
	case refused:
		e.Refused++
	}
}

// upload declares what is sent: it is read as it comes, and never by the framework.
func upload(o huma.Operation) huma.Operation {
	text := &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
	o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{typeCSV: text, typeLines: text}}
	o.MaxBodyBytes = mostUpload
	return o
}

type importIn struct {
	ContentType string `header:"Content-Type"`
	Key         string `header:"Idempotency-Key" maxLength:"200" doc:"a random value of your own for this upload; needed but for a dry run"`
	DryRun      bool   `query:"dryRun" doc:"judge every line and change nothing"`
	Why         string `query:"why" maxLength:"255" default:"bulk upload" doc:"why, without naming anybody: it is kept with every mandate"`

	body    io.Reader
	control *http.ResponseController // of the connection it comes over
}

// Resolve keeps the body, which the handler reads.
func (in *importIn) Resolve(ctx huma.Context) []error {
	_, w := humago.Unwrap(ctx)
	in.body, in.control = ctx.BodyReader(), http.NewResponseController(w)
	return nil
}

func (a *api) importMandates(ctx context.Context, in *importIn) (*streamOut, error) {
	if kind, _, err := mime.ParseMediaType(in.ContentType); err != nil || kind != typeCSV && kind != typeLines {
		return nil, &refusedType
	}
	if in.Key == "" && !in.DryRun {
		return nil, &refusedKeyless
	}
	if in.Why == "" || len(in.Why) > 255 || !utf8.ValidString(in.Why) || strings.Contains(in.Why, "\x00") {
		return nil, desk.ErrWhy // now, while it can still be said
	}
	if !a.uploads.enter(callOf(ctx).organisation) {
		return nil, &refusedNow
	}
	u, err := a.receive(callOf(ctx).organisation, in)
	if err == nil {
		err = u.check(ctx, in)
	}
	if err != nil {
		u.close()
		return nil, err
	}
	answer := a.stream(typeLines, func(ctx context.Context, l *lines) error { return u.perform(ctx, l) })
	return &streamOut{func(ctx huma.Context) {
		defer u.close()
		answer.Body(ctx)
	}}, nil
}

// rows begins to read the upload.
func (u *received) rows() (*sheet.Reader, error) {
	if _, err := u.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading an upload: %w", err)
	}
	return sheet.Open(u.file, columns...)
}

// readable refuses what cannot be right, or is too long, before anything is done.
func (u *received) readable(l look.Language) error {
	rows, err := u.rows()
	if problem, ok := errors.AsType[*sheet.Problem](err); ok {
		p := refusedFile.in(l)
		p.Errors = []Mistake{{"body", problem.In(sheet.Language(l))}}
		return p
	}
	for n := 0; err == nil; n++ {
		if n > mostLines {
			return &refusedSize
		}
		_, err = rows.Next()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// perform does what the lines say, batch after batch, and tells what became of each.
func (u *received) perform(ctx context.Context, l *lines) error {
	rows, err := u.rows()
	if err != nil {
		return err
	}
	end := ImportEnd{DryRun: u.dry}
	for {
		batch, err := next(rows)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		results, revision, err := u.judge(ctx, batch, rows.Headings())
		if err != nil {
			return err
		}
		end.Revision = int64(revision)
		for _, r := range results {
			end.count(r.Outcome)
			if err := l.write(r); err != nil {
				return err
			}
		}
		if err := l.flush(); err != nil {
			return err
		}
	}
	return l.write(last[ImportEnd]{end})
}

// next reads the lines of a batch; none at the end.
func next(rows *sheet.Reader) (batch []sheet.Row, err error) {
	for len(batch) < oneBatch {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		batch = append(batch, row)
	}
	return batch, nil
}

// judge does one batch in one change.
func (u *received) judge(ctx context.Context, batch []sheet.Row, headings map[string]string) (results []Result, at register.Revision, err error) {
	asked := make([]asking, len(batch))
	var wishes []desk.Wish
	for i, row := range batch {
		a := asking{line: row.Line}
		if a.wish, a.wrong = wishOf(row, headings, callOf(ctx).language); a.wrong == nil {
			wishes = append(wishes, a.wish)
		}
		asked[i] = a
	}
	receipt, err := u.Desk.Many(ctx, callOf(ctx).caller, u.why, u.dry, func(many *desk.Many) error {
		if err := many.Expect(wishes); err != nil {
			return err
		}
		for _, a := range asked {
			r, err := u.line(ctx, many, a)
			if err != nil {
				return err
			}
			results = append(results, r)
		}
		return nil
	})
	return results, receipt.Revision, err
}

// asking is what a line of an upload asks for, or what is wrong with it.
type asking struct {
	line  int
	wish  desk.Wish
	wrong error
}

// line does one line. What the caller can mend is its result; an error of the register is
// the end.
func (u *received) line(ctx context.Context, many *desk.Many, a asking) (Result, error) {
	r := Result{Line: a.line}
	err := a.wrong
	if err == nil {
		var m mandate.Mandate
		var there bool
		m, there, err = many.Ask(a.wish)
		r.Mandate, r.Outcome = int64(m.ID), granted
		switch {
		case err != nil:
			r.Mandate = 0
		case there:
			r.Outcome = unchanged
		case m.State.Pending():
			r.Outcome = requested
		}
	}
	if err == nil {
		return r, nil
	}
	p, own := errors.AsType[*Problem](err)
	if refusal, known := refusalOf(err); !own && (!known || refusal.status >= 500) {
		return r, err
	}
	if !own {
		p = u.problem(ctx, err)
	}
	r.Outcome, r.Problem, r.Mandate = refused, p, p.Mandate
	p.Mandate = 0 // it is told beside it
	return r, nil
}
