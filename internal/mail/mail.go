// Package mail delivers letters: plain text, to one person each, over SMTP (RFC 5321) to
// the mail server of whoever operates the register, which carries them on.
//
// It owns what a letter looks like on the wire (RFC 5322, RFC 2045), the connection to the
// server and what its answers mean. It keeps nothing: whoever calls has an outbox, writes
// the texts and decides when a letter is tried again. It has never heard of mandates.
//
// A letter counts as delivered when the server has confirmed it, and not before. The
// confirmation itself may be lost on its way, so a letter that is tried again may arrive
// twice; both have the same Message-ID, by which mail programs recognise a copy.
//
// Letters are no secret from the mail servers they pass. TLS protects them up to our own
// server, whose certificate is checked; there is no way to do without when it is another
// machine. What a subject says is shown on locked telephones and kept in the logs of
// servers: that nothing personal stands in it is up to the caller. Errors have neither
// addresses nor the server's own words in them, which often repeat an address.
//
// It rests on net/smtp for greeting, STARTTLS and AUTH, which that package does well and
// will do unchanged. The letters themselves are handed over here: net/smtp would ask for
// SMTPUTF8 and 8BITMIME wherever it can, although our letters are plain ASCII, and the next
// server but one may have to send such a letter back.
package mail

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What became of a letter that was not delivered is exactly one of these two.
var (
	// ErrRefused: this letter will not be taken, today or tomorrow. Its address does not
	// exist, or it is no letter at all (ErrAddress, ErrLetter).
	ErrRefused = errors.New("the letter is refused for good")
	// ErrLater: this letter was not confirmed, for a reason that may pass. It may be tried
	// again.
	ErrLater = errors.New("the letter is not delivered yet")
)

// Why it was not delivered, where we know. The text says what to do next.
var (
	ErrAddress     = errors.New("this is not an e-mail address that we can send to")
	ErrLetter      = errors.New("this is not a letter that can be sent")
	ErrUnreachable = errors.New("the mail server cannot be reached, or was lost: see whether it runs, whether the network lets us through, and whether security fits its port")
	ErrPlain       = errors.New("the mail server offers no TLS where we want it: check its port, and whether security is starttls or tls")
	ErrCertificate = errors.New("the mail server's certificate is not one that we trust: check the host name, its date and who signed it")
	ErrAccess      = errors.New("the mail server does not let us in: check user and password")
	ErrSender      = errors.New("the mail server does not carry our letters: check from, and whether it lets our user send")
)

// Letter is one letter to one person.
type Letter struct {
	// ID becomes the Message-ID, in the domain of our own address. It is the same every time
	// the letter is tried, and no other letter's: letters, digits, hyphens and underscores,
	// perhaps in parts between dots, 100 at most.
	ID string
	// To is an address as ParseAddress gives it.
	To string
	// Language is nl or en.
	Language string
	// Subject is one line, without anything personal.
	Subject string
	// Text is in UTF-8, and its lines end with a newline.
	Text string
	// Date is when the letter was written; its time zone is shown.
	Date time.Time
}

// String names a letter in logs, without what only its reader may know.
func (l Letter) String() string { return "letter " + l.ID }

// Sender sends letters through one mail server. It may be used by any number of
// goroutines, and holds no connection while nothing is sent.
type Sender struct {
	config Config
	from   string // our address
	author string // the From field: name and address
	domain string // of our address
}

// New makes a sender. It connects to nothing.
func New(c Config) (*Sender, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	from, _ := ParseAddress(c.From) // checked
	return &Sender{config: c.complete(), from: from, author: author(c.Name, from), domain: domainOf(from)}, nil
}

// Send sends letters in their order, over one connection as long as that lasts, and tells
// for each what became of it: nil if the server has confirmed that it took the letter, or
// else an error that is either ErrRefused or ErrLater. The outcomes stand at the places of
// the letters. When ctx ends, the letters that are left are ErrLater and also ctx's error.
//
// A connection that is lost is made anew, so that a letter which makes the server stumble
// does not stand in the way of all that come after it. If the new one is lost as well before
// the server has said anything about a letter, the rest waits.
func (s *Sender) Send(ctx context.Context, letters []Letter) []error {
	r := round{sender: s}
	outcomes := make([]error, len(letters))
	for i := range letters {
		outcomes[i] = r.deliver(ctx, &letters[i])
	}
	r.end()
	return outcomes
}

// round is one call of Send.
type round struct {
	sender *Sender
	line   *connection // nil: none is open
	lost   int         // connections since the server last answered about a letter
	over   error       // why nothing more is sent
}

func (r *round) deliver(ctx context.Context, l *Letter) error {
	text, err := r.sender.render(l)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if r.over == nil && r.line == nil {
		r.line, r.over = r.sender.connect(ctx)
	}
	if r.over != nil {
		return r.over
	}
	err = r.line.send(ctx, r.sender.from, l.To, text)
	if !r.line.lost {
		r.lost = 0
		return err
	}
	r.line.close()
	r.line = nil
	if r.lost++; r.lost > 1 {
		r.over = err
	}
	return err
}

func (r *round) end() {
	if r.line != nil {
		r.line.quit()
	}
}
