package notices

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The office asks the bakery for a mandate. The bakery is written to at once, in Dutch; the
// one who asked is not; his colleague is a day later, in English. Then the bakery agrees.
func TestBothSidesGetLetters(t *testing.T) {
	s := newScene(t, servers.MailOptions{})
	a, b := s.appoint(bakery, mandate.Administrator, anna, "nl"), s.appoint(office, mandate.Administrator, bol, "nl")
	s.appoint(office, mandate.Administrator, bea, "en")
	asked := must(s.desk.Ask(ctx, b, "books", s.wish(1))).Mandate
	s.turn()
	if got := s.got(anna); len(got) != 1 || len(s.got(bol)) != 0 || len(s.got(bea)) != 0 {
		t.Fatalf("at once: %d, %d and %d letters", len(got), len(s.got(bol)), len(s.got(bea)))
	}
	letter := s.got(anna)[0]
	if letter.Headers["Subject"] != "Uw antwoord is nodig op een verzoek om een machtiging" || letter.Headers["Content-Language"] != "nl" {
		t.Errorf("%v", letter.Headers)
	}
	s.says(letter, "Deze brief gaat over machtigingen van De Bakkerij.", "- Machtiging 1, van De Bakkerij aan Kantoor Bol. Antwoord voor 14 december 2026 om 10:00 uur.",
		"Bekijk het verzoek", "https://beheer.mandated.example", "servicedesk@register.example")
	s.clock.advance(day - time.Second)
	s.turn()
	if len(s.got(bea)) != 0 {
		t.Error("what does not press was told before its time")
	}
	s.clock.advance(time.Second)
	s.turn()
	if got := s.got(bea); len(got) != 1 || len(s.got(bol)) != 0 || len(s.got(anna)) != 1 {
		t.Fatalf("a day later: %d, %d and %d letters", len(got), len(s.got(bol)), len(s.got(anna)))
	}
	s.says(s.got(bea)[0], "A mandate was asked for", "- Mandate 1, from De Bakkerij to Kantoor Bol.")

	_ = must(s.desk.Accept(ctx, a, "agreed", asked.ID, desk.Narrowing{}, register.Consent{}))
	s.clock.advance(day)
	s.turn()
	if len(s.got(bol)) != 1 || len(s.got(bea)) != 2 || len(s.got(anna)) != 1 {
		t.Fatalf("the bakery agreed: %d, %d and %d letters", len(s.got(bol)), len(s.got(bea)), len(s.got(anna)))
	}
	s.says(s.got(bol)[0], "Deze machtiging is gegeven", "Geldt tot 23 november 2027.")
	if n := s.letters(); n[register.LetterSent] != 4 || len(n) != 1 {
		t.Errorf("the letters are %v", n)
	}
}

// Many mandates on one day are one letter; and what presses takes along what waits.
func TestADaysNewsIsOneLetter(t *testing.T) {
	s := newScene(t, servers.MailOptions{})
	a := s.appoint(bakery, mandate.Administrator, anna, "nl")
	s.appoint(office, mandate.Administrator, bol, "nl")
	var last mandate.Mandate
	for n := range 60 {
		last = must(s.desk.Ask(ctx, a, "books", s.wish(n))).Mandate
		s.clock.advance(time.Minute)
		s.turn()
	}
	if len(s.got(bol)) != 0 {
		t.Fatal("one by one")
	}
	_ = must(s.desk.Revoke(ctx, a, "a mistake", last.ID, nil))
	s.turn()
	s.turn()
	if got := s.got(bol); len(got) != 1 {
		t.Fatalf("%d letters", len(got))
	}
	letter := s.got(bol)[0]
	if letter.Headers["Subject"] != "Er is iets veranderd in machtigingen" {
		t.Error(letter.Headers["Subject"])
	}
	s.says(letter, "Deze machtiging is ingetrokken", "Deze machtigingen zijn gegeven", "Machtiging 50,", "- En nog 10 andere.")
	if strings.Contains(letter.Text, "Machtiging 51,") || strings.Index(letter.Text, "ingetrokken") > strings.Index(letter.Text, "gegeven") {
		t.Errorf("too long, or in the wrong order:\n%s", letter.Text)
	}
	s.clock.advance(2 * day)
	s.turn()
	if len(s.got(bol)) != 1 || len(s.got(anna)) != 0 {
		t.Error("the same is told again, or to the one who did it")
	}
}

// What ended and is granted again is told of as two mandates; what a sweep finds twice is
// told once.
func TestNothingIsToldTwice(t *testing.T) {
	s := newScene(t, servers.MailOptions{})
	a := s.appoint(bakery, mandate.Administrator, anna, "nl")
	s.appoint(office, mandate.Administrator, bol, "nl")
	first := must(s.desk.Ask(ctx, a, "books", s.wish(1))).Mandate
	_ = must(s.desk.Revoke(ctx, a, "a mistake", first.ID, nil))
	second := must(s.desk.Ask(ctx, a, "again", s.wish(1))).Mandate
	s.turn()
	s.clock.ns.Store(second.Validity.To.AddDate(0, 0, -60).UnixNano())
	for range 3 {
		_ = must(s.desk.Warn(ctx))
		s.clock.advance(day)
		s.turn()
	}
	if len(s.got(bol)) != 2 || len(s.got(anna)) != 1 {
		t.Fatalf("%d and %d letters", len(s.got(bol)), len(s.got(anna)))
	}
	s.says(s.got(bol)[0], "Machtiging 1,", "Machtiging 2,")
	s.says(s.got(bol)[1], "Deze machtiging eindigt binnen 60 dagen", "Machtiging 2,")
	if strings.Contains(s.got(bol)[1].Text, "Machtiging 1,") {
		t.Error("of what has ended long ago it is told that it ends")
	}
}

// Four eyes: what one of the staff records, another is asked to confirm.
func TestTheStaffIsWrittenTo(t *testing.T) {
	s := newScene(t, servers.MailOptions{})
	one := s.appoint(desk.Party{}, mandate.Staff, "one@register.example", "nl")
	s.appoint(desk.Party{}, mandate.Staff, "two@register.example", "nl")
	w := s.wish(1)
	now := s.clock.Now()
	w.Evidence = []mandate.Evidence{{Kind: mandate.SignedForm, Dated: now, Where: "a"}, {Kind: mandate.Extract, Dated: now, Where: "b"}}
	_ = must(s.desk.Ask(ctx, one, "paper", w))
	s.turn()
	if len(s.got("two@register.example")) != 1 || len(s.got("one@register.example")) != 0 {
		t.Fatal("the staff is not asked")
	}
	s.says(s.got("two@register.example")[0], "Deze brief is voor de medewerkers van het register.", "Er is nog een handtekening nodig")
}

// Who has two appointments and one address gets one letter; and none of what he did with
// either.
func TestOneAddressOneLetter(t *testing.T) {
	s := newScene(t, servers.MailOptions{})
	s.appoint(bakery, mandate.Administrator, anna, "nl")
	again := s.appoint(bakery, mandate.Administrator, anna, "nl")
	b := s.appoint(office, mandate.Administrator, bol, "nl")
	m := must(s.desk.Ask(ctx, b, "books", s.wish(1))).Mandate
	s.turn()
	if len(s.got(anna)) != 1 {
		t.Errorf("%d letters", len(s.got(anna)))
	}
	_ = must(s.desk.Refuse(ctx, again, "no", m.ID))
	s.clock.advance(day)
	s.turn()
	if len(s.got(anna)) != 1 || len(s.got(bol)) != 1 {
		t.Errorf("%d and %d letters", len(s.got(anna)), len(s.got(bol)))
	}
}

// An address that does not exist is not tried again, and stands in no log. Others are not
// kept waiting by it.
func TestAnAddressThatIsNone(t *testing.T) {
	s := newScene(t, servers.MailOptions{Answers: map[string]string{"RCPT " + anna: "550 5.1.1 no such user " + anna}})
	s.appoint(bakery, mandate.Administrator, anna, "nl")
	s.appoint(bakery, mandate.Administrator, "carl@bakery.example", "nl")
	b := s.appoint(office, mandate.Administrator, bol, "nl")
	_ = must(s.desk.Ask(ctx, b, "books", s.wish(1)))
	s.turn()
	s.clock.advance(day)
	s.turn()
	if n := s.letters(); n[register.LetterRefused] != 1 || n[register.LetterSent] != 1 || len(s.got("carl@bakery.example")) != 1 {
		t.Errorf("the letters are %v", n)
	}
	if log := s.log.String(); !strings.Contains(log, "refused for good") || strings.Contains(log, "bakery") || strings.Count(log, "\n") != 1 {
		t.Error(log)
	}
}

// The mail server is away: letters wait, at growing intervals, and go out when it is back. One
// that has waited for three days is given up.
func TestTheServerIsAway(t *testing.T) {
	s := newScene(t, servers.MailOptions{})
	s.appoint(bakery, mandate.Administrator, anna, "nl")
	b := s.appoint(office, mandate.Administrator, bol, "nl")
	_ = must(s.desk.Ask(ctx, b, "books", s.wish(1)))
	s.server.Kill()
	tries := 0
	fail := func() bool {
		t.Helper()
		err := s.post.Turn(ctx)
		if err != nil {
			tries++
		}
		return err != nil
	}
	if !fail() {
		t.Fatal("a server that is away takes letters")
	}
	for range 59 {
		s.clock.advance(time.Second)
		if fail() {
			t.Fatal("tried again at once")
		}
	}
	s.server.Start()
	s.clock.advance(time.Second)
	s.turn()
	if len(s.got(anna)) != 1 {
		t.Fatal("the letter is lost")
	}

	s.server.Kill()
	_ = must(s.desk.Ask(ctx, b, "books", s.wish(2)))
	tries = 0
	for hours := 0; hours < 100 && s.letters()[register.LetterGivenUp] == 0; hours++ {
		fail()
		s.clock.advance(time.Hour)
	}
	if n := s.letters(); n[register.LetterGivenUp] != 1 || tries < 10 || tries > 20 {
		t.Errorf("after %d tries: %v", tries, n)
	}
	s.server.Start()
	s.clock.advance(day)
	s.turn()
	if len(s.got(anna)) != 1 {
		t.Error("a letter that was given up is sent")
	}
}

// pulled is a sender after which the plug is pulled.
type pulled struct {
	Sender
	then func()
}

func (p pulled) Send(ctx context.Context, l []mail.Letter) []error {
	defer p.then()
	return p.Sender.Send(ctx, l)
}

// The node stops dead after the server has the letter and before it is written down. Another
// leaves the letter alone until the time of the first is over, and sends it with the same
// Message-ID, word for word, so that mail programs show one.
func TestStoppedBetweenSendingAndSettling(t *testing.T) {
	s := newScene(t, servers.MailOptions{})
	s.appoint(bakery, mandate.Administrator, anna, "nl")
	b := s.appoint(office, mandate.Administrator, bol, "nl")
	m := must(s.desk.Ask(ctx, b, "books", s.wish(1))).Mandate
	if err := s.office(s.r, pulled{s.sender, func() { _ = s.r.Close() }}).Turn(ctx); err == nil {
		t.Fatal("nothing was wrong")
	}
	s.r = must(register.Open(ctx, s.place, register.Options{Now: s.clock.Now}))
	s.desk, s.post = desk.New(s.r, noCatalogue{}), s.office(s.r, s.sender)
	s.turn()
	s.clock.advance(ours - time.Second)
	_ = must(s.desk.Refuse(ctx, b, "not any more", m.ID)) // what the letter says does not change with it
	s.turn()
	if len(s.got(anna)) != 1 {
		t.Fatalf("%d letters", len(s.got(anna)))
	}
	s.clock.advance(time.Second)
	s.turn()
	s.turn()
	got := s.got(anna)
	if len(got) != 2 || string(got[0].Content) != string(got[1].Content) || got[0].Headers["Message-ID"] == "" {
		t.Fatalf("%d letters, of which the second is another one", len(got))
	}
	if n := s.letters(); n[register.LetterSent] != 1 {
		t.Errorf("the letters are %v", n)
	}
}

// A daemon that stops while it sends leaves the letter to whoever starts next.
func TestStoppedWhileSending(t *testing.T) {
	s := newScene(t, servers.MailOptions{Answers: map[string]string{"RCPT " + anna: "say nothing"}})
	s.appoint(bakery, mandate.Administrator, anna, "nl")
	b := s.appoint(office, mandate.Administrator, bol, "nl")
	_ = must(s.desk.Ask(ctx, b, "books", s.wish(1)))
	running, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { s.post.Run(running, time.Hour) })
	s.server.AwaitSilence()
	stop()
	done.Wait()
	if n := s.letters(); n[register.LetterWaiting] != 1 || s.log.String() != "" {
		t.Errorf("the letters are %v, and the log says %s", n, s.log)
	}
	if list := must(open(s)); len(list) != 1 || list[0].Tries != 1 {
		t.Errorf("to be sent now: %+v", list)
	}
}

func open(s *scene) (list []register.Letter, err error) {
	err = s.r.Read(ctx, func(v *register.Snapshot) error { list, err = v.OpenLetters(s.r.Now(), 10); return err })
	return list, err
}

// Two nodes work side by side on one register: each letter is sent once.
func TestTwoNodesSendOnce(t *testing.T) {
	for name, scene := range map[string]func(*testing.T) *scene{
		"SQLite": func(t *testing.T) *scene { return newScene(t, servers.MailOptions{}) },
		"PostgreSQL": func(t *testing.T) *scene {
			return newSceneAt(t, servers.MailOptions{}, servers.Shared(t).DSN(), &clockwork{real: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := scene(t)
			for n := range 8 {
				s.appoint(bakery, mandate.Administrator, fmt.Sprintf("person%d@bakery.example", n), "nl")
			}
			b := s.appoint(office, mandate.Administrator, bol, "nl")
			const acts = 10
			var nodes sync.WaitGroup
			running, stop := context.WithCancel(ctx)
			for range 2 {
				r := must(register.Open(ctx, s.place, register.Options{Now: s.clock.Now, Wait: time.Minute}))
				defer r.Close()
				p := s.office(r, s.sender)
				nodes.Go(func() { p.Run(running, time.Millisecond) })
			}
			for n := range acts {
				_ = must(s.desk.Ask(ctx, b, "books", s.wish(n)))
			}
			s.settled()
			stop()
			nodes.Wait()
			seen := map[string]int{}
			for n := range 8 {
				text := ""
				for _, letter := range s.got(fmt.Sprintf("person%d@bakery.example", n)) {
					seen[letter.Headers["Message-ID"]]++
					text += letter.Text
				}
				for id := range acts {
					if c := strings.Count(text, fmt.Sprintf("Machtiging %d,", id+1)); c != 1 {
						t.Errorf("person %d is told %d times of mandate %d", n, c, id+1)
					}
				}
			}
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%s was sent %d times", id, n)
				}
			}
			if s.log.String() != "" {
				t.Error(s.log)
			}
		})
	}
}

// settled waits until nothing is left to be told or sent but what is told tomorrow.
func (s *scene) settled() {
	s.Helper()
	for {
		left := 0
		if err := s.r.Read(ctx, func(v *register.Snapshot) error {
			// In this order: what waits to be told becomes a letter, and never the other way round.
			due, err := v.Due(s.r.Now(), s.r.Now().Add(-day), 1)
			if err != nil {
				return err
			}
			n, _, err := v.Backlog()
			left = n + len(due)
			return err
		}); err != nil {
			s.Fatal(err)
		}
		if left == 0 {
			return
		}
	}
}

// Who left, or wants no letters any more, gets none that was already written; and news of long
// ago is none.
func TestNobodyIsBotheredInVain(t *testing.T) {
	s := newScene(t, servers.MailOptions{})
	a, b := s.appoint(bakery, mandate.Administrator, anna, "nl"), s.appoint(office, mandate.Administrator, bol, "nl")
	_ = must(s.desk.Ask(ctx, b, "books", s.wish(1)))
	s.server.Kill()
	if s.post.Turn(ctx) == nil {
		t.Fatal("nothing was wrong")
	}
	s.server.Start()
	_ = must(s.desk.SetContact(ctx, a, mandate.Contact{}))
	s.clock.advance(time.Hour)
	s.turn()
	if n := s.letters(); n[register.LetterGivenUp] != 1 || len(s.got(anna)) != 0 {
		t.Errorf("the letters are %v", n)
	}
	_ = must(s.desk.Ask(ctx, b, "books", s.wish(2)))
	s.clock.advance(stale)
	_ = must(s.desk.SetContact(ctx, a, mandate.Contact{Email: anna, Language: "nl"}))
	s.turn()
	if len(s.got(anna)) != 0 {
		t.Error("old news is told")
	}
	_ = must(s.desk.Ask(ctx, b, "books", s.wish(3)))
	s.turn()
	if len(s.got(anna)) != 1 {
		t.Error("news is not told")
	}
}

// Whatever is told is said in both languages, without a name of a person, and completely.
func TestEverythingIsSaid(t *testing.T) {
	for _, wrong := range texts.Check(os.DirFS(".")) {
		t.Error(wrong)
	}
	s := newScene(t, servers.MailOptions{})
	a := s.appoint(bakery, mandate.Administrator, anna, "nl")
	s.appoint(bakery, mandate.Administrator, "", "")
	b := s.appoint(office, mandate.Administrator, bol, "nl")
	chain := must(s.desk.Ask(ctx, b, "books", s.wish(1))).Mandate
	person := desk.PersonWish{Subject: must(subject()), Name: "Willem Geheim"}
	direct := s.wish(2)
	direct.Kind, direct.Person, direct.Reference = mandate.Direct, person, "for Willem"
	own := must(s.desk.Ask(ctx, a, "own", direct)).Mandate
	client := must(s.desk.Ask(ctx, a, "client", s.wish(3))).Mandate
	assigned := s.wish(3)
	assigned.Kind, assigned.Person, assigned.Grantor, assigned.Client = mandate.Assignment, person, office, client.ID
	passed := must(s.desk.Ask(ctx, b, "pass on", assigned)).Mandate

	var made register.Letter
	_ = must(s.r.Change(ctx, keeper, func(tx *register.Tx) (err error) {
		var ids []register.NoticeID
		for _, n := range mandate.AllNews {
			for _, m := range []mandate.Mandate{chain, own, passed} {
				notice := register.Notice{News: n, To: chain.Grantor.ID, Days: 30, Once: fmt.Sprint(n, m.ID)}
				switch n {
				case mandate.NewsAppointmentEnding, mandate.NewsUnmanaged:
					notice.Appointment = a.Appointment
				case mandate.NewsStanding:
					notice.Company = chain.Grantor.ID
				case mandate.NewsAnswer, mandate.NewsSign:
					notice.Mandate = chain.ID
				default:
					notice.Mandate = m.ID
				}
				_ = must(tx.AddNotice(notice))
			}
		}
		for _, n := range must(tx.Snapshot().Untold(chain.Grantor.ID, 1000)) {
			if n.Days == 30 {
				ids = append(ids, n.ID)
			}
		}
		made, err = tx.WriteLetter(a.Appointment, ids)
		return err
	}))
	said := map[look.Language]string{}
	for _, l := range []look.Language{look.Dutch, look.English} {
		if err := s.r.Read(ctx, func(v *register.Snapshot) error {
			w := writer{v, texts.In(l)}
			who := must(v.Appointment(a.Appointment))
			text, err := w.text(s.post, who, must(v.NoticesIn(made.ID)))
			said[l] = text
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, never := range []string{"[", "]", "{", "}", "Willem", "Geheim", "Person", " | ", "  "} {
			if strings.Contains(said[l], never) {
				t.Errorf("in %s there is %q:\n%s", l, never, said[l])
			}
		}
		if n := strings.Count(said[l], "\n\n"); n != len(mandate.AllNews)+4 {
			t.Errorf("in %s there are %d parts", l, n)
		}
	}
	if said[look.Dutch] == said[look.English] {
		t.Error("both languages are one")
	}
}

// A name that somebody gave a company is only a name: it is no line of its own, leads
// nowhere, and does not fill the letter.
func TestANameIsOnlyAName(t *testing.T) {
	w := writer{nil, texts.In(look.English)}
	for name, want := range map[string]string{
		"De Bakkerij":                       "De Bakkerij",
		"Bakery\r\n\r\nPay at\u2028 once":   "Bakery Pay at once",
		"See https://evil.example":          "See https evil.example",
		"\u202e\u200b":                      "the company with KvK number 10000001",
		"":                                  "the company with KvK number 10000001",
		strings.Repeat("é", longestName+20): strings.Repeat("é", longestName) + "...",
	} {
		if got := w.company(mandate.Organisation{KvK: kvk(1), Name: name}); got != want {
			t.Errorf("%q is written as %q, want %q", name, got, want)
		}
	}
}

// subject is somebody whom an authentication service knows.
func subject() (a etoegang.ActingSubject, err error) {
	if a.Authenticator, err = etoegang.ParseEntityID("urn:etoegang:AD:00000003520354760000:entities:9003"); err != nil {
		return a, err
	}
	a.Pseudonym, err = etoegang.ParsePseudonym(strings.Repeat("0f", 32))
	return a, err
}
