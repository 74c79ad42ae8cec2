package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/mandate"
)

// The wire to the database breaks while a caller reads, at the first look, at the second, and so
// on. Whatever he reads, he gets a problem, or hears that the answer was cut off; nobody takes a
// part for the whole.
func TestNothingIsHalfRead(t *testing.T) {
	database := servers.Shared(t)
	wire := servers.Link(t, database.Addr())
	s := newSceneAt(t, database.DSNOver(wire))
	s.api.atOnce = 1
	staff := s.appoint(itself, mandate.Staff)
	client := s.bakery.post("/mandates", chain(vat+"@loa3"))
	hers := s.office.post("/mandates", assignment(client.Mandate.ID, 1, vat+"@loa3")).Mandate
	s.office.post("/mandates", chain(permits+"@loa3"))
	staff.post("/mandates", onPaper(direct(bakery, 1, permits+"@loa3"), object{"kind": "signed-form", "dated": day(-3), "where": "box 7"}, object{"kind": "extract", "dated": day(-1), "where": "box 8"}))
	team := s.office.makeTeam("Shops")
	s.office.add(team+"/members", member(1))
	s.office.add(team+"/clients", object{"kvkNumbers": []string{bakery.KvK.Text()}})
	ids := map[string]int64{"mandates": hers.ID, "teams": get[TeamView](s.office, team).Team.ID}
	for _, p := range []*program{s.office, staff} {
		p.client.Transport.(*http.Transport).DisableKeepAlives = true // whoever is cut off does not ask again by himself
	}

	// breaks reads while the wire breaks at the nth look, and tells whether there were so many.
	breaks := func(p *program, n int, path, accept string) (a answer, broken bool) {
		var look func()
		look = func() {
			if n--; n == 0 {
				wire.Cut()
				return
			}
			s.asked.Store(&look)
		}
		s.asked.Store(&look)
		a = p.try("GET", path, nil, "Accept: "+accept)
		s.asked.Store(nil)
		wire.Heal()
		return a, n <= 0
	}
	all, _, _ := s.document()
	looks := 0
	for name, o := range all {
		if o.method != "GET" {
			continue
		}
		who := map[bool]*program{true: s.office, false: staff}[strings.Contains(who[name], "program")]
		path := o.at(ids[o.of()], hers.Person.Number, bakery.KvK.Text()) + map[bool]string{true: "?since=0"}[o.path == "/changes"]
		for accept := range o.Responses["200"].Content {
			for n := 1; ; n++ {
				a, broken := breaks(who, n, path, accept)
				if !broken {
					if a.status != 200 || a.cut != nil {
						t.Errorf("%s whole: %d %v %s", name, a.status, a.cut, a.body)
					}
					break
				}
				looks++
				streamed := accept != "application/json"
				switch p := a.problem(); {
				case a.status == 503 && p.Code == "unavailable" && a.header.Get("Content-Type") == "application/problem+json" && a.header.Get("Retry-After") != "":
				case streamed && n > 1 && a.cut != nil:
				default:
					t.Errorf("%s as %s, broken at look %d: %d %v %s", name, accept, n, a.status, a.cut, a.body)
				}
			}
		}
	}
	if looks < 30 {
		t.Errorf("it broke at %d looks only", looks)
	}
}
