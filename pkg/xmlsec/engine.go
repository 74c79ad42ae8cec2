package xmlsec

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Engine is one of two implementations of the same verification. What they share is the
// gate, the shape a signature must have, and whose keys count; they do not share the
// reading of the document, the canonical form and the cryptographic verdict.
type Engine int

// The engines.
const (
	// Fast walks over the tokens of the gate. It is never more lenient than Reference; the
	// places where it is stricter are listed in fast.go.
	Fast Engine = iota

	// Reference builds trees and lets goxmldsig judge. It is the oracle that Fast is
	// tested with, and costs ten times as much.
	Reference
)

// engineNames are those of configuration and metrics.
var engineNames = [...]string{Fast: "fast", Reference: "reference"}

// String is the engine's name.
func (e Engine) String() string { return engineNames[e] }

// ParseEngine finds an engine by its name.
func ParseEngine(name string) (Engine, error) {
	if i := slices.Index(engineNames[:], name); i >= 0 {
		return Engine(i), nil
	}
	return Fast, fmt.Errorf("xmlsec: %q is not fast or reference", name)
}

// other is the engine that checks this one.
func (e Engine) other() Engine { return Reference - e }

// Verifier says how documents are verified. The zero value is the fast engine alone. It
// is a plain value, for any number of goroutines.
type Verifier struct {
	Engine Engine

	// CrossCheck lets the other engine verify one in so many documents as well, chosen by
	// chance so that nobody can send what is not looked at twice. 0: none, 1: all.
	CrossCheck int
}

// ErrDisagreement tells that the two engines do not agree on a document. One of them is
// wrong, so it is refused, and somebody should look at it: see DisagreementError.
var ErrDisagreement = errors.New("xmlsec: the two engines disagree")

// DisagreementError is an ErrDisagreement, with what helps to find the message again. It
// quotes nothing of the message but the ID.
type DisagreementError struct {
	ID     string // of the first signed element, not verified: an XML name, or empty
	Digest string // SHA-256 of the document, hexadecimal
	Detail string // which engine refused with what kind of error, or that they read different things
}

func (e *DisagreementError) Error() string {
	// In halves: a log that keeps pseudonyms out would take 64 digits together for one.
	half := len(e.Digest) / 2
	return fmt.Sprintf("%v on %s (SHA-256 %s %s): %s", ErrDisagreement, e.ID, e.Digest[:half], e.Digest[half:], e.Detail)
}

// Is makes it an ErrDisagreement.
func (e *DisagreementError) Is(target error) bool { return target == ErrDisagreement }

// Verify checks every signature of a document. Every element at one of the places
// must have exactly one, as its direct child, by a key of its issuer whose
// certificate is valid at that time; a signature anywhere else is refused, and so
// is everything else the profile does not name. The result is in document order.
//
// All or nothing: with an error there is no Verified at all. Document and keys are
// only read. More than 64 places panic.
func (v Verifier) Verify(d *Document, now time.Time, places ...Place) ([]Verified, error) {
	d.mustBeHeld()
	if len(places) > maxPlaces {
		panic(fmt.Sprintf("xmlsec: %d places", len(places)))
	}
	result, err := v.Engine.verify(d, now, places)
	if v.CrossCheck < 1 || rand.IntN(v.CrossCheck) > 0 {
		return result, err
	}
	again, otherErr := v.Engine.other().verify(d, now, places)
	if detail := disagreement(v.Engine, result, again, err, otherErr); detail != "" {
		return nil, newDisagreement(d, places, detail)
	}
	return result, err
}

// Verify is that of the zero Verifier.
func (d *Document) Verify(now time.Time, places ...Place) ([]Verified, error) {
	return Verifier{}.Verify(d, now, places...)
}

func (e Engine) verify(d *Document, now time.Time, places []Place) ([]Verified, error) {
	if e == Reference {
		return d.verifyByReference(now, places)
	}
	return d.verifyFast(now, places)
}

// disagreement tells in what two verifications of one document differ, or nothing. Two
// refusals agree, whatever their reasons.
func disagreement(first Engine, a, b []Verified, errA, errB error) string {
	switch {
	case errA != nil && errB != nil:
		return ""
	case errA != nil:
		return fmt.Sprintf("%v refuses: %v", first, kindOf(errA))
	case errB != nil:
		return fmt.Sprintf("%v refuses: %v", first.other(), kindOf(errB))
	case !sameVerified(a, b):
		return "they read different things"
	}
	return ""
}

// kindOf is the error that an error began with: what was wrapped around it may quote the
// message.
func kindOf(err error) error {
	for {
		switch wrapped := err.(type) {
		case interface{ Unwrap() error }:
			err = wrapped.Unwrap()
		case interface{ Unwrap() []error }:
			err = wrapped.Unwrap()[0]
		default:
			return err
		}
	}
}

func sameVerified(a, b []Verified) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].place != b[i].place || a[i].issuer != b[i].issuer || a[i].parent != b[i].parent ||
			a[i].signature != b[i].signature || !sameNode(a[i].root, b[i].root) {
			return false
		}
	}
	return true
}

// sameNode reports whether two nodes say the same; attributes have no order.
func sameNode(a, b *Node) bool {
	if a.Name != b.Name || a.Text != b.Text || len(a.Attrs) != len(b.Attrs) || len(a.Children) != len(b.Children) {
		return false
	}
	for _, x := range a.Attrs {
		found := false
		for _, y := range b.Attrs {
			found = found || x == y
		}
		if !found {
			return false
		}
	}
	for i := range a.Children {
		if !sameNode(a.Children[i], b.Children[i]) {
			return false
		}
	}
	return true
}

func newDisagreement(d *Document, places []Place, detail string) error {
	sum := sha256.Sum256(d.doc)
	e := &DisagreementError{Digest: hex.EncodeToString(sum[:]), Detail: detail}
	if found := d.findPlaces(places); len(found) > 0 {
		e.ID, _ = d.attr(found[0].element, "ID")
	}
	return e
}
