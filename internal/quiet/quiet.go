// Package quiet keeps identifiers of people and companies out of the log, whoever wrote
// them there: a handler in front of the real one cuts out whatever looks like one.
// Identifiers of package etoegang print as dots by themselves; this is for what slips into
// a text beside them, such as the error of a library that quotes its input.
//
// It owns what such an identifier looks like, and judges by shape alone: a text that only
// looks like one is cut as well, since a log with a gap is better than one that tells. It
// never looks at values that are numbers, moments or lengths of time to the program: no
// identifier is one.
package quiet

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// Handler is a slog.Handler that cuts out identifiers and hands the rest on.
type Handler struct{ next slog.Handler }

var _ slog.Handler = Handler{}

// New makes a handler in front of another.
func New(next slog.Handler) Handler { return Handler{next} }

// Enabled tells whether the other handler wants records of a level.
func (h Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle hands a record on: as it is, if nothing in it had to be cut.
func (h Handler) Handle(ctx context.Context, r slog.Record) error {
	message := Cut(r.Message)
	same := message == r.Message
	r.Attrs(func(a slog.Attr) bool {
		_, changed := attribute(a)
		same = same && !changed
		return same
	})
	if same {
		return h.next.Handle(ctx, r)
	}
	cut := slog.NewRecord(r.Time, r.Level, message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		a, _ = attribute(a)
		cut.AddAttrs(a)
		return true
	})
	return h.next.Handle(ctx, cut)
}

// WithAttrs is a handler that adds attributes to every record.
func (h Handler) WithAttrs(all []slog.Attr) slog.Handler {
	return Handler{h.next.WithAttrs(attributes(all))}
}

// WithGroup is a handler that puts the attributes of every record into a group.
func (h Handler) WithGroup(name string) slog.Handler { return Handler{h.next.WithGroup(Cut(name))} }

func attributes(all []slog.Attr) []slog.Attr {
	cut := make([]slog.Attr, len(all))
	for i, a := range all {
		cut[i], _ = attribute(a)
	}
	return cut
}

// attribute cuts key and value, and tells whether either is another now.
func attribute(a slog.Attr) (cut slog.Attr, changed bool) {
	key, value := Cut(a.Key), a.Value.Resolve()
	switch value.Kind() {
	case slog.KindString:
		text := value.String()
		if a.Key == "message" && isMessage(text) {
			return a, false
		}
		short := Cut(text)
		return slog.String(key, short), short != text || key != a.Key
	case slog.KindGroup:
		return slog.Attr{Key: key, Value: slog.GroupValue(attributes(value.Group())...)}, true
	case slog.KindAny: // as text, so that no handler finds more in it than was looked at
		return slog.String(key, Cut(shown(value.Any()))), true
	}
	return slog.Attr{Key: key, Value: value}, key != a.Key
}

// isMessage tells whether a text is a sender's name for a message, by which it is found
// back: an underscore and random digits, however long. What else a sender makes of it may
// be about somebody.
func isMessage(text string) bool {
	digits, ok := strings.CutPrefix(text, "_")
	return ok && len(digits) >= random && strings.Trim(digits, "0123456789abcdefABCDEF-") == ""
}

// shown is a value of the program's own type as text.
func shown(v any) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case error:
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%+v", v)
}
