package xmlsec

import (
	"fmt"
	"slices"
)

// How the reference engine finds signed elements in its tree.

// trail is what is left of the places after some steps down from the root.
type trail struct {
	places []*Place // those whose first steps fit so far
	steps  int
}

func newTrail(places []Place) trail {
	t := trail{places: make([]*Place, len(places))}
	for i := range places {
		t.places[i] = &places[i]
	}
	return t
}

func (t trail) empty() bool { return len(t.places) == 0 }

// down takes one step to an element of that name.
func (t trail) down(name Name) trail {
	below := trail{steps: t.steps + 1}
	for _, p := range t.places {
		if len(p.Path) > t.steps && slices.Contains(p.Path[t.steps], name) {
			below.places = append(below.places, p)
		}
	}
	return below
}

// place returns the place whose path ends here, or nil.
func (t trail) place() *Place {
	for _, p := range t.places {
		if len(p.Path) == t.steps {
			return p
		}
	}
	return nil
}

// findStanding walks the places' paths through the document. The elements come in
// document order.
func findStanding(root *Node, places []Place) []standing {
	var found []standing
	var walk func(n *Node, t trail, parent int)
	walk = func(n *Node, t trail, parent int) {
		if t.empty() {
			return
		}
		if p := t.place(); p != nil {
			found = append(found, standing{claim: claim{place: p, parent: parent}, node: n, trail: t})
			parent = len(found) - 1
		}
		for _, c := range n.Children {
			walk(c, t.down(c.Name), parent)
		}
	}
	walk(root, newTrail(places).down(root.Name), -1)
	return found
}

// countPlaces compares how many elements stand at each place with what the caller
// allows.
func countPlaces(found []standing, places []Place) error {
	for i := range places {
		count := 0
		for _, s := range found {
			if s.place == &places[i] {
				count++
			}
		}
		if err := places[i].allows(count); err != nil {
			return err
		}
	}
	return nil
}

// pairSignatures gives every standing element its one signature, and refuses a
// document that has any others.
func pairSignatures(root *Node, found []standing) error {
	for i := range found {
		s := &found[i]
		signatures := s.node.All(nameSignature)
		if len(signatures) != 1 {
			return fmt.Errorf("%w: %s has %d", ErrSignatureCount, s.place.Name, len(signatures))
		}
		s.signature = signatures[0]
	}
	total := 0
	_ = root.each(func(n *Node) error {
		if n.Name == nameSignature {
			total++
		}
		return nil
	})
	if total != len(found) {
		return fmt.Errorf("%w: %d in the document, %d expected", ErrSignaturePlace, total, len(found))
	}
	return nil
}

// ownID returns the ID attribute a signature must refer to, and refuses elements
// with other identifiers beside it: libraries have taken foo:ID for ID.
func ownID(n *Node) (string, error) {
	for _, a := range n.Attrs {
		if a.Name != (Name{"", "ID"}) && isIDName(a.Name.Local) {
			return "", errOtherID(a.Name)
		}
	}
	id, ok := n.Attr("ID")
	if !ok {
		return "", errNoID()
	}
	return id, nil
}

// each calls visit for the node and everything below it, in document order, until
// visit returns an error. The gate has bounded the depth.
func (n *Node) each(visit func(*Node) error) error {
	if err := visit(n); err != nil {
		return err
	}
	for _, c := range n.Children {
		if err := c.each(visit); err != nil {
			return err
		}
	}
	return nil
}
