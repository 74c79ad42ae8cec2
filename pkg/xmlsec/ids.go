package xmlsec

import (
	"fmt"
	"strings"
)

// longestID is generous: identifiers in the field have up to 70 characters.
const longestID = 256

// uniqueIDs refuses a document in which two elements answer to one ID, whichever
// kind of ID it is: SAML's ID, the Id of signatures and encryption, xml:id,
// wsu:Id. Verifiers have looked one up and found the other.
func uniqueIDs(root *Node) error {
	seen := make(map[string]bool)
	return root.each(func(n *Node) error {
		for _, a := range n.Attrs {
			if !equalFoldID(a.Name.Local) {
				continue
			}
			if len(a.Value) > longestID || !isNCName(a.Value) {
				return fmt.Errorf("%w: %.40q", ErrBadID, a.Value)
			}
			if seen[a.Value] {
				return fmt.Errorf("%w: %q", ErrDuplicateID, a.Value)
			}
			seen[a.Value] = true
		}
		return nil
	})
}

// each calls visit for the node and everything below it, in document order, until
// visit returns an error. The gate has bounded the depth.
func (n *Node) each(visit func(*Node) error) error {
	if err := visit(n); err != nil {
		return err
	}
	for _, c := range n.Children {
		if err := c.each(visit); err != nil {
			return err
		}
	}
	return nil
}

// equalFoldID reports whether an attribute is an identifier by its local name.
func equalFoldID(local string) bool { return strings.EqualFold(local, "id") }
