package server

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/seal"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// cursorLifetime is how long a register may take to read all pages of a list.
const cursorLifetime = 10 * time.Minute

// errCursor: a cursor is not ours, belongs to another question, or is too old.
var errCursor = errors.New("server: no cursor of this list")

// place is how far a list was read: what stands in a cursor.
type place struct {
	stamp register.Stamp // of the snapshot that all pages are of
	at    time.Time      // the moment that all pages are about
	after mandate.ID
}

// cursors let askers carry how far they are, so that no node has to remember it. A cursor is
// sealed: it is good for the same asker and the same question alone, and tells nobody how
// many mandates there are or how often they change.
type cursors struct{ seal *seal.Sealer }

// question is what a cursor is bound to.
func question(q *saml.ChainQuery) string {
	return strings.Join([]string{
		"cursor", q.Issuer.String(), q.Intermediary.KvK.Text(), string(q.Represented.Type()), q.Represented.Text(), q.Service.String(), q.Level.String(),
	}, "\n")
}

const placeSize = 8 + 16 + 8 + 8

func (c cursors) write(q *saml.ChainQuery, p place) string {
	plain := make([]byte, 0, placeSize)
	plain = binary.BigEndian.AppendUint64(plain, uint64(p.stamp.Revision))
	plain = append(plain, p.stamp.Tag[:]...)
	plain = binary.BigEndian.AppendUint64(plain, uint64(p.at.UnixMilli()))
	plain = binary.BigEndian.AppendUint64(plain, uint64(p.after))
	return c.seal.SealText(plain, question(q))
}

func (c cursors) read(q *saml.ChainQuery, now time.Time) (p place, err error) {
	plain, err := c.seal.OpenText(q.Cursor, question(q))
	if err != nil || len(plain) != placeSize {
		return p, errCursor
	}
	p.stamp.Revision = register.Revision(binary.BigEndian.Uint64(plain))
	copy(p.stamp.Tag[:], plain[8:])
	p.at = time.UnixMilli(int64(binary.BigEndian.Uint64(plain[24:]))).UTC()
	p.after = mandate.ID(binary.BigEndian.Uint64(plain[32:]))
	if now.Sub(p.at) > cursorLifetime {
		return p, errCursor
	}
	return p, nil
}
