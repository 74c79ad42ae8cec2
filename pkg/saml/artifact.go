package saml

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// Artifact stands for a message that its issuer keeps, and travels through the browser in
// its place (SAML 2.0 bindings, section 3.6.4: type 0x0004, the only one of the network).
type Artifact struct {
	Source [20]byte // whose it is: see SourceID
	Index  uint16   // of the issuer's ArtifactResolutionService
	Handle [20]byte // names the message; nobody can guess it
}

// artifactType is the one type of artifact there is in SAML 2.0.
const artifactType = 4

// ErrArtifact is returned for what is no artifact of type 0x0004.
var ErrArtifact = errors.New("saml: not an artifact of type 0x0004")

// NewArtifact makes an artifact of an issuer, to be resolved at its service of that index.
func NewArtifact(issuer etoegang.EntityID, index uint16) Artifact {
	a := Artifact{Source: SourceID(issuer), Index: index}
	_, _ = rand.Read(a.Handle[:]) // crypto/rand never fails
	return a
}

// ParseArtifact reads an artifact as it stands in an address or a form.
func ParseArtifact(text string) (a Artifact, err error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(text) != 60 || len(raw) != 44 || binary.BigEndian.Uint16(raw) != artifactType {
		return a, ErrArtifact
	}
	a.Index = binary.BigEndian.Uint16(raw[2:])
	copy(a.Source[:], raw[4:])
	copy(a.Handle[:], raw[24:])
	return a, nil
}

// String is the artifact as it travels.
func (a Artifact) String() string {
	raw := binary.BigEndian.AppendUint16(nil, artifactType)
	raw = binary.BigEndian.AppendUint16(raw, a.Index)
	raw = append(append(raw, a.Source[:]...), a.Handle[:]...)
	return base64.StdEncoding.EncodeToString(raw)
}

// SourceID names a participant in artifacts: the SHA-1 of its EntityID (eHerkenning
// interface specifications, "Bindings").
func SourceID(e etoegang.EntityID) [20]byte {
	return sha1.Sum([]byte(e.String()))
}

// Source finds whose artifact it is, among participants whose metadata are valid.
func (d *Directory) Source(a Artifact, now time.Time) (Participant, bool) {
	e, known := d.sources[a.Source]
	if !known {
		return Participant{}, false
	}
	return d.Find(e, now)
}

// Resolver gives the participant's ArtifactResolutionService of that index.
func (p Participant) Resolver(index uint16) (Endpoint, bool) {
	for _, r := range p.Resolvers {
		if r.Index == index {
			return r.Endpoint, true
		}
	}
	return Endpoint{}, false
}
