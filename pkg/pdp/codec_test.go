package pdp_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

func levelOf(t *rapid.T, name string) etoegang.AssuranceLevel {
	return etoegang.AssuranceLevel(rapid.IntRange(0, 5).Draw(t, name))
}

// momentOf draws a moment, or none.
func momentOf(t *rapid.T, name string) time.Time {
	if rapid.Bool().Draw(t, name+" never") {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, name), rapid.Int64Range(0, 1e9-1).Draw(t, name+" ns")).UTC()
}

func some[T any](t *rapid.T, name string, draw func(int) T) (list []T) {
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, 9), 0, 3).Draw(t, name) {
		list = append(list, draw(n))
	}
	return list
}

func organisationOf(t *rapid.T) mandate.Organisation {
	o := mandate.Organisation{
		ID: mandate.OrganisationID(rapid.Int64().Draw(t, "id")), Name: rapid.String().Draw(t, "name"),
		KvK:    must(etoegang.ParseKvKNumber(someCompany(rapid.IntRange(0, 9).Draw(t, "kvk")).Text())),
		Active: rapid.Bool().Draw(t, "active"), Blocked: rapid.Bool().Draw(t, "blocked"),
	}
	if rapid.Bool().Draw(t, "rsin") {
		o.RSIN = must(etoegang.ParseRSIN("123456782"))
	}
	return o
}

func optionOf(t *rapid.T) decision.Option {
	o := decision.Option{
		Represented: organisationOf(t), Used: levelOf(t, "used"), Effective: levelOf(t, "effective"),
		Establishments: some(t, "establishments", func(n int) etoegang.EstablishmentNumber {
			return must(etoegang.ParseEstablishmentNumber(fmt.Sprintf("%012d", n)))
		}),
		Identifiers: some(t, "identifiers", func(n int) etoegang.LegalSubject {
			if n == 0 {
				return must(etoegang.ParseRSIN("123456782")).LegalSubject()
			}
			return someCompany(n)
		}),
		Services: some(t, "services", func(n int) etoegang.ServiceUUID {
			return must(etoegang.ParseServiceUUID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)))
		}),
		Mandates:    some(t, "mandates", func(n int) mandate.ID { return mandate.ID(n) }),
		Unconfirmed: some(t, "unconfirmed", func(n int) mandate.ID { return mandate.ID(n) }),
	}
	if rapid.Bool().Draw(t, "chain") {
		a := organisationOf(t)
		o.Intermediary = &a
	}
	if rapid.Bool().Draw(t, "elsewhere") {
		o.ConfirmAt = corpus.Elsewhere
	}
	return o
}

// findingOf draws any finding that may be kept.
func findingOf(t *rapid.T) *pdp.Finding {
	f := &pdp.Finding{
		Claim: freshness.Claim{
			Stamp: register.Stamp{Revision: register.Revision(rapid.Int64().Draw(t, "revision"))},
			Parties: some(t, "parties", func(n int) (p register.Party) {
				p[n] = byte(n)
				return p
			}),
			From: momentOf(t, "from"), Until: momentOf(t, "until"),
		},
		Catalogue: rapid.Int64().Draw(t, "catalogue"),
		Actor:     rapid.String().Draw(t, "actor"), Represented: rapid.String().Draw(t, "represented"), Intermediary: rapid.String().Draw(t, "intermediary"),
	}
	copy(f.Stamp.Tag[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "tag"))
	f.Stamp.Tag[0] |= 1 // no revision has a tag of zeros
	f.Decision = decision.Decision{
		Required: levelOf(t, "required"), Since: f.From, Until: f.Until,
		Reasons: some(t, "reasons", func(n int) decision.Reason {
			return decision.Reason{Code: decision.Revoked, Mandate: mandate.ID(n)}
		}),
	}
	if rapid.Bool().Draw(t, "permit") {
		f.Decision.Outcome, f.Decision.Options = decision.Permit, []decision.Option{optionOf(t)}
	}
	return f
}

// What one node has written down another reads as it was, to the last field: a field that
// is left out would be a difference between the first answer and the second.
func TestFindingComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := findingOf(t)
		again, err := pdp.DecodeFinding(must(f.Encode()))
		if err != nil || !reflect.DeepEqual(again, f) {
			t.Fatalf("%v\n%+v\nwas\n%+v", err, again, f)
		}
	})
}

// Every field of what is kept is drawn above, and so comes back: one that is added and not
// drawn would not be missed.
func TestEveryFieldOfAFindingIsDrawn(t *testing.T) {
	missing := map[string]bool{}
	for _, of := range []reflect.Type{
		reflect.TypeFor[pdp.Finding](), reflect.TypeFor[freshness.Claim](), reflect.TypeFor[decision.Decision](),
		reflect.TypeFor[decision.Option](), reflect.TypeFor[decision.Reason](), reflect.TypeFor[mandate.Organisation](),
	} {
		for i := range of.NumField() {
			missing[of.String()+"."+of.Field(i).Name] = true
		}
	}
	var look func(v reflect.Value)
	look = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				look(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				look(v.Index(i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if !v.Field(i).IsZero() {
					delete(missing, v.Type().String()+"."+v.Type().Field(i).Name)
				}
				look(v.Field(i))
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) { look(reflect.ValueOf(findingOf(t))) })
	delete(missing, "pdp.Finding.More") // of a choice alone, which is not kept
	for name := range missing {
		t.Errorf("%s is never anything but zero", name)
	}
}

// Bytes that are no finding are an error, whatever they are; and whatever they are, no
// choice comes out of them, and no Permit without the one option it is about.
func TestBytesThatAreNoFinding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := must(findingOf(t).Encode())
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			b = append(b, ' ') // never empty, and no change by itself
			at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
			switch rapid.IntRange(0, 3).Draw(t, "how") {
			case 0:
				b[at] = rapid.Byte().Draw(t, "byte")
			case 1:
				b = append(b[:at:at], b[min(len(b), at+rapid.IntRange(1, 20).Draw(t, "gap")):]...)
			case 2:
				b = append(b[:at:at], append(rapid.SliceOfN(rapid.SampledFrom([]byte(`0123456789{}[]",:ox`)), 1, 4).Draw(t, "more"), b[at:]...)...)
			case 3:
				b = b[:at+1]
			}
		}
		f, err := pdp.DecodeFinding(b)
		if (f == nil) == (err == nil) {
			t.Fatalf("%+v beside %v", f, err)
		}
		if f != nil && (f.Decision.Outcome > decision.Permit || (len(f.Decision.Options) == 1) != (f.Decision.Outcome == decision.Permit)) {
			t.Fatalf("%v with %d options out of %s", f.Decision.Outcome, len(f.Decision.Options), b)
		}
	})
}

// The error says nothing of the bytes, which name people.
func TestErrorOfBytesSaysNothingOfThem(t *testing.T) {
	office := mandate.Organisation{ID: 1, KvK: must(etoegang.ParseKvKNumber("10000001"))}
	f := &pdp.Finding{Claim: freshness.Claim{Stamp: register.Stamp{Tag: register.Tag{1}}}, Actor: "person:12"}
	f.Decision.Outcome, f.Decision.Options = decision.Permit, []decision.Option{{Represented: office}}
	permit := string(must(f.Encode()))
	for _, wrong := range []string{
		"", "null", "{}", "[]", permit + "x",
		spoil(t, permit, `"o":1`, `"o":0`),                                                // a Deny with an option
		spoil(t, permit, `"o":1`, `"o":2`),                                                // a choice
		spoil(t, string(must((&pdp.Finding{Claim: f.Claim}).Encode())), `"o":0`, `"o":2`), // of nothing
		spoil(t, permit, `"k":"10000001"`, `"k":"1"`),
		spoil(t, permit, `"x":[`, `"y":[`),                // a Permit of nothing
		twoOptions(t, permit),                             // a Permit of two things
		spoil(t, twoOptions(t, permit), `"o":1`, `"o":0`), // a Deny of two things
		spoil(t, twoOptions(t, permit), `"o":1`, `"o":2`),
	} {
		if _, err := pdp.DecodeFinding([]byte(wrong)); err == nil || err.Error() != "pdp: not a finding" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := pdp.DecodeFinding([]byte(permit)); err != nil {
		t.Error(err)
	}
}

// spoil changes one place of what was encoded, which must be there.
func spoil(t *testing.T, encoded, from, to string) string {
	t.Helper()
	if strings.Count(encoded, from) != 1 {
		t.Fatalf("no %s in %s", from, encoded)
	}
	return strings.Replace(encoded, from, to, 1)
}

func twoOptions(t *testing.T, permit string) string {
	t.Helper()
	_, rest, ok := strings.Cut(permit, `"x":[`)
	option, _, end := strings.Cut(rest, `]}`)
	if !ok || !end {
		t.Fatalf("no options in %s", permit)
	}
	return strings.Replace(permit, option, option+","+option, 1)
}
