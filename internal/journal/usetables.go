package journal

import (
	"context"
	"encoding/json"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Both kinds of store move the mark and keep uses in these words.
const (
	moveMark  = `UPDATE @followed SET sequence = $2, at = $3, since = $4 WHERE sequence = $1`
	keepLater = `ON CONFLICT (mandate) DO UPDATE SET at = excluded.at, sequence = excluded.sequence, service = excluded.service
		WHERE (excluded.at, excluded.sequence) > (@uses.at, @uses.sequence)`
)

func (t tables) followed(ctx context.Context) (mark, error) {
	var m mark
	var at, since int64
	err := t.db.QueryRowContext(ctx, t.in(`SELECT sequence, at, since FROM @followed`)).Scan(&m.sequence, &at, &since)
	m.at, m.since = moment(at), moment(since)
	return m, t.explain(err)
}

func (t tables) uses(ctx context.Context, ids []mandate.ID) (all []Use, err error) {
	list, err := json.Marshal(append([]mandate.ID{}, ids...)) // nil would be null
	if err != nil {
		return nil, err
	}
	rows, err := t.db.QueryContext(ctx, t.in(`SELECT mandate, at, sequence, service FROM @uses WHERE mandate IN (`+t.listed+`)`), string(list))
	if err != nil {
		return nil, t.explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var u Use
		var at int64
		if err := rows.Scan(&u.Mandate, &at, &u.Sequence, &u.Service); err != nil {
			return nil, t.explain(err)
		}
		u.At = moment(at)
		all = append(all, u)
	}
	return all, t.explain(rows.Err())
}

// millis is a moment as the tables of uses have it: no moment is 0 there.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}
