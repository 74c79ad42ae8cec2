package pages_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/mandate"
)

// Every word is said in both languages, and every name that pages use is there: those that are
// put together, too.
func TestWords(t *testing.T) {
	for _, wrong := range pages.Texts.Check(os.DirFS(".")) {
		t.Error(wrong)
	}
	said := func(prefix string, names ...string) {
		for _, name := range names {
			if pages.Texts[prefix+name].IsZero() {
				t.Errorf("there are no words for %q", prefix+name)
			}
		}
	}
	misfits := 0
	for _, s := range constants(t, "../../../pkg/mandate") {
		switch s.kind {
		case "State", "AppointmentState":
			said("state ", s.value)
		case "Role":
			said("role ", s.value)
		case "Kind":
			said("kind ", s.value)
		case "Act":
			said("act ", s.value)
		case "Side":
			said("side ", s.value)
		case "EvidenceKind":
			said("evidence ", s.value)
		case "Authority":
			said("authority ", s.value)
		case "LegalForm":
			said("form ", s.value)
		case "Standing":
			said("standing ", s.value)
		case "Misfit":
			if s.value != string(mandate.Fits) {
				said("misfit ", s.value)
				misfits++
			}
		}
	}
	if misfits != 14 {
		t.Errorf("%d misfits are known, and what mends each of them is said below", misfits)
	}
	said("mend ", string(mandate.ChainNotYet), string(mandate.ClientStopped), "ask grantor", "ask receiver", "agree grantor", "agree receiver", "resume grantor", "resume receiver", "resume register")
	said("level ", "loa2", "loa2plus", "loa3", "loa4")
	for _, e := range pages.Explanations() {
		said("", e.Name)
		if e.Err == nil {
			t.Errorf("%q explains nothing", e.Name)
		}
	}
}

type constant struct{ kind, value string }

// constants are the named texts of a package.
func constants(t *testing.T, folder string) (list []constant) {
	t.Helper()
	inFiles(t, folder, func(d ast.Decl) {
		g, is := d.(*ast.GenDecl)
		if !is || g.Tok != token.CONST {
			return
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			kind, typed := v.Type.(*ast.Ident)
			if !typed || len(v.Values) != 1 {
				continue
			}
			if text, is := v.Values[0].(*ast.BasicLit); is && text.Kind == token.STRING {
				list = append(list, constant{kind.Name, strings.Trim(text.Value, `"`)})
			}
		}
	})
	if len(list) < 30 {
		t.Fatalf("only %d constants in %s", len(list), folder)
	}
	return list
}

func inFiles(t *testing.T, folder string, visit func(ast.Decl)) {
	t.Helper()
	files := must(filepath.Glob(filepath.Join(folder, "*.go")))
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, d := range must(parser.ParseFile(token.NewFileSet(), file, nil, 0)).Decls {
			visit(d)
		}
	}
}

// unreachable are errors that no page can get, and why.
var unreachable = map[string]string{
	"mandate.ErrState":           "pages choose no state",
	"register.ErrExists":         "registers are created at the command line",
	"register.ErrMissing":        "only opening a register",
	"register.ErrNotRegister":    "only opening a register",
	"register.ErrNewerSchema":    "only opening a register",
	"register.ErrOlderSchema":    "only opening a register",
	"register.ErrNoStandby":      "only opening a register",
	"register.ErrAuthor":         "the desk names an author for every change",
	"register.ErrRSINTaken":      "pages register no RSIN",
	"register.ErrStaleCatalogue": "only loading a catalogue",
	"register.ErrDigest":         "only loading a catalogue",
	"register.ErrInvitation":     "the desk draws a secret for every person",
	"register.ErrNotice":         "the desk writes notices as they must be",
	"desk.ErrUsesBehind":         "only the daemon, when it looks for what nobody uses",
	"mandate.ErrPrices":          "only reading the configuration",
	"mandate.ErrServiceSet":      "only reading the configuration",
}

// Every error of the rules, the register and the desk that can reach a page is explained there:
// whoever adds one gets to know it here.
func TestErrorsAreExplained(t *testing.T) {
	table := string(must(os.ReadFile("errors.go")))
	seen := 0
	for room, folder := range map[string]string{"mandate": "../../../pkg/mandate", "register": "../../../pkg/register", "desk": "../../desk"} {
		inFiles(t, folder, func(d ast.Decl) {
			g, is := d.(*ast.GenDecl)
			if !is || g.Tok != token.VAR {
				return
			}
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					full := room + "." + name.Name
					if !regexp.MustCompile(`^Err[A-Z]`).MatchString(name.Name) {
						continue
					}
					seen++
					explained := regexp.MustCompile(regexp.QuoteMeta(full) + `\b`).MatchString(table)
					if why := unreachable[full]; explained == (why != "") {
						t.Errorf("%s is in the table of explanations: %t; why not: %q", full, explained, why)
					}
				}
			}
		})
	}
	if seen < 60 {
		t.Errorf("only %d errors seen", seen)
	}
}
