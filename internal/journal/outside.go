package journal

import (
	"bytes"
	"context"
	"crypto"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// appendOutside adds a line to the file outside the store and returns when it is on
// disk. The file is opened anew each time, so an operator may move it away. A last
// line that a power loss or a full disk left unfinished is removed first: nothing
// was promised about it.
func appendOutside(path string, c *Checkpoint) (err error) {
	line, err := c.line()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, whole, err := lastLine(f)
	if err != nil {
		return err
	}
	if err := f.Truncate(whole); err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := f.Sync(); err != nil || whole > 0 {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the name of a new file durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// longestLine is far above any checkpoint: a key of 16384 bits makes a line of 3 KB.
const longestLine = 16 << 10

// lastLine returns the last finished line of f, nil if it has none, and where that
// line ends. A file that has no line's end in its last 16 KB is not ours.
func lastLine(f *os.File) (line []byte, whole int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	start := max(0, info.Size()-longestLine)
	tail, err := io.ReadAll(io.NewSectionReader(f, start, info.Size()-start))
	if err != nil {
		return nil, 0, err
	}
	end := bytes.LastIndexByte(tail, '\n')
	if end < 0 && start > 0 {
		return nil, 0, errors.New("not a file of checkpoints")
	}
	if end < 0 {
		return nil, 0, nil
	}
	return tail[bytes.LastIndexByte(tail[:end], '\n')+1 : end], start + int64(end) + 1, nil
}

// resume finds the last checkpoint and refuses a journal that lacks what it signed.
// Going on from there would make a second past.
func (j *Journal) resume(ctx context.Context) error {
	if j.options.Checkpoints == "" {
		const last = `SELECT coalesce(max(sequence), 0) FROM checkpoints`
		return j.file.DB().QueryRowContext(ctx, last).Scan(&j.covered)
	}
	c, err := j.lastOutside()
	if err != nil {
		return fmt.Errorf("reading checkpoints %s: %w", j.options.Checkpoints, err)
	}
	if c == nil {
		return nil
	}
	j.covered = c.Sequence
	hash, err := hashOf(ctx, j.file.DB(), c.Sequence)
	if err == nil && !bytes.Equal(hash, c.Hash[:]) || errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: record %d of %s is not as signed; verify, restore the newer journal, "+
			"or move that file aside to go on without it", ErrRolledBack, c.Sequence, j.options.Checkpoints)
	}
	return err
}

// lastOutside reads the last checkpoint outside the store; nil if there is none.
func (j *Journal) lastOutside() (*Checkpoint, error) {
	f, err := os.Open(j.options.Checkpoints)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	line, _, err := lastLine(f)
	if err != nil || line == nil {
		return nil, err
	}
	c, err := parseLine(line)
	if err != nil {
		return nil, err
	}
	return c, j.checkOwn(c)
}

// checkOwn checks the signature of a checkpoint if our key is said to have made it.
func (j *Journal) checkOwn(c *Checkpoint) error {
	if j.options.Public == nil {
		return nil
	}
	ring, err := newKeyring([]crypto.PublicKey{j.options.Public})
	if err != nil || ring[c.KeyID] == nil {
		return err
	}
	return ring.check(c)
}

// hashOf reads the hash of one record; sql.ErrNoRows if it is not there.
func hashOf(ctx context.Context, db *sql.DB, sequence int64) (hash []byte, err error) {
	err = db.QueryRowContext(ctx, `SELECT hash FROM records WHERE sequence = ?`, sequence).Scan(&hash)
	return hash, err
}
