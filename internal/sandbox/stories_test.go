package sandbox_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/mandated/mandated/internal/sandbox"
)

// Everybody of the start page logs in where his story plays, and what it promises happens.
func TestStories(t *testing.T) {
	s := open(t)
	for _, story := range []struct {
		who, at string
		reads   []string
	}{
		{"Bilal Haddad", "/permit/", []string{"You are logged in", "12345678", "000012345678", "urn:etoegang:core:assurance-class:loa2plus"}},
		{"Carla Smit", "/vat/", []string{"You are logged in", "23456789", "87654321", "Boerderij Zonzicht", "Administratiekantoor Telraam"}},
		{"Elif Yilmaz", "/vat/", []string{"You are logged in", "34567890", "87654321", "Bloemisterij Tulp", "Administratiekantoor Telraam"}},
	} {
		t.Run(story.who, func(t *testing.T) {
			newBrowser(t, s).logIn(s, story.at, story.who, "", nil).reads(story.reads...)
		})
	}
}

// Whoever may not is told why by the register, and by the provider when he has left there.
func TestRefusals(t *testing.T) {
	s := open(t)
	for _, story := range []struct{ who, level, says, reason string }{
		{"Fatima Bakker", "", "The level of the mandate is too low", "the mandate was registered at a lower level than the service needs ( assurance-too-low"},
		{"Gerrit Visser", "", "The mandate does not cover this service", "the mandate does not cover this service ( service-not-covered"},
		{"Hanna Mulder", "", "The mandate expired", "the mandate has expired ( expired"},
		{"Anna de Vries", "loa2plus", "You have logged in at a level that is too low", "the person logged in at a lower level than the service needs ( authentication-too-low"},
	} {
		t.Run(story.who, func(t *testing.T) {
			b := newBrowser(t, s).logIn(s, "/vat/", story.who, story.level, nil)
			b.reads("You cannot log in for anybody now", story.says)
			b.press("1", nil).reads("You are not logged in", story.reason, "Responder/AuthnFailed")
		})
	}
}

// Who has nine hundred clients looks for one, and logs in for that one; or he gives up there.
func TestNineHundredClients(t *testing.T) {
	s := open(t)
	b := newBrowser(t, s).logIn(s, "/vat/", "Dirk Postma", "", nil)
	b.reads("You log in at Tax service for: VAT return")
	b.press("", url.Values{"search": {"kwekerij zijl"}}).reads("Kwekerij Zijlstra")
	choice := b.find(func(n *html.Node) bool { return n.Data == "button" && attr(n, "name") == "choice" })
	if choice == nil {
		t.Fatalf("there is nothing to choose: %s", b.text())
	}
	b.press(attr(choice, "value"), nil).reads("You are logged in", "Kwekerij Zijlstra", "87654321")

	b = newBrowser(t, s).logIn(s, "/vat/", "Dirk Postma", "", nil)
	b.press("1", nil).reads("You are not logged in", "The log-in was cancelled", "Responder/AuthnFailed")
}

// Who gives up at the authentication service comes back to the provider, which hears it as
// the scheme says: Responder and AuthnFailed.
func TestCancelledAtTheAuthenticationService(t *testing.T) {
	s := open(t)
	b := newBrowser(t, s).visit(s.Address+"/vat/").press("", nil).press("cancel", nil)
	b.reads("You are not logged in", "The log-in was cancelled", "Responder/AuthnFailed")
	if b.code != http.StatusForbidden || !strings.HasPrefix(b.at.String(), s.Address+"/vat/") {
		t.Errorf("the browser is at %s with %d", b.at, b.code)
	}
}

// A log-in belongs to the browser that began it, and goes on once: an address that somebody
// else has got hold of, and one that is visited again, lead nowhere.
func TestOneBrowserOnce(t *testing.T) {
	s := open(t)
	anna := newBrowser(t, s)
	anna.visit(s.Address+"/vat/").press("", nil)
	form := *anna
	thief := newBrowser(t, s)
	thief.at, thief.page = anna.at, anna.page
	thief.choose("Anna de Vries", "").reads("begun in another browser")
	anna.choose("Anna de Vries", "").reads("You are logged in")
	end := anna.at.String()
	anna.visit(end).reads("was finished")
	anna.at, anna.page = form.at, form.page
	anna.choose("Anna de Vries", "").reads("was finished")
}

// Every message of a log-in is in the log, in the order in which it was sent, from the
// provider's request to its answer.
func TestMessagesOfALogIn(t *testing.T) {
	s := open(t)
	newBrowser(t, s).logIn(s, "/vat/", "Elif Yilmaz", "", url.Values{"request": {"redirect"}}).reads("You are logged in")
	login, known := s.Log.Login(s.Log.Logins()[0].ID)
	var went []string
	for _, m := range login.Messages {
		went = append(went, m.From+" > "+m.To+": "+m.Binding+" "+m.What)
		if !strings.Contains(string(m.Raw), m.What) || m.At.IsZero() {
			t.Errorf("%s at %s: %.200s", went[len(went)-1], m.At, m.Raw)
		}
	}
	want := []string{
		"tax service > broker: HTTP-Redirect AuthnRequest",
		"authenticator > broker: SOAP ArtifactResolve", "broker > authenticator: SOAP ArtifactResponse",
		"broker > authenticator: SOAP ArtifactResolve", "authenticator > broker: SOAP ArtifactResponse",
		"register > broker: SOAP ArtifactResolve", "broker > register: SOAP ArtifactResponse",
		"broker > register: SOAP ArtifactResolve", "register > broker: SOAP ArtifactResponse",
		"broker > second-register: SOAP XACMLAuthzDecisionQuery", "second-register > broker: SOAP Response",
		"tax service > broker: SOAP ArtifactResolve", "broker > tax service: SOAP ArtifactResponse",
	}
	if !known || !slices.Equal(went, want) {
		t.Errorf("what went over the wire:\n%s", strings.Join(went, "\n"))
	}
}

// Every log-in can be looked at: what went over the wire is explained, signatures are
// verified, and what is encrypted is opened with the keys of those whom the sandbox plays.
// The provider's last page leads there, and so does the list of all.
func TestLogInIsExplained(t *testing.T) {
	s := open(t)
	b := newBrowser(t, s).logIn(s, "/vat/", "Elif Yilmaz", "", nil)
	toLogIn := func(n *html.Node) bool { return n.Data == "a" && attr(n, "href") == "/logins/"+s.Log.Logins()[0].ID }
	if b.find(toLogIn) == nil {
		t.Errorf("the provider's page does not lead to the messages: %s", b.text())
	}
	b.visit(s.Address+"/logins/").reads("All log-ins", "tax service (14 messages")
	link := b.find(toLogIn)
	b.visit(s.Address+attr(link, "href")).reads("AuthnRequest", "XACMLAuthzDecisionQuery", "second register", "34567890")
	if strings.Contains(b.text(), "This is broker: broker") {
		t.Error("who somebody is stands there twice")
	}
	if b.visit(s.Address + "/logins/nothing"); b.code != http.StatusNotFound {
		t.Errorf("a log-in that is not there: HTTP %d", b.code)
	}
}

// The log forgets the oldest, and never more than it must.
func TestLogForgetsTheOldest(t *testing.T) {
	var l sandbox.Log
	for i := range 250 {
		l.Add(string(rune('A'+i)), sandbox.Message{What: "AuthnRequest"})
	}
	all := l.Logins()
	if len(all) != 200 || all[0].ID != string(rune('A'+249)) || all[199].ID != string(rune('A'+50)) {
		t.Errorf("%d log-ins, from %q to %q", len(all), all[0].ID, all[len(all)-1].ID)
	}
	if _, known := l.Login("A"); known {
		t.Error("the oldest is still there")
	}
}

// Its people can log in as anybody: nobody but this machine may reach it.
func TestOnlyOnTheLoopback(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "somewhere"} {
		if s, err := sandbox.Open(t.Context(), t.TempDir(), sandbox.Options{Listen: address}); err == nil {
			_ = s.Stop(t.Context())
			t.Errorf("it listens on %q", address)
		}
	}
}
