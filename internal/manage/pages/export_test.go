package pages

import (
	"net/http"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/register"
)

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

// Doors are the pages with nothing behind their door but a page that is called Inside: who may
// pass, and who must log in anew, is judged there as it always is.
func Doors(c Config) (http.Handler, error) {
	p, err := made(c)
	if err != nil {
		return nil, err
	}
	routes := p.routes()
	for i := range routes {
		routes[i].serve = func(*visit) (answer, error) { return answer{page: look.Page{Title: Inside}}, nil }
	}
	return p.behind(routes), nil
}

// Inside is what one reads behind the doors.
const Inside = "Inside"

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
