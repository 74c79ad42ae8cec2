package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Register is what other registers are told from. *register.Register is one.
type Register interface {
	Read(context.Context, func(*register.Snapshot) error) error
	ReadAt(context.Context, register.Revision, func(*register.Snapshot) error) error
}

// relationsOfPage is how many mandates are read for one page: as many as fit into a message
// if each covers a few services. Of those that cover many, fewer are told.
const relationsOfPage = 200

// errUnfit: one mandate covers so much that it does not fit into a message.
var errUnfit = errors.New("server: a mandate does not fit into a page")

// chain tells another register which companies have mandated an intermediary here.
//
// Registers may know: the scheme has every register offer this to the others (Discovery
// webservice, 1.13), since an intermediary's people are registered at one of them and its
// clients' mandates at any. So only a register is believed here, by its signature and its
// certificate. It learns of the one intermediary that it names, and of its clients the
// number, the name and what the mandate covers, encrypted to itself; nothing of people, of
// other intermediaries, or of mandates that do not count.
//
// Nothing is decided, so nothing is journalled: the chain is confirmed by its own query.
func (s *Server) chain(w http.ResponseWriter, r *http.Request) {
	e, r := s.newEvent(w, r, onChain)
	defer e.finish()
	defer e.rescue(func(broken error) { e.fault(w, faultBroken, broken) })
	state := s.c.State()
	q, problem := s.chainQuery(w, r, state, e)
	if q == nil {
		return
	}
	if !s.enter(w, r, s.telling, q.Issuer.String(), e) {
		return
	}
	answer, err := s.chainAnswer(r.Context(), state, q, problem, e)
	if err != nil {
		e.fault(w, faultBroken, err)
		return
	}
	e.respond(w, answer)
}

// chainQuery finds out which register asks what, or answers what nobody known has sent.
func (s *Server) chainQuery(w http.ResponseWriter, r *http.Request, state *State, e *event) (q *saml.ChainQuery, problem error) {
	looked := s.lookAt(w, r, state, e, func(message []byte) { q, problem = s.verifyChain(r, state, message) })
	if looked && q == nil {
		e.fault(w, faultFor(problem), problem)
	}
	if q != nil {
		e.sender, e.message, e.role = q.Issuer.String(), q.ID, q.Issuer.Role()
	}
	return q, problem
}

func (s *Server) verifyChain(r *http.Request, state *State, message []byte) (*saml.ChainQuery, error) {
	now := s.c.Now()
	q, problem := state.Receiver.ReceiveChainQuery(message, now)
	if q == nil {
		return nil, problem
	}
	if sender, known := state.Receiver.Directory.Find(q.Issuer, now); !known || !presents(r, sender, now) {
		return nil, errStranger
	}
	return q, problem
}

// chainAnswer makes the page that was asked for, or one that tells why there is none. The
// place that was taken for it is given back before anything is sent.
func (s *Server) chainAnswer(ctx context.Context, state *State, q *saml.ChainQuery, problem error, e *event) ([]byte, error) {
	defer s.telling.leave()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := s.c.Now()
	page := saml.ChainPage{ID: saml.NewID(), InResponseTo: q.ID, Issuer: s.c.Self, Issued: now, Status: saml.Success}
	to, err := s.findPage(ctx, state, q, problem, &page)
	if err != nil {
		row := s.refusalFor(err)
		e.refused(row, row.word, err)
		page.Status, page.Message = row.status, row.word
	} else {
		e.told(page)
	}
	signed, err := page.Sign(state.Signer, to)
	if err != nil {
		return nil, err
	}
	return saml.Wrap(signed), nil
}

// findPage fills a page, for one register's eyes.
func (s *Server) findPage(ctx context.Context, state *State, q *saml.ChainQuery, problem error, page *saml.ChainPage) (to xmlsec.Recipient, err error) {
	if problem != nil {
		return to, problem
	}
	if to, err = state.recipient(q.Issuer, page.Issued); err != nil {
		return to, err
	}
	if err := s.admit(ctx, state, q.Issuer, q.ID, q.Issued, page.Issued); err != nil {
		return to, err
	}
	at := place{at: page.Issued.Truncate(time.Millisecond)}
	if q.Cursor != "" {
		if at, err = s.cursors.read(q, page.Issued); err != nil {
			return to, err
		}
	}
	return to, s.readPage(ctx, q, at, page)
}

// readPage reads a page from the snapshot at which the list was begun: so pages belong
// together, whatever is written in between.
func (s *Server) readPage(ctx context.Context, q *saml.ChainQuery, at place, page *saml.ChainPage) error {
	read := s.c.Register.Read
	if q.Cursor != "" {
		read = func(ctx context.Context, fn func(*register.Snapshot) error) error {
			return s.c.Register.ReadAt(ctx, at.stamp.Revision, fn)
		}
	}
	var list []mandate.Mandate
	var more bool
	err := read(ctx, func(v *register.Snapshot) (err error) {
		if q.Cursor != "" && v.Stamp() != at.stamp {
			return errCursor // of before a backup was restored
		}
		at.stamp = v.Stamp()
		list, more, err = v.Relations(register.Relations{
			Intermediary: q.Intermediary, Represented: q.Represented, Service: q.Service, Level: q.Level, At: at.at,
		}, at.after, relationsOfPage)
		return err
	})
	if q.Cursor != "" && errors.Is(err, register.ErrNotFound) {
		return errCursor // the same, and the revision is not there again yet
	}
	if err != nil {
		return err
	}
	return s.fillPage(q, at, list, more, page)
}

// fillPage puts as many of the mandates into a page as fit, and says where the next begins.
func (s *Server) fillPage(q *saml.ChainQuery, at place, list []mandate.Mandate, more bool, page *saml.ChainPage) error {
	page.Snapshot = snapshotName(at.stamp)
	for _, m := range list {
		page.Relations = append(page.Relations, s.relation(q, m))
	}
	fit := saml.FitRelations(page.Relations)
	if fit == 0 && len(list) > 0 {
		return fmt.Errorf("%w: mandate %d", errUnfit, list[0].ID)
	}
	page.Relations = page.Relations[:fit]
	if fit < len(list) || more {
		at.after = list[fit-1].ID
		page.Next = s.cursors.write(q, at)
	}
	return nil
}

// snapshotName is a revision's tag: random, so that it names one snapshot and tells nothing.
func snapshotName(s register.Stamp) string { return hex.EncodeToString(s.Tag[:]) }

// relation is what a register is told of a mandate: as much of its scope as it asked about.
func (s *Server) relation(q *saml.ChainQuery, m mandate.Mandate) saml.Relation {
	r := saml.Relation{Represented: m.Grantor.KvK.LegalSubject(), Name: m.Grantor.Name, Register: s.c.Self, Until: m.Validity.To}
	for _, item := range m.Scope {
		if item.Level < q.Level || !q.Service.IsZero() && !item.Service.IsZero() && item.Service != q.Service {
			continue
		}
		r.Covers = append(r.Covers, saml.Covered{Service: item.Service, Provider: item.Provider, Level: item.Level})
	}
	return r
}

// recipient is a participant to whom something is encrypted, with the first of its keys that
// is valid.
func (s *State) recipient(e etoegang.EntityID, now time.Time) (xmlsec.Recipient, error) {
	p, _ := s.Receiver.Directory.Find(e, now)
	return s.recipientOf(e, p.Encryption, now)
}

func (s *State) recipientOf(e etoegang.EntityID, keys []xmlsec.Key, now time.Time) (xmlsec.Recipient, error) {
	for _, k := range keys {
		if valid(k, now) {
			return saml.RecipientOf(e, k, s.Peers[e].GCM), nil
		}
	}
	return xmlsec.Recipient{}, fmt.Errorf("%w of %s", errNoKey, e)
}
