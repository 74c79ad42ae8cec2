package pages

import (
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

func (v *visit) teamID() mandate.TeamID { return mandate.TeamID(v.number("id")) }

// teamAt is the address of a team, or of something about it.
func teamAt(id mandate.TeamID, more string) string { return "/teams/" + idText(id) + more }

// teams lists those of the visitor's organisation, and lets him make one.
func (v *visit) teams() (answer, error) { return v.teamsPage(nil) }

func (v *visit) teamsPage(f faults) (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		list, err := l.Teams()
		t := look.Table{Caption: v.say.Say("teams"), Unseen: true, Empty: &look.Empty{Title: v.say.Say("no teams")}, Columns: []look.Column{
			{Title: v.say.Say("team"), Names: true}, {Title: v.say.Say("members"), Number: true}, {Title: v.say.Say("place /clients"), Number: true}, {Title: v.say.Say("lacking"), Number: true},
		}}
		for _, team := range list {
			if err != nil {
				break
			}
			var one desk.TeamView
			one, err = l.Team(team.ID)
			t.Rows = append(t.Rows, look.Row{{Text: team.Name, Address: teamAt(team.ID, "")},
				{Text: v.say.Number(int64(len(one.Members)))}, {Text: v.say.Number(int64(one.Clients))}, {Text: v.say.Number(int64(one.Lacking))}})
		}
		a, _ = page(look.Page{Title: v.say.Say("teams"), Address: "/teams", Crumbs: v.teamCrumbs(false), Parts: append(v.happened(),
			look.Paragraph{Text: v.say.Say("teams text")}, t, look.Heading{Text: v.say.Say("make team")},
			v.form("/teams", look.Form{Parts: []look.Part{v.teamName(v.said("name"), f)}, Buttons: []look.Button{{Text: v.say.Say("make team")}}}))}, f)
		return err
	})
	return a, err
}

func (v *visit) teamName(name string, f faults) look.Field {
	return look.Field{Name: "name", Label: v.say.Say("team name"), Hint: v.say.Say("team name hint"), Error: f["name"], Input: look.TextInput{Value: name, MaxLength: 100}}
}

// teamCrumbs lead to a page about teams; in one: below that of a team.
func (v *visit) teamCrumbs(below bool) []look.Link {
	crumbs := []look.Link{{Text: v.say.Say("place /"), Address: "/"}, {Text: v.say.Say("place /clients"), Address: "/clients"}}
	if below {
		crumbs = append(crumbs, look.Link{Text: v.say.Say("teams"), Address: "/teams"})
	}
	return crumbs
}

func (v *visit) makeTeam() (answer, error) {
	done, err := v.c.Desk.PutTeam(v.ctx(), v.caller(), 0, v.said("name"))
	if f := v.beside(err, "name"); f != nil {
		return v.teamsPage(f)
	}
	if err != nil {
		return answer{}, err
	}
	return goTo(teamAt(done.Team.ID, "?done=team"))
}

// team is one of them: who is in it, for whom it works, and what still has to be assigned.
func (v *visit) team() (answer, error) { return v.teamPage(nil) }

func (v *visit) teamPage(f faults) (a answer, err error) {
	id := v.teamID()
	place := v.numbered(teamAt(id, ""), "")
	err = v.look(func(l *desk.Look) error {
		team, err := l.Team(id)
		if err != nil {
			return err
		}
		clients, more, err := l.TeamClients(id, mandate.OrganisationID(place.after), perPage)
		if err != nil {
			return err
		}
		parts := append(v.happened(), v.teamLacks(team)...)
		parts = append(parts, v.memberTable(team), look.Actions{v.action(v.say.Say("add member"), teamAt(id, "/join"), look.Secondary)})
		t := v.teamClientTable(team, clients)
		t.Paging = place.paging(len(clients), mandate.ID(lastOf(clients).ID), more)
		parts = append(parts, t, look.Actions{v.action(v.say.Say("add clients"), teamAt(id, "/clients"), look.Secondary)})
		name := team.Name
		if f != nil {
			name = v.said("name")
		}
		rename := look.Part(v.form(teamAt(id, "/name"), look.Form{Parts: []look.Part{v.teamName(name, f)}, Buttons: []look.Button{{Text: v.say.Say("rename team"), Kind: look.Secondary}}}))
		if len(f) == 0 { // what is wrong does not hide
			rename = look.Details{Summary: v.say.Say("rename team"), Parts: []look.Part{rename}}
		}
		parts = append(parts, rename)
		if len(team.Members) == 0 {
			parts = append(parts, v.form(teamAt(id, "/end"), look.Form{Buttons: []look.Button{{Text: v.say.Say("end team"), Kind: look.Secondary}}}))
		}
		a, err = page(look.Page{Title: v.say.Say("team named", "name", team.Name), Address: teamAt(id, ""), Crumbs: v.teamCrumbs(true), Parts: parts}, f)
		return err
	})
	return a, err
}

// teamLacks says whether everybody in a team has what he needs, and leads to what gives it.
func (v *visit) teamLacks(team desk.TeamView) []look.Part {
	switch {
	case team.Lacking > 0:
		return []look.Part{look.Notice{Kind: look.Warning, Title: v.say.Count("team lacks", team.Lacking)},
			look.Actions{v.action(v.say.Say("fill team"), teamAt(team.ID, "/fill"), look.Primary)}}
	case len(team.Members) > 0 && team.Clients > 0:
		return []look.Part{look.Paragraph{Text: v.say.Say("team lacks nothing")}}
	}
	return []look.Part{look.Paragraph{Text: v.say.Say("team begins")}}
}

func (v *visit) memberTable(team desk.TeamView) look.Table {
	t := look.Table{Caption: v.say.Say("members"), Empty: &look.Empty{Title: v.say.Say("no members")}, Columns: []look.Column{
		{Title: v.say.Say("person"), Names: true}, {Title: v.say.Say("do"), Unseen: true},
	}}
	for _, p := range team.Members {
		t.Rows = append(t.Rows, look.Row{{Text: v.person(p)}, {Links: []look.Link{{Text: v.say.Say("take out"), About: v.person(p), Address: teamAt(team.ID, "/members/"+idText(p.ID))}}}})
	}
	return t
}

func (v *visit) teamClientTable(team desk.TeamView, clients []mandate.Organisation) look.Table {
	t := look.Table{Caption: v.say.Count("team clients", team.Clients), Empty: &look.Empty{Title: v.say.Say("no team clients")}, Columns: []look.Column{
		{Title: v.say.Say("client"), Names: true}, {Title: v.say.Say("do"), Unseen: true},
	}}
	for _, o := range clients {
		t.Rows = append(t.Rows, look.Row{{Text: v.party(o)}, {Links: []look.Link{{Text: v.say.Say("take out"), About: v.party(o), Address: teamAt(team.ID, "/clients/"+idText(o.ID))}}}})
	}
	return t
}

func (v *visit) renameTeam() (answer, error) {
	id := v.teamID()
	if id == 0 { // which would be a new one
		return answer{}, register.ErrNotFound
	}
	_, err := v.c.Desk.PutTeam(v.ctx(), v.caller(), id, v.said("name"))
	if f := v.beside(err, "name"); f != nil {
		return v.teamPage(f)
	}
	return v.teamDone(err, "renamed")
}

// teamDone leads back to the team with word of what was done.
func (v *visit) teamDone(err error, what string) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return goTo(teamAt(v.teamID(), "?done="+what))
}

func (v *visit) endTeam() (answer, error) {
	if _, err := v.c.Desk.EndTeam(v.ctx(), v.caller(), v.teamID()); err != nil {
		return answer{}, err
	}
	return goTo("/teams?done=team-ended")
}

func (v *visit) askJoin() (answer, error) { return v.joinPage(draft{Kind: assignIt}, nil) }

// joinPage asks who is to be in a team, as for an assignment.
func (v *visit) joinPage(d draft, f faults) (answer, error) {
	team, err := v.ownTeam()
	if err != nil {
		return answer{}, err
	}
	fields, err := v.personFields(d, f)
	if err != nil {
		return answer{}, err
	}
	at := teamAt(team.ID, "/join")
	return page(look.Page{Title: v.say.Say("join title", "name", team.Name), Address: at, Parts: []look.Part{look.Paragraph{Text: v.say.Say("join text")},
		v.form(at, look.Form{Parts: fields, Buttons: []look.Button{{Text: v.say.Say("add member")}}, Cancel: v.cancel(teamAt(team.ID, ""))})}}, f)
}

func (v *visit) ownTeam() (team desk.TeamView, err error) {
	err = v.look(func(l *desk.Look) (err error) { team, err = l.Team(v.teamID()); return err })
	return team, err
}

func (v *visit) join() (answer, error) {
	d, f := draft{Kind: assignIt}, faults{}
	v.readPerson(&d, f)
	if len(f) == 0 {
		_, err := v.c.Desk.Join(v.ctx(), v.caller(), v.teamID(), d.personWish())
		if f = v.beside(err, "person"); f == nil {
			return v.teamDone(err, "joined")
		}
	}
	return v.joinPage(d, f)
}

// askLeave tells what somebody loses who is taken out of a team.
func (v *visit) askLeave() (a answer, err error) {
	id, person := v.teamID(), mandate.PersonID(v.number("person"))
	err = v.look(func(l *desk.Look) error {
		team, err := l.Team(id)
		if err != nil {
			return err
		}
		for _, p := range team.Members {
			if p.ID != person {
				continue
			}
			n, err := l.Loses(id, person, 0)
			name := v.person(p)
			a = v.takeOutPage(teamAt(id, "/members/"+idText(person)), name, team.Name, v.say.Count("member loses", n, "who", name))
			return err
		}
		return register.ErrNotFound
	})
	return a, err
}

// takeOutPage asks once more before somebody or a client is taken out of a team.
func (v *visit) takeOutPage(at, who, team, loses string) answer {
	return answer{page: look.Page{Title: v.say.Say("take out title", "who", who, "team", team), Parts: []look.Part{look.Confirm{
		Title: v.say.Say("take out sure", "who", who, "team", team), Consequences: []string{loses, v.say.Say("take out stays"), v.say.Say("take out good")},
		Form: v.form(at, look.Form{Buttons: []look.Button{{Text: v.say.Say("take out")}}, Cancel: v.cancel(teamAt(v.teamID(), ""))}),
	}}}}
}

func (v *visit) leave() (answer, error) {
	_, err := v.c.Desk.Leave(v.ctx(), v.caller(), v.teamID(), mandate.PersonID(v.number("person")))
	return v.teamDone(err, "taken-out")
}

// askDropClient tells what is lost if a team no longer works for a client. In addresses a client
// has the register's number: its own may be that of a person.
func (v *visit) askDropClient() (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		team, client, err := v.teamClient(l)
		if err != nil {
			return err
		}
		n, err := l.Loses(team.ID, 0, client.ID)
		a = v.takeOutPage(teamAt(team.ID, "/clients/"+idText(client.ID)), v.party(client), team.Name, v.say.Count("members lose", n, "who", v.party(client)))
		return err
	})
	return a, err
}

// teamClient is the team and the client of it in the address.
func (v *visit) teamClient(l *desk.Look) (team desk.TeamView, client mandate.Organisation, err error) {
	if team, err = l.Team(v.teamID()); err != nil {
		return team, client, err
	}
	id := mandate.OrganisationID(v.number("client"))
	list, _, err := l.TeamClients(team.ID, id-1, 1)
	if err == nil && (len(list) == 0 || list[0].ID != id) {
		err = register.ErrNotFound
	}
	return team, lastOf(list), err
}

func (v *visit) dropClient() (answer, error) {
	var client mandate.Organisation
	if err := v.look(func(l *desk.Look) (err error) { _, client, err = v.teamClient(l); return err }); err != nil {
		return answer{}, err
	}
	_, err := v.c.Desk.DropClient(v.ctx(), v.caller(), v.teamID(), client.KvK)
	return v.teamDone(err, "taken-out")
}

func (v *visit) searchTeamClients() (answer, error) {
	return v.searchIn(teamAt(v.teamID(), "/clients"))
}

func (v *visit) askTeamClients() (answer, error) { return v.addClientsPage(nil) }

// addClientsPage lists the organisation's clients, to tick those for whom a team works.
func (v *visit) addClientsPage(f faults) (a answer, err error) {
	p := v.listingHere()
	err = v.look(func(l *desk.Look) error {
		team, err := l.Team(v.teamID())
		if err != nil {
			return err
		}
		list, next, err := l.Clients(p.Search, p.After, perPage)
		if err != nil {
			return err
		}
		options, err := v.clientOptions(l, team.ID, list)
		at := teamAt(team.ID, "/clients")
		parts := []look.Part{v.clientSearch(teamAt(team.ID, "/search"), p)}
		if len(options) == 0 {
			parts = append(parts, look.Paragraph{Text: v.say.Say("nobody to add")})
		} else {
			form := look.Form{Hidden: []look.Hidden{{Name: "list", Value: v.keep.text(p, v.placeOfList())}}, Cancel: v.cancel(teamAt(team.ID, "")),
				Parts:   []look.Part{look.Field{Name: "client", Label: v.say.Say("which clients"), Error: f["client"], Input: options}},
				Buttons: []look.Button{{Text: v.say.Say("add ticked")}, {Text: v.say.Say("add found"), Kind: look.Secondary, Name: "do", Value: "all"}}}
			parts = append(parts, v.form(at, form))
		}
		if links := v.onward(v.listPaging(at, p, len(list), next, 0)); links != nil { // the newest: who is in the team by now says so
			parts = append(parts, links)
		}
		a, _ = page(look.Page{Title: v.say.Say("add clients title", "name", team.Name), Address: v.listAt(at, p), Parts: parts}, f)
		return err
	})
	return a, err
}

// clientOptions are clients to tick: those that the team has already say so.
func (v *visit) clientOptions(l *desk.Look, id mandate.TeamID, list []desk.Client) (options look.CheckInput, err error) {
	for _, c := range list {
		there, _, err := l.TeamClients(id, c.Company.ID-1, 1)
		if err != nil {
			return nil, err
		}
		o := look.Option{Value: c.Company.KvK.Text(), Label: v.party(c.Company)}
		if len(there) > 0 && there[0].ID == c.Company.ID {
			o.Hint = v.say.Say("in team already")
		}
		options = append(options, o)
	}
	return options, nil
}

func (v *visit) addTeamClients() (answer, error) {
	if v.said("do") == "all" {
		return v.addFound()
	}
	var list []etoegang.KvKNumber
	for _, text := range v.r.PostForm["client"] {
		if n, err := etoegang.ParseKvKNumber(text); err == nil && len(list) < perPage {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return v.addClientsPage(faults{"client": v.say.Say("wrong no client")})
	}
	_, err := v.c.Desk.AddClients(v.ctx(), v.caller(), v.teamID(), list)
	if wrong := v.beside(err, "client"); wrong != nil {
		return v.addClientsPage(wrong)
	}
	return v.teamDone(err, "clients")
}

// mostFound is how many clients are added in one go; whoever has more presses again.
const mostFound = 2000

// addFound adds all clients that were searched for.
func (v *visit) addFound() (answer, error) {
	var p listing
	if !v.keep.open(v.said("list"), v.placeOfList(), &p) {
		return answer{}, errStale
	}
	for after, total := (register.Place{}), 0; ; {
		var list []etoegang.KvKNumber
		err := v.look(func(l *desk.Look) error {
			some, next, err := l.Clients(p.Search, after, perFile)
			for _, c := range some {
				list = append(list, c.Company.KvK)
			}
			after = next
			return err
		})
		if err != nil {
			return answer{}, err
		}
		done, err := v.c.Desk.AddClients(v.ctx(), v.caller(), v.teamID(), list)
		if total += done.Added; err != nil || after == (register.Place{}) {
			return v.teamDone(err, "clients")
		}
		if total >= mostFound {
			return v.teamDone(nil, "clients-more")
		}
	}
}
