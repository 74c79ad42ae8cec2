package api

import (
	"errors"
	"strconv"
	"strings"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/intake"
	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// wishOf reads what a line of an upload wishes for: numbers, dates and scopes as package intake does,
// because the same spreadsheets write them. What is wrong with the line is a *Problem that names
// the columns as the upload does.
func wishOf(row sheet.Row, headings map[string]string, l look.Language) (desk.Wish, error) {
	if row.Problem != nil {
		row.Problem.Headings = headings
		p := refusedFile.in(l)
		p.Errors = []Mistake{{row.Problem.Column, row.Problem.In(sheet.Language(l))}}
		return desk.Wish{}, p
	}
	c := cells{row, headings, sheet.Language(l), nil}
	w := desk.Wish{
		Kind:         cell(&c, columnKind, kindOf),
		Grantor:      desk.Party{KvK: cell(&c, columnGrantorKvK, intake.ParseKvK), Name: cell(&c, columnGrantorName, nameOf)},
		Intermediary: desk.Party{KvK: cell(&c, columnIntermediaryKvK, intake.ParseKvK), Name: cell(&c, columnIntermediaryName, nameOf)},
		Person: desk.PersonWish{
			ID: mandate.PersonID(cell(&c, columnPerson, numberOf)),
			Subject: etoegang.ActingSubject{
				Authenticator: cell(&c, columnAuthenticator, etoegang.ParseEntityID),
				Pseudonym:     cell(&c, columnPseudonym, etoegang.ParsePseudonym),
			},
			Name: cell(&c, columnPersonName, nameOf),
		},
		Client:         mandate.ID(cell(&c, columnClient, numberOf)),
		Scope:          cell(&c, columnScope, intake.ParseScope),
		Establishments: cell(&c, columnEstablishments, intake.ParseEstablishments),
		Validity:       mandate.Validity{From: cell(&c, columnFrom, intake.ParseMoment), To: cell(&c, columnUntil, intake.ParseMoment)},
		Reference:      cell(&c, columnReference, func(s string) (string, error) { return sheet.AsWritten(s), nil }),
	}
	if err := c.mistakes.err(); err != nil {
		p := refusedInput.in(l)
		p.Errors = c.mistakes
		return w, p
	}
	named := w.Person.ID != 0 || !w.Person.Subject.IsZero()
	if (w.Kind == mandate.Chain) == w.Intermediary.KvK.IsZero() || (w.Kind == mandate.Chain) == named {
		return w, mandate.ErrParties
	}
	return w, nil
}

// cells reads a line, and notes what is wrong with it.
type cells struct {
	row      sheet.Row
	headings map[string]string
	language sheet.Language
	mistakes mistakes
}

func cell[T any](c *cells, column string, read func(string) (T, error)) T {
	text, _ := c.row.Cell(column)
	name := column
	if heading, ok := c.headings[column]; ok {
		name = heading
	}
	return parse(&c.mistakes, name, text, func(text string) (T, error) {
		value, err := read(text)
		if problem, ok := errors.AsType[*sheet.Problem](err); ok { // says it in either language
			err = errors.New(problem.In(c.language))
		}
		return value, err
	})
}

func kindOf(s string) (mandate.Kind, error) {
	switch k := mandate.Kind(s); k {
	case mandate.Direct, mandate.Chain, mandate.Assignment:
		return k, nil
	}
	return "", errors.New("write direct, chain or assignment")
}

func nameOf(s string) (string, error) {
	if s = sheet.AsWritten(s); len(s) > 800 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", errors.New("write a name of at most 200 letters, on one line")
	}
	return s, nil
}

func numberOf(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, errors.New("write a number of the register, or leave it empty")
	}
	return n, nil
}
