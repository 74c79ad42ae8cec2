package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// appendOutside adds a line to the file outside the store and returns when it is on
// disk. The file is opened anew each time, so an operator may move it away. A last
// line that a power loss or a full disk left unfinished is removed first: nothing
// was promised about it.
func appendOutside(path string, s statement) (err error) {
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	whole, err := finished(f)
	if err != nil {
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

// longestLine is far above any statement: a key of 16384 bits makes a line of 3 KB.
const longestLine = 16 << 10

// finished removes a last line without an end, and returns where the line before it
// ends. What another process is adding meanwhile comes in one piece and stays.
func finished(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	_, _, end, err := lastLine(f, info.Size())
	if err == nil && end < info.Size() {
		err = f.Truncate(end)
	}
	return end, err
}

// lastLine returns the last finished line of what lies before size, nil if there is none,
// and where that line begins and ends. A file that has no line's end in 16 KB is not ours.
func lastLine(f io.ReaderAt, size int64) (line []byte, begin, end int64, err error) {
	start := max(0, size-longestLine)
	tail, err := io.ReadAll(io.NewSectionReader(f, start, size-start))
	if err != nil {
		return nil, 0, 0, err
	}
	last := bytes.LastIndexByte(tail, '\n')
	if last < 0 && start > 0 {
		return nil, 0, 0, errors.New("not a file of checkpoints")
	}
	if last < 0 {
		return nil, 0, 0, nil
	}
	first := bytes.LastIndexByte(tail[:last], '\n') + 1
	return tail[first:last], start + int64(first), start + int64(last) + 1, nil
}

// lastOutside reads the last checkpoint in the file, passing over the stubs after it; nil
// if there is none.
func lastOutside(path string) (*Checkpoint, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	for size := info.Size(); ; {
		line, begin, _, err := lastLine(f, size)
		if err != nil || line == nil {
			return nil, err
		}
		s, err := parseLine(line)
		if err != nil {
			return nil, err
		}
		if c, ok := s.(*Checkpoint); ok {
			return c, nil
		}
		size = begin
	}
}

// badLine is a statement that cannot be read: a problem to report, where any other error
// means that the reading itself failed.
type badLine struct {
	where string
	err   error
}

func (b badLine) Error() string { return b.where + ": " + b.err.Error() }

// lines reads the file outside the store. A last line without an end is still being
// written, or was cut short by a power loss; nothing was promised about it.
func lines(r io.Reader) iter.Seq2[statement, error] {
	return func(yield func(statement, error) bool) {
		in := bufio.NewReaderSize(r, longestLine)
		for n := 1; ; n++ {
			line, err := in.ReadSlice('\n')
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("line %d of the checkpoints: %w", n, err))
				return
			}
			s, err := parseLine(line[:len(line)-1])
			if err != nil {
				err = badLine{fmt.Sprintf("line %d of the checkpoints", n), err}
			}
			if !yield(s, err) {
				return
			}
		}
	}
}
