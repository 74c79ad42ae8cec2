package register

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// Party stands for an identity in the change feed: a keyed hash of it. So it can
// name somebody who is not registered yet, and says nothing to whom it leaks.
type Party [16]byte

// AllParties stands for everybody: the change touched too many to name.
var AllParties Party

// String is hexadecimal, or an asterisk for AllParties.
func (p Party) String() string {
	if p == AllParties {
		return "*"
	}
	return hex.EncodeToString(p[:])
}

// mostParties is how many parties one revision names before it says "everybody".
const mostParties = 1000

// Change is one line of the change feed: a revision touched a party.
type Change struct {
	Stamp
	Party Party
	At    time.Time
}

// PersonParty is the party of a person, registered or not.
func (r *Register) PersonParty(s etoegang.ActingSubject) Party {
	return r.hash("person", s.Authenticator.String(), s.Pseudonym.Text())
}

// OrganisationParty is the party of the company with a KvK number, registered or not.
func (r *Register) OrganisationParty(n etoegang.KvKNumber) Party {
	return r.hash("organisation", n.Text())
}

// SubjectParty is the party of a company under one of its identifiers. For a KvK
// number that is OrganisationParty. An RSIN has a party of its own, touched when a
// company gets or loses that RSIN: a decision about an RSIN that nobody has here
// depends on it.
func (r *Register) SubjectParty(s etoegang.LegalSubject) Party {
	if s.Type() == etoegang.TypeKvKNr {
		return r.hash("organisation", s.Text())
	}
	return r.hash(string(s.Type()), s.Text())
}

// CatalogueParty is the party touched by every new service catalogue.
func (r *Register) CatalogueParty() Party { return r.hash("catalogue") }

// hash is HMAC-SHA256 over the parts, each with its length in front, cut to a Party.
func (r *Register) hash(parts ...string) (p Party) {
	mac := hmac.New(sha256.New, r.party)
	for _, part := range parts {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	copy(p[:], mac.Sum(nil))
	return p
}

// touched are the parties of a change. Beyond mostParties they are everybody.
type touched struct {
	named map[Party]bool
	all   bool
}

func (p *touched) add(party Party) {
	if p.named == nil {
		p.named = map[Party]bool{}
	}
	if p.all {
		return
	}
	p.named[party] = true
	if len(p.named) > mostParties {
		p.named, p.all = nil, true
	}
}

func (p *touched) none() bool { return !p.all && len(p.named) == 0 }

// stored are the parties as the feed keeps them.
func (p *touched) stored() [][]byte {
	if p.all {
		return [][]byte{[]byte("*")}
	}
	list := make([][]byte, 0, len(p.named))
	for party := range p.named {
		list = append(list, party[:])
	}
	slices.SortFunc(list, slices.Compare)
	return list
}

// writeFeed writes the parties touched.
func (t *Tx) writeFeed() error {
	rows := make([][]any, 0, len(t.touched.named))
	for _, party := range t.touched.stored() {
		rows = append(rows, []any{t.view.revision, party})
	}
	return t.fill(`INSERT INTO change_feed (revision, party) VALUES `, rows)
}

// News is what a poll found: the newest revision, and what changed since the one the
// asker knew.
type News struct {
	Newest Stamp

	// Known is the revision asked about as the register has it. Its tag is zero if there
	// is no such revision: then the register is another one than the asker knew.
	Known Stamp

	// Changes are all lines of the feed after revision After, by revision. After is the
	// revision asked about, or a later one if more changed than was asked for.
	Changes []Change
	After   Revision

	// Database is the time by the database's clock, where the register's file is on this
	// machine by the machine's.
	Database time.Time
}

// Poll asks what changed since a revision: at most limit lines of the feed, and then the
// newest, in whole revisions. The question is about the primary, and begins after the
// call: whatever was acknowledged before it is in the answer. It waits for other polls, and
// not for reads.
func (r *Register) Poll(ctx context.Context, known Revision, limit int) (news News, err error) {
	err = r.read(ctx, r.readers.polls, func(s *Snapshot) (err error) {
		news.Newest = s.Stamp()
		if news.Known, news.Database, err = s.stampOf(known); err != nil {
			return err
		}
		news.After, news.Changes, err = s.changesSince(known, limit)
		return err
	}, snapshotNow)
	return news, err
}

// stampOf reads the tag of a revision, zero if there is none, and the time.
func (s *Snapshot) stampOf(rev Revision) (Stamp, time.Time, error) {
	var tag []byte
	var at int64
	err := s.one([]any{&tag, &at}, `SELECT (SELECT tag FROM revision WHERE revision = ?1 AND revision <= ?2), `+s.register.words.now, rev, s.revision)
	stamp := Stamp{Revision: rev}
	copy(stamp.Tag[:], tag)
	return stamp, moment(at), err
}

// Knows tells whether the snapshot holds a revision with that very tag: then it holds all
// that anybody knew who knew the stamp.
func (s *Snapshot) Knows(stamp Stamp) (bool, error) {
	known, _, err := s.stampOf(stamp.Revision)
	return known == stamp && stamp.Tag != Tag{}, err
}

// changesSince reads the newest whole revisions after known that fit in limit lines,
// and the revision after which that is everything.
func (s *Snapshot) changesSince(known Revision, limit int) (after Revision, list []Change, err error) {
	list, err = s.changes(known, s.revision, limit+1)
	if err != nil || len(list) <= limit {
		return known, list, err
	}
	if err := s.one([]any{&after}, `
		SELECT min(revision) FROM (SELECT revision FROM change_feed
		WHERE revision <= ?1 ORDER BY revision DESC LIMIT ?2) AS newest`, s.revision, limit); err != nil {
		return known, nil, err
	}
	list, err = s.changes(after, s.revision, limit)
	return after, list, err
}

// changes gives the lines of revisions after since, up to and including until.
func (s *Snapshot) changes(since, until Revision, limit int) (list []Change, err error) {
	var c Change
	var tag, party []byte
	var at int64
	err = s.each([]any{&c.Revision, &tag, &party, &at}, func() error {
		c.Tag, c.At = Tag(tag), moment(at)
		c.Party, err = storedParty(party)
		list = append(list, c)
		return err
	}, `
		SELECT f.revision, r.tag, f.party, r.at
		FROM change_feed f JOIN revision r ON r.revision = f.revision
		WHERE f.revision > ?1 AND f.revision <= ?2
		ORDER BY f.revision, f.party LIMIT ?3`, since, until, limit)
	return list, err
}

func storedParty(b []byte) (Party, error) {
	switch {
	case string(b) == "*":
		return AllParties, nil
	case len(b) != len(Party{}):
		return AllParties, fmt.Errorf("the change feed holds a party of %d bytes", len(b))
	}
	return Party(b), nil
}
