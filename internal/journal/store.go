package journal

import (
	"context"
	"iter"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/pkg/mandate"
)

// store is where a journal is kept. All methods may be called at the same time, and
// several processes may use one store. What tables it has, and how they are read, is
// the same for both kinds; see tables.
type store interface {
	// append writes a group in one transaction that is on disk when it returns nil,
	// and says of each entry whether its id was taken. It gives the number of a last
	// record, of these or of those before. ctx bounds how long it tries.
	append(ctx context.Context, now time.Time, entries []*entry) (last int64, err error)

	// sign keeps a copy of a checkpoint.
	sign(ctx context.Context, c *Checkpoint) error

	// retire puts the stub at the front and deletes the records that it stands for, in
	// one transaction. If another process has retired records meanwhile, nothing is
	// done and that is an error.
	retire(ctx context.Context, s *Stub) error

	// end is the last record as the store knows it, zero if there is none.
	end(ctx context.Context) (link, error)

	// byID and bySequence give sql.ErrNoRows if there is no such record.
	byID(ctx context.Context, id string) (Record, error)
	bySequence(ctx context.Context, sequence int64) (Record, error)

	// beginning gives records whose id begins so, at most limit of them.
	beginning(ctx context.Context, id string, limit int) ([]Record, error)

	// with hands over the records after number after, up to upTo, with that text in their body,
	// the newest first, until use has enough.
	with(ctx context.Context, text []byte, after, upTo int64, use func(Record) (enough bool)) error

	// page hands over the records that follow number after, in order, until limit of
	// them or pageBytes are reached, and tells whether it stopped there.
	page(ctx context.Context, after int64, limit int, use func(Record)) (more bool, err error)

	// since is the first record with that time or a later one; 0 if there is none.
	since(ctx context.Context, t time.Time) (int64, error)

	// checkpoints reads the copies after record number after, one at a time, in the
	// order of the records; those of one record, in the order they were made.
	checkpoints(ctx context.Context, after int64) iter.Seq2[*Checkpoint, error]

	// newest is the copy of the checkpoint over most records that good accepts, nil if
	// there is none.
	newest(ctx context.Context, good func(*Checkpoint) bool) (*Checkpoint, error)

	// stub is the newest, nil if nothing was retired.
	stub(ctx context.Context) (*Stub, error)

	// followed is up to where records were read for when mandates were last used.
	followed(ctx context.Context) (mark, error)

	// follow moves that mark and keeps what was read on the way, except what is not later
	// than what is kept, in one transaction. If the mark is not where from says, nothing is
	// done and moved is false.
	follow(ctx context.Context, from, to mark, uses []Use) (moved bool, err error)

	// uses are the last uses that are kept of those mandates.
	uses(ctx context.Context, ids []mandate.ID) ([]Use, error)

	close() error
}

// openStore opens the store at place; unless only reading, it is created if absent.
func openStore(ctx context.Context, place string, readOnly bool) (store, error) {
	if postgres.IsPlace(place) {
		return openPostgres(ctx, place, readOnly)
	}
	return openFile(ctx, place, readOnly)
}

// link is a place in the chain: a record's number and hash. The zero link is where the
// chain begins.
type link struct {
	sequence int64
	hash     Hash
}

// follow moves to the record, or tells why it cannot be the next.
func (l *link) follow(r *Record) error {
	switch {
	case r.digest() != r.Hash:
		return broken(r.Sequence, "is not as it was written")
	case r.Sequence != l.sequence+1:
		return broken(l.sequence+1, "is missing")
	case r.Previous != l.hash:
		return broken(r.Sequence, "does not follow from the one before it")
	}
	*l = r.link()
	return nil
}

func (r *Record) link() link { return link{r.Sequence, r.Hash} }
