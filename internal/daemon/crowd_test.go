package daemon

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// callers is a listener to which connections come when a test wants it.
type callers chan net.Conn

func (l callers) Accept() (net.Conn, error) {
	if c, open := <-l; open {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l callers) Close() error {
	close(l)
	return nil
}

func (l callers) Addr() net.Addr { return &net.TCPAddr{} }

// call is a connection from an address, seen from both ends.
func call(from string) (here, there net.Conn) {
	here, there = net.Pipe()
	return here, caller{there, from}
}

type caller struct {
	net.Conn
	from string
}

func (c caller) RemoteAddr() net.Addr { return stringAddr(c.from) }

type stringAddr string

func (stringAddr) Network() string  { return "tcp" }
func (a stringAddr) String() string { return string(a) }

// One address with ten thousand connections takes its share of the door and no more: others
// still come in, and so does it once it has ended one. Closed twice, one is given back once.
func TestNobodyTakesTheWholeDoor(t *testing.T) {
	const most = 3
	l := make(callers, 1)
	door := share(l, most)
	in := func(from string) net.Conn { // nil: closed at once
		here, there := call(from)
		_, next := call("198.51.100.1:1")
		l <- there
		accepted := make(chan net.Conn, 1)
		go func() {
			c, _ := door.Accept()
			accepted <- c
		}()
		refused := make(chan struct{})
		go func() {
			if _, err := here.Read(make([]byte, 1)); err == io.EOF {
				close(refused)
			}
		}()
		select {
		case c := <-accepted:
			return c
		case <-refused:
			l <- next // the door is waited at still
			_ = (<-accepted).Close()
			return nil
		}
	}
	for who, addresses := range map[string][]string{
		"one address":           {"192.0.2.1:1", "192.0.2.1:2", "[::ffff:192.0.2.1]:3", "192.0.2.1:4"},
		"one subscriber's IPv6": {"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:0:0:ffff::]:1", "[2001:db8::1]:1"},
		"one link's":            {"[fe80::1%eth0]:1", "[fe80::1%eth1]:1", "[fe80::2]:1", "[fe80::3]:1"},
		"what has no address":   {"@", "@", "", "pipe"},
	} {
		var connections []net.Conn
		for _, a := range addresses[:most] {
			c := in(a)
			if c == nil {
				t.Fatalf("%s is refused at its share", who)
			}
			connections = append(connections, c)
		}
		for range 2 {
			if in(addresses[most]) != nil {
				t.Errorf("%s has more than its share", who)
			}
		}
		for _, other := range []string{"192.0.2.2:1", "[2001:db8:0:1::1]:1"} {
			c := in(other)
			if c == nil {
				t.Fatalf("beside %s, %s is refused", who, other)
			}
			_ = c.Close()
		}
		_, _ = connections[0].Close(), connections[0].Close()
		if connections[0] = in(addresses[most]); connections[0] == nil {
			t.Errorf("%s is refused with a place to have", who)
		}
		if in(addresses[most]) != nil {
			t.Errorf("%s got two places back for one", who)
		}
	}
}

// A browser keeps its connection for as long as it may. Ten seconds after the page it gives
// its place to the next visitor; a broker, which asks all day, keeps it for two minutes.
func TestVisitorsLeaveSoon(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	log := slog.New(slog.DiscardHandler)
	for who, c := range map[string]struct {
		server *http.Server
		stays  time.Duration
	}{
		"a browser": {brisk(page, log), 10 * time.Second},
		"a broker":  {patient(page, log), 2 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := make(callers)
			go func() { _ = c.server.Serve(l) }()
			here, there := call("192.0.2.1:1")
			l <- there
			fmt.Fprint(here, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			answers := bufio.NewReader(here)
			response, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				t.Error(err)
			}
			answered := time.Now()
			if _, err := answers.ReadByte(); err != io.EOF {
				t.Errorf("%s: %v", who, err)
			}
			if stayed := time.Since(answered); stayed != c.stays {
				t.Errorf("%s keeps its place for %v", who, stayed)
			}
			_ = c.server.Close()
		})
	}
}
