package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// An auditor sees who did what to a mandate, for which side, and on what that rests.
func TestShowTellsTheSteps(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	steps := []register.Step{
		{Act: mandate.ActAsk, Side: mandate.RegisterSide, Appointment: 3, At: noon, Evidence: []mandate.Evidence{
			{Kind: mandate.SignedForm, SHA256: [32]byte{0xab}, Dated: mandate.StartOfDay(noon), Where: "archive 7"}}},
		{Act: mandate.ActAgree, Side: mandate.GrantorSide, Appointment: 4, At: noon, Consent: register.Consent{Language: "nl", Text: "U machtigt"}},
		{Act: mandate.ActExpire, Side: mandate.RuleSide, At: noon},
	}
	h := historyView{Versions: []versionView{{Revision: 1, At: noon, Mandate: mandateView{State: "active"}}}}
	for _, s := range steps {
		h.Steps = append(h.Steps, viewStep(s))
	}
	var out bytes.Buffer
	h.tell(&environment{out: &out})
	for _, want := range []string{
		"ask     register  3            signed-form of 2026-11-24 (archive 7)",
		"agree   grantor   4            a text in nl",
		"expire  rule      -",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, &out)
		}
	}
	if h.Steps[0].Evidence[0].SHA256[:2] != "ab" || h.Steps[1].Consent != "U machtigt" {
		t.Errorf("as JSON: %+v", h.Steps)
	}
}
