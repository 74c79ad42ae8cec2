package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"slices"
	"time"
)

// connection is one connection to the server, greeted, secured and let in.
type connection struct {
	wire    *wire
	smtp    *smtp.Client
	timeout time.Duration
	release func() bool // lets the context of the round end without cutting the connection
	lost    bool        // of no more use
}

// wire is the network below TLS and SMTP. Each step of the conversation gets a deadline
// and a number of bytes that the server may send, so that one who talks on without end
// fills neither time nor memory.
type wire struct {
	net.Conn
	left int
}

// chatter is how much the server may say in one step: its certificates are the most.
const chatter = 256 << 10

var errChatter = errors.New("the server talks without end")

func (w *wire) allow(d time.Duration) {
	w.left = chatter
	_ = w.SetDeadline(time.Now().Add(d)) // fails only when it is closed, and so does what comes next
}

// Read reads what the server may still say.
func (w *wire) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, errChatter
	}
	n, err := w.Conn.Read(p[:min(len(p), w.left)])
	w.left -= n
	return n, err
}

// connect opens a connection, which is cut when ctx ends. Its errors are ErrLater: none is
// about a letter.
func (s *Sender) connect(ctx context.Context) (*connection, error) {
	c, err := s.dial(ctx)
	if err != nil {
		return nil, later(ctx, err)
	}
	if err := s.enter(c); err != nil {
		c.close()
		return nil, later(ctx, err)
	}
	return c, nil
}

func (s *Sender) dial(ctx context.Context) (*connection, error) {
	dialer := net.Dialer{Timeout: s.config.Timeout}
	plain, err := dialer.DialContext(ctx, "tcp", s.config.Address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: plain}
	return &connection{
		wire: w, timeout: s.config.Timeout,
		release: context.AfterFunc(ctx, func() { _ = plain.Close() }),
	}, nil
}

// enter greets the server and goes no further without TLS, unless that is how it is set.
func (s *Sender) enter(c *connection) error {
	secure := &tls.Config{ServerName: s.config.host(), RootCAs: s.config.CA, MinVersion: tls.VersionTLS12}
	c.wire.allow(c.timeout)
	var line net.Conn = c.wire
	if s.config.Security == TLS {
		line = tls.Client(line, secure)
	}
	var err error
	if c.smtp, err = smtp.NewClient(line, s.config.host()); err != nil {
		return err
	}
	c.wire.allow(c.timeout)
	if err := c.smtp.Hello(s.config.HelloName); err != nil {
		return err
	}
	if s.config.Security == StartTLS {
		if offered, _ := c.smtp.Extension("STARTTLS"); !offered {
			return ErrPlain
		}
		c.wire.allow(c.timeout)
		if err := c.smtp.StartTLS(secure); err != nil {
			return err
		}
	}
	if s.config.User == "" {
		return nil
	}
	c.wire.allow(c.timeout)
	if err := c.smtp.Auth(&login{user: s.config.User, password: s.config.Password}); err != nil {
		return notLetIn(err)
	}
	return nil
}

// login shows user and password by PLAIN or LOGIN, of which every server that takes
// passwords knows one. The connection is secure by now, or does not leave this machine.
type login struct {
	user, password string
	answers        []string // to what LOGIN still asks
}

// Start chooses the mechanism.
func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	switch {
	case slices.Contains(server.Auth, "PLAIN"):
		return "PLAIN", []byte("\x00" + l.user + "\x00" + l.password), nil
	case slices.Contains(server.Auth, "LOGIN"):
		l.answers = []string{l.user, l.password}
		return "LOGIN", nil, nil
	}
	return "", nil, errMechanisms
}

// Next answers one question.
func (l *login) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if len(l.answers) == 0 {
		return nil, errMechanisms
	}
	next := l.answers[0]
	l.answers = l.answers[1:]
	return []byte(next), nil
}

// send hands over one letter. Its errors are ErrRefused or ErrLater; afterwards the
// connection is ready for the next letter, or lost.
func (c *connection) send(ctx context.Context, from, to string, text []byte) error {
	if err := c.ask(250, "MAIL FROM:<%s>", from); err != nil {
		c.lost = true // the next letter would hear the same
		return unwelcome(ctx, err)
	}
	err := c.ask(25, "RCPT TO:<%s>", to)
	if err == nil {
		err = c.ask(354, "DATA")
	}
	if err == nil {
		err = c.hand(text)
	}
	if err == nil {
		return nil
	}
	_, answered := told(err).(answer)
	c.lost = !answered || c.ask(250, "RSET") != nil
	return fate(ctx, err)
}

// ask sends a command and wants an answer whose code begins with these digits.
func (c *connection) ask(want int, format string, args ...any) error {
	c.wire.allow(c.timeout)
	id, err := c.smtp.Text.Cmd(format, args...)
	if err != nil {
		return err
	}
	c.smtp.Text.StartResponse(id)
	defer c.smtp.Text.EndResponse(id)
	_, _, err = c.smtp.Text.ReadResponse(want)
	return err
}

// hand writes the letter after DATA and waits until the server says that it has it. From
// the dot at the end on, the server may take ten times as long.
func (c *connection) hand(text []byte) error {
	c.wire.allow(c.timeout)
	w := c.smtp.Text.DotWriter()
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	c.wire.allow(10 * c.timeout)
	_, _, err := c.smtp.Text.ReadResponse(250)
	return err
}

// quitting is how long a server may take to say goodbye, when all has been said.
const quitting = 5 * time.Second

func (c *connection) quit() {
	c.wire.allow(min(quitting, c.timeout))
	_ = c.smtp.Quit() // every letter has its outcome
	c.close()
}

func (c *connection) close() {
	c.release()
	_ = c.wire.Close()
}

var errMechanisms = fmt.Errorf("%w: it offers neither of the mechanisms PLAIN and LOGIN", ErrAccess)
