package drill

import (
	"os/exec"
	"syscall"
)

// mortal lets a command end with us, in whatever way we end.
func mortal(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
