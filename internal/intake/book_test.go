package intake

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/mandate"
)

// Whatever is refused here is refused in Dutch and in English, and nothing is said that
// no line can hear.
func TestBook(t *testing.T) {
	if gaps := book.Gaps(); gaps != nil {
		t.Errorf("not in both languages: %v", gaps)
	}
	used := usedCodes(t)
	for code := range used {
		if book[sheet.English][code] == "" {
			t.Errorf("%q has no sentence", code)
		}
	}
	for code, sentence := range book[sheet.English] {
		if !used[code] {
			t.Errorf("nobody says %q", code)
		}
		for _, found := range regexp.MustCompile(`\[(\w+)\]`).FindAllStringSubmatch(sentence, -1) {
			if !slices.Contains(Columns(), found[1]) {
				t.Errorf("%q speaks of column %s", code, found[1])
			}
		}
	}
}

// usedCodes are those in the source, those of the columns, and the states that can be in
// the way of a line.
func usedCodes(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	for _, s := range []mandate.State{
		mandate.Draft, mandate.Requested, mandate.AwaitingSignatures, mandate.AwaitingAcceptance, mandate.Active, mandate.Suspended,
		mandate.Revoked, mandate.LapsedUnused, mandate.Superseded, mandate.Rejected, mandate.Withdrawn, mandate.RequestExpired,
	} {
		if s.Ended() || s.Pending() {
			used[string(s)] = true
		}
	}
	for _, c := range columns {
		used[string(c.write)] = true
	}
	refusal := regexp.MustCompile(`refuse(?:Line)?\((?:[\w.]+, |"", )?"([a-z-]+)"`)
	for _, name := range must(filepath.Glob("*.go")) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, found := range refusal.FindAllSubmatch(must(os.ReadFile(name)), -1) {
			used[string(found[1])] = true
		}
	}
	return used
}
