//go:build pkcs11 && cgo

package signing

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"
)

// breath is the least time between two openings of a token: opening is slow, one at a time,
// counts attempts to log in, and takes the token from whoever signs.
const breath = 250 * time.Millisecond

// sessions is how many signatures a token makes at once unless it is told otherwise.
const sessions = 32

var (
	errShut    = errors.New("the token is not open")
	errRefused = errors.New("the token has refused this PIN before, and tokens lock after a few: put the right one into the file")
	errLocked  = errors.New("the token has locked its PIN: the security officer must set a new one")
)

// place tells tokens apart.
type place struct{ module, label, serial string }

// tokens are those in use, or that were. They are shared by the whole process because
// that is how PKCS #11 has it: who is logged in, and which modules are loaded, is a matter
// of the process.
var tokens = struct {
	sync.Mutex
	at map[place]*token
}{at: map[place]*token{}}

// token is one token, logged in once, with one pool of sessions.
type token struct {
	place place
	now   func() time.Time

	// mu is read-locked by whoever works with the context, and locked by whoever opens it
	// anew. A module that hangs holds everybody up: PKCS #11 has no way to give up.
	mu       sync.RWMutex
	users    int
	sessions int
	pin      func() (string, error)
	context  *crypto11.Context // nil: not open
	number   int               // of the opening
	tried    time.Time         // when it was opened last, or was to be
	cause    error             // why that failed
	refused  [sha256.Size]byte // of the PIN that was not right
}

// opening is a token while it is open. Handles of an earlier one mean nothing in it.
type opening struct {
	context *crypto11.Context
	number  int
}

// join gives the token that the key is on, open.
func join(t Token) (*token, error) {
	at := place{t.Module, t.Key.TokenLabel, t.Key.Serial}
	tokens.Lock()
	shared := tokens.at[at]
	if shared == nil {
		shared = &token{place: at, now: time.Now}
		tokens.at[at] = shared
	}
	tokens.Unlock()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.pin, shared.sessions = t.PIN, t.Sessions
	if shared.context == nil {
		if err := shared.open(); err != nil {
			return nil, err
		}
	}
	shared.users++
	return shared, nil
}

// leave closes a token that nobody uses any more.
func (t *token) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.users--; t.users == 0 {
		t.close()
	}
}

// use lets somebody work with the token. If the token turns out to be lost, it is opened
// anew and the work done again, once.
func (t *token) use(work func(opening) error) error {
	number, err := t.try(work)
	if !lost(err) {
		return err
	}
	if again := t.reopen(number); again != nil {
		return fmt.Errorf("%w; opening the token again: %w", err, again)
	}
	_, err = t.try(work)
	return err
}

func (t *token) try(work func(opening) error) (number int, err error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.context == nil {
		return t.number, errShut
	}
	return t.number, work(opening{t.context, t.number})
}

// reopen replaces the opening of that number, if nobody has meanwhile. After an attempt it
// takes breath first: what a fresh opening does not mend, another will not.
func (t *token) reopen(number int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.number != number && t.context != nil {
		return nil
	}
	if t.now().Sub(t.tried) < breath {
		return t.cause
	}
	t.close()
	return t.open()
}

func (t *token) close() {
	if t.context != nil {
		_ = t.context.Close() // it gives no error but nil
		t.context = nil
	}
}

// open loads the module, finds the token and logs in.
func (t *token) open() error {
	t.context, t.cause = t.configure()
	t.tried = t.now()
	if t.cause == nil {
		t.number++
	}
	return t.cause
}

func (t *token) configure() (*crypto11.Context, error) {
	pin, err := t.pin()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(pin))
	if sum == t.refused {
		return nil, errRefused
	}
	config := &crypto11.Config{
		Path: t.place.module, TokenLabel: t.place.label, TokenSerial: t.place.serial, Pin: pin,
		MaxSessions: t.pool() + 1, // one stays logged in and signs nothing
	}
	context, err := crypto11.Configure(config)
	config.Pin = "" // the context keeps its configuration, and needs this no more
	switch {
	case errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_INCORRECT)):
		t.refused = sum
		return nil, fmt.Errorf("the PIN is not right: %w", err)
	case errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_LOCKED)):
		return nil, fmt.Errorf("%w: %w", errLocked, err)
	case err != nil && strings.Contains(err.Error(), "could not find PKCS#11 token"): // crypto11 has no other name for it
		return nil, errors.New("the module has no such token")
	case err != nil:
		return nil, fmt.Errorf("module %s: %w", t.place.module, err)
	}
	return context, nil
}

// Shut logs out of all tokens, whoever uses them, forgets them and unloads their modules.
// It is for tests, each of which loads the module with tokens of its own: a process that
// ends loses its log-ins anyway.
func Shut() {
	tokens.Lock()
	defer tokens.Unlock()
	for at, t := range tokens.at {
		t.mu.Lock()
		t.close()
		t.mu.Unlock()
		delete(tokens.at, at)
	}
}

func (t *token) pool() int {
	if t.sessions == 0 {
		return sessions
	}
	return t.sessions
}
