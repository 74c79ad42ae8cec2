//go:build pkcs11 && cgo

package signing

import (
	"crypto"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"
)

// module is a key in a security module.
type module struct {
	token *token
	uri   URI
	found atomic.Pointer[found]
}

// found is a handle of the key, good for as long as its opening of the token is.
type found struct {
	opening int
	key     crypto11.RSAPrivateKey
}

var errNoKey = errors.New("there is no such private key of RSA")

// openPKCS11 logs in to the token, unless somebody in this process has, and looks for the
// key. The place on the token is given back when nobody can reach the engine any more.
func openPKCS11(t Token) (engine, error) {
	shared, err := join(t)
	if err != nil {
		return nil, fmt.Errorf("signing: %s: %w", t.Key, err)
	}
	m := &module{token: shared, uri: t.Key}
	runtime.AddCleanup(m, (*token).leave, shared)
	err = shared.use(func(o opening) error {
		_, err := m.handle(o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("signing: %s: %w", t.Key, err)
	}
	return m, nil
}

func (m *module) sign(digest []byte) (signature []byte, err error) {
	err = m.token.use(func(o opening) error {
		key, err := m.handle(o)
		if err != nil {
			return err
		}
		signature, err = key.Sign(nil, digest, crypto.SHA256)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("signing: %s: %w", m.uri, err)
	}
	return signature, nil
}

func (*module) checksItself() bool { return false }

// handle looks for the key once per opening of the token.
func (m *module) handle(o opening) (crypto11.RSAPrivateKey, error) {
	if f := m.found.Load(); f != nil && f.opening == o.number {
		return f.key, nil
	}
	var label []byte
	if m.uri.Object != "" {
		label = []byte(m.uri.Object)
	}
	keys, err := o.context.FindRSAPrivateKeys(m.uri.ID, label)
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 0:
		return nil, errNoKey
	case len(keys) > 1:
		return nil, errors.New("several private keys go by that name: add id to the PKCS #11 URI")
	}
	m.found.Store(&found{o.number, keys[0]})
	return keys[0], nil
}

// lost tells whether an error may be over once the token is opened anew: it was taken out
// and put back, its sessions were closed from the other side, or the module has lost its
// way. SoftHSM shows a token that was taken out as handles that are not valid and objects
// that are not found.
func lost(err error) bool {
	if errors.Is(err, errNoKey) || errors.Is(err, errShut) {
		return true
	}
	var code pkcs11.Error
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED,
		pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_DEVICE_MEMORY,
		pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED, pkcs11.CKR_SLOT_ID_INVALID,
		pkcs11.CKR_OBJECT_HANDLE_INVALID, pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_USER_NOT_LOGGED_IN,
		pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED, pkcs11.CKR_GENERAL_ERROR, pkcs11.CKR_FUNCTION_FAILED:
		return true
	}
	return false
}
