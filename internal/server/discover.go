package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
)

// Discovery asks the other registers of the network which companies have mandated an
// intermediary there (Discovery webservice, 1.13). What it finds helps to find clients, and
// never decides: the register that holds a mandate is asked again when somebody acts on it.
// It may be used by many goroutines.
type Discovery struct {
	Self     etoegang.EntityID
	State    func() *State
	Fetcher  Fetcher
	Now      func() time.Time
	Patience time.Duration // for all registers together, since a user may be waiting
	Most     int           // relations that one register may tell; 0: 200,000
}

// Discovered is what came of asking. It is all there is only if nobody was silent.
type Discovered struct {
	Found  []saml.Relation // register by register, each whole or not at all
	Silent []Silent
}

// Silent is a register whose answer is missing.
type Silent struct {
	Register etoegang.EntityID
	Why      Silence
	Cause    error // nil: there is no more to say
}

// Silence is why a register's answer is missing, as one stable word.
type Silence string

// The silences.
const (
	NotOffered  Silence = "not-offered" // its metadata name no address for this, or have ended
	Unreachable Silence = "unreachable"
	TooLate     Silence = "too-late"
	Refused     Silence = "refused"    // it answered that it does not tell
	TooMany     Silence = "too-many"   // it tells more than is asked for
	Unbelieved  Silence = "unbelieved" // what it answered cannot be believed
)

// Bounds of what one register can make us do.
const (
	registersAtOnce = 32
	mostRelations   = 200_000
)

// What can be wrong beside what a page itself says.
var (
	errSnapshots = errors.New("server: the pages of a list are of different snapshots")
	errStandsOff = errors.New("server: a page has nothing, and others after it")
	errTooMuch   = errors.New("server: a list of more relations than are asked for")
	errUnreached = errors.New("server: the other register could not be asked")
	errRefused   = errors.New("server: the other register tells nothing")
)

// Discover asks every other register of the metadata at once, and waits for the last of them
// or until its patience ends.
func (d *Discovery) Discover(ctx context.Context, f saml.ChainFilter) (all Discovered) {
	ctx, cancel := context.WithTimeout(ctx, d.Patience)
	defer cancel()
	state := d.State()
	registers := state.Receiver.Directory.Registers()
	found, silent := make([][]saml.Relation, len(registers)), make([]*Silent, len(registers))
	places := make(chan struct{}, registersAtOnce)
	var asking sync.WaitGroup
	for i, p := range registers {
		if p.Entity == d.Self {
			continue
		}
		asking.Go(func() {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				silent[i] = &Silent{p.Entity, TooLate, ctx.Err()}
				return
			}
			defer func() { <-places }()
			defer func() {
				if broken := recover(); broken != nil { // a mistake of ours ends no process
					silent[i] = &Silent{p.Entity, Unbelieved, fmt.Errorf("server: panic: %v\n%s", broken, debug.Stack())}
				}
			}()
			found[i], silent[i] = d.ask(ctx, state, p, f)
		})
	}
	asking.Wait()
	for i := range registers {
		all.Found = append(all.Found, found[i]...)
		if silent[i] != nil {
			all.Silent = append(all.Silent, *silent[i])
		}
	}
	return all
}

// ask asks one register.
func (d *Discovery) ask(ctx context.Context, state *State, p saml.Participant, f saml.ChainFilter) ([]saml.Relation, *Silent) {
	if _, known := state.Receiver.Directory.Find(p.Entity, d.Now()); !known || p.Chain == "" {
		return nil, &Silent{Register: p.Entity, Why: NotOffered}
	}
	list, err := d.list(ctx, state, p, f)
	if err != nil {
		return nil, &Silent{p.Entity, silence(ctx, err), err}
	}
	return list, nil
}

func silence(ctx context.Context, err error) Silence {
	switch {
	case ctx.Err() != nil:
		return TooLate
	case errors.Is(err, errUnreached):
		return Unreachable
	case errors.Is(err, errRefused):
		return Refused
	case errors.Is(err, errNoKey):
		return NotOffered
	case errors.Is(err, errTooMuch):
		return TooMany
	}
	return Unbelieved
}

// list reads a list to its end: part of one would look like one.
func (d *Discovery) list(ctx context.Context, state *State, p saml.Participant, f saml.ChainFilter) (list []saml.Relation, err error) {
	snapshot, cursor := "", ""
	for {
		page, err := d.page(ctx, state, p, f, cursor)
		switch {
		case err != nil:
			return nil, err
		case cursor != "" && page.Snapshot != snapshot:
			return nil, errSnapshots
		case page.Next != "" && len(page.Relations) == 0:
			return nil, errStandsOff
		}
		if list = append(list, page.Relations...); len(list) > cmp.Or(d.Most, mostRelations) {
			return nil, errTooMuch
		}
		if page.Next == "" {
			return list, nil
		}
		snapshot, cursor = page.Snapshot, page.Next
	}
}

// page asks for one page.
func (d *Discovery) page(ctx context.Context, state *State, p saml.Participant, f saml.ChainFilter, cursor string) (*saml.ChainPage, error) {
	now := d.Now()
	to, err := state.recipient(p.Entity, now)
	if err != nil {
		return nil, err
	}
	q := saml.ChainQuery{ID: saml.NewID(), Issuer: d.Self, Destination: p.Chain, Issued: now, ChainFilter: f, Cursor: cursor}
	signed, err := q.Sign(state.Signer, to)
	if err != nil {
		return nil, err
	}
	body, err := d.Fetcher.Fetch(ctx, p, p.Chain, saml.Wrap(signed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreached, err)
	}
	page, err := state.Receiver.ReceiveChainPage(body, q, p.Entity, d.Now())
	if err != nil {
		return nil, err
	}
	if page.Status != saml.Success {
		return nil, fmt.Errorf("%w: %.100s %.100q", errRefused, page.Status.Short(), page.Message)
	}
	return page, nil
}
