package pages_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// A page that loads itself anew in two windows does each part once. Whoever looks while a part is
// done reads how far it was; whoever comes when it is just done does the next. All is counted.
func TestTwoLooksAtOnce(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.clientele(602)
	s.filling(bob)
	place, other := bob.at.Path, s.browser()
	other.http = bob.http
	looked := 0
	looks := func(when, reads string) func(string) {
		looked = 0
		return func(key string) {
			if strings.HasPrefix(key, when) && looked == 0 {
				looked++
				other.visit(place).reads(reads)
			}
		}
	}
	s.store.replaces = looks("work ", "200 of 602")
	bob.visit(place).reads("400 of 602")
	if s.store.replaces = nil; looked != 1 {
		t.Error("nobody looked while a part was done")
	}
	s.store.keeps = looks("turn ", "600 of 602")
	bob.visit(place).reads(bob.word("fill over"), "601 mandates were added", "1 could not be added")
	if s.store.keeps = nil; looked != 1 {
		t.Error("nobody looked before a part was begun")
	}
	if n := len(s.all(register.Filter{Kind: mandate.Assignment})); n != 601 {
		t.Errorf("%d are assigned", n)
	}
}

// A look that is lost before it has given its turn back keeps the others waiting for a minute, in
// which they read how far it was; then the work goes on.
func TestTurnThatIsNotGivenBack(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.clientele(402)
	s.filling(bob)
	place := bob.at.Path
	s.store.lost.Store("take")
	bob.visit(place).is(http.StatusServiceUnavailable).reads(bob.word("wrong ours"))
	s.store.lost.Store("")
	bob.visit(place).reads("400 of 402").visit(place).reads("400 of 402")
	s.clock.advance(pages.LongestTurn + time.Second)
	bob.visit(place).reads(bob.word("fill over"), "401 mandates were added")
}

// Whoever has left, even without knowing where he was, is led back by the overview. It is his
// alone, and no longer there when all is done.
func TestTheWayBackToWork(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.clientele(202)
	s.filling(bob)
	bob.reads(bob.word("work leave"))
	colleague := s.comes("Bea Bakker", bakery, mandate.Administrator)
	for _, b := range []*browser{colleague, s.comes("Rik Register", registry, mandate.Staff)} {
		if b.visit("/"); strings.Contains(b.text(), b.word("work go on")) {
			t.Errorf("this is Bob's work: %s", b.text())
		}
	}
	bob.press("/logout")
	bob.logIn("Bob Boekhouder").reads(bob.word("work unfinished")).click(bob.word("work go on")).reads(bob.word("fill over"), "201 mandates were added")
	if bob.visit("/"); strings.Contains(bob.text(), bob.word("work unfinished")) {
		t.Errorf("it is over: %s", bob.text())
	}
}
