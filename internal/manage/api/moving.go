package api

import (
	"io"
	"net/http"
	"time"
)

// The server gives every request a short time to arrive and to be answered. What is uploaded or
// streamed has longer, as long as it moves: whoever does not send, or does not take, is cut off
// as soon as anybody else. Our own work counts for nobody's: operations have their own time.

// arriving is what a caller sends.
type arriving struct {
	body    io.Reader
	control *http.ResponseController
	stall   time.Duration // between two pieces
	until   time.Time     // when all must be there
}

// Read gives the caller time for the next piece, and afterwards for our answer.
func (a *arriving) Read(p []byte) (int, error) {
	by := time.Now().Add(a.stall)
	if by.After(a.until) {
		by = a.until
	}
	_ = a.control.SetReadDeadline(by) // every connection of a server has deadlines
	_ = a.control.SetWriteDeadline(by.Add(patience))
	return a.body.Read(p)
}

// leaving is what a caller is sent.
type leaving struct {
	w       http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

// working gives us time for what comes next. The server reads meanwhile, to hear whether the
// caller leaves.
func (l *leaving) working() {
	by := time.Now().Add(longStream)
	_ = l.control.SetReadDeadline(by)
	_ = l.control.SetWriteDeadline(by)
}

// Write gives the caller time to take a piece.
func (l *leaving) Write(p []byte) (int, error) {
	return l.moving(func() (int, error) { return l.w.Write(p) })
}

func (l *leaving) moving(write func() (int, error)) (int, error) {
	_ = l.control.SetWriteDeadline(time.Now().Add(l.stall))
	defer l.working()
	n, err := write()
	if err != nil {
		err = &gone{err}
	}
	return n, err
}

// gone says that the caller has left, or does not take what he is sent.
type gone struct{ error }

// Unwrap gives the error of the connection.
func (g *gone) Unwrap() error { return g.error }
