package pages

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// How long sessions last, and a log-in is fresh enough for what is grave.
const (
	idle    = 15 * time.Minute
	longest = 8 * time.Hour
	fresh   = 5 * time.Minute
)

// session is somebody who has logged in. It is kept on the server until it ends; beside it
// lies a mark that he was here lately, and in which role. It ends when either is gone: so a
// page that is being made while he logs out cannot bring it back.
type session struct {
	Company   string    `json:"c"`
	Name      string    `json:"n"` // of the company, as its register gave it
	Issuer    string    `json:"i"`
	Pseudonym string    `json:"p"`
	Level     string    `json:"l"`
	LoggedIn  time.Time `json:"t"`
	Until     time.Time `json:"u"`

	name string
	role *role // that he has chosen; nil: none
}

// role is an appointment in use, with what the pages say of it. Whether it holds is asked at
// every step.
type role struct {
	Appointment mandate.AppointmentID `json:"a"`
	Role        mandate.Role          `json:"r"`
	Name        string                `json:"n"`
	For         string                `json:"f"` // the organisation; "": the register
}

func newSession(v signin.Visitor, now time.Time) *session {
	return &session{Company: v.Company.Text(), Name: v.Name, Issuer: v.Acting.Register.String(), Pseudonym: v.Acting.Pseudonym.Text(),
		Level: v.Level.String(), LoggedIn: v.LoggedIn, Until: now.Add(longest), name: newName()}
}

// visitor is who it is, to the desk. What was kept was once parsed.
func (s *session) visitor() desk.Visitor {
	company, _ := etoegang.ParseKvKNumber(s.Company)
	issuer, _ := etoegang.ParseEntityID(s.Issuer)
	return desk.Visitor{Company: company, Issuer: issuer, Pseudonym: s.Pseudonym, Level: s.level()}
}

func (s *session) level() etoegang.AssuranceLevel {
	level, _ := etoegang.ParseLevelName(s.Level)
	return level
}

// samePerson tells whether two sessions are of one person, for one company.
func (s *session) samePerson(other *session) bool {
	return s.Company == other.Company && s.Issuer == other.Issuer && s.Pseudonym == other.Pseudonym
}

// The places of a session, and of the mark beside it.
func placeOfSession(name string) string { return "session " + name }
func placeOfMark(name string) string    { return "seen " + name }

// sessionCookie is bound to this host, and comes along when a link from elsewhere leads here,
// but with no form of others.
const sessionCookie = "__Host-session"

// begin keeps a session and gives the browser its name.
func (v *visit) begin(s *session) error {
	if err := v.keep.keep(v.ctx(), placeOfSession(s.name), s, s.Until); err != nil {
		return err
	}
	if err := v.seen(s); err != nil {
		return err
	}
	v.setCookie(sessionCookie, s.name, int(longest/time.Second), http.SameSiteLaxMode)
	v.session = s
	return nil
}

// end ends a session.
func (v *visit) end(name string) error {
	var gone session
	if err := v.keep.take(v.ctx(), placeOfSession(name), &gone); err != nil && !errors.Is(err, errGone) {
		return err
	}
	return nil
}

// mark is when somebody was last here, and in which role.
type mark struct {
	At   time.Time `json:"a"`
	Role *role     `json:"r"`
}

// seen remembers that somebody is here, and in which role.
func (v *visit) seen(s *session) error {
	until := v.now.Add(idle)
	if until.After(s.Until) {
		until = s.Until
	}
	return v.keep.put(v.ctx(), placeOfMark(s.name), mark{v.now, s.role}, until)
}

// find finds the session of the browser; nil: there is none.
func (v *visit) find() (*session, error) {
	cookie, err := v.r.Cookie(sessionCookie)
	if err != nil || len(cookie.Value) != len(newName()) {
		return nil, nil
	}
	s, m, err := v.sessionNamed(v.ctx(), cookie.Value)
	switch {
	case errors.Is(err, errGone):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if !v.now.Before(s.Until) || v.now.Sub(m.At) > idle {
		return nil, nil
	}
	if v.now.Sub(m.At) > time.Minute {
		err = v.seen(&s)
	}
	return &s, err
}

func (p *pages) sessionNamed(ctx context.Context, name string) (s session, m mark, err error) {
	if err := p.keep.look(ctx, placeOfSession(name), &s); err != nil {
		return s, m, err
	}
	s.name = name
	err = p.keep.look(ctx, placeOfMark(name), &m)
	s.role = m.Role
	return s, m, err
}

// setCookie gives the browser something to keep; seconds below zero: to forget.
func (v *visit) setCookie(name, value string, seconds int, site http.SameSite) {
	http.SetCookie(v.w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: seconds, Secure: true, HttpOnly: true, SameSite: site})
}
