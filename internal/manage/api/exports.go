package api

import (
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

const aboutExports = `All mandates that the filter chooses, at one revision, in the order of their numbers. JSON lines are mandates as everywhere, and a last line {"end": {"revision": ..., "mandates": ...}}. CSV has a first line with the names of the columns, which /imports knows, too; an answer that was cut off ends with an error of the connection.`

// ExportEnd is what the last line of an export tells.
type ExportEnd struct {
	Revision int64 `json:"revision"`
	Mandates int   `json:"mandates"`
}

type exportIn struct {
	Accept string `header:"Accept" doc:"text/csv or application/x-ndjson, the latter if it is not said"`
	Filter
}

func (a *api) exportMandates(ctx context.Context, in *exportIn) (*streamOut, error) {
	asTable := strings.Contains(in.Accept, typeCSV)
	if !asTable && in.Accept != "" && !strings.Contains(in.Accept, typeLines) && !strings.Contains(in.Accept, "*/*") && !strings.Contains(in.Accept, "application/*") {
		return nil, &refusedAccept
	}
	var at register.Revision
	if err := a.look(ctx, 0, func(l *desk.Look) error { at = l.Revision(); return nil }); err != nil {
		return nil, err
	}
	if asTable {
		return a.stream(typeTable, func(ctx context.Context, l *lines) error {
			t, err := newTable(l, exported)
			if err != nil {
				return err
			}
			return a.everyMandate(ctx, at, in.filter(), t.write)
		}), nil
	}
	return a.stream(typeLines, func(ctx context.Context, l *lines) error {
		n := 0
		err := a.everyMandate(ctx, at, in.filter(), func(list []mandate.Mandate) error {
			for _, m := range list {
				if err := l.write(viewed(m, callOf(ctx).organisation)); err != nil {
					return err
				}
			}
			n += len(list)
			return l.flush()
		})
		if err != nil {
			return err
		}
		return l.write(last[ExportEnd]{ExportEnd{int64(at), n}})
	}), nil
}

// table writes rows as CSV, below the names of their columns.
type table[T any] struct {
	lines   *lines
	csv     *csv.Writer
	columns []column[T]
}

// column is one of a table, and what stands in it.
type column[T any] struct {
	name string
	of   func(T) string
}

func newTable[T any](l *lines, columns []column[T]) (*table[T], error) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	t := &table[T]{l, csv.NewWriter(l.buffer), columns}
	return t, t.csv.Write(names)
}

// write sends rows.
func (t *table[T]) write(list []T) error {
	for _, one := range list {
		row := make([]string, len(t.columns))
		for i, c := range t.columns {
			row[i] = c.of(one)
		}
		if err := t.csv.Write(row); err != nil {
			return err
		}
	}
	if t.csv.Flush(); t.csv.Error() != nil {
		return t.csv.Error()
	}
	return t.lines.flush()
}

// exported are the columns of an export, and what stands in them.
var exported = []column[mandate.Mandate]{
	{columnID, func(m mandate.Mandate) string { return number(int64(m.ID)) }},
	{columnState, func(m mandate.Mandate) string { return string(m.State) }},
	{columnKind, func(m mandate.Mandate) string { return string(m.Kind) }},
	{columnGrantorKvK, func(m mandate.Mandate) string { return m.Grantor.KvK.Text() }},
	{columnGrantorName, func(m mandate.Mandate) string { return sheet.NoFormula(m.Grantor.Name) }},
	{columnIntermediaryKvK, func(m mandate.Mandate) string { return m.Intermediary.KvK.Text() }},
	{columnIntermediaryName, func(m mandate.Mandate) string { return sheet.NoFormula(m.Intermediary.Name) }},
	{columnAuthenticator, func(m mandate.Mandate) string { return m.Person.Subject.Authenticator.String() }},
	{columnPseudonym, func(m mandate.Mandate) string { return m.Person.Subject.Pseudonym.Text() }},
	{columnPersonName, func(m mandate.Mandate) string { return sheet.NoFormula(m.Person.Name) }},
	{columnClient, func(m mandate.Mandate) string { return number(int64(m.Client)) }},
	{columnScope, func(m mandate.Mandate) string { return m.Scope.String() }},
	{columnEstablishments, func(m mandate.Mandate) string { return branches(m) }},
	{columnFrom, func(m mandate.Mandate) string { return m.Validity.From.Format(time.RFC3339) }},
	{columnUntil, func(m mandate.Mandate) string { return m.Validity.To.Format(time.RFC3339) }},
	{columnReference, func(m mandate.Mandate) string { return sheet.NoFormula(m.Reference) }},
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func branches(m mandate.Mandate) string {
	var list []string
	for _, e := range m.Establishments {
		list = append(list, e.Text())
	}
	return strings.Join(list, " ")
}
