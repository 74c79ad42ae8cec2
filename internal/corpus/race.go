//go:build race

package corpus

// Slower is by what tests divide their rounds that go through the same code again and again.
// The race detector makes them many times slower, and finds in some rounds what it would
// find in all; "make test" runs them a second time, whole, without it.
const Slower = 8
