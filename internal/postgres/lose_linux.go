package postgres

import (
	"strings"
	"syscall"
)

// userTimeout is TCP_USER_TIMEOUT, in milliseconds (tcp(7)).
const userTimeout = 0x12

// loseSoon lets a connection end when what it sent is not acknowledged in time. Without
// it the kernel tries for a quarter of an hour.
func loseSoon(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(gone.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
