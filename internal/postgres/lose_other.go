//go:build !linux

package postgres

import "syscall"

// loseSoon does nothing where the kernel has no such setting: keep-alives alone notice
// then that a server is gone.
func loseSoon(string, string, syscall.RawConn) error { return nil }
