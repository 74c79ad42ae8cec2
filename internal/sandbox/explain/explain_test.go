package explain_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/sandbox/explain"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// The messages of a log-in across two registers, in order, by their numbers.
const (
	asks, asksOn, loginToken, loginResolve, login = 1, 2, 3, 4, 5
	queryToken, queryResolve, query               = 6, 7, 8
	backToken, backResolve, first                 = 9, 10, 11
	confirm, second                               = 12, 13
	endToken, endResolve, end                     = 14, 15, 16
)

// An integrator sees what each message of a real log-in is, that every signature in it holds,
// and nothing in it that is left unexplained.
func TestWholeLoginIsExplained(t *testing.T) {
	s := newScene(t)
	s.logIn()
	explained := explain.Explain(s.cast, s.log...)
	want := map[int]explain.Kind{
		asks: explain.KindAuthnRequest, asksOn: explain.KindAuthnRequest,
		loginToken: explain.KindArtifact, loginResolve: explain.KindResolve, login: explain.KindLogin,
		queryToken: explain.KindArtifact, queryResolve: explain.KindResolve, query: explain.KindAuthorize,
		backToken: explain.KindArtifact, backResolve: explain.KindResolve, first: explain.KindStatement,
		confirm: explain.KindConfirm, second: explain.KindStatement,
		endToken: explain.KindArtifact, endResolve: explain.KindResolve, end: explain.KindCombination,
	}
	signatures := map[int]int{asks: 1, asksOn: 1, login: 3, query: 3, first: 3, confirm: 3, second: 2, end: 6}
	for _, e := range explained {
		if e.Kind != want[e.Number] || len(e.Trouble) > 0 {
			t.Errorf("message %d is %s, want %s; trouble: %v", e.Number, e.Kind, want[e.Number], e.Trouble)
		}
		if n, counted := signatures[e.Number]; counted && len(e.Signatures) != n {
			t.Errorf("message %d has %d signatures, want %d", e.Number, len(e.Signatures), n)
		}
		for _, signature := range e.Signatures {
			if !signature.Holds || signature.Issuer == "" || strings.HasPrefix(signature.Issuer, "urn:") {
				t.Errorf("message %d: %+v", e.Number, signature)
			}
		}
		for _, l := range lines(append(e.Lines, e.Parameters...)) {
			if strings.HasPrefix(l.XML, "<") && l.Meaning.IsZero() {
				t.Errorf("message %d: what does this mean? %s", e.Number, l.XML)
			}
			for _, n := range l.Notes {
				if n.Tone == explain.Bad {
					t.Errorf("message %d: %s: %s", e.Number, l.XML, n.EN)
				}
			}
		}
	}
}

// What a line says depends on who takes part, when it was, and on the other messages.
func TestLinesKnowTheirLogin(t *testing.T) {
	s := newScene(t)
	s.logIn()
	explained := explain.Explain(s.cast, s.log...)
	for _, want := range []struct {
		message    int
		line, note string
		tone       explain.Tone
	}{
		{asks, `Destination="https://broker.test/sso/1.13"`, "", ""},
		{asks, "RelayState=rs-1", "", ""},
		{asks, "<saml:Issuer>" + s.vat.Home.Entity.String(), "Belastingdienst: service provider", ""},
		{asks, etoegang.LoA3.URN(), "level 3", ""},
		{loginToken, "SAMLart=", "EntityID of Inlogdienst", ""},
		{backToken, "SAMLart=", "EntityID of Register A", ""},
		{loginResolve, "<samlp:Artifact>", "EntityID of Inlogdienst", ""},
		{login, "InResponseTo=", "ArtifactResolve of Makelaar, in message 4", ""},
		{login, `Name="urn:etoegang:core:AuthorizationRegistryID"`, "", ""},
		{login, ">" + s.n.First.Entity.String() + "</saml:AttributeValue>", "Register A: mandate register", ""},
		{login, "NotOnOrAfter=", "Valid: for another", explain.Good},
		{login, "<saml:EncryptedID>", "Encrypted for Register A", ""},
		{login, "<saml:EncryptedID>", s.anna.Subject.Pseudonym.Text(), explain.Good},
		{query, ">" + s.vat.Home.Entity.String() + "</xacml-context:AttributeValue>", "Belastingdienst", ""},
		{query, ">" + s.vat.ID.String() + "</xacml-context:AttributeValue>", "A service of Belastingdienst", ""},
		{query, "ID=", "", ""},
		{first, "<xacml-context:Decision>Permit", "Yes", explain.Good},
		{first, "<xacml-policy:AttributeAssignment", "Register B", ""},
		{first, "<saml:AssertionIDRef>", "Assertion of Inlogdienst, in message 5", ""},
		{first, "<ds:Signature>", "The signature holds: Register A", explain.Good},
		{second, "<xacml-context:Decision>Permit", "Yes", explain.Good},
		{end, "<saml:Audience>" + s.vat.Home.Entity.String(), "Belastingdienst", ""},
	} {
		l := line(t, explained[want.message-1], want.line)
		if want.note != "" && !noted(l, want.tone, want.note) {
			t.Errorf("message %d, %s: no %q in %+v", want.message, want.line, want.note, l.Notes)
		}
		if l.Meaning.IsZero() && !strings.Contains(l.XML, "AttributeValue") {
			t.Errorf("message %d, %s: what does it mean?", want.message, want.line)
		}
	}
	for number, names := range map[int][]string{first: {"Inlogdienst", "5"}, second: {"Register A", "11"}} {
		e := explained[number-1]
		at := slices.IndexFunc(e.Lines, func(l explain.Line) bool { return strings.Contains(l.XML, "LinkedDeclarationSignatureValue") })
		if value := e.Lines[at+1]; !noted(value, explain.Good, "signature under Assertion of "+names[0]+", in message "+names[1]) {
			t.Errorf("message %d: %+v", number, value)
		}
	}
}

// Of the last message the integrator sees what his own software should find in it, and of a
// register's decision what the provider will never see.
func TestWhatTheProviderReads(t *testing.T) {
	s := newScene(t)
	s.logIn()
	explained := explain.Explain(s.cast, s.log...)
	read := map[string]explain.Reading{}
	for _, r := range explained[end-1].Provider {
		if _, twice := read[r.Name]; twice {
			t.Errorf("%s stands there twice", r.Name)
		}
		read[r.Name] = r
	}
	for name, want := range map[string]string{
		"LegalSubjectID": "EntityConcernedID:KvKnr 23456789", "IntermediateEntityID:KvKnr": "87654321",
		"attribute-intermediate:CompanyName": "Kantoor Telraam", "ServiceUUID": s.vat.UUID.String(),
		"LevelOfAssuranceUsed": etoegang.LoA3.URN(), "AuthnContextClassRef": etoegang.LoA3.URN(),
	} {
		if got := read[name]; !slices.Equal(got.Values, []string{want}) || got.Meaning.IsZero() || got.By == "" {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
	}
	if explained[end-1].Provider[0].Name != "LegalSubjectID" || read["LegalSubjectID"].By != "Register B" {
		t.Errorf("the company should come first, from the register that knows it: %+v", explained[end-1].Provider[0])
	}
	half := explained[first-1].Provider[0]
	if len(half.Values) > 0 || !strings.Contains(half.Hidden.EN, "encrypted for Register B") {
		t.Errorf("the provider cannot read the company in the first register's half: %+v", half)
	}
}

// A letter that was changed in the query breaks the broker's signature and not that of the
// authentication service, which can still be read.
func TestBrokenSignatureIsFound(t *testing.T) {
	s := newScene(t)
	question := harness.Question{Person: s.anna, Service: s.vat}
	honest := must[[]byte](t)(s.n.Broker.Query(question))
	altered := bytes.Replace(honest, []byte("ReturnContext=\"true\""), []byte("ReturnContext=\"1\""), 1)
	inside := bytes.Replace(honest, []byte("<saml:AuthnContextClassRef>urn:etoegang:core:assurance-class:loa3"),
		[]byte("<saml:AuthnContextClassRef>urn:etoegang:core:assurance-class:loa4"), 1)
	question.Mistake = harness.WrongKey
	forged := must[*harness.Result](t)(s.n.Broker.Authorize(ctx, question)).Sent
	for _, scene := range []struct {
		name          string
		raw           []byte
		cast          explain.Cast
		broker, login bool
		why           string
		opened        bool
	}{
		{"honest", honest, s.cast, true, true, "", true},
		{"query altered", altered, s.cast, false, true, "changed after it was signed", true},
		{"log-in altered", inside, s.cast, false, false, "changed after it was signed", false},
		{"another's key", forged, s.cast, false, true, "another key", true},
		{"strangers", honest, nil, false, false, "no keys of this sender", false},
		{"a comment in it", bytes.Replace(honest, []byte("<soap:Body>"), []byte("<soap:Body><!-- -->"), 1), s.cast, false, false, "comment", false},
	} {
		t.Run(scene.name, func(t *testing.T) {
			e := explain.Explain(scene.cast, explain.Message{At: s.n.Now(), Raw: scene.raw})[0]
			if len(e.Signatures) != 2 || e.Signatures[0].Holds != scene.broker || e.Signatures[1].Holds != scene.login {
				t.Fatalf("signatures: %+v", e.Signatures)
			}
			if !scene.broker && !strings.Contains(e.Signatures[0].Why.EN, scene.why) {
				t.Errorf("why: %s", e.Signatures[0].Why.EN)
			}
			if got := e.Sealed[0].Opened; got != scene.opened {
				t.Errorf("opened: %v", got)
			}
			if why := e.Sealed[0].Why.EN; scene.broker == scene.login && !scene.opened && !strings.Contains(why, "no signature that holds") {
				t.Errorf("not opened because: %s", why)
			}
			if got := noted(line(t, e, "<ds:Signature>"), explain.Bad, ""); got == scene.broker {
				t.Errorf("the line says %+v", line(t, e, "<ds:Signature>").Notes)
			}
			if got := line(t, e, "XACMLAuthzDecisionQuery"); got.Meaning.IsZero() {
				t.Error("a broken message is explained all the same")
			}
		})
	}
}

// The signature of an address is over its parameters as they are written.
func TestSignedAddress(t *testing.T) {
	s := newScene(t)
	honest := string(s.redirect(s.vat.Home, s.authnRequest(s.vat.Home, "https://broker.test/sso/1.13", "_1"), "rs 1"))
	for _, scene := range []struct {
		name, raw, why string
		cast           explain.Cast
	}{
		{"honest", honest, "", s.cast},
		{"another RelayState", strings.Replace(honest, "rs+1", "rs+2", 1), "does not hold", s.cast},
		{"SHA-1", strings.Replace(honest, "rsa-sha256", "rsa-sha1", 1), "algorithm", s.cast},
		{"a stranger", honest, "no keys", nil},
	} {
		e := explain.Explain(scene.cast, explain.Message{At: s.n.Now(), Raw: []byte(scene.raw)})[0]
		if len(e.Signatures) != 1 || e.Signatures[0].Holds != (scene.why == "") || !strings.Contains(e.Signatures[0].Why.EN, scene.why) {
			t.Errorf("%s: %+v", scene.name, e.Signatures)
		}
		if e.Kind != explain.KindAuthnRequest || !strings.HasPrefix(e.Decoded, "<samlp:AuthnRequest") {
			t.Errorf("%s: %s, %.40s", scene.name, e.Kind, e.Decoded)
		}
	}
	late := explain.Explain(s.cast, explain.Message{At: s.n.Now().AddDate(20, 0, 0), Raw: []byte(honest)})[0]
	if late.Signatures[0].Holds {
		t.Error("the certificate is no longer valid then")
	}
}

// Faults, refusals and the rarer questions of a real register.
func TestWhatElseARegisterSays(t *testing.T) {
	s := newScene(t)
	nobody := s.n.NewPerson("Bram")
	refused := must[*harness.Result](t)(s.n.Broker.Authorize(ctx, harness.Question{Person: nobody, Service: s.vat}))
	broken := must[*harness.Result](t)(s.n.Broker.Authorize(ctx, harness.Question{Person: s.anna, Service: s.vat, Mistake: harness.Altered}))
	one := must[*harness.Result](t)(s.n.Broker.Authorize(ctx, harness.Question{Person: s.anna, Service: s.vat}))
	two := must[*harness.Result](t)(s.n.Broker.Confirm(ctx, one, s.n.Second))
	again := must[*harness.Result](t)(s.n.Recheck(ctx, s.n.Second, one, two))
	now := s.n.Now()
	e := explain.Explain(s.cast,
		explain.Message{At: now, Raw: refused.Received}, explain.Message{At: now, Raw: broken.Received},
		explain.Message{At: now, Raw: again.Sent}, explain.Message{At: now, Raw: again.Received})

	if e[0].Kind != explain.KindRefusal || !noted(line(t, e[0], "<samlp:StatusMessage>"), explain.Bad, "nobody has mandated this person") ||
		!noted(line(t, e[0], "status:AuthnFailed"), "", "may not do this") || e[0].Provider[0].Name != "StatusCode" {
		t.Errorf("refusal: %s %+v", e[0].Kind, e[0].Provider)
	}
	if e[1].Kind != explain.KindFault || line(t, e[1], "<faultcode>").Meaning.IsZero() || line(t, e[1], "<reference>").Meaning.IsZero() || len(e[1].Signatures) > 0 {
		t.Errorf("fault: %+v", e[1])
	}
	if e[2].Kind != explain.KindRecheck || len(e[2].Signatures) != 5 || e[3].Kind != explain.KindStatement {
		t.Errorf("recheck: %s with %d signatures, %s", e[2].Kind, len(e[2].Signatures), e[3].Kind)
	}
}

// Times are judged at the moment of the message, not at that of whoever looks.
func TestTimes(t *testing.T) {
	s := newScene(t)
	raw := must[*harness.Result](t)(s.n.Broker.Authorize(ctx, harness.Question{Person: s.anna, Service: s.vat})).Sent
	issued := s.n.Now()
	for _, scene := range []struct {
		at         time.Time
		line, note string
		tone       explain.Tone
	}{
		{issued, "NotOnOrAfter=", "Valid", explain.Good},
		{issued.Add(time.Hour), "NotOnOrAfter=", "Expired: 58 minutes", explain.Bad},
		{issued.Add(-time.Hour), "NotBefore=", "Not valid yet: only", explain.Bad},
		{issued.Add(-time.Hour), "IssueInstant=", "That cannot be", explain.Bad},
		{issued.Add(25 * time.Hour), "IssueInstant=", "1 day and 1 hour before", ""},
	} {
		e := explain.Explain(s.cast, explain.Message{At: scene.at, Raw: raw})[0]
		if l := line(t, e, scene.line); !noted(l, scene.tone, scene.note) {
			t.Errorf("%v: %s: %+v, want %q", scene.at.Sub(issued), l.XML, l.Notes, scene.note)
		}
	}
	odd := explain.Explain(nil, explain.Message{At: issued, Raw: []byte(
		`<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol" IssueInstant="2026-01-02T10:00:00+01:00"><Status><StatusCode IssueInstant="soon"/></Status></Response>`)})[0]
	if !noted(line(t, odd, "+01:00"), explain.Bad, "not UTC") || !noted(line(t, odd, "soon"), explain.Bad, "not a moment") {
		t.Errorf("%+v", odd.Lines)
	}
}

// A message that comes a second time is seen; an assertion that is handed on is not one.
func TestReplayIsSeen(t *testing.T) {
	s := newScene(t)
	raw := must[*harness.Result](t)(s.n.Broker.Authorize(ctx, harness.Question{Person: s.anna, Service: s.vat})).Sent
	m := explain.Message{At: s.n.Now(), Raw: raw}
	e := explain.Explain(s.cast, m, m)
	ids := func(e explain.Explained) (list []explain.Line) {
		for _, l := range e.Lines {
			if strings.HasPrefix(l.XML, "ID=") {
				list = append(list, l)
			}
		}
		return list
	}
	if once := ids(e[0]); len(once[0].Notes) > 0 {
		t.Errorf("the first time: %+v", once[0])
	}
	if twice := ids(e[1]); !noted(twice[0], explain.Bad, "in message 1 already") || !noted(twice[1], "", "in message 1 already") {
		t.Errorf("the second time: %+v", twice)
	}
}

// Everything encrypted has a name, and it is told who can read it and what is in it.
func TestWhatIsEncrypted(t *testing.T) {
	s := newScene(t)
	s.logIn()
	e := explain.Explain(s.cast, s.log...)[first-1]
	got := map[string]explain.Sealed{}
	for _, sealed := range e.Sealed {
		got[sealed.What] = sealed
	}
	for name, want := range map[string][2]string{
		"LegalSubjectID": {"Register B", "23456789"}, "attribute-intermediate:CompanyName": {"Belastingdienst", "Kantoor Telraam"},
	} {
		if s := got[name]; !s.Opened || !slices.Equal(s.For, []string{want[0]}) || !slices.Equal(s.Values, []string{want[1]}) || !strings.Contains(s.Why.EN, want[0]) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	for i := range s.cast {
		s.cast[i].Openers = nil
	}
	if e := explain.Explain(s.cast, s.log...)[first-1]; e.Sealed[0].Opened || !strings.Contains(e.Sealed[0].Why.EN, "keys in this play") {
		t.Errorf("without keys: %+v", e.Sealed[0])
	}
}

// Of what a browser brings the parameters are explained, and one message.
func TestForms(t *testing.T) {
	s := newScene(t)
	one := string(s.redirect(s.vat.Home, s.authnRequest(s.vat.Home, "https://broker.test/sso/1.13", "_1"), strings.Repeat("r", 81)))
	_, again, _ := strings.Cut(one, "?")
	e := explain.Explain(s.cast, explain.Message{At: s.n.Now(), Raw: []byte(one + "&" + again)})[0]
	if !noted(line(t, e, "RelayState="), explain.Bad, "81 bytes") {
		t.Errorf("%+v", line(t, e, "RelayState="))
	}
	if len(e.Around) != 1 || len(e.Parameters) != 8 {
		t.Errorf("%d times unpacked, %d parameters", len(e.Around), len(e.Parameters))
	}
	for _, art := range []string{"SAMLart=AAQAAA", "SAMLart=" + saml.Artifact{}.String()} {
		e := explain.Explain(s.cast, explain.Message{At: s.n.Now(), Raw: []byte(art)})[0]
		if e.Kind != explain.KindArtifact || !noted(line(t, e, "SAMLart"), explain.Bad, "") {
			t.Errorf("%s: %s, %+v", art, e.Kind, e.Parameters)
		}
	}
}

// What we have never heard of is shown and not explained.
func TestUnknownElements(t *testing.T) {
	s := newScene(t)
	question := xmlsec.E("esc:ChainInformationQuery", xmlsec.A("ID", "_1"), xmlsec.E("esc:RequestingEntityId", s.n.First.Entity.String()), xmlsec.E("esc:Issuer", "somebody"))
	s.sign(s.n.First.Party, question)
	e := explain.Explain(s.cast, explain.Message{At: s.n.Now(), Raw: saml.Wrap(question)})[0]
	if e.Kind != explain.KindChainQuestion || len(e.Trouble) > 0 {
		t.Errorf("%s: %+v", e.Kind, e.Trouble)
	}
	for _, name := range []string{"<esc:RequestingEntityId>", "<esc:Issuer>"} {
		if l := line(t, e, name); !l.Meaning.IsZero() || len(l.Notes) > 0 {
			t.Errorf("%+v", l)
		}
	}
	if len(e.Signatures) != 1 || !e.Signatures[0].Holds || e.Signatures[0].Issuer != "Register A" {
		t.Errorf("signatures: %+v", e.Signatures)
	}
	other := explain.Explain(s.cast, explain.Message{Raw: []byte(`<x:note xmlns:x="urn:x" a="1">hello</x:note>`)})[0]
	if other.Kind != explain.KindOther || other.Lines[0].XML != `<x:note a="1">hello</x:note>` || !other.Lines[0].Meaning.IsZero() {
		t.Errorf("%+v", other)
	}
}

// Whatever comes is explained as far as it goes, and what is wrong is said.
func TestRubbish(t *testing.T) {
	s := newScene(t)
	honest := string(must[[]byte](t)(s.n.Broker.Query(harness.Question{Person: s.anna, Service: s.vat})))
	deep := strings.Repeat("<a>", 200)
	for _, scene := range []struct {
		name, raw, trouble string
		lines              bool
	}{
		{"nothing", "", "empty", false},
		{"text", "hello there!", "not base64", false},
		{"base64 of text", "aGVsbG8gdGhlcmUgYWxs", "No XML", false},
		{"no element", "<!-- nothing -->", "no element", false},
		{"cut off", honest[:len(honest)/2], "", true},
		{"not closed", "<a><b>", "cut off: <b>", true},
		{"crossed", "<a><b></a>", "closes what is not open", true},
		{"two roots", "<a/><b/>", "after the end", true},
		{"a bomb", `<!DOCTYPE a [<!ENTITY b "boom">]><a>&b;</a>`, "DOCTYPE", false},
		{"an entity", "<a>&b;</a>", "mistake in it", true},
		{"not UTF-8", "<a>\xff\xfe</a>", "mistake in it", true},
		{"deep", deep, "nested more than", true},
		{"many", "<a>" + strings.Repeat("<b/>", 10000) + "</a>", "more than 4000", true},
		{"large", "<a>" + strings.Repeat("x", 3<<20) + "</a>", "far too large", true},
		{"comments", "<a>" + strings.Repeat("x<!---->", 100000) + "</a>", "", true},
		{"parameters", "SAMLRequest=x" + strings.Repeat("&SAMLRequest=x", 10000), "not base64", false},
		{"a broken escape", "SAMLart=%zz", "", false},
		{"seventy signed elements", "<a>" + seventy() + "</a>", "", true},
	} {
		e := explain.Explain(s.cast, explain.Message{At: s.n.Now(), Raw: []byte(scene.raw)})[0]
		said := fmt.Sprint(e.Trouble)
		if !strings.Contains(said, scene.trouble) || scene.trouble == "" && scene.name == "cut off" && len(e.Trouble) == 0 {
			t.Errorf("%s: %s", scene.name, said)
		}
		for _, trouble := range e.Trouble {
			if trouble.NL == "" || trouble.EN == "" {
				t.Errorf("%s: %+v", scene.name, trouble)
			}
		}
		if (len(e.Lines) > 0) != scene.lines {
			t.Errorf("%s: %d lines", scene.name, len(e.Lines))
		}
	}
	cut := explain.Explain(s.cast, explain.Message{At: s.n.Now(), Raw: []byte(honest[:len(honest)/2])})[0]
	if cut.Kind != explain.KindAuthorize || cut.Signatures[0].Holds || !strings.Contains(cut.Signatures[0].Why.EN, "not well-formed") {
		t.Errorf("a message that was cut off: %s, %+v", cut.Kind, cut.Signatures)
	}
}

// seventy are elements at more places than package xmlsec looks at, each with a signature.
func seventy() string {
	var b strings.Builder
	for i := range 70 {
		fmt.Fprintf(&b, `<b%d ID="_%d"><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></b%d>`, i, i, i)
	}
	return b.String()
}

// An integrator's tests read the same through JSON.
func TestJSON(t *testing.T) {
	s := newScene(t)
	raw := must[*harness.Result](t)(s.n.Broker.Authorize(ctx, harness.Question{Person: s.anna, Service: s.vat})).Received
	e := explain.Explain(s.cast, explain.Message{At: s.n.Now(), From: s.n.First.Entity.String(), To: s.n.Broker.Entity.String(), Raw: raw})
	var got []struct {
		Number     int
		Kind, From string
		Title      map[string]string
		Signatures []struct{ Holds bool }
		Lines      []map[string]any
		Provider   []struct {
			Attribute string
			Values    []string
		}
	}
	if err := json.Unmarshal(must[[]byte](t)(json.Marshal(e)), &got); err != nil {
		t.Fatal(err)
	}
	m := got[0]
	if m.Number != 1 || m.Kind != "statement" || m.From != "Register A" || m.Title["nl"] == "" || m.Title["en"] == "" || !m.Signatures[0].Holds {
		t.Errorf("%+v", m)
	}
	if _, said := m.Lines[0]["xml"]; !said || len(m.Provider) == 0 || m.Provider[0].Attribute != etoegang.AttributeLegalSubjectID {
		t.Errorf("%+v", m.Provider)
	}
}

// Everything is said in Dutch and in English, and every meaning tells where it is from.
func TestBothLanguages(t *testing.T) {
	said := explain.Said()
	if len(said) < 200 {
		t.Fatalf("only %d things are said", len(said))
	}
	for name, text := range said {
		if text.NL == "" || text.EN == "" {
			t.Errorf("%s: %+v", name, text)
		}
	}
	for name, source := range explain.Sources() {
		if source == "" {
			t.Errorf("%s: who says so?", name)
		}
	}
}

// The reason codes of refusals are those that package decision gives.
func TestRefusalsAreThoseOfDecisions(t *testing.T) {
	known := explain.Refusals()
	for _, code := range decision.Codes() {
		if known[string(code)].EN != code.Sentence() {
			t.Errorf("%s: %q, want %q", code, known[string(code)].EN, code.Sentence())
		}
	}
	if len(known) != len(decision.Codes()) {
		t.Errorf("%d codes, want %d", len(known), len(decision.Codes()))
	}
}
