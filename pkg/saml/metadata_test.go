package saml

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// A real broker's metadata, where a copy of them is at hand: its keys are found under the
// name that its messages hint at, and its places for answers by their index.
func TestRealMetadata(t *testing.T) {
	folder := os.Getenv("MANDATED_SAMPLES")
	if folder == "" {
		t.Skip("MANDATED_SAMPLES names no folder")
	}
	doc, err := os.ReadFile(filepath.Join(folder, "hm-metadata.xml"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)
	participants, notes, err := ParseMetadata(doc, Trust{File: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	p := participants[0]
	if len(participants) != 1 || p.Entity.Role() != etoegang.Broker || len(p.Signing) == 0 || p.Signing[0].Name == "" {
		t.Errorf("read %d participants, the first %v with %d keys (%v)", len(participants), p.Entity, len(p.Signing), notes)
	}
	if c, ok := p.Consumer("3"); !ok || !strings.HasPrefix(c.Location, "https://") {
		t.Errorf("consumer 3 is %+v", c)
	}
	if len(p.Resolvers) == 0 {
		t.Error("it resolves no artifacts")
	}
	if c, ok := p.Consumer(""); !ok || c.Index != 1 {
		t.Errorf("the default is %+v", c)
	}
	if _, _, err := ParseMetadata(doc, Trust{}, now); err == nil {
		t.Error("metadata were believed without anybody to trust")
	}
}
