package server

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/mandate"
)

// Whatever there is to say is said in both languages, each reason with a next step, and with
// nothing left to be filled in.
func TestEverythingCanBeSaid(t *testing.T) {
	nl := reflect.ValueOf(speeches["nl"])
	for language, s := range speeches {
		v := reflect.ValueOf(s)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if v.Field(i).Kind() == reflect.String && v.Field(i).String() == "" {
				t.Errorf("%s has no %s", language, name)
			}
			if v.Field(i).Kind() == reflect.String && strings.Count(v.Field(i).String(), "%s") != strings.Count(nl.Field(i).String(), "%s") {
				t.Errorf("%s of %s has other gaps than in Dutch", name, language)
			}
		}
		for _, code := range decision.Codes() {
			for _, kind := range []mandate.Kind{"", mandate.Direct, mandate.Assignment, mandate.Chain} {
				m := &mandate.Mandate{Kind: kind, Grantor: mandate.Organisation{Name: "Bakkerij"},
					Validity: mandate.Validity{From: time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC), To: time.Date(2027, 2, 28, 23, 0, 0, 0, time.UTC)}}
				if kind == "" {
					m = nil
				}
				why := s.of(code, m, "EH3")
				if why.Sentence == "" || why.Next == "" || strings.ContainsAny(why.Sentence+why.Next, "{}%") || strings.Contains(why.Sentence+why.Next, "  ") {
					t.Errorf("%s says of %s: %+v", language, code, why)
				}
				if m != nil && strings.Contains(s.reasons[code].Next, "{who}") && !strings.Contains(why.Next, "Bakkerij") {
					t.Errorf("%s does not say who can help with %s: %+v", language, code, why)
				}
			}
		}
	}
}
