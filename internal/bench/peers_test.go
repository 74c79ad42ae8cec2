package bench

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Other people's software on the same messages, each in a process of its own. Whoever is
// not installed is left out, and the table says so.

// The parts of a signature that its maker fills in.
var values = regexp.MustCompile(`<ds:(DigestValue|SignatureValue)>[^<]*<`)

// folder puts the messages and keys where peers find them.
func (m *messages) folder() string {
	t := m.s.t
	t.Helper()
	folder := t.TempDir()
	write := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("query.xml", m.query)
	write("altered.xml", m.altered)
	write("template.xml", values.ReplaceAll(m.written, []byte("<ds:$1><")))
	write("unsigned.xml", signatureOf.ReplaceAll(m.written, nil))
	write("keyname.txt", []byte(m.s.net.First.Signer().KeyName))
	for name, party := range map[string][]byte{
		"broker.crt": m.s.net.Broker.Signer().Certificate.Raw, "authenticator.crt": m.s.net.Authenticator.Signer().Certificate.Raw,
	} {
		write(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: party}))
	}
	write("register.key", must[[]byte](t)(os.ReadFile(filepath.Join(m.s.net.Folder, "keys", m.s.net.First.Name+".key"))))
	return folder
}

// invite starts a peer, and makes sure that it refuses what it should and that what it
// writes is a good answer.
func (m *messages) invite(name, folder string, c *exec.Cmd) *worker {
	t := m.s.t
	t.Helper()
	w, _ := hire(t, name, c)
	if said := w.ask("check 1"); said != "ok" {
		t.Fatalf("%s: %s", name, said)
	}
	m.accept(name, must[[]byte](t)(os.ReadFile(filepath.Join(folder, "answer.xml"))))
	return w
}

// libxmlsec1 builds our program around the library, if that and a compiler are there; else
// it says what is missing.
func (m *messages) libxmlsec1(s sizes) (w *worker, missing string) {
	t := m.s.t
	t.Helper()
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "xmlsec1-openssl", "libcrypto").Output()
	if err != nil {
		return nil, "the headers of xmlsec1 and OpenSSL (libxmlsec1-dev, pkg-config)"
	}
	folder := m.folder()
	program := filepath.Join(folder, "xmlsec1")
	arguments := append([]string{"-O2", "-o", program, filepath.Join("testdata", "xmlsec1.c")}, strings.Fields(string(flags))...)
	if out, err := exec.Command("cc", arguments...).CombinedOutput(); err != nil {
		return nil, "a compiler that builds testdata/xmlsec1.c: " + firstLine(out, err)
	}
	arguments = []string{folder}
	for _, n := range append(s.Asked[:len(s.Asked):len(s.Asked)], s.Answered...) {
		arguments = append(arguments, strconv.Itoa(n))
	}
	return m.invite(peerXMLSec, folder, exec.Command(program, arguments...)), ""
}

func firstLine(out []byte, err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if line == "" {
		return err.Error()
	}
	return line
}

// xmlCrypto starts npm's xml-crypto where it is installed globally, or where NODE_PATH
// says.
func (m *messages) xmlCrypto() (w *worker, missing string) {
	t := m.s.t
	t.Helper()
	environ := os.Environ()
	if os.Getenv("NODE_PATH") == "" {
		root, err := exec.Command("npm", "root", "-g").Output()
		if err != nil {
			return nil, "node and npm"
		}
		environ = append(environ, "NODE_PATH="+strings.TrimSpace(string(root)))
	}
	look := exec.Command("node", "-e", "require.resolve('xml-crypto')")
	look.Env = environ
	if look.Run() != nil {
		return nil, "npm install -g xml-crypto, or NODE_PATH"
	}
	folder := m.folder()
	c := exec.Command("node", filepath.Join("testdata", "xmlcrypto.mjs"), folder)
	c.Env = environ
	return m.invite(peerXMLCrypto, folder, c), ""
}
