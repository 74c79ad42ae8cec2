//go:build !openssl || !cgo

package signing

import (
	"crypto/rsa"
	"fmt"
)

func openOpenSSL(*rsa.PrivateKey) (engine, error) {
	return nil, fmt.Errorf("%w: for openssl, build with \"make build TAGS=openssl\"", ErrNotBuilt)
}
