// Package load is nothing but a measurement: what decisions cost on a register of ten
// million mandates in PostgreSQL, with hot decisions in Redis. "make load" runs it; it
// takes some minutes and 10 GB of disk.
package load
