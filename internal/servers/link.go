package servers

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// Proxy is a wire to a server that can be cut, hung and slowed down. It carries TCP and
// looks at nothing. Its methods are safe from any goroutine, and hold for the connections
// there are and for those to come.
type Proxy struct {
	t      TB
	addr   string
	target string

	mu       sync.Mutex
	listener net.Listener // nil while cut
	links    map[*link]bool
	asks     bool          // requests are carried
	answers  bool          // answers are carried
	delay    time.Duration // each way
	changed  chan struct{} // closed, and made anew, when any of these change
}

// link is one connection of a client, with that to the server behind it.
type link struct {
	client net.Conn
	ctx    context.Context // ends by Cut or either end: nothing more is carried
	end    context.CancelFunc
}

// Link puts a proxy in front of a server (host:port). It is gone at the test's end.
func Link(t TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{
		t: t, addr: loopback(Free(t)), target: target, links: map[*link]bool{},
		asks: true, answers: true, changed: make(chan struct{}),
	}
	if err := p.listen(); err != nil {
		t.Fatalf("a link to %s: %v", target, err)
	}
	t.Cleanup(p.Cut)
	return p
}

// Addr is where clients connect, as host:port. It stays the same.
func (p *Proxy) Addr() string { return p.addr }

// Cut drops all connections, and refuses new ones until Heal.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	for l := range p.links {
		l.close()
	}
}

// Hang keeps connections open, accepts new ones and carries nothing: a partition. What
// is sent meanwhile arrives after Heal, as it would by TCP.
func (p *Proxy) Hang() { p.set(func() { p.asks, p.answers = false, false }) }

// HangAnswers carries what clients send and none of the answers: followed by Cut, the
// client never learns whether what it asked was done.
func (p *Proxy) HangAnswers() { p.set(func() { p.asks, p.answers = true, false }) }

// Delay lets everything sent from now on take d longer, each way.
func (p *Proxy) Delay(d time.Duration) { p.set(func() { p.delay = d }) }

// Heal ends a cut, a hang and a delay.
func (p *Proxy) Heal() {
	p.t.Helper()
	p.set(func() { p.asks, p.answers, p.delay = true, true, 0 })
	// Somebody may have the port for a moment who only looks whether it is free.
	until(p.t, "healing the link to "+p.target, p.listen)
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) listen() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp", p.addr)
	if err != nil {
		return err
	}
	p.listener = listener
	go p.accept(listener)
	return nil
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		l := &link{client: client}
		l.ctx, l.end = context.WithCancel(context.Background())
		if p.add(l, listener) {
			go p.carry(l)
		} else {
			l.close()
		}
	}
}

// add notes a link, unless the listener it came by is cut by now.
func (p *Proxy) add(l *link, by net.Listener) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != by {
		return false
	}
	p.links[l] = true
	return true
}

// carry connects a client with the server and copies both ways until both ends are done.
// A client that comes during a partition reaches the server after it.
func (p *Proxy) carry(l *link) {
	defer func() {
		l.close()
		p.mu.Lock()
		delete(p.links, l)
		p.mu.Unlock()
	}()
	if !p.open(l, p.asking) {
		return
	}
	var dialer net.Dialer
	server, err := dialer.DialContext(l.ctx, "tcp", p.target)
	if err != nil {
		return
	}
	defer reset(server)
	context.AfterFunc(l.ctx, func() { reset(server) })
	var both sync.WaitGroup
	both.Go(func() { p.copy(l, server, l.client, p.asking) })
	both.Go(func() { p.copy(l, l.client, server, p.answering) })
	both.Wait()
}

func (p *Proxy) asking() bool    { return p.asks }
func (p *Proxy) answering() bool { return p.answers }

// piece is what was read at once, and when it is due; an empty one is the end.
type piece struct {
	bytes []byte
	due   time.Time
}

// copy carries one direction. Reading goes on while pieces are under way, so that a delay
// makes the wire longer and not narrower.
func (p *Proxy) copy(l *link, to, from net.Conn, may func() bool) {
	pieces := make(chan piece, 256)
	go p.read(l, from, pieces)
	for next := range pieces {
		if !l.sleep(time.Until(next.due)) || !p.open(l, may) {
			break
		}
		if _, err := to.Write(next.bytes); err != nil {
			l.close()
			break
		}
	}
	// The end of one direction is news as well, and waits as the rest does.
	if half, ok := to.(*net.TCPConn); ok && p.open(l, may) {
		half.CloseWrite()
	}
}

func (p *Proxy) read(l *link, from net.Conn, pieces chan<- piece) {
	defer close(pieces)
	for {
		buffer := make([]byte, 32<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			select {
			case pieces <- piece{buffer[:n], time.Now().Add(p.slow())}:
			case <-l.ctx.Done():
				return
			}
		}
		if err != nil {
			if err != io.EOF {
				l.close()
			}
			return
		}
	}
}

func (p *Proxy) slow() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delay
}

// open waits until a direction carries; false when the link is closed before.
func (p *Proxy) open(l *link, may func() bool) bool {
	for {
		p.mu.Lock()
		carries, changed := may(), p.changed
		p.mu.Unlock()
		if carries {
			return true
		}
		select {
		case <-changed:
		case <-l.ctx.Done():
			return false
		}
	}
}

// sleep waits for a delay; false when the link is closed before.
func (l *link) sleep(d time.Duration) bool {
	if d <= 0 {
		return l.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// close drops the client's connection, and by that the link.
func (l *link) close() {
	l.end()
	reset(l.client)
}

// reset closes a connection at once, without waiting for what is under way.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}
