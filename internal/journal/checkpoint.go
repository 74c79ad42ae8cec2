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
	Sequence  int64     `json:"sequence"`
	Hash      Hash      `json:"hash"` // of the record with that sequence number
	At        time.Time `json:"at"`   // in whole milliseconds, UTC
	KeyID     string    `json:"key_id"`
	Signature []byte    `json:"signature"`
}

// checkpointDomain keeps a signature over a checkpoint from meaning anything else
// that the register signs with the same key.
const checkpointDomain = "mandated journal checkpoint 1"

// digest is what is signed. KeyID is not in it: it only says which key to try.
func (c *Checkpoint) digest() Hash {
	return sum([]byte(checkpointDomain), number(c.Sequence), c.Hash[:], number(c.At.UnixMilli()))
}

// sign makes the checkpoint of a record: RSA PKCS #1 v1.5 with SHA-256. What does not fit
// its own key is not kept: the signer may be on its way to its next key.
func sign(signer crypto.Signer, r *Record, now time.Time) (*Checkpoint, error) {
	public := signer.Public()
	id, err := keyID(public)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Sequence: r.Sequence, Hash: r.Hash, At: now.UTC().Truncate(time.Millisecond), KeyID: id}
	digest := c.digest()
	c.Signature, err = signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	ring, err := newKeyring([]crypto.PublicKey{public})
	if err == nil {
		err = ring.check(c)
	}
	return c, err
}

// keyring is the keys that may have signed, by their ids.
type keyring map[string]*rsa.PublicKey

func newKeyring(keys []crypto.PublicKey) (keyring, error) {
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

// check tells what is wrong with the signature, or nil.
func (ring keyring) check(c *Checkpoint) error {
	key := ring[c.KeyID]
	if key == nil {
		return errors.New("the checkpoint names a key that was not given")
	}
	digest := c.digest()
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], c.Signature) != nil {
		return errors.New("the checkpoint's signature does not fit")
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

// line is the checkpoint as it stands outside the store, without the line's end.
func (c *Checkpoint) line() ([]byte, error) { return json.Marshal(c) }

// parseLine reads a line. Only the one spelling that line writes is accepted, so
// that no byte of it can change unseen.
func parseLine(line []byte) (*Checkpoint, error) {
	var c Checkpoint
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, errors.New("not a checkpoint")
	}
	again, err := c.line()
	if err != nil || !bytes.Equal(again, line) {
		return nil, errors.New("not a checkpoint as it was written")
	}
	return &c, nil
}
