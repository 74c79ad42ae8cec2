package intake

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// wish is what a line asks for: a mandate whose parties are named, not yet looked up.
type wish struct {
	line    int
	mandate mandate.Mandate
	client  etoegang.KvKNumber // Assignment: the company whose chain mandate is passed on
	problem *sheet.Problem     // the line says nothing that could be asked for
}

// wishOf reads what a row asks for.
func wishOf(row sheet.Row) wish {
	w := wish{line: row.Line, problem: row.Problem}
	if w.problem != nil {
		return w
	}
	p := &parser{row: row}
	w.mandate.State = mandate.Active
	w.mandate.Kind = parsed(p, kind, parseKind)
	p.presence(w.mandate.Kind)
	p.parties(&w)
	p.content(&w.mandate)
	w.problem = p.problem
	return w
}

// parser reads the cells of a row and keeps the first problem.
type parser struct {
	row     sheet.Row
	problem *sheet.Problem
}

func (p *parser) refuse(problem *sheet.Problem) {
	if p.problem == nil {
		p.problem = problem
	}
}

// presence refuses a line that lacks what its kind needs, or has what its kind
// cannot have: ignoring it would register something else than was meant.
func (p *parser) presence(k mandate.Kind) {
	for _, c := range columns {
		text, there := p.row.Cell(c.name)
		switch empty := text == ""; {
		case p.problem != nil:
			return
		case empty && c.required && c.of(k) && !there:
			p.refuse(refuse(c.name, "add-column", with{"write": c.write}))
		case empty && c.required && c.of(k):
			p.refuse(refuse(c.name, "empty", with{"write": c.write}))
		case !empty && !c.of(k):
			p.refuse(refuse(c.name, "not-of-kind", with{"kinds": c.kindNames(), "kind": k}))
		}
	}
}

// parsed reads a column by its syntax; an empty one is the zero value.
func parsed[T any](p *parser, column string, parse func(string) (T, error)) (value T) {
	text, _ := p.row.Cell(column)
	if text == "" || p.problem != nil {
		return value
	}
	value, err := parse(text)
	if special, ok := errors.AsType[*sheet.Problem](err); ok {
		special.Column = column
		p.refuse(special)
	} else if err != nil {
		p.refuse(refuse(column, "write", with{"write": named(column).write}))
	}
	return value
}

// parties reads who gives the mandate to whom.
func (p *parser) parties(w *wish) {
	m := &w.mandate
	m.Grantor = mandate.Organisation{
		KvK:  parsed(p, grantorKvK, ParseKvK),
		RSIN: parsed(p, grantorRSIN, parseRSIN),
		Name: parsed(p, grantorName, parseName), Active: true,
	}
	m.Intermediary = mandate.Organisation{
		KvK:  parsed(p, intermediaryKvK, ParseKvK),
		Name: parsed(p, intermediaryName, parseName), Active: true,
	}
	m.Person = mandate.Person{
		Subject: etoegang.ActingSubject{
			Authenticator: parsed(p, authenticator, parseAuthenticator),
			Pseudonym:     parsed(p, pseudonym, etoegang.ParsePseudonym),
		},
		Name: parsed(p, personName, parseName), Active: true,
	}
	w.client = parsed(p, clientKvK, ParseKvK)
}

// content reads what the mandate says.
func (p *parser) content(m *mandate.Mandate) {
	m.Scope = parsed(p, scope, ParseScope)
	m.Validity = mandate.Validity{
		From: parsed(p, from, ParseMoment),
		To:   parsed(p, until, ParseMoment),
	}
	m.Establishments = parsed(p, establishments, ParseEstablishments)
	m.Register = parsed(p, otherRegister, parseRegister)
	m.Reference = parsed(p, reference, parseReference)
}

// errSyntax stands for every mistake of which the manual of the column is the answer.
var errSyntax = errors.New("not as the column says")

func parseKind(s string) (mandate.Kind, error) {
	switch k := mandate.Kind(s); k {
	case mandate.Direct, mandate.Chain, mandate.Assignment:
		return k, nil
	}
	return "", errSyntax
}

func parseName(s string) (string, error) {
	if utf8.RuneCountInString(s) > 200 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", errSyntax
	}
	return s, nil
}

func parseReference(s string) (string, error) {
	layout := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\r\n\t", r) }
	if len(s) > 255 || strings.ContainsFunc(s, layout) {
		return "", errSyntax
	}
	return s, nil
}

func parseAuthenticator(s string) (etoegang.EntityID, error) {
	e, err := etoegang.ParseEntityID(s)
	if err == nil && (e.Role() != etoegang.Authenticator && e.Role() != etoegang.EIDAS || register.ReservedParticipant(e)) {
		err = errSyntax
	}
	return e, err
}

func parseRegister(s string) (etoegang.EntityID, error) {
	e, err := etoegang.ParseEntityID(s)
	if err == nil && e.Role() != etoegang.Register {
		err = errSyntax
	}
	return e, err
}

// ParseScope reads what a mandate covers. What is wrong with it is a *sheet.Problem without a
// column.
func ParseScope(s string) (mandate.Scope, error) {
	list, err := mandate.ParseScope(s)
	if err != nil {
		return nil, toWrite(writeScope)
	}
	seen := map[mandate.Item]bool{}
	for _, item := range list {
		if !item.Level.Supported() {
			return nil, refuse("", "level-gone", with{"level": item.Level})
		}
		target := mandate.Item{Service: item.Service, Provider: item.Provider}
		if seen[target] {
			return nil, refuse("", "item-twice", nil)
		}
		seen[target] = true
	}
	return list, nil
}
