package xmlsec

import (
	"crypto"
	"encoding/base64"
	"fmt"
)

// sealed is an encrypted element that is built as it should be, with the one key
// that is meant for us.
type sealed struct {
	data sealedData
	key  sealedKey
}

type sealedData struct {
	gcm   bool
	value []byte
}

type sealedKey struct {
	name      string // of the recipient's key; empty: not said
	hash, mgf crypto.Hash
	value     []byte
}

// readSealed judges the shape and the algorithms before any key is used, and picks
// the encrypted key for the recipient. Only what stands inside this one element is
// looked at: no reference leads out of it.
func readSealed(n *Node, recipient string) (sealed, error) {
	data, err := n.One(nameEncryptedData)
	if err != nil {
		return sealed{}, misbuilt("no EncryptedData")
	}
	s := sealed{}
	if s.data, err = readSealedData(data); err != nil {
		return sealed{}, err
	}
	candidates, err := encryptedKeys(n, data)
	if err != nil {
		return sealed{}, err
	}
	var mine *Node
	for _, k := range candidates {
		if to, _ := k.Attr("Recipient"); to != recipient {
			continue
		}
		if mine != nil {
			return sealed{}, misbuilt("two keys for one recipient")
		}
		mine = k
	}
	if mine == nil {
		return sealed{}, ErrNotForUs
	}
	s.key, err = readSealedKey(mine)
	return s, err
}

func readSealedData(n *Node) (sealedData, error) {
	if kind, ok := n.Attr("Type"); ok && kind != typeElement {
		return sealedData{}, misbuilt("what is encrypted is not an element")
	}
	method, err := n.One(nameEncryptionMethod)
	if err != nil {
		return sealedData{}, misbuilt("no algorithm for the data")
	}
	name, _ := method.Attr("Algorithm")
	if name != algorithmCBC && name != algorithmGCM || !blank(method) {
		return sealedData{}, fmt.Errorf("%w: %.80q", ErrAlgorithm, name)
	}
	value, err := cipherValue(n)
	return sealedData{gcm: name == algorithmGCM, value: value}, err
}

// encryptedKeys returns the keys that the data's KeyInfo can mean: the siblings of
// the data and those inside its KeyInfo (SAML 2.0 core, section 6.1), narrowed by
// a RetrievalMethod or by the name of the content key (errata, E43).
func encryptedKeys(n, data *Node) ([]*Node, error) {
	keys := n.All(nameEncryptedKey)
	info, err := data.Maybe(nameKeyInfo)
	if err != nil {
		return nil, misbuilt("more than one KeyInfo")
	}
	if info == nil {
		return keys, nil
	}
	keys = append(keys, info.All(nameEncryptedKey)...)
	if methods := info.All(nameRetrievalMethod); len(methods) > 0 {
		return retrieve(keys, methods)
	}
	name, named, err := keyName(info)
	if err != nil {
		return nil, misbuilt("more than one key name")
	}
	if named {
		keys = carrying(keys, name)
	}
	return keys, nil
}

// retrieve follows each RetrievalMethod to the key beside the data that it means.
func retrieve(keys, methods []*Node) ([]*Node, error) {
	var found []*Node
	for _, m := range methods {
		kind, _ := m.Attr("Type")
		uri, _ := m.Attr("URI")
		key := byID(keys, uri)
		if kind != typeEncryptedKey || !blank(m) || key == nil {
			return nil, misbuilt("a RetrievalMethod leads nowhere")
		}
		found = append(found, key)
	}
	return found, nil
}

func byID(keys []*Node, uri string) *Node {
	for _, k := range keys {
		if id, ok := k.Attr("Id"); ok && uri == "#"+id {
			return k
		}
	}
	return nil
}

// carrying keeps the keys that carry that name, or none.
func carrying(keys []*Node, name string) []*Node {
	var found []*Node
	for _, k := range keys {
		carried := k.All(nameCarriedKeyName)
		if len(carried) == 0 || len(carried) == 1 && carried[0].Text == name {
			found = append(found, k)
		}
	}
	return found
}

func readSealedKey(n *Node) (sealedKey, error) {
	method, err := n.One(nameEncryptionMethod)
	if err != nil {
		return sealedKey{}, misbuilt("no algorithm for the key")
	}
	k := sealedKey{}
	if k.hash, k.mgf, err = transport(method); err != nil {
		return sealedKey{}, err
	}
	info, err := n.Maybe(nameKeyInfo)
	if err != nil {
		return sealedKey{}, misbuilt("more than one KeyInfo")
	}
	if info != nil {
		if k.name, _, err = keyName(info); err != nil {
			return sealedKey{}, misbuilt("more than one key name")
		}
	}
	k.value, err = cipherValue(n)
	return k, err
}

// transport reads how the content key is encrypted: OAEP in the first spelling,
// whose mask generation is always SHA-1, or in that of XML Encryption 1.1, section
// 5.5.2, which names both. Labels (OAEPparams) are not in use.
func transport(method *Node) (hash, mgf crypto.Hash, err error) {
	name, _ := method.Attr("Algorithm")
	if name != algorithmOAEPMGF1 && name != algorithmOAEP {
		return 0, 0, fmt.Errorf("%w: %.80q", ErrAlgorithm, name)
	}
	if err := method.Only(nameDigestMethod, nameMGF); err != nil {
		return 0, 0, fmt.Errorf("%w: parameters of %q", ErrAlgorithm, name)
	}
	hash, err = hashOf(method, nameDigestMethod, algorithmSHA1, algorithmSHA256)
	if err != nil {
		return 0, 0, err
	}
	if name == algorithmOAEPMGF1 && len(method.All(nameMGF)) > 0 {
		return 0, 0, fmt.Errorf("%w: mask generation with %q", ErrAlgorithm, name)
	}
	mgf, err = hashOf(method, nameMGF, algorithmMGFSHA1, algorithmMGF256)
	return hash, mgf, err
}

// hashOf reads which of two hashes a parameter names. Absent, it is SHA-1.
func hashOf(method *Node, parameter Name, sha1, sha256 string) (crypto.Hash, error) {
	n, err := method.Maybe(parameter)
	if err != nil {
		return 0, fmt.Errorf("%w: %s given twice", ErrAlgorithm, parameter.Local)
	}
	if n == nil {
		return crypto.SHA1, nil
	}
	switch name, _ := n.Attr("Algorithm"); name {
	case sha1:
		return crypto.SHA1, nil
	case sha256:
		return crypto.SHA256, nil
	default:
		return 0, fmt.Errorf("%w: %.80q", ErrAlgorithm, name)
	}
}

func cipherValue(n *Node) ([]byte, error) {
	data, err := n.One(nameCipherData)
	if err != nil {
		return nil, misbuilt("no CipherData")
	}
	value, err := data.One(nameCipherValue)
	if err != nil {
		return nil, misbuilt("no CipherValue") // a CipherReference would be fetched
	}
	text, err := value.Value()
	if err != nil {
		return nil, misbuilt("elements in CipherValue")
	}
	b, err := base64.StdEncoding.DecodeString(stripSpace(text)) // peers break lines
	if err != nil {
		return nil, misbuilt("CipherValue is not base64")
	}
	return b, nil
}

func misbuilt(why string) error { return fmt.Errorf("%w: %s", ErrEncryption, why) }
