package xmlsec

import (
	"fmt"
	"time"
)

// Examined is what one signed element is worth when it is looked at by itself.
type Examined struct {
	Verified Verified // says nothing unless Err is nil
	Err      error    // why its own signature does not hold
}

// Examine judges every element at the places by its own signature, in document order, for
// people who want to see what is wrong with a message. How many stand at a place, and
// whether there are signatures elsewhere, does not count here: a Verified of it is true of
// its element and tells nothing of the others. Nothing may therefore be decided on it; a
// message is believed by [Document.Verify], as a whole or not at all. More than 64 places
// panic.
func (d *Document) Examine(now time.Time, places ...Place) []Examined {
	d.mustBeHeld()
	if len(places) > maxPlaces {
		panic(fmt.Sprintf("xmlsec: %d places", len(places)))
	}
	all := d.findPlaces(places)
	examined := make([]Examined, len(all))
	for i := range all {
		examined[i].Verified, examined[i].Err = all[i].examine(d, all, now)
	}
	return examined
}

// examine finds the one signature of an element, and judges it.
func (f *found) examine(d *Document, all []found, now time.Time) (Verified, error) {
	signature, count := d.child(f.element, &nameSignature)
	if count != 1 {
		return Verified{}, fmt.Errorf("%w: it has %d", ErrSignatureCount, count)
	}
	f.signature = signature
	if err := f.judge(d, now); err != nil {
		return Verified{}, err
	}
	return f.verify(d, all)
}
