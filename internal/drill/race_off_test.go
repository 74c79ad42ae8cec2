//go:build !race

package drill

// raced tells whether the race detector watches this process.
const raced = false
