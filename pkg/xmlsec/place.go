package xmlsec

import (
	"crypto/x509"
	"fmt"
	"slices"
)

// Step is one step of a path: the names an element may have there. There are
// several where peers spell one namespace in several ways.
type Step []Name

// Place says where signed elements of one kind stand in a kind of message, and
// whose keys may have signed them. Places are fixed by the caller before the
// message is looked at: nothing is ever searched for.
type Place struct {
	Name string // for errors and for Verified.Place
	Path []Step // from the document's root to the signed element, both included

	// Issuer is the direct child that names the issuer. The zero Name means the
	// element names none; Keys is then asked for "".
	Issuer Name

	// Keys returns the only keys that may have signed an element of this issuer at
	// this place: the caller looks at the issuer and at its role. None means
	// ErrUnknownIssuer.
	Keys func(issuer string) []Key

	// How many such elements must and may stand there. Two places must not share a
	// path: the first would have all the elements.
	Min, Max int
}

// Key is a key an issuer has registered, with the name its signatures may hint at. A key
// without a name answers to every hint: whoever signs metadata is known by certificate.
type Key struct {
	Name        string
	Certificate *x509.Certificate
}

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

// standing is an element found at a place.
type standing struct {
	node      *Node
	place     *Place
	trail     trail // how we came here
	parent    int   // index of the nearest enclosing standing element, or -1
	signature *Node

	// What judging it found.
	envelope     envelope
	issuer       string
	certificates []*x509.Certificate
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
			found = append(found, standing{node: n, place: p, trail: t, parent: parent})
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
		p, count := &places[i], 0
		for _, s := range found {
			if s.place == p {
				count++
			}
		}
		if count < p.Min || count > p.Max {
			return fmt.Errorf("%w: %d at place %q", ErrPlaceCount, count, p.Name)
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
