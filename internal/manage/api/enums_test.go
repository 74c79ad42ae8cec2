package api

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wording is the type of package mandate whose words a place of the document can have, those
// that it never has there, and what is said here for what has no word there. Without a type they
// are this room's own.
type wording struct {
	of      string
	never   []string
	nothing string
}

var wordings = map[string]wording{
	"Mandate.kind": {of: "Kind"}, "Wished.kind": {of: "Kind"}, "query kind": {of: "Kind"}, "EditView.kind": {of: "Kind", never: []string{"direct"}},
	"query state":           {of: "State"},
	"Mandate.side":          {of: "Side", never: []string{"rule"}},
	"query side":            {of: "Side", never: []string{"register", "rule"}},
	"Asked.askedBy":         {of: "Side", never: []string{"rule"}},
	"Step.side":             {of: "Side"},
	"Step.act":              {of: "Act"},
	"EditView.act":          {of: "Act", never: []string{"refuse", "expire", "suspend", "revoke", "narrow", "lapse"}},
	"ChainView.misfit":      {of: "Misfit"},
	"Appointment.role":      {of: "Role"},
	"Paper.kind":            {of: "EvidenceKind"},
	"Appointment.state":     {of: "AppointmentState"},
	"Price.kind":            {of: "Kind", never: []string{"assignment"}},
	"Price.level":           {}, // of package etoegang
	"EditView.turn":         {},
	"Asked.answer":          {},
	"Appointment.level":     {}, // of package etoegang
	"Appointment.authority": {of: "Authority"},
	"Standing.form":         {of: "LegalForm", nothing: formUnknown},
	"Standing.standing":     {of: "Standing", nothing: standingNormal},
	"NewStanding.form":      {of: "LegalForm", nothing: formUnknown},
	"NewStanding.standing":  {of: "Standing", nothing: standingNormal},
}

// What the document says that a value can be is what package mandate can say: a word that comes
// there must come here, too.
func TestTheDocumentKnowsTheWords(t *testing.T) {
	words := constants(t, "../../../pkg/mandate")
	all, schemas, _ := newScene(t).document()
	told := map[string][]string{}
	for _, o := range all {
		for _, p := range o.Parameters {
			if list := enum(p.Schema); list != nil {
				told[p.In+" "+p.Name] = list
			}
		}
	}
	for name, schema := range schemas {
		properties, _ := schema["properties"].(object)
		for key, property := range properties {
			if list := enum(property.(object)); list != nil {
				told[name+"."+key] = list
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(wordings)), slices.Sorted(maps.Keys(told))); diff != "" {
		t.Fatalf("the places with words (-here, +the document):\n%s", diff)
	}
	for place, w := range wordings {
		if w.of == "" {
			continue
		}
		want := slices.DeleteFunc(slices.Clone(words[w.of]), func(word string) bool { return slices.Contains(w.never, word) })
		fits := len(want)+len(w.never) == len(words[w.of])
		if w.nothing != "" {
			want = append(want, w.nothing)
			slices.Sort(want)
		}
		if diff := cmp.Diff(want, told[place]); diff != "" || !fits {
			t.Errorf("%s (-package mandate, +the document):\n%s", place, diff)
		}
	}
}

// enum gives what a schema allows, in one order.
func enum(schema object) (list []string) {
	options, _ := schema["enum"].([]any)
	for _, o := range options {
		list = append(list, o.(string))
	}
	slices.Sort(list)
	return list
}

// constants are the words of a package by their type, in one order; the empty one is no word.
func constants(t *testing.T, folder string) map[string][]string {
	t.Helper()
	words := map[string][]string{}
	for _, name := range must(filepath.Glob(folder + "/*.go")) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(must(parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)), func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			kind, typed := spec.Type.(*ast.Ident)
			value, written := spec.Values[0].(*ast.BasicLit)
			if typed && written && value.Kind == gotoken.STRING && value.Value != `""` {
				words[kind.Name] = append(words[kind.Name], must(strconv.Unquote(value.Value)))
			}
			return true
		})
	}
	for _, list := range words {
		slices.Sort(list)
	}
	return words
}
