package bench

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// clients is for how many companies Anna may act through her office; as many again are
// registered that have nothing to do with her.
var clients = flag.Int("clients", 100_000, "clients of the one who chooses")

// What the page costs on which one chooses among very many, over HTTP from the request to
// the last byte: arriving, which fetches, believes and decides; the first page; another page
// far down; searches that find many, one, or nobody.
func BenchmarkChoicePage(b *testing.B) {
	for _, kind := range []string{"SQLite", "PostgreSQL"} {
		b.Run(kind, func(b *testing.B) {
			s := newOffice(b, kind == "PostgreSQL")
			page := s.arrive(b)
			deep := page
			for range 20 {
				deep = follow(b, deep)
			}
			visit := func(open func() (*harness.VisitorPage, error), want int) func(*testing.B) {
				return func(b *testing.B) {
					for b.Loop() {
						page, err := open()
						if err != nil || len(page.Offers) < want || want == 0 && len(page.Offers) > 0 {
							b.Fatalf("%v: %s", err, page.Text)
						}
					}
				}
			}
			open := func(p *harness.VisitorPage) func() (*harness.VisitorPage, error) {
				return func() (*harness.VisitorPage, error) { return p.Visitor().Open(ctx, p.Address()) }
			}
			b.Run("first", visit(open(page), 25))
			b.Run("deep", visit(open(deep), 25))
			for name, search := range map[string]string{"letter": "b", "word": "bakkerij", "two words": "bakkerij ja", "one": "unieke naam", "nobody": "xyzzy", "number": "500012"} {
				found, err := page.Search(ctx, search)
				if err != nil {
					b.Fatal(err)
				}
				b.Run("search "+name, visit(open(found), len(found.Offers)))
			}
			b.Run("arrive", func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					v, err := s.net.Broker.Send(harness.Question{Person: s.anna, Service: s.vat}, "")
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					if page, err := s.net.Visitor().Open(ctx, v.Address); err != nil || len(page.Offers) < 25 {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// An answer through the browser, beside the same question over SOAP: what the artifacts of
// query and answer cost on top.
func BenchmarkArtifactRoundTrip(b *testing.B) {
	net := harness.Start(b, harness.Options{Browser: true, TLS: true, RealTime: true, Log: quiet()})
	anna, vat := net.NewPerson("Anna"), net.Services["vat"]
	if _, err := net.First.Direct(harness.Company("Bakkerij", "12345678", "123456782"), anna, harness.For(vat, etoegang.LoA3)); err != nil {
		b.Fatal(err)
	}
	q := harness.Question{Person: anna, Service: vat}
	b.Run("SOAP", func(b *testing.B) {
		for b.Loop() {
			if r, err := net.Broker.Authorize(ctx, q); err != nil || !r.Reply.Permitted() {
				b.Fatal(err)
			}
		}
	})
	browser := net.Visitor()
	b.Run("artifact", func(b *testing.B) {
		for b.Loop() {
			v, err := net.Broker.Send(q, "")
			if err != nil {
				b.Fatal(err)
			}
			page, err := browser.Open(ctx, v.Address)
			if err != nil {
				b.Fatal(err)
			}
			if err := net.Broker.Receive(ctx, v, page.Back); err != nil || !v.Reply.Permitted() {
				b.Fatal(err)
			}
		}
	})
}

// bigOffice is a network in which Anna may act for very many companies.
type bigOffice struct {
	net  *harness.Network
	anna mandate.Person
	vat  harness.Service
}

func newOffice(b *testing.B, served bool) *bigOffice {
	b.Helper()
	o := harness.Options{Browser: true, RealTime: true, Log: quiet(), Configure: func(settings map[string]any) { settings["canary"] = "0s" }}
	if served {
		place := servers.Postgres(b, servers.PostgresOptions{}).DSN()
		o.Configure = func(settings map[string]any) {
			settings["canary"], settings["register"], settings["journal"], settings["guard"] = "0s", place, place, place
		}
	}
	s := &bigOffice{net: harness.Start(b, o)}
	s.anna, s.vat = s.net.NewPerson("Anna"), s.net.Services["vat"]
	s.fill(b)
	return s
}

// fill registers companies with names as they are, in a random order.
func (s *bigOffice) fill(b *testing.B) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	kinds := strings.Fields("Bakkerij Slagerij Bouwbedrijf Garage Kapsalon Administratiekantoor Stichting Vereniging Transport Beheer")
	names := strings.Fields("Jansen Vries Bakker Visser Smit Meijer Boer Mulder Groot Bos Vos Peters Hendriks Leeuwen Dekker Brouwer Wit Dijkstra Smits Graaf")
	everything := mandate.Scope{mandate.Everything(etoegang.LoA3)}
	office := harness.Company("Kantoor Rekenaar", "87654321", "")
	r := s.net.First.Register()
	for begin := 0; begin < 2**clients; begin += 1000 {
		_, err := r.Change(ctx, register.Author{Who: "bench", Why: "filling"}, func(t *register.Tx) (err error) {
			if office, err = t.PutOrganisation(office); err != nil {
				return err
			}
			if s.anna, err = t.PutPerson(s.anna); err != nil {
				return err
			}
			for i := begin; i < begin+1000; i++ {
				name := fmt.Sprintf("%s %s %s B.V.", kinds[random.IntN(len(kinds))], names[random.IntN(len(names))], names[random.IntN(len(names))])
				if i == 4242 {
					name = "Unieke Naam"
				}
				client, err := t.PutOrganisation(harness.Company(name, fmt.Sprintf("%08d", 50_000_000+i), ""))
				if err != nil || i%2 == 1 {
					if err != nil {
						return err
					}
					continue
				}
				year := mandate.Validity{From: mandate.StartOfDay(t.Now()), To: mandate.AddYears(mandate.StartOfDay(t.Now()), 1)}
				chain, err := t.Grant(mandate.Mandate{Kind: mandate.Chain, Grantor: client, Intermediary: office, Scope: everything, State: mandate.Active, Validity: year}, register.GrantOptions{})
				if err != nil {
					return err
				}
				if _, err := t.Grant(mandate.Mandate{Kind: mandate.Assignment, Client: chain.ID, Grantor: office, Person: s.anna, Scope: everything, State: mandate.Active, Validity: year}, register.GrantOptions{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func (s *bigOffice) arrive(b *testing.B) *harness.VisitorPage {
	b.Helper()
	v, err := s.net.Broker.Send(harness.Question{Person: s.anna, Service: s.vat}, "")
	if err != nil {
		b.Fatal(err)
	}
	page, err := s.net.Visitor().Open(ctx, v.Address)
	if err != nil || len(page.Offers) < 25 {
		b.Fatalf("%v: %+v", err, page)
	}
	return page
}

func follow(b *testing.B, page *harness.VisitorPage) *harness.VisitorPage {
	b.Helper()
	next, err := page.Follow(ctx, "Volgende organisaties")
	if err != nil {
		b.Fatal(err)
	}
	return next
}
