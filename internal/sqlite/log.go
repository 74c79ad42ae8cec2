package sqlite

// The write-ahead log is copied into the file beside the writer and not by it: left to
// itself SQLite does so within a commit, which then takes several fsyncs more, and that
// is what the slowest answers would wait for.

const (
	// copyEvery is after how many commits the log is copied.
	copyEvery = 200

	// longestLog is of how many pages the log is when the writer copies it after all:
	// where commits follow each other so closely that the log is never copied whole, it
	// would grow without end.
	longestLog = 8000
)

// committed lets the log be copied now and then. The writer's lock is held.
func (f *File) committed() {
	if f.commits++; f.commits < copyEvery || !f.copying.TryLock() {
		return
	}
	f.commits = 0
	go func() {
		defer f.copying.Unlock()
		// PASSIVE waits for nobody and nobody waits for it. Where it fails, as on a full
		// disk, the log stays as it is, and the next one or the writer finds out.
		_, _ = f.db.Exec(`PRAGMA wal_checkpoint(PASSIVE)`)
	}()
}
