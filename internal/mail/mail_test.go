package mail

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
)

// A letter arrives as it was written, whatever the way to the server is, and says what it
// is to programs that would answer it.
func TestLetterArrives(t *testing.T) {
	for name, o := range map[string]servers.MailOptions{
		"starttls and PLAIN": {Security: StartTLS, User: "register", Password: "geheim €", Without: []string{"LOGIN"}},
		"starttls and LOGIN": {Security: StartTLS, User: "register", Password: "geheim €", Without: []string{"PLAIN"}},
		"tls and both":       {Security: TLS, User: "register", Password: "geheim €"},
		"starttls, nobody":   {Security: StartTLS},
		"tls, nobody":        {Security: TLS},
		"this machine":       {Security: None},
		"this machine, user": {Security: None, User: "register", Password: "geheim €"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, o)
			s.config.Name = "Register „Noord” & Zoë"
			l := letterTo(chris)
			l.Subject = "Eén machtiging verloopt over zestig dagen: verleng haar op tijd, of laat haar vervallen"
			l.Text = "Beste lezer,\n\n" + strings.Repeat("Privé, coördinatie, ₠500, naïef. ", 20) + "\n.\n..\nFrom hier\n\ttab en spatie \n=3D\n"
			outcomes := s.sender().Send(t.Context(), []Letter{l})
			is(t, outcomes[0], nil)
			all := s.server.Received()
			if len(all) != 1 {
				t.Fatalf("%d letters", len(all))
			}
			got := all[0]
			if got.From != ours || !slices.Equal(got.To, []string{chris}) || got.Hello != "register.mandated.example" ||
				len(got.Options) > 0 || got.TLS != (o.Security != None) || got.User != o.User {
				t.Errorf("the envelope: %+v", got)
			}
			want := map[string]string{
				"From": "Register „Noord” & Zoë <" + ours + ">", "To": chris, "Subject": l.Subject,
				"Date": "Tue, 24 Nov 2026 09:30:00 +0100", "Message-ID": "<notice-chris@mandated.example>",
				"Auto-Submitted": "auto-generated", "MIME-Version": "1.0", "Content-Type": `text/plain; charset="utf-8"`,
				"Content-Transfer-Encoding": "quoted-printable", "Content-Language": "nl",
			}
			for name, value := range want {
				if got.Headers[name] != value {
					t.Errorf("%s: %q, want %q", name, got.Headers[name], value)
				}
			}
			if len(got.Headers) != len(want) || got.Text != strings.ReplaceAll(l.Text, "\n", "\r\n") || len(got.Defects) > 0 {
				t.Errorf("headers %v\ntext %q\ndefects %q", got.Headers, got.Text, got.Defects)
			}
		})
	}
}

// A thousand letters go over one connection, and each arrives once.
func TestManyLettersOneConnection(t *testing.T) {
	t.Parallel()
	s := newScene(t, servers.MailOptions{Security: StartTLS, User: "register", Password: "secret"})
	const many = 1000
	letters := make([]Letter, many)
	for i := range letters {
		letters[i] = letterTo(fmt.Sprintf("reader%d@bakery.example", i))
	}
	outcomes := s.sender().Send(t.Context(), letters)
	s.consistent(letters, outcomes)
	all := s.server.Received()
	if len(all) != many {
		t.Fatalf("%d letters arrived", len(all))
	}
	for i, got := range all {
		if got.Connection != 1 || got.To[0] != letters[i].To || outcomes[i] != nil {
			t.Fatalf("letter %d on connection %d to %s: %v", i, got.Connection, got.To, outcomes[i])
		}
	}
}

// What a server answers about one letter is that letter's outcome, and the next one is not
// held up by it.
func TestAnswersAboutLetters(t *testing.T) {
	t.Parallel()
	s := newScene(t, servers.MailOptions{Security: StartTLS, Answers: map[string]string{
		"RCPT nobody@bakery.example":  "550 5.1.1 <nobody@bakery.example>: no such user",
		"RCPT old@bakery.example":     "551 nobody@bakery.example has moved",
		"RCPT full@bakery.example":    "452 4.2.2 full@bakery.example: mailbox full",
		"RCPT grey@bakery.example":    "450 come back later",
		"RCPT relay@bakery.example":   "554 5.7.1 <relay@bakery.example>: Relay access denied",
		"RCPT login@bakery.example":   "530 5.7.0 log in first",
		"RCPT strange@bakery.example": "354 go ahead",
		"DATA loud@bakery.example":    "554 5.6.0 loud@bakery.example does not want this",
		"DATA spam@bakery.example":    "550 5.7.28 looks like spam for spam@bakery.example",
		"DATA busy@bakery.example":    "451 4.3.0 no room for busy@bakery.example",
	}})
	to := []string{"nobody", "old", "full", "grey", "relay", "login", "loud", "spam", "busy", "strange"}
	var all []string
	for _, name := range to {
		all = append(all, name+"@bakery.example", "after-"+name+"@bakery.example")
	}
	got := map[string]error{}
	for i, err := range s.send(all...) {
		name, _, _ := strings.Cut(all[i], "@")
		got[name] = err
	}
	is(t, got["nobody"], ErrRefused, "550 5.1.1")
	is(t, got["old"], ErrRefused, "551")
	is(t, got["full"], ErrLater, "452 4.2.2")
	is(t, got["grey"], ErrLater, "450")
	is(t, got["relay"], ErrLater, ErrSender, "554 5.7.1")
	is(t, got["login"], ErrLater, ErrAccess, "530 5.7.0")
	is(t, got["loud"], ErrRefused, "554 5.6.0")
	is(t, got["spam"], ErrLater, ErrSender, "550 5.7.28")
	is(t, got["busy"], ErrLater, "451 4.3.0")
	is(t, got["strange"], ErrLater, errGarbled)
	for _, name := range to {
		is(t, got["after-"+name], nil)
	}
	received := s.server.Received()
	if last := received[len(received)-1]; last.Connection != 2 { // the one that was strange is not trusted any more
		t.Errorf("%d connections", last.Connection)
	}
}

// A server that hangs up when it has a whole letter has not confirmed it. The letters after
// it go over a new connection; when that is lost as well, the rest waits, and nobody calls a
// server over and over that always hangs up.
func TestConnectionLostWithLetter(t *testing.T) {
	t.Parallel()
	hangUp := map[string]string{}
	for _, name := range []string{"gerda", "hilde"} {
		hangUp["DATA "+name+"@bakery.example"] = "hang up"
	}
	s := newScene(t, servers.MailOptions{Security: StartTLS, Answers: hangUp})
	one := s.send("gerda@bakery.example", chris, "hilde@bakery.example", anna)
	is(t, one[0], ErrLater, ErrUnreachable)
	is(t, one[1], nil)
	is(t, one[2], ErrLater, ErrUnreachable)
	is(t, one[3], nil)
	if got := s.server.Received(); len(got) != 2 || got[0].Connection != 2 || got[1].Connection != 3 {
		t.Errorf("%d letters arrived, or by other connections", len(got))
	}
	two := s.send("gerda@bakery.example", "hilde@bakery.example", "joost@bakery.example", "karel@bakery.example")
	for _, err := range two {
		is(t, err, ErrLater, ErrUnreachable)
	}
	// Greeting a third time would have shown in the number of the next connection: 4 and 5
	// were the two above.
	is(t, s.send("lotte@bakery.example")[0], nil)
	if got := s.server.Received(); got[2].Connection != 6 {
		t.Errorf("after two lost connections the next is number %d", got[2].Connection)
	}
}

// A server that says nothing is waited for until the caller's patience ends, or our own. In
// both cases nothing counts as delivered.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	s := newScene(t, servers.MailOptions{Security: StartTLS, Answers: map[string]string{
		"DATA anna@office.example": "say nothing", "RCPT anton@office.example": "say nothing",
	}})
	ctx, cancel := context.WithCancel(t.Context())
	letters := []Letter{letterTo(chris), letterTo(anna), letterTo("ben@office.example")}
	sent := make(chan []error)
	go func() { sent <- s.sender().Send(ctx, letters) }()
	s.server.AwaitSilence()
	cancel()
	outcomes := <-sent
	s.consistent(letters, outcomes)
	is(t, outcomes[0], nil)
	is(t, outcomes[1], ErrLater, context.Canceled)
	is(t, outcomes[2], ErrLater, context.Canceled)

	s.config.Timeout = 300 * time.Millisecond
	is(t, s.send("anton@office.example")[0], ErrLater, ErrUnreachable, "timeout")
}

// A server that is away takes its letters when it is back, and a context that has ended
// before anything began sends nothing.
func TestServerAway(t *testing.T) {
	t.Parallel()
	s := newScene(t, servers.MailOptions{Security: TLS})
	s.server.Kill()
	for _, err := range s.send(chris, anna) {
		is(t, err, ErrLater, ErrUnreachable, "refused")
	}
	s.server.Start()
	for _, err := range s.send(chris, anna) {
		is(t, err, nil)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	is(t, s.sender().Send(ended, []Letter{letterTo("ben@office.example")})[0], ErrLater, context.Canceled)
	if got := s.sender().Send(ended, nil); len(got) != 0 {
		t.Errorf("nothing to send: %v", got)
	}
}

// Without TLS to the server that we mean, nothing is sent and no password is shown.
func TestServerIsNotTrusted(t *testing.T) {
	t.Parallel()
	plain := newScene(t, servers.MailOptions{Security: None, User: "register", Password: "secret"})
	plain.config.Security = StartTLS
	is(t, plain.send(chris)[0], ErrLater, ErrPlain)
	plain.config.Security = TLS
	is(t, plain.send(chris)[0], ErrLater, ErrPlain)
	if shown := plain.server.Logins(); len(shown) > 0 {
		t.Errorf("our password went over the wire in the clear: %v", shown)
	}

	for _, security := range []string{StartTLS, TLS} {
		s := newScene(t, servers.MailOptions{Security: security, User: "register", Password: "secret"})
		good := s.config
		s.config.CA = newScene(t, servers.MailOptions{Security: TLS}).config.CA
		is(t, s.send(chris)[0], ErrLater, ErrCertificate)
		s.config.CA = nil // the system's
		is(t, s.send(chris)[0], ErrLater, ErrCertificate)
		s.config = good
		s.config.Address = strings.Replace(good.Address, "127.0.0.1", "localhost", 1)
		is(t, s.send(chris)[0], ErrLater, ErrCertificate)
		if shown := s.server.Logins(); len(shown) > 0 {
			t.Errorf("a server that we do not trust was shown our password: %v", shown)
		}
		s.config = good
		is(t, s.send(chris)[0], nil)
	}
}

// A server that does not let us in, or does not want our address, says nothing about any
// letter: all wait for the operator.
func TestServerDoesNotWantUs(t *testing.T) {
	t.Parallel()
	s := newScene(t, servers.MailOptions{Security: StartTLS, User: "register", Password: "secret", Answers: map[string]string{
		"MAIL other@mandated.example": "553 5.7.1 other@mandated.example is not yours",
		"MAIL slow@mandated.example":  "451 4.7.1 slow down",
	}})
	good := s.config
	s.config.Password = "wrong"
	for _, err := range s.send(chris, anna) {
		is(t, err, ErrLater, ErrAccess, "535 5.7.8")
	}
	s.config.User, s.config.Password = "", ""
	for _, err := range s.send(chris, anna) {
		is(t, err, ErrLater, ErrAccess, "530 5.7.0")
	}
	s.config = good
	s.config.From = "other@mandated.example"
	for _, err := range s.send(chris, anna, "ben@office.example") {
		is(t, err, ErrLater, ErrSender, "553 5.7.1")
	}
	s.config.From = "slow@mandated.example"
	is(t, s.send(chris)[0], ErrLater, "451 4.7.1")
	// Nobody knocks again and again at a closed door: once with the wrong password, twice
	// without any and with the other address, once for the one letter.
	s.config = good
	is(t, s.send(chris)[0], nil)
	if got := s.server.Received(); got[0].Connection != 7 {
		t.Errorf("in the end we were let in with connection %d", got[0].Connection)
	}

	none := newScene(t, servers.MailOptions{Security: StartTLS, User: "register", Password: "secret", Without: []string{"LOGIN", "PLAIN"}})
	is(t, none.send(chris)[0], ErrLater, ErrAccess, "mechanisms")
}

// What is no letter is refused before the server hears of it, and the others go.
func TestNoLetter(t *testing.T) {
	t.Parallel()
	s := newScene(t, servers.MailOptions{Security: StartTLS})
	letters := []Letter{letterTo(chris), letterTo(anna), letterTo("ben@office.example")}
	letters[0].Subject = "Hallo\r\nBcc: thief@evil.example"
	letters[1].To = "anna@office.example>\r\nRCPT TO:<thief@evil.example"
	outcomes := s.sender().Send(t.Context(), letters)
	s.consistent(letters, outcomes)
	is(t, outcomes[0], ErrRefused, ErrLetter)
	is(t, outcomes[1], ErrRefused, ErrAddress)
	is(t, outcomes[2], nil)
	if got := s.server.Received(); len(got) != 1 || !slices.Equal(got[0].To, []string{"ben@office.example"}) {
		t.Errorf("%d letters arrived, or by other connections", len(got))
	}
}

// Several rounds at once do not disturb each other.
func TestSenderIsShared(t *testing.T) {
	t.Parallel()
	s := newScene(t, servers.MailOptions{Security: StartTLS})
	sender := s.sender()
	done := make(chan error)
	for i := range 8 {
		go func() {
			done <- sender.Send(t.Context(), []Letter{letterTo(fmt.Sprintf("reader%d@bakery.example", i))})[0]
		}()
	}
	for range 8 {
		is(t, <-done, nil)
	}
	if got := s.server.Received(); len(got) != 8 {
		t.Errorf("%d letters", len(got))
	}
}

// A letter in a log is known by its ID, and tells neither reader nor text.
func TestLetterInLogs(t *testing.T) {
	l := letterTo(chris)
	for _, shown := range []string{fmt.Sprint(l), fmt.Sprintf("%+v", l), fmt.Sprintf("%v", []Letter{l})} {
		if strings.Contains(shown, "bakery") || strings.Contains(shown, "Beste") || !strings.Contains(shown, l.ID) {
			t.Errorf("shown as %q", shown)
		}
	}
}
