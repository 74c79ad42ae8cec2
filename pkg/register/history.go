package register

import (
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Version is a mandate as it was known from one revision until the next version:
// when that began, who made the change and why. The parties are as known then.
type Version struct {
	Revision Revision
	At       time.Time
	Author   Author
	Mandate  mandate.Mandate
}

// History gives every version of a mandate up to the snapshot, oldest first.
// ErrNotFound: none with this number.
func (s *Snapshot) History(id mandate.ID) ([]Version, error) {
	list, err := s.versions(id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("mandate %d: %w", id, ErrNotFound)
	}
	for i := range list {
		if err != nil {
			return nil, err
		}
		then := *s
		then.revision = list[i].Revision
		list[i].Mandate, err = then.Mandate(id)
	}
	return list, err
}

func (s *Snapshot) versions(id mandate.ID) (list []Version, err error) {
	var v Version
	var at int64
	err = s.each([]any{&v.Revision, &at, &v.Author.Who, &v.Author.Why}, func() error {
		v.At = moment(at)
		list = append(list, v)
		return nil
	}, `
		SELECT r.revision, r.at, r.who, r.why
		FROM mandate_version v JOIN revision r ON r.revision = v.since
		WHERE v.mandate = ?2 AND v.since <= ?1 AND v.since < v.until
		ORDER BY v.version`, s.revision, id)
	return list, err
}
