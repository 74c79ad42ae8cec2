package signing

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Token says where a key of the engine pkcs11 is.
type Token struct {
	// Module is the path of the security module's library.
	Module string
	// Key names the key on a token of it.
	Key URI
	// PIN reads the token's PIN whenever somebody must log in. It is not kept.
	PIN func() (string, error)
	// Sessions is how many signatures the token makes at once; more wait for a place. The
	// token may allow fewer. 0: 32.
	Sessions int
}

// URI is a PKCS #11 URI (RFC 7512) that names a private key. Of what that grammar has, it
// takes what names one key of one token:
//
//	pkcs11:token=LABEL;object=LABEL?pin-source=FILE
//	pkcs11:serial=SERIAL;id=%A1%B2;type=private?pin-source=file:FILE&module-path=FILE
//
// Either token or serial, and object, id or both. A PIN never stands in it.
type URI struct {
	TokenLabel string
	Serial     string
	Object     string // label of the key; "": any
	ID         []byte // nil: any
	PINSource  string // path of the file that holds the PIN alone; "": not said
	ModulePath string // "": not said
}

// IsURI tells whether a text wants to be a PKCS #11 URI.
func IsURI(text string) bool { return strings.HasPrefix(text, scheme) }

const scheme = "pkcs11:"

// ParseURI reads a URI. Attributes that it would have to ignore are refused, since each is
// there to name another key.
func ParseURI(text string) (URI, error) {
	rest, ok := strings.CutPrefix(text, scheme)
	if !ok {
		return URI{}, errors.New("a PKCS #11 URI begins with pkcs11 and a colon")
	}
	path, query, _ := strings.Cut(rest, "?")
	var u URI
	seen := map[string]bool{}
	if err := attributes(path, ";", seen, u.pathAttribute); err != nil {
		return URI{}, err
	}
	if err := attributes(query, "&", seen, u.queryAttribute); err != nil {
		return URI{}, err
	}
	return u, u.complete()
}

// attributes visits the attributes of one part, in which none may stand twice.
func attributes(part, separator string, seen map[string]bool, take func(name, value string) error) error {
	if part == "" {
		return nil
	}
	for attribute := range strings.SplitSeq(part, separator) {
		name, escaped, ok := strings.Cut(attribute, "=")
		value, err := url.PathUnescape(escaped)
		switch {
		case !ok || err != nil || value == "":
			return fmt.Errorf("a PKCS #11 URI has attributes as name=value: %s is none", name)
		case seen[name]:
			return fmt.Errorf("%s stands twice in the PKCS #11 URI", name)
		}
		seen[name] = true
		if err := take(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (u *URI) pathAttribute(name, value string) error {
	switch name {
	case "token":
		u.TokenLabel = value
	case "serial":
		u.Serial = value
	case "object":
		u.Object = value
	case "id":
		u.ID = []byte(value)
	case "type":
		if value != "private" {
			return errors.New("a key that signs is of type=private")
		}
	default:
		return unknown(name)
	}
	return nil
}

func (u *URI) queryAttribute(name, value string) error {
	switch name {
	case "pin-source":
		if strings.HasPrefix(value, "|") {
			return errors.New("pin-source is a file: no command is run")
		}
		u.PINSource = strings.TrimPrefix(value, "file:")
	case "module-path":
		u.ModulePath = value
	case "pin-value":
		return errors.New("a PIN does not stand in a configuration: put it into a file of mode 0600 and name that as pin-source")
	default:
		return unknown(name)
	}
	return nil
}

func unknown(name string) error {
	return fmt.Errorf("%q in a PKCS #11 URI is not used here: name the key by token or serial, object and id", name)
}

func (u URI) complete() error {
	switch {
	case u.TokenLabel == "" && u.Serial == "":
		return errors.New("the PKCS #11 URI names no token: add token=LABEL")
	case u.TokenLabel != "" && u.Serial != "":
		return errors.New("the PKCS #11 URI names a token twice: leave token or serial out")
	case u.Object == "" && u.ID == nil:
		return errors.New("the PKCS #11 URI names no key: add object=LABEL")
	}
	return nil
}

// String names the key as errors and people need it.
func (u URI) String() string {
	var parts []string
	for _, p := range []struct{ name, value string }{{"token", u.TokenLabel}, {"serial", u.Serial}, {"object", u.Object}, {"id", hex.EncodeToString(u.ID)}} {
		if p.value != "" {
			parts = append(parts, p.name+" "+p.value)
		}
	}
	return strings.Join(parts, ", ")
}
