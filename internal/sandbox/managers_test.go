package sandbox_test

import "testing"

// Whoever is appointed comes in at the register's pages, through the sandbox's broker, as what
// he is appointed for; who is not comes no further. That log-in's messages can be looked at
// like any other's. All of it is there again when everything begins again.
func TestManagersComeIn(t *testing.T) {
	s := open(t)
	for round := range 2 {
		for person, reads := range map[string]string{
			"Petra Korst": "Mandates of Bakkerij De Korenbloem (KvK number 12345678)", "Quinten Vos": "Mandates of Administratiekantoor Telraam (KvK number 87654321)",
			"Victor Maan": "Mandates of Brouwerij De Halve Maan (KvK number 89012345)", "Xander Aalders": "Mandates of Aannemersbedrijf Aalders (KvK number 40001000)",
			"Tim Visser": "Work of the register", "Ursula Smit": "Work of the register", "Sanne Teller": "You cannot log in for anybody now",
		} {
			newBrowser(t, s).visit(s.Network.First.Pages+"/login").choose(person, "").reads(reads)
		}
		newBrowser(t, s).visit(s.Network.First.Pages+"/login").choose("Petra Korst", "").reads("You are logged in as Petra Korst")
		login := s.Log.Logins()[0]
		var what []string
		for _, m := range login.Messages {
			what = append(what, m.From+" "+m.What)
		}
		newBrowser(t, s).visit(s.Address+"/logins/"+login.ID).reads("management pages", "12345678", "Bakkerij De Korenbloem")
		if login.Provider != "register pages" || len(what) != 11 || what[0] != "register pages AuthnRequest" || what[9] != "register pages ArtifactResolve" || what[10] != "broker ArtifactResponse" {
			t.Errorf("the log-in at %s has the messages %q", login.Provider, what)
		}
		if round > 0 {
			break
		}
		if err := s.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
