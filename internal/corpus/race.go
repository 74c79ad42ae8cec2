//go:build race

package corpus

// Slower is by what tests without goroutines divide their rounds. The race detector makes
// them many times slower and finds nothing in them, so "make test" has them run a second
// time, whole, without it.
const Slower = 8
