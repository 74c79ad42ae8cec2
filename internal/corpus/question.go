package corpus

import (
	"fmt"
	"strings"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// readQuestion reads the one line of a question:
//
//	authorize anna for vat at MOMENT login loa3 [asked loa2] [company bakery] [confirm-here] [test] [certified loa3]
//	authorize anna for vat at MOMENT login loa3 company bakery [through office] [only 000000000001] chosen [elsewhere] [opening permit waste]
//	confirm bakery through office for vat at MOMENT login loa3 previous loa3 [asked loa2]
//	recheck bakery by anna [through office] for vat at MOMENT login loa3 [only 000000000001]
//	recheck bakery through office for vat at MOMENT login loa3 previous loa3
//
// Somebody who does not stand in the world is written as a number: a person as 1 to 64
// hexadecimal digits, a company by its KvK number.
func (c *Case) readQuestion(text string) error {
	all := lines(text)
	if len(all) != 1 {
		return fmt.Errorf("a question is one line")
	}
	words := strings.Fields(all[0])
	if len(words) < 2 {
		return fmt.Errorf("a question starts with its kind and whom it is about")
	}
	f, err := fields(words[2:], "for", "at", "login", "asked", "company", "through", "by", "previous", "only", "confirm-here", "test", "certified", "chosen", "elsewhere", "opening")
	if err != nil {
		return err
	}
	if c.Service = one(f["for"]); c.Service == "" {
		return fmt.Errorf("a question is for one service")
	}
	r := decision.Request{Question: decision.Question(words[0]), TestNetwork: f["test"] != nil}
	if r.At, err = mandate.ParseMoment(one(f["at"])); err != nil {
		return err
	}
	for level, name := range map[*etoegang.AssuranceLevel]string{&r.Authentication: "login", &r.Asked: "asked", &r.Previous: "previous", &r.Certified: "certified"} {
		if f[name] != nil {
			if *level, err = etoegang.ParseLevelName(one(f[name])); err != nil {
				return err
			}
		}
	}
	for _, e := range f["only"] {
		number, err := etoegang.ParseEstablishmentNumber(e)
		if err != nil {
			return err
		}
		r.Establishments = append(r.Establishments, number)
	}
	if f["confirm-here"] != nil {
		r.ConfirmHere = Here
	}
	if err := c.readParties(&r, words[1], f); err != nil {
		return err
	}
	c.Question = r
	return c.readChoice(f)
}

// readChoice reads what the user has chosen.
func (c *Case) readChoice(f map[string][]string) error {
	r := &c.Question
	if r.Chosen = f["chosen"] != nil; !r.Chosen {
		return nil
	}
	if f["elsewhere"] != nil {
		r.ConfirmAt = Elsewhere
	} else if !r.Intermediary.IsZero() {
		r.ConfirmAt = r.ConfirmHere
	}
	for _, name := range f["opening"] {
		s := c.World.Services[name]
		if s == nil {
			return fmt.Errorf("%q is no service of this world", name)
		}
		r.Services = append(r.Services, s.UUID)
	}
	return nil
}

func (c *Case) readParties(r *decision.Request, about string, f map[string][]string) (err error) {
	person, company := "", about
	switch r.Question {
	case decision.Authorize:
		person, company = about, one(f["company"])
	case decision.Recheck:
		person = one(f["by"])
	case decision.Confirm:
	default:
		return fmt.Errorf("a question starts with authorize, confirm or recheck")
	}
	if person != "" {
		if r.Actor, err = c.World.actor(person); err != nil {
			return err
		}
	}
	if company != "" {
		n, err := c.World.kvk(company)
		if err != nil {
			return err
		}
		r.Represented = n.LegalSubject()
	}
	if through := one(f["through"]); through != "" {
		r.Intermediary.KvK, err = c.World.kvk(through)
	}
	return err
}

func (w *World) actor(name string) (etoegang.ActingSubject, error) {
	if p := w.person(name); p != nil {
		return p.Subject, nil
	}
	pseudonym, err := etoegang.ParsePseudonym(strings.Repeat("0", max(0, 64-len(name))) + name)
	return etoegang.ActingSubject{Authenticator: Authenticator, Pseudonym: pseudonym}, err
}

func (w *World) kvk(name string) (etoegang.KvKNumber, error) {
	if o := w.company(name); o != nil {
		return o.KvK, nil
	}
	return etoegang.ParseKvKNumber(name)
}
