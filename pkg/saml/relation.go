package saml

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Relation says that a company has mandated an intermediary at a register, for services at
// levels, until a moment. A register says so of itself alone. A mandate for very many
// services takes several relations.
type Relation struct {
	Represented etoegang.LegalSubject
	Name        string // of the company; "": the register has none
	Register    etoegang.EntityID
	Covers      []Covered
	Until       time.Time // from then on the mandate counts no more
}

// Covered is one service, or with a Provider all services of that provider, or with neither
// all services, at a level.
type Covered struct {
	Service  etoegang.ServiceUUID
	Provider etoegang.OIN
	Level    etoegang.AssuranceLevel
}

// attributeChainRelations is the SAML attribute in which relations are encrypted.
const attributeChainRelations = spaceChain + ":relations"

// Relations travel in bundles: encrypting each identifier by itself would cost the asker a
// private-key operation for each, half a minute for a hundred thousand clients. A bundle is
// what may be inside of something encrypted (xmlsec.Open), a page what may be in a message.
const (
	bundleElements = 60
	bundleTokens   = 480
	bundleBytes    = 24 << 10
	bundlesOfPage  = 24
	pageBytes      = 150 << 10 // before encryption, which makes four bytes out of three, and 2 KiB for each bundle
)

// longestName is the most letters that a company's name has (attribute catalogue).
const longestName = 200

// weight is what a relation takes of the bounds of a bundle.
type weight struct{ elements, tokens, bytes int }

func (w weight) plus(o weight) weight {
	return weight{w.elements + o.elements, w.tokens + o.tokens, w.bytes + o.bytes}
}

func (w weight) fits() bool {
	return w.elements <= bundleElements && w.tokens <= bundleTokens && w.bytes <= bundleBytes
}

// mostCovered is how many services stand in one relation.
const mostCovered = 40

// parts makes relations out of one that are not too large for a bundle.
func (r Relation) parts() (list []Relation) {
	for len(r.Covers) > mostCovered {
		part := r
		part.Covers, r.Covers = r.Covers[:mostCovered], r.Covers[mostCovered:]
		list = append(list, part)
	}
	return append(list, r)
}

// weigh counts what a relation's element takes: beside itself and the identifier an element
// for each service, each of a start, an end, a text and an attribute or two.
func (r Relation) weigh(e *xmlsec.Element) weight {
	return weight{2 + len(r.Covers), 12 + 6*len(r.Covers), len(e.Bytes())}
}

// bundle is a number of relations on their way.
type bundle struct {
	weight
	relations []*xmlsec.Element
}

// packing puts relations into the bundles of a page.
type packing struct {
	bundles []bundle
	bytes   int
}

// around is what stands around the relations of a bundle.
var around = weight{elements: 3, tokens: 16, bytes: 512}

// add puts all parts of a relation in, and tells whether the page is not too full now.
func (p *packing) add(r Relation) bool {
	for _, part := range r.parts() {
		e := part.element()
		w := part.weigh(e)
		last := len(p.bundles) - 1
		if last < 0 || !p.bundles[last].plus(w).fits() {
			p.bundles = append(p.bundles, bundle{weight: around})
			p.bytes += around.bytes
			last++
		}
		b := &p.bundles[last]
		b.weight, b.relations = b.plus(w), append(b.relations, e)
		p.bytes += w.bytes
	}
	return len(p.bundles) <= bundlesOfPage && p.bytes <= pageBytes
}

// FitRelations tells how many of the relations, from the first on, fit into one page.
func FitRelations(list []Relation) int {
	var p packing
	for i, r := range list {
		if !p.add(r) {
			return i
		}
	}
	return len(list)
}

// sealRelations encrypts the relations of a page.
func sealRelations(list []Relation, to xmlsec.Recipient) (sealed []*xmlsec.Element, err error) {
	var p packing
	for _, r := range list {
		if !p.add(r) {
			return nil, problem(ProblemMalformed, "more relations than fit into a page")
		}
	}
	for _, b := range p.bundles {
		e, err := xmlsec.Seal(samlAttribute(attributeChainRelations, xmlsec.E("chain:Relations", b.relations)), to)
		if err != nil {
			return nil, err
		}
		sealed = append(sealed, e)
	}
	return sealed, nil
}

func (r Relation) element() *xmlsec.Element {
	attributes := []xmlsec.Attribute{xmlsec.A("Register", r.Register.String()), xmlsec.A("NotOnOrAfter", stamp(r.Until))}
	if r.Name != "" && utf8.RuneCountInString(r.Name) <= longestName {
		attributes = append(attributes, xmlsec.A("CompanyName", r.Name))
	}
	return xmlsec.E("chain:Relation", attributes, PlainName(r.Represented), each(r.Covers, Covered.element))
}

func (c Covered) element() *xmlsec.Element {
	level := xmlsec.A("LevelOfAssurance", c.Level.URN())
	switch {
	case !c.Service.IsZero():
		return xmlsec.E("chain:ServiceUUID", level, c.Service.String())
	case !c.Provider.IsZero():
		return xmlsec.E("chain:ServicesOf", level, c.Provider.String())
	}
	return xmlsec.E("chain:AllServices", level)
}

// openRelations decrypts and reads the relations of a page, all of them or none.
func openRelations(page *xmlsec.Node, self etoegang.EntityID, keys []xmlsec.Opener) (list []Relation, err error) {
	if err := page.Only(inSAML("EncryptedAttribute")); err != nil {
		return nil, wrap(ProblemForbidden, err, "Page")
	}
	for _, sealed := range page.Children {
		opened, err := xmlsec.Open(sealed, self.String(), keys)
		if err != nil {
			return nil, wrap(ProblemEncryption, err, "Page")
		}
		relations, err := readBundle(opened)
		if err != nil {
			return nil, wrap(ProblemEncryption, err, "Page")
		}
		for _, n := range relations {
			r, err := readRelation(n)
			if err != nil {
				return nil, wrap(ProblemEncryption, err, "Page")
			}
			list = append(list, r)
		}
	}
	return list, nil
}

// readBundle gives the relations in a bundle: at least one, or it would not be there.
func readBundle(n *xmlsec.Node) ([]*xmlsec.Node, error) {
	if name, _ := n.Attr("Name"); n.Name != inSAML("Attribute") || name != attributeChainRelations {
		return nil, problem(ProblemMalformed, "what is encrypted are no relations")
	}
	for _, step := range []xmlsec.Name{inSAML("AttributeValue"), inChain("Relations")} {
		if err := n.Only(step); err != nil {
			return nil, err
		}
		var err error
		if n, err = n.One(step); err != nil {
			return nil, err
		}
	}
	if len(n.Children) == 0 {
		return nil, problem(ProblemMalformed, "Relations is empty")
	}
	return n.Children, n.Only(inChain("Relation"))
}

func readRelation(n *xmlsec.Node) (r Relation, err error) {
	if err := n.Only(inSAML("NameID"), inChain("ServiceUUID"), inChain("ServicesOf"), inChain("AllServices")); err != nil {
		return r, err
	}
	name, err := n.One(inSAML("NameID"))
	if err != nil {
		return r, err
	}
	if r.Represented, err = readSubject(name); err != nil {
		return r, err
	}
	register, err := attribute(n, "Register")
	if err != nil {
		return r, err
	}
	if r.Register, err = etoegang.ParseEntityID(register); err != nil {
		return r, err
	}
	if r.Until, err = moment(n, "NotOnOrAfter"); err != nil {
		return r, err
	}
	if r.Name, _ = n.Attr("CompanyName"); utf8.RuneCountInString(r.Name) > longestName {
		return r, problem(ProblemMalformed, "CompanyName has more than %d letters", longestName)
	}
	if strings.ContainsFunc(r.Name, moves) {
		r.Name = ""
	}
	r.Covers, err = readCovers(n)
	return r, err
}

// moves tells whether a character changes what stands around a name where it is shown: it
// breaks the line, speaks to a terminal or turns the direction of writing. Whose name has
// one has no name, for the whole list need not be wrong.
func moves(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp)
}

// readCovers reads what a relation covers: something, and nothing twice.
func readCovers(n *xmlsec.Node) (list []Covered, err error) {
	seen := map[Covered]bool{}
	for _, child := range n.Children {
		if child.Name == inSAML("NameID") {
			continue
		}
		c, err := readCovered(child)
		if err != nil {
			return nil, err
		}
		what := Covered{Service: c.Service, Provider: c.Provider}
		if seen[what] {
			return nil, problem(ProblemMalformed, "a relation covers the same twice")
		}
		seen[what] = true
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, problem(ProblemMalformed, "a relation covers nothing")
	}
	return list, nil
}

func readCovered(n *xmlsec.Node) (c Covered, err error) {
	level, err := attribute(n, "LevelOfAssurance")
	if err != nil {
		return c, err
	}
	if c.Level, err = etoegang.ParseAssuranceLevel(level); err != nil {
		return c, err
	}
	if !c.Level.Supported() {
		return c, problem(ProblemMalformed, "no mandate has the level %s", c.Level)
	}
	if n.Name == inChain("AllServices") {
		if s, err := n.Value(); err != nil || s != "" {
			return c, problem(ProblemMalformed, "AllServices has content")
		}
		return c, nil
	}
	s, err := value(n)
	if err != nil {
		return c, err
	}
	if n.Name == inChain("ServiceUUID") {
		c.Service, err = etoegang.ParseServiceUUID(s)
	} else {
		c.Provider, err = etoegang.ParseOIN(s)
	}
	return c, err
}

// answers tells whether the relation is what was asked of that register: it speaks of
// itself, of the client asked for where both name him in one way, and of what covers the
// service at the level. Which provider offers a service is for the asker to know.
func (r Relation) answers(f ChainFilter, from etoegang.EntityID) error {
	if r.Register != from {
		return problem(ProblemStatement, "%s speaks of another register", from)
	}
	if r.Represented.Type() == f.Represented.Type() && r.Represented != f.Represented {
		return problem(ProblemLink, "the answer of %s is about another company", from)
	}
	for _, c := range r.Covers {
		if c.Level < f.Level || !f.Service.IsZero() && !c.Service.IsZero() && c.Service != f.Service {
			return problem(ProblemLink, "the answer of %s is about another service or level", from)
		}
	}
	return nil
}
