package pages

import (
	"strconv"

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
	q := v.r.URL.Query()
	l := numbered{path: path, name: name, after: parseID(q.Get(name + "after"))}
	if n, err := strconv.Atoi(q.Get(name + "seen")); err == nil && l.after != 0 && 0 < n && n < 1<<30 {
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
		p.Next = l.path + "?" + l.name + "after=" + idText(last) + "&" + l.name + "seen=" + strconv.Itoa(p.Last)
	}
	return p
}

// lastOf is the last of a list, or nothing.
func lastOf[T any](list []T) (last T) {
	if len(list) > 0 {
		last = list[len(list)-1]
	}
	return last
}
