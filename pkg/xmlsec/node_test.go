package xmlsec

import (
	"errors"
	"testing"
)

func TestReadingANode(t *testing.T) {
	root := mustRead(t, []byte(`<a xmlns="u:x" xmlns:y="u:y" y:ID="twin" b="1"><c>one</c><c>two</c><y:c/><d> v </d></a>`)).Unverified()
	name := func(local string) Name { return Name{"u:x", local} }

	if _, ok := root.Attr("ID"); ok {
		t.Error("y:ID answers to ID")
	}
	if b, ok := root.Attr("b"); !ok || b != "1" {
		t.Errorf("b: got %q", b)
	}
	if len(root.Attrs) != 2 {
		t.Errorf("got %+v: namespace declarations are no attributes", root.Attrs)
	}
	if all := root.All(name("c")); len(all) != 2 || all[0].Text != "one" {
		t.Errorf("All: got %+v", all)
	}
	if d, err := root.One(name("d")); err != nil || d.Text != " v " {
		t.Errorf("One: got %+v, %v", d, err)
	}
	if n, err := root.Maybe(name("e")); n != nil || err != nil {
		t.Errorf("Maybe of none: got %+v, %v", n, err)
	}
	if err := root.Only(name("c"), name("d"), Name{"u:y", "c"}); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"One of none":        errorOf(root.One(name("e"))),
		"One of two":         errorOf(root.One(name("c"))),
		"Maybe of two":       errorOf(root.Maybe(name("c"))),
		"Only without one":   root.Only(name("c"), name("d")),
		"Value of a parent":  errorOf(root.Value()),
		"One of other space": errorOf(root.One(Name{"", "d"})),
	} {
		if !errors.Is(err, ErrContent) {
			t.Errorf("%s: got %v, want %v", what, err, ErrContent)
		}
	}
	if v, err := root.Children[3].Value(); err != nil || v != " v " {
		t.Errorf("Value: got %q, %v", v, err)
	}
}

func errorOf[T any](_ T, err error) error { return err }
