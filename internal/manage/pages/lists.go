package pages

import (
	"strconv"
	"strings"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
)

// perPage is how many rows a list has.
const perPage = 25

// numbered is a list in the order of numbers, and the part of it that an address asks for: what
// comes after a number, and how many rows were on the pages before. A page may have two of them,
// with names of their own.
type numbered struct {
	path, name string
	after      mandate.ID
	seen       int
}

func (v *visit) numbered(path, name string) numbered {
	l := numbered{path: path, name: name, after: parseID(v.r.FormValue(name + "after"))}
	if n, err := strconv.Atoi(v.r.FormValue(name + "seen")); err == nil && l.after != 0 && 0 < n && n < 1<<30 {
		l.seen = n
	}
	return l
}

// paging tells which part is shown, and leads to the next: after the last number; nil if all fits
// on one page.
func (l numbered) paging(rows int, last mandate.ID, more bool) *look.Paging {
	if l.after == 0 && !more {
		return nil
	}
	p := &look.Paging{First: l.seen + 1, Last: l.seen + rows}
	if l.after != 0 {
		p.Begin = l.path
	}
	if more {
		p.Next = l.at(last, p.Last)
	}
	return p
}

func (l numbered) at(after mandate.ID, seen int) string {
	sign := "?"
	if strings.Contains(l.path, sign) {
		sign = "&"
	}
	return l.path + sign + l.name + "after=" + idText(after) + "&" + l.name + "seen=" + strconv.Itoa(seen)
}

// here is the address of the part that is shown, and hidden what a form on its page says of it.
func (l numbered) here() string {
	if l.after == 0 {
		return l.path
	}
	return l.at(l.after, l.seen)
}

func (l numbered) hidden() []look.Hidden {
	if l.after == 0 {
		return nil
	}
	return []look.Hidden{{Name: l.name + "after", Value: idText(l.after)}, {Name: l.name + "seen", Value: strconv.Itoa(l.seen)}}
}

// onward are the links of a list that is no table.
func (v *visit) onward(p *look.Paging) (links look.Links) {
	if p != nil && p.Begin != "" {
		links = append(links, look.Link{Text: v.say.Say("list begin"), Address: p.Begin})
	}
	if p != nil && p.Next != "" {
		links = append(links, look.Link{Text: v.say.Say("list next"), Address: p.Next})
	}
	return links
}

// lastOf is the last of a list, or nothing.
func lastOf[T any](list []T) (last T) {
	if len(list) > 0 {
		last = list[len(list)-1]
	}
	return last
}
