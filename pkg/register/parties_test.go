package register

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
)

// The register's staff find every company by the beginning of any word of its name, or of its
// number: also one that nobody acts for, under the name that it has now, and page by page. The
// canary is nobody.
func TestPartiesAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		s.change(func(t *Tx) {
			must(t.PutOrganisation(s.CanaryOrganisation()))
			for n, name := range []string{"Bakkerij Jansen B.V.", "De Bakkers", "Old Name", "Bakkerij Jansen B.V."} {
				c := company(n + 1)
				c.Name = name
				must(t.PutOrganisation(c))
			}
			again := company(3)
			again.Name, again.Blocked = "Zoete Bakjes", true
			must(t.PutOrganisation(again))
		})
		found := func(search string, size int) string {
			var all []string
			s.read(func(v *Snapshot) {
				for after := (Place{}); ; {
					list, next, err := v.Parties(search, after, size)
					if err != nil || len(list) > size {
						t.Fatal(len(list), err)
					}
					for _, o := range list {
						all = append(all, strings.TrimLeft(o.KvK.Text(), "0"))
					}
					if after = next; next == (Place{}) {
						return
					}
				}
			})
			return fmt.Sprint(all)
		}
		for search, want := range map[string]string{
			"bak": "[3 1 4 2]", "JANSEN": "[1 4]", "bv": "[1 4]", "old": "[]", "zoete b": "[3]", "00000002": "[2]", "000 0000": "[1 2 3 4]",
			"canary": "[]", "00000000": "[]", "": "[1 4 2 3]",
		} {
			for _, size := range []int{1, 3, 9} {
				if got := found(search, size); got != want {
					t.Errorf("%q finds %s in pages of %d, want %s", search, got, size, want)
				}
			}
		}
		s.read(func(v *Snapshot) {
			list, _, _ := v.Parties("zoete", Place{}, 9)
			if !slices.ContainsFunc(list, func(o mandate.Organisation) bool { return o.Name == "Zoete Bakjes" && o.Blocked }) {
				t.Errorf("found is %+v", list)
			}
		})
	})
}
