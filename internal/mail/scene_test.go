package mail

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
)

// written is when the letters of these tests were written.
var written = time.Date(2026, 11, 24, 9, 30, 0, 0, time.FixedZone("CET", 3600))

const (
	ours  = "register@mandated.example"
	chris = "chris@bakery.example"
	anna  = "anna@office.example"
)

// letterTo is a letter that nothing is wrong with.
func letterTo(address string) Letter {
	name, _, _ := strings.Cut(address, "@")
	return Letter{
		ID: "notice-" + name, To: address, Language: "nl", Date: written,
		Subject: "Uw machtiging verloopt", Text: "Beste lezer,\n\nUw machtiging verloopt.\n",
	}
}

// scene is a mail server and a sender that knows it.
type scene struct {
	t      *testing.T
	server *servers.MailServer
	config Config
}

func newScene(t *testing.T, o servers.MailOptions) *scene {
	t.Helper()
	server := servers.Mail(t, o)
	c := Config{
		Address: server.Addr(), Security: o.Security, User: o.User, Password: o.Password,
		From: ours, Name: "Machtigingenregister", HelloName: "register.mandated.example",
	}
	if o.Security != None {
		c.CA = server.CA()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(server.Log())
		}
	})
	return &scene{t, server, c}
}

func (s *scene) sender() *Sender {
	s.t.Helper()
	sender, err := New(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	return sender
}

// send sends a letter to each of these, and gives their outcomes.
func (s *scene) send(to ...string) []error {
	s.t.Helper()
	var letters []Letter
	for _, address := range to {
		letters = append(letters, letterTo(address))
	}
	outcomes := s.sender().Send(s.t.Context(), letters)
	s.consistent(letters, outcomes)
	return outcomes
}

// consistent checks what holds for all outcomes: a letter was confirmed, or is refused or
// waits, and not two of them; and no error tells who was written to.
func (s *scene) consistent(letters []Letter, outcomes []error) {
	s.t.Helper()
	got := map[string]bool{}
	for _, r := range s.server.Received() {
		got[r.Headers["Message-ID"]] = true
	}
	for i, err := range outcomes {
		id := "<" + letters[i].ID + "@mandated.example>"
		if (err == nil) != got[id] {
			s.t.Errorf("letter %d: %v, and the server has it: %t", i, err, got[id])
		}
		if err != nil && errors.Is(err, ErrRefused) == errors.Is(err, ErrLater) {
			s.t.Errorf("letter %d is neither refused nor late, or both: %v", i, err)
		}
		if name, domain, _ := strings.Cut(letters[i].To, "@"); strings.Contains(fmt.Sprint(err), name) || strings.Contains(fmt.Sprint(err), domain) {
			s.t.Errorf("letter %d: the error tells who it is for: %v", i, err)
		}
	}
}

// is checks an outcome: what became of the letter (nil: delivered), and causes and words
// of the error.
func is(t *testing.T, err, fate error, more ...any) {
	t.Helper()
	if !errors.Is(err, fate) {
		t.Errorf("%v, want %v", err, fate)
	}
	for _, m := range more {
		cause, isCause := m.(error)
		if isCause && !errors.Is(err, cause) || !isCause && !strings.Contains(fmt.Sprint(err), m.(string)) {
			t.Errorf("%v, want %v", err, m)
		}
	}
}
