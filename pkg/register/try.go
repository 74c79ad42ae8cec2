package register

import "maps"

// part is how far a part of a change has come: see Try.
type part int

const (
	none  part = iota // none is under way
	ahead             // it has written nothing yet
	begun
)

// Try does a part of a change that may come to nothing: when fn refuses, what it did is
// undone, and the change may go on without it. It gives the error of fn, or that of the
// database, which is the end of the change. Parts come one after the other: there is none
// within another.
func (t *Tx) Try(fn func() error) error {
	narrows, repeats, known := t.narrows, t.repeats, t.touched.copied()
	t.part = ahead
	t.queue.begin()
	t.view.memory.begin()
	refused := fn()
	written := t.part == begun
	t.part = none
	t.view.memory.end(refused == nil)
	switch {
	case refused == nil && written:
		return t.do(`RELEASE SAVEPOINT part`)
	case refused == nil:
		return nil
	case t.view.failed != nil:
		return t.view.failed
	}
	t.queue.drop()
	if written {
		if err := t.do(`ROLLBACK TO SAVEPOINT part`); err != nil {
			return err
		}
		if err := t.do(`RELEASE SAVEPOINT part`); err != nil {
			return err
		}
	}
	t.touched, t.narrows, t.repeats = known, narrows, repeats
	return refused
}

// savepoint marks where the part begins in the database: it is about to write.
func (t *Tx) savepoint() error {
	t.part = begun
	return t.do(`SAVEPOINT part`)
}

// copied are the parties as they are now.
func (p touched) copied() touched { return touched{maps.Clone(p.named), p.all} }
