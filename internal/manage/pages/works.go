package pages

import (
	"context"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
)

// Works is what the register's own staff see of how it works, beside its mandates. The daemon
// knows it.
type Works interface {
	// Record finds a decision by what people call it: see journal.Journal for its errors.
	Record(ctx context.Context, name string) (pdp.Record, error)

	// Decisions are those of the last days, today first, as far as they are counted: with every
	// call it is further, by a bounded number of records.
	Decisions(ctx context.Context, days int) ([]Decided, error)

	// Explain says why something was refused, and what to do about it, in the words that the
	// user gets; m is the mandate it is about, nil for none.
	Explain(l look.Language, code decision.Code, m *mandate.Mandate, needs etoegang.AssuranceLevel) (why, next string)

	// Peers are the files with metadata, and whom they describe.
	Peers() []Source

	// Edition is an edition of the service catalogue that the register has decided by
	// (register.ErrNotFound), and ReadEdition reads one that somebody brings, as it would be
	// read to put it in force; what is wrong with it is for people to read.
	Edition(ctx context.Context, sequence int64) (*catalogue.Catalogue, error)
	ReadEdition(document []byte) (*catalogue.Catalogue, error)
}

// Decided is how much was decided on a day, by outcome, and how many refusals had a reason, by its
// code: one may have several.
type Decided struct {
	Day      time.Time // when it began
	Outcomes map[string]int64
	Reasons  map[decision.Code]int64
	Whole    bool // all of the day is counted, and of today all that is there
}

// Source is a file with metadata of others, as it is in use.
type Source struct {
	Name         string
	Participants []saml.Participant
	Since        time.Time // in use, as it is
	Read         time.Time // last without a fault; zero: never
	Problem      error     // why it could not be read anew; nil: it could
}
