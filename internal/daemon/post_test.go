package daemon_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// A daemon with a mail server writes to the people of a company what is done to its mandates,
// over TLS, with the password from the file; also what was done before it
// started. A letter leads to the pages where that can be looked at.
func TestTheDaemonSendsLetters(t *testing.T) {
	server := servers.Mail(t, servers.MailOptions{Security: "starttls", User: "mandated", Password: "open sesame"})
	m := newManaged(t)
	s := m.scene
	if err := s.n.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	s.write("register/mail-ca.pem", server.Certificate())
	s.write("register/mail-password", []byte("open sesame\n"))
	if err := os.Chmod(s.file("register/mail-password"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.configure(func(settings map[string]any) {
		settings["contact"] = "servicedesk@register.example"
		settings["mail"] = map[string]any{"server": server.Addr(), "user": "mandated", "password_file": "mail-password", "ca": "mail-ca.pem",
			"from": "register@mandated.example", "name": "Machtigingenregister", "digest": "0s"}
	})
	r := must(register.Open(ctx, s.file("register/register.db"), register.Options{Now: s.n.Now}))
	at := desk.New(r, nil)
	from := s.n.Now().UTC().Truncate(time.Second)
	author := register.Author{Who: "command line", Why: "test"}
	appoint := func(company string, email string) desk.Caller {
		number := must(etoegang.ParseKvKNumber(company))
		made := must(at.AppointAtDesk(ctx, author, desk.Appointment{Company: number, Role: mandate.Administrator, Name: "Anna", Level: etoegang.LoA3,
			Validity: mandate.Validity{From: from, To: from.AddDate(2, 0, 0)}, Contact: mandate.Contact{Email: email, Language: "en"}}))
		a := must(at.AcceptInvitation(ctx, desk.Visitor{Company: number, Issuer: r.EntityID(), Pseudonym: email, Level: etoegang.LoA3}, made.Invitation))
		return desk.Caller{Appointment: a.ID, Level: etoegang.LoA3}
	}
	appoint("12345678", "anna@bakery.example")
	office := appoint("87654321", "bol@office.example")
	_ = must(at.Ask(ctx, office, "books", desk.Wish{Kind: mandate.Chain, Grantor: desk.Party{KvK: must(etoegang.ParseKvKNumber("12345678"))},
		Intermediary: desk.Party{KvK: must(etoegang.ParseKvKNumber("87654321"))}, Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)},
		Validity: mandate.Validity{From: from, To: from.AddDate(1, 0, 0)}}))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}

	d, err := daemon.Start(ctx, s.config(), daemon.Options{Dev: true, Log: quiet, Now: s.n.Now})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "a letter", func() bool { return len(server.Received()) > 0 })
	if err := d.Stop(ctx); err != nil {
		t.Error(err)
	}
	got := server.Received()
	if len(got) != 1 || got[0].To[0] != "anna@bakery.example" || !got[0].TLS || got[0].User != "mandated" {
		t.Fatalf("%d letters, the first to %v", len(got), got[0].To)
	}
	for _, words := range []string{"Others wait for your answer", "https://" + m.pages, "servicedesk@register.example"} {
		if !strings.Contains(got[0].Text, words) {
			t.Errorf("the letter does not say %q:\n%s", words, got[0].Text)
		}
	}
}

// A mail server that is away stops no daemon, and none at all is no fault.
func TestTheDaemonNeedsNoMailServer(t *testing.T) {
	s := newScene(t, harness.Options{})
	s.permitted("without a mail server")
	if s.metric("mandated_letters_waiting") != "" {
		t.Error("letters are counted that nobody writes")
	}
}
