package intake

import (
	"errors"
	"io"

	"github.com/mandated/mandated/internal/intake/sheet"
)

// input is a file of mandates of which the beginning was found right.
type input struct{ *sheet.Reader }

func openInput(in io.Reader) (input, error) {
	reader, err := sheet.Open(in, sheetColumns()...)
	return input{reader}, err
}

// What a batch holds at most: lines unless told otherwise, and bytes, which keeps
// memory small when lines are long.
const (
	usualBatch = 5000
	batchBytes = 8 << 20
)

// batch reads the wishes of the next lines. None: the file is at its end.
func (in input) batch(limit int) (batch []wish, err error) {
	if limit <= 0 {
		limit = usualBatch
	}
	for size := 0; len(batch) < limit && size < batchBytes; {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			return batch, nil
		}
		if err != nil {
			return nil, err
		}
		size += row.Size
		batch = append(batch, wishOf(row))
	}
	return batch, nil
}
