package register

import (
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// What staff want to know of all mandates together. Each of these reads them all, in the order
// in which they lie: a second or two of a processor for a million. So whoever shows a number to many keeps it
// for a while. There is no table of sums: every change would have to wait for its place there.

// Count is how many mandates stand alike.
type Count struct {
	State    mandate.State
	Later    bool // they have not begun
	Over     bool // their time is over
	Mandates int
}

// Counts tells how many mandates stand in which state, at that moment.
func (s *Snapshot) Counts(at time.Time) (list []Count, err error) {
	var c Count
	err = s.each([]any{&c.State, &c.Later, &c.Over, &c.Mandates}, func() error {
		list = append(list, c)
		return nil
	}, selectCounts, s.revision, at.UnixMilli())
	return list, err
}

const selectCounts = `
	SELECT v.state, m.valid_from > ?2 AS later, m.valid_to <= ?2 AS over_now, count(*)
	FROM mandate m JOIN mandate_version v ON v.mandate = m.id AND v.since <= ?1 AND v.until > ?1
	WHERE m.id > 0` + notTheCanarys + `
	GROUP BY v.state, later, over_now ORDER BY v.state, later, over_now`

// Covering is how many mandates in force have an item in their scope.
type Covering struct {
	Item     mandate.Item
	Mandates int
}

// Covered tells for every item how many mandates that are in force at that moment have it in
// their scope: at most as many as there are services, providers and levels.
func (s *Snapshot) Covered(at time.Time) (list []Covering, err error) {
	var service, provider, level string
	var mandates int
	err = s.each([]any{&service, &provider, &level, &mandates}, func() error {
		c := Covering{Mandates: mandates}
		var err error
		if service != "" {
			c.Item.Service, err = etoegang.ParseServiceUUID(service)
		}
		if err == nil && provider != "" {
			c.Item.Provider, err = etoegang.ParseOIN(provider)
		}
		if err == nil {
			c.Item.Level, err = etoegang.ParseLevelName(level)
		}
		list = append(list, c)
		return err
	}, selectCovered, s.revision, at.UnixMilli())
	return list, err
}

const selectCovered = `
	SELECT c.service, c.provider, c.level, count(*)
	FROM mandate_scope c JOIN mandate m ON m.id = c.mandate AND m.valid_from <= ?2 AND m.valid_to > ?2
	JOIN mandate_version v ON v.mandate = c.mandate AND v.since <= ?1 AND v.until > ?1 AND v.state = 'active'
	WHERE m.id > 0` + notTheCanarys + `
	GROUP BY c.service, c.provider, c.level ORDER BY c.service, c.provider, c.level`
