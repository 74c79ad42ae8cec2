//go:build mandated_without_lease

package freshness

import "slices"

// This build serves kept decisions however old the view is. It exists to be caught: the
// drill must find stale answers in it, or the drill finds nothing.
func init() {
	rules = slices.DeleteFunc(rules, func(r rule) bool { return r.broken == Lease || r.broken == Slept })
}
