//go:build !pkcs11 || !cgo

package signing

import "fmt"

func openPKCS11(Token) (engine, error) {
	return nil, fmt.Errorf("%w: for pkcs11, build with \"make build TAGS=pkcs11\"", ErrNotBuilt)
}
