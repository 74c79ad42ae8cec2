package api

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mandated/mandated/internal/servers"
)

// hurried is a server whose own time for a request is over as soon as it has begun.
func hurried(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ReadHeaderTimeout, server.Config.ReadTimeout, server.Config.WriteTimeout = time.Minute, time.Nanosecond, time.Nanosecond
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// What moves has its time, whatever the server gives to others: a long upload arrives, and all
// of its answer is sent. Whoever stops sending is told so, in time.
func TestWhatMovesIsNotCutOff(t *testing.T) {
	s := newScene(t)
	table := "kind,grantorKvk,authenticator,pseudonym,scope,from,until\n" +
		fmt.Sprintf("direct,%s,%s,%s,%s@loa3,%s,%s\n", bakery.KvK.Text(), ad, pseudonym(1), vat, day(0), day(90)) + strings.Repeat("direct,,,,,,\n", 3*onePage)
	send := func() answer {
		at := *s.bakery
		at.scene = &scene{TB: t, server: hurried(t, s.server.Config.Handler)}
		at.client = at.server.Client()
		return at.ask("POST", Path+"/imports?dryRun=true", table, "Content-Type: text/csv", "Authorization: Bearer "+s.bakery.token(nil))
	}
	if _, end := readLines[Result, ImportEnd](s.bakery, send()); end.Granted != 1 || end.Refused != 3*onePage {
		t.Errorf("%+v", end)
	}
	s.api.stall = time.Nanosecond
	s.bakery.refused("who does not send", send(), 408, "too-slow")
}

// deadlines is a connection of which one sees until when it may be read.
type deadlines struct {
	http.ResponseWriter
	read time.Time
}

func (d *deadlines) SetReadDeadline(by time.Time) error { d.read = by; return nil }

// Whoever sends a byte now and then keeps his place among those who upload no longer than an
// upload may take in all.
func TestWhatDripsHasAnEnd(t *testing.T) {
	end := time.Now().Add(time.Minute)
	for stall, want := range map[time.Duration]bool{time.Hour: true, time.Second: false} {
		d := &deadlines{}
		a := &arriving{strings.NewReader("x"), http.NewResponseController(d), stall, end}
		if _, err := a.Read(make([]byte, 1)); err != nil || d.read.Equal(end) != want || d.read.After(end) {
			t.Errorf("with %v for each piece it is read until %v, at most %v (%v)", stall, d.read, end, err)
		}
	}
}

// Whoever asks too often is told when to try again.
func TestWhoAsksTooOftenWaits(t *testing.T) {
	s := newScene(t)
	s.api.Pace = func(*http.Request) time.Duration { return 2 * time.Second }
	a := s.bakery.ask("GET", Path+"/me", nil)
	s.bakery.refused("too often", a, 429, "too-often")
	if got := a.header.Get("Retry-After"); got != "2" {
		t.Errorf("after %q seconds", got)
	}
}

// Whoever does not take what is streamed is cut off, however long the stream may last: that is
// no fault of the register's.
func TestWhoDoesNotTakeIsCutOff(t *testing.T) {
	for _, stall := range []time.Duration{time.Minute, time.Nanosecond} {
		said, failed := &servers.Said{}, make(chan error, 1)
		a := &api{Config: Config{Log: slog.New(slog.NewTextHandler(said, nil))}, stall: stall}
		server := hurried(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a.stream(typeLines, func(_ context.Context, l *lines) (err error) {
				for n := 0; n < 1000 && err == nil; n++ {
					err = l.write(strings.Repeat("x", mostAhead))
				}
				failed <- err
				return err
			}).Body(humago.NewContext(&huma.Operation{}, r, w))
		}))
		got, err := http.Post(server.URL, "", strings.NewReader("asked once"))
		if err == nil {
			_, err = io.Copy(io.Discard, got.Body)
			_ = got.Body.Close()
		}
		ours, cut := <-failed, stall == time.Nanosecond
		if cut != (err != nil) || cut != (ours != nil) || said.String() != "" {
			t.Errorf("with %v for each piece: %v, for the caller %v, logged %q", stall, ours, err, said)
		}
	}
}
