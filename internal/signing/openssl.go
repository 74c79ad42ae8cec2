//go:build openssl && cgo

package signing

/*
#cgo LDFLAGS: -lcrypto
#cgo noescape signing_load
#cgo nocallback signing_load
#cgo noescape signing_sign
#cgo nocallback signing_sign
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

// The error queue belongs to the thread, and a goroutine may go on in another: so each
// call takes the reason with it.
static EVP_PKEY *signing_load(const unsigned char *der, long length, unsigned long *reason)
{
	EVP_PKEY *key;
	ERR_clear_error();
	key = d2i_AutoPrivateKey(NULL, &der, length);
	if (key == NULL) *reason = ERR_peek_last_error();
	return key;
}

static int signing_sign(EVP_PKEY *key, const unsigned char *digest, size_t digest_length,
	unsigned char *signature, size_t *length, unsigned long *reason)
{
	int ok;
	EVP_PKEY_CTX *ctx;
	ERR_clear_error();
	ctx = EVP_PKEY_CTX_new(key, NULL);
	ok = ctx != NULL
		&& EVP_PKEY_sign_init(ctx) > 0
		&& EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0
		&& EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0
		&& EVP_PKEY_sign(ctx, signature, length, digest, digest_length) > 0;
	if (!ok) *reason = ERR_peek_last_error();
	EVP_PKEY_CTX_free(ctx);
	return ok;
}
*/
import "C"

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// libcrypto is OpenSSL. One EVP_PKEY serves all goroutines: each signature has a context
// of its own, and OpenSSL locks what they share (openssl-threads(7)).
type libcrypto struct {
	key  *C.EVP_PKEY
	size int // of a signature, in bytes
}

// openOpenSSL copies the key into OpenSSL's memory, which is given back when nobody can
// reach the engine any more.
func openOpenSSL(private *rsa.PrivateKey) (engine, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	var reason C.ulong
	key := C.signing_load((*C.uchar)(unsafe.Pointer(&der[0])), C.long(len(der)), &reason)
	if key == nil {
		return nil, fmt.Errorf("signing: openssl does not read the key: %w", opensslError(reason))
	}
	l := &libcrypto{key, private.Size()}
	runtime.AddCleanup(l, func(key *C.EVP_PKEY) { C.EVP_PKEY_free(key) }, key)
	return l, nil
}

func (l *libcrypto) sign(digest []byte) ([]byte, error) {
	signature := make([]byte, l.size)
	length, reason := C.size_t(l.size), C.ulong(0)
	ok := C.signing_sign(l.key, (*C.uchar)(unsafe.Pointer(&digest[0])), C.size_t(len(digest)),
		(*C.uchar)(unsafe.Pointer(&signature[0])), &length, &reason)
	runtime.KeepAlive(l) // not freed while C has it
	if ok != 1 {
		return nil, fmt.Errorf("signing: openssl: %w", opensslError(reason))
	}
	return signature[:length], nil
}

func (*libcrypto) checksItself() bool { return false }

// opensslError tells OpenSSL's reason in its own words.
func opensslError(reason C.ulong) error {
	var text [256]C.char
	C.ERR_error_string_n(reason, &text[0], C.size_t(len(text)))
	return errors.New(C.GoString(&text[0]))
}
