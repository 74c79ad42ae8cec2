package journal

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Checkpoint is a signature over the end of the chain at one moment, and so over
// every record up to it.
type Checkpoint struct {
	Sequence int64     `json:"sequence"`
	Hash     Hash      `json:"hash"` // of the record with that sequence number
	At       time.Time `json:"at"`   // in whole milliseconds, UTC
	Seal
}

// Stub is a signature over the last of the records that were retired. It stands in
// their place: what the chain goes on from is the number and the hash in it. Since
// records are numbered from 1, the number also says how many are gone.
type Stub struct {
	Sequence int64     `json:"retired"`
	Hash     Hash      `json:"hash"`    // of the record with that sequence number
	LastAt   time.Time `json:"last_at"` // that record's time
	At       time.Time `json:"at"`      // in whole milliseconds, UTC
	Seal
}

// Seal is a signature by the register's key.
type Seal struct {
	KeyID     string `json:"key_id"` // says which key to try, and is itself not signed
	Signature []byte `json:"signature"`
}

// statement is what the register's key signs here.
type statement interface {
	link() link
	digest() Hash
	seal() *Seal
}

var _, _ statement = &Checkpoint{}, &Stub{}

func (c *Checkpoint) link() link { return link{c.Sequence, c.Hash} }
func (s *Stub) link() link       { return link{s.Sequence, s.Hash} }
func (s *Seal) seal() *Seal      { return s }

// The domains keep a signature over one kind of statement from meaning another, or
// anything else that the register signs with the same key.
const (
	checkpointDomain = "mandated journal checkpoint 1"
	stubDomain       = "mandated journal retirement 1"
)

func (c *Checkpoint) digest() Hash {
	return sum([]byte(checkpointDomain), number(c.Sequence), c.Hash[:], number(c.At.UnixMilli()))
}

func (s *Stub) digest() Hash {
	return sum([]byte(stubDomain), number(s.Sequence), s.Hash[:], number(s.LastAt.UnixMilli()), number(s.At.UnixMilli()))
}

func newCheckpoint(signer crypto.Signer, l link, now time.Time) (*Checkpoint, error) {
	c := &Checkpoint{Sequence: l.sequence, Hash: l.hash, At: now.UTC().Truncate(time.Millisecond)}
	return c, sign(signer, c)
}

func newStub(signer crypto.Signer, last *Record, now time.Time) (*Stub, error) {
	s := &Stub{Sequence: last.Sequence, Hash: last.Hash, LastAt: last.At, At: now.UTC().Truncate(time.Millisecond)}
	return s, sign(signer, s)
}

// sign seals a statement: RSA PKCS #1 v1.5 with SHA-256. What does not fit its own key
// is not kept: the signer may be on its way to its next key.
func sign(signer crypto.Signer, s statement) (err error) {
	public := signer.Public()
	if s.seal().KeyID, err = keyID(public); err != nil {
		return err
	}
	digest := s.digest()
	if s.seal().Signature, err = signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	ring, err := newKeyring(public)
	if err != nil {
		return err
	}
	return ring.check(s)
}

// keyring is the keys that may have signed, by their ids.
type keyring map[string]*rsa.PublicKey

func newKeyring(keys ...crypto.PublicKey) (keyring, error) {
	ring := keyring{}
	for _, k := range keys {
		id, err := keyID(k)
		if err != nil {
			return nil, err
		}
		ring[id] = k.(*rsa.PublicKey)
	}
	return ring, nil
}

var (
	errUnknownKey = errors.New("it names a key that was not given")
	errSignature  = errors.New("its signature does not fit")
)

// check tells what is wrong with the signature, or nil.
func (ring keyring) check(s statement) error {
	key := ring[s.seal().KeyID]
	if key == nil {
		return errUnknownKey
	}
	digest := s.digest()
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], s.seal().Signature) != nil {
		return errSignature
	}
	return nil
}

// keyID is the SHA-256 of the key as a SubjectPublicKeyInfo (RFC 5280, 4.1).
func keyID(key crypto.PublicKey) (string, error) {
	k, ok := key.(*rsa.PublicKey)
	if !ok || k == nil || k.N.BitLen() < 2048 {
		return "", errors.New("must be an RSA key of at least 2048 bits")
	}
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return "", err
	}
	id := sha256.Sum256(der)
	return hex.EncodeToString(id[:]), nil
}

// stubStart is how the line of a stub begins, and that of a checkpoint does not.
var stubStart = []byte(`{"retired":`)

// parseLine reads a statement as it stands outside the store, without the line's end.
// Only the one spelling that we write is accepted, so that no byte can change unseen.
func parseLine(line []byte) (statement, error) {
	var s statement = &Checkpoint{}
	if bytes.HasPrefix(line, stubStart) {
		s = &Stub{}
	}
	if err := json.Unmarshal(line, s); err != nil {
		return nil, errors.New("neither a checkpoint nor a stub")
	}
	again, err := json.Marshal(s)
	if err != nil || !bytes.Equal(again, line) {
		return nil, errors.New("not as it was written")
	}
	return s, nil
}
