package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
)

// pseudonym is the specific pseudonym by which one provider knows one person who acts
// on behalf of one organisation: 32 bytes of a keyed hash, "@", 16 bytes of another, in
// hexadecimal (scheme page "Specific pseudonym"). It is derived and never stored, stays
// the same as long as the register lives, and cannot be traced back without its key. A
// person who acts for two clients of the same intermediary keeps one pseudonym.
func (s *Server) pseudonym(in *saml.Received, o decision.Option) string {
	mandating := o.Represented.KvK
	if o.Intermediary != nil {
		mandating = o.Intermediary.KvK
	}
	return specificPseudonym(s.c.PseudonymKey, in.Audience.OIN().String(),
		in.Actor.Authenticator.String(), in.Actor.Pseudonym.Text(), mandating.Text(), firstIssue)
}

// firstIssue counts how often the pseudonym was renewed at its owner's wish.
const firstIssue = "0"

func specificPseudonym(key []byte, parts ...string) string {
	return keyed(key, "person", parts...)[:64] + "@" + keyed(key, "relation", parts...)[:32]
}

// StatementName is the transient name in the statement with that ID about that company. To
// everybody else it is random; to us it proves, when a provider asks again, which company
// the statement was about, without any number in it.
func StatementName(key []byte, id string, company etoegang.KvKNumber) string {
	return "_" + keyed(key, "statement", id, company.Text())
}

// keyed is a hash of its parts under the register's key, in hexadecimal. Each part is
// preceded by its length, so that no two lists of parts are alike.
func keyed(key []byte, label string, parts ...string) string {
	h := hmac.New(sha256.New, key)
	for _, part := range append([]string{label}, parts...) {
		_ = binary.Write(h, binary.BigEndian, uint32(len(part))) // a hash does not fail
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}
