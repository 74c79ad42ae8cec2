package servers

import (
	"bytes"
	"sync"
)

// Said is what a process or a daemon has written so far. It may be read while it is still
// written to.
type Said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to it.
func (s *Said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// String is all of it.
func (s *Said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
