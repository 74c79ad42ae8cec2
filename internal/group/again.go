package group

import (
	"context"
	"fmt"
	"time"
)

// The pauses between tries: short at first, since a lost connection is often back at
// once, and never so long that the end of a fail-over is missed by much.
const (
	firstPause   = 10 * time.Millisecond
	longestPause = 250 * time.Millisecond
)

// Again does something until it succeeds, fails in a way that does not pass, or ctx ends.
// It always tries once. Its error is that of the last try, or of the one before if the
// last was cut short: that says what is wrong, and not only that time was up.
func Again(ctx context.Context, passing func(error) bool, try func() error) error {
	var before error
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := try()
		if err == nil || !passing(err) {
			return err
		}
		if before != nil && ctx.Err() != nil {
			err = before
		}
		before = err
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (given up: %w)", err, ctx.Err())
		case <-time.After(pause):
		}
	}
}
