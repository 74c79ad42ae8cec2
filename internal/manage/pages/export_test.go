package pages

import "github.com/mandated/mandated/pkg/register"

// The words, for tests that look at all of them.
var Texts = texts

// Idle and Longest are how long sessions last, Fresh how long a log-in is good for what is grave.
const (
	Idle    = idle
	Longest = longest
	Fresh   = fresh
	Soon    = soon
	Counted = countedFor

	LongestTurn = longestTurn
)

// BarOf is where mandates are counted, and Bars are all such places.
func BarOf(c register.Count) string { return barOf(c) }

var Bars = shownStates

// Patterns are those of all routes.
func Patterns() (list []string) {
	for _, r := range (&pages{}).routes() {
		list = append(list, r.pattern)
	}
	return list
}

// Explanations are the texts that errors get, by what the table says of each.
func Explanations() (list []struct {
	Err   error
	Name  string
	Field string
}) {
	for _, e := range explanations {
		list = append(list, struct {
			Err   error
			Name  string
			Field string
		}{e.err, e.name, e.field})
	}
	return list
}
