package sandbox

import (
	"bytes"
	"slices"
	"sync"
	"time"
)

// keptLogins is how many log-ins are remembered, the latest.
const keptLogins = 200

// Message is one message that went over the wire.
type Message struct {
	At       time.Time
	From, To string // titles of the parties: municipality, broker, authenticator, register, ...
	Binding  string // HTTP-Redirect, HTTP-POST or SOAP
	What     string // the element that says what it is: AuthnRequest, ArtifactResolve, ArtifactResponse, Response, ...
	Raw      []byte // XML as it was sent, with the SOAP envelope around it; nobody may change it
}

// Login is one log-in of somebody at a provider, and all its messages in the order in which
// they were sent.
type Login struct {
	ID       string // random
	Started  time.Time
	Messages []Message

	Provider string   // title of the provider; "": its request was not accepted
	Fault    string   // name of what goes wrong in it on purpose; "": nothing
	Troubles []string // what a party said when it could not go on, in English
	Outcome  *Outcome // nil: it has not ended, or not at a provider

	request string // the ID of the provider's AuthnRequest
	browser string // in which it was begun
}

// Outcome is how a log-in ended.
type Outcome struct {
	Status  string `json:"status"`            // in the broker's answer, as Responder/AuthnFailed
	Message string `json:"message,omitempty"` // reason codes of a refusal

	// Read tells that the provider is one of the sandbox, which has read the answer. Others'
	// providers tell nobody what they read.
	Read       bool        `json:"read"`
	LoggedIn   bool        `json:"logged_in"`            // Read, and it lets the user in
	Problem    string      `json:"problem,omitempty"`    // Read, and why it does not accept the answer
	Attributes []attribute `json:"attributes,omitempty"` // Read: what it knows of the user
}

// Log remembers what was sent. It is in memory alone, and may be used by many goroutines.
type Log struct {
	mu     sync.Mutex
	logins []*Login // the oldest first
}

// Add puts a message to the others of its log-in.
func (l *Log) Add(login string, m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.find(login)
	if of == nil {
		of = &Login{ID: login, Started: m.At}
		l.logins = append(l.logins, of)
		l.logins = l.logins[max(0, len(l.logins)-keptLogins):]
	}
	of.Messages = append(of.Messages, m)
}

// change changes what is known of a log-in, if it is remembered.
func (l *Log) change(id string, change func(*Login)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if of := l.find(id); of != nil {
		change(of)
	}
}

// conclude notes how the provider's request of that ID was answered. It never was if it is
// not known.
func (l *Log) conclude(request string, o Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, login := range l.logins {
		if login.request == request {
			login.Outcome = &o
		}
	}
}

// fault is what goes wrong in a log-in on purpose.
func (l *Log) fault(id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if of := l.find(id); of != nil {
		return of.Fault
	}
	return ""
}

// begunBy is the log-in that a browser began last; false: none is remembered.
func (l *Log) begunBy(browser string) (Login, bool) {
	for _, login := range l.Logins() {
		if login.browser == browser {
			return login, true
		}
	}
	return Login{}, false
}

// forget forgets all.
func (l *Log) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logins = nil
}

func (l *Log) find(id string) *Login {
	for _, login := range l.logins {
		if login.ID == id {
			return login
		}
	}
	return nil
}

// about is the ID of the latest log-in in which a message of that ID went over the wire; "":
// there is none.
func (l *Log) about(message string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, login := range slices.Backward(l.logins) {
		for _, m := range login.Messages {
			if bytes.Contains(m.Raw, []byte(message)) {
				return login.ID
			}
		}
	}
	return ""
}

// Login gives one log-in; false: there is none of that ID, or not any more.
func (l *Log) Login(id string) (Login, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	login := l.find(id)
	if login == nil {
		return Login{}, false
	}
	return login.copy(), true
}

// Logins lists the log-ins, the latest first.
func (l *Log) Logins() []Login {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Login
	for _, login := range slices.Backward(l.logins) {
		list = append(list, login.copy())
	}
	return list
}

func (l *Login) copy() Login {
	c := *l
	c.Messages, c.Troubles = slices.Clone(l.Messages), slices.Clone(l.Troubles)
	return c
}
