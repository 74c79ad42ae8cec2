package pages

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/mandate"
)

// loginLasts is how long a log-in that was begun is kept; the door gives it as long.
const loginLasts = 30 * time.Minute

// begun is a log-in that was begun in a browser.
type begun struct {
	Pending []byte `json:"p"`
	Secret  []byte `json:"s"` // SHA-256 of what is in the browser's cookie
	To      string `json:"t"` // where it was to lead
	Session string `json:"n"` // of whoever logs in anew; "": nobody was logged in
}

func placeOfLogin(relay string) string { return "login " + relay }

// loginCookie is the name of the cookie of one log-in: people log in with two windows at the
// same time.
func loginCookie(relay string) string {
	sum := sha256.Sum256([]byte(relay))
	return "__Host-login-" + hex.EncodeToString(sum[:8])
}

// start is the front door, or the overview of whoever is in.
func (v *visit) start() (answer, error) {
	switch {
	case v.session == nil:
		return answer{page: look.Page{Title: v.c.Name, Parts: []look.Part{
			look.Paragraph{Text: v.say.Say("welcome"), Lead: true},
			look.Paragraph{Text: v.say.Say("welcome how")},
			look.Actions{{Link: look.Link{Text: v.say.Say("log in"), Address: "/login"}}},
			look.Links{{Text: v.say.Say("have invitation"), Address: "/invitation"}},
		}}}, nil
	case v.role() == nil:
		return v.pickRole("/")
	}
	return v.overview()
}

// login begins a log-in. With "to" it leads on to a page; with "anew" who is logged in shows
// his means once more.
func (v *visit) login() (answer, error) {
	q := v.r.URL.Query()
	b := begun{To: here(q.Get("to"))}
	o := signin.Options{Force: q.Has("anew")}
	if o.Force && v.session != nil {
		b.Session = v.session.name
	}
	door, err := v.door()
	if err != nil {
		return answer{}, err
	}
	out, pending, err := door.Begin(o)
	if err != nil {
		return answer{}, err
	}
	if b.Pending, err = pending.MarshalBinary(); err != nil {
		return answer{}, err
	}
	secret := newName()
	sum := sha256.Sum256([]byte(secret))
	b.Secret = sum[:]
	if err := v.keep.keep(v.ctx(), placeOfLogin(pending.Relay()), b, v.now.Add(loginLasts)); err != nil {
		return answer{}, err
	}
	// The answer may come in a form that another site sends, with which browsers send no
	// cookie but such a one. It lets nobody in: it only says that the log-in began here.
	v.setCookie(loginCookie(pending.Relay()), secret, int(loginLasts/time.Second), http.SameSiteNoneMode)
	if out.Form == nil {
		return goTo(out.Redirect)
	}
	return v.byForm(out.Form)
}

// byForm lets the user send the request himself, where the broker takes it in a form only.
func (v *visit) byForm(f *signin.Form) (answer, error) {
	to, err := url.Parse(f.Action)
	if err != nil {
		return answer{}, err
	}
	return answer{page: look.Page{Title: v.say.Say("log in"), FormsTo: []string{to.Scheme + "://" + to.Host}, Parts: []look.Part{
		look.Paragraph{Text: v.say.Say("to broker")},
		look.Form{
			Address: f.Action,
			Hidden:  []look.Hidden{{Name: "SAMLRequest", Value: base64.StdEncoding.EncodeToString(f.Request)}, {Name: "RelayState", Value: f.Relay}},
			Buttons: []look.Button{{Text: v.say.Say("go on")}},
		},
	}}}, nil
}

// comeBack is where the broker sends the browser.
func (v *visit) comeBack() (answer, error) {
	a := signin.Answer{Response: v.r.PostFormValue("SAMLResponse"), Artifact: v.r.FormValue("SAMLart"), Relay: v.r.FormValue("RelayState")}
	b, err := v.begun(a.Relay)
	if err != nil {
		return answer{}, err
	}
	var pending signin.Pending
	if err := pending.UnmarshalBinary(b.Pending); err != nil {
		return answer{}, err
	}
	door, err := v.door()
	if err != nil {
		return answer{}, err
	}
	in, err := door.Finish(v.ctx(), pending, a)
	if err != nil {
		return answer{}, err
	}
	if err := v.keep.admit(v.ctx(), in); err != nil {
		return answer{}, err
	}
	return v.letIn(newSession(in, v.now), b)
}

// door is where people come in now: nowhere, as long as the broker is not known.
func (v *visit) door() (*signin.Door, error) {
	if door := v.c.SignIn(); door != nil {
		return door, nil
	}
	return nil, signin.ErrNoBroker
}

// begun gives the log-in of that RelayState, once, to the browser in which it began. Another
// browser cannot use it up.
func (v *visit) begun(relay string) (b begun, err error) {
	cookie, err := v.r.Cookie(loginCookie(relay))
	if err != nil || relay == "" {
		return b, signin.ErrNotBegun
	}
	err = v.keep.look(v.ctx(), placeOfLogin(relay), &b)
	if err == nil {
		sum := sha256.Sum256([]byte(cookie.Value))
		if subtle.ConstantTimeCompare(sum[:], b.Secret) != 1 {
			return b, signin.ErrNotBegun
		}
		err = v.keep.take(v.ctx(), placeOfLogin(relay), &b)
	}
	if errors.Is(err, errGone) {
		err = signin.ErrNotBegun
	}
	v.setCookie(loginCookie(relay), "", -1, http.SameSiteNoneMode)
	return b, err
}

// letIn begins the session of somebody who has logged in. Who logs in anew goes on as he was,
// under a new name; where another person did, nothing goes on.
func (v *visit) letIn(s *session, b begun) (answer, error) {
	to := b.To
	if v.session != nil && b.Session == "" { // another log-in in the same browser
		if err := v.end(v.session.name); err != nil {
			return answer{}, err
		}
	}
	if b.Session != "" {
		old, _, err := v.sessionNamed(v.ctx(), b.Session)
		switch {
		case err == nil && old.samePerson(s):
			s.role = old.role
		case err == nil || errors.Is(err, errGone):
			to = "/"
		default:
			return answer{}, err
		}
		if err := v.end(b.Session); err != nil {
			return answer{}, err
		}
	}
	if err := v.begin(s); err != nil {
		return answer{}, err
	}
	if s.role == nil && to != "/invitation" {
		return v.pickRole(to)
	}
	return goTo(to)
}

// logInFirst is for who wants a page and has not logged in.
func (v *visit) logInFirst() answer {
	address := "/login?to=" + url.QueryEscape(v.formAt())
	return answer{status: http.StatusForbidden, page: look.Page{Title: v.say.Say("log in first"), Address: "/", Parts: []look.Part{
		look.Paragraph{Text: v.say.Say("log in first text")},
		look.Actions{{Link: look.Link{Text: v.say.Say("log in"), Address: address}}},
	}}}
}

// logInAnew is for who wants something grave, and has logged in a while ago. What he filled in
// he must fill in again: it has not been looked at.
func (v *visit) logInAnew() answer {
	return answer{status: http.StatusForbidden, page: look.Page{Title: v.say.Say("log in anew"), Parts: []look.Part{
		look.Paragraph{Text: v.say.Say("log in anew text")},
		look.Actions{
			{Link: look.Link{Text: v.say.Say("log in once more"), Address: "/login?anew=1&to=" + url.QueryEscape(v.formAt())}},
			{Link: look.Link{Text: v.say.Say("cancel"), Address: "/"}, Kind: look.Secondary},
		},
	}}}
}

// logOut ends the session. Whoever is out already, by a second click for instance, is where he
// wants to be.
func (v *visit) logOut() (answer, error) {
	if v.session == nil {
		return goTo("/")
	}
	return v.once(func() (answer, error) {
		v.setCookie(sessionCookie, "", -1, http.SameSiteLaxMode)
		a, err := goTo("/")
		return a, errors.Join(err, v.end(v.session.name))
	})
}

// pickRole takes the one role that somebody has, or lets him choose, and leads on.
func (v *visit) pickRole(to string) (answer, error) {
	list, err := v.c.Desk.Roles(v.ctx(), v.session.visitor())
	switch {
	case err != nil:
		return answer{}, err
	case len(list) == 0:
		return v.noRole(), nil
	case len(list) == 1:
		return v.actAs(list[0], to)
	}
	return goTo("/role?to=" + url.QueryEscape(to))
}

// noRole tells who may do nothing here what he can do about it.
func (v *visit) noRole() answer {
	return answer{page: look.Page{Title: v.say.Say("no role"), Address: "/", Parts: []look.Part{
		look.Paragraph{Text: v.say.Say("no role text", "company", v.companyName()), Lead: true},
		look.List{Items: []string{v.say.Say("no role invited"), v.say.Say("no role ask"), v.say.Say("no role paper")}},
		look.Actions{{Link: look.Link{Text: v.say.Say("have invitation"), Address: "/invitation"}}},
	}}}
}

func (v *visit) actAs(a mandate.Appointment, to string) (answer, error) {
	v.session.role = &role{Appointment: a.ID, Role: a.Role, Name: a.Name}
	if a.Role != mandate.Staff {
		v.session.role.For = v.party(a.Organisation)
	}
	if err := v.seen(v.session); err != nil {
		return answer{}, err
	}
	return goTo(to)
}

func (v *visit) chooseRole() (answer, error) {
	list, err := v.c.Desk.Roles(v.ctx(), v.session.visitor())
	switch {
	case err != nil:
		return answer{}, err
	case len(list) == 0:
		return v.noRole(), nil
	}
	var options look.RadioInput
	for i, a := range list {
		organisation := v.c.Name
		if a.Role != mandate.Staff {
			organisation = v.party(a.Organisation)
		}
		options = append(options, look.Option{Value: idText(a.ID), Label: v.say.Say("role of", "role", v.say.Say("role "+string(a.Role)), "company", organisation),
			Hint: a.Name, Chosen: i == 0})
	}
	return answer{page: look.Page{Title: v.say.Say("choose role"), Parts: []look.Part{v.form("/role", look.Form{
		Hidden:  []look.Hidden{{Name: "to", Value: here(v.r.URL.Query().Get("to"))}},
		Parts:   []look.Part{look.Field{Name: "role", Label: v.say.Say("choose role label"), Input: options}},
		Buttons: []look.Button{{Text: v.say.Say("go on")}},
	})}}}, nil
}

func (v *visit) takeRole() (answer, error) {
	list, err := v.c.Desk.Roles(v.ctx(), v.session.visitor())
	if err != nil {
		return answer{}, err
	}
	for _, a := range list {
		if idText(a.ID) == v.said("role") {
			return v.actAs(a, here(v.said("to")))
		}
	}
	return answer{}, mandate.ErrNotAppointed
}

// invitation is where somebody types the code of his letter. It stands in no address: those
// are kept by browsers, proxies and logs.
func (v *visit) invitation() (answer, error) {
	if v.session == nil {
		a := v.logInFirst()
		a.page.Title, a.status, a.page.Address = v.say.Say("invitation"), 0, ""
		a.page.Parts[0] = look.Paragraph{Text: v.say.Say("invitation log in")}
		return a, nil
	}
	return v.invitationPage("", ""), nil
}

func (v *visit) invitationPage(code, wrong string) answer {
	a := answer{page: look.Page{Title: v.say.Say("invitation"), Parts: []look.Part{
		look.Paragraph{Text: v.say.Say("invitation text", "company", v.companyName())},
		v.form("/invitation", look.Form{
			Parts: []look.Part{look.Field{Name: "code", Label: v.say.Say("code"), Hint: v.say.Say("code hint"), Error: wrong,
				Input: look.TextInput{Value: code, MaxLength: 60}}},
			Buttons: []look.Button{{Text: v.say.Say("accept invitation")}}, Cancel: v.cancel("/"),
		}),
	}}}
	if wrong != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a
}

func (v *visit) acceptInvitation() (answer, error) {
	code := v.said("code")
	made, err := v.c.Desk.AcceptInvitation(v.ctx(), v.session.visitor(), plainCode(code))
	if f := v.beside(err, "code"); f != nil {
		return v.invitationPage(code, f["code"]), nil
	}
	if err != nil {
		return answer{}, err
	}
	return v.actAs(made, "/")
}
