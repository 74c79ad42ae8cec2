package signing_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/internal/signing"
)

// What names one key of one token is read, escapes included.
func TestURIs(t *testing.T) {
	for text, want := range map[string]signing.URI{
		"pkcs11:token=mandated;object=signing":                             {TokenLabel: "mandated", Object: "signing"},
		"pkcs11:object=signing;token=mandated":                             {TokenLabel: "mandated", Object: "signing"},
		"pkcs11:token=a%20b%3B;id=%A1%b2?pin-source=pin.txt":               {TokenLabel: "a b;", ID: []byte{0xa1, 0xb2}, PINSource: "pin.txt"},
		"pkcs11:serial=1f;object=x;id=%01;type=private":                    {Serial: "1f", Object: "x", ID: []byte{1}},
		"pkcs11:token=m;object=x?pin-source=file:/p&module-path=/lib/m.so": {TokenLabel: "m", Object: "x", PINSource: "/p", ModulePath: "/lib/m.so"},
	} {
		got, err := signing.ParseURI(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
		if !signing.IsURI(text) {
			t.Errorf("%s is not known as one", text)
		}
	}
	if signing.IsURI("keys/pkcs11:signing.key") {
		t.Error("a file is taken for a URI")
	}
}

// What it does not use would name another key than the operator believes: so it is
// refused, and told by its name. A PIN in the configuration is refused, and not repeated.
func TestURIsThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"token=mandated;object=signing":                  "begins with pkcs11 and a colon",
		"PKCS11:token=mandated;object=signing":           "begins with pkcs11 and a colon",
		"pkcs11:":                                        "names no token",
		"pkcs11:object=signing":                          "names no token",
		"pkcs11:token=mandated":                          "names no key",
		"pkcs11:token=mandated;serial=1;object=x":        "names a token twice",
		"pkcs11:token=mandated;object=x;object=y":        "object stands twice",
		"pkcs11:token=mandated;object=x;":                "name=value",
		"pkcs11:token=mandated;object":                   "name=value",
		"pkcs11:token=mandated;object=":                  "name=value",
		"pkcs11:token=mandated;object=%zz":               "name=value",
		"pkcs11:token=mandated;object=x;type=public":     "type=private",
		"pkcs11:token=mandated;object=x;slot-id=3":       `"slot-id"`,
		"pkcs11:token=mandated;object=x;model=y":         `"model"`,
		"pkcs11:token=mandated;object=x?pin-value=4711":  "a PIN does not stand in a configuration",
		"pkcs11:token=mandated;object=x?pin-source=|cat": "no command is run",
		"pkcs11:token=mandated;object=x?module-name=y":   `"module-name"`,
		"pkcs11:token=mandated;pin-source=x":             `"pin-source"`,
	} {
		u, err := signing.ParseURI(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "4711") {
			t.Errorf("%s: %+v, %v; want %q", text, u, err, want)
		}
	}
}
