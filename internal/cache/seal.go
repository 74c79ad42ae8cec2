package cache

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/seal"
)

const (
	// format is the version of what lies in Redis. It stands in the name, so that
	// releases with different formats do not tread on each other, and as the first
	// byte of the value, so that a value says by itself what it is.
	format     = 1
	namePrefix = "mandated:1:"

	secretSize = 32

	// largest is the size in bytes of the largest sealed value that is written or
	// read to its end.
	largest = 1 << 20
)

// reason is why a value found in Redis was refused.
type reason string

const (
	badFormat reason = "format" // of another version, or no value of ours at all
	badSeal   reason = "seal"   // foreign, altered, or moved here from another key
	badKey    reason = "key"    // sealed for this name, of another tuple
	badValue  reason = "value"  // ours, and cannot be decoded
)

// A sealer names and seals what goes to Redis. A sealed value is
//
//	format (1) | nonce (24) | XChaCha20-Poly1305 of the rest, bound to the name
//	  end in unix milliseconds (8) | length of the key (4) | key | value
//
// with numbers in big-endian. The end stands inside, so that a value does not outlive
// it where Redis was made to forget its expiry.
type sealer struct {
	naming []byte
	seals  *seal.Sealer
}

func newSealer(secret []byte) *sealer {
	if len(secret) != secretSize {
		panic(fmt.Sprintf("cache: secret of %d bytes, want %d", len(secret), secretSize))
	}
	return &sealer{naming: derive(secret, "mandated cache 1 names"), seals: seal.New(derive(secret, "mandated cache 1 values"))}
}

func derive(secret []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, purpose, secretSize)
	if err != nil {
		panic(err) // only for a length that SHA-256 cannot give
	}
	return key
}

// name gives the Redis key of a key: a keyed hash, of which nobody without the secret
// can tell to whom it belongs or whether two are of the same person.
func (s *sealer) name(key string) string {
	mac := hmac.New(sha256.New, s.naming)
	mac.Write([]byte(key))
	return namePrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (s *sealer) seal(name, key string, value []byte, until time.Time) []byte {
	plain := make([]byte, 0, 8+4+len(key)+len(value))
	plain = binary.BigEndian.AppendUint64(plain, uint64(until.UnixMilli()))
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(key)))
	return s.wrap(name, append(append(plain, key...), value...))
}

// wrap encrypts and binds to the name.
func (s *sealer) wrap(name string, plain []byte) []byte {
	return s.seals.Seal([]byte{format}, plain, name)
}

// open gives the value that was sealed under name for key, and its end; or why it
// is none. The value lies in memory of its own.
func (s *sealer) open(name, key string, sealed []byte) (value []byte, until time.Time, why reason) {
	if len(sealed) == 0 || sealed[0] != format {
		return nil, until, badFormat
	}
	plain, err := s.seals.Open(sealed[1:], name)
	if err != nil {
		return nil, until, badSeal
	}
	if len(plain) < 8+4 {
		return nil, until, badValue
	}
	until = time.UnixMilli(int64(binary.BigEndian.Uint64(plain)))
	size, rest := binary.BigEndian.Uint32(plain[8:]), plain[8+4:]
	if uint64(size) > uint64(len(rest)) {
		return nil, until, badValue
	}
	if string(rest[:size]) != key {
		return nil, until, badKey
	}
	return rest[size:], until, ""
}
