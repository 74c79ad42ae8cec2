package quiet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/quiet"
)

// What looks like somebody's number or pseudonym goes; what a program has made, and the
// names of participants, stay.
func TestCut(t *testing.T) {
	pseudonym := strings.Repeat("0f", 32)
	for text, want := range map[string]string{
		"12345678": "…", "123456789": "…", "000012345678": "…",
		"kvk 12345678, rsin 123456782.": "kvk …, rsin ….",
		`"12345678"`:                    `"…"`, "<a>12345678</a>": "<a>…</a>", "?kvk=12345678&x": "?kvk=…&x",
		"kvk12345678": "kvk…", "12345678nl": "…nl", "a12345678b": "a…b", "_12345678": "_…", "€12345678": "€…", "-12345678": "-…",
		"12345678 23456789\n000012345678":             "… …\n…",
		"urn:etoegang:1.9:EntityConcernedID:12345678": "urn:etoegang:1.9:EntityConcernedID:…",
		pseudonym: "…", strings.ToUpper(pseudonym): "…", "x" + pseudonym: "x…", pseudonym + "@" + pseudonym[:32]: "…", pseudonym + "@": "…", pseudonym + pseudonym: "…",

		"": "", "Permit": "Permit", "1234567": "1234567", "1234567890": "1234567890", "12345678901": "12345678901", "1234567890123": "1234567890123",
		"0123456789abcdef0123456789abcdef":                   "0123456789abcdef0123456789abcdef",
		"0123456789abcdef":                                   "0123456789abcdef",
		"urn:etoegang:HM:00000003123456780000:entities:9001": "urn:etoegang:HM:00000003123456780000:entities:9001",
		"service 00000001-0000-4000-8000-000000000000.":      "service 00000001-0000-4000-8000-000000000000.",
		"00000001-0000-4000-8000-0000000000001":              "…-0000-4000-8000-0000000000001",
		"00000001-0000-4000-8000-00000000000":                "…-0000-4000-8000-00000000000",
		"00000001-0000-4000-8000_000000000000":               "…-0000-4000-8000_…",
		"0000000g-0000-4000-8000-000000000000":               "0000000g-0000-4000-8000-…",
	} {
		if got := quiet.Cut(text); got != want {
			t.Errorf("%q is cut to %q, want %q", text, got, want)
		}
	}
}

// alone finds the numbers in a text that has no words of a program's making.
var alone = regexp.MustCompile(`(^|[^0-9])([0-9]{8}|[0-9]{9}|[0-9]{12})($|[^0-9])`)

// Of numbers between anything else none is left, and nothing else is touched.
func TestCutAgreesWithAnotherWayToSayIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([0-9]{1,13}[ .:;,_@"'<>/=?&xyzQ€-]){0,8}[0-9]{0,13}`).Draw(t, "text")
		want := text
		for alone.MatchString(want) {
			want = alone.ReplaceAllString(want, "${1}…${3}")
		}
		if got := quiet.Cut(text); got != want {
			t.Errorf("%q is cut to %q, want %q", text, got, want)
		}
		if again := quiet.Cut(want); again != want {
			t.Errorf("cut once more, %q is %q", want, again)
		}
	})
}

// secret is an identifier as one of package etoegang is, but one that does not hide.
type secret struct{ Number string }

// speaker is a value that says itself what a log shows of it.
type speaker struct{ text string }

// LogValue is what a log shows.
func (s speaker) LogValue() slog.Value { return slog.GroupValue(slog.String("text", s.text)) }

// places are the ways in which a text gets into a log.
var places = map[string]func(*slog.Logger, string){
	"message":         func(l *slog.Logger, text string) { l.Info(text, "outcome", "Deny") },
	"attribute":       func(l *slog.Logger, text string) { l.Info("query", "status", text, "record", strings.Repeat("ab", 16)) },
	"attribute's key": func(l *slog.Logger, text string) { l.Info("query", text, 1) },
	"key of a text":   func(l *slog.Logger, text string) { l.Info("query", text, "a") },
	"last of many": func(l *slog.Logger, text string) {
		l.Info("q", "a", 1, "b", 2, "c", 3, "d", 4, "e", 5, "f", 6, "g", text)
	},
	"error": func(l *slog.Logger, text string) { l.Error("query", "cause", errors.New(text)) },
	"wrapped error": func(l *slog.Logger, text string) {
		l.Error("query", "cause", fmt.Errorf("reading: %w", errors.New(text)))
	},
	"group": func(l *slog.Logger, text string) {
		l.Info("query", slog.Group("g", "a", 1, slog.Group("h", "b", text)))
	},
	"name of a group":    func(l *slog.Logger, text string) { l.Info("query", slog.Group(text, "a", 1)) },
	"every record":       func(l *slog.Logger, text string) { l.With("who", text).Info("query") },
	"group of each":      func(l *slog.Logger, text string) { l.WithGroup(text).Info("query", "a", 1) },
	"with, in a group":   func(l *slog.Logger, text string) { l.WithGroup("g").With("who", errors.New(text)).Info("query") },
	"value":              func(l *slog.Logger, text string) { l.Info("query", "who", secret{text}) },
	"pointer":            func(l *slog.Logger, text string) { l.Info("query", "who", &secret{text}) },
	"pointer in a value": func(l *slog.Logger, text string) { l.Info("query", "who", struct{ S *secret }{&secret{text}}) },
	"list":               func(l *slog.Logger, text string) { l.Info("query", "who", []string{"a", text}) },
	"bytes":              func(l *slog.Logger, text string) { l.Info("query", "who", []byte(text)) },
	"speaker":            func(l *slog.Logger, text string) { l.Info("query", "who", speaker{text}) },
	"message's name":     func(l *slog.Logger, text string) { l.Info("query", "message", text) },
	"name with more":     func(l *slog.Logger, text string) { l.Info("query", "message", "_for "+text) },
	"level and context":  func(l *slog.Logger, text string) { l.Log(context.Background(), slog.LevelWarn, "query", "a", text) },
}

var formats = map[string]func(io.Writer) slog.Handler{
	"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
	"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
}

// Wherever an identifier stands, between whatever else, the log does not tell it.
func TestNoPlaceTells(t *testing.T) {
	for place, write := range places {
		for format, handler := range formats {
			t.Run(place+" as "+format, func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) {
					identifier := rapid.StringMatching(`[0-9]{8}|[0-9]{9}|[0-9]{12}|[0-9a-f]{64}|[0-9a-f]{64}@[0-9a-f]{32}`).Draw(t, "identifier")
					before := rapid.StringMatching(`|[a-zA-Z ]{0,12}[ :="'(<\[.,;/xz-]`).Draw(t, "before")
					after := rapid.StringMatching(`|[ :="')>\].,;/xz-][a-zA-Z ]{0,12}`).Draw(t, "after")
					var log bytes.Buffer
					logger := slog.New(quiet.New(handler(&log)))
					write(logger, before+identifier+after)
					digits, relation, _ := strings.Cut(identifier, "@")
					if log.Len() == 0 || strings.Contains(log.String(), digits) || relation != "" && strings.Contains(log.String(), relation) {
						t.Errorf("%q in the log: %s", identifier, log.String())
					}
				})
			})
		}
	}
}

// What operators look for is there, letter by letter as without the handler.
func TestTheRestStays(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 30, 0, 123456789, time.UTC)
	write := func(handler slog.Handler) {
		r := slog.NewRecord(now, slog.LevelInfo, "query of urn:etoegang:HM:00000003123456780000:entities:9001", 0)
		r.AddAttrs(
			slog.String("record", "0123456789abcdef0123456789abcdef"), slog.String("reference", "0123456789abcdef"),
			slog.String("trace", "4bf92f3577b34da6a3ce929d0e0e4736"), slog.String("span", "1234567812345678"),
			slog.String("message", "_12345678-"+strings.Repeat("a1", 32)), slog.String("sender", "urn:etoegang:DV:00000003123456780000:entities:1"),
			slog.Int("revision", 12345678), slog.Uint64("bytes", 123456789), slog.Float64("seconds", .12345678),
			slog.Duration("took", 123456789), slog.Time("until", now), slog.Bool("hot", true),
		)
		if err := handler.WithAttrs([]slog.Attr{slog.Int("node", 12345678)}).WithGroup("g").Handle(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	for format, handler := range formats {
		var with, without bytes.Buffer
		write(quiet.New(handler(&with)))
		write(handler(&without))
		if with.String() != without.String() {
			t.Errorf("%s: %s\nwithout: %s", format, &with, &without)
		}
	}
}

// A handler that wants no records of a level is not made to look at them.
func TestLevelsAreTheOthers(t *testing.T) {
	h := quiet.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if h.Enabled(context.Background(), slog.LevelInfo) || !h.Enabled(context.Background(), slog.LevelWarn) {
		t.Error("the levels are not those of the handler behind it")
	}
}

// BenchmarkHandler compares a line as the server writes it for each query with and without
// the handler.
func BenchmarkHandler(b *testing.B) {
	line := func(b *testing.B, h slog.Handler) {
		b.ReportAllocs()
		logger := slog.New(h)
		for b.Loop() {
			logger.LogAttrs(context.Background(), slog.LevelInfo, "query",
				slog.String("outcome", "Permit"), slog.String("status", "Success"), slog.Float64("seconds", .00123),
				slog.String("sender", "urn:etoegang:HM:00000003123456780000:entities:9001"), slog.String("message", "_0123456789abcdef0123456789abcdef01234567"),
				slog.String("question", "authorize"), slog.String("record", "0123456789abcdef0123456789abcdef"),
				slog.String("trace", "4bf92f3577b34da6a3ce929d0e0e4736"), slog.String("span", "00f067aa0ba902b7"),
			)
		}
	}
	b.Run("without", func(b *testing.B) { line(b, slog.NewJSONHandler(io.Discard, nil)) })
	b.Run("with", func(b *testing.B) { line(b, quiet.New(slog.NewJSONHandler(io.Discard, nil))) })
}

// A message's name of a few digits may be somebody's number.
func TestShortNamesOfMessages(t *testing.T) {
	var log bytes.Buffer
	slog.New(quiet.New(slog.NewTextHandler(&log, nil))).Info("query", "message", "_12345678")
	if strings.Contains(log.String(), "12345678") {
		t.Error(log.String())
	}
}
