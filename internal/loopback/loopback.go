// Package loopback owns which hosts are this machine: what goes to one of them is on no
// network, so that it needs no TLS.
//
// It goes by the name alone and asks nobody.
package loopback

import "net"

// Is tells whether a host, without its port, is this machine.
func Is(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }
