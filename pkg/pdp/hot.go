package pdp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/register"
)

// Source says where a kept decision came from.
type Source string

// The sources.
const (
	FromRegister Source = "" // nothing kept was used
	FromMemory   Source = "memory"
	FromRedis    Source = "redis"
)

// Finding is a decision with the facts' stamp and all that answers and records need of the
// facts. It is what is kept of a decision: never a message, since each answer has its own
// ids and signature. It does not change once it was made.
type Finding struct {
	freshness.Claim
	Catalogue int64
	Decision  decision.Decision
	More      bool // see Answer; never of one that is kept

	// Those asked about, as the journal names them.
	Actor, Represented, Intermediary string
}

// used is a finding and why it may be used: source tells whether it was kept, view up to
// which revision it is known to hold.
type used struct {
	*Finding
	source Source
	view   register.Revision
}

// mostParties is on how many parties a decision may depend to be kept: judging it would
// cost more than asking the register.
const mostParties = 1000

// find finds what answers a question that has just arrived: a kept decision that still
// holds, or a new one on a snapshot that begins now or later.
func (p *PDP) find(ctx context.Context, r Request) (used, error) {
	if p.c.Freshness == nil {
		return p.ask(ctx, r)
	}
	if err := p.c.Freshness.Clock(); err != nil {
		return used{}, err
	}
	if p.c.Hot == nil {
		return p.ask(ctx, r)
	}
	key := p.key(r)
	if f, ok := p.c.Hot.Memory(key); ok {
		if u, ok := p.judge(f, r, FromMemory); ok {
			return u, nil
		}
	}
	return p.share(ctx, key, r)
}

// judge tells whether something kept may be used. A choice never is: whoever chooses does
// so from the register as it is.
func (p *PDP) judge(f *Finding, r Request, from Source) (used, bool) {
	if f.Decision.Outcome == decision.Choose {
		return used{}, false
	}
	if _, loaded := p.c.Catalogues.Loaded(f.Catalogue); !loaded {
		return used{}, false // the register is asked, which loads it
	}
	view, why := p.c.Freshness.Judge(f.Claim, freshness.Question{At: r.At, AtLeast: r.AtLeast})
	return used{f, from, view}, why == freshness.Serves
}

// fresh finds an answer for everybody who shares a question: what another node has kept,
// or what the register says now, which is kept.
func (p *PDP) fresh(ctx context.Context, key string, r Request) (used, error) {
	if f, ok := p.c.Hot.Redis(ctx, key); ok {
		if u, ok := p.judge(f, r, FromRedis); ok {
			return u, nil
		}
	}
	u, err := p.ask(ctx, r)
	if err == nil && u.Decision.Outcome != decision.Choose && len(u.Parties) <= mostParties {
		p.c.Hot.Put(key, u.Finding, u.Until)
	}
	return u, err
}

// ask asks the register.
func (p *PDP) ask(ctx context.Context, r Request) (u used, err error) {
	err = p.c.Register.Read(ctx, func(s *register.Snapshot) (err error) {
		u, err = p.answerFrom(s, r)
		return err
	})
	return u, err
}

func (p *PDP) answerFrom(s *register.Snapshot, r Request) (used, error) {
	if s.Revision() < r.AtLeast {
		return used{}, fmt.Errorf("%w: %d, and it is at %d", ErrBehind, r.AtLeast, s.Revision())
	}
	f, _, err := p.compute(s, r, firstLook)
	if err != nil {
		return used{}, err
	}
	return used{f, FromRegister, f.Stamp.Revision}, nil
}

// findAll finds the answers to several questions in one snapshot.
func (p *PDP) findAll(ctx context.Context, all []Request) ([]used, []error) {
	findings, errs := make([]used, len(all)), make([]error, len(all))
	var err error
	if p.c.Freshness != nil {
		err = p.c.Freshness.Clock()
	}
	if err == nil {
		err = p.c.Register.Read(ctx, func(s *register.Snapshot) error {
			for i, r := range all {
				findings[i], errs[i] = p.answerFrom(s, r)
			}
			return errors.Join(errs...) // whoever gave this snapshot may have a better one
		})
	}
	for i := range all {
		if findings[i].Finding == nil && errs[i] == nil {
			errs[i] = err
		}
	}
	return findings, errs
}

// key is everything that enters a decision, the moment excepted, which the finding judges
// itself. Each part has its length in front, so that no two questions have the same key.
// It names people: whoever stores it stores a keyed hash of it.
func (p *PDP) key(r Request) string {
	k := make([]byte, 0, 512)
	part := func(text string) {
		k = binary.AppendUvarint(k, uint64(len(text)))
		k = append(k, text...)
	}
	part(p.rules)
	part(string(r.Question))
	part(r.ServiceID.String())
	part(r.ServiceUUID.String())
	k = append(k, byte(r.Asked), byte(r.Login), byte(r.Previous))
	part(r.Actor.Authenticator.String())
	part(r.Actor.Pseudonym.Text())
	part(r.Intermediary.KvK.Text())
	k = binary.AppendUvarint(k, uint64(len(r.Represented)))
	for _, s := range r.Represented {
		part(string(s.Type()))
		part(s.Text())
	}
	k = binary.AppendUvarint(k, uint64(len(r.Establishments)))
	for _, n := range r.Establishments {
		part(n.Text())
	}
	part(fmt.Sprint(r.UserChooses, r.Chosen))
	part(r.ConfirmAt.String())
	for _, s := range r.Services {
		part(s.String())
	}
	return string(k)
}

// settings is what of the configuration enters a decision.
func (p *PDP) settings() string {
	return fmt.Sprint(decision.Version, p.c.ConfirmHere, p.c.Certified, p.c.TestNetwork, p.c.OwnElsewhere)
}

// flightPatience is how long those who share a question wait for the register.
const flightPatience = 10 * time.Second
