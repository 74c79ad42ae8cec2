package daemon

import "github.com/mandated/mandated/internal/manage/pages"

// Works is what staff see of a daemon.
func (d *Daemon) Works() pages.Works { return works{d} }
