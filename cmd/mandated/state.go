package main

import (
	"errors"
	"fmt"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// stateCommand changes the state of one mandate.
type stateCommand struct {
	ID  int64  `arg:"" help:"Number of the mandate."`
	Why string `required:"" help:"The reason, for the history. Name nobody in it." placeholder:"TEXT"`
}

type suspendCommand struct{ stateCommand }

func (c suspendCommand) Run(e *environment) error { return c.become(e, mandate.Suspended) }

type resumeCommand struct{ stateCommand }

func (c resumeCommand) Run(e *environment) error { return c.become(e, mandate.Active) }

type revokeCommand struct{ stateCommand }

func (c revokeCommand) Run(e *environment) error { return c.become(e, mandate.Revoked) }

func (c stateCommand) become(e *environment, to mandate.State) error {
	var m mandate.Mandate
	receipt, err := e.change(c.Why, func(t *register.Tx) (err error) {
		m, err = desk.MoveAtDesk(t, mandate.ID(c.ID), to)
		return err
	})
	if errors.Is(err, register.ErrNotFound) {
		return fmt.Errorf("there is no mandate %d: \"mandated list\" shows them", c.ID)
	}
	if err != nil {
		return err
	}
	return e.show(map[string]any{"mandate": viewOf(m), "change": viewReceipt(receipt)}, func() {
		fmt.Fprintf(e.out, "mandate %d is %s, %s\n", m.ID, m.State, viewReceipt(receipt))
	})
}
