package register

import (
	"slices"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Requests that wait are listed by who asks and whom they concern, page by page; one that was
// answered is not among them.
func TestRequestsThatWait(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		baker, farmer, office := s.org(1), s.org(2), s.org(3)
		asks := func(from mandate.Organisation, by mandate.Side) (m mandate.Mandate) {
			asked := chain(from, office)
			asked.State = mandate.Requested
			s.change(func(t *Tx) { m = must(t.Grant(asked, GrantOptions{Request: &Asked{By: by, Expires: noon}})) })
			return m
		}
		first, second := asks(baker, mandate.ReceiverSide).ID, asks(farmer, mandate.RegisterSide).ID
		waits := func(a Asking, after mandate.ID, limit int, want ...mandate.ID) {
			t.Helper()
			s.read(func(v *Snapshot) {
				if got := must(v.Waiting(a, after, limit)); !slices.Equal(got, want) {
					t.Errorf("%v after %d: %v, want %v", a, after, got, want)
				}
			})
		}
		waits(Asking{}, 0, 10, first, second)
		waits(Asking{}, 0, 1, first)
		waits(Asking{}, first, 10, second)
		waits(Asking{Organisation: baker.ID}, 0, 10, first)
		waits(Asking{Organisation: office.ID}, 0, 10, first, second)
		waits(Asking{By: mandate.RegisterSide}, 0, 10, second)
		waits(Asking{By: mandate.RegisterSide, Organisation: baker.ID}, 0, 10)
		waits(Asking{Organisation: 1 << 40}, 0, 10)

		// The farmer's waits for one of the register's staff who has not recorded it, the baker's
		// for the baker, until Anna of the bakery has signed and somebody else there must.
		appoints := func(o mandate.Organisation, role mandate.Role, secret byte) (id mandate.AppointmentID) {
			s.change(func(t *Tx) {
				id = must(t.Appoint(mandate.Appointment{Organisation: o, Role: role, Name: "Anna", Level: etoegang.LoA3, Validity: year()}, Digest{secret}, nil)).ID
			})
			return id
		}
		signs := func(id mandate.ID, act mandate.Act, side mandate.Side, by mandate.AppointmentID) {
			s.change(func(t *Tx) {
				if err := t.AddStep(id, Step{Act: act, Side: side, Appointment: by}); err != nil {
					panic(err)
				}
			})
		}
		anna, bea, bob := appoints(baker, mandate.Administrator, 1), appoints(baker, mandate.Administrator, 2), appoints(office, mandate.Administrator, 3)
		rik, ria := appoints(mandate.Organisation{}, mandate.Staff, 4), appoints(mandate.Organisation{}, mandate.Staff, 5)
		signs(first, mandate.ActAsk, mandate.ReceiverSide, bob)
		signs(second, mandate.ActAsk, mandate.RegisterSide, rik)
		answers := func(a Asking, can, others []mandate.ID) {
			t.Helper()
			waits(a, 0, 10, can...)
			a.Others = true
			waits(a, 0, 10, others...)
		}
		answers(Asking{Organisation: baker.ID, Appointment: anna}, []mandate.ID{first}, nil)
		answers(Asking{Organisation: office.ID, Appointment: bob}, nil, []mandate.ID{first, second})
		answers(Asking{By: mandate.RegisterSide, Appointment: rik}, nil, []mandate.ID{second})
		answers(Asking{By: mandate.RegisterSide, Appointment: ria}, []mandate.ID{second}, nil)
		signs(first, mandate.ActAgree, mandate.GrantorSide, anna)
		answers(Asking{Organisation: baker.ID, Appointment: anna}, nil, []mandate.ID{first})
		answers(Asking{Organisation: baker.ID, Appointment: bea}, []mandate.ID{first}, nil)
		s.setState(first, mandate.AwaitingAcceptance)
		answers(Asking{Organisation: baker.ID, Appointment: bea}, nil, []mandate.ID{first})
		answers(Asking{Organisation: office.ID, Appointment: bob + 100}, []mandate.ID{first}, []mandate.ID{second})

		s.setState(first, mandate.Active)
		waits(Asking{Organisation: office.ID}, 0, 10, second)
	})
}

// What waits in the whole register is listed as it was at a revision: also what was answered
// since, and nothing that came later.
func TestAllThatWaitsAtARevision(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		asks := func(from int, by mandate.Side) (m mandate.Mandate) {
			asked := chain(s.org(from), s.org(9))
			asked.State = mandate.AwaitingSignatures
			s.change(func(t *Tx) { m = must(t.Grant(asked, GrantOptions{Request: &Asked{By: by, Expires: noon}})) })
			return m
		}
		first, second, theirs := asks(1, mandate.RegisterSide), asks(2, mandate.RegisterSide), asks(3, mandate.ReceiverSide)
		s.grant(direct(s.org(4), s.person(4)))
		s.setState(first.ID, mandate.Active)
		before := s.setState(theirs.ID, mandate.Withdrawn)
		s.setState(second.ID, mandate.Active)
		later := asks(5, mandate.RegisterSide)
		waits := func(v *Snapshot, f Filter, want ...mandate.ID) {
			t.Helper()
			f.Pending = true
			list, _, err := v.Mandates(f, 0, 10)
			if got := ids(list); !slices.Equal(got, want) || err != nil || must(v.Total(f)) != len(want) {
				t.Errorf("at %d %+v: %v (%v), want %v", v.Revision(), f, got, err, want)
			}
		}
		s.readAt(before-2, func(v *Snapshot) { waits(v, Filter{}, first.ID, second.ID, theirs.ID) })
		s.readAt(before, func(v *Snapshot) { waits(v, Filter{AskedBy: mandate.RegisterSide}, second.ID) })
		s.read(func(v *Snapshot) { waits(v, Filter{}, later.ID) })
	})
}
