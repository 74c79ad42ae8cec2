package daemon

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
)

// A set with a service that the catalogue does not have can be chosen by nobody, of which whoever
// checks the configuration is warned.
func TestSetsOfTheCatalogue(t *testing.T) {
	doc, err := os.ReadFile("../../testdata/catalogue/small.xml")
	if err != nil {
		t.Fatal(err)
	}
	have, _, err := catalogue.Parse(doc, catalogue.Trust{File: true}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	const permit, gone = "b2ba62a6-419c-4331-8fbb-40c7b589978d", "99999999-9999-9999-9999-999999999999"
	name := map[string]string{"nl": "Vergunningen", "en": "Permits"}
	c := &Config{Manage: Manage{Sets: []Set{{name, []string{permit}}, {name, []string{permit, gone}}}}}
	if warnings := c.Unlisted(have); len(warnings) != 1 || !strings.HasPrefix(warnings[0], "manage.sets, number 2") || !strings.Contains(warnings[0], gone) {
		t.Errorf("warned of %q", warnings)
	}
}
