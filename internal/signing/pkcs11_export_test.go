//go:build pkcs11 && cgo

package signing

import "time"

// Breath is the least time between two openings of a token.
const Breath = breath

// SetClock lets the token of that label have another clock, on which it was opened long ago.
func SetClock(label string, now func() time.Time) {
	t := tokenOf(label)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now, t.tried = now, time.Time{}
}

// Openings is how often the token was opened so far, and whether it is open.
func Openings(label string) (n int, open bool) {
	t := tokenOf(label)
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.number, t.context != nil
}

// Reopen opens the token again for somebody who found that opening of it lost.
func Reopen(label string, number int) error { return tokenOf(label).reopen(number) }

func tokenOf(label string) *token {
	tokens.Lock()
	defer tokens.Unlock()
	for at, t := range tokens.at {
		if at.label == label {
			return t
		}
	}
	return nil
}
