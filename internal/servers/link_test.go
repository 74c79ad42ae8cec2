package servers

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// echo is a server that answers what it was asked, and tells what that was.
func echo(t *testing.T) (addr string, heard <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	all := make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn, all)
		}
	}()
	return listener.Addr().String(), all
}

func answer(conn net.Conn, heard chan<- string) {
	defer conn.Close()
	buffer := make([]byte, 100)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			heard <- "(" + err.Error() + ")"
			return
		}
		heard <- string(buffer[:n])
		conn.Write(buffer[:n])
	}
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func say(t *testing.T, conn net.Conn, word string) {
	t.Helper()
	if _, err := conn.Write([]byte(word)); err != nil {
		t.Fatal(err)
	}
}

// hears fails the test unless a word comes back.
func hears(t *testing.T, conn net.Conn, word string) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(startTime))
	got := make([]byte, len(word))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != word {
		t.Fatalf("heard %q, %v; want %q", got, err, word)
	}
}

// hearsNothing gives an answer time to come through that would come at once.
func hearsNothing(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("heard %d bytes, %v; want nothing", n, err)
	}
}

// A cut is noticed at once at both ends, and nobody comes through until it is healed.
func TestLinkCut(t *testing.T) {
	addr, heard := echo(t)
	p := Link(t, addr)
	conn := dial(t, p)
	say(t, conn, "one")
	hears(t, conn, "one")
	<-heard

	p.Cut()
	conn.SetReadDeadline(time.Now().Add(startTime))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client of a cut link: %v", err)
	}
	if got := <-heard; got[0] != '(' {
		t.Errorf("the server of a cut link hears %q", got)
	}
	if _, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new client of a cut link: %v", err)
	}

	p.Heal()
	conn = dial(t, p)
	say(t, conn, "two")
	hears(t, conn, "two")
}

// In a partition nothing is refused and nothing comes through, and what was sent is late.
func TestLinkHang(t *testing.T) {
	addr, heard := echo(t)
	p := Link(t, addr)
	old := dial(t, p)
	say(t, old, "one")
	hears(t, old, "one")
	<-heard

	p.Hang()
	fresh := dial(t, p)
	say(t, old, "two")
	say(t, fresh, "three")
	hearsNothing(t, old)
	hearsNothing(t, fresh)
	if len(heard) > 0 {
		t.Errorf("the server heard %q through a partition", <-heard)
	}

	p.Heal()
	hears(t, old, "two")
	hears(t, fresh, "three")
}

// The server does what it is asked, and the client does not learn of it.
func TestLinkHangAnswers(t *testing.T) {
	addr, heard := echo(t)
	p := Link(t, addr)
	conn := dial(t, p)
	p.HangAnswers()
	say(t, conn, "one")
	if got := <-heard; got != "one" {
		t.Errorf("the server heard %q", got)
	}
	hearsNothing(t, conn)
	p.Cut()
	conn.SetReadDeadline(time.Now().Add(startTime))
	if n, err := conn.Read(make([]byte, 10)); n > 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after the cut the client heard %d bytes, %v", n, err)
	}
}

// A delay holds each way, and is over when healed.
func TestLinkDelay(t *testing.T) {
	addr, _ := echo(t)
	p := Link(t, addr)
	conn := dial(t, p)
	const d = 100 * time.Millisecond
	p.Delay(d)
	start := time.Now()
	say(t, conn, "one")
	hears(t, conn, "one")
	if took := time.Since(start); took < 2*d {
		t.Errorf("there and back in %v over a link of %v", took, d)
	}

	// An hour on the way: only what is said after healing arrives in this test's time.
	p.Delay(time.Hour)
	say(t, conn, "late")
	hearsNothing(t, conn)
	p.Heal()
	conn = dial(t, p)
	say(t, conn, "two")
	hears(t, conn, "two")
}

// An end of a conversation is carried like the rest of it: half of it may go on.
func TestLinkEnd(t *testing.T) {
	addr, heard := echo(t)
	p := Link(t, addr)
	conn := dial(t, p)
	say(t, conn, "one")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	hears(t, conn, "one")
	if got := []string{<-heard, <-heard}; got[0] != "one" || got[1] != "(EOF)" {
		t.Errorf("the server heard %q", got)
	}
	conn.SetReadDeadline(time.Now().Add(startTime))
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}
