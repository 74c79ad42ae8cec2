package intake

import (
	"errors"
	"fmt"

	"github.com/mandated/mandated/pkg/mandate"
)

// problem is why a line is refused: what somebody without technical knowledge can do
// about it. It is told apart from an error of the register, which stops everything.
type problem struct {
	column   string
	sentence string
	mandate  mandate.ID // the mandate in the way, if any
}

func (p *problem) Error() string { return p.sentence }

// refuse says what to do in a column.
func refuse(column, format string, args ...any) *problem {
	return &problem{column: column, sentence: "Column " + column + ": " + fmt.Sprintf(format, args...) + "."}
}

// refuseLine says what to do about a line as a whole.
func refuseLine(format string, args ...any) *problem {
	return &problem{sentence: fmt.Sprintf(format, args...) + "."}
}

// inTheWay adds the mandate that stands in the way.
func (p *problem) inTheWay(id mandate.ID) *problem {
	p.mandate = id
	return p
}

// unfit puts a refusal by package mandate in the words of the file.
func unfit(err error) *problem {
	switch {
	case errors.Is(err, mandate.ErrSelf):
		return refuse(intermediaryKvK, "write another company than in grantor_kvk; a company cannot be its own intermediary")
	case errors.Is(err, mandate.ErrOrder):
		return refuse(until, "write a date after the one in column from")
	case errors.Is(err, mandate.ErrTooLong):
		return refuse(until, "write a date at most %d years after the one in column from", mandate.MaxYears)
	case errors.Is(err, mandate.ErrBackdated):
		return refuse(from, "write today or a later date; an earlier one is only for mandates that migrate from another register")
	case errors.Is(err, mandate.ErrNoEnd):
		return refuse(from, "write dates of this age in from and until")
	}
	return refuseLine("This mandate cannot be registered: %v", err)
}

// result is the outcome of a line, unless the register itself failed.
func (w wish) result(status Status, id mandate.ID, err error) (Result, error) {
	if p, ok := errors.AsType[*problem](err); ok {
		return Result{Line: w.line, Status: Refused, Mandate: p.mandate, Column: p.column, Problem: p.sentence}, nil
	}
	return Result{Line: w.line, Status: status, Mandate: id}, err
}
