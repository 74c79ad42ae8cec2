package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// Behind each door somebody is under way who never ends. Neither door uses up the other's
// time, nor that of what is still to be done when both are closed.
func TestEachDoorHasItsShareOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := make(chan struct{})
		ever := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			began <- struct{}{}
			<-r.Context().Done()
		})
		log := slog.New(slog.DiscardHandler)
		d := &Daemon{public: patient(ever, log), browser: brisk(ever, log), operations: patient(ever, log), stopWork: func() {}}
		d.fetcher = newFetcher(d)
		start := time.Now()
		closed := map[string]time.Duration{} // when each door closed
		doors := map[string]*http.Server{"for browsers": d.browser, "for brokers": d.public}
		for name, server := range doors {
			l := make(callers)
			go func() { _ = server.Serve(shutting{l, func() { closed[name] = time.Since(start) }}) }()
			here, there := call("192.0.2.1:1")
			l <- there
			fmt.Fprint(here, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			<-began
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := d.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stopped with somebody under way: %v", err)
		}
		if closed["for browsers"] != 0 || closed["for brokers"] != 10*time.Second {
			t.Errorf("closed after %v", closed)
		}
		if took := time.Since(start); took != 20*time.Second || ctx.Err() != nil {
			t.Errorf("stopping took %v", took)
		}
		for _, server := range doors {
			_ = server.Close()
		}
	})
}

// shutting is a listener that tells when it is closed.
type shutting struct {
	net.Listener
	told func()
}

func (l shutting) Close() error {
	l.told()
	return l.Listener.Close()
}

// A broker need not wait until a stopped daemon's connections to it have idled away.
func TestStopEndsConnectionsToBrokers(t *testing.T) {
	ended := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(answer))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(ended)
		}
	}
	s.Start()
	defer s.Close()
	i := newInquiry(t)
	if _, err := i.ask(s.URL); err != nil {
		t.Fatal(err)
	}
	d, log := i.fetcher.daemon, slog.New(slog.DiscardHandler)
	d.fetcher, d.public, d.operations, d.stopWork = i.fetcher, patient(nil, log), patient(nil, log), func() {}
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the connection is kept")
	}
}
