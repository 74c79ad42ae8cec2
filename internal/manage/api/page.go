package api

import (
	"encoding/json"
	"fmt"

	"github.com/mandated/mandated/pkg/register"
)

// Paging is how a caller reads a list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many there are on a page at most"`
	Cursor string `query:"cursor" maxLength:"2000" doc:"next of the page before"`
}

// Page is what every list tells besides what is in it.
type Page struct {
	Revision int64  `json:"revision" doc:"the revision of the register that all pages of the list show"`
	Next     string `json:"next,omitempty" doc:"the cursor of the next page; none: this is the last"`
}

// cursor is where a list goes on. It is sealed: callers keep it and cannot make one.
type cursor[P any] struct {
	Revision register.Revision `json:"r"`
	After    P                 `json:"a"`
	Total    int               `json:"n"` // counted on the first page
}

// place is what a cursor is bound to: the caller's organisation, the list, and what chooses
// its rows.
func (c *call) place(filter any) string {
	return fmt.Sprintf("%d %s %+v", c.organisation, c.operation, filter)
}

// openCursor reads the cursor of a list; none is the beginning, at the newest revision.
func openCursor[P any](a *api, c *call, text string, filter any) (at cursor[P], err error) {
	if text == "" {
		return at, nil
	}
	plain, err := a.cursors.OpenText(text, c.place(filter))
	if err != nil || json.Unmarshal(plain, &at) != nil {
		return at, &refusedCursor
	}
	return at, nil
}

// page tells where a list goes on, if there is more of it.
func page[P any](a *api, c *call, at cursor[P], more bool, filter any) Page {
	p := Page{Revision: int64(at.Revision)}
	if more {
		plain, _ := json.Marshal(at) // numbers and text
		p.Next = a.cursors.SealText(plain, c.place(filter))
	}
	return p
}
