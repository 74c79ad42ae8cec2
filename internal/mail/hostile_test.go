package mail

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// liar is a server that no honest program is: it answers each line it gets, and the
// beginning, with the next of these texts as they are, and hangs up after the last.
func liar(t *testing.T, texts ...func(io.Writer)) Config {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			lines := bufio.NewReader(conn)
			for _, text := range texts {
				text(conn)
				if _, err := lines.ReadString('\n'); err != nil {
					break
				}
			}
			conn.Close()
		}
	}()
	return Config{Address: listener.Addr().String(), Security: None, From: ours}
}

func say(text string) func(io.Writer) {
	return func(w io.Writer) { _, _ = io.WriteString(w, text+"\r\n") }
}

// forever talks until nobody listens.
func forever(begin, more string) func(io.Writer) {
	return func(w io.Writer) {
		_, err := io.WriteString(w, begin)
		for err == nil {
			_, err = io.WriteString(w, more)
		}
	}
}

// A server that lies, rambles or breaks off has delivered nothing; it cannot fill our
// memory, and its words get into no error.
func TestServerThatLies(t *testing.T) {
	t.Parallel()
	greet, hello := say("220 ready"), say("250 hello")
	for what, c := range map[string]struct {
		texts []func(io.Writer)
		want  []any
	}{
		"is no mail server":          {[]func(io.Writer){say("HTTP/1.1 400 chris@bakery.example")}, []any{ErrUnreachable, errGarbled}},
		"does not serve":             {[]func(io.Writer){say("554 5.3.2 no chris@bakery.example here")}, []any{ErrUnreachable, "554 5.3.2"}},
		"is busy":                    {[]func(io.Writer){say("421 4.3.2 later")}, []any{ErrUnreachable, "421 4.3.2"}},
		"greets without end":         {[]func(io.Writer){forever("220-", strings.Repeat("x", 1<<16))}, []any{ErrUnreachable, errChatter}},
		"greets with endless lines":  {[]func(io.Writer){forever("", strings.Repeat("220-x\r\n", 1<<10))}, []any{ErrUnreachable, errChatter}},
		"does not know EHLO or HELO": {[]func(io.Writer){greet, say("502 what"), say("502 what")}, []any{ErrUnreachable, "502"}},
		"breaks off":                 {[]func(io.Writer){greet, hello, hello}, []any{ErrUnreachable}},
		"garbles about a letter":     {[]func(io.Writer){greet, hello, hello, say("chris@bakery.example")}, []any{ErrUnreachable, errGarbled}},
		"confirms before DATA":       {[]func(io.Writer){greet, hello, hello, hello, hello}, []any{ErrUnreachable, errGarbled}},
		"is closing":                 {[]func(io.Writer){greet, hello, hello, say("421 chris@bakery.example, goodbye")}, []any{"421"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			sender, err := New(liar(t, c.texts...))
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range sender.Send(t.Context(), []Letter{letterTo(chris), letterTo(chris), letterTo(chris)}) {
				is(t, err, ErrLater, c.want...)
				if strings.Contains(err.Error(), "chris") {
					t.Errorf("the server's words: %v", err)
				}
			}
		})
	}
}
