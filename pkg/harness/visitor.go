package harness

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// Visitor is a user's browser, without script: it keeps cookies, follows redirects, fills in
// forms, and stops when it is sent back to the broker.
type Visitor struct {
	Language string // that the user reads, nl or en; "": none is told

	client *http.Client
	broker string // where it stops
}

// Visitor gives a browser that has never been anywhere.
func (n *Network) Visitor() *Visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // without options there is nothing that could be wrong
	}
	v := &Visitor{broker: n.Broker.Consumer}
	v.client = &http.Client{
		Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(r *http.Request, before []*http.Request) error {
			if strings.HasPrefix(r.URL.String(), v.broker) {
				return http.ErrUseLastResponse
			}
			if len(before) > 5 {
				return errors.New("sent on and on")
			}
			return nil
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // a user who clicks warnings away
	}
	return v
}

// Carry gives the browser a cookie for an address, as if it had been there before.
func (v *Visitor) Carry(address string, c *http.Cookie) error {
	to, err := url.Parse(address)
	if err == nil {
		v.client.Jar.SetCookies(to, []*http.Cookie{c})
	}
	return err
}

// VisitorPage is what a visitor sees.
type VisitorPage struct {
	Status int
	Header http.Header
	Title  string
	Text   string // all that can be read, a space between parts

	// Back is the address at the broker to which the browser has been sent; "": it is still
	// at a register.
	Back string

	// Offers are the companies in the list, also those that cannot be chosen.
	Offers []Offer

	visitor *Visitor
	at      *url.URL
	root    *html.Node
}

// Offer is a company in a list.
type Offer struct {
	Name  string
	Text  string // all that is said about it
	Token string // what its button sends; "": it has none
}

// Open brings the browser to an address.
func (v *Visitor) Open(ctx context.Context, address string) (*VisitorPage, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return v.do(r)
}

func (v *Visitor) do(r *http.Request) (*VisitorPage, error) {
	if v.Language != "" {
		r.Header.Set("Accept-Language", v.Language)
	}
	response, err := v.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	page := &VisitorPage{Status: response.StatusCode, Header: response.Header, visitor: v, at: response.Request.URL}
	if to := response.Header.Get("Location"); strings.HasPrefix(to, v.broker) {
		page.Back = to
		return page, nil
	}
	if page.root, err = html.Parse(response.Body); err != nil {
		return nil, err
	}
	page.read()
	return page, nil
}

// read finds what matters in a page.
func (p *VisitorPage) read() {
	for n := range p.root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "title":
			p.Title = textOf(n)
		case n.Data == "main":
			p.Text = textOf(n)
		case n.Data == "li" && n.Parent != nil && attributeOf(n.Parent, "class") == "rows":
			o := Offer{Text: textOf(n)}
			for c := range n.Descendants() {
				switch c.Data {
				case "h3":
					o.Name = textOf(c)
				case "button":
					if attributeOf(c, "name") == "choice" { // another one looks for its clients
						o.Token = attributeOf(c, "value")
					}
				}
			}
			p.Offers = append(p.Offers, o)
		}
	}
}

func textOf(n *html.Node) string {
	var words []string
	for c := range n.Descendants() {
		if c.Type == html.TextNode && c.Parent.Data != "style" {
			words = append(words, strings.Fields(c.Data)...)
		}
	}
	return strings.Join(words, " ")
}

func attributeOf(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// Choose presses the button of the first company of that name which can be chosen.
func (p *VisitorPage) Choose(ctx context.Context, name string) (*VisitorPage, error) {
	at := slices.IndexFunc(p.Offers, func(o Offer) bool { return o.Name == name && o.Token != "" })
	if at < 0 {
		return nil, fmt.Errorf("%s cannot be chosen on %q: %s", name, p.Title, p.Text)
	}
	return p.Send(ctx, url.Values{"choice": {p.Offers[at].Token}})
}

// ChooseBy presses the button of the first company of which the list says all of these words:
// its KvK number, or that and the number of an establishment. A company without establishments
// named is taken before one of its establishments.
func (p *VisitorPage) ChooseBy(ctx context.Context, words ...string) (*VisitorPage, error) {
	var best *Offer
	for i, o := range p.Offers {
		says := !slices.ContainsFunc(words, func(word string) bool { return !o.says(word) })
		if o.Token != "" && says && (best == nil || len(o.Text) < len(best.Text)) {
			best = &p.Offers[i]
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%s cannot be chosen on %q: %s", strings.Join(words, " with "), p.Title, p.Text)
	}
	return p.Send(ctx, url.Values{"choice": {best.Token}})
}

// says tells whether a word stands in what the list says, but for punctuation around it.
func (o Offer) says(word string) bool {
	return slices.ContainsFunc(strings.Fields(o.Text), func(w string) bool { return strings.Trim(w, ".,:;()") == word })
}

// Submit sends the page's first form to where it wants to go, with what it carries and what
// is filled in.
func (p *VisitorPage) Submit(ctx context.Context, fill url.Values) (*VisitorPage, error) {
	for n := range p.root.Descendants() {
		if n.Data != "form" {
			continue
		}
		to, err := p.at.Parse(attributeOf(n, "action"))
		if err != nil {
			return nil, err
		}
		form := p.Checked()
		maps.Copy(form, fill)
		return p.visitor.post(ctx, to.String(), form)
	}
	return nil, fmt.Errorf("there is no form on %q: %s", p.Title, p.Text)
}

// Search looks for a company.
func (p *VisitorPage) Search(ctx context.Context, text string) (*VisitorPage, error) {
	return p.Send(ctx, url.Values{"search": {text}})
}

// Leave cancels, or goes back to the website after reading why there is nothing to choose.
func (p *VisitorPage) Leave(ctx context.Context) (*VisitorPage, error) {
	return p.Send(ctx, url.Values{"leave": {"1"}})
}

// Button is what the first button with that text sends; "": there is none.
func (p *VisitorPage) Button(text string) string {
	for n := range p.root.Descendants() {
		if n.Data == "button" && textOf(n) == text {
			return attributeOf(n, "value")
		}
	}
	return ""
}

// Sends is what the first button of that name sends; "": there is none.
func (p *VisitorPage) Sends(name string) string {
	for n := range p.root.Descendants() {
		if n.Data == "button" && attributeOf(n, "name") == name {
			return attributeOf(n, "value")
		}
	}
	return ""
}

// Press presses the first button with that text.
func (p *VisitorPage) Press(ctx context.Context, text string) (*VisitorPage, error) {
	for n := range p.root.Descendants() {
		if n.Data == "button" && textOf(n) == text {
			return p.Send(ctx, url.Values{attributeOf(n, "name"): {attributeOf(n, "value")}})
		}
	}
	return nil, fmt.Errorf("there is no button %q on %q: %s", text, p.Title, p.Text)
}

// Follow presses the first link with that text.
func (p *VisitorPage) Follow(ctx context.Context, text string) (*VisitorPage, error) {
	for n := range p.root.Descendants() {
		if n.Data == "a" && textOf(n) == text {
			to, err := p.at.Parse(attributeOf(n, "href"))
			if err != nil {
				return nil, err
			}
			return p.visitor.Open(ctx, to.String())
		}
	}
	return nil, fmt.Errorf("there is no %q on %q", text, p.Title)
}

// Checked are the values of a form's hidden fields and of the boxes that are ticked.
func (p *VisitorPage) Checked() url.Values {
	values := url.Values{}
	for n := range p.root.Descendants() {
		_, ticked := map[string]bool{"hidden": true, "checkbox": true}[attributeOf(n, "type")]
		if n.Data == "input" && ticked {
			values.Add(attributeOf(n, "name"), attributeOf(n, "value"))
		}
	}
	return values
}

// Send sends a form of one's own making to the address of the page.
func (p *VisitorPage) Send(ctx context.Context, form url.Values) (*VisitorPage, error) {
	to := *p.at
	to.RawQuery = ""
	return p.visitor.post(ctx, to.String(), form)
}

func (v *Visitor) post(ctx context.Context, to string, form url.Values) (*VisitorPage, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

// Address is where the browser is.
func (p *VisitorPage) Address() string { return p.at.String() }

// Visitor is whose page it is.
func (p *VisitorPage) Visitor() *Visitor { return p.visitor }
