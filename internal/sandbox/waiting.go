package sandbox

import (
	"errors"
	"sync"
	"time"
)

// waiting are the log-ins that a role is in the middle of, by a name that travels along. Each
// belongs to one browser, and is gone when a quarter of an hour has passed.
type waiting[T any] struct {
	mu  sync.Mutex
	all map[string]begun[T]
}

type begun[T any] struct {
	what    T
	browser string
	until   time.Time
}

// errNotWaiting is what a user sees who reloads a page or goes back to one.
var errNotWaiting = errors.New("this log-in was finished, is too old, or was begun in another browser: begin again at the provider")

// begin remembers a log-in under a name.
func (w *waiting[T]) begin(name, browser string, what T) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[string]begun[T]{}
	}
	for other, b := range w.all {
		if now.After(b.until) {
			delete(w.all, other)
		}
	}
	w.all[name] = begun[T]{what, browser, now.Add(patience)}
}

// look tells what is remembered under a name, and leaves it there.
func (w *waiting[T]) look(name string) (what T, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, known := w.all[name]
	return b.what, known && !time.Now().After(b.until)
}

// forget forgets all.
func (w *waiting[T]) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = nil
}

// take gives the log-in of that name to the browser it belongs to, once.
func (w *waiting[T]) take(name, browser string) (what T, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, known := w.all[name]
	if !known || b.browser != browser || time.Now().After(b.until) {
		return what, errNotWaiting
	}
	delete(w.all, name)
	return b.what, nil
}
