package journal

import (
	"errors"
	"fmt"
	"syscall"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrFull is returned when there is no room for what was to be written, in the file or
// outside it. A database says so in the words of package postgres.
var ErrFull = errors.New("journal: no room on the disk: nothing was written; make room and try again")

// explainFull puts our word around an error that says that the disk is full.
func explainFull(err error) error {
	var store *driver.Error
	if errors.Is(err, syscall.ENOSPC) || errors.As(err, &store) && store.Code()&0xff == sqlite3.SQLITE_FULL {
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return err
}
