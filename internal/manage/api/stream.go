package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The types of what is streamed.
const (
	typeLines = "application/x-ndjson"
	typeCSV   = "text/csv"
	typeTable = typeCSV + "; charset=utf-8; header=present" // as it is sent
)

// onePage is how many rows are read at once: however long a stream is, no more than these
// are in memory, and no snapshot is held open while the caller is slow.
const onePage = 500

const aboutChanges = `JSON lines. Each line but the last is {"revision": ..., "mandate": {...}}: a mandate as it is now, and the revision that made it so, in the order of revisions and each mandate once. The last line is {"end": {"revision": ..., "changes": ...}}: all is told up to that revision, which is the since of the next time. An answer without that line was cut off: ask again. With since=0 it is everything there is.`

// Change is a line of the delta feed.
type Change struct {
	Revision int64   `json:"revision"`
	Mandate  Mandate `json:"mandate"`
}

// ChangesEnd is what the last line tells.
type ChangesEnd struct {
	Revision int64 `json:"revision"`
	Changes  int   `json:"changes"`
}

// last is the last line of a stream.
type last[T any] struct {
	End T `json:"end"`
}

type changesIn struct {
	Since int64 `query:"since" minimum:"0" required:"true" doc:"the revision up to which you know everything; 0: you know nothing"`
}

type streamOut struct{ Body func(huma.Context) }

func (a *api) listChanges(ctx context.Context, in *changesIn) (*streamOut, error) {
	var newest register.Revision
	err := a.look(ctx, 0, func(l *desk.Look) error { newest = l.Revision(); return nil })
	switch {
	case err != nil:
		return nil, err
	case register.Revision(in.Since) > newest:
		return nil, &refusedRevision
	}
	return a.stream(typeLines, func(ctx context.Context, w *lines) error {
		after, n := register.ChangedPlace{Since: register.Revision(in.Since)}, 0
		for more := true; more; {
			var list []register.Changed
			err := a.look(ctx, newest, func(l *desk.Look) (err error) {
				list, more, err = l.Changed(after, a.atOnce)
				return err
			})
			if err != nil {
				return err
			}
			for _, c := range list {
				if err := w.write(Change{int64(c.Since), viewed(c.Mandate, callOf(ctx).organisation)}); err != nil {
					return err
				}
				after = register.ChangedPlace{Since: c.Since, Mandate: c.Mandate.ID}
				n++
			}
			if err := w.flush(); err != nil {
				return err
			}
		}
		return w.write(last[ChangesEnd]{ChangesEnd{int64(newest), n}})
	}), nil
}

// stream answers with lines. If it fails halfway, the answer is cut off so that nobody takes
// it for complete.
func (a *api) stream(contentType string, write func(context.Context, *lines) error) *streamOut {
	return &streamOut{func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", contentType)
		ctx.SetStatus(http.StatusOK)
		_, w := humago.Unwrap(ctx)
		l := newLines(w, a.stall)
		err := write(ctx.Context(), l)
		if err == nil {
			err = l.end()
		}
		if err == nil {
			return
		}
		if _, left := errors.AsType[*gone](err); !left && ctx.Context().Err() == nil {
			a.problem(ctx.Context(), err)
		}
		panic(http.ErrAbortHandler)
	}}
}

// everyMandate visits those that a filter chooses at one revision, page after page.
func (a *api) everyMandate(ctx context.Context, at register.Revision, f register.Filter, visit func([]mandate.Mandate) error) error {
	after := mandate.ID(0)
	for more := true; more; {
		var list []mandate.Mandate
		err := a.look(ctx, at, func(l *desk.Look) (err error) {
			list, more, err = l.Mandates(f, after, a.atOnce)
			return err
		})
		if err != nil {
			return err
		}
		if err := visit(list); err != nil {
			return err
		}
		if len(list) > 0 {
			after = list[len(list)-1].ID
		}
	}
	return nil
}

// lines writes one value a line.
type lines struct {
	to     *leaving
	buffer *bufio.Writer
	json   *json.Encoder
}

// mostAhead is how much of a stream waits to be sent together.
const mostAhead = 32 << 10

func newLines(w http.ResponseWriter, stall time.Duration) *lines {
	to := &leaving{w, http.NewResponseController(w), stall}
	to.working()
	buffer := bufio.NewWriterSize(to, mostAhead)
	l := &lines{to, buffer, json.NewEncoder(buffer)}
	l.json.SetEscapeHTML(false)
	return l
}

func (l *lines) write(v any) error { return l.json.Encode(v) }

// flush sends what was written so far.
func (l *lines) flush() error {
	if err := l.buffer.Flush(); err != nil {
		return err
	}
	_, err := l.to.moving(func() (int, error) { return 0, l.to.control.Flush() })
	return err
}

// end sends the rest: what the server adds to it is for the caller to take, too.
func (l *lines) end() error {
	err := l.flush()
	_ = l.to.control.SetWriteDeadline(time.Now().Add(l.to.stall))
	return err
}
