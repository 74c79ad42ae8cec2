package main

import (
	"errors"
	"fmt"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

type listCommand struct {
	Organisation string `help:"Only mandates from or to this KvK number." placeholder:"KVK"`
	Person       int64  `help:"Only mandates to this person." placeholder:"N"`
	Kind         string `help:"Only this kind: direct, chain or assignment." enum:",direct,chain,assignment" default:""`
	State        string `help:"Only this state, such as active, suspended or revoked." default:""`
	After        int64  `help:"Go on after this mandate: the next page." placeholder:"ID"`
	Limit        int    `help:"Rows on a page." default:"50"`
}

func (l listCommand) Run(e *environment) error {
	filter := register.Filter{Person: mandate.PersonID(l.Person), Kind: mandate.Kind(l.Kind), State: mandate.State(l.State)}
	if l.State != "" && !filter.State.Known() {
		return fmt.Errorf("%q is no state of a mandate", l.State)
	}
	views, more := []mandateView{}, false
	err := e.read(func(s *register.Snapshot) error {
		if l.Organisation != "" {
			o, err := findOrganisation(s, l.Organisation)
			if err != nil {
				return err
			}
			filter.Organisation = o.ID
		}
		list, rest, err := s.Mandates(filter, mandate.ID(l.After), l.Limit)
		more = rest
		for _, m := range list {
			views = append(views, viewOf(m))
		}
		return err
	})
	if err != nil {
		return err
	}
	return e.show(map[string]any{"mandates": views, "more": more}, func() {
		rows := [][]string{mandateHeader}
		for _, v := range views {
			rows = append(rows, mandateRow(v))
		}
		e.table(rows)
		if more {
			fmt.Fprintf(e.err, "There are more: --after %d\n", views[len(views)-1].ID)
		}
	})
}

func findOrganisation(s *register.Snapshot, number string) (*mandate.Organisation, error) {
	kvk, err := etoegang.ParseKvKNumber(number)
	if err != nil {
		return nil, err
	}
	o, err := s.Organisation(kvk.LegalSubject())
	if err == nil && o == nil {
		err = errors.New("no organisation with that KvK number is known here")
	}
	return o, err
}
