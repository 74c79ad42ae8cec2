package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/mandated/mandated/pkg/mandate"
)

// answers tells whether there is a form with which a request can be answered.
func (b *browser) answers() bool {
	return b.find(func(n *html.Node) bool {
		return n.Data == "form" && strings.HasPrefix(attr(n, "action"), "/requests/")
	}) != nil
}

// knowsNothing fails the test if one reads anything of what the office asks the bakery.
func (b *browser) knowsNothing() {
	b.Helper()
	for _, of := range []string{"Administratiekantoor", "87654321", "VAT return", "Request 1"} {
		if strings.Contains(b.text(), of) {
			b.Errorf("at %s one reads %q: %s", b.at, of, b.text())
		}
	}
	if b.answers() {
		b.Errorf("at %s one can answer", b.at)
	}
}

// The bakery gets a letter with the address of a request. Whoever opens it logs in, and is there if
// it is his to see: the bakery answers, the office that asked may withdraw it, the register's staff
// look and answer nothing. Whoever has no role reads what to do, and anybody else's company that
// there is no such page.
func TestApprovalLink(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	bob.visit("/grant/ask").fill("kvk", "12345678").press("/grant/ask")
	bob.fill("services", s.sandbox.Network.Services["vat"].UUID.String()).next()
	bob.next().reads(bob.word("done requested"))
	const link = "/requests/1"
	bob.visit(link).is(http.StatusOK).reads(bob.word("withdraw"))
	if bob.find(func(n *html.Node) bool { return attr(n, "action") == link+"/accept" }) != nil {
		t.Error("who asks can agree himself")
	}

	opens := func(person string) *browser {
		b := s.browser().visit(link).is(http.StatusForbidden)
		b.reads(b.word("log in first")).knowsNothing()
		return b.click(b.word("log in")).as(person)
	}
	bea := opens("Bea Bakker")
	for range 2 { // as she comes in, and when she opens the link again
		bea.is(http.StatusOK).reads(bea.word("no role"), bea.word("no role invited"), bea.word("no role ask"), bea.word("no role paper")).knowsNothing()
		bea.visit(link)
	}

	_ = s.comes("Ria Register", registry, mandate.Administrator) // of a third company
	ria := opens("Ria Register").is(http.StatusNotFound)
	ria.reads(ria.word("wrong not found")).knowsNothing()

	_ = s.comes("Rik Register", registry, mandate.Staff)
	rik := opens("Rik Register").is(http.StatusOK)
	if rik.reads("Administratiekantoor Telraam", "VAT return"); rik.answers() {
		t.Error("the register's staff can answer for the bakery")
	}

	_ = s.comes("Bas Bakker", bakery, mandate.Administrator)
	bas := opens("Bas Bakker").is(http.StatusOK)
	if bas.at.Path != link {
		t.Fatalf("after logging in he is at %s", bas.at)
	}
	bas.reads("Administratiekantoor Telraam", "VAT return").press(link + "/accept").reads(bas.word("done active"))
}
