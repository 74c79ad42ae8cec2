package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/saml"
)

const parking = "services:\n  - {index: 10, name: parking, level: loa3, establishments: true}\n"

// Beside its metadata a provider drops a file with services of its own: people can be mandated
// for these, and it asks for them by their index.
func TestProviderWithServicesOfItsOwn(t *testing.T) {
	s := open(t)
	j := newJoiner(t, s, "00000009000000000013", asIs)
	beside := s.Providers() + "/joiner-00000009000000000013.yaml"
	if err := os.WriteFile(beside, []byte(parking), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(beside) })
	p := newProgram(t, s)
	t.Cleanup(func() { gets[any](p, "POST", "/api/reset", "{}") })
	gets[any](p, "POST", "/api/mandates", `{"kind": "direct", "company": "23456789", "person": "Anna de Vries",
		"services": [{"service": "joiner-00000009000000000013/parking", "level": "loa3"}], "establishments": ["000087654321"]}`)
	request := j.request()
	request.Service = "10"
	b := newBrowser(t, s).visit(j.address(request, j.pair.Key)).choose("Anna de Vries", "")
	_, told, err := j.answer(b, request.ID)
	if err != nil || len(told.Represented) != 1 || told.Represented[0].Text() != "23456789" || len(told.Establishments) != 1 ||
		told.ServiceID.String() != "urn:etoegang:DV:00000009000000000013:services:10" {
		t.Errorf("it reads %+v, %v", told, err)
	}
	if got := gets[[]map[string]any](p, "GET", "/api/mandates?person=Anna+de+Vries", ""); !strings.Contains(toJSON(got), "joiner-00000009000000000013/parking") {
		t.Errorf("her mandates: %v", got)
	}
	request = j.request()
	request.Service = "11"
	if answer, _, _ := j.answer(newBrowser(t, s).visit(j.address(request, j.pair.Key)), request.ID); answer.Status != saml.RequesterUnsupported {
		t.Errorf("a service that it has not brought along: %s", answer.Status.Short())
	}
}

func toJSON(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// What is wrong with the file beside the metadata keeps the provider out, and the start page
// says what it is.
func TestServicesThatAreWrong(t *testing.T) {
	s := open(t)
	newJoiner(t, s, "00000009000000000014", asIs)
	beside := s.Providers() + "/joiner-00000009000000000014.yaml"
	t.Cleanup(func() { _ = os.Remove(beside) })
	for text, reads := range map[string]string{
		"services: parking": "services:",
		"services:\n  - {index: 10, name: parking, levle: loa3}":                 "levle",
		"services:\n  - {index: 3, name: parking, level: loa3}":                  "index 3 is not between",
		"services:\n  - {index: 10, name: Parking Lot, level: loa3}":             "small letters",
		"services:\n  - {index: 10, name: parking, level: high}":                 "is none of loa2",
		"services:\n  - {index: 10, name: vat, level: loa3}":                     "there is a service",
		parking + "  - {index: 10, name: boats, level: loa3}":                    "stands there twice",
		"services:\n  - {index: 10, name: b, level: loa3, identifiers: [[bsn]]}": "neither kvk nor rsin",
	} {
		if err := os.WriteFile(beside, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		newBrowser(t, s).visit(s.Address+"/").reads("joiner-00000009000000000014.xml does not take part:", reads)
	}
	lost := s.Providers() + "/lost.yaml"
	if err := os.Rename(beside, lost); err != nil {
		t.Fatal(err)
	}
	newBrowser(t, s).visit(s.Address + "/").reads("lost.yaml does not take part: there is no lost.xml beside it")
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	newBrowser(t, s).visit(s.Address + "/").reads("joiner-00000009000000000014.xml takes part")
}

// On a page one pastes metadata, reads line by line what is wrong, and joins when it is right.
func TestMetadataOnThePage(t *testing.T) {
	s := open(t)
	p := newPeer(t, "00000009000000000015")
	good := p.metadata("HTTP-POST", "/acs", "urn:etoegang:1.11:attribute-represented:CompanyName")
	t.Cleanup(func() { _, _ = os.Remove(s.Providers()+"/acme.xml"), os.Remove(s.Providers()+"/acme.yaml") })
	b := newBrowser(t, s).visit(s.Address + "/providers/")
	b.press("check", url.Values{"name": {"acme"}, "metadata": {strings.Replace(good, "http://127", "ftp://127", 1)}}).reads("This must change:", "line 4:", "is not https", "Use a whole address")
	if b.code != http.StatusUnprocessableEntity {
		t.Errorf("HTTP %d", b.code)
	}
	b.press("join", url.Values{"name": {"acme"}, "metadata": {"Dear reader,"}}).reads("cannot be read")
	b.press("join", url.Values{"name": {"../acme"}, "metadata": {good}}).reads("small letters, digits and hyphens")
	b.press("join", url.Values{"name": {"acme"}, "metadata": {good}, "services": {"services: no"}}).reads("This must change:", "services")
	b.press("join", url.Values{"name": {"acme"}, "metadata": {strings.Replace(good, "00000009000000000015", "00000001000000010000", 1)}}).reads("another provider has this OIN")
	b.press("check", url.Values{"name": {"acme"}, "metadata": {good}, "services": {parking}}).reads("The metadata are good.", "The key has no KeyName")
	if files, _ := os.ReadDir(s.Providers()); len(files) != 0 {
		t.Fatalf("nobody has joined yet, and there are %v", files)
	}
	b.press("join", url.Values{"name": {"acme"}, "metadata": {good}, "services": {parking}}).reads("This provider now takes part:", p.entity)
	b.visit(s.Address + "/").reads("acme.xml takes part: " + p.entity)
	b.visit(s.Address+"/providers/").press("join", url.Values{"name": {"acme"}, "metadata": {good}, "services": {"services:\n  - {index: 10, name: vat, level: loa3}"}}).reads("there is a service")
	b.visit(s.Address + "/").reads("acme.xml takes part: " + p.entity)

	request, _ := http.NewRequest(http.MethodPost, s.Address+"/providers/", nil)
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	if b := newBrowser(t, s).do(request); b.code != http.StatusForbidden {
		t.Errorf("a form of another site: HTTP %d", b.code)
	}
}

// Programs check and join in the same way.
func TestProvidersByAPI(t *testing.T) {
	s := open(t)
	p := newPeer(t, "00000009000000000016")
	good := p.metadata("HTTP-POST", "/acs", clearKvK)
	t.Cleanup(func() { _, _ = os.Remove(s.Providers()+"/acme.xml"), os.Remove(s.Providers()+"/acme.yaml") })
	a := newProgram(t, s)
	checked := gets[map[string]any](a, "POST", "/api/metadata/check", toJSON(map[string]any{"metadata": "<html/>"}))
	if checked["good"] != false || !strings.Contains(toJSON(checked), "no SAML metadata") {
		t.Errorf("%v", checked)
	}
	if checked = gets[map[string]any](a, "POST", "/api/metadata/check", toJSON(map[string]any{"metadata": good})); checked["good"] != true {
		t.Errorf("%v", checked)
	}
	send := func(metadata, service string) string {
		return toJSON(map[string]any{"name": "acme", "metadata": metadata, "services": []map[string]any{{"index": 10, "name": service, "level": "loa3"}}})
	}
	for body, says := range map[string]string{
		send("<html/>", "parking"): "metadata, line 1",
		send(good, "vat"):          "there is a service",
		send(good, "Parking Lot"):  "small letters",
	} {
		if status, text := a.asks("POST", "/api/providers", body); status != http.StatusUnprocessableEntity || !strings.Contains(string(text), says) {
			t.Errorf("%.80s: HTTP %d %s", body, status, text)
		}
	}
	made := gets[map[string]any](a, "POST", "/api/providers", send(good, "parking"))
	if listed := gets[[]map[string]any](a, "GET", "/api/providers", ""); toJSON(listed) != "["+toJSON(made)+"]" || !strings.Contains(toJSON(made), "acme/parking") {
		t.Errorf("%v, %v", made, listed)
	}
}
