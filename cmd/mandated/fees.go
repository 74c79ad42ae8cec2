package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

type feesCommand struct {
	Organisation string `help:"Only what this KvK number has to pay." placeholder:"KVK"`
	After        int64  `help:"Go on after this mandate: the next page." placeholder:"ID"`
	Limit        int    `help:"Rows on a page." default:"50"`
	CSV          bool   `name:"csv" help:"All of them, as CSV for a spreadsheet or a program that sends invoices."`
}

// feeView is what one mandate costs.
type feeView struct {
	At      time.Time   `json:"at"`
	Mandate mandateView `json:"mandate"`
	Cents   int64       `json:"cents"` // without VAT
}

func (c feesCommand) Run(e *environment) error {
	if c.CSV && e.json {
		return errors.New("choose --csv or --json")
	}
	fees, more := []feeView{}, false
	err := e.read(func(s *register.Snapshot) error {
		var of mandate.OrganisationID
		if c.Organisation != "" {
			o, err := findOrganisation(s, c.Organisation)
			if err != nil {
				return err
			}
			of = o.ID
		}
		if c.CSV {
			return c.export(e, s, of)
		}
		list, rest, err := s.Fees(of, mandate.ID(c.After), c.Limit)
		more = rest
		for _, f := range list {
			fees = append(fees, feeView{f.At, viewOf(f.Mandate), int64(f.Cents)})
		}
		return err
	})
	if err != nil || c.CSV {
		return err
	}
	return e.show(map[string]any{"fees": fees, "more": more}, func() {
		rows := [][]string{append([]string{"AT", "EUROS"}, mandateHeader...)}
		for _, f := range fees {
			rows = append(rows, append([]string{date(f.At), euros(mandate.Cents(f.Cents))}, mandateRow(f.Mandate)...))
		}
		e.table(rows)
		if more {
			fmt.Fprintf(e.err, "There are more: --after %d\n", fees[len(fees)-1].Mandate.ID)
		}
	})
}

// export writes all fees, page by page, as the API has them and with the companies' names.
func (c feesCommand) export(e *environment, s *register.Snapshot, of mandate.OrganisationID) error {
	w := csv.NewWriter(e.out)
	_ = w.Write([]string{"at", "mandate", "kind", "grantor", "name", "intermediary", "level", "from", "until", "cents"}) // Flush tells
	for after, more := mandate.ID(c.After), true; more; {
		list, rest, err := s.Fees(of, after, 500)
		if err != nil {
			return err
		}
		for _, f := range list {
			m := f.Mandate
			_ = w.Write([]string{f.At.UTC().Format(time.RFC3339), strconv.FormatInt(int64(m.ID), 10), string(m.Kind), m.Grantor.KvK.Text(), sheet.NoFormula(m.Grantor.Name),
				m.Intermediary.KvK.Text(), m.Scope.Highest().String(), m.Validity.From.Format(time.RFC3339), m.Validity.To.Format(time.RFC3339), strconv.FormatInt(int64(f.Cents), 10)})
			after = m.ID
		}
		more = rest
	}
	w.Flush()
	return w.Error()
}

func euros(c mandate.Cents) string { return fmt.Sprintf("%d.%02d", c/100, c%100) }
