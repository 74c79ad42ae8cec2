package main

import (
	"fmt"
	"io"
	"os"
)

// progress tells how far something long has come: on a terminal in one line that changes,
// elsewhere with a line now and then.
type progress struct {
	out    io.Writer
	what   string
	every  int64
	format string
	told   int64
}

func newProgress(out io.Writer, what string) *progress {
	if file, ok := out.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &progress{out: out, what: what, every: 1000, format: "\r%d %s"}
		}
	}
	return &progress{out: out, what: what, every: 100_000, format: "%d %s\n"}
}

// at tells that n are done, if there is something new to tell.
func (p *progress) at(n int64) {
	if n/p.every > p.told/p.every {
		fmt.Fprintf(p.out, p.format, n, p.what)
		p.told = n
	}
}

// end leaves the line.
func (p *progress) end() {
	if p.told > 0 && p.format[0] == '\r' {
		fmt.Fprintln(p.out)
	}
}
