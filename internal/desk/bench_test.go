package desk

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// mandates is how many there are in the register of the benchmark. A tenth of them are from
// clients to one office, which has assigned each of those to somebody.
var mandates = flag.Int("mandates", 1_000_000, "mandates in the register")

// What a page of an office's clients costs, with both halves of each, among very many.
func BenchmarkClients(b *testing.B) {
	for _, kind := range []string{"SQLite", "PostgreSQL"} {
		b.Run(kind, func(b *testing.B) {
			place := filepath.Join(b.TempDir(), "register.db")
			if kind == "PostgreSQL" {
				place = servers.Postgres(b, servers.PostgresOptions{}).DSN()
			}
			r := must(register.Create(ctx, place, mr, time.Millisecond, register.Options{}))
			b.Cleanup(func() { _ = r.Close() })
			d, bol := fillOffice(b, r)
			looks := func(look func(*Look) error) func(*testing.B) {
				return func(b *testing.B) {
					for b.Loop() {
						if err := d.Look(ctx, bol, 0, look); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
			chosen := func(c Choice, after register.Place, want int) func(*testing.B) {
				return looks(func(l *Look) error {
					page, err := l.Fitted(c, after, 25, MostLooked)
					if err == nil && (len(page.Clients) != want || want > 0 && len(page.Clients[0].Fittings[0].Assignments) != 1) {
						err = fmt.Errorf("%d clients on the page, not %d", len(page.Clients), want)
					}
					return err
				})
			}
			page := func(search string, after register.Place, want int) func(*testing.B) {
				return chosen(Choice{Search: search}, after, want)
			}
			var deep register.Place
			for range 40 {
				if err := d.Look(ctx, bol, 0, func(l *Look) (err error) { _, deep, err = l.Clients("", deep, 25); return err }); err != nil {
					b.Fatal(err)
				}
			}
			b.Run("first", page("", register.Place{}, 25))
			b.Run("deep", page("", deep, 25))
			b.Run("letter", page("b", register.Place{}, 25))
			b.Run("two words", page("bakkerij ja", register.Place{}, 25))
			b.Run("one", page("unieke naam", register.Place{}, 1))
			b.Run("number", page("20000775", register.Place{}, 1))
			b.Run("begin of a number", page("2001", register.Place{}, 25))
			b.Run("nobody", page("xyzzy", register.Place{}, 0))
			b.Run("how many", looks(func(l *Look) error { return second(l.CountClients()) }))
			b.Run("a thousand that fit", chosen(Choice{Attention: true}, register.Place{}, 0))
			now := time.Now()
			b.Run("nobody ends", chosen(Choice{Ending: register.Ending{After: now, Before: now.AddDate(0, 0, 60)}}, register.Place{}, 0))
		})
	}
}

// fillOffice grants the mandates, in the names of companies as there are.
func fillOffice(b *testing.B, r *register.Register) (*Desk, Caller) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	kinds := strings.Fields("Bakkerij Slagerij Bouwbedrijf Garage Kapsalon Administratiekantoor Stichting Vereniging Transport Beheer")
	names := strings.Fields("Jansen Vries Bakker Visser Smit Meijer Boer Mulder Groot Bos Vos Peters Hendriks Leeuwen Dekker Brouwer Wit Dijkstra")
	now := time.Now().Truncate(time.Second)
	validity := mandate.Validity{From: now, To: now.AddDate(1, 0, 0)}
	var bol mandate.Appointment
	var firm, other mandate.Organisation
	var eva, people mandate.Person
	_ = must(r.Change(ctx, keeper, func(t *register.Tx) error {
		firm, other = must(party(t, office)), must(party(t, farm))
		eva, people = must(t.PutPerson(mandate.Person{Subject: subject(1), Active: true})), must(t.PutPerson(mandate.Person{Subject: subject(2), Active: true}))
		bol = must(t.Appoint(mandate.Appointment{Organisation: firm, Role: mandate.Administrator, Name: "Bol", Level: etoegang.LoA3, Validity: validity}, register.Digest{1}, nil))
		_ = must(t.TakeUp(bol.ID, register.Account{1}))
		return nil
	}))
	done := 0
	for n := 0; done < *mandates; {
		_ = must(r.Change(ctx, keeper, func(t *register.Tx) error {
			for range 1000 {
				name := fmt.Sprintf("%s %s %d", kinds[random.IntN(len(kinds))], names[random.IntN(len(names))], n)
				if n == 774 {
					name = "Unieke Naam"
				}
				n++
				b := must(t.PutOrganisation(mandate.Organisation{KvK: must(etoegang.ParseKvKNumber(fmt.Sprintf("%08d", 20_000_000+n))), Name: name, Active: true}))
				to, who := other, people
				if n%5 == 0 {
					to, who = firm, eva
				}
				chain := must(t.Grant(mandate.Mandate{Kind: mandate.Chain, Grantor: b, Intermediary: to, State: mandate.Active, Scope: forVAT, Validity: validity}, register.GrantOptions{}))
				_ = must(t.Grant(mandate.Mandate{Kind: mandate.Assignment, Grantor: to, Client: chain.ID, Person: who, State: mandate.Active, Scope: forVAT, Validity: validity}, register.GrantOptions{}))
				done += 2
			}
			return nil
		}))
	}
	return New(r, services(r)), Caller{bol.ID, etoegang.LoA3}
}

// lines is how many wishes there are in the benchmark of many.
var lines = flag.Int("lines", 10_000, "wishes of an import")

// What a table costs that a company uploads: first as a rehearsal, then in earnest, then once
// more when all is there. Each line is for somebody new.
func BenchmarkMany(b *testing.B) {
	for _, kind := range []string{"SQLite", "PostgreSQL"} {
		b.Run(kind, func(b *testing.B) {
			place := filepath.Join(b.TempDir(), "register.db")
			if kind == "PostgreSQL" {
				place = servers.Postgres(b, servers.PostgresOptions{}).DSN()
			}
			r := must(register.Create(ctx, place, mr, time.Millisecond, register.Options{}))
			b.Cleanup(func() { _ = r.Close() })
			*mandates = 0
			d, bol := fillOffice(b, r)
			base := 0
			for _, round := range []struct {
				name       string
				dry, again bool
			}{{"rehearsal", true, false}, {"new", false, false}, {"again", false, true}} {
				b.Run(round.name, func(b *testing.B) {
					for b.Loop() {
						if !round.again {
							base += *lines
						}
						upload(b, d, bol, base, round.dry, round.again)
					}
					b.ReportMetric(float64(b.N**lines)/b.Elapsed().Seconds(), "lines/s")
				})
			}
		})
	}
}

// upload asks for mandates of an office, in changes of as many as the API makes.
func upload(b *testing.B, d *Desk, c Caller, base int, dry, again bool) {
	b.Helper()
	const oneBatch = 200
	from := mandate.StartOfDay(time.Now())
	for n := 0; n < *lines; n += oneBatch {
		if _, err := d.Many(ctx, c, "moving", dry, func(m *Many) error {
			var wishes []Wish
			for i := n; i < min(n+oneBatch, *lines); i++ {
				wishes = append(wishes, Wish{Kind: mandate.Direct, Grantor: office, Person: PersonWish{Subject: employee(base + i), Name: "Somebody"},
					Scope: forVAT, Validity: mandate.Validity{From: from, To: from.AddDate(0, 6, 0)}})
			}
			if err := m.Expect(wishes); err != nil {
				return err
			}
			for i, w := range wishes {
				_, there, err := m.Ask(w)
				if err != nil || there != again {
					return fmt.Errorf("line %d, there %v: %w", n+i, there, err)
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func employee(n int) etoegang.ActingSubject {
	s := subject(1)
	s.Pseudonym = must(etoegang.ParsePseudonym(fmt.Sprintf("%064x", 0xe0000+n)))
	return s
}
