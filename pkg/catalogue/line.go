package catalogue

import (
	"bytes"
	"encoding/xml"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// locate fills in the line on which each wanted element begins. The tree that was
// read comes from canonical bytes, which have no lines of their own, so elements
// are counted in both: the n-th of the tree is the n-th of the document, the
// signature left out. Nothing but numbers for people is taken from this reading.
func locate(wanted map[*xmlsec.Node]int, root *xmlsec.Node, doc []byte) {
	if len(wanted) == 0 {
		return
	}
	ordinals := map[int]*xmlsec.Node{}
	number := 0
	var walk func(*xmlsec.Node)
	walk = func(n *xmlsec.Node) {
		if _, ok := wanted[n]; ok {
			ordinals[number] = n
		}
		number++
		for _, c := range n.Children {
			if n != root || c.Name != nameSignature {
				walk(c)
			}
		}
	}
	walk(root)
	eachLine(doc, func(number, line int) bool {
		if n := ordinals[number]; n != nil {
			wanted[n] = line
			delete(ordinals, number)
		}
		return len(ordinals) > 0
	})
}

// eachLine calls visit with the number and the line of every element that does not
// stand in the root's signature, until it returns false.
func eachLine(doc []byte, visit func(number, line int) bool) {
	tokens := xml.NewDecoder(bytes.NewReader(doc))
	number, depth, signature := 0, 0, 0 // signature: the depth it began at
	for {
		line, _ := tokens.InputPos()
		token, err := tokens.Token()
		if err != nil {
			return
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			if depth == 2 && t.Name == xml.Name(nameSignature) {
				signature = depth
			}
			if signature == 0 {
				if !visit(number, line) {
					return
				}
				number++
			}
		case xml.EndElement:
			if depth == signature {
				signature = 0
			}
			depth--
		}
	}
}
