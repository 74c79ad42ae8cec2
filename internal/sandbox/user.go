package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
)

// attempt is a log-in that the sandbox is asked to play.
type attempt struct {
	Provider      string   `json:"provider"` // permit, vat or portal
	Person        string   `json:"person"`
	Level         string   `json:"level,omitempty"`         // at which he logs in; "": what the service needs
	Company       string   `json:"company,omitempty"`       // KvK number of whom he chooses; "": there is one
	Establishment string   `json:"establishment,omitempty"` // of it that he chooses
	Services      []string `json:"services,omitempty"`      // names of those behind the portal that he chooses; none: all
	Fault         string   `json:"fault,omitempty"`
	Cancel        string   `json:"cancel,omitempty"`  // where he gives up: authenticator or register
	Request       string   `json:"request,omitempty"` // how the request goes: artifact, redirect or post
	Answer        string   `json:"answer,omitempty"`  // how the answer comes: artifact or post
}

// Where one can cancel.
const (
	atAuthenticator = "authenticator"
	atRegister      = "register"
)

// user is somebody with a browser, played by the sandbox. He goes the same way over the same
// pages as people do.
type user struct {
	attempt
	browser  string // its name at the broker
	sandbox  *Sandbox
	visitor  *harness.Visitor
	services []string // UUIDs of those that he chooses
	chose    bool
}

// stopped is where a log-in came to an end that is no provider.
type stopped struct {
	At    string `json:"at"` // address of the page
	HTTP  int    `json:"http"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// newUser looks whether an attempt can be made.
func (s *Sandbox) newUser(in attempt) (*user, error) {
	s.scene.RLock()
	defer s.scene.RUnlock()
	u := &user{attempt: in, browser: token(), sandbox: s, visitor: s.Network.Visitor()}
	u.visitor.Language = "en"
	at := slices.IndexFunc(s.sites, func(p *site) bool { return p.path == in.Provider })
	switch {
	case at < 0:
		return nil, unfit("Send permit, vat or portal. A provider of your own begins its log-ins itself.", "provider: there is no %.50q", in.Provider)
	case s.person(in.Person) == nil:
		return nil, unfit("Add the person with POST /api/persons, or send a name of GET /api/persons.", "person: there is nobody called %.100q", in.Person)
	case !slices.Contains([]string{"", "artifact", "redirect", "post"}, in.Request):
		return nil, unfit("Send artifact, redirect or post.", "request: there is no %.50q", in.Request)
	case !slices.Contains([]string{"", "artifact", "post"}, in.Answer):
		return nil, unfit("Send artifact or post.", "answer: there is no %.50q", in.Answer)
	case !slices.Contains([]string{"", atAuthenticator, atRegister}, in.Cancel):
		return nil, unfit("Send authenticator or register.", "cancel: there is no %.50q", in.Cancel)
	}
	if u.Level == "" {
		u.Level = s.sites[at].service.Level.String()
	} else if level, err := etoegang.ParseLevelName(in.Level); err != nil || !level.Supported() {
		return nil, unfit("Send loa2, loa2plus, loa3 or loa4.", "level: there is no %.50q", in.Level)
	}
	for _, name := range in.Services {
		service, known := s.serviceCalled(name)
		if !known {
			return nil, unfit("Send a service behind the portal: subsidy or notice.", "services: there is no %.50q", name)
		}
		u.services = append(u.services, service.UUID.String())
	}
	return u, knownFault(in.Fault)
}

// longestWay is how many pages a user sees before he gives up.
const longestWay = 15

// play goes from the provider's button to where the log-in ends; nil: at the provider.
func (u *user) play(ctx context.Context) (*stopped, error) {
	if err := u.visitor.Carry(u.sandbox.Address, &http.Cookie{Name: "__Host-broker", Value: u.browser, Path: "/", Secure: true}); err != nil {
		return nil, err
	}
	if err := u.sandbox.broker.wish(u.browser, u.Fault); err != nil {
		return nil, err
	}
	start := u.sandbox.Address + "/" + u.Provider
	page, err := u.visitor.Open(ctx, start+"/")
	if err == nil {
		page, err = page.Submit(ctx, url.Values{"request": {u.Request}, "answer": {u.Answer}})
	}
	for range longestWay {
		if err != nil {
			return nil, err
		}
		if page.Back == "" && strings.HasPrefix(page.Address(), start) && !page.Checked().Has("SAMLRequest") {
			return nil, nil
		}
		next, err := u.step(ctx, page)
		if err != nil {
			return nil, err
		}
		if next == nil {
			return &stopped{page.Address(), page.Status, page.Title, page.Text}, nil
		}
		page = next
	}
	return nil, fmt.Errorf("the log-in goes on and on, at %s", page.Address())
}

// step does what a page wants; nil: there is nothing to do on it.
func (u *user) step(ctx context.Context, page *harness.VisitorPage) (*harness.VisitorPage, error) {
	if page.Back != "" {
		return u.visitor.Open(ctx, page.Back)
	}
	form := page.Checked()
	switch {
	case form.Has("SAMLRequest") || form.Has("SAMLResponse"):
		return page.Submit(ctx, nil)
	case form.Has("guest"):
		do := "choose"
		if u.Cancel == atAuthenticator {
			do = "cancel"
		}
		return page.Submit(ctx, url.Values{"person": {u.Person}, "level": {u.Level}, "do": {do}})
	case page.Sends("leave") == "":
		return nil, nil
	case u.Cancel == atRegister:
		return page.Leave(ctx)
	case form.Has("picked"):
		if u.services != nil {
			form["service"] = u.services
		}
		return page.Send(ctx, form)
	case u.chose:
		return nil, nil
	}
	return u.choose(ctx, page)
}

// choose chooses on the register's page.
func (u *user) choose(ctx context.Context, page *harness.VisitorPage) (*harness.VisitorPage, error) {
	open := slices.ContainsFunc(page.Offers, func(o harness.Offer) bool { return o.Token != "" })
	switch {
	case u.Company == "" && open:
		_, _ = page.Leave(ctx) // he does not know whom to choose
		return nil, unfit("Send company, the KvK number of one of them.", "the register asks for whom %s logs in: %s", u.Person, page.Text)
	case u.Company == "":
		return page.Leave(ctx)
	}
	u.chose = true
	words := []string{u.Company}
	if u.Establishment != "" {
		words = append(words, u.Establishment)
	}
	if next, err := page.ChooseBy(ctx, words...); err == nil {
		return next, nil
	}
	if found, err := page.Search(ctx, u.Company); err == nil && found.Back == "" {
		if next, err := found.ChooseBy(ctx, words...); err == nil {
			return next, nil
		}
	}
	if office := page.Sends("elsewhere"); office != "" {
		found, err := page.Send(ctx, url.Values{"elsewhere": {office}, "search": {u.Company}})
		if err == nil && found.Back == "" {
			if next, err := found.ChooseBy(ctx, words...); err == nil {
				return next, nil
			}
		}
	}
	return page.Leave(ctx) // whom he wants he cannot have
}
