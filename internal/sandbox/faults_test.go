package sandbox_test

import (
	"net/url"
	"testing"

	"github.com/mandated/mandated/internal/sandbox"
)

// mishap is what a fault does to a log-in.
type mishap struct {
	fault, who, reads string
	also              string // on the page of the messages
}

// mishaps are what the faults do. Each is refused by whoever should notice it.
var mishaps = []mishap{
	{"wrong-audience", "Anna de Vries", "Requester", "audience"},
	{"expired", "Anna de Vries", "Requester/RequestUnsupported", "expired"},
	{"skewed-clock", "Anna de Vries", "Requester/RequestUnsupported", "from-the-future"},
	{"replayed", "Anna de Vries", "Requester/RequestUnsupported", "replayed"},
	{"altered", "Anna de Vries", "We cannot handle this request", "given no answer"},
	{"wrong-key", "Anna de Vries", "We cannot handle this request", "given no answer"},
	{"stolen-artifact", "Anna de Vries", "Status in the answer: Responder ", "the broker does not accept the register's answer"},
	{"register-down", "Anna de Vries", "Status in the answer: Responder ", "connection refused"},
	{"second-register-down", "Elif Yilmaz", "Status in the answer: Responder ", "connection refused"},
	{"revoked-before-confirmation", "Elif Yilmaz", "Responder/AuthnFailed", "revoked"},
	{"answer-expired", "Anna de Vries", "the provider does not accept the broker's answer", "answer-expired"},
	{"answer-wrong-audience", "Anna de Vries", "the provider does not accept the broker's answer", "audience"},
	{"answer-unasked", "Anna de Vries", "the provider does not accept the broker's answer", "another request"},
	{"answer-altered", "Anna de Vries", "the provider does not accept the broker's answer", "answer-altered"},
	{"answer-wrong-key", "Anna de Vries", "the provider does not accept the broker's answer", "answer-wrong-key"},
}

// One chooses on the start page what goes wrong in the next log-in. It really goes wrong,
// the page of its messages says so, and the log-in after that is as it should be.
func TestFaults(t *testing.T) {
	s := open(t)
	for _, m := range mishaps {
		t.Run(m.fault, func(t *testing.T) {
			b := newBrowser(t, s).visit(s.Address + "/")
			b.choosesFault(m.fault).reads("Chosen for your next log-in: " + m.fault)
			b.logIn(s, "/vat/", m.who, "", nil).reads(m.reads)
			newBrowser(t, s).visit(s.Address+"/logins/"+s.Log.Logins()[0].ID).reads("This went wrong on purpose: "+m.fault, m.also)
			b.logIn(s, "/vat/", m.who, "", nil).reads("You are logged in")
		})
	}
	if len(mishaps) != len(sandbox.Faults()) {
		t.Errorf("%d of %d faults are tried", len(mishaps), len(sandbox.Faults()))
	}
}

// choosesFault chooses on the start page what goes wrong next.
func (b *browser) choosesFault(name string) *browser {
	b.t.Helper()
	return b.press("", url.Values{"fault": {name}})
}

// A fault is for one browser: whoever logs in elsewhere is not troubled. It can be given up.
func TestFaultOfOneBrowser(t *testing.T) {
	s := open(t)
	b := newBrowser(t, s).visit(s.Address + "/").choosesFault("expired")
	newBrowser(t, s).logIn(s, "/vat/", "Anna de Vries", "", nil).reads("You are logged in")
	b.visit(s.Address + "/").choosesFault("")
	b.logIn(s, "/vat/", "Anna de Vries", "", nil).reads("You are logged in")
	b.visit(s.Address + "/").choosesFault("gremlins").reads("there is no fault")
}
