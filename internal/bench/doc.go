// Package bench is nothing but a measurement: what a decision and its parts cost beside the
// cryptography they cannot do without, and beside what other people's software takes for
// the same messages. "make bench" runs it.
//
// Everything is measured in one run and in turn: machines change their speed and are
// shared, so that figures of different minutes cannot be compared. A cost is the processor
// time of the process that does the work, the middle of many rounds; a ratio is the middle
// of what it was in each round. Whoever asks over HTTP, and whoever is not written in Go,
// lives in a process of its own, driven over its standard input (worker_test.go).
//
// A run fails if anybody's answer is wrong, and never for what it took. Its figures are
// kept outside of the tree (history_test.go), where the next run finds what was usual.
package bench
