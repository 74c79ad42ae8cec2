package register

import (
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Seeking says for whom somebody who holds mandates wants to act: which of the companies
// that a person, or an intermediary, may have a mandate of are listed, and from where on.
type Seeking struct {
	Person       mandate.PersonID
	Kind         mandate.Kind           // of the person's: Direct from the company itself, Assignment as an intermediary's client
	Intermediary mandate.OrganisationID // instead of a person: its clients
	Ending       Ending                 // with an intermediary: only clients with something that ends then
	Everybody    bool                   // instead of either: every company of the register but the canary's
	Search       string                 // the beginning of a word of the name, or of the KvK number; "": everybody
	After        Place                  // where the page before ended; zero: from the beginning

	earlier bool // at a revision since which others may have come
}

// Ending is a time within which something ends: after the one moment, and before the other. The
// zero one chooses nothing.
type Ending struct{ After, Before time.Time }

// Holds tells whether a mandate is in force, or suspended, and ends within that time.
func (e Ending) Holds(m mandate.Mandate) bool {
	return (m.State == mandate.Active || m.State == mandate.Suspended) && m.Validity.To.After(e.After) && m.Validity.To.Before(e.Before)
}

// Place is a place in a list of companies. It names one of them.
type Place struct {
	Text         string                 `json:"t"`
	Organisation mandate.OrganisationID `json:"o"`
}

// Companies lists companies of which somebody holds mandates, in whatever state, in the
// order of the alphabet: at most limit of them, each as the place after which a list goes on
// behind it, and whether there are more. A search for two words finds them where they stand one
// after the other.
func (s *Snapshot) Companies(k Seeking, limit int) (list []Place, more bool, err error) {
	few, err := s.few(k)
	if err != nil {
		return nil, false, err
	}
	return s.companies(k, limit, few)
}

func (s *Snapshot) companies(k Seeking, limit int, few bool) (list []Place, more bool, err error) {
	k.earlier = s.earlier
	query, args := k.query(s.revision, few)
	var row Place
	err = s.each([]any{&row.Text, &row.Organisation}, func() error {
		if more = len(list) == limit; !more {
			list = append(list, row)
		}
		return nil
	}, query, append(args, limit+1)...)
	return list, more, err
}

// countClients needs no row of the mandates: both numbers are in an index.
const countClients = `SELECT count(*) FROM (SELECT DISTINCT m.grantor FROM mandate m WHERE m.intermediary = ?1) AS clients`

// CountClients tells how many companies Companies lists of an intermediary in all, at the newest
// revision: whatever is searched for, and whichever is looked at.
func (s *Snapshot) CountClients(intermediary mandate.OrganisationID) (n int, err error) {
	return n, s.one([]any{&n}, countClients, intermediary)
}

// Following is the place where a list goes on after a page of it; the zero one at its end.
func Following(page []Place, more bool) Place {
	if !more || len(page) == 0 {
		return Place{}
	}
	return page[len(page)-1]
}

// A list of few companies is read whole and sorted, which costs some microseconds for each;
// for a long one the alphabet is followed until the page is full, past all companies of the
// register that are not in it.
const mostSorted = 8000

func (s *Snapshot) few(k Seeking) (bool, error) {
	switch {
	case k.Everybody:
		return false, nil
	case k.Ending != (Ending{}): // to count them is to find them
		return true, nil
	}
	var n int
	err := s.one([]any{&n}, `SELECT count(*) FROM (SELECT 1 FROM mandate m WHERE `+k.held(`?1`)+` LIMIT ?2) AS held`, k.holder(), mostSorted+1)
	return n <= mostSorted, err
}

// holder is who holds the mandates or, among all companies, the number of the one that is not
// listed.
func (k Seeking) holder() any {
	switch {
	case k.Everybody:
		return canaryKvK
	case k.Intermediary != 0:
		return int64(k.Intermediary)
	}
	return int64(k.Person)
}

// held chooses the mandates of the holder, who is a parameter.
func (k Seeking) held(holder string) string {
	switch {
	case k.Intermediary != 0:
		return `m.intermediary = ` + holder
	case k.Kind == mandate.Direct:
		return `m.person = ` + holder + ` AND m.kind = 'direct'` // as the index says it
	}
	return `m.person = ` + holder + ` AND m.kind = 'assignment'`
}

// endsWithin chooses a client's mandates in force of which one half ends within a time: the
// mandate itself, or an assignment that passes it on. The two moments come after so many
// parameters.
func endsWithin(after int) string {
	begin, end := fmt.Sprint(`?`, after+1), fmt.Sprint(`?`, after+2)
	inForce := func(id string) string {
		return `(SELECT v.state FROM mandate_version v WHERE v.mandate = ` + id + ` AND v.since <= ?1 AND v.until > ?1) IN ('active', 'suspended')`
	}
	return `m.valid_to > ` + begin + ` AND ` + inForce(`m.id`) + ` AND (m.valid_to < ` + end + ` OR (
			SELECT 1 FROM mandate a WHERE a.client = m.id AND a.valid_to > ` + begin + ` AND a.valid_to < ` + end + ` AND ` + inForce(`a.id`) + ` LIMIT 1) = 1)`
}

// giver is the column of the company for which the holder acts, as the index by holder has
// it.
func (k Seeking) giver() string {
	if k.Intermediary != 0 {
		return `grantor`
	}
	return `represented`
}

// query finds the companies. Of the words of a name that all begin as searched, the first
// counts. As elsewhere everything is joined from the left, so that neither database
// begins anywhere else.
func (k Seeking) query(revision Revision, few bool) (string, []any) {
	const version = `
		LEFT JOIN organisation_version v ON v.organisation = `
	const now = ` AND v.since <= ?1 AND v.until > ?1`
	begin := sought(k.Search)
	args := []any{revision, k.holder(), max(begin, k.After.Text), k.After.Text, k.After.Organisation}
	which := `n.word = 0`
	if begin != "" {
		args = append(args, begin, begin+afterAll)
		which = `n.text < ?7 AND NOT EXISTS (
			SELECT 1 FROM organisation_name o WHERE o.organisation = n.organisation AND o.version = n.version
			AND o.text >= ?6 AND o.text < ?7 AND (o.text < n.text OR o.text = n.text AND o.word < n.word))`
	}
	its := k.held(`?2`)
	if k.Ending != (Ending{}) {
		its += ` AND ` + endsWithin(len(args))
		args = append(args, k.Ending.After.UnixMilli(), k.Ending.Before.UnixMilli())
	}
	if k.earlier {
		its += ` AND ` + grantedBy("m")
	}
	from := `organisation_name n` + version + `n.organisation` + now
	held := ` AND (SELECT 1 FROM mandate m WHERE ` + its + ` AND m.` + k.giver() + ` = n.organisation LIMIT 1) = 1`
	switch {
	case k.Everybody:
		held = ` AND v.kvk <> ?2`
	case few:
		from = `(SELECT DISTINCT m.` + k.giver() + ` AS represented FROM mandate m WHERE ` + its + `) AS h` + version + `h.represented` + now + `
		LEFT JOIN organisation_name n ON n.organisation = h.represented AND n.version = v.version`
		held = ``
	}
	return `SELECT n.text, n.organisation FROM ` + from + `
		WHERE n.text >= ?3 AND ` + which + ` AND coalesce(v.version, 0) = n.version
		AND (n.text || '' > ?4 OR n.organisation > ?5)` + held + `
		ORDER BY n.text, n.organisation LIMIT ?` + fmt.Sprint(len(args)+1), args
}

// afterAll sorts after everything that a name can go on with.
const afterAll = "\U0010FFFF"

// HeldFor gives the mandates of a person for some companies, as HeldBy does for one.
func (s *Snapshot) HeldFor(subject etoegang.ActingSubject, companies []mandate.OrganisationID) (Held, error) {
	person, err := s.Person(subject)
	if err != nil || person == nil || len(companies) == 0 {
		return Held{Person: person}, err
	}
	held := Held{Person: person}
	_, err = s.fill(&held, among(companies))
	return held, err
}

// HeldFirst is HeldBy for every company, of which it reads only the first, by their
// numbers: so many that it has more mandates than asked for, if there are more. whole tells
// that these are all.
func (s *Snapshot) HeldFirst(subject etoegang.ActingSubject, mandates int) (held Held, whole bool, err error) {
	person, err := s.Person(subject)
	if err != nil || person == nil {
		return Held{}, true, err
	}
	held = Held{Person: person}
	read, err := s.fill(&held, theFirst(mandates))
	if err != nil || read <= mandates {
		return held, true, err
	}
	var one int
	whole, err = s.find([]any{&one}, `
		SELECT 1 FROM mandate m WHERE m.person = ?2 AND NOT m.represented`+theFirst(mandates).condition+`
		AND `+grantedBy("m")+` LIMIT 1`, person.ID, mandates)
	return held, whole, err
}
