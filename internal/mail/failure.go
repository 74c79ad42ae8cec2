package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"strings"
)

// answer is a server's refusal, without its words.
type answer struct {
	code   int
	status string // RFC 3463, as 5.1.1; empty if it gave none
}

// Error is the numbers by which the server's own log can be searched.
func (a answer) Error() string {
	return strings.TrimSpace(fmt.Sprintf("it answered %d %s", a.code, a.status))
}

// forGood tells whether the answer will be the same another time.
func (a answer) forGood() bool { return a.code/100 == 5 }

// wantsLogin tells whether the server wants to know first who we are (RFC 4954, 6).
func (a answer) wantsLogin() bool {
	return a.code == 530 || a.code == 534 || a.code == 535 || a.code == 538
}

// byPolicy tells whether the status is one of "security or policy" (RFC 3463, 3.8).
func (a answer) byPolicy() bool { return strings.HasPrefix(a.status, "5.7.") }

// statuses are RFC 3463's, as they stand at the beginning of an answer.
var statuses = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

var errGarbled = errors.New("what it says is not SMTP")

// told is an error of SMTP without the server's words, in which an address may stand. A
// code that does not refuse where another was due is no answer: we have lost the thread.
func told(err error) error {
	var said *textproto.Error
	var garbled textproto.ProtocolError
	switch {
	case errors.As(err, &said) && (said.Code/100 == 4 || said.Code/100 == 5):
		return answer{said.Code, statuses.FindString(said.Msg)}
	case said != nil, errors.As(err, &garbled):
		return errGarbled
	}
	return err
}

// fate is what an error means for the letter that was handed over.
//
// What is refused for good is the letter, but for two kinds of answers. One wants to know
// who we are. The other is given by policy: it tells a sender that he may not send this or
// here, be it that something is wrong with us or that a letter looks suspicious, and says
// nothing about the address. Those letters wait until somebody has looked into it.
func fate(ctx context.Context, err error) error {
	a, answered := told(err).(answer)
	switch {
	case !answered:
		return later(ctx, err)
	case a.wantsLogin():
		return fmt.Errorf("%w: %w (%w)", ErrLater, ErrAccess, a)
	case a.byPolicy():
		return fmt.Errorf("%w: %w (%w)", ErrLater, ErrSender, a)
	case a.forGood():
		return fmt.Errorf("%w: %w", ErrRefused, a)
	}
	return fmt.Errorf("%w: %w", ErrLater, a)
}

// unwelcome is what an error means that answers MAIL FROM: it is about us, and no letter's
// fault.
func unwelcome(ctx context.Context, err error) error {
	a, answered := told(err).(answer)
	if answered && a.forGood() && !a.wantsLogin() {
		return fmt.Errorf("%w: %w (%w)", ErrLater, ErrSender, a)
	}
	return fate(ctx, err)
}

// notLetIn is what an error means that answers AUTH.
func notLetIn(err error) error {
	if a, answered := told(err).(answer); answered && a.forGood() {
		return fmt.Errorf("%w (%w)", ErrAccess, a)
	}
	return err
}

// later is what an error of the connection means for the letters that wait for it.
func later(ctx context.Context, err error) error {
	var certificate *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrLater, ctx.Err())
	case errors.Is(err, ErrAccess), errors.Is(err, ErrPlain):
		return fmt.Errorf("%w: %w", ErrLater, err)
	case errors.As(err, &certificate):
		return fmt.Errorf("%w: %w (%w)", ErrLater, ErrCertificate, err)
	case errors.As(err, &noTLS):
		return fmt.Errorf("%w: %w (%w)", ErrLater, ErrPlain, err)
	}
	return fmt.Errorf("%w: %w (%w)", ErrLater, ErrUnreachable, told(err))
}
