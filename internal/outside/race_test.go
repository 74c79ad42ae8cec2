//go:build race

package outside_test

const racing = true
