package api

import (
	"errors"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// sentinels are the exported errors of a package.
func sentinels(t *testing.T, folder string) (names []string) {
	t.Helper()
	files := must(filepath.Glob(folder + "/*.go"))
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file := must(parser.ParseFile(gotoken.NewFileSet(), name, nil, 0))
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != gotoken.VAR {
				continue
			}
			for _, s := range g.Specs {
				for _, n := range s.(*ast.ValueSpec).Names {
					if strings.HasPrefix(n.Name, "Err") {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

// Nothing that can go wrong in the rooms below is forgotten, or told in two ways.
func TestEveryErrorHasItsRefusal(t *testing.T) {
	source := string(must(os.ReadFile("refusals.go")))
	all := 0
	for room, folder := range map[string]string{"mandate": "../../../pkg/mandate", "register": "../../../pkg/register", "desk": "../../desk"} {
		for _, name := range sentinels(t, folder) {
			all++
			uses := regexp.MustCompile(`\b`+room+`\.`+name+`\b`).FindAllString(source, -1)
			if len(uses) != 1 {
				t.Errorf("%s.%s stands %d times in the table", room, name, len(uses))
			}
		}
	}
	listed := 0
	for _, r := range refusals {
		for _, err := range r.errs {
			listed++
			if got, known := refusalOf(err); !known || got.code != r.code {
				t.Errorf("%v is told as %s, want %s", err, got.code, r.code)
			}
		}
	}
	if listed != all || all < 70 {
		t.Errorf("%d in the table, %d there are", listed, all)
	}
}

// Each refusal says in both languages what is wrong and what to do, and has a code of its own.
func TestRefusalsAreSaid(t *testing.T) {
	own := []refusal{refusedCaller, refusedToken, refusedSeveral, refusedInput, refusedCursor, refusedRevision, refusedPace, refusedPath, refusedMethod, refusedOrigin, refusedType,
		refusedAccept, refusedSize, refusedSlow, refusedNow, refusedKey, refusedKeyless, refusedFile, refusedCatalogue}
	codes := map[string]bool{}
	for _, r := range append(own, refusals...) {
		if codes[r.code] || !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(r.code) || r.status < 400 {
			t.Errorf("the code %q, status %d", r.code, r.status)
		}
		codes[r.code] = true
		for _, text := range []string{r.en.title, r.en.next, r.nl.title, r.nl.next} {
			if !strings.HasSuffix(text, ".") {
				t.Errorf("%s says %q", r.code, text)
			}
		}
		later := r.status == 429 || r.status == 503 && r.code != "unheard" && r.code != "uncertain"
		if got := r.in(look.Dutch).GetHeaders().Get("Retry-After") != ""; got != later {
			t.Errorf("%s asks to try again: %v", r.code, got)
		}
		if r.en == r.nl || r.in(look.Dutch).Title != r.nl.title || r.in(look.English).Title != r.en.title {
			t.Errorf("%s is said in one language", r.code)
		}
	}
	for what, c := range map[string]struct {
		err  error
		code string
	}{
		"a state": {&register.TransitionError{Mandate: 1, From: mandate.Revoked, To: mandate.Active}, "not-in-force"},
		"overlap": {&register.OverlapError{Mandate: 1}, "overlap"}, "nobody knows": {errors.New("x"), "internal"},
		"dismissed": {&register.AppointmentError{}, "not-in-force"}, "a stranger": {&desk.NotClientError{}, "not-client"},
	} {
		if r, _ := refusalOf(c.err); r.code != c.code {
			t.Errorf("%s: %s", what, r.code)
		}
	}
}
