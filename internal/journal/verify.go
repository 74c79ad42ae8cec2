package journal

import (
	"context"
	"crypto"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
)

// Report is what Verify found.
type Report struct {
	Records int64 // in the journal when Verify began
	Retired int64 // that stood before them and are gone, as a good stub says

	// Proven is how many of the records a good checkpoint covers, with nothing wrong
	// before it: they are what the holder of the key saw. Unproven are the others.
	Proven, Unproven int64

	// Unjudged is how many checkpoints and stubs were signed by a key that was not
	// given, such as one before a rollover. They agree with the journal, and a good one
	// proves what they speak of.
	Unjudged int64

	// Uncompared is how many checkpoints speak of records that are retired.
	Uncompared int64

	Problems []Problem // at most a thousand; empty is good
	Untold   int64     // problems beyond those
}

// Problem is something that honest operation does not bring about.
type Problem struct {
	Sequence int64  // the record concerned; 0 if none can be named
	What     string // for people
}

const maxProblems = 1000

// Verify reads the journal at place from its beginning and compares it with the
// checkpoints: those of the file outside the store, or the copies in the store if
// checkpoints is nil. An error means that Verify could not finish; what is wrong with the
// journal is in the report.
//
// Where records were retired it begins at the stub, which must be signed by one of the
// keys. So must the checkpoints: one by another key proves nothing, and is a problem
// unless a good one covers the same records.
//
// The place is opened for reading only and may be in use. Memory does not grow with the
// journal, except by a number for each checkpoint whose key was not given. The tail
// being cut off together with all checkpoints over it can only be found with checkpoints
// from elsewhere.
func Verify(ctx context.Context, place string, checkpoints io.Reader, keys ...crypto.PublicKey) (report Report, err error) {
	ring, err := newKeyring(keys...)
	if err == nil && len(ring) == 0 {
		err = errors.New("no key given")
	}
	if err != nil {
		return Report{}, fmt.Errorf("verifying the journal: %w", err)
	}
	store, err := openStore(ctx, place, true)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	v := &verifier{store: store, ring: ring, firstBad: math.MaxInt64}
	if err := v.run(ctx, checkpoints); err != nil {
		return Report{}, fmt.Errorf("verifying the journal: %w", err)
	}
	return v.report, nil
}

// verifier walks the chain once, in pages so that it holds nothing that the daemon needs,
// and then looks up what each checkpoint signed.
type verifier struct {
	store  store
	ring   keyring
	report Report

	stub     link  // what a good stub stands for; zero if there is none
	end      link  // the last record when we began
	last     link  // the record just seen
	firstBad int64 // the first record that is not as written
	proven   int64 // the last record under a good checkpoint

	unjudged []link // statements by other keys that agree with the chain
}

func (v *verifier) run(ctx context.Context, outside io.Reader) (err error) {
	if v.end, err = v.store.end(ctx); errors.Is(err, ErrBroken) {
		v.tell(v.end.sequence, err.Error())
		err = nil
	}
	if err != nil {
		return err
	}
	if err := v.readStub(ctx); err != nil {
		return err
	}
	if err := v.walk(ctx); err != nil {
		return err
	}
	statements := copies(v.store.checkpoints(ctx, math.MinInt64))
	if outside != nil {
		statements = lines(outside)
	}
	for s, err := range statements {
		if err := v.compare(ctx, s, err); err != nil {
			return err
		}
	}
	v.conclude()
	return nil
}

// copies are the checkpoints in the store as statements.
func copies(checkpoints iter.Seq2[*Checkpoint, error]) iter.Seq2[statement, error] {
	return func(yield func(statement, error) bool) {
		for c, err := range checkpoints {
			if !yield(c, err) {
				return
			}
		}
	}
}

// readStub begins at the newest stub, if it is good.
func (v *verifier) readStub(ctx context.Context) error {
	s, err := v.store.stub(ctx)
	if err != nil || s == nil {
		return err
	}
	if err := v.ring.check(s); err != nil {
		v.tell(s.Sequence, "the stub in place of the records up to this one proves nothing: "+err.Error())
		return nil
	}
	v.stub, v.last = s.link(), s.link()
	return nil
}

// walk checks every record and that it follows from the one before it.
func (v *verifier) walk(ctx context.Context) error {
	after := int64(math.MinInt64)
	for more := true; more; {
		var records []Record
		var err error
		more, err = v.store.page(ctx, after, page, func(r Record) { records = append(records, r) })
		if err != nil {
			return err
		}
		for _, r := range records {
			if after = r.Sequence; after > v.end.sequence {
				more = false
				break
			}
			if err := v.record(ctx, &r); err != nil {
				return err
			}
		}
	}
	if v.last.sequence < v.end.sequence {
		v.bad(v.last.sequence+1, fmt.Sprintf("missing, up to the end at record %d", v.end.sequence))
	} else if v.last != v.end {
		v.bad(v.last.sequence, "the record is not the one at the end")
	}
	return nil
}

func (v *verifier) record(ctx context.Context, r *Record) error {
	if r.Sequence > v.last.sequence+1 {
		if err := v.catchUp(ctx, r); err != nil {
			return err
		}
	}
	v.report.Records++
	if r.digest() != r.Hash {
		v.bad(r.Sequence, "the record is not as it was written")
	}
	switch expected := v.last.sequence + 1; {
	case r.Sequence < expected && r.Sequence < 1:
		v.bad(r.Sequence, "the record has a number below 1")
		return nil
	case r.Sequence < expected:
		v.bad(r.Sequence, "the record is there, although a stub says that it is gone")
		return nil
	case r.Sequence == expected && r.Previous != v.last.hash:
		v.bad(r.Sequence, "the record does not follow from the one before it")
	case r.Sequence > expected:
		v.bad(expected, fmt.Sprintf("missing, up to record %d", r.Sequence-1))
	}
	v.last = r.link()
	return nil
}

// catchUp begins again at the newest stub, if records up to this one were retired while
// we were reading.
func (v *verifier) catchUp(ctx context.Context, r *Record) error {
	s, err := v.newerStub(ctx)
	if s != nil && s.Sequence == r.Sequence-1 {
		v.stub, v.last, v.report.Records = s.link(), s.link(), 0
	}
	return err
}

// newerStub is a good one that was not there when we began; nil if there is none.
func (v *verifier) newerStub(ctx context.Context) (*Stub, error) {
	s, err := v.store.stub(ctx)
	if err != nil || s == nil || s.Sequence <= v.stub.sequence || v.ring.check(s) != nil {
		return nil, err
	}
	return s, nil
}

// compare judges one statement, or the reason why it could not be read.
func (v *verifier) compare(ctx context.Context, s statement, unreadable error) error {
	var bad badLine
	if errors.As(unreadable, &bad) {
		v.tell(0, bad.Error())
		return nil
	}
	if unreadable != nil {
		return unreadable
	}
	l := s.link()
	signature := v.ring.check(s)
	if signature != nil && signature != errUnknownKey {
		v.tell(l.sequence, kind(s)+": "+signature.Error())
		return nil
	}
	agrees, err := v.agrees(ctx, s)
	if err != nil || !agrees {
		return err
	}
	if signature != nil {
		v.unjudged = append(v.unjudged, l)
		return nil
	}
	if l.sequence < v.firstBad && l.sequence <= v.end.sequence {
		v.proven = max(v.proven, l.sequence)
	}
	return nil
}

func kind(s statement) string {
	if _, ok := s.(*Stub); ok {
		return "the stub outside the store"
	}
	return "the checkpoint"
}

// agrees compares what was signed with what is there.
func (v *verifier) agrees(ctx context.Context, s statement) (bool, error) {
	l := s.link()
	if _, ok := s.(*Stub); ok && l.sequence > v.stub.sequence {
		return v.agreesNow(ctx, l)
	}
	gone, found, err := v.found(ctx, l.sequence)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		v.tell(l.sequence, fmt.Sprintf("missing, although a checkpoint signed it; the journal ends at record %d", v.last.sequence))
		return false, nil
	case err != nil:
		return false, err
	case gone:
		v.report.Uncompared++
	case found != l.hash:
		v.tell(l.sequence, "the record is not the one that "+kind(s)+" signed")
		return false, nil
	}
	return true, nil
}

// agreesNow compares a stub outside with a newer one in the store than we began at.
func (v *verifier) agreesNow(ctx context.Context, l link) (bool, error) {
	s, err := v.newerStub(ctx)
	if err != nil || s != nil && s.Sequence >= l.sequence {
		return err == nil, err
	}
	v.tell(l.sequence, "records up to this one were retired, but the journal has an older stub or none: it was put back")
	return false, nil
}

// found is the hash of a record, also of the last that was retired; gone if it was one
// before that, or was retired just now.
func (v *verifier) found(ctx context.Context, sequence int64) (gone bool, hash Hash, err error) {
	if sequence <= v.stub.sequence && sequence > 0 {
		return sequence < v.stub.sequence, v.stub.hash, nil
	}
	r, err := v.store.bySequence(ctx, sequence)
	if !errors.Is(err, sql.ErrNoRows) {
		return false, r.Hash, err
	}
	s, again := v.newerStub(ctx)
	if s != nil && s.Sequence >= sequence {
		return true, Hash{}, nil
	}
	return false, Hash{}, errors.Join(err, again)
}

// conclude counts, and tells which statements by other keys nothing proves. A stub as
// good as a checkpoint proves what lies before it.
func (v *verifier) conclude() {
	for _, l := range v.unjudged {
		if l.sequence > max(v.proven, v.stub.sequence) {
			v.tell(l.sequence, "the checkpoint: "+errUnknownKey.Error()+", and no good one covers its records")
			continue
		}
		v.report.Unjudged++
	}
	v.report.Retired = v.stub.sequence
	v.report.Proven = max(0, v.proven-v.stub.sequence)
	v.report.Unproven = v.report.Records - v.report.Proven
}

// bad is a problem of the chain: no checkpoint proves anything from there on.
func (v *verifier) bad(sequence int64, what string) {
	v.firstBad = min(v.firstBad, sequence)
	v.tell(sequence, what)
}

func (v *verifier) tell(sequence int64, what string) {
	if len(v.report.Problems) == maxProblems {
		v.report.Untold++
		return
	}
	v.report.Problems = append(v.report.Problems, Problem{sequence, what})
}
