//go:build !openssl && !pkcs11

package signing_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/signing"
)

// Asked for an engine that is not in the program, it says how to get one that has it.
func TestEnginesThatAreNotHere(t *testing.T) {
	key := keyring()["one"]
	for _, e := range []signing.Engine{signing.OpenSSL, signing.PKCS11} {
		_, err := signing.Open(e, signing.Options{Public: &key.PublicKey, Private: key})
		if !errors.Is(err, signing.ErrNotBuilt) || !strings.Contains(err.Error(), "make build TAGS="+string(e)) {
			t.Errorf("%s: %v", e, err)
		}
	}
}
