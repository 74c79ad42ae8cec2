package xmlsec

import "fmt"

// How the fast engine finds signed elements among the tokens.

// maxPlaces is how many places fit a trace.
const maxPlaces = 64

// trace is the set of places whose first steps fit so far, one bit each.
type trace uint64

// findPlaces walks the places' paths through the document. The elements come in
// document order.
func (d *Document) findPlaces(places []Place) []found {
	w := pathWalk{document: d, places: places}
	w.element(0, trace(1)<<len(places)-1, 0, -1)
	return w.found
}

type pathWalk struct {
	document *Document
	places   []Place
	found    []found
}

// element visits an element that so many steps led to, and those inside that a path
// still leads to.
func (w *pathWalk) element(i int32, fit trace, steps, parent int) {
	if fit = w.down(i, fit, steps); fit == 0 {
		return
	}
	steps++
	if p := w.place(fit, steps); p != nil {
		w.found = append(w.found, found{claim: claim{place: p, parent: parent}, element: i})
		parent = len(w.found) - 1
	}
	elements := w.document.tokens.elements
	for child := i + 1; child < elements[i].next; child = elements[child].next {
		w.element(child, fit, steps, parent)
	}
}

// down keeps the places whose next step the element's name is.
func (w *pathWalk) down(i int32, fit trace, steps int) (below trace) {
	for p := range w.places {
		if fit&(1<<p) == 0 || len(w.places[p].Path) <= steps {
			continue
		}
		step := w.places[p].Path[steps]
		for n := range step {
			if w.document.tokens.is(w.document.doc, i, &step[n]) {
				below |= 1 << p
				break
			}
		}
	}
	return below
}

// place returns the place whose path ends here, or nil.
func (w *pathWalk) place(fit trace, steps int) *Place {
	for p := range w.places {
		if fit&(1<<p) != 0 && len(w.places[p].Path) == steps {
			return &w.places[p]
		}
	}
	return nil
}

// countFound compares how many elements stand at each place with what the caller
// allows.
func countFound(all []found, places []Place) error {
	for i := range places {
		count := 0
		for j := range all {
			if all[j].place == &places[i] {
				count++
			}
		}
		if err := places[i].allows(count); err != nil {
			return err
		}
	}
	return nil
}

// pair gives every found element its one signature, and refuses a document that has any
// others.
func (d *Document) pair(all []found) error {
	for i := range all {
		f := &all[i]
		signature, count := d.child(f.element, &nameSignature)
		if count != 1 {
			return fmt.Errorf("%w: %s has %d", ErrSignatureCount, f.place.Name, count)
		}
		f.signature = signature
	}
	total := 0
	for i := range d.tokens.elements {
		if d.tokens.is(d.doc, int32(i), &nameSignature) {
			total++
		}
	}
	if total != len(all) {
		return fmt.Errorf("%w: %d in the document, %d expected", ErrSignaturePlace, total, len(all))
	}
	return nil
}

// child returns the last direct child of that name, and how many there are.
func (d *Document) child(i int32, name *Name) (last int32, count int) {
	elements := d.tokens.elements
	for c := i + 1; c < elements[i].next; c = elements[c].next {
		if d.tokens.is(d.doc, c, name) {
			last = c
			count++
		}
	}
	return last, count
}

// ownID returns the ID attribute a signature must refer to, and refuses elements
// with other identifiers beside it: libraries have taken foo:ID for ID.
func (d *Document) ownID(i int32) (string, error) {
	attrs := d.tokens.attrsOf(i)
	for j := range attrs {
		a := &attrs[j]
		if local := a.localName(d.doc); isIDName(local) && (a.space != noSpace || string(local) != "ID") {
			return "", errOtherID(Name{string(d.tokens.space(d.doc, a.space)), string(local)})
		}
	}
	id, ok := d.attr(i, "ID")
	if !ok {
		return "", errNoID()
	}
	return id, nil
}

// attr returns the value of an attribute without a namespace.
func (d *Document) attr(i int32, local string) (string, bool) {
	attrs := d.tokens.attrsOf(i)
	for j := range attrs {
		if a := &attrs[j]; a.space == noSpace && string(a.localName(d.doc)) == local {
			return string(a.meaning(d.doc)), true
		}
	}
	return "", false
}

// issuer reads who an element says made it.
func (d *Document) issuer(p *Place, i int32) (string, error) {
	if p.Issuer == (Name{}) {
		return "", nil
	}
	issuer, count := d.child(i, &p.Issuer)
	if e := &d.tokens.elements[issuer]; count == 1 && !e.parented {
		return d.text(e), nil
	}
	return "", p.noIssuer(count)
}

// text returns the character data of an element without elements in it.
func (d *Document) text(e *element) string {
	run := d.doc[e.inside:e.close]
	if e.text&oddText != 0 {
		run = appendText(nil, run, e.text)
	}
	return string(run)
}
