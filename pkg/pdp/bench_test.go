package pdp_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/cache"
	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// What a decision costs that this process has kept, without its record: the key, the look
// into memory, and the judgement. The bar is two microseconds.
func BenchmarkHotHit(b *testing.B) {
	for _, idea := range []string{"direct-permit", "chain-permit"} {
		b.Run(idea, func(b *testing.B) {
			point, request := warm(b, idea)
			b.ReportAllocs()
			for b.Loop() {
				if _, from, err := point.Find(ctx, request); err != nil || from != pdp.FromMemory {
					b.Fatal(from, err)
				}
			}
		})
	}
}

// warm is a decision point in front of which the real memory layer stands, and a question
// that was asked.
func warm(b *testing.B, name string) (*pdp.PDP, pdp.Request) {
	b.Helper()
	var c corpus.Case
	for _, c = range must(corpus.Load("../../testdata/decisions")) {
		if c.Name == name {
			break
		}
	}
	now := func() time.Time { return c.Question.At }
	r := must(register.Create(ctx, filepath.Join(b.TempDir(), "register.db"), corpus.Here, time.Hour, register.Options{Now: now}))
	b.Cleanup(func() { _ = r.Close() })
	doc := catalogue.Build(c.World.Catalogue(c.Question.At)).Bytes()
	parsed, _, err := catalogue.Parse(doc, catalogue.Trust{File: true}, c.Question.At)
	if err != nil {
		b.Fatal(err)
	}
	must(r.Change(ctx, register.Author{Who: "test", Why: "catalogue"}, func(t *register.Tx) error {
		return t.PutCatalogue(register.CatalogueVersion{Sequence: parsed.Sequence(), Version: parsed.Version(), Issued: parsed.Issued(), SHA256: parsed.SHA256(), Document: doc})
	}))
	if err := c.World.Fill(ctx, r); err != nil {
		b.Fatal(err)
	}
	kept := cache.New(cache.Codec[*pdp.Finding]{Encode: (*pdp.Finding).Encode, Decode: pdp.DecodeFinding, Size: (*pdp.Finding).Size},
		cache.Options{Memory: 64 << 20, Metrics: prometheus.NewRegistry()})
	b.Cleanup(kept.Close)
	follower := freshness.New(r, time.Hour, freshness.Machine)
	point := pdp.New(pdp.Config{
		Register: r, Catalogues: shelf{parsed}, Now: now, Key: r.Key("journal"), Hot: kept, Freshness: follower,
		Certified: c.Question.Certified, ConfirmHere: c.Question.ConfirmHere, TestNetwork: c.Question.TestNetwork,
	})
	request := requestOf(c)
	request.At = c.Question.At
	if _, _, err := point.Find(ctx, request); err != nil {
		b.Fatal(err)
	}
	// Somebody else changes, so that the parties of the decision are looked up.
	must(r.Change(ctx, register.Author{Who: "test", Why: "bystander"}, func(t *register.Tx) error {
		_, err := t.PutOrganisation(mandate.Organisation{KvK: must(etoegang.ParseKvKNumber("99887766")), Active: true})
		return err
	}))
	if err := follower.Poll(ctx); err != nil {
		b.Fatal(err)
	}
	return point, request
}
