package daemon

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/saml"
)

// peers is since when the metadata of others are in use, for the register's staff.
type peers struct {
	mu      sync.Mutex
	sources []pages.Source
}

// note notes what a refresh has found in the files: what is wrong with each, and what is in
// use. Participants that are as they were are in use for as long as before.
func (p *peers) note(sources []Source, files map[string][]saml.Participant, wrong map[string]error, now time.Time) {
	var next []pages.Source
	for _, s := range sources {
		one := pages.Source{Name: s.File, Participants: files[s.File], Since: now, Read: now, Problem: wrong[s.File]}
		if before, known := p.of(s.File); known {
			if reflect.DeepEqual(before.Participants, one.Participants) {
				one.Since = before.Since
			}
			if one.Problem != nil {
				one.Read = before.Read
			}
		} else if one.Problem != nil {
			one.Read = time.Time{}
		}
		next = append(next, one)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sources = next
}

// of gives what is known of a file.
func (p *peers) of(file string) (pages.Source, bool) {
	for _, s := range p.list() {
		if s.Name == file {
			return s, true
		}
	}
	return pages.Source{}, false
}

func (p *peers) list() []pages.Source {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sources)
}
