package xmlsec

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// verifiedWith returns the verified node of an element, as an honest assertion
// brings it to us.
func verifiedWith(t testing.TB, e *Element) *Node {
	t.Helper()
	signed := E("saml:Assertion", A("ID", "_a"), E("saml:Issuer", authenticatorID), e)
	mustSign(t, someone(t, "authenticator"), signed)
	verified, err := verify(t, mustRead(t, signed.Bytes()), noon, Place{
		Name: "assertion", Path: []Step{{nameAssertion}}, Issuer: nameIssuer, Min: 1, Max: 1,
		Keys: func(string) []Key { return []Key{someone(t, "authenticator").verifying()} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return verified[0].Root().Children[1]
}

// asVerified marks what was read as if it had been signed: for encrypted elements
// that others made.
func asVerified(t testing.TB, doc []byte) *Node {
	t.Helper()
	root := mustRead(t, doc).Unverified()
	_ = root.each(func(n *Node) error { n.verified = true; return nil })
	return root
}

func (p party) opener() []Opener { return []Opener{{KeyName: p.name, Key: p.key}} }

func (p party) recipient(entityID string, gcm bool) Recipient {
	return Recipient{EntityID: entityID, KeyName: p.name, Key: &p.key.PublicKey, GCM: gcm}
}

func pseudonym() *Element {
	return E("saml:NameID", A("NameQualifier", "urn:etoegang:core:ActingSubjectID"), "pseudonym")
}

func mustSeal(t testing.TB, to ...Recipient) *Element {
	t.Helper()
	sealed, err := Seal(pseudonym(), to...)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func wantPseudonym(t *testing.T, n *Node, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	qualifier, _ := n.Attr("NameQualifier")
	if n.Name != nameNameID || n.Text != "pseudonym" || qualifier != "urn:etoegang:core:ActingSubjectID" {
		t.Errorf("got %v %q %q", n.Name, qualifier, n.Text)
	}
}

func TestSealedIsOpenedByItsRecipient(t *testing.T) {
	register := someone(t, "register")
	for _, gcm := range []bool{false, true} {
		n, err := Open(verifiedWith(t, mustSeal(t, register.recipient(registerID, gcm))), registerID, register.opener())
		wantPseudonym(t, n, err)
	}
}

// What the receiver is told is what its metadata asked for.
func TestSealedNamesItsAlgorithms(t *testing.T) {
	old, modern := []string{algorithmCBC, algorithmOAEPMGF1, algorithmSHA1}, []string{algorithmGCM, algorithmOAEP + `"`, algorithmSHA256, algorithmMGF256}
	for _, gcm := range []bool{false, true} {
		text := string(mustSeal(t, someone(t, "register").recipient(registerID, gcm)).Bytes())
		for _, a := range old {
			if strings.Contains(text, a) == gcm {
				t.Errorf("GCM %v: %s in or missing from\n%s", gcm, a, text)
			}
		}
		for _, a := range modern {
			if strings.Contains(text, a) != gcm {
				t.Errorf("GCM %v: %s in or missing from\n%s", gcm, a, text)
			}
		}
	}
}

// SAML errata E43: one element, one content key, each recipient its own
// EncryptedKey.
func TestSealedForSeveralIsOpenedByEach(t *testing.T) {
	register, provider := someone(t, "register"), someone(t, "provider")
	for _, gcm := range []bool{false, true} {
		sealed := verifiedWith(t, mustSeal(t, provider.recipient(providerID, gcm), register.recipient(registerID, gcm)))
		n, err := Open(sealed, registerID, register.opener())
		wantPseudonym(t, n, err)
		n, err = Open(sealed, providerID, provider.opener())
		wantPseudonym(t, n, err)
		if _, err := Open(sealed, registerID, provider.opener()); !errors.Is(err, ErrNotForUs) {
			t.Errorf("the provider as the register: got %v, want %v", err, ErrNotForUs)
		}
	}
}

// Every element has its own key, and nothing repeats.
func TestSealingTwiceDiffers(t *testing.T) {
	to := someone(t, "register").recipient(registerID, false)
	if bytes.Equal(mustSeal(t, to).Bytes(), mustSeal(t, to).Bytes()) {
		t.Error("two sealed elements are the same")
	}
}

func TestWhatCannotBeSealed(t *testing.T) {
	register := someone(t, "register")
	for name, c := range map[string]struct {
		to   []Recipient
		want error
	}{
		"to nobody":         {nil, ErrEncryption},
		"to two ways":       {[]Recipient{register.recipient("a", true), register.recipient("b", false)}, ErrEncryption},
		"to a weak key":     {[]Recipient{partyWith(t, "weak", 1024, noon).recipient("a", true)}, ErrWeakKey},
		"to no key at all":  {[]Recipient{{EntityID: "a"}}, ErrWeakKey},
		"to a broken key":   {[]Recipient{{EntityID: "a", Key: &rsa.PublicKey{N: register.key.N, E: 0}}}, nil},
		"to several broken": {[]Recipient{register.recipient("b", false), {EntityID: "a", Key: &rsa.PublicKey{N: register.key.N, E: 0}}}, nil},
	} {
		_, err := Seal(pseudonym(), c.to...)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// Without a signature anybody may have made it, and would learn from our answers.
func TestUnverifiedIsNotOpened(t *testing.T) {
	register := someone(t, "register")
	sealed := mustSeal(t, register.recipient(registerID, false))
	if _, err := Open(mustRead(t, sealed.Bytes()).Unverified(), registerID, register.opener()); !errors.Is(err, ErrUnverified) {
		t.Errorf("got %v, want %v", err, ErrUnverified)
	}
	if _, err := Open(nil, registerID, register.opener()); !errors.Is(err, ErrUnverified) {
		t.Errorf("nil: got %v, want %v", err, ErrUnverified)
	}
	opened, err := Open(verifiedWith(t, sealed), registerID, register.opener())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(opened, registerID, register.opener()); !errors.Is(err, ErrUnverified) {
		t.Errorf("what was inside: got %v, want %v", err, ErrUnverified)
	}
}

// watched counts how often a key is used: refusals that need no key must not use it.
type watched struct {
	crypto.Decrypter
	uses *int
}

func (w watched) Decrypt(r io.Reader, b []byte, o crypto.DecrypterOpts) ([]byte, error) {
	*w.uses++
	return w.Decrypter.Decrypt(r, b, o)
}

// What is not built as the profile says is refused before any key is used.
func TestMisbuiltEncryptionIsRefused(t *testing.T) {
	register := someone(t, "register")
	const (
		dataMethod = `<xenc:EncryptionMethod Algorithm="` + algorithmCBC + `">`
		keyMethod  = `<xenc:EncryptionMethod Algorithm="` + algorithmOAEPMGF1 + `">`
		digest     = `<ds:DigestMethod xmlns:ds="` + spaceDS + `" Algorithm="` + algorithmSHA1 + `">`
	)
	type change struct{ old, new string }
	for name, c := range map[string]struct {
		change
		want error
	}{
		"RSA 1.5":                      {change{algorithmOAEPMGF1, "http://www.w3.org/2001/04/xmlenc#rsa-1_5"}, ErrAlgorithm},
		"no key transport":             {change{keyMethod, strings.Replace(keyMethod, "Algorithm", "Other", 1)}, ErrAlgorithm},
		"triple DES":                   {change{algorithmCBC, "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"}, ErrAlgorithm},
		"AES-128":                      {change{algorithmCBC, "http://www.w3.org/2001/04/xmlenc#aes128-cbc"}, ErrAlgorithm},
		"key size as a parameter":      {change{dataMethod, dataMethod + `<xenc:KeySize>128</xenc:KeySize>`}, ErrAlgorithm},
		"MD5 in OAEP":                  {change{algorithmSHA1, "http://www.w3.org/2001/04/xmldsig-more#md5"}, ErrAlgorithm},
		"label in OAEP":                {change{keyMethod, keyMethod + `<xenc:OAEPparams>AAAA</xenc:OAEPparams>`}, ErrAlgorithm},
		"two digests in OAEP":          {change{keyMethod, keyMethod + digest + "</ds:DigestMethod>"}, ErrAlgorithm},
		"mask generation with mgf1p":   {change{keyMethod, keyMethod + `<x:MGF xmlns:x="` + spaceXEnc11 + `" Algorithm="` + algorithmMGF256 + `"/>`}, ErrAlgorithm},
		"two key transports":           {change{keyMethod, strings.TrimSuffix(keyMethod, ">") + "/>" + keyMethod}, ErrEncryption},
		"content for element":          {change{typeElement, "http://www.w3.org/2001/04/xmlenc#Content"}, ErrEncryption},
		"another recipient":            {change{registerID, providerID}, ErrNotForUs},
		"recipient in longer words":    {change{registerID, registerID + "0"}, ErrNotForUs},
		"another key name":             {change{">" + register.name + "<", ">other<"}, ErrNotForUs},
		"two key names":                {change{"<ds:KeyName>", "<ds:KeyName>x</ds:KeyName><ds:KeyName>"}, ErrEncryption},
		"reference outside":            {change{`URI="#`, `URI="http://x.example/#`}, ErrEncryption},
		"reference to nothing":         {change{`URI="#_`, `URI="#none_`}, ErrEncryption},
		"reference of another kind":    {change{typeEncryptedKey, "http://www.w3.org/2001/04/xmlenc#DerivedKey"}, ErrEncryption},
		"reference with transforms":    {change{`</ds:RetrievalMethod>`, `<ds:Transforms/></ds:RetrievalMethod>`}, ErrEncryption},
		"ciphertext elsewhere":         {change{"xenc:CipherValue", "xenc:CipherReference"}, ErrEncryption},
		"ciphertext that is no base64": {change{"<xenc:CipherValue>", "<xenc:CipherValue>!"}, ErrEncryption},
		"no ciphertext":                {change{"xenc:CipherData", "xenc:Other"}, ErrEncryption},
		"no algorithm":                 {change{"xenc:EncryptionMethod", "xenc:Other"}, ErrEncryption},
		"no data":                      {change{"xenc:EncryptedData", "xenc:Other"}, ErrEncryption},
		"no key":                       {change{"xenc:EncryptedKey", "xenc:Other"}, ErrEncryption},
		"two KeyInfo for the key":      {change{"<xenc:ReferenceList>", "<ds:KeyInfo xmlns:ds='" + spaceDS + "'/><xenc:ReferenceList>"}, ErrEncryption},
		"two KeyInfo for the data":     {change{"<xenc:CipherData>", "<ds:KeyInfo xmlns:ds='" + spaceDS + "'/><xenc:CipherData>"}, ErrEncryption},
	} {
		uses := 0
		doc := strings.ReplaceAll(string(mustSeal(t, register.recipient(registerID, false)).Bytes()), c.old, c.new)
		node := asVerified(t, []byte(doc))
		_, err := Open(node, registerID, []Opener{{register.name, watched{register.key, &uses}}})
		if !errors.Is(err, c.want) || uses > 0 {
			t.Errorf("%s: got %v after %d uses of the key, want %v after none", name, err, uses, c.want)
		}
	}
}

// An element where the ciphertext should be is not an empty ciphertext.
func TestElementsAreNoCiphertext(t *testing.T) {
	register := someone(t, "register")
	sealed := string(mustSeal(t, register.recipient(registerID, false)).Bytes())
	start := strings.Index(sealed, "<xenc:CipherValue>") + len("<xenc:CipherValue>")
	end := strings.Index(sealed, "</xenc:CipherValue>")
	if _, err := Open(asVerified(t, []byte(sealed[:start]+"<xenc:Other/>"+sealed[end:])), registerID, register.opener()); !errors.Is(err, ErrEncryption) {
		t.Errorf("got %v, want %v", err, ErrEncryption)
	}
}

// With several recipients the keys are told apart by recipient and carried name.
func TestSeveralKeysAreToldApart(t *testing.T) {
	register, provider := someone(t, "register"), someone(t, "provider")
	sealed := string(mustSeal(t, provider.recipient(providerID, false), register.recipient(registerID, false)).Bytes())
	for name, c := range map[string]struct {
		doc  string
		want error
	}{
		"as sealed":                 {sealed, nil},
		"name that nobody carries":  {strings.ReplaceAll(sealed, "<xenc:CarriedKeyName>", "<xenc:CarriedKeyName>x"), ErrNotForUs},
		"no carried names":          {strings.NewReplacer("xenc:CarriedKeyName", "xenc:Other").Replace(sealed), nil},
		"two keys for us":           {strings.ReplaceAll(sealed, providerID, registerID), ErrEncryption},
		"no KeyInfo for the data":   {strings.Replace(strings.Replace(sealed, "ds:KeyInfo", "ds:Other", 1), "</ds:KeyInfo>", "</ds:Other>", 1), nil},
		"two names for the content": {strings.Replace(sealed, "<ds:KeyName>", "<ds:KeyName>x</ds:KeyName><ds:KeyName>", 1), ErrEncryption},
	} {
		if _, err := Open(asVerified(t, []byte(c.doc)), registerID, register.opener()); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// Without a key name each of our keys is tried; during a rollover there are two.
func TestKeysWithoutNameAreTried(t *testing.T) {
	register := someone(t, "register")
	sealed := verifiedWith(t, mustSeal(t, Recipient{EntityID: registerID, Key: &register.key.PublicKey}))
	n, err := Open(sealed, registerID, append(someone(t, "mallory").opener(), register.opener()...))
	wantPseudonym(t, n, err)
	if _, err := Open(sealed, registerID, nil); !errors.Is(err, ErrNotForUs) {
		t.Errorf("no keys: got %v, want %v", err, ErrNotForUs)
	}
}

// damaged returns a sealed element whose content or content key is not what it
// should be.
func damaged(t *testing.T, gcm bool, plain []byte, change func(s *sealing, ciphertext []byte) []byte) []byte {
	t.Helper()
	s := sealing{outer: tagEncryptedID, key: randomBytes(contentKeySize), dataID: "_d", keyIDs: []string{"_k"}, gcm: gcm}
	ciphertext, err := s.encrypt(plain)
	if err != nil {
		t.Fatal(err)
	}
	ciphertext = change(&s, ciphertext)
	e, err := s.write(ciphertext, []Recipient{someone(t, "register").recipient(registerID, gcm)})
	if err != nil {
		t.Fatal(err)
	}
	return e.Bytes()
}

// Whatever goes wrong once a key is used looks the same: the same error value, not
// wrapped around anything, after one use of the key.
func TestDecryptionFailuresLookAlike(t *testing.T) {
	register := someone(t, "register")
	flip := func(at int) func(*sealing, []byte) []byte {
		return func(_ *sealing, c []byte) []byte {
			c[(at+len(c))%len(c)] ^= 0xff
			return c
		}
	}
	same := func(_ *sealing, c []byte) []byte { return c }
	plain := pseudonym().Bytes()
	spaced := append(bytes.Clone(plain), bytes.Repeat([]byte(" "), 32-len(plain)%16)...) // whole blocks
	for name, doc := range map[string][]byte{
		"another content key":      damaged(t, false, plain, func(s *sealing, c []byte) []byte { s.key = randomBytes(32); return c }),
		"a content key too short":  damaged(t, false, plain, func(s *sealing, c []byte) []byte { s.key = s.key[:16]; return c }),
		"padding length too long":  damaged(t, false, plain, flip(-17)),
		"first block changed":      damaged(t, false, plain, flip(0)),
		"padding that is a space":  damaged(t, false, spaced, func(_ *sealing, c []byte) []byte { return c[:len(c)-16] }),
		"ciphertext of one block":  damaged(t, false, plain, func(_ *sealing, c []byte) []byte { return c[:16] }),
		"ciphertext of odd length": damaged(t, false, plain, func(_ *sealing, c []byte) []byte { return c[:33] }),
		"no ciphertext":            damaged(t, false, plain, func(*sealing, []byte) []byte { return nil }),
		"GCM tag changed":          damaged(t, true, plain, flip(-1)),
		"GCM text changed":         damaged(t, true, plain, flip(20)),
		"GCM cut short":            damaged(t, true, plain, func(_ *sealing, c []byte) []byte { return c[:20] }),
		"no XML inside":            damaged(t, false, []byte("pseudonym"), same),
		"a DTD inside":             damaged(t, true, append([]byte("<!DOCTYPE a>"), plain...), same),
		"prefixes left outside":    damaged(t, false, []byte("<saml:NameID>pseudonym</saml:NameID>"), same),
		"two elements inside":      damaged(t, false, append(bytes.Clone(plain), plain...), same),
		"too much inside":          damaged(t, true, []byte("<a>"+strings.Repeat("x", 65<<10)+"</a>"), same),
	} {
		uses := 0
		_, err := Open(asVerified(t, doc), registerID, []Opener{{register.name, watched{register.key, &uses}}})
		if err != ErrUndecryptable || uses != 1 {
			t.Errorf("%s: got %v after %d uses of the key, want %v after one", name, err, uses, ErrUndecryptable)
		}
	}
	doc := mustSeal(t, Recipient{EntityID: registerID, Key: &someone(t, "mallory").key.PublicKey}).Bytes()
	if _, err := Open(asVerified(t, doc), registerID, register.opener()); err != ErrUndecryptable {
		t.Errorf("key wrapped for somebody else: got %v, want %v", err, ErrUndecryptable)
	}
}

// Content keys that OpenSSL wrapped, in each of the ways we accept, with the base64 broken
// into lines and the key inside KeyInfo.
func TestKeysWrappedByOpenSSLAreOpened(t *testing.T) {
	tool(t, "openssl")
	register := someone(t, "register")
	for _, way := range []struct{ transport, mgf, digest, mgf1 string }{
		{"http://www.w3.org/2009/xmlenc11#rsa-oaep", "sha256", "sha256", "sha256"},
		{"http://www.w3.org/2009/xmlenc11#rsa-oaep", "sha1", "sha256", "sha1"},
		{"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", "", "sha256", "sha1"},
		{"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", "", "sha1", "sha1"},
	} {
		s := sealing{key: randomBytes(contentKeySize), gcm: true}
		data, err := s.encrypt(pseudonym().Bytes())
		if err != nil {
			t.Fatal(err)
		}
		wrapped := wrapWithOpenSSL(t, register, s.key, way.digest, way.mgf1)
		mgf := ""
		if way.mgf != "" {
			mgf = `<xenc11:MGF xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#mgf1` + way.mgf + `"/>`
		}
		digest := map[string]string{"sha1": "http://www.w3.org/2000/09/xmldsig#sha1", "sha256": "http://www.w3.org/2001/04/xmlenc#sha256"}[way.digest]
		node := asVerified(t, []byte(`<saml:EncryptedID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
<xenc:EncryptedData Id="_d" Type="http://www.w3.org/2001/04/xmlenc#Element">
<xenc:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"/>
<ds:KeyInfo><xenc:EncryptedKey Id="_k" Recipient="`+registerID+`">
<xenc:EncryptionMethod Algorithm="`+way.transport+`"><ds:DigestMethod Algorithm="`+digest+`"/>`+mgf+`</xenc:EncryptionMethod>
<xenc:CipherData><xenc:CipherValue>`+inLines(wrapped)+`</xenc:CipherValue></xenc:CipherData>
</xenc:EncryptedKey></ds:KeyInfo>
<xenc:CipherData><xenc:CipherValue>`+inLines(data)+`</xenc:CipherValue></xenc:CipherData>
</xenc:EncryptedData></saml:EncryptedID>`))
		n, err := Open(node, registerID, register.opener())
		if err != nil || n.Name != nameNameID {
			t.Errorf("%+v: got %+v, %v", way, n, err)
		}
	}
}

func wrapWithOpenSSL(t *testing.T, to party, key []byte, digest, mgf1 string) []byte {
	t.Helper()
	certificate := writeFile(t, "register.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: to.certificate.Raw}))
	command := exec.Command("openssl", "pkeyutl", "-encrypt", "-certin", "-inkey", certificate,
		"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:"+digest, "-pkeyopt", "rsa_mgf1_md:"+mgf1)
	command.Stdin = bytes.NewReader(key)
	wrapped, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return wrapped
}

// inLines is base64 with a line break after every 76 characters.
func inLines(b []byte) string {
	text := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	for len(text) > 76 {
		out.WriteString(text[:76] + "\n")
		text = text[76:]
	}
	return out.String() + text + "\n"
}

func TestXmlsec1OpensWhatWeSeal(t *testing.T) {
	tool(t, "xmlsec1")
	register := someone(t, "register")
	out, err := exec.Command("xmlsec1", "--decrypt", "--id-attr:Id", spaceXEnc+":EncryptedKey",
		"--privkey-pem:"+register.name, writeFile(t, "key.pem", keyPEM(t, register)),
		writeFile(t, "sealed.xml", mustSeal(t, register.recipient(registerID, false)).Bytes())).CombinedOutput()
	if err != nil || !bytes.Contains(out, pseudonym().Bytes()) {
		t.Errorf("%v\n%s", err, out)
	}
}

// xmlsec1 fills in a template, with either cipher; version 1.2 knows only the first
// spelling of OAEP.
func TestWeOpenWhatXmlsec1Encrypts(t *testing.T) {
	tool(t, "xmlsec1")
	register := someone(t, "register")
	// xmlsec1 leaves out declarations made around the element.
	plain := `<s:EncryptedID xmlns:s="` + spaceSAML + `">` + string(pseudonym().Bytes()) + `</s:EncryptedID>`
	for _, algorithm := range []string{algorithmCBC, algorithmGCM} {
		template := E("xenc:EncryptedData", A("Id", "_d"), A("Type", typeElement),
			E("xenc:EncryptionMethod", A("Algorithm", algorithm)),
			E("ds:KeyInfo", E("xenc:EncryptedKey", A("Recipient", registerID),
				E("xenc:EncryptionMethod", A("Algorithm", algorithmOAEPMGF1), E("ds:DigestMethod", A("Algorithm", algorithmSHA1))),
				E("ds:KeyInfo", E("ds:KeyName", register.name)), E("xenc:CipherData", E("xenc:CipherValue")))),
			E("xenc:CipherData", E("xenc:CipherValue")))
		out, err := exec.Command("xmlsec1", "--encrypt", "--session-key", "aes-256",
			"--pubkey-cert-pem:"+register.name, certificateFile(t, register),
			"--xml-data", writeFile(t, "plain.xml", []byte(plain)),
			"--node-name", spaceSAML+":NameID", writeFile(t, "template.xml", template.Bytes())).Output()
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		n, err := Open(asVerified(t, out), registerID, register.opener())
		wantPseudonym(t, n, err)
	}
}
