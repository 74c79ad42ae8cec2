package server_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// problems reads the constants of saml.Problem from their source, so that a new one
// cannot be forgotten here.
func problems(t *testing.T) map[string]saml.Problem {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../pkg/saml/problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]saml.Problem{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Problem" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found[spec.Names[0].Name] = saml.Problem(text)
		}
		return false
	})
	if len(found) == 0 {
		t.Fatal("there are no problems in problem.go: has it moved?")
	}
	return found
}

// Without a row a sender's mistake would be answered as a failure of ours, and wake an
// operator.
func TestEveryProblemHasARow(t *testing.T) {
	all := problems(t)
	for name, p := range all {
		if !server.HasRow(p) {
			t.Errorf("saml.%s (%q) has no row in the table of refusals", name, p)
		}
	}
	if server.Rows() > len(all) {
		t.Errorf("%d rows for %d problems", server.Rows(), len(all))
	}
}

// Senders have programs that read these words: they may be added to, never changed.
// Problems of decryption look like any other broken identifier.
func TestPublicWordsStay(t *testing.T) {
	for p, want := range map[saml.Problem]string{
		saml.ProblemMalformed:    "Requester malformed",
		saml.ProblemVersion:      "Requester version",
		saml.ProblemForbidden:    "Requester forbidden-content",
		saml.ProblemDestination:  "Requester destination",
		saml.ProblemExpired:      "Requester/RequestUnsupported expired",
		saml.ProblemFuture:       "Requester/RequestUnsupported from-the-future",
		saml.ProblemConsumer:     "Requester consumer-service",
		saml.ProblemAudience:     "Requester audience",
		saml.ProblemAssertions:   "Requester assertions",
		saml.ProblemValidity:     "Requester/RequestUnsupported assertion-validity",
		saml.ProblemConfirmation: "Requester subject-confirmation",
		saml.ProblemNotRegistry:  "Requester/RequestUnsupported not-this-register",
		saml.ProblemNotRepresent: "Requester/RequestUnsupported no-representation",
		saml.ProblemService:      "Requester service-mismatch",
		saml.ProblemSubject:      "Requester subject-mismatch",
		saml.ProblemLink:         "Requester assertion-link",
		saml.ProblemStatement:    "Requester statement",
		saml.ProblemEncryption:   "Requester identifier",
		saml.ProblemIdentifier:   "Requester identifier",
		saml.ProblemIntermediary: "Requester intermediary-unclear",
	} {
		for _, err := range []error{&saml.Error{Problem: p}, fmt.Errorf("reading: %w", &saml.Error{Problem: p, Cause: xmlsec.ErrMalformed})} {
			row := server.RefusalOf(err)
			if got := row.Status.Short() + " " + row.Word; got != want || row.Level != slog.LevelWarn {
				t.Errorf("%s is answered %q at level %v, and always was %q", p, got, row.Level, want)
			}
		}
	}
}

// What has no row is our own failure: said so, without a word about it.
func TestOwnFailuresSayNothing(t *testing.T) {
	for _, err := range []error{errors.New("disk full"), &saml.Error{Problem: "new"}} {
		if row := server.RefusalOf(err); row.Status != saml.ResponderFailed || row.Word != "" || row.Level != slog.LevelError {
			t.Errorf("%v is answered %+v", err, row)
		}
	}
}

// All that is not believed gets one fault. Only a header that must be understood has the
// code that SOAP gives it.
func TestFaultsLookAlike(t *testing.T) {
	for err, want := range map[error]string{
		xmlsec.ErrSignature: "Client", xmlsec.ErrUnknownIssuer: "Client", saml.ErrNotSOAP: "Client", errors.New("anything"): "Client",
		saml.ErrMustUnderstand: "MustUnderstand",
	} {
		if got := server.FaultCode(fmt.Errorf("receiving: %w", err)); got != want {
			t.Errorf("%v gets fault %s, want %s", err, got, want)
		}
	}
}

// That our two verifying engines disagree is an alarm for us, and nothing special for
// whoever sent the message.
func TestDisagreementIsAnAlarm(t *testing.T) {
	err := fmt.Errorf("receiving: %w", &xmlsec.DisagreementError{ID: "_a", Digest: "00ff", Detail: "they read different things"})
	if server.FaultLevel(err) != slog.LevelError || server.FaultLevel(xmlsec.ErrSignature) == slog.LevelError {
		t.Errorf("logged as %v, a wrong signature as %v", server.FaultLevel(err), server.FaultLevel(xmlsec.ErrSignature))
	}
	if server.FaultCode(err) != server.FaultCode(xmlsec.ErrSignature) || server.FaultText(err) != server.FaultText(xmlsec.ErrSignature) {
		t.Error("the sender can tell it from a wrong signature")
	}
	if got := server.Defence(err); got != "the-two-engines-disagree" {
		t.Errorf("counted as %q", got)
	}
	if text := err.Error(); !strings.Contains(text, "_a") || !strings.Contains(text, "SHA-256 00 ff") {
		t.Errorf("the log says %q", text)
	}
}

// The labels of a metric come from a closed list of words, whatever was sent.
func TestDefencesAreWords(t *testing.T) {
	word := regexp.MustCompile(`^[a-z][a-zA-Z0-9.'-]*$`)
	for _, err := range []error{xmlsec.ErrTooLarge, xmlsec.ErrSignature, xmlsec.ErrUnknownIssuer, saml.ErrNotSOAP, saml.ErrMustUnderstand, saml.ErrNoQuery} {
		if got := server.Defence(fmt.Errorf("%w: 12345678", err)); !word.MatchString(got) || got == "other" {
			t.Errorf("%v is counted as %q", err, got)
		}
	}
	if got := server.Defence(errors.New("Bakkerij 12345678")); got != "other" {
		t.Errorf("an unknown error is counted as %q", got)
	}
}

// An answer lives two minutes, or until what it rests on may change.
func TestLifetimeEndsAtTheEdge(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	for edge, want := range map[time.Time]time.Time{
		{}:                              now.Add(2 * time.Minute),
		now.Add(time.Hour):              now.Add(2 * time.Minute),
		now.Add(2 * time.Minute):        now.Add(2 * time.Minute),
		now.Add(119 * time.Second):      now.Add(119 * time.Second),
		now.Add(time.Second):            now.Add(time.Second),
		now.Add(121 * time.Second):      now.Add(2 * time.Minute),
		now.Add(500 * time.Millisecond): now.Add(500 * time.Millisecond),
	} {
		if got := server.Lifetime(now, edge, time.Time{}); !got.Equal(want) {
			t.Errorf("with an edge at %v an answer of %v lives until %v", edge, now, got)
		}
	}
	for _, c := range []struct{ edge, evidence, want time.Duration }{
		{time.Hour, 30 * time.Second, 30 * time.Second},
		{time.Hour, -time.Second, time.Second}, // it ended within what clocks may differ
		{10 * time.Second, 30 * time.Second, 10 * time.Second},
		{time.Hour, time.Hour, 2 * time.Minute},
	} {
		if got := server.Lifetime(now, now.Add(c.edge), now.Add(c.evidence)); !got.Equal(now.Add(c.want)) {
			t.Errorf("with an edge after %v and a statement for %v more, an answer of %v lives until %v", c.edge, c.evidence, now, got)
		}
	}
}

// The parts of a pseudonym are kept apart, and each of them counts: no two relations
// share one by accident, and without the key nobody can make it.
func TestPseudonymKeepsItsPartsApart(t *testing.T) {
	key, other := []byte("0123456789abcdef0123456789abcdef"), []byte("0123456789abcdef0123456789abcdeF")
	derive := server.SpecificPseudonym
	seen := map[string]string{}
	for _, parts := range [][]string{
		{"a", "bc", "0"}, {"ab", "c", "0"}, {"abc", "", "0"}, {"", "abc", "0"}, {"abc0"}, {"a", "bc0"}, {"a", "bc", "1"}, {"a:b", "c", "0"}, {"a", "b:c", "0"}, {},
	} {
		p := derive(key, parts...)
		if !regexp.MustCompile(`^[0-9a-f]{64}@[0-9a-f]{32}$`).MatchString(p) {
			t.Errorf("%q has another shape: %s", parts, p)
		}
		if earlier, ok := seen[p]; ok {
			t.Errorf("%q and %s are the same", parts, earlier)
		}
		if p[:64] == derive(other, parts...)[:64] || p != derive(key, parts...) || p[:32] == p[65:] {
			t.Errorf("%q: with another key, once more, or in its two halves: %s", parts, p)
		}
		seen[p] = fmt.Sprintf("%q", parts)
	}
}

func TestContentTypes(t *testing.T) {
	for contentType, want := range map[string]bool{
		"text/xml": true, "text/xml; charset=utf-8": true, `text/xml;charset="UTF-8"`: true, "TEXT/XML; Charset=Utf-8": true,
		"text/xml; action=x": true, "": false, "text/plain": false, "application/xml": false, "application/soap+xml": false,
		"text/xml; charset=iso-8859-1": false, "text/xml; charset=utf-16": false, "text/xml; charset=utf-8; charset=utf-16": false,
		"text/xmlx": false, "multipart/related": false,
	} {
		if got := server.Acceptable(contentType); got != want {
			t.Errorf("%q is accepted: %v", contentType, got)
		}
	}
}
