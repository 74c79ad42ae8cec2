// Package corpus reads testdata/decisions: one small file for each idea about who may
// act for whom, with a world, a question and the wanted answer in plain words. The same
// files run through the decision core, through the decision point on a real register,
// and through the daemon with signed messages.
//
// The package is for tests only. It owns the language of the files and knows the types
// of the scheme, of mandates and of decisions; it never stores, signs or sends.
//
// A file is a txtar archive. Above the first marker stands the idea. Then:
//
//	-- world --
//	service vat of taxoffice needs loa3 by KvKnr+RSIN or KvKnr
//	service permit of town needs loa2plus by KvKnr with establishments
//	portal desk of town needs loa2 by KvKnr opens permit vat
//	company bakery kvk 12345678 rsin 123456782
//	company office kvk 87654321
//	person anna
//	mandate 1 bakery to anna for permit@loa3 from 2026-01-01 until 2028-01-01 only 000000000001
//	mandate 2 bakery to office for everything@loa3 from 2026-01-01 until 2028-01-01
//	mandate 3 office to anna for everything@loa3 from 2026-01-01 until 2027-01-01 client 2
//	mandate 4 bakery to office for taxoffice@loa3 from 2026-01-01 until 2028-01-01 elsewhere
//
//	-- question --
//	authorize anna for vat at 2026-11-24T12:00:00Z login loa3 asked loa2 company bakery
//	confirm bakery through office for vat at 2026-11-24T12:00:00Z login loa3 previous loa3
//	recheck anna for bakery through office ... (see question.go)
//
//	-- answer --
//	permit bakery through office by KvKnr+RSIN used loa3 effective loa3 mandates 3 2
//	until 2027-01-01
//
// A mandate line may end in a state (suspended, revoked, ...), a service line in
// "hidden" (not public) or "shares permit" (the ServiceUUID of a service above, at
// another provider), a company or person line in "inactive" (takes no part), and in
// "blocked" (the emergency stop) or "unblocked" (blocked for a while, and no longer). A
// line that starts with # is a remark.
package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Case is one idea: in this world, this question has this answer.
type Case struct {
	Name     string // of the file, without its extension
	Idea     string // in plain words
	World    World
	Question decision.Request
	Service  string // the name of the service asked for
	Answer   string // as Render writes it
}

// Load reads every case in a folder, in the order of their names.
func Load(dir string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no decisions in %s (%v)", dir, err)
	}
	slices.Sort(files)
	cases := make([]Case, 0, len(files))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		c, err := parse(strings.TrimSuffix(filepath.Base(file), ".txtar"), data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// Part gives all cases, and under the race detector one in Slower.
func Part(all []Case) []Case {
	var part []Case
	for i := 0; i < len(all); i += Slower {
		part = append(part, all[i])
	}
	return part
}

func parse(name string, data []byte) (Case, error) {
	archive := txtar.Parse(data)
	c := Case{Name: name, Idea: strings.TrimSpace(string(archive.Comment))}
	sections := map[string]string{}
	for _, f := range archive.Files {
		sections[f.Name] = string(f.Data)
	}
	for _, wanted := range []string{"world", "question", "answer"} {
		if _, ok := sections[wanted]; !ok || len(sections) != 3 {
			return c, fmt.Errorf("needs exactly the sections world, question and answer")
		}
	}
	if c.Idea == "" {
		return c, fmt.Errorf("say in a sentence above the world what the idea is")
	}
	if err := c.World.read(sections["world"]); err != nil {
		return c, err
	}
	if err := c.readQuestion(sections["question"]); err != nil {
		return c, err
	}
	c.Answer = strings.Join(lines(sections["answer"]), "\n")
	return c, nil
}

// lines gives the lines that say something.
func lines(s string) []string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// Facts are what a register that holds this world would find for the question.
func (c Case) Facts() decision.Facts {
	f := decision.Facts{Service: c.World.Services[c.Service], Represented: c.World.companyOf(c.Question.Represented)}
	for _, p := range c.World.Persons {
		if p.Subject == c.Question.Actor {
			f.Person = &p
		}
	}
	byID := map[mandate.ID]mandate.Mandate{}
	for _, m := range c.World.Mandates {
		byID[m.ID] = m
		mine := f.Person != nil && m.Person.ID == f.Person.ID
		switch {
		case m.Kind == mandate.Direct && mine:
			f.Direct = append(f.Direct, m)
		case m.Kind == mandate.Assignment && mine:
			f.Assigned = append(f.Assigned, decision.Assigned{Assignment: m, Chain: byID[m.Client]})
		case m.Kind == mandate.Chain && m.Grantor.Is(c.Question.Represented) && m.Intermediary.KvK == c.Question.Intermediary.KvK:
			f.Chain = append(f.Chain, m)
		}
	}
	return f
}

// Render writes a decision as the answer of a case, with the names of its world.
func (c Case) Render(d decision.Decision) string {
	var out []string
	for _, o := range d.Options {
		out = append(out, c.renderOption(d.Outcome, o))
	}
	if d.Outcome == decision.Deny {
		out = append(out, "deny")
	}
	for _, r := range d.Reasons {
		if r.Mandate == 0 {
			out = append(out, fmt.Sprintf("because %s", r.Code))
		} else {
			out = append(out, fmt.Sprintf("because %s mandate %d", r.Code, r.Mandate))
		}
	}
	if !d.Until.IsZero() {
		out = append(out, "until "+renderMoment(d.Until))
	}
	return strings.Join(out, "\n")
}

func (c Case) renderOption(outcome decision.Outcome, o decision.Option) string {
	words := []string{strings.ToLower(outcome.String()), o.Represented.Name}
	if o.Intermediary != nil {
		words = append(words, "through", o.Intermediary.Name)
	}
	for _, e := range o.Establishments {
		words = append(words, "only", e.Text())
	}
	if len(o.Identifiers) > 0 {
		var types []string
		for _, id := range o.Identifiers {
			types = append(types, id.Type().Short())
		}
		words = append(words, "by", strings.Join(types, "+"))
	}
	if c.World.Services[c.Service].Portal() {
		words = append(words, "opening")
		for _, uuid := range o.Services {
			words = append(words, c.World.serviceName(uuid))
		}
	}
	words = append(words, "used", o.Used.String(), "effective", o.Effective.String(), "mandates")
	for _, id := range o.Mandates {
		words = append(words, fmt.Sprint(id))
	}
	switch o.ConfirmAt {
	case etoegang.EntityID{}:
	case Elsewhere:
		words = append(words, "confirm-elsewhere")
	case Here:
		words = append(words, "confirm-here")
	}
	return strings.Join(words, " ")
}
