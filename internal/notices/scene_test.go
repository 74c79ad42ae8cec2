package notices

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The scene: a bakery and its accountant's office, the people who manage their mandates, and
// a mail server.

var (
	ctx    = context.Background()
	mr     = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003520354760000:entities:9001"))
	bakery = desk.Party{KvK: kvk(1), Name: "De Bakkerij"}
	office = desk.Party{KvK: kvk(2), Name: "Kantoor Bol"}
	keeper = register.Author{Who: "command line", Why: "test"}
	monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
)

const (
	anna = "anna@bakery.example"
	bol  = "bol@office.example"
	bea  = "bea@office.example"
	day  = 24 * time.Hour
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func kvk(n int) etoegang.KvKNumber {
	return must(etoegang.ParseKvKNumber(fmt.Sprintf("%08d", 10000000+n)))
}

// clockwork is a clock that stands still until it is moved, or a real one.
type clockwork struct {
	ns   atomic.Int64
	real bool
}

func (c *clockwork) Now() time.Time {
	if c.real {
		return time.Now()
	}
	return time.Unix(0, c.ns.Load()).UTC()
}

func (c *clockwork) advance(d time.Duration) { c.ns.Add(int64(d)) }

// noCatalogue is never asked: the register has none.
type noCatalogue struct{}

func (noCatalogue) Of(*register.Snapshot) (*catalogue.Catalogue, error) { panic("there is none") }

type scene struct {
	*testing.T
	place  string
	clock  *clockwork
	server *servers.MailServer
	sender Sender
	r      *register.Register
	desk   *desk.Desk
	post   *Post
	log    *journal
	people int
}

// journal is a log that may be written and read at once.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func newScene(t *testing.T, o servers.MailOptions) *scene {
	t.Helper()
	clock := &clockwork{}
	clock.ns.Store(monday.UnixNano())
	return newSceneAt(t, o, filepath.Join(t.TempDir(), "register.db"), clock)
}

func newSceneAt(t *testing.T, o servers.MailOptions, place string, clock *clockwork) *scene {
	t.Helper()
	o.Security = mail.None
	s := &scene{T: t, place: place, clock: clock, server: servers.Mail(t, o), log: &journal{}}
	s.sender = must(mail.New(mail.Config{Address: s.server.Addr(), Security: mail.None, From: "register@mandated.example", Name: "Register"}))
	s.r = must(register.Create(ctx, place, mr, time.Millisecond, register.Options{Now: clock.Now}))
	t.Cleanup(func() {
		_ = s.r.Close()
		if t.Failed() {
			t.Log(s.server.Log())
		}
	})
	s.desk, s.post = desk.New(s.r, noCatalogue{}), s.office(s.r, s.sender)
	return s
}

// office is a post office of a node.
func (s *scene) office(r *register.Register, sender Sender) *Post {
	return New(Config{Register: r, Sender: sender, Digest: day, Pages: "https://beheer.mandated.example",
		Desk: "Machtigingenregister Voorbeeld (servicedesk@register.example)", Log: slog.New(slog.NewTextHandler(s.log, nil))})
}

// appoint appoints somebody who wants to be written to at an address.
func (s *scene) appoint(p desk.Party, role mandate.Role, email, language string) desk.Caller {
	s.Helper()
	s.people++
	from := s.clock.Now().UTC().Truncate(time.Second)
	a := desk.Appointment{Company: p.KvK, Role: role, Name: fmt.Sprint("Person ", s.people), Level: etoegang.LoA3,
		Validity: mandate.Validity{From: from, To: from.AddDate(4, 0, 0)}}
	if email != "" {
		a.Contact = mandate.Contact{Email: email, Language: language}
	}
	made := must(s.desk.AppointAtDesk(ctx, keeper, a))
	if p.Name != "" {
		_ = must(s.r.Change(ctx, keeper, func(t *register.Tx) error {
			_, err := t.PutOrganisation(mandate.Organisation{KvK: p.KvK, Name: p.Name, Active: true})
			return err
		}))
	}
	got := must(s.desk.AcceptInvitation(ctx, desk.Visitor{Company: p.KvK, Issuer: mr, Pseudonym: fmt.Sprint(s.people), Level: etoegang.LoA4}, made.Invitation))
	return desk.Caller{Appointment: got.ID, Level: etoegang.LoA3}
}

// wish is a chain mandate of the bakery for the office, each for another service.
func (s *scene) wish(n int) desk.Wish {
	from := s.clock.Now().UTC().Truncate(time.Second)
	service := must(etoegang.ParseServiceUUID(fmt.Sprintf("11111111-2222-3333-4444-%012d", n)))
	return desk.Wish{Kind: mandate.Chain, Grantor: bakery, Intermediary: office, Scope: mandate.Scope{{Service: service, Level: etoegang.LoA3}},
		Validity: mandate.Validity{From: from, To: from.AddDate(1, 0, 0)}}
}

func (s *scene) turn() {
	s.Helper()
	if err := s.post.Turn(ctx); err != nil {
		s.Error(err)
	}
}

// got gives the letters to an address so far, and checks that no subject tells anything.
func (s *scene) got(address string) (list []servers.Received) {
	s.Helper()
	for _, r := range s.server.Received() {
		if subject := r.Headers["Subject"]; strings.ContainsAny(subject, "0123456789@") || strings.Contains(subject, "Bakkerij") || strings.Contains(subject, "Bol") {
			s.Errorf("the subject tells: %s", subject)
		}
		if len(r.To) == 1 && r.To[0] == address {
			list = append(list, r)
		}
	}
	return list
}

// says checks what stands in a letter.
func (s *scene) says(r servers.Received, all ...string) {
	s.Helper()
	for _, words := range all {
		if !strings.Contains(r.Text, words) {
			s.Errorf("the letter does not say %q:\n%s", words, r.Text)
		}
	}
}

// letters counts the letters by what became of them.
func (s *scene) letters() map[register.LetterState]int {
	s.Helper()
	count := map[register.LetterState]int{}
	if err := s.r.Read(ctx, func(v *register.Snapshot) error {
		for id := register.LetterID(1); ; id++ {
			l, err := v.Letter(id)
			if err != nil {
				return nil
			}
			count[l.State]++
		}
	}); err != nil {
		s.Fatal(err)
	}
	return count
}
