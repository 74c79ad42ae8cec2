// Package sqlite owns how rooms of the daemon keep a small SQLite file of their
// own, such as the journal and the replay guard: opening it so that nothing
// acknowledged is lost, and refusing files that are not theirs.
//
// It has never heard of what is stored: tables and statements belong to the room
// that opens the file. The register does not use it, because the register lives in
// either of two databases and brings migrations.
//
// Files are opened with journal_mode=WAL and synchronous=FULL: readers never wait
// for the writer, and a commit that has returned survives a power loss
// (sqlite.org, "Write-Ahead Logging" and "PRAGMA synchronous").
package sqlite
