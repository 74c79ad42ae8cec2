package api

import (
	"context"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Terms are on what conditions the register offers what it does.
type Terms struct {
	Prices []Price      `json:"prices" nullable:"false" doc:"what mandates cost; what is not named costs nothing"`
	Sets   []ServiceSet `json:"sets" nullable:"false" doc:"services that belong together, under a name that people know"`
}

// Price is what a mandate of one kind costs up to a level and a duration.
type Price struct {
	Kind  string `json:"kind" enum:"direct,chain"`
	Level string `json:"level" enum:"loa2,loa2plus,loa3,loa4" doc:"the highest level that it covers"`
	Years int    `json:"years" doc:"how long it covers at most"`
	Cents int64  `json:"cents" doc:"in hundredths of a euro, without VAT"`
}

// ServiceSet is a list of services that belong together.
type ServiceSet struct {
	Names    map[string]string `json:"names" doc:"by language"`
	Services []string          `json:"services" nullable:"false" doc:"the ServiceUUIDs, for a scope: a mandate covers what was in the set on the day it was granted"`
}

func (a *api) getTerms(context.Context, *struct{}) (*body[Terms], error) {
	t, out := a.Desk.Terms(), Terms{Prices: []Price{}, Sets: []ServiceSet{}}
	for _, p := range t.Prices {
		out.Prices = append(out.Prices, Price{string(p.Kind), p.Level.String(), p.Years, int64(p.Cents)})
	}
	for _, s := range t.Sets {
		out.Sets = append(out.Sets, ServiceSet{s.Name, textsOf(s.Services)})
	}
	return &body[Terms]{out}, nil
}

func textsOf(services []etoegang.ServiceUUID) []string {
	texts := make([]string, 0, len(services))
	for _, u := range services {
		texts = append(texts, u.String())
	}
	return texts
}

const aboutFees = `Each is told once, when the mandate comes in force; in hundredths of a euro, without VAT. With Accept: text/csv all of them are streamed at one revision as a table, and limit and cursor count for nothing; an answer that was cut off ends with an error of the connection.`

// Fee is what your organisation has to pay for a mandate.
type Fee struct {
	Mandate Mandate   `json:"mandate"`
	At      time.Time `json:"at" doc:"when it came in force"`
	Cents   int64     `json:"cents" doc:"in hundredths of a euro, without VAT"`
}

// Fees is a page of them.
type Fees struct {
	Fees []Fee `json:"fees" nullable:"false" doc:"in the order of the mandates' numbers"`
	Page
}

type feesIn struct {
	Accept string `header:"Accept" doc:"application/json, or text/csv for all of them as a table"`
	Paging
}

// either is an operation that answers with one page as JSON, or streams all as a table.
func either[T any](a *api, o huma.Operation, description string) huma.Operation {
	o = streamed(o, description, typeCSV)
	o.Responses["200"].Content["application/json"] = &huma.MediaType{Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")}
	return o
}

func (a *api) listFees(ctx context.Context, in *feesIn) (*streamOut, error) {
	if strings.Contains(in.Accept, typeCSV) {
		return a.everyFee(ctx)
	}
	c := callOf(ctx)
	at, err := openCursor[mandate.ID](a, c, in.Cursor, "")
	if err != nil {
		return nil, err
	}
	out := Fees{Fees: []Fee{}}
	err = a.look(ctx, at.Revision, func(l *desk.Look) error {
		at.Revision = l.Revision()
		list, more, err := l.Fees(at.After, in.Limit)
		for _, f := range list {
			out.Fees = append(out.Fees, Fee{viewed(f.Mandate, c.organisation), f.At, int64(f.Cents)})
			at.After = f.Mandate.ID
		}
		out.Page = page(a, c, at, more, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return &streamOut{func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		_ = json.NewEncoder(ctx.BodyWriter()).Encode(out) // who has left does not hear it
	}}, nil
}

// everyFee streams them as a table, page after page of one revision.
func (a *api) everyFee(ctx context.Context) (*streamOut, error) {
	var at register.Revision
	if err := a.look(ctx, 0, func(l *desk.Look) error { at = l.Revision(); return nil }); err != nil {
		return nil, err
	}
	return a.stream(typeTable, func(ctx context.Context, l *lines) error {
		t, err := newTable(l, billed)
		after := mandate.ID(0)
		for more := true; more && err == nil; {
			var list []register.Fee
			err = a.look(ctx, at, func(l *desk.Look) (err error) {
				list, more, err = l.Fees(after, a.atOnce)
				return err
			})
			if err == nil {
				err = t.write(list)
			}
			if len(list) > 0 {
				after = list[len(list)-1].Mandate.ID
			}
		}
		return err
	}), nil
}

// billed are the columns of what has to be paid.
var billed = []column[register.Fee]{
	{"at", func(f register.Fee) string { return f.At.Format(time.RFC3339) }},
	{"mandate", func(f register.Fee) string { return number(int64(f.Mandate.ID)) }},
	{columnKind, func(f register.Fee) string { return string(f.Mandate.Kind) }},
	{"grantor", func(f register.Fee) string { return f.Mandate.Grantor.KvK.Text() }},
	{"intermediary", func(f register.Fee) string { return f.Mandate.Intermediary.KvK.Text() }},
	{"level", func(f register.Fee) string { return f.Mandate.Scope.Highest().String() }},
	{columnFrom, func(f register.Fee) string { return f.Mandate.Validity.From.Format(time.RFC3339) }},
	{columnUntil, func(f register.Fee) string { return f.Mandate.Validity.To.Format(time.RFC3339) }},
	{"cents", func(f register.Fee) string { return strconv.FormatInt(int64(f.Cents), 10) }},
}
