package daemon_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
)

// user is somebody with a browser that goes nowhere by itself.
func user(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{
		Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // development keys
	}
}

// visit brings a browser to an address, and gives what it gets.
func (s *scene) visit(browser *http.Client, address string) (*http.Response, string) {
	s.t.Helper()
	response, err := browser.Get(address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response, string(page)
}

func (s *scene) send(relay string) *harness.Visit {
	s.t.Helper()
	v, err := s.n.Broker.Send(s.question(), relay)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// sentBack is where a visit ends, which must be at the broker.
func (s *scene) sentBack(v *harness.Visit) string {
	s.t.Helper()
	response, page := s.visit(user(s.t), v.Address)
	if response.StatusCode != http.StatusSeeOther || !strings.Contains(response.Header.Get("Cache-Control"), "no-store") {
		s.t.Fatalf("HTTP %d, %v: %s", response.StatusCode, response.Header, page)
	}
	return response.Header.Get("Location")
}

// The way of eHerkenning: the broker sends the user's browser with an artifact, we fetch the
// query, answer it, and send the browser back with an artifact of the answer, which the
// broker fetches. With TLS on both sides, as in production, and without.
func TestThroughTheBrowser(t *testing.T) {
	for _, secure := range []bool{true, false} {
		s := newScene(t, harness.Options{Browser: true, TLS: secure})
		v := s.send("état & =?")
		if err := s.n.Broker.Receive(ctx, v, s.sentBack(v)); err != nil {
			t.Fatal(err)
		}
		if !v.Reply.Permitted() || v.Reply.Destination != s.n.Broker.Consumer {
			t.Errorf("TLS %v: %+v", secure, v.Reply)
		}
		if company, err := v.Represented(); err != nil || company[0].Text() != bakery.KvK.Text() {
			t.Errorf("the provider reads %v, %v", company, err)
		}
		if records := s.records(); len(records) != 1 || records[0].Outcome != "Permit" {
			t.Errorf("recorded %+v", records)
		}
	}
}

// Without a RelayState none comes back; what is refused comes back as an artifact, too.
func TestRefusalThroughTheBrowser(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true})
	if err := s.n.First.Revoke(s.mandate); err != nil {
		t.Fatal(err)
	}
	v := s.send("")
	page := s.sees(s.arrives(s.n.Visitor(), v).Leave(ctx))
	if strings.Contains(page.Back, "RelayState") {
		t.Error("a RelayState comes back that never went")
	}
	if s.answered(v, page); v.Reply.Status != saml.ResponderAuthnFailed || v.Reply.Message != "revoked" {
		t.Errorf("%+v", v.Reply)
	}
}

// An artifact is used once: a second visit, as by the back button, shows a page that says so
// and decides nothing; and the answer is given once.
func TestArtifactsAreUsedOnce(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true})
	v := s.send("")
	back := s.sentBack(v)
	response, page := s.visit(user(t), v.Address)
	if response.StatusCode != http.StatusGone || !strings.Contains(page, "al gebruikt") {
		t.Errorf("visited again: HTTP %d: %s", response.StatusCode, page)
	}
	if n := len(s.records()); n != 1 {
		t.Errorf("%d decisions", n)
	}
	if err := s.n.Broker.Receive(ctx, v, back); err != nil || !v.Reply.Permitted() {
		t.Errorf("%v, %+v", err, v.Reply)
	}
	if err := s.n.Broker.Receive(ctx, v, back); !errors.Is(err, saml.ErrNothingThere) {
		t.Errorf("asked twice: %v", err)
	}
}

// Behind a load balancer the browser comes to one node and the broker asks another, which
// has been started anew since.
func TestArtifactsAreSharedByNodes(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true, Nodes: 2})
	v := s.send("")
	back := s.sentBack(v)
	if err := s.n.Replicas[0].Restart(ctx); err != nil {
		t.Fatal(err)
	}
	v.At(s.n.Replicas[0])
	if err := s.n.Broker.Receive(ctx, v, back); err != nil || !v.Reply.Permitted() {
		t.Errorf("%v, %+v", err, v.Reply)
	}
	if err := s.n.First.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	v.At(s.n.First)
	if err := s.n.Broker.Receive(ctx, v, back); !errors.Is(err, saml.ErrNothingThere) {
		t.Errorf("asked the first: %v", err)
	}
}

// An answer that nobody fetches is forgotten in two minutes.
func TestAnswersGrowOld(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true})
	v := s.send("")
	back := s.sentBack(v)
	s.n.Clock().Advance(2*time.Minute + time.Second)
	if err := s.n.Broker.Receive(ctx, v, back); !errors.Is(err, saml.ErrNothingThere) {
		t.Errorf("%v", err)
	}
}

// What is no query of a broker's ends at a page in the user's language, with what to do now
// and a code for the helpdesk, and never at an address that somebody else chose.
func TestBrowsersThatBringNothingGood(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true})
	door, honest := s.n.First.DoorEndpoint, s.send("").Artifact().String()
	art := func(artifact string) string { return door + "?" + url.Values{"SAMLart": {artifact}}.Encode() }
	for name, c := range map[string]struct {
		address string
		status  int
		says    string
	}{
		"nothing":               {door, http.StatusBadRequest, "Deze link werkt niet"},
		"rubbish":               {art("AAQ<script>"), http.StatusBadRequest, "Deze link werkt niet"},
		"two artifacts":         {art(honest) + "&" + url.Values{"SAMLart": {honest}}.Encode(), http.StatusBadRequest, "Deze link werkt niet"},
		"a long RelayState":     {art(honest) + "&RelayState=" + strings.Repeat("x", 81), http.StatusBadRequest, "Deze link werkt niet"},
		"a query in an address": {door + "?SAMLRequest=AAAA", http.StatusBadRequest, "Deze link werkt niet"},
		"of nobody":             {art(saml.Artifact{}.String()), http.StatusBadRequest, "niet behandelen"},
		"of ourselves":          {art(saml.NewArtifact(s.n.First.Entity, 0).String()), http.StatusBadRequest, "niet behandelen"},
		"of no such service":    {art(saml.NewArtifact(s.n.Broker.Entity, 7).String()), http.StatusBadRequest, "niet behandelen"},
		"of nothing":            {art(saml.NewArtifact(s.n.Broker.Entity, 0).String()), http.StatusGone, "al gebruikt"},
	} {
		response, page := s.visit(user(t), c.address)
		if response.StatusCode != c.status || !strings.Contains(page, c.says) || !strings.Contains(page, `lang="nl"`) || !strings.Contains(page, "<code>") {
			t.Errorf("%s: HTTP %d: %s", name, response.StatusCode, page)
		}
		if strings.Contains(page, "<script") {
			t.Errorf("%s: the page runs what somebody sent", name)
		}
		h := response.Header
		if h.Get("Location") != "" || h.Get("Pragma") != "no-cache" || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Content-Language") != "nl" {
			t.Errorf("%s: %v", name, h)
		}
	}
	if n := len(s.records()); n != 0 {
		t.Errorf("%d decisions", n)
	}
	s.sentBack(s.send(strings.Repeat("x", 80))) // what is just short enough goes
}

// Whoever speaks English reads English.
func TestPagesInEnglish(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true})
	for wanted, title := range map[string]string{
		"en-GB,en;q=0.9": "This link does not work", "de, en;q=0.5": "This link does not work", "nl, en": "Deze link werkt niet", "fr": "Deze link werkt niet", ";;": "Deze link werkt niet",
	} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.n.First.DoorEndpoint, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Language", wanted)
		response, err := user(t).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if !strings.Contains(string(page), "<h1>"+title+"</h1>") {
			t.Errorf("%q reads %s", wanted, page)
		}
	}
}

// A link that is looked at before it is followed, as mail programs do, is not used up; and a
// form brings an artifact as well as an address does.
func TestArtifactInAForm(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true})
	v := s.send("relay")
	response, err := user(t).Head(v.Address)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode == http.StatusSeeOther {
		t.Error("a look ahead is sent back")
	}
	response, err = user(t).PostForm(s.n.First.DoorEndpoint, url.Values{"SAMLart": {v.Artifact().String()}, "RelayState": {"relay"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusSeeOther {
		t.Fatalf("HTTP %d", response.StatusCode)
	}
	if err := s.n.Broker.Receive(ctx, v, response.Header.Get("Location")); err != nil || !v.Reply.Permitted() {
		t.Errorf("%v, %+v", err, v.Reply)
	}
}

// A broker that cannot be asked is told as such, and the user is not asked to wait for ever.
func TestBrokerThatIsAway(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true})
	v := s.send("")
	if err := s.n.Broker.Leave(); err != nil {
		t.Fatal(err)
	}
	response, page := s.visit(user(t), v.Address)
	if response.StatusCode != http.StatusBadGateway || !strings.Contains(page, "geen antwoord") {
		t.Errorf("HTTP %d: %s", response.StatusCode, page)
	}
	if n := s.metric(`mandated_faults_total{defence="an-artifact-could-not-be-resolved"}`); n != "1" {
		t.Errorf("counted %q", n)
	}
}

// While the store cannot keep the answer the user hears that something is wrong, and the
// broker nothing: never a Permit.
func TestAnswerThatCannotBeKept(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true})
	mend := s.fail("guard.db", "kept")
	response, page := s.visit(user(t), s.send("").Address)
	if response.StatusCode != http.StatusInternalServerError || !strings.Contains(page, "storing") {
		t.Errorf("HTTP %d: %s", response.StatusCode, page)
	}
	mend()
	s.sentBack(s.send(""))
}

// Whoever takes his whole share of the door is refused more of it, and only there: brokers
// come in by another.
func TestDoorIsShared(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true, Configure: func(settings map[string]any) {
		settings["browser"].(map[string]any)["per_address"] = 2
	}})
	door := must(url.Parse(s.n.First.DoorEndpoint)).Host
	first, second, third := must(net.Dial("tcp", door)), must(net.Dial("tcp", door)), must(net.Dial("tcp", door))
	defer func() { _, _ = second.Close(), third.Close() }()
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("a third connection is served")
	}
	s.permitted("beside somebody with many connections to the other door")
	_ = first.Close()
	until(t, "a place is free again", func() bool {
		response, err := user(t).Get(s.n.First.DoorEndpoint)
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil
	})
}

// While the daemon stops, a user who is under way is still sent back, and until then brokers
// can still come for answers.
func TestVisitorsUnderWayAreSentBack(t *testing.T) {
	s := newScene(t, harness.Options{Browser: true})
	v := s.send("")
	form := url.Values{"SAMLart": {v.Artifact().String()}}.Encode()
	door := must(url.Parse(s.n.First.DoorEndpoint))
	connection := must(net.Dial("tcp", door.Host))
	defer func() { _ = connection.Close() }()
	answers := bufio.NewReader(connection)
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", door.Path, door.Host, len(form))
	if response, err := http.ReadResponse(answers, nil); err != nil || response.StatusCode != http.StatusContinue {
		t.Fatalf("the daemon does not ask for the form: %v", err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.n.Stop(ctx) }()
	until(t, "no visitor comes in any more", func() bool {
		c, err := net.Dial("tcp", door.Host)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	s.permitted("with a visitor under way at the other door")
	_, _ = io.WriteString(connection, form)
	response, err := http.ReadResponse(answers, nil)
	if err != nil || response.StatusCode != http.StatusSeeOther {
		t.Errorf("the visitor is not sent back: %v, %v", response, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
