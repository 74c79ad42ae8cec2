package xmlsec

import "fmt"

// longestID is generous: identifiers in the field have up to 70 characters.
const longestID = 256

// uniqueIDs refuses a document in which two elements answer to one ID, whichever
// kind of ID it is: SAML's ID, the Id of signatures and encryption, xml:id,
// wsu:Id. Verifiers have looked one up and found the other.
func (t *tokens) uniqueIDs(doc []byte) error {
	for _, i := range t.ids {
		id := t.attrs[i].meaning(doc)
		if len(id) > longestID || !isNCName(id) {
			return fmt.Errorf("%w: %.40q", ErrBadID, id)
		}
		if !t.firstTime(id) {
			return fmt.Errorf("%w: %q", ErrDuplicateID, id)
		}
	}
	return nil
}

// isIDName reports whether an attribute is an identifier by its local name: ID in any
// mixture of cases.
func isIDName[T string | []byte](local T) bool {
	return len(local) == 2 && local[0]|0x20 == 'i' && local[1]|0x20 == 'd'
}
