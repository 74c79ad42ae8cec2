package mandate

import (
	"fmt"
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
)

// Item is one thing a mandate covers, and at which level: one service, every
// service of one provider (those added later too), or everything. The level is
// that of the process by which the item was registered; it covers lower levels.
type Item struct {
	Service  etoegang.ServiceUUID // set: this service
	Provider etoegang.OIN         // set: all services of this provider
	Level    etoegang.AssuranceLevel
}

// Everything is the item that covers all services.
func Everything(l etoegang.AssuranceLevel) Item { return Item{Level: l} }

// Scope is what a mandate covers: the union of its items.
type Scope []Item

// Level is the highest level at which the scope covers the service, or NoLevel.
func (s Scope) Level(t etoegang.Target) etoegang.AssuranceLevel {
	best := etoegang.NoLevel
	for _, item := range s {
		if item.covers(t) {
			best = max(best, item.Level)
		}
	}
	return best
}

func (i Item) covers(t etoegang.Target) bool {
	switch {
	case !i.Service.IsZero():
		return i.Service == t.UUID
	case !i.Provider.IsZero():
		return i.Provider == t.Provider
	}
	return true
}

// ParseItem reads an item as people write it:
//
//	11111111-2222-3333-4444-555555555555@loa3   one service
//	provider:00000003520354760000@loa3          all services of a provider
//	everything@loa3                             all services
func ParseItem(s string) (Item, error) {
	what, levelName, ok := strings.Cut(s, "@")
	if !ok {
		return Item{}, fmt.Errorf("scope %q: add the level, as in %s@loa3", s, what)
	}
	level, err := etoegang.ParseLevelName(levelName)
	if err != nil {
		return Item{}, fmt.Errorf("scope %q: %w", s, err)
	}
	item := Item{Level: level}
	oin, provider := strings.CutPrefix(what, "provider:")
	switch {
	case what == "everything":
	case provider:
		item.Provider, err = etoegang.ParseOIN(oin)
	default:
		item.Service, err = etoegang.ParseServiceUUID(what)
	}
	if err != nil {
		return Item{}, fmt.Errorf("scope %q: %w", s, err)
	}
	return item, nil
}

// ParseScope reads items with spaces between them. No item is an empty scope.
func ParseScope(s string) (list Scope, err error) {
	for text := range strings.FieldsSeq(s) {
		item, err := ParseItem(text)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, nil
}

// String writes the item as ParseItem reads it.
func (i Item) String() string {
	switch {
	case !i.Service.IsZero():
		return i.Service.String() + "@" + i.Level.String()
	case !i.Provider.IsZero():
		return "provider:" + i.Provider.String() + "@" + i.Level.String()
	}
	return "everything@" + i.Level.String()
}

// String writes the items with a space between them.
func (s Scope) String() string {
	items := make([]string, len(s))
	for i, item := range s {
		items[i] = item.String()
	}
	return strings.Join(items, " ")
}
