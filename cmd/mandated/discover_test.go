package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// typed runs a command on the first register of a network.
func typed(n *harness.Network, args ...string) (code int, out, errOut string) {
	var o, e strings.Builder
	code = run(context.Background(), append([]string{"--config", n.First.Config}, args...), nil, &o, &e)
	return code, o.String(), e.String()
}

// patient lets the registers wait for each other.
func patient(settings map[string]any) { settings["chain"] = map[string]any{"discovery": "1m"} }

// chainsAt is what a register knows of the chain mandates that an office holds there or elsewhere.
func chainsAt(t *testing.T, r *harness.RegisterNode, office mandate.Organisation) (list []mandate.Mandate) {
	t.Helper()
	err := r.Register().Read(context.Background(), func(s *register.Snapshot) error {
		a, err := s.Organisation(office.KvK.LegalSubject())
		if err != nil || a == nil {
			return err
		}
		list, _, err = s.Mandates(register.Filter{Organisation: a.ID, Kind: mandate.Chain}, 0, 100)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The office's clients are found at the other register, recorded here, and then its people
// can be let act for them, over the chain. What is there already is recorded once.
func TestDiscoverAndRecord(t *testing.T) {
	n := harness.Start(t, harness.Options{TwoRegisters: true, TLS: true, RealTime: true, Configure: patient})
	bakery, farm := harness.Company("Bakkerij De Korenbloem", "12345678", ""), harness.Company("Boerderij Zonzicht", "23456789", "")
	office := harness.Company("Kantoor Telraam", "87654321", "")
	vat, permit := n.Services["vat"], n.Services["permit"]
	scope := append(harness.For(vat, etoegang.LoA3), mandate.Item{Service: permit.UUID, Level: etoegang.LoA2Plus})
	must(n.Second.Chain(bakery, office, scope))
	ending := must(n.Second.Chain(farm, office, mandate.Scope{mandate.Everything(etoegang.LoA3)}))

	code, out, errOut := typed(n, "discover", "--dev", "--intermediary", "87654321")
	for _, want := range []string{"CLIENT    NAME ", "12345678  Bakkerij De Korenbloem  ", vat.UUID.String() + "@loa3", "23456789  Boerderij Zonzicht ", "everything@loa3", n.Second.Entity.String()} {
		if code != 0 || !strings.Contains(out, want) || errOut != "" {
			t.Fatalf("exit code %d, no %q in\n%s%s", code, want, out, errOut)
		}
	}
	if list := chainsAt(t, n.First, office); len(list) != 0 {
		t.Errorf("looking has recorded %+v", list)
	}

	code, out, _ = typed(n, "discover", "--dev", "--intermediary", "87654321", "--service", permit.UUID.String(), "--for", "12345678", "--level", "loa2plus", "--record")
	if code != 0 || !strings.Contains(out, "\n1 recorded, 0 there already, revision ") || strings.Contains(out, vat.UUID.String()) {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	code, out, _ = typed(n, "discover", "--dev", "--intermediary", "87654321", "--record")
	if code != 0 || !strings.Contains(out, "\n2 recorded, 0 there already, revision ") {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	code, out, _ = typed(n, "discover", "--dev", "--intermediary", "87654321", "--record")
	if code != 0 || !strings.Contains(out, "\n0 recorded, 2 there already, revision ") {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	list := chainsAt(t, n.First, office)
	if len(list) != 3 {
		t.Fatalf("%d chain mandates are recorded: %+v", len(list), list)
	}
	for i, want := range []string{permit.UUID.String() + "@loa2plus", vat.UUID.String() + "@loa3", "everything@loa3"} {
		if m := list[i]; m.Scope.String() != want || m.Register != n.Second.Entity || m.State != mandate.Active || !m.Validity.To.After(n.Now().AddDate(0, 11, 0)) {
			t.Errorf("recorded is %+v, want %s", m, want)
		}
	}
	if list[0].Grantor.Name != bakery.Name {
		t.Errorf("the client is called %q", list[0].Grantor.Name)
	}
	anna := n.NewPerson("Anna")
	must(n.First.Grant(mandate.Mandate{Kind: mandate.Assignment, Client: list[1].ID, Grantor: office, Person: anna, Scope: harness.For(vat, etoegang.LoA3)}))
	first := must(n.Broker.Authorize(context.Background(), harness.Question{Person: anna, Service: vat}))
	if first.Reply == nil || !first.Reply.Permitted() || first.Reply.Statement.Confirm != n.Second.Entity {
		t.Fatalf("the first register answers %+v", first.Reply)
	}
	if second := must(n.Broker.Confirm(context.Background(), first, n.Second)); second.Reply == nil || !second.Reply.Permitted() {
		t.Errorf("the second register answers %+v", second.Reply)
	}

	if err := n.Second.Revoke(ending); err != nil {
		t.Fatal(err)
	}
	if _, out, _ = typed(n, "discover", "--dev", "--intermediary", "87654321", "--for", "23456789"); out != "no relations found\n" {
		t.Errorf("after a revocation: %q", out)
	}
}

// Who did not answer is named, and the exit code says that it is not complete; what the others
// told is there all the same.
func TestDiscoverNamesWhoIsSilent(t *testing.T) {
	n := harness.Start(t, harness.Options{TwoRegisters: true, RealTime: true, Configure: patient})
	bakery, office := harness.Company("Bakkerij De Korenbloem", "12345678", ""), harness.Company("Kantoor Telraam", "87654321", "")
	must(n.Second.Chain(bakery, office, mandate.Scope{mandate.Everything(etoegang.LoA3)}))
	third := must(etoegang.ParseEntityID("urn:etoegang:MR:00000003999999990000:entities:9007"))
	withThird(t, n, third, "")
	code, out, errOut := typed(n, "discover", "--dev", "--intermediary", "87654321")
	if code != exitFailed || !strings.Contains(out, "12345678") || errOut != third.String()+" did not answer: not-offered\nThis is not complete.\n" {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
	if code, out, _ := typed(n, "config", "check", "--dev"); code != 0 || !strings.Contains(out, "1 other registers are asked for chain mandates, for 1m0s at most") ||
		!strings.Contains(out, "warning:  "+third.String()+" cannot be asked for chain mandates") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	withThird(t, n, third, "http://127.0.0.1:1/chaininfo")
	code, out, _ = typed(n, "discover", "--dev", "--intermediary", "87654321", "--wait", "5s", "--json")
	var told struct {
		Complete  bool
		Relations []struct{ Client, Name string }
		Silent    []struct{ Register, Why, Cause string }
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if code != exitFailed || told.Complete || len(told.Relations) != 1 || told.Relations[0].Client != "12345678" ||
		len(told.Silent) != 1 || told.Silent[0].Register != third.String() || told.Silent[0].Why != "unreachable" || told.Silent[0].Cause == "" {
		t.Errorf("exit code %d, %+v", code, told)
	}
	// What there is is recorded, also beside a mandate between the same two that is held here.
	must(n.First.Chain(bakery, office, mandate.Scope{mandate.Everything(etoegang.LoA3)}))
	if code, out, _ = typed(n, "discover", "--dev", "--intermediary", "87654321", "--record"); code != exitFailed || !strings.Contains(out, "\n1 recorded, 0 there already, revision ") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if _, out, errOut = typed(n, "discover", "--dev", "--intermediary", "87654321", "--wait", "1ns"); !strings.Contains(errOut, n.Second.Entity.String()+" did not answer: too-late") {
		t.Errorf("in no time:\n%s%s", out, errOut)
	}
	for _, wrong := range [][]string{
		{"--intermediary", "1234"}, {"--intermediary", "87654321", "--service", "x"}, {"--intermediary", "87654321", "--for", "x"},
		{"--intermediary", "87654321", "--level", "high"}, {"--intermediary", "87654321", "--wait=-1s"},
	} {
		if code, out, errOut := typed(n, append([]string{"discover", "--dev"}, wrong...)...); code != exitFailed || out != "" || errOut == "" {
			t.Errorf("%v: exit code %d, %q, %q", wrong, code, out, errOut)
		}
	}
	if code, _, errOut := typed(n, "discover", "--intermediary", "87654321"); code != exitFailed || !strings.Contains(errOut, "development key") {
		t.Errorf("with development keys: exit code %d, %q", code, errOut)
	}
}

// Whom metadata that cannot be read would have named, nobody can name: then nothing is asked.
func TestDiscoverNeedsAllMetadata(t *testing.T) {
	n := harness.Start(t, harness.Options{TwoRegisters: true, RealTime: true, Configure: patient})
	if err := os.WriteFile(filepath.Join(n.Folder, "metadata-second-register.xml"), []byte("<gone/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := typed(n, "discover", "--dev", "--intermediary", "87654321")
	if code != exitFailed || out != "" || !strings.Contains(errOut, "preparing to ask: metadata") && !strings.Contains(errOut, "metadata-second-register.xml") {
		t.Errorf("exit code %d, %q, %q", code, out, errOut)
	}
}

// What ended between the answer and the recording is passed over.
func TestWhatEndedIsNotRecorded(t *testing.T) {
	n := harness.Start(t, harness.Options{TwoRegisters: true, RealTime: true, Configure: patient})
	e := &environment{ctx: context.Background(), now: time.Now, config: n.First.Config}
	relation := saml.Relation{
		Represented: must(etoegang.ParseKvKNumber("12345678")).LegalSubject(), Register: n.Second.Entity,
		Covers: []saml.Covered{{Level: etoegang.LoA3}}, Until: time.Now().Add(-time.Second),
	}
	made, err := record(e, must(etoegang.ParseIntermediary("87654321")), []saml.Relation{relation})
	if err != nil || made.Recorded != 0 || made.Ended != 1 || !strings.Contains(made.String(), "1 ended meanwhile, ") {
		t.Errorf("%+v, %v", made, err)
	}
}

// One register tells what no mandate here can say, or is precise beyond the second, or has a
// mandate that lasts for ever: what can be recorded is, and the rest is counted.
func TestWhatIsUnfitKeepsNothingOut(t *testing.T) {
	n := harness.Start(t, harness.Options{TwoRegisters: true, RealTime: true, Configure: patient})
	e := &environment{ctx: context.Background(), now: time.Now, config: n.First.Config}
	a := must(etoegang.ParseIntermediary("87654321"))
	of := func(kind etoegang.EntityType, number string, until time.Time) saml.Relation {
		return saml.Relation{
			Represented: must(etoegang.ParseLegalSubject(kind, number)), Register: n.Second.Entity,
			Covers: []saml.Covered{{Level: etoegang.LoA3}}, Until: until,
		}
	}
	must(n.First.Direct(harness.Company("Boerderij Zonzicht", "34567890", "249566758"), n.NewPerson("Anna"), mandate.Scope{mandate.Everything(etoegang.LoA3)}))
	year := time.Now().AddDate(1, 0, 0).Truncate(time.Second)
	made, err := record(e, a, []saml.Relation{
		of(etoegang.TypeKvKNr, "87654321", year),
		of(etoegang.TypeRSIN, "123456782", year),
		of(etoegang.TypeKvKNr, "00000000", year),
		of(etoegang.TypeKvKNr, "12345678", year.Add(time.Millisecond)),
		of(etoegang.TypeKvKNr, "23456789", year.AddDate(7000, 0, 0)),
		of(etoegang.TypeRSIN, "249566758", year),
	})
	if err != nil || made.Recorded != 3 || made.Unfit != 3 || !strings.Contains(made.String(), "3 not fit to be recorded, ") {
		t.Fatalf("%+v, %v", made, err)
	}
	list := chainsAt(t, n.First, mandate.Organisation{KvK: a.KvK})
	if len(list) != 3 || !list[0].Validity.To.Equal(year) || list[1].Validity.To.After(time.Now().AddDate(mandate.MaxYears, 0, 1)) {
		t.Errorf("recorded is %+v", list)
	}
}

// withThird has a third register in the first one's metadata, asked at that address.
func withThird(t *testing.T, n *harness.Network, third etoegang.EntityID, address string) {
	t.Helper()
	signer := n.Scheme.Signer()
	key := []xmlsec.Key{{Name: signer.KeyName, Certificate: signer.Certificate}} // any will do
	d := saml.Description{
		ID: saml.NewID(), Name: "urn:etoegang:1.13:T:2", Entity: third, Until: n.Now().Add(24 * time.Hour), Organisation: "third", Contact: "desk@third.test",
		Authz: "https://third.test/soap", Chain: address, Signing: key, Encryption: key,
	}
	file := filepath.Join(n.Folder, "third.xml")
	if err := os.WriteFile(file, must(d.Sign(signer)).Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	text := string(must(os.ReadFile(n.First.Config)))
	if strings.Contains(text, "third.xml") {
		return
	}
	text = strings.Replace(text, "metadata:\n", "metadata:\n    - file: ../third.xml\n      trust: ../keys/scheme.crt\n", 1)
	if err := os.WriteFile(n.First.Config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
