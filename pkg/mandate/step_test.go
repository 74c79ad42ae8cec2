package mandate

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// The parties of these scenes: a bakery (1) that mandates its accountant (2), and a farm (3)
// that has nothing to do with it.
var (
	service = func() etoegang.ServiceUUID {
		u, _ := etoegang.ParseServiceUUID("11111111-2222-3333-4444-555555555555")
		return u
	}()
	provider = func() etoegang.OIN { o, _ := etoegang.ParseOIN("00000003520354760000"); return o }()
	offered  = func(Item) []etoegang.OIN { return []etoegang.OIN{provider} }
)

func admin(of OrganisationID) Actor {
	return Actor{Appointment: AppointmentID(10 + of), Role: Administrator, Organisation: of, Level: etoegang.LoA3, Until: recorded.AddDate(2, 0, 0)}
}

func directorOf(of OrganisationID, id AppointmentID) Actor {
	return Actor{Appointment: id, Role: Director, Organisation: of, Level: etoegang.LoA3, Until: recorded.AddDate(2, 0, 0)}
}

func staff(id AppointmentID) Actor {
	return Actor{Appointment: id, Role: Staff, Level: etoegang.LoA4, Until: recorded.AddDate(2, 0, 0)}
}

func chain() Mandate {
	m := fit()
	m.ID, m.Kind, m.Person, m.Intermediary = 7, Chain, Person{}, Organisation{ID: 2}
	m.Scope = Scope{{Provider: provider, Level: etoegang.LoA3}}
	return m
}

func at(m Mandate, level etoegang.AssuranceLevel) Mandate {
	m.Scope = Scope{Everything(level)}
	return m
}

// directors of a company, by number, with their authority.
func directors(list ...Authority) (c Company) {
	for i, a := range list {
		c.Directors = append(c.Directors, Appointment{ID: AppointmentID(100 + i), Role: Director, Authority: a, State: Appointed})
	}
	return c
}

func asked(by Side, state State, signed ...Signature) Request {
	m := chain()
	m.State = state
	return Request{Mandate: m, AskedBy: by, Expires: recorded.Add(RequestLife), Signed: signed}
}

// Who wants a mandate decides where it begins.
func TestAsking(t *testing.T) {
	long := chain()
	long.Validity.To = recorded.AddDate(3, 0, 0)
	papers := []Evidence{{Kind: SignedForm, Dated: recorded, Where: "archive 1"}, {Kind: Extract, Dated: recorded.AddDate(0, 0, -14), Where: "archive 2"}}
	old := slices.Clone(papers)
	old[1].Dated = recorded.AddDate(0, 0, -15)
	seen := append(slices.Clone(papers), Evidence{Kind: Identified, Dated: recorded, Where: "counter"})
	reader := admin(1)
	reader.Role = Reader
	for _, c := range []struct {
		why      string
		m        Mandate
		actor    Actor
		offer    bool
		company  Company
		evidence []Evidence
		state    State
		err      error
	}{
		{"the company's administrator grants", chain(), admin(1), false, Company{}, nil, Active, nil},
		{"and offers", chain(), admin(1), true, Company{}, nil, AwaitingAcceptance, nil},
		{"the intermediary's asks", chain(), admin(2), false, Company{}, nil, Requested, nil},
		{"a stranger's", chain(), admin(3), false, Company{}, nil, "", ErrNotYours},
		{"a program that only reads", chain(), reader, false, Company{}, nil, "", ErrMayOnlyRead},
		{"above his level", at(chain(), etoegang.LoA4), admin(1), false, Company{}, nil, "", ErrInPerson},
		{"longer than he is appointed", long, admin(1), false, Company{}, nil, "", ErrOutlasts},
		{"the intermediary may ask for longer", long, admin(2), false, Company{}, nil, Requested, nil},
		{"a director who signs alone", chain(), directorOf(1, 100), false, directors(Alone), nil, Active, nil},
		{"one of two who sign jointly", chain(), directorOf(1, 100), false, directors(Jointly, Jointly), nil, AwaitingSignatures, nil},
		{"one whom the register does not know as director", chain(), directorOf(1, 100), false, Company{}, nil, "", ErrNoSigner},
		{"a company that is bankrupt", chain(), admin(1), false, Company{Entry: Entry{Standing: Bankrupt}}, nil, "", ErrStanding},
		{"a company that does not pay for now", chain(), admin(1), false, Company{Entry: Entry{Standing: Moratorium}}, nil, Active, nil},
		{"paper", chain(), staff(1), false, Company{}, papers, AwaitingSignatures, nil},
		{"paper of a bankrupt company, which its receiver signed", chain(), staff(1), false, Company{Entry: Entry{Standing: Bankrupt}}, papers, AwaitingSignatures, nil},
		{"no paper", chain(), staff(1), false, Company{}, nil, "", ErrEvidence},
		{"an old extract", chain(), staff(1), false, Company{}, old, "", ErrOldExtract},
		{"loa4 on paper", at(chain(), etoegang.LoA4), staff(1), false, Company{}, papers, "", ErrEvidence},
		{"loa4, and everybody was seen", at(chain(), etoegang.LoA4), staff(1), false, Company{}, seen, AwaitingSignatures, nil},
	} {
		r, err := Ask(c.m, c.actor, c.offer, c.company, c.evidence, recorded)
		if !errors.Is(err, c.err) || err == nil && r.State != c.state {
			t.Errorf("%s: %q, %v", c.why, r.State, err)
		}
	}
}

// The other side answers, in time, and not for more than was asked.
func TestAnswering(t *testing.T) {
	narrower := func(m Mandate) Mandate {
		m.Scope = Scope{{Service: service, Level: etoegang.LoA2}}
		return m
	}
	wider := func(m Mandate) Mandate { return at(m, etoegang.LoA3) }
	same := func(m Mandate) Mandate { return m }
	first := Signature{By: 100, Side: GrantorSide}
	joint, three := directors(Jointly, Jointly), directors(Jointly, Jointly, Limited)
	for _, c := range []struct {
		why     string
		r       Request
		as      func(Mandate) Mandate
		actor   Actor
		company Company
		state   State
		err     error
	}{
		{"the company agrees", asked(ReceiverSide, Requested), same, admin(1), Company{}, Active, nil},
		{"to less", asked(ReceiverSide, Requested), narrower, admin(1), Company{}, Active, nil},
		{"to more", asked(ReceiverSide, Requested), wider, admin(1), Company{}, "", ErrWidensScope},
		{"the asker agrees with himself", asked(ReceiverSide, Requested), same, admin(2), Company{}, "", ErrOwnRequest},
		{"a stranger agrees", asked(ReceiverSide, Requested), same, admin(3), Company{}, "", ErrNotYours},
		{"the register's staff agree for the company", asked(ReceiverSide, Requested), same, staff(1), Company{}, "", ErrOwnRequest},
		{"what was answered already", asked(ReceiverSide, Active), same, admin(1), Company{}, "", ErrNotAsked},
		{"the first of two directors", asked(ReceiverSide, Requested), same, directorOf(1, 100), joint, AwaitingSignatures, nil},
		{"the second", asked(ReceiverSide, AwaitingSignatures, first), same, directorOf(1, 101), joint, Active, nil},
		{"the first, twice", asked(ReceiverSide, AwaitingSignatures, first), same, directorOf(1, 100), joint, "", ErrSignedAlready},
		{"the second to less, which the first has not signed", asked(ReceiverSide, AwaitingSignatures, first), narrower, directorOf(1, 101), joint, AwaitingSignatures, nil},
		{"more than half of three", asked(ReceiverSide, AwaitingSignatures, first), same, directorOf(1, 102), three, Active, nil},
		{"the one who offered", asked(GrantorSide, AwaitingAcceptance), same, admin(1), Company{}, "", ErrOwnRequest},
		{"the one it was offered to", asked(GrantorSide, AwaitingAcceptance), narrower, admin(2), Company{}, Active, nil},
		{"a second pair of eyes", asked(RegisterSide, AwaitingSignatures, Signature{By: 1, Side: RegisterSide}), same, staff(2), Company{}, Active, nil},
		{"the same pair", asked(RegisterSide, AwaitingSignatures, Signature{By: 1, Side: RegisterSide}), same, staff(1), Company{}, "", ErrFourEyes},
		{"a second pair that changes what was on paper", asked(RegisterSide, AwaitingSignatures, Signature{By: 1, Side: RegisterSide}), narrower, staff(2), Company{}, "", ErrFourEyes},
	} {
		state, err := c.r.Accept(c.as(c.r.Mandate), c.actor, c.company, offered, recorded)
		if !errors.Is(err, c.err) || err == nil && state != c.state {
			t.Errorf("%s: %q, %v", c.why, state, err)
		}
	}
	r := asked(ReceiverSide, Requested)
	if _, err := r.Accept(r.Mandate, admin(1), Company{}, offered, r.Expires.Add(-time.Second)); err != nil {
		t.Errorf("in the last second: %v", err)
	}
	if _, err := r.Accept(r.Mandate, admin(1), Company{}, offered, r.Expires); !errors.Is(err, ErrRequestExpired) {
		t.Errorf("a second later: %v", err)
	}
}

func TestRefusing(t *testing.T) {
	for _, c := range []struct {
		why   string
		r     Request
		actor Actor
		state State
		err   error
	}{
		{"the asked", asked(ReceiverSide, Requested), admin(1), Rejected, nil},
		{"the asker", asked(ReceiverSide, Requested), admin(2), Withdrawn, nil},
		{"a stranger", asked(ReceiverSide, Requested), admin(3), "", ErrNotYours},
		{"the one it was offered to", asked(GrantorSide, AwaitingAcceptance), admin(2), Rejected, nil},
		{"the register's staff, of what is on paper", asked(RegisterSide, AwaitingSignatures), staff(2), Withdrawn, nil},
		{"the register's staff, of what others asked", asked(ReceiverSide, Requested), staff(2), "", ErrOtherSide},
		{"too late", asked(ReceiverSide, Active), admin(1), "", ErrNotAsked},
	} {
		if state, err := c.r.Refuse(c.actor); !errors.Is(err, c.err) || state != c.state {
			t.Errorf("%s: %q, %v", c.why, state, err)
		}
	}
}

// Either side stops a mandate without the other; only who stopped it lets it go on.
func TestMoving(t *testing.T) {
	low := admin(1)
	low.Level = etoegang.LoA2
	in := func(s State) Mandate { m := chain(); m.State = s; return m }
	for _, c := range []struct {
		why       string
		m         Mandate
		actor     Actor
		to        State
		suspended Side
		err       error
	}{
		{"the company revokes", in(Active), admin(1), Revoked, "", nil},
		{"the intermediary revokes", in(Active), admin(2), Revoked, "", nil},
		{"a stranger", in(Active), admin(3), Revoked, "", ErrNotYours},
		{"somebody of a lower level revokes", in(Active), low, Revoked, "", nil},
		{"the company lets go on what it suspended", in(Suspended), admin(1), Active, GrantorSide, nil},
		{"the intermediary, what the company suspended", in(Suspended), admin(2), Active, GrantorSide, ErrOtherSide},
		{"the company, what the register suspended", in(Suspended), admin(1), Active, RegisterSide, ErrOtherSide},
		{"somebody of a lower level lets it go on", in(Suspended), low, Active, GrantorSide, ErrAboveLevel},
		{"a request", in(Requested), admin(1), Active, GrantorSide, ErrNotInForce},
		{"what has ended", in(Revoked), admin(1), Active, GrantorSide, ErrNotInForce},
	} {
		if err := c.actor.Move(c.m, c.to, c.suspended); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

// Less is done at once; more needs everybody again.
func TestNarrowingAndFollowing(t *testing.T) {
	m := chain()
	m.State = Active
	less := m
	less.Scope = Scope{{Service: service, Level: etoegang.LoA3}}
	shorter, longer, other := m, m, m
	shorter.Validity.To = m.Validity.To.AddDate(0, -1, 0)
	longer.Validity.To = m.Validity.To.AddDate(1, 0, 0)
	other.Intermediary.ID = 4
	for why, c := range map[string]struct {
		as  Mandate
		by  Actor
		err error
	}{
		"one service of the provider": {less, admin(2), nil},
		"a month less":                {shorter, admin(1), nil},
		"a year more":                 {longer, admin(1), ErrWidensTime},
		"another intermediary":        {other, admin(1), ErrOthers},
		"nothing":                     {m, admin(1), ErrNotNarrower},
		"by a stranger":               {less, admin(3), ErrNotYours},
	} {
		if err := c.by.Narrow(m, c.as, offered); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", why, err)
		}
	}
	gap := longer
	gap.Validity.From = recorded.AddDate(0, 1, 0)
	after := gap
	after.Validity.From = m.Validity.To
	for why, c := range map[string]struct {
		next Mandate
		err  error
	}{
		"for longer": {longer, nil},
		"where the first ends, and it would end now": {after, ErrSuccessor},
		"later, so that the first ends too soon":     {gap, ErrSuccessor},
		"between others":                             {other, ErrSuccessor},
	} {
		if err := c.next.Succeeds(m, recorded); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", why, err)
		}
	}
	ended := m
	ended.State = Revoked
	if err := longer.Succeeds(ended, recorded); !errors.Is(err, ErrNotInForce) {
		t.Errorf("after what was revoked: %v", err)
	}
}

// A service is less than its provider's services, a branch less than the company, and
// nothing is less than itself at a higher level.
func TestWithin(t *testing.T) {
	everything, ofProvider, one := Everything(etoegang.LoA3), Item{Provider: provider, Level: etoegang.LoA3}, Item{Service: service, Level: etoegang.LoA3}
	high := Item{Service: service, Level: etoegang.LoA4}
	shared := func(Item) []etoegang.OIN { return []etoegang.OIN{provider, {}} }
	for _, c := range []struct {
		why    string
		a, b   Item
		who    Offered
		within bool
	}{
		{"itself", one, one, offered, true},
		{"a service, of its provider's", one, ofProvider, offered, true},
		{"a service that another provider offers too", one, ofProvider, shared, false},
		{"a service that is not in the catalogue", one, ofProvider, nil, false},
		{"a service, of everything", one, everything, nil, true},
		{"a provider's, of everything", ofProvider, everything, offered, true},
		{"everything, of a provider's", everything, ofProvider, offered, false},
		{"a provider's, of one service", ofProvider, one, offered, false},
		{"a higher level", high, everything, offered, false},
	} {
		if got := (Scope{c.a}).within(Scope{c.b}, c.who); got != c.within {
			t.Errorf("%s: %v", c.why, got)
		}
	}
	branch, _ := etoegang.ParseEstablishmentNumber("000012345678")
	two, _ := etoegang.ParseEstablishmentNumber("000012345679")
	whole, here := fit(), fit()
	here.Establishments = []etoegang.EstablishmentNumber{branch}
	both := fit()
	both.Establishments = []etoegang.EstablishmentNumber{branch, two}
	if here.Within(whole, nil) != nil || here.Within(both, nil) != nil {
		t.Error("a branch is less than the company, and than two branches")
	}
	if !errors.Is(whole.Within(here, nil), ErrWidensEstablishment) || !errors.Is(both.Within(here, nil), ErrWidensEstablishment) {
		t.Error("the company is more than a branch, and two are more than one")
	}
}

// Who must sign, by level, form and authority.
func TestSigners(t *testing.T) {
	form := func(f LegalForm, c Company) Company { c.Form = f; return c }
	for _, c := range []struct {
		why     string
		company Company
		level   etoegang.AssuranceLevel
		needed  int // of the first directors; 0: nobody can
	}{
		{"alone", directors(Alone), etoegang.LoA3, 1},
		{"two jointly", directors(Jointly, Jointly), etoegang.LoA2, 2},
		{"five jointly, low", directors(Jointly, Jointly, Jointly, Jointly, Jointly), etoegang.LoA2Plus, 2},
		{"five jointly, substantial", directors(Jointly, Jointly, Jointly, Jointly, Jointly), etoegang.LoA3, 3},
		{"four with limits", directors(Limited, Limited, Limited, Limited), etoegang.LoA3, 3},
		{"one who needs another", directors(Jointly), etoegang.LoA2, 0},
		{"the owner of a sole proprietorship", form(SoleProprietorship, directors(Limited)), etoegang.LoA3, 1},
		{"loa4", directors(Alone), etoegang.LoA4, 0},
		{"nobody", Company{}, etoegang.LoA2, 0},
	} {
		signers := c.company.Signers(c.level)
		var signed []AppointmentID
		for n := 0; n <= len(c.company.Directors); n++ {
			want := c.needed > 0 && n >= c.needed
			if got := signers.Met(signed); got != want {
				t.Errorf("%s: %d signatures suffice: %v", c.why, n, got)
			}
			signed = append(signed, AppointmentID(100+n))
		}
	}
	// One who may sign alone is enough, wherever he stands among those who may not.
	if !directors(Jointly, Alone, Jointly).Signers(etoegang.LoA3).Met([]AppointmentID{101}) {
		t.Error("the one who binds the company alone does not suffice")
	}
}

// Nobody appoints above himself, beyond himself or in somebody else's company.
func TestAppointing(t *testing.T) {
	made := Appointment{Organisation: Organisation{ID: 1}, Role: Administrator, Name: "Anna", Level: etoegang.LoA3,
		Validity: Validity{From: recorded, To: recorded.AddDate(1, 0, 0)}}
	with := func(change func(*Appointment)) Appointment { a := made; change(&a); return a }
	for _, c := range []struct {
		why  string
		made Appointment
		by   Actor
		err  error
	}{
		{"a colleague", made, admin(1), nil},
		{"by a director", made, directorOf(1, 100), nil},
		{"by the register's staff", made, staff(1), nil},
		{"elsewhere", made, admin(2), ErrMayNotAppoint},
		{"a director, by an administrator", with(func(a *Appointment) { a.Role, a.Authority = Director, Alone }), admin(1), ErrMayNotAppoint},
		{"a director, by the register's staff", with(func(a *Appointment) { a.Role, a.Authority = Director, Alone }), staff(1), nil},
		{"a program, by the staff", with(func(a *Appointment) { a.Role = Program }), staff(1), ErrMayNotAppoint},
		{"staff, by an administrator", with(func(a *Appointment) { a.Role, a.Organisation = Staff, Organisation{} }), admin(1), ErrMayNotAppoint},
		{"above his level", with(func(a *Appointment) { a.Level = etoegang.LoA4 }), admin(1), ErrAboveLevel},
		{"for longer than he is", with(func(a *Appointment) { a.Validity.To = recorded.AddDate(3, 0, 0) }), admin(1), ErrOutlasts},
		{"a director without authority", with(func(a *Appointment) { a.Role = Director }), staff(1), ErrAuthority},
		{"an administrator with authority", with(func(a *Appointment) { a.Authority = Alone }), staff(1), ErrAuthority},
		{"an administrator of nobody", with(func(a *Appointment) { a.Organisation = Organisation{} }), staff(1), ErrRole},
		{"without a name", with(func(a *Appointment) { a.Name = "" }), staff(1), ErrName},
		{"for ever", with(func(a *Appointment) { a.Validity.To = recorded.AddDate(6, 0, 0) }), staff(1), ErrTooLong},
	} {
		if err := c.by.MayAppoint(c.made, recorded); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	made.ID, made.State = 5, Appointed
	if err := admin(1).MayDismiss(made, false, false, nil); !errors.Is(err, ErrLastAdministrator) {
		t.Errorf("the last one: %v", err)
	}
	if admin(1).MayDismiss(made, false, true, nil) != nil || admin(1).MayDismiss(made, true, false, nil) != nil {
		t.Error("the last one goes when that is meant, any other at once")
	}
	if err := admin(2).MayDismiss(made, true, false, nil); !errors.Is(err, ErrMayNotAppoint) {
		t.Errorf("elsewhere: %v", err)
	}
	program := made
	program.Role = Program
	if err := admin(1).MayDismiss(program, false, false, nil); err != nil {
		t.Errorf("software, by which nobody goes: %v", err)
	}
	if err := staff(1).MayDismiss(made, true, true, nil); !errors.Is(err, ErrDismissal) {
		t.Errorf("by the register's staff, on nothing: %v", err)
	}
	report := []Evidence{{Kind: Notice, Dated: recorded, Where: "box 7"}}
	if err := staff(1).MayDismiss(made, false, false, report); !errors.Is(err, ErrLastAdministrator) {
		t.Errorf("the last one, by the register's staff: %v", err)
	}
	if staff(1).MayDismiss(made, false, true, report) != nil || staff(1).MayDismiss(made, true, false, report) != nil {
		t.Error("the register's staff may, on evidence")
	}
	made.State = Invited
	if err := staff(1).MayDismiss(made, true, false, nil); err != nil {
		t.Errorf("an invitation that nobody has taken up: %v", err)
	}
}

// An appointment is used at the lower of its own level and the log-in's, while it holds.
func TestActing(t *testing.T) {
	a := Appointment{ID: 5, Organisation: Organisation{ID: 1, Active: true}, Role: Administrator, Level: etoegang.LoA3, State: Appointed,
		Validity: Validity{From: recorded, To: recorded.AddDate(1, 0, 0)}}
	actor, err := a.Act(etoegang.LoA2, recorded)
	if err != nil || actor.Level != etoegang.LoA2 || !actor.Until.Equal(a.Validity.To) {
		t.Errorf("%+v, %v", actor, err)
	}
	for why, spoil := range map[string]func(*Appointment){
		"only invited":         func(a *Appointment) { a.State = Invited },
		"dismissed":            func(a *Appointment) { a.State = Dismissed },
		"over":                 func(a *Appointment) { a.Validity.To = recorded },
		"of a stopped company": func(a *Appointment) { a.Organisation.Blocked = true },
	} {
		other := a
		spoil(&other)
		if _, err := other.Act(etoegang.LoA3, recorded); !errors.Is(err, ErrNotAppointed) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, err := a.Act(etoegang.NoLevel, recorded); !errors.Is(err, ErrNotAppointed) {
		t.Errorf("without log-in: %v", err)
	}
}

// What somebody passes on begins today, or later, and ends with his own appointment; that of a
// director, who signs by law, does not end what he signs.
func TestPassing(t *testing.T) {
	today := StartOfDay(recorded)
	begun, later := Validity{From: today.AddDate(-1, 0, 0), To: recorded.AddDate(4, 0, 0)}, Validity{From: today.AddDate(0, 1, 0), To: recorded.AddDate(1, 0, 0)}
	for why, c := range map[string]struct {
		by   Actor
		v    Validity
		want Validity
	}{
		"by an administrator":       {admin(1), begun, Validity{today, admin(1).Until}},
		"by a director":             {directorOf(1, 7), begun, Validity{today, begun.To}},
		"what begins and ends soon": {admin(1), later, later},
	} {
		if got := c.by.Passes(c.v, recorded); got != c.want {
			t.Errorf("%s: %v, want %v", why, got, c.want)
		}
	}
}
