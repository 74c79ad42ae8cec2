package intake

import (
	"errors"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/mandate"
)

// A *sheet.Problem is why a line is refused. It is told apart from an error of the
// register, which stops everything.

// with are the arguments of a sentence.
type with = map[string]any

// inTheWay is the argument for the mandate that stands in the way.
const inTheWay = "mandate"

// refuse says what to do in a column.
func refuse(column, code string, args with) *sheet.Problem { return book.Problem(code, column, args) }

// refuseLine says what to do about a line as a whole.
func refuseLine(code string, args with) *sheet.Problem { return book.Problem(code, "", args) }

// unfit puts a refusal by package mandate in the words of the file.
func unfit(err error) *sheet.Problem {
	switch {
	case errors.Is(err, mandate.ErrSelf):
		return refuse(intermediaryKvK, "own-intermediary", nil)
	case errors.Is(err, mandate.ErrOrder):
		return refuse(until, "ends-before-start", nil)
	case errors.Is(err, mandate.ErrTooLong):
		return refuse(until, "lasts-too-long", with{"years": mandate.MaxYears})
	case errors.Is(err, mandate.ErrBackdated):
		return refuse(from, "starts-in-past", nil)
	case errors.Is(err, mandate.ErrNoEnd):
		return refuse(from, "date-out-of-reach", nil)
	}
	return refuseLine("unfit", with{"why": err})
}

// result is the outcome of a line, unless the register itself failed. The headings are
// those of the file.
func (w wish) result(status Status, id mandate.ID, err error, headings map[string]string) (Result, error) {
	if p, ok := errors.AsType[*sheet.Problem](err); ok {
		p.Headings = headings
		id, _ := p.Args[inTheWay].(mandate.ID)
		return Result{Line: w.line, Status: Refused, Mandate: id, Problem: p}, nil
	}
	return Result{Line: w.line, Status: status, Mandate: id}, err
}
