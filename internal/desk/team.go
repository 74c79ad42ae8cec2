package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Teamed is what became of a team.
type Teamed struct {
	Team    mandate.Team
	Changed bool // false: it was so before
	Added   int  // clients that are new to it
	Ended   int  // assignments that are over, or are no longer asked for
	Receipt register.Receipt
}

// ErrTeamAtWork: a team that still has members.
var ErrTeamAtWork = errors.New("the team still has members: take them out of it first, so that it is seen what each of them loses")

// PutTeam makes a team of the caller's organisation, or gives one another name.
func (d *Desk) PutTeam(ctx context.Context, c Caller, id mandate.TeamID, name string) (done Teamed, err error) {
	done.Receipt, err = d.change(ctx, c, "a team", func(t *turn) (err error) {
		var before mandate.Team
		if id == 0 {
			err = t.actor.Leads(t.actor.Organisation)
		} else {
			before, err = t.team(id)
		}
		if err != nil {
			return err
		}
		done.Team, err = t.Tx.PutTeam(mandate.Team{ID: id, Organisation: mandate.Organisation{ID: t.actor.Organisation}, Name: name})
		done.Changed = done.Team != before
		return err
	})
	return done, err
}

// EndTeam ends a team in which nobody is. ErrTeamAtWork: somebody is.
func (d *Desk) EndTeam(ctx context.Context, c Caller, id mandate.TeamID) (Teamed, error) {
	return d.team(ctx, c, id, func(t *turn, done *Teamed) error {
		members, _, err := t.Snapshot().TeamSize(id)
		if err == nil && members > 0 {
			err = ErrTeamAtWork
		}
		if err != nil {
			return err
		}
		done.Changed = true
		return t.Tx.EndTeam(id)
	})
}

// Join puts somebody in a team. What he may do then is assigned by FillTeam.
func (d *Desk) Join(ctx context.Context, c Caller, id mandate.TeamID, who PersonWish) (Teamed, error) {
	return d.team(ctx, c, id, func(t *turn, done *Teamed) error {
		p, err := t.person(t.actor.Organisation, who)
		if err != nil {
			return err
		}
		done.Changed, err = t.AddMember(id, p.ID)
		return err
	})
}

// Leave takes somebody out of a team. He loses its clients at once, but those that he has by
// another team of his.
func (d *Desk) Leave(ctx context.Context, c Caller, id mandate.TeamID, who mandate.PersonID) (Teamed, error) {
	return d.team(ctx, c, id, func(t *turn, done *Teamed) error {
		if err := t.takeBack(id, who, 0, done); err != nil {
			return err
		}
		var err error
		done.Changed, err = t.DropMember(id, who)
		return err
	})
}

// AddClients lets a team work for companies that have given the caller's organisation a
// mandate, be it one that has ended, or are asked for one. *NotClientError: one of them has not
// and is not, such as who refused; then none is added.
func (d *Desk) AddClients(ctx context.Context, c Caller, id mandate.TeamID, companies []etoegang.KvKNumber) (Teamed, error) {
	return d.team(ctx, c, id, func(t *turn, done *Teamed) error {
		for _, number := range companies {
			o, err := t.client(done.Team.Organisation, number)
			if err != nil {
				return err
			}
			changed, err := t.AddClient(id, o)
			if err != nil {
				return err
			}
			if changed {
				done.Added++
			}
		}
		done.Changed = done.Added > 0
		return nil
	})
}

// DropClient lets a team work no longer for a company. Its members lose that client at once,
// but those who have it by another team of theirs.
func (d *Desk) DropClient(ctx context.Context, c Caller, id mandate.TeamID, company etoegang.KvKNumber) (Teamed, error) {
	return d.team(ctx, c, id, func(t *turn, done *Teamed) error {
		o, err := t.Snapshot().Organisation(company.LegalSubject())
		if err == nil && o == nil {
			err = &NotClientError{company}
		}
		if err != nil {
			return err
		}
		members, err := t.Snapshot().TeamMembers(id)
		for _, p := range members {
			if err == nil {
				err = t.takeBack(id, p.ID, o.ID, done)
			}
		}
		if err == nil {
			done.Changed, err = t.Tx.DropClient(id, o.ID)
		}
		if err == nil && !done.Changed { // of strangers nobody learns that they are known here
			_, err = t.client(done.Team.Organisation, company)
		}
		return err
	})
}

// NotClientError says which company has never given the caller's organisation a mandate.
type NotClientError struct{ Company etoegang.KvKNumber }

func (e *NotClientError) Error() string { return ErrNotClient.Error() }

// Unwrap makes it an ErrNotClient.
func (e *NotClientError) Unwrap() error { return ErrNotClient }

// ErrNotClient: see NotClientError.
var ErrNotClient = errors.New("this company has given your organisation no mandate: ask it for one first")

// Filled is how far a team's assignments have come.
type Filled struct {
	Made    int // assignments, in force or waiting for another's signature
	Refused []Refusal
	Next    register.Gap // after which to go on
	More    bool
	Receipt register.Receipt
}

// Refusal is why something could not be assigned.
type Refusal struct {
	register.Gap
	Mandate mandate.ID // of HandOver: the assignment that stays as it is
	Err     error
}

// FillTeam assigns to these members of a team, as far as they still are, or to all (nil), what they lack of its
// clients' mandates, as far as the caller may: at most limit of what comes after a place. It is
// asked again until there is no more. Each assignment is all of the client's mandate, until that
// ends or the caller's own appointment does.
func (d *Desk) FillTeam(ctx context.Context, c Caller, why string, id mandate.TeamID, members []mandate.PersonID, after register.Gap, limit int, consent register.Consent) (done Filled, err error) {
	done.Next = after
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) error {
		team, err := t.team(id)
		if err != nil {
			return err
		}
		gaps, err := t.Snapshot().Gaps(id, members, t.Now(), after, limit+1)
		if done.More = len(gaps) > limit; done.More {
			gaps = gaps[:limit]
		}
		for _, gap := range gaps {
			if err := t.Try(func() error { return t.fill(team, gap, consent) }); err != nil {
				done.Refused = append(done.Refused, Refusal{Gap: gap, Err: err})
			} else {
				done.Made++
			}
			done.Next = gap
		}
		return err
	})
	return done, err
}

// fill assigns one mandate to one member.
func (t *turn) fill(team mandate.Team, gap register.Gap, consent register.Consent) error {
	m, err := t.own(gap.Client)
	if err != nil {
		return err
	}
	_, err = t.begin(mandate.Mandate{Kind: mandate.Assignment, Grantor: team.Organisation, Person: mandate.Person{ID: gap.Person}, Client: m.ID,
		Scope: m.Scope, Validity: t.actor.Passes(m.Validity, t.Now())}, Wish{Consent: consent})
	return err
}

// team lets somebody do something with a team of his organisation.
func (d *Desk) team(ctx context.Context, c Caller, id mandate.TeamID, do func(*turn, *Teamed) error) (done Teamed, err error) {
	done.Receipt, err = d.change(ctx, c, "a team", func(t *turn) (err error) {
		if done.Team, err = t.team(id); err != nil {
			return err
		}
		return do(t, &done)
	})
	return done, err
}

// team gives a team of the caller's organisation; all others are not found.
func (t *turn) team(id mandate.TeamID) (mandate.Team, error) {
	team, err := t.Snapshot().Team(id)
	if err != nil {
		return team, err
	}
	if err := t.actor.Leads(team.Organisation.ID); errors.Is(err, mandate.ErrNotYours) {
		return mandate.Team{}, fmt.Errorf("team %d: %w", id, register.ErrNotFound)
	} else if err != nil {
		return mandate.Team{}, err
	}
	return team, nil
}

// client is the number of a company that has given an organisation a mandate, or is asked for one.
func (t *turn) client(of mandate.Organisation, number etoegang.KvKNumber) (mandate.OrganisationID, error) {
	chains, err := t.Snapshot().Between(number.LegalSubject(), etoegang.Intermediary{KvK: of.KvK})
	if err == nil && len(chains) == 0 {
		err = &NotClientError{number}
	}
	if err != nil {
		return 0, err
	}
	return chains[0].Grantor.ID, nil
}

// takeBack ends what somebody has of a team's clients, or of one of them, by that team alone.
func (t *turn) takeBack(id mandate.TeamID, who mandate.PersonID, client mandate.OrganisationID, done *Teamed) error {
	given, err := t.Snapshot().TeamGave(id, who, client)
	for _, id := range given {
		if err != nil {
			return err
		}
		var m mandate.Mandate
		if m, err = t.Snapshot().Mandate(id); err != nil {
			return err
		}
		var ended Offboarded
		err = t.endFor(m, &ended)
		done.Ended += ended.Mandates + ended.Requests
	}
	return err
}

// Teams are those of the caller's organisation, by number.
func (l *Look) Teams() ([]mandate.Team, error) { return l.snapshot.Teams(l.actor.Organisation) }

// TeamView is a team, and how it stands.
type TeamView struct {
	mandate.Team
	Members []mandate.Person
	Clients int
	Lacking int // what its members have not been assigned of its clients' mandates
}

// Numbers are those of the members.
func (v TeamView) Numbers() []mandate.PersonID {
	list := []mandate.PersonID{} // nil would be everybody
	for _, p := range v.Members {
		list = append(list, p.ID)
	}
	return list
}

// Team gives one of the caller's organisation; all others are not found.
func (l *Look) Team(id mandate.TeamID) (v TeamView, err error) {
	if v.Team, err = l.ownTeam(id); err != nil {
		return TeamView{}, err
	}
	if v.Members, err = l.snapshot.TeamMembers(id); err != nil {
		return v, err
	}
	if _, v.Clients, err = l.snapshot.TeamSize(id); err != nil {
		return v, err
	}
	v.Lacking, err = l.snapshot.GapsLeft(id, l.desk.register.Now())
	return v, err
}

// TeamClients lists for whom a team works, by number: see register.Snapshot.TeamClients.
func (l *Look) TeamClients(id mandate.TeamID, after mandate.OrganisationID, limit int) ([]mandate.Organisation, bool, error) {
	if _, err := l.ownTeam(id); err != nil {
		return nil, false, err
	}
	return l.snapshot.TeamClients(id, after, limit)
}

// Loses tells how many assignments a member of a team loses when he leaves it, or when it no
// longer works for a client: those of one member, or of all if he is 0, for one client, or for
// all if it is 0.
func (l *Look) Loses(id mandate.TeamID, who mandate.PersonID, client mandate.OrganisationID) (n int, err error) {
	if _, err := l.ownTeam(id); err != nil {
		return 0, err
	}
	members := []mandate.Person{{ID: who}}
	if who == 0 {
		members, err = l.snapshot.TeamMembers(id)
	}
	for _, p := range members {
		if err != nil {
			return 0, err
		}
		var given []mandate.ID
		given, err = l.snapshot.TeamGave(id, p.ID, client)
		n += len(given)
	}
	return n, err
}

func (l *Look) ownTeam(id mandate.TeamID) (mandate.Team, error) {
	team, err := l.snapshot.Team(id)
	if err == nil && team.Organisation.ID != l.actor.Organisation {
		err = fmt.Errorf("team %d: %w", id, register.ErrNotFound)
	}
	if err != nil {
		return mandate.Team{}, err
	}
	return team, nil
}
