package server_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/server"
)

// crowd is a naive model of people who want places: it knows who works and who waits, and
// in which order they came.
type crowd struct {
	places, room int
	working      []int            // people
	waiting      map[string][]int // by sender, the first comer first
	passed       map[string]map[string]int
	next         int // the next person's number
	sender       map[int]string
}

// called checks that somebody's turn has come, and that nobody was passed over for long.
func (c *crowd) called(t *rapid.T, who int) {
	sender := c.sender[who]
	queue := c.waiting[sender]
	if len(queue) == 0 || queue[0] != who {
		t.Fatalf("%d of %s is called, and in his queue stand %v", who, sender, queue)
	}
	c.waiting[sender] = queue[1:]
	c.working = append(c.working, who)
	c.passed[sender] = nil // his sender waits anew
	for other, queue := range c.waiting {
		if other == sender || len(queue) == 0 {
			continue
		}
		if c.passed[other] == nil {
			c.passed[other] = map[string]int{}
		}
		if c.passed[other][sender]++; c.passed[other][sender] > 1 {
			t.Fatalf("%s has had %d turns while %s waited for one", sender, c.passed[other][sender], other)
		}
	}
}

// whole checks that no place is lost or made, and that none is empty while somebody waits.
func (c *crowd) whole(t *rapid.T) {
	waiting := 0
	for sender, queue := range c.waiting {
		if waiting += len(queue); len(queue) > c.room {
			t.Fatalf("%d of %s wait", len(queue), sender)
		}
	}
	if len(c.working) > c.places || waiting > 0 && len(c.working) < c.places {
		t.Fatalf("%d work on %d places while %d wait", len(c.working), c.places, waiting)
	}
}

func (c *crowd) enter(t *rapid.T, turns *server.Turns) {
	who, sender := c.next, fmt.Sprint("sender ", rapid.IntRange(1, 4).Draw(t, "sender"))
	c.next++
	c.sender[who] = sender
	want := "works"
	if len(c.working) == c.places {
		if want = "waits"; len(c.waiting[sender]) == c.room {
			want = "refused"
		}
	}
	if got := turns.Enter(sender, who); got != want {
		t.Fatalf("%d of %s %s, want %s", who, sender, got, want)
	}
	switch want {
	case "works":
		c.working = append(c.working, who)
	case "waits":
		if len(c.waiting[sender]) == 0 {
			c.passed[sender] = nil
		}
		c.waiting[sender] = append(c.waiting[sender], who)
	}
}

func (c *crowd) leave(t *rapid.T, turns *server.Turns) {
	if len(c.working) == 0 {
		t.Skip("nobody works")
	}
	at := rapid.IntRange(0, len(c.working)-1).Draw(t, "who leaves")
	c.working = slices.Delete(c.working, at, at+1)
	if who, somebody := turns.Leave(); somebody {
		c.called(t, who)
	}
}

func (c *crowd) quit(t *rapid.T, turns *server.Turns) {
	if c.next == 0 {
		t.Skip("nobody has come")
	}
	who := rapid.IntRange(0, c.next-1).Draw(t, "who quits")
	sender := c.sender[who]
	at := slices.Index(c.waiting[sender], who)
	if got := turns.Quit(sender, who); got != (at >= 0) {
		t.Fatalf("%d of %s quits: %v, and stands at %d", who, sender, got, at)
	}
	if at >= 0 {
		c.waiting[sender] = slices.Delete(c.waiting[sender], at, at+1)
	}
}

// Whatever senders and questions do: no place is lost, none is empty while somebody waits,
// each sender's questions have their turns as they came, and while a sender waits every
// other has one turn at most before him.
func TestTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &crowd{
			places: rapid.IntRange(1, 3).Draw(t, "places"), room: rapid.IntRange(0, 3).Draw(t, "room"),
			waiting: map[string][]int{}, passed: map[string]map[string]int{}, sender: map[int]string{},
		}
		turns := server.NewTurns(c.places, c.room)
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) { c.enter(t, turns) },
			"again": func(t *rapid.T) { c.enter(t, turns) }, // so that it is crowded
			"leave": func(t *rapid.T) { c.leave(t, turns) },
			"quit":  func(t *rapid.T) { c.quit(t, turns) },
			"":      c.whole,
		})
	})
}
