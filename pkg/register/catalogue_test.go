package register

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// edition is a service catalogue with a number.
func edition(n int64) CatalogueVersion {
	document := bytes.Repeat([]byte(fmt.Sprintf("<ServiceCatalogue Version='%d'/>", n)), 1000)
	return CatalogueVersion{
		Sequence: n, Version: fmt.Sprintf("urn:etoegang:1.13:%d", n), Issued: noon.Add(-time.Hour),
		SHA256: sha256.Sum256(document), Signer: "beheerorganisatie", Document: document,
	}
}

func put(t *Tx, v CatalogueVersion) {
	if err := t.PutCatalogue(v); err != nil {
		panic(err)
	}
}

// Every edition is kept, and every snapshot knows which one it was decided by.
func TestEveryEditionOfTheCatalogueIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		s.read(func(v *Snapshot) {
			if v.CatalogueSequence() != 0 {
				t.Errorf("none loaded, yet %d", v.CatalogueSequence())
			}
		})
		seven := s.change(func(t *Tx) { put(t, edition(7)) })
		nine := s.change(func(t *Tx) {
			if t.Snapshot().CatalogueSequence() != 7 {
				s.Error("a change does not see what was current before it")
			}
			put(t, edition(9))
			if t.Snapshot().CatalogueSequence() != 9 {
				s.Error("the change itself does not see it")
			}
		})
		want := edition(9)
		want.Loaded = noon
		s.readAt(nine, func(v *Snapshot) {
			if diff := cmp.Diff(want, must(v.Catalogue(9))); diff != "" || v.CatalogueSequence() != 9 {
				t.Errorf("%d:\n%s", v.CatalogueSequence(), diff)
			}
			if list := must(v.CatalogueVersions()); len(list) != 2 || list[0].Sequence != 7 || list[1].Document != nil {
				t.Errorf("got %+v", list)
			}
		})
		s.readAt(seven, func(v *Snapshot) {
			if _, err := v.Catalogue(9); !errors.Is(err, ErrNotFound) || v.CatalogueSequence() != 7 {
				t.Errorf("before it was loaded: %v, %d", err, v.CatalogueSequence())
			}
		})
	})
}

func TestTheCatalogueOnlyGoesForward(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		before := s.change(func(t *Tx) { put(t, edition(7)) })
		if after := s.change(func(t *Tx) { put(t, edition(7)) }); after != before {
			t.Errorf("the same document made revision %d", after)
		}
		other := edition(8)
		other.Sequence = 7
		wrong := edition(8)
		wrong.Document = []byte("<Other/>")
		s.refused(ErrStaleCatalogue, func(t *Tx) error { return t.PutCatalogue(edition(6)) })
		s.refused(ErrStaleCatalogue, func(t *Tx) error { return t.PutCatalogue(other) })
		s.refused(ErrStaleCatalogue, func(t *Tx) error { return t.PutCatalogue(edition(0)) })
		s.refused(ErrDigest, func(t *Tx) error { return t.PutCatalogue(wrong) })
	})
}
