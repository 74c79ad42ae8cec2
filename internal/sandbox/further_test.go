package sandbox_test

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// chooses presses the button of a company in the register's list.
func (b *browser) chooses(number string) *browser {
	b.t.Helper()
	row := b.find(func(n *html.Node) bool {
		return n.Data == "li" && strings.Contains(textOf(n), number)
	})
	if row == nil {
		b.t.Fatalf("%s is not in the list: %s", number, b.text())
	}
	for n := range row.Descendants() {
		if n.Data == "button" && attr(n, "name") == "choice" {
			return b.press(attr(n, "value"), nil)
		}
	}
	b.t.Fatalf("%s cannot be chosen: %s", number, textOf(row))
	return nil
}

func textOf(n *html.Node) string {
	var words []string
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			words = append(words, strings.Fields(c.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// Who has a company of her own and clients chooses for whom she comes.
func TestOwnCompanyAndClients(t *testing.T) {
	s := open(t)
	for number, through := range map[string]string{"67890123": "", "23456789": "87654321", "45678901": "87654321"} {
		b := newBrowser(t, s).logIn(s, "/vat/", "Noor Willems", "", nil)
		b.reads("Your own organisation", "Clients")
		b.chooses(number).reads("You are logged in", number, through)
		if through == "" && strings.Contains(b.text(), "87654321") {
			t.Errorf("her own company through the office: %s", b.text())
		}
	}
}

// The clients of whom her register does not know Mila finds by the button that asks others.
func TestClientFoundAtAnotherRegister(t *testing.T) {
	s := open(t)
	b := newBrowser(t, s).logIn(s, "/vat/", "Mila Peeters", "", nil)
	button := b.find(func(n *html.Node) bool { return n.Data == "button" && attr(n, "name") == "elsewhere" })
	if button == nil {
		t.Fatalf("no button asks other registers: %s", b.text())
	}
	b.press(attr(button, "value"), nil).reads("Kaasmakerij De Wei")
	b.chooses("56789012").reads("You are logged in", "56789012", "87654321")
}

// Behind a portal one chooses services, and the provider reads which.
func TestPortal(t *testing.T) {
	s := open(t)
	b := newBrowser(t, s).logIn(s, "/portal/", "Otto Brands", "", nil)
	b.chooses("23456789")
	if boxes := b.checked("service"); len(boxes) != 2 {
		t.Fatalf("%d services: %s", len(boxes), b.text())
	} else {
		b.press("", url.Values{"service": boxes[:1]}).reads("You are logged in", "23456789", "Service behind the portal "+boxes[0])
		if strings.Contains(b.text(), boxes[1]) {
			t.Errorf("the provider also reads the other: %s", b.text())
		}
	}
}

// checked are the values of the ticked boxes of a name.
func (b *browser) checked(name string) (values []string) {
	for n := range b.page.Descendants() {
		if n.Data == "input" && attr(n, "type") == "checkbox" && attr(n, "name") == name && attr(n, "checked") != "" {
			values = append(values, attr(n, "value"))
		}
	}
	return values
}

// Each error that the scheme knows has somebody to whom it happens, every time.
func TestEveryError(t *testing.T) {
	s := open(t)
	for _, c := range []struct{ who, status, reason string }{
		{"Ilse Kok", "Responder/AuthnFailed", "revoked"},
		{"Jaap Meijer", "Responder", "Because of a fault it is not known"},
		{"Karim El Amrani", "Requester", "audience"},
		{"Lotte Jansen", "Requester/RequestUnsupported", "expired"},
	} {
		for range 2 {
			b := newBrowser(t, s).logIn(s, "/vat/", c.who, "", nil)
			b.reads("You are not logged in", "Status in the answer: "+c.status+" ", c.reason)
		}
	}
}
