package mandate

import (
	"errors"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// EvidenceKind says what a piece of evidence shows.
type EvidenceKind string

// The kinds of evidence. What the register keeps of it is its hash and where it lies; of
// an identity document nothing but that it was seen.
const (
	SignedForm EvidenceKind = "signed-form" // what the company's people signed
	Extract    EvidenceKind = "extract"     // of the trade register, at most 14 days old
	Identified EvidenceKind = "identified"  // who signed, and the user, were seen in person
	Resolution EvidenceKind = "resolution"  // mandaatbesluit, statutes, a court's appointment
	Notice     EvidenceKind = "notice"      // of a party that ends or changes something
)

// Known tells whether k is one of the kinds.
func (k EvidenceKind) Known() bool {
	switch k {
	case SignedForm, Extract, Identified, Resolution, Notice:
		return true
	}
	return false
}

// Evidence is a paper, or a file of one, on which a step of the register's staff rests.
type Evidence struct {
	Kind   EvidenceKind
	SHA256 [32]byte  // of the file; zero: nothing is kept but that it was seen
	Dated  time.Time // when it was made
	Where  string    // where it lies, in the words of the register's own archive
}

// What can be wrong with the evidence for a step.
var (
	ErrEvidence   = errors.New("evidence is missing: a mandate on paper needs the signed form and an extract of the trade register, and at loa4 that everybody was seen in person")
	ErrOldExtract = errors.New("the extract of the trade register is more than 14 days old: ask for a new one")
	ErrPaper      = errors.New("of each piece of evidence the kind, its date and where it lies must be told; it cannot be from the future")
)

// extractAge is how old an extract may be (suppliers' practice).
const extractAge = 14 * 24 * time.Hour

// CheckEvidence tells whether evidence is enough for the register's staff to record a
// mandate for its parties.
func CheckEvidence(list []Evidence, s Scope, now time.Time) error {
	if err := CheckPapers(list, now); err != nil {
		return err
	}
	has := func(kind EvidenceKind) bool {
		return slices.ContainsFunc(list, func(e Evidence) bool { return e.Kind == kind })
	}
	if !has(SignedForm) || !has(Extract) || s.Highest() >= etoegang.LoA4 && !has(Identified) {
		return ErrEvidence
	}
	for _, e := range list {
		if e.Kind == Extract && e.Dated.Before(now.Add(-extractAge)) {
			return ErrOldExtract
		}
	}
	return nil
}

// CheckPapers tells whether each piece is told of as it must be.
func CheckPapers(list []Evidence, now time.Time) error {
	for _, e := range list {
		if !e.Kind.Known() || e.Dated.IsZero() || e.Dated.After(now) || e.Where == "" || len(e.Where) > 255 {
			return ErrPaper
		}
	}
	return nil
}

// Highest is the highest level of any item.
func (s Scope) Highest() etoegang.AssuranceLevel {
	level := etoegang.NoLevel
	for _, item := range s {
		level = max(level, item.Level)
	}
	return level
}
