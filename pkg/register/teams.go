package register

import (
	"fmt"

	"github.com/mandated/mandated/pkg/mandate"
)

// PutTeam registers a team, or gives the one with t.ID another name. It gives the team as
// registered. mandate.ErrTeam: it is not fit to be made. ErrNotFound: there is none with that
// number.
func (t *Tx) PutTeam(team mandate.Team) (mandate.Team, error) {
	if err := mandate.CheckTeam(team); err != nil {
		return team, err
	}
	if !storable(team.Name) {
		return team, ErrText
	}
	if team.ID == 0 {
		return t.newTeam(team)
	}
	known, err := t.view.Team(team.ID)
	if err != nil || known.Name == team.Name {
		return known, err
	}
	t.touchTeams()
	known.Name = team.Name
	if err := t.endTeam(team.ID); err != nil {
		return known, err
	}
	return known, t.exec(`
		INSERT INTO team_version (team, version, since, until, name)
		SELECT team, max(version) + 1, ?2, ?3, ?4 FROM team_version WHERE team = ?1 GROUP BY team`,
		known.ID, t.view.revision, int64(forever), known.Name)
}

func (t *Tx) newTeam(team mandate.Team) (mandate.Team, error) {
	o, err := t.organisation(team.Organisation.ID)
	switch {
	case err != nil:
		return team, err
	case o.ID == 0:
		return team, ErrUnknownParty
	}
	id, err := t.number("team")
	if err != nil {
		return team, err
	}
	t.touchTeams()
	team.ID, team.Organisation = mandate.TeamID(id), o
	if err := t.exec(`INSERT INTO team (id, organisation) VALUES (?1, ?2)`, id, o.ID); err != nil {
		return team, err
	}
	return team, t.exec(`INSERT INTO team_version (team, version, since, until, name) VALUES (?1, 1, ?2, ?3, ?4)`,
		id, t.view.revision, int64(forever), team.Name)
}

// EndTeam ends a team, with what its list of members and clients says. No assignment ends.
// ErrNotFound: there is none with that number.
func (t *Tx) EndTeam(id mandate.TeamID) error {
	if _, err := t.view.Team(id); err != nil {
		return err
	}
	t.touchTeams()
	for _, table := range []string{"team_member", "team_client"} {
		if err := t.exec(`UPDATE `+table+` SET until = ?1 WHERE team = ?2 AND `+isCurrent, t.view.revision, id); err != nil {
			return err
		}
	}
	return t.endTeam(id)
}

func (t *Tx) endTeam(id mandate.TeamID) error {
	return t.exec(`UPDATE team_version SET until = ?1 WHERE team = ?2 AND `+isCurrent, t.view.revision, id)
}

// AddMember writes down that somebody is in a team, and AddClient that it works for a company;
// changed is false where that was so. DropMember and DropClient write down that it is so no
// longer. Nothing is added and dropped in one change.
func (t *Tx) AddMember(id mandate.TeamID, p mandate.PersonID) (changed bool, err error) {
	return t.addToTeam("team_member", "person", id, int64(p))
}

// AddClient: see AddMember.
func (t *Tx) AddClient(id mandate.TeamID, o mandate.OrganisationID) (changed bool, err error) {
	return t.addToTeam("team_client", "organisation", id, int64(o))
}

// DropMember: see AddMember.
func (t *Tx) DropMember(id mandate.TeamID, p mandate.PersonID) (changed bool, err error) {
	return t.dropFromTeam("team_member", "person", id, int64(p))
}

// DropClient: see AddMember.
func (t *Tx) DropClient(id mandate.TeamID, o mandate.OrganisationID) (changed bool, err error) {
	return t.dropFromTeam("team_client", "organisation", id, int64(o))
}

func (t *Tx) addToTeam(table, column string, id mandate.TeamID, one int64) (bool, error) {
	if there, err := t.inTeam(table, column, id, one); err != nil || there {
		return false, err
	}
	t.touchTeams()
	return true, t.exec(`INSERT INTO `+table+` (team, `+column+`, since, until) VALUES (?1, ?2, ?3, ?4)`,
		id, one, t.view.revision, int64(forever))
}

func (t *Tx) dropFromTeam(table, column string, id mandate.TeamID, one int64) (bool, error) {
	if there, err := t.inTeam(table, column, id, one); err != nil || !there {
		return false, err
	}
	t.touchTeams()
	return true, t.exec(`UPDATE `+table+` SET until = ?1 WHERE team = ?2 AND `+column+` = ?3 AND `+isCurrent,
		t.view.revision, id, one)
}

func (t *Tx) inTeam(table, column string, id mandate.TeamID, one int64) (bool, error) {
	var n int
	err := t.view.one([]any{&n}, `SELECT count(*) FROM `+table+` WHERE team = ?1 AND `+column+` = ?2 AND `+isCurrent, id, one)
	return n > 0, err
}

// touchTeams names nobody: what somebody may do is in his assignments.
func (t *Tx) touchTeams() { t.touched.add(t.view.register.hash("teams")) }

// selectTeams reads teams as known at revision ?1; a condition follows.
const selectTeams = `
	SELECT t.id, t.organisation, v.name FROM team t
	JOIN team_version v ON v.team = t.id AND v.since <= ?1 AND v.until > ?1 WHERE `

// Team gives a team that there is. ErrNotFound: none with that number.
func (s *Snapshot) Team(id mandate.TeamID) (mandate.Team, error) {
	list, err := s.teams(`t.id = ?2`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("team %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return mandate.Team{}, err
	}
	return list[0], nil
}

// Teams lists the teams of an organisation, by number.
func (s *Snapshot) Teams(o mandate.OrganisationID) ([]mandate.Team, error) {
	return s.teams(`t.organisation = ?2 ORDER BY t.id`, o)
}

// TeamsOf lists the teams of an organisation that somebody is in, by number.
func (s *Snapshot) TeamsOf(o mandate.OrganisationID, p mandate.PersonID) ([]mandate.Team, error) {
	return s.teams(`t.organisation = ?2 AND EXISTS (SELECT 1 FROM team_member m
		WHERE m.team = t.id AND m.person = ?3 AND m.since <= ?1 AND m.until > ?1) ORDER BY t.id`, o, p)
}

func (s *Snapshot) teams(condition string, args ...any) (list []mandate.Team, err error) {
	var one mandate.Team
	var of mandate.OrganisationID
	var owners []mandate.OrganisationID
	if err := s.each([]any{&one.ID, &of, &one.Name}, func() error {
		list, owners = append(list, one), append(owners, of)
		return nil
	}, selectTeams+condition, append([]any{s.revision}, args...)...); err != nil {
		return nil, err
	}
	for i := range list {
		o, err := s.organisation(`o.organisation = ?2`, owners[i])
		if err != nil || o == nil {
			return nil, err
		}
		list[i].Organisation = *o
	}
	return list, nil
}

// TeamMembers lists who is in a team, by number.
func (s *Snapshot) TeamMembers(id mandate.TeamID) (list []mandate.Person, err error) {
	var row personRow
	err = s.each(row.fields(), func() error {
		p, err := row.person()
		list = append(list, p)
		return err
	}, selectPerson+`p.person IN (SELECT person FROM team_member WHERE team = ?2 AND since <= ?1 AND until > ?1) ORDER BY p.person`, s.revision, id)
	return list, err
}

// TeamClients lists for whom a team works, by number: at most limit of those after the given
// one, and whether there are more.
func (s *Snapshot) TeamClients(id mandate.TeamID, after mandate.OrganisationID, limit int) (list []mandate.Organisation, more bool, err error) {
	var row organisationRow
	err = s.each(row.fields(), func() error {
		o, err := row.organisation()
		list = append(list, o)
		return err
	}, selectOrganisation+`o.organisation > ?3 AND o.organisation IN (SELECT organisation FROM team_client
		WHERE team = ?2 AND since <= ?1 AND until > ?1) ORDER BY o.organisation LIMIT ?4`, s.revision, id, after, limit+1)
	if len(list) > limit {
		return list[:limit], true, err
	}
	return list, false, err
}

// TeamSize is how many members and clients a team has.
func (s *Snapshot) TeamSize(id mandate.TeamID) (members, clients int, err error) {
	err = s.one([]any{&members, &clients}, `
		SELECT (SELECT count(*) FROM team_member WHERE team = ?2 AND since <= ?1 AND until > ?1),
		       (SELECT count(*) FROM team_client WHERE team = ?2 AND since <= ?1 AND until > ?1)`, s.revision, id)
	return members, clients, err
}
