//go:build !race

package corpus

// Slower is by what tests divide their rounds under the race detector.
const Slower = 1
