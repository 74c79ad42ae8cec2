//go:build openssl && cgo

package signing_test

import (
	"slices"
	"testing"

	"github.com/mandated/mandated/internal/signing"
)

func init() {
	signers["openssl"] = func(b testing.TB) *signing.Signer { return opened(b, signing.OpenSSL, keyring()["one"], nil) }
}

// Every test of engines in files is one of openssl too, in a build that has it.
func TestOpenSSLIsTested(t *testing.T) {
	if !slices.Contains(inFiles(), signing.OpenSSL) {
		t.Fatal("openssl is not among the engines")
	}
}
