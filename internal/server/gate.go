package server

import "context"

// gate bounds work: so many at once, as many again waiting, and no more.
type gate struct {
	places  chan struct{}
	waiting chan struct{}
}

func newGate(places int) gate {
	return gate{places: make(chan struct{}, places), waiting: make(chan struct{}, places)}
}

// enter waits for a place; false when there is no room to wait, or the caller left. Who
// entered must leave.
func (g gate) enter(ctx context.Context) bool {
	select {
	case g.places <- struct{}{}:
		return true
	default:
	}
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		return false
	}
	select {
	case g.places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (g gate) leave() { <-g.places }
