package register

import "github.com/mandated/mandated/pkg/mandate"

// Parties searches all companies of the register, whoever acts for them, but the canary's: by
// the beginning of any word of the name, or of the number. They come as Companies gives them.
func (s *Snapshot) Parties(search string, after Place, limit int) (list []mandate.Organisation, next Place, err error) {
	places, more, err := s.Companies(Seeking{Everybody: true, Search: search, After: after}, limit)
	for _, p := range places {
		if err != nil {
			break
		}
		var o *mandate.Organisation
		if o, err = s.OrganisationNumbered(p.Organisation); o != nil {
			list = append(list, *o)
		}
	}
	return list, Following(places, more), err
}
