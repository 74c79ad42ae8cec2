package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Record is one entry of the journal, as it was appended.
type Record struct {
	Sequence int64     // dense, from 1
	ID       string    // the caller's
	At       time.Time // when it was written, in whole milliseconds, UTC
	Body     []byte

	Previous Hash // of the record before; zero for the first
	Hash     Hash
}

// Hash is a SHA-256. As text it is 64 lower-case hexadecimal digits.
type Hash [32]byte

// String gives the hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText gives the hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*len(h) {
		return errors.New("a hash has 64 hexadecimal digits")
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// digest computes what Hash must be. Every part is preceded by its length, so no
// two records have the same encoding.
func (r *Record) digest() Hash {
	return sum(r.Previous[:], number(r.Sequence), []byte(r.ID), number(r.At.UnixMilli()), r.Body)
}

func sum(parts ...[]byte) Hash {
	h := sha256.New()
	for _, p := range parts {
		h.Write(number(int64(len(p))))
		h.Write(p)
	}
	return Hash(h.Sum(nil))
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// Bounds of what is appended.
const (
	minID   = 32 // 16 random bytes in hexadecimal
	maxID   = 128
	maxBody = 16 << 20
)

// checkEntry keeps out what would fail inside a transaction that others share.
func checkEntry(id string, body []byte) error {
	if len(id) < minID || len(id) > maxID || !isLowerHex(id) {
		return fmt.Errorf("journal: an id is %d to %d lower-case hexadecimal digits", minID, maxID)
	}
	if len(body) > maxBody {
		return fmt.Errorf("journal: a record of %d bytes is too large, the limit is %d", len(body), maxBody)
	}
	return nil
}

func isLowerHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
