package sandbox

import (
	"net/http"
	"strconv"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/sandbox/explain"
)

func (s *Sandbox) listFaults(*http.Request) (answer, error) {
	type faultView struct {
		Name  string    `json:"name"`
		What  look.Text `json:"what"`
		After look.Text `json:"after"`
	}
	list := []faultView{}
	for _, f := range faults {
		list = append(list, faultView(f))
	}
	return ok(list)
}

// faultWish is the fault that somebody wants; "": none.
type faultWish struct {
	Fault *string `json:"fault"`
}

func readFault(r *http.Request) (string, error) {
	in, err := read[faultWish](r)
	if err != nil {
		return "", err
	}
	if in.Fault == nil {
		return "", unfit("Send the field fault; empty for none.", "fault is missing")
	}
	return *in.Fault, knownFault(*in.Fault)
}

func knownFault(name string) error {
	if name != "" && faultNamed(name) == nil {
		return unfit("Send a name of GET /api/faults, or an empty one for none.", "fault: there is no %.50q", name)
	}
	return nil
}

func (s *Sandbox) nextFault(r *http.Request) (answer, error) {
	fault, err := readFault(r)
	if err == nil {
		err = s.broker.wish(anyBrowser, fault)
	}
	if err != nil {
		return answer{}, err
	}
	return gone()
}

func (s *Sandbox) faultOfLogin(r *http.Request) (answer, error) {
	login, err := s.loginCalled(r)
	if err != nil {
		return answer{}, err
	}
	fault, err := readFault(r)
	if err != nil {
		return answer{}, err
	}
	if login.Outcome != nil {
		return answer{}, wrong(http.StatusConflict, "Choose the fault before the log-in begins, with PUT /api/faults/next.", "the log-in has ended")
	}
	s.Log.change(login.ID, func(l *Login) { l.Fault = fault })
	return gone()
}

// loginView is a log-in as programs read it.
type loginView struct {
	ID       string    `json:"id"`
	Started  time.Time `json:"started"`
	Provider string    `json:"provider,omitempty"`
	Fault    string    `json:"fault,omitempty"`
	Outcome  *Outcome  `json:"outcome"`            // null: it has not ended, or not at a provider
	Stopped  *stopped  `json:"stopped,omitempty"`  // POST /api/logins: where the user did not get on
	Troubles []string  `json:"troubles,omitempty"` // what a party said when it could not go on
	Messages int       `json:"messages"`           // how many there are
	Page     string    `json:"page"`               // where people see them
}

func (s *Sandbox) viewLogin(l Login) loginView {
	return loginView{
		ID: l.ID, Started: l.Started, Provider: l.Provider, Fault: l.Fault, Outcome: l.Outcome,
		Troubles: l.Troubles, Messages: len(l.Messages), Page: s.Address + "/logins/" + l.ID,
	}
}

func (s *Sandbox) listLogins(*http.Request) (answer, error) {
	list := []loginView{}
	for _, l := range s.Log.Logins() {
		list = append(list, s.viewLogin(l))
	}
	return ok(list)
}

// loginCalled is the log-in that a request is about.
func (s *Sandbox) loginCalled(r *http.Request) (Login, error) {
	login, known := s.Log.Login(r.PathValue("id"))
	if !known {
		return login, wrong(http.StatusNotFound, "GET /api/logins lists those that are remembered.", "there is no log-in %.50q", r.PathValue("id"))
	}
	return login, nil
}

func (s *Sandbox) showLogin(r *http.Request) (answer, error) {
	login, err := s.loginCalled(r)
	if err != nil {
		return answer{}, err
	}
	return ok(s.viewLogin(login))
}

func (s *Sandbox) showMessages(r *http.Request) (answer, error) {
	type messageView struct {
		Raw       string            `json:"raw"` // all of it
		Explained explain.Explained `json:"explained"`
	}
	login, err := s.loginCalled(r)
	if err != nil {
		return answer{}, err
	}
	list := []messageView{}
	for i, explained := range s.explain(login, "en") {
		list = append(list, messageView{string(login.Messages[i].Raw), explained})
	}
	return ok(list)
}

func (s *Sandbox) showMessage(r *http.Request) (answer, error) {
	login, err := s.loginCalled(r)
	if err != nil {
		return answer{}, err
	}
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || n < 1 || n > len(login.Messages) {
		return answer{}, wrong(http.StatusNotFound, "Send a number from 1.", "the log-in has %d messages, and none is %.20q", len(login.Messages), r.PathValue("number"))
	}
	return answer{xml: login.Messages[n-1].Raw}, nil
}

func (s *Sandbox) listProviders(*http.Request) (answer, error) {
	list := []providerView{}
	for _, j := range s.join() {
		list = append(list, viewProvider(j))
	}
	return ok(list)
}

// providerView is a provider that somebody wants to join.
type providerView struct {
	File     string   `json:"file"`
	Entity   string   `json:"entity,omitempty"`
	Joined   bool     `json:"joined"`
	Problem  string   `json:"problem,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Services []string `json:"services,omitempty"` // of its own, as mandates name them
}

func viewProvider(j *joined) providerView {
	v := providerView{File: j.File, Joined: j.Problem == "", Problem: j.Problem, Notes: j.Notes, Services: j.client.ownNames()}
	if !j.Entity.IsZero() {
		v.Entity = j.Entity.String()
	}
	return v
}

func (s *Sandbox) reset(r *http.Request) (answer, error) {
	if _, err := read[struct{}](r); err != nil {
		return answer{}, err
	}
	if err := s.Reset(r.Context()); err != nil {
		return answer{}, err
	}
	return gone()
}

// logIn lets the sandbox play a user.
func (s *Sandbox) logIn(r *http.Request) (answer, error) {
	in, err := read[attempt](r)
	if err != nil {
		return answer{}, err
	}
	u, err := s.newUser(in)
	if err != nil {
		return answer{}, err
	}
	stop, err := u.play(r.Context())
	if err != nil {
		return answer{}, err
	}
	login, known := s.Log.begunBy(u.browser)
	if !known {
		return answer{}, wrong(http.StatusConflict, "Log in again.", "the sandbox was reset meanwhile")
	}
	v := s.viewLogin(login)
	v.Stopped = stop
	return created(v)
}
