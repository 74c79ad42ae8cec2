package xmlsec

// Limits bounds what the gate lets through. Its purpose is to make the most
// expensive hostile document cheap: everything here is counted before a tree is
// built, because building and canonicalizing trees is what attackers make slow.
// A limit that is zero lets nothing through.
type Limits struct {
	Bytes          int  // size of the document
	Depth          int  // elements inside each other, the root being one
	Elements       int  // in the whole document
	Attributes     int  // of one element, namespace declarations included
	Namespaces     int  // declarations in scope at any one point
	Tokens         int  // start tags, attributes, end tags, runs of text and comments together
	AttributeBytes int  // of one attribute value as written
	Comments       bool // comments may occur; they are dropped before the tree is built
}

// MessageLimits is for what peers send. A real answer has 190 elements, some 900
// tokens and a depth of 13.
//
// Honest peers send no comments, and goxmldsig 1.6.1 removes them in quadratic
// time from messages whose signature they do not break. The bound on namespaces in
// scope is there because it copies all of them at every element.
var MessageLimits = Limits{
	Bytes: 256 << 10, Depth: 64, Elements: 1000, Attributes: 64, Namespaces: 64,
	Tokens: 6000, AttributeBytes: 16 << 10,
}

// DocumentLimits is for the service catalogue and the metadata of participants:
// large, edited by people, and fetched from where the operator says.
var DocumentLimits = Limits{
	Bytes: 64 << 20, Depth: 32, Elements: 2_000_000, Attributes: 64, Namespaces: 64,
	Tokens: 8_000_000, AttributeBytes: 64 << 10, Comments: true,
}
