package api

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"github.com/mandated/mandated/internal/corpus"
)

// Random requests go through the same code again and again: under the race detector fewer do.
func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks").Value; corpus.Slower > 1 {
		n, err := strconv.Atoi(checks.String())
		if err != nil {
			panic(err)
		}
		_ = checks.Set(strconv.Itoa(max(1, n/corpus.Slower)))
	}
	os.Exit(m.Run())
}
