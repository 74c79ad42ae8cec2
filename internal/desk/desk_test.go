package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The office asks, the bakery agrees to less, and what was shown to the bakery is kept with
// who agreed to it.
func TestTheOfficeAsksAndTheBakeryAgreesToLess(t *testing.T) {
	s := newScene(t)
	anna, bol := s.appoint(bakery, mandate.Administrator, ""), s.appoint(office, mandate.Administrator, "")
	asked := must(s.Ask(ctx, bol, "new client", s.wish(forTaxes))).Mandate
	if asked.State != mandate.Requested {
		t.Fatalf("asked: %s", asked.State)
	}
	_, err := s.Accept(ctx, bol, "yes", asked.ID, Narrowing{}, register.Consent{})
	s.refused("the office agrees with itself", err, mandate.ErrOwnRequest)
	_, err = s.Accept(ctx, anna, "yes", asked.ID, Narrowing{Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}}, register.Consent{})
	s.refused("more than was asked", err, mandate.ErrWidensScope)

	s.clock.advance(48 * time.Hour)
	text := register.Consent{Language: "nl", Text: "U machtigt Kantoor Bol voor de btw-aangifte."}
	got := must(s.Accept(ctx, anna, "agreed by phone", asked.ID, Narrowing{Scope: forVAT}, text)).Mandate
	if got.State != mandate.Active || got.Supersedes != asked.ID || !got.Validity.From.Equal(mandate.StartOfDay(s.clock.Now())) {
		t.Errorf("in force: %+v", got)
	}
	if was := s.state(asked.ID); was.State != mandate.Superseded {
		t.Errorf("what was asked is %s", was.State)
	}
	step := s.steps(got.ID)[0]
	if step.Act != mandate.ActAgree || step.Side != mandate.GrantorSide || step.Appointment != anna.Appointment || step.Consent != text ||
		step.Author.Who != "appointment 1" || step.Author.Why != "agreed by phone" || step.Catalogue != 1 {
		t.Errorf("written down: %+v", step)
	}
}

// What is not yours does not exist for you, whatever you try on it.
func TestOthersMandatesAreNotFound(t *testing.T) {
	s := newScene(t)
	anna, stranger := s.appoint(bakery, mandate.Administrator, ""), s.appoint(farm, mandate.Administrator, "")
	m := must(s.Ask(ctx, anna, "granted", s.wish(forVAT))).Mandate
	for what, try := range map[string]func() error{
		"revoke":  func() error { _, err := s.Revoke(ctx, stranger, "x", m.ID, nil); return err },
		"suspend": func() error { _, err := s.Suspend(ctx, stranger, "x", m.ID, nil); return err },
		"narrow":  func() error { _, err := s.Narrow(ctx, stranger, "x", m.ID, Narrowing{}, nil); return err },
		"accept": func() error {
			_, err := s.Accept(ctx, stranger, "x", m.ID, Narrowing{}, register.Consent{})
			return err
		},
		"refuse": func() error { _, err := s.Refuse(ctx, stranger, "x", m.ID); return err },
		"follow": func() error {
			w := s.wish(forVAT)
			w.Grantor, w.Supersedes = farm, m.ID
			_, err := s.Ask(ctx, stranger, "x", w)
			return err
		},
		"assign": func() error {
			_, err := s.Ask(ctx, stranger, "x", Wish{Kind: mandate.Assignment, Grantor: farm, Client: m.ID, Scope: forVAT,
				Person: PersonWish{Subject: subject(1)}, Validity: year(monday)})
			return err
		},
	} {
		s.refused(what, try(), register.ErrNotFound)
	}
	if got := s.state(m.ID); got.State != mandate.Active {
		t.Errorf("and it is %s", got.State)
	}
	w := s.wish(forVAT)
	_, err := s.Ask(ctx, stranger, "x", w)
	s.refused("a mandate between others", err, mandate.ErrNotYours)
}

func subject(n byte) etoegang.ActingSubject {
	return etoegang.ActingSubject{Authenticator: ad, Pseudonym: must(etoegang.ParsePseudonym(strings.Repeat(string('0'+rune(n)), 64)))}
}

// Two directors sign; the register's people see that there are two of them, and may not
// sign for them.
func TestTwoDirectorsSign(t *testing.T) {
	s := newScene(t)
	first, second := s.appoint(bakery, mandate.Director, mandate.Jointly), s.appoint(bakery, mandate.Director, mandate.Jointly)
	bol, desk := s.appoint(office, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, "")
	asked := must(s.Ask(ctx, bol, "new client", s.wish(forVAT))).Mandate
	if m := must(s.Accept(ctx, first, "yes", asked.ID, Narrowing{}, register.Consent{})).Mandate; m.State != mandate.AwaitingSignatures {
		t.Fatalf("after one signature: %s", m.State)
	}
	_, err := s.Accept(ctx, first, "yes", asked.ID, Narrowing{}, register.Consent{})
	s.refused("the same director again", err, mandate.ErrSignedAlready)
	_, err = s.Accept(ctx, desk, "yes", asked.ID, Narrowing{}, register.Consent{})
	s.refused("the register's staff", err, mandate.ErrOwnRequest)
	if m := must(s.Accept(ctx, second, "yes", asked.ID, Narrowing{}, register.Consent{})).Mandate; m.State != mandate.Active || m.ID != asked.ID {
		t.Errorf("after two: %s", m.State)
	}
}

// Paper comes in by one of the staff and counts when another has looked.
func TestPaperNeedsFourEyes(t *testing.T) {
	s := newScene(t)
	one, two := s.appoint(Party{}, mandate.Staff, ""), s.appoint(Party{}, mandate.Staff, "")
	w := s.wish(forVAT)
	_, err := s.Ask(ctx, one, "by post", w)
	s.refused("without evidence", err, mandate.ErrEvidence)
	w.Evidence = []mandate.Evidence{
		{Kind: mandate.SignedForm, SHA256: [32]byte{1}, Dated: monday.AddDate(0, 0, -3), Where: "archive 2026/417"},
		{Kind: mandate.Extract, Dated: monday.AddDate(0, 0, -5), Where: "archive 2026/417"}}
	asked := must(s.Ask(ctx, one, "by post", w)).Mandate
	_, err = s.Accept(ctx, one, "checked", asked.ID, Narrowing{}, register.Consent{})
	s.refused("the same eyes", err, mandate.ErrFourEyes)
	if m := must(s.Accept(ctx, two, "checked", asked.ID, Narrowing{}, register.Consent{})).Mandate; m.State != mandate.Active {
		t.Errorf("after two pairs of eyes: %s", m.State)
	}
	steps := s.steps(asked.ID)
	if diff := cmp.Diff(w.Evidence, steps[0].Evidence); diff != "" || len(steps) != 2 {
		t.Errorf("%d steps, evidence:\n%s", len(steps), diff)
	}
}

// Nobody answers for three weeks: then the request is void, and a new one is not in its way.
func TestRequestsGrowOld(t *testing.T) {
	s := newScene(t)
	anna, bol := s.appoint(bakery, mandate.Administrator, ""), s.appoint(office, mandate.Administrator, "")
	asked := must(s.Ask(ctx, bol, "new client", s.wish(forVAT))).Mandate
	_, err := s.Ask(ctx, bol, "again", s.wish(forVAT))
	s.refused("the same request twice", err, register.ErrOverlap)
	s.clock.advance(mandate.RequestLife - time.Second)
	if n := must(s.Expire(ctx)); n != 0 {
		t.Errorf("%d expired a second too early", n)
	}
	s.clock.advance(time.Second)
	_, err = s.Accept(ctx, anna, "yes", asked.ID, Narrowing{}, register.Consent{})
	s.refused("too late", err, mandate.ErrRequestExpired)
	if n := must(s.Expire(ctx)); n != 1 || s.state(asked.ID).State != mandate.RequestExpired {
		t.Errorf("%d expired, it is %s", n, s.state(asked.ID).State)
	}
	if n := must(s.Expire(ctx)); n != 0 {
		t.Errorf("%d expired twice", n)
	}
	if m := must(s.Ask(ctx, bol, "again", s.wish(forVAT))).Mandate; m.State != mandate.Requested {
		t.Errorf("asked again: %s", m.State)
	}
}

// What is renewed stays in force until the new mandate is, and nobody of the office loses
// the client meanwhile or after.
func TestRenewingKeepsTheAssignments(t *testing.T) {
	s := newScene(t)
	anna, bol := s.appoint(bakery, mandate.Administrator, ""), s.appoint(office, mandate.Administrator, "")
	old := must(s.Ask(ctx, anna, "granted", s.wish(forVAT))).Mandate
	eva := must(s.Ask(ctx, bol, "assigned", Wish{Kind: mandate.Assignment, Grantor: office, Client: old.ID, Scope: forVAT,
		Person: PersonWish{Subject: subject(1), Name: "Eva"}, Validity: year(monday)})).Mandate
	s.clock.advance(200 * 24 * time.Hour)
	w := s.wish(forTaxes)
	w.Supersedes = old.ID
	next := must(s.Ask(ctx, bol, "renew and widen", w)).Mandate
	if next.State != mandate.Requested || s.state(old.ID).State != mandate.Active {
		t.Fatalf("meanwhile: %s and %s", next.State, s.state(old.ID).State)
	}
	must(s.Accept(ctx, anna, "yes", next.ID, Narrowing{}, register.Consent{}))
	if s.state(old.ID).State != mandate.Superseded || s.state(eva.ID).State != mandate.Superseded {
		t.Errorf("the old ones: %s, %s", s.state(old.ID).State, s.state(eva.ID).State)
	}
	moved := s.state(eva.ID + 2)
	if moved.Client != next.ID || moved.State != mandate.Active || moved.Person.ID != eva.Person.ID || moved.Supersedes != eva.ID {
		t.Errorf("Eva has %+v", moved)
	}
	must(s.Revoke(ctx, anna, "goodbye", next.ID, nil))
	if s.state(moved.ID).State != mandate.Revoked {
		t.Errorf("after the end: %s", s.state(moved.ID).State)
	}
}

// The side that suspended lets go on, also when the mandate was narrowed in between.
func TestWhoSuspendsResumes(t *testing.T) {
	s := newScene(t)
	anna, bol := s.appoint(bakery, mandate.Administrator, ""), s.appoint(office, mandate.Administrator, "")
	m := must(s.Ask(ctx, anna, "granted", s.wish(forTaxes))).Mandate
	must(s.Suspend(ctx, anna, "a question first", m.ID, nil))
	less := must(s.Narrow(ctx, bol, "only VAT", m.ID, Narrowing{Scope: forVAT}, nil)).Mandate
	if less.State != mandate.Suspended {
		t.Fatalf("narrowed: %s", less.State)
	}
	_, err := s.Resume(ctx, bol, "go on", less.ID, nil)
	s.refused("the office", err, mandate.ErrOtherSide)
	if m := must(s.Resume(ctx, anna, "answered", less.ID, nil)).Mandate; m.State != mandate.Active {
		t.Errorf("resumed: %s", m.State)
	}
}

// Whoever keeps the register suspends what the bakery had suspended and let go on before: the
// bakery does not undo that. And nobody puts a request in force at the command line that was
// never answered.
func TestTheCommandLineIsTheRegister(t *testing.T) {
	s := newScene(t)
	anna, bol := s.appoint(bakery, mandate.Administrator, ""), s.appoint(office, mandate.Administrator, "")
	m := must(s.Ask(ctx, anna, "granted", s.wish(forVAT))).Mandate
	must(s.Suspend(ctx, anna, "wait", m.ID, nil))
	must(s.Resume(ctx, anna, "go on", m.ID, nil))
	move := func(id mandate.ID, to mandate.State) error {
		_, err := s.register.Change(ctx, keeper, func(t *register.Tx) error { _, err := MoveAtDesk(t, id, to); return err })
		return err
	}
	s.refused("the register suspends", move(m.ID, mandate.Suspended), nil)
	_, err := s.Resume(ctx, anna, "go on", m.ID, nil)
	s.refused("the bakery lets go on", err, mandate.ErrOtherSide)
	s.refused("the register lets go on", move(m.ID, mandate.Active), nil)
	if steps := s.steps(m.ID); len(steps) != 5 || steps[4].Act != mandate.ActResume || steps[4].Side != mandate.RegisterSide || steps[4].Appointment != 0 {
		t.Errorf("written down: %+v", steps)
	}
	asked := must(s.Ask(ctx, bol, "more", s.wish(forTaxes))).Mandate
	var transition *register.TransitionError
	if err := move(asked.ID, mandate.Active); !errors.As(err, &transition) || s.state(asked.ID).State != mandate.Requested {
		t.Errorf("a request is let go on: %v, it is %s", err, s.state(asked.ID).State)
	}
}

// While a renewal waits the mandate is narrowed: the renewal does not come in force beside what
// is left of it.
func TestARenewalIsOvertaken(t *testing.T) {
	s := newScene(t)
	anna, bol := s.appoint(bakery, mandate.Administrator, ""), s.appoint(office, mandate.Administrator, "")
	both := append(slices.Clone(forTaxes), forVAT...)
	m := must(s.Ask(ctx, anna, "granted", s.wish(both))).Mandate
	w := s.wish(forVAT)
	w.Supersedes, w.Validity.To = m.ID, w.Validity.To.AddDate(1, 0, 0)
	renewal := must(s.Ask(ctx, bol, "longer", w)).Mandate
	less := must(s.Narrow(ctx, anna, "only VAT", m.ID, Narrowing{Scope: forVAT}, nil)).Mandate
	var overlap *register.OverlapError
	_, err := s.Accept(ctx, anna, "yes", renewal.ID, Narrowing{}, register.Consent{})
	if !errors.As(err, &overlap) || overlap.Mandate != less.ID || s.state(renewal.ID).State != mandate.Requested {
		t.Errorf("both in force: %v, the renewal is %s", err, s.state(renewal.ID).State)
	}
	must(s.Revoke(ctx, anna, "the renewal instead", less.ID, nil))
	if got := must(s.Accept(ctx, anna, "yes", renewal.ID, Narrowing{}, register.Consent{})).Mandate; got.State != mandate.Active {
		t.Errorf("afterwards: %s", got.State)
	}
}

// Pages of a list at an earlier revision are read by as many at once as there is room for, and
// none waits for another.
func TestLookingBackTakesOnePlace(t *testing.T) {
	s := newScene(t)
	anna := s.appoint(bakery, mandate.Administrator, "")
	var then register.Revision
	must(0, s.Look(ctx, anna, 0, func(l *Look) error { then = l.Revision(); return nil }))
	m := must(s.Ask(ctx, anna, "granted", s.wish(forVAT))).Mandate
	short, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var lookers sync.WaitGroup
	for range 64 {
		lookers.Go(func() {
			err := s.Look(short, anna, then, func(l *Look) error {
				if _, err := l.Mandate(m.ID); !errors.Is(err, register.ErrNotFound) {
					return fmt.Errorf("what came later is seen: %w", err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	lookers.Wait()
}

// An invitation is for one person of one company, at a level, once.
func TestInvitations(t *testing.T) {
	s := newScene(t)
	made := must(s.AppointAtDesk(ctx, keeper, Appointment{Company: bakery.KvK, Role: mandate.Administrator, Name: "Anna", Level: etoegang.LoA3, Validity: year(monday)}))
	visitor := s.visitor(bakery, 1)
	for why, c := range map[string]struct {
		change func(*Visitor)
		secret string
		err    error
	}{
		"another company": {func(v *Visitor) { v.Company = office.KvK }, made.Invitation, mandate.ErrOtherCompany},
		"a lower level":   {func(v *Visitor) { v.Level = etoegang.LoA2 }, made.Invitation, mandate.ErrLowLogin},
		"another secret":  {func(v *Visitor) {}, made.Invitation + "x", mandate.ErrInvited},
		"no secret":       {func(v *Visitor) {}, "", mandate.ErrInvited},
	} {
		v := visitor
		c.change(&v)
		_, err := s.AcceptInvitation(ctx, v, c.secret)
		s.refused(why, err, c.err)
	}
	a := must(s.AcceptInvitation(ctx, visitor, made.Invitation))
	_, err := s.AcceptInvitation(ctx, s.visitor(bakery, 2), made.Invitation)
	s.refused("a second time", err, mandate.ErrInvitationUsed)
	_, err = s.AcceptInvitation(ctx, visitor, made.Invitation)
	s.refused("a second time by herself", err, mandate.ErrInvitationUsed)
	if roles := must(s.Roles(ctx, visitor)); len(roles) != 1 || roles[0].ID != a.ID {
		t.Errorf("Anna's roles: %+v", roles)
	}
	if roles := must(s.Roles(ctx, s.visitor(office, 1))); len(roles) != 0 {
		t.Errorf("of the same person for another company: %+v", roles)
	}
}

// Who leaves loses his appointment at once; the last one only when that is meant.
func TestLeaving(t *testing.T) {
	s := newScene(t)
	anna, stranger := s.appoint(bakery, mandate.Administrator, ""), s.appoint(farm, mandate.Administrator, "")
	_, err := s.Dismiss(ctx, stranger, "x", anna.Appointment, true, nil)
	s.refused("by a stranger", err, register.ErrNotFound)
	_, err = s.Dismiss(ctx, anna, "leaves", anna.Appointment, false, nil)
	s.refused("the last one", err, mandate.ErrLastAdministrator)
	boris := must(s.Appoint(ctx, anna, "succession", Appointment{Company: bakery.KvK, Role: mandate.Administrator, Name: "Boris", Level: etoegang.LoA3, Validity: year(monday)}))
	_, err = s.Dismiss(ctx, anna, "leaves", anna.Appointment, false, nil)
	s.refused("while the next is only invited", err, mandate.ErrLastAdministrator)
	must(s.AcceptInvitation(ctx, s.visitor(bakery, 77), boris.Invitation))
	must(s.Dismiss(ctx, anna, "leaves", anna.Appointment, false, nil))
	_, err = s.Ask(ctx, anna, "granted", s.wish(forVAT))
	s.refused("afterwards", err, mandate.ErrNotAppointed)
}

// The bakery's only administrator turns out to be a fraud. The register's staff dismiss him, with
// a reason, on what was reported, and knowing that nobody is left; of which the staff are told.
// At once he can do nothing more, and what he granted stays until it is looked into.
func TestStaffDismiss(t *testing.T) {
	s := newScene(t)
	fraud, staff, colleague := s.appoint(bakery, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, ""), s.appoint(Party{}, mandate.Staff, "")
	m := must(s.Ask(ctx, fraud, "granted", s.wish(forVAT))).Mandate
	report := []mandate.Evidence{{Kind: mandate.Notice, Dated: s.clock.Now(), Where: "box 7"}}
	dismissal := func(c Caller) (d register.Dismissal, err error) {
		err = s.Look(ctx, c, 0, func(l *Look) (err error) { d, err = l.Dismissal(fraud.Appointment); return err })
		return d, err
	}
	_, err := s.Dismiss(ctx, staff, "", fraud.Appointment, true, report)
	s.refused("without a reason", err, ErrWhy)
	_, err = s.Dismiss(ctx, staff, "fraud", fraud.Appointment, true, nil)
	s.refused("on nothing", err, mandate.ErrDismissal)
	_, err = s.Dismiss(ctx, staff, "fraud", fraud.Appointment, true, []mandate.Evidence{{Kind: mandate.Notice, Dated: s.clock.Now()}})
	s.refused("on what lies nowhere", err, mandate.ErrPaper)
	_, err = s.Dismiss(ctx, staff, "fraud", fraud.Appointment, false, report)
	s.refused("the last one, unaware", err, mandate.ErrLastAdministrator)
	_, err = dismissal(staff)
	s.refused("a look at what did not happen", err, register.ErrNotFound)

	must(s.Dismiss(ctx, staff, "fraud", fraud.Appointment, true, report))
	_, err = s.Revoke(ctx, fraud, "x", m.ID, nil)
	s.refused("afterwards", err, mandate.ErrNotAppointed)
	if s.state(m.ID).State != mandate.Active {
		t.Error("what he granted ended with him")
	}
	d := must(dismissal(colleague))
	if d.Author.Why != "fraud" || !d.At.Equal(s.clock.Now()) || len(d.Evidence) != 1 || d.Evidence[0] != report[0] {
		t.Errorf("it is known as %+v", d)
	}
	_, err = dismissal(s.appoint(bakery, mandate.Administrator, ""))
	s.refused("a look by his successor", err, mandate.ErrNotYours)
	if list := s.waiting(0); len(list) != 1 || list[0].News != mandate.NewsUnmanaged || list[0].Author != staff.Appointment {
		t.Errorf("the staff are told %+v", list)
	}
	_, err = s.Dismiss(ctx, colleague, "again", fraud.Appointment, true, report)
	var ended *register.AppointmentError
	if !errors.As(err, &ended) {
		t.Errorf("again: %v", err)
	}
	must(s.Dismiss(ctx, staff, "left", colleague.Appointment, false, nil))
}

// bankrupt is what the trade register says of a company that is.
func bankrupt(e *mandate.Entry) { e.Standing = mandate.Bankrupt }

// A company that goes bankrupt keeps its mandates, and its legal form; what it would grant now needs paper.
func TestBankruptcyFlags(t *testing.T) {
	s := newScene(t)
	anna, desk := s.appoint(bakery, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, "")
	m := must(s.Ask(ctx, anna, "granted", s.wish(forVAT))).Mandate
	_, err := s.PutEntry(ctx, anna, "x", bakery.KvK, bankrupt)
	s.refused("by the company itself", err, mandate.ErrNotYours)
	must(s.PutEntry(ctx, desk, "trade register", bakery.KvK, func(e *mandate.Entry) { e.Form = mandate.LegalPerson }))
	must(s.PutEntry(ctx, desk, "trade register", bakery.KvK, bankrupt))
	if err := s.register.Read(ctx, func(v *register.Snapshot) error {
		if e := must(v.Entry(m.Grantor.ID)); e != (mandate.Entry{Form: mandate.LegalPerson, Standing: mandate.Bankrupt}) {
			t.Errorf("it is %v", e)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if s.state(m.ID).State != mandate.Active {
		t.Error("the mandate ended")
	}
	w := s.wish(forVAT)
	w.Intermediary = farm
	_, err = s.Ask(ctx, anna, "granted", w)
	s.refused("a new one", err, mandate.ErrStanding)
	must(s.Revoke(ctx, anna, "over", m.ID, nil))
}

// A step that fails has done nothing: not even the company that it would have registered.
func TestNothingIsHalfDone(t *testing.T) {
	s := newScene(t)
	anna := s.appoint(bakery, mandate.Administrator, "")
	w := s.wish(forVAT)
	w.Intermediary = Party{KvK: kvk(99), Name: "New"}
	w.Validity.To = w.Validity.From.AddDate(4, 0, 0)
	_, err := s.Ask(ctx, anna, "granted", w)
	s.refused("longer than he may", err, mandate.ErrOutlasts)
	if err := s.register.Read(ctx, func(v *register.Snapshot) error {
		if o := must(v.Organisation(kvk(99).LegalSubject())); o != nil {
			t.Error("the intermediary was registered")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, err = s.Ask(ctx, anna, "", s.wish(forVAT))
	s.refused("without a reason", err, ErrWhy)
	_, err = s.Ask(ctx, Caller{99, etoegang.LoA3}, "x", s.wish(forVAT))
	s.refused("by nobody", err, mandate.ErrNotAppointed)
	var overlap *register.OverlapError
	must(s.Ask(ctx, anna, "granted", s.wish(forVAT)))
	if _, err = s.Ask(ctx, anna, "granted", s.wish(forVAT)); !errors.As(err, &overlap) {
		t.Errorf("twice: %v", err)
	}
}
