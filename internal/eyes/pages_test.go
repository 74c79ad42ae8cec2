package eyes_test

import (
	"net/http"
	"testing"

	"github.com/mandated/mandated/internal/eyes"
	"github.com/mandated/mandated/pkg/saml"
)

// message is a page that tells a user what went wrong.
type message struct {
	name, address string
	status        int
	title         map[string]string // by language
}

// Whoever cannot be sent on reads why and what to do now: in his own language, on a phone
// and at 400 %, with all that WCAG asks.
func TestMessages(t *testing.T) {
	t.Parallel()
	s := newScene(t, true)
	away := s.send("").Address
	show := func(messages ...message) {
		bothLooks(t, func(user *eyes.Browser, language, look string) {
			page := user.Go("about:blank")
			for _, m := range messages {
				page.Go(m.address)
				if page.Status() != m.status || page.Title() != m.title[language] || page.Language() != language {
					t.Errorf("%s, %s: HTTP %d, %q in %q", m.name, look, page.Status(), page.Title(), page.Language())
				}
				page.Fits()
				page.Axe()
				page.Shot(m.name + "-" + look)
			}
		})
	}
	show(
		message{"unreadable", s.n.First.DoorEndpoint, http.StatusBadRequest,
			map[string]string{"nl": "Deze link werkt niet", "en": "This link does not work"}},
		message{"unbelieved", s.brings(saml.Artifact{}), http.StatusBadRequest,
			map[string]string{"nl": "Wij kunnen deze aanvraag niet behandelen", "en": "We cannot handle this request"}},
		message{"gone", s.brings(saml.NewArtifact(s.n.Broker.Entity, 0)), http.StatusGone,
			map[string]string{"nl": "Deze aanvraag is al gebruikt", "en": "This request was used already"}},
	)
	if err := s.n.Broker.Leave(); err != nil {
		t.Fatal(err)
	}
	show(message{"away", away, http.StatusBadGateway,
		map[string]string{"nl": "Wij krijgen geen antwoord", "en": "We get no answer"}})
}

// A browser with and without scripts is sent to the broker and back without a page between.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{true, false} {
		s := newScene(t, secure)
		user := eyes.Open(t, eyes.Options{Script: secure})
		user.Intercept(s.n.Broker.Consumer)
		v := s.send("état & =?")
		page := user.Go(v.Address)
		if err := s.n.Broker.Receive(ctx, v, page.URL()); err != nil || !v.Reply.Permitted() {
			t.Errorf("TLS %v: %v, %+v", secure, err, v.Reply)
		}
		page.Go(v.Address)
		if !page.Has("Deze aanvraag is al gebruikt") {
			t.Errorf("a second time it reads %s", page.Text())
		}
	}
}

// Where the broker wants answers in a form the user presses a button, which the keyboard
// can do alone and no script does for him. The answer arrives as it was signed.
func TestAnswerInAForm(t *testing.T) {
	t.Parallel()
	buttons := map[string]string{"nl": "Ga verder", "en": "Go on"}
	s := newScene(t, true)
	s.wantForms()
	bothLooks(t, func(user *eyes.Browser, language, look string) {
		user.Intercept(s.n.Broker.Consumer)
		page := user.Go(s.send(`"><b>relay`).Address)
		if page.Status() != http.StatusOK || page.Language() != language || len(user.Arrivals()) != 0 {
			t.Errorf("%s: HTTP %d in %q: %s", look, page.Status(), page.Language(), page.Text())
		}
		page.Fits()
		page.Axe()
		page.Shot("form-" + look)
		page.TabTo(buttons[language])
		page.Press("Enter")
		came := user.Arrivals()
		if page.URL() != s.n.Broker.Consumer || len(came) != 1 || came[0].Method != http.MethodPost || came[0].Form.Get("RelayState") != `"><b>relay` {
			t.Fatalf("%s: at %s with %+v", look, page.URL(), came)
		}
		if reply := s.posted(came[0]); !reply.Permitted() {
			t.Errorf("%s: the broker reads %+v", look, reply)
		}
	})
}

// Two clicks where one was enough, and the back button after that, do no harm: the same
// answer goes to the broker, and the page behind it says that it was used.
func TestImpatience(t *testing.T) {
	t.Parallel()
	s := newScene(t, false)
	s.wantForms()
	for _, script := range []bool{true, false} {
		user := eyes.Open(t, eyes.Options{Script: script})
		user.Intercept(s.n.Broker.Consumer)
		page := user.Go(s.send("").Address)
		page.Axe()
		page.Shot("form-desk")
		page.DoubleClick("Ga verder")
		came := user.Arrivals()
		for _, a := range came {
			if a.Form.Get("SAMLResponse") != came[0].Form.Get("SAMLResponse") || !s.posted(a).Permitted() {
				t.Errorf("script %v: two answers", script)
			}
		}
		if len(came) == 0 || page.URL() != s.n.Broker.Consumer {
			t.Errorf("script %v: at %s after %d arrivals", script, page.URL(), len(came))
		}
		page.Back()
		if page.Status() != http.StatusGone || !page.Has("al gebruikt") {
			t.Errorf("script %v: back at HTTP %d: %s", script, page.Status(), page.Text())
		}
	}
}
