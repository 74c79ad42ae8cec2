package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/pdp"
)

// shortestName is how much of a record's id is needed to call it by that.
const shortestName = 8

// FindRecord finds the record of a decision by what people call it: its id, or the beginning
// of that, which refused users are told in groups; or the ID of the message that asked, or of
// the assertion that answered. By the last two it is looked for from the end of the journal on,
// for as long as ctx lets it. See Beginning and Newest of journal.Journal for its errors.
func FindRecord(ctx context.Context, j *journal.Journal, name string) (entry journal.Record, record pdp.Record, err error) {
	entry, err = findEntry(ctx, j, strings.TrimSpace(name))
	if err == nil {
		record, err = ReadRecord(entry)
	}
	return entry, record, err
}

func findEntry(ctx context.Context, j *journal.Journal, name string) (journal.Record, error) {
	if len(name) < shortestName {
		return journal.Record{}, journal.ErrNotFound
	}
	entry, err := j.Beginning(ctx, strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(name)))
	if !errors.Is(err, journal.ErrNotFound) {
		return entry, err
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return journal.Record{}, err
	}
	return j.Newest(ctx, quoted, func(entry journal.Record) bool {
		record, err := ReadRecord(entry)
		return err == nil && (record.Message == name || record.Assertion == name)
	})
}

// ReadRecord reads what was recorded.
func ReadRecord(entry journal.Record) (record pdp.Record, err error) {
	if err := json.Unmarshal(entry.Body, &record); err != nil {
		return record, fmt.Errorf("record %d of the journal cannot be read, see \"mandated journal verify\": %w", entry.Sequence, err)
	}
	return record, nil
}
