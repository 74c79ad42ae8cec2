package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
)

const configs = "../../testdata/config"

// Every example of a configuration is read by the program that it is an example for.
func TestSampleConfigurations(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(configs, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		if _, err := daemon.LoadConfig(file, nil); err != nil {
			t.Errorf("an example must be good: %v", err)
		}
	}
}

// The shortest example shows what everything else defaults to, the longest that what it
// says is also what is read.
func TestSampleConfigurationsSayWhatTheyMean(t *testing.T) {
	short := sample(t, "test.yaml")
	if short.Network != "test" || short.Listen != "127.0.0.1:8443" || short.Operations != "127.0.0.1:9443" ||
		short.Register != "register.db" || short.Journal != "journal.db" || short.Guard != "guard.db" || short.Checkpoints != "checkpoints.jsonl" ||
		time.Duration(short.Lease) != 500*time.Millisecond || time.Duration(short.Refresh) != 5*time.Minute || short.Work != 64 ||
		short.Chain.SameRegister != "complete" || time.Duration(short.Ages.Query) != 2*time.Minute || time.Duration(short.Ages.Skew) != 2*time.Second ||
		short.Unused != 24 || short.Mail != (daemon.Mail{Security: "starttls", Digest: daemon.Duration(24 * time.Hour)}) ||
		short.Browser.PerAddress != 256 || time.Duration(short.Ages.Chain) != 15*time.Minute || time.Duration(short.Ages.Recheck) != 12*time.Hour {
		t.Errorf("the defaults are not those of the manual: %+v", short)
	}
	long := sample(t, "production.yaml")
	if long.Network != "production" || len(long.Signing) != 2 || len(long.Encryption) != 2 || long.Signing[1].Name != "signing-2027" ||
		time.Duration(long.Ages.Query) != 90*time.Second || time.Duration(long.Ages.Chain) != 15*time.Minute ||
		long.EntityID().String() != long.Entity || len(long.Peers) != 2 || long.Mail.Server != "mail.register.example:587" || long.Mail.Security != "starttls" || long.Browser.Address != "https://login.register.example" {
		t.Errorf("the long example is read as %+v", long)
	}
}

func sample(t *testing.T, name string) daemon.Config {
	t.Helper()
	c, err := daemon.LoadConfig(filepath.Join(configs, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// load reads the short example after some of its text was replaced.
func load(t *testing.T, environ []string, replaced ...string) (daemon.Config, error) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(configs, "test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replaced); i += 2 {
		if !strings.Contains(string(text), replaced[i]) {
			t.Fatalf("the example does not contain %q", replaced[i])
		}
		text = []byte(strings.Replace(string(text), replaced[i], replaced[i+1], 1))
	}
	path := filepath.Join(t.TempDir(), "mandated.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return daemon.LoadConfig(path, environ)
}

// A slip of the pen must not silently be a default: unknown keys, at any depth, are told
// with their line.
func TestUnknownKeysAreRefused(t *testing.T) {
	for why, c := range map[string]struct{ old, new, want string }{
		"at the top":      {"network: test", "netwerk: test", "line 12: field netwerk not found"},
		"inside a list":   {"    trust: file", "    trusted: file", "field trusted not found"},
		"twice":           {"network: test", "network: test\nnetwork: test", "line 13"},
		"of a wrong kind": {"network: test", "work: many", "line 12"},
		"no duration":     {"network: test", "lease: soon", `line 12: time: invalid duration "soon"`},
		"a bare number":   {"network: test", "ages: {skew: 2}", "line 12: time: missing unit"},
		"several":         {"network: test", "refresh: [1m, 2m]", "line 12: cannot unmarshal"},
		"one of two":      {"network: test", "lease: soon\nrefresh: often", `line 13: time: invalid duration "often"`},
	} {
		_, err := load(t, nil, c.old, c.new)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "mandated.yaml") {
			t.Errorf("%s: %v; want the file and %q", why, err, c.want)
		}
	}
}

// Each contradiction is named by its key, so that an operator knows where to look.
func TestContradictionsAreNamed(t *testing.T) {
	const entity, address, signing, peers = "urn:etoegang:MR:00000003123456780000:entities:9001", "http://127.0.0.1:8443", "signing:\n  - key: keys/signing.key\n    certificate: keys/signing.crt", "\npeers:\n  "
	for why, c := range map[string]struct{ old, new, want string }{
		"no name":                       {"entity: " + entity, "", "entity: "},
		"the name of a broker":          {entity, "urn:etoegang:HM:00000003123456780000:entities:9001", "is not the EntityID of a register"},
		"a test system in production":   {"network: test", "network: production", "entity: index 9000 and up"},
		"some other network":            {"network: test", "network: acceptance", `network: "acceptance" is not test or production`},
		"no address":                    {"address: " + address, "", "address: "},
		"an address with a path":        {address, address + "/etoegang", "address: "},
		"an address that is none":       {address, `"http://[::1"`, "address: "},
		"an address without a scheme":   {address, "127.0.0.1:8443", "address: "},
		"an address with a query":       {address, address + "?x", "alone"},
		"an address with a fragment":    {address, address + "#x", "alone"},
		"an address with a user":        {address, "http://user@127.0.0.1:8443", "alone"},
		"an address with no host":       {address, "http://:8443", "alone"},
		"an address of another kind":    {address, "ftp://127.0.0.1", "address: \"ftp://127.0.0.1\" begins neither with"},
		"a plain address for everybody": {address, "http://register.example", "address: \"http://register.example\" begins neither with"},
		"listening on nothing":          {"network: test", "network: test\nlisten: here", `listen: "here"`},
		"plain HTTP for everybody":      {"network: test", "network: test\nlisten: 0.0.0.0:8443", "reachable for others, so tls is needed"},
		"plain HTTP on every address":   {"network: test", "network: test\nlisten: :8443", "reachable for others, so tls is needed"},
		"plain HTTP on a network card":  {"network: test", "network: test\nlisten: 192.0.2.1:8443", "reachable for others, so tls is needed"},
		"a TLS certificate without key": {"network: test", "network: test\ntls: {certificate: tls.crt}", "tls: certificate and key go together"},
		"a TLS key without certificate": {"network: test", "network: test\ntls: {key: tls.key}", "tls: certificate and key go together"},
		"TLS behind a plain address":    {"network: test", "network: test\ntls: {certificate: tls.crt, key: tls.key}", "address: with tls it begins with https://"},
		"a door without a place":        {"network: test", "network: test\nbrowser: {address: \"http://127.0.0.1:8444\"}", `browser.listen: ""`},
		"a door without an address":     {"network: test", "network: test\nbrowser: {listen: \"127.0.0.1:8444\"}", `browser.address: ""`},
		"a door with a plain address":   {"network: test", "network: test\nbrowser: {listen: \"127.0.0.1:8444\", address: \"http://register.example\"}", "browser.address: \"http://register.example\" begins neither with"},
		"a door of another kind":        {"network: test", "network: test\nbrowser: {listen: \"127.0.0.1:8444\", address: \"ftp://127.0.0.1\"}", "browser.address: \"ftp://127.0.0.1\" begins neither with"},
		"a door with a query":           {"network: test", "network: test\nbrowser: {listen: \"127.0.0.1:8444\", address: \"https://x.test?x\"}", "browser.address: "},
		"a door with a user":            {"network: test", "network: test\nbrowser: {listen: \"127.0.0.1:8444\", address: \"https://user@x.test\"}", "browser.address: "},
		"a door at the same address":    {"network: test", "network: test\nbrowser: {listen: \"127.0.0.1:8444\", address: \"" + address + "\"}", "browsers need an address of their own"},
		"a door for everybody, plain":   {"network: test", "network: test\nbrowser: {listen: \":8444\", address: \"http://x.test\"}", "so browser.tls is needed"},
		"a door with half a key":        {"network: test", "network: test\nbrowser: {listen: \"127.0.0.1:8444\", address: \"https://x.test\", tls: {key: k}}", "browser.tls: certificate and key go together"},
		"a door with TLS, said plain":   {"network: test", "network: test\nbrowser: {listen: \":8444\", address: \"http://x.test\", tls: {certificate: c, key: k}}", "browser.address: with tls it begins with https://"},
		"a door that nobody can enter":  {"network: test", "network: test\nbrowser: {per_address: 0}", "browser.per_address: 0"},
		"a share of no door":            {"network: test", "network: test\nbrowser: {per_address: 9}", `browser.listen: ""`},
		"nothing to sign with":          {signing, "", "signing: at least one key"},
		"nothing to decrypt with":       {"encryption:\n  - key: keys/encryption.key\n    certificate: keys/encryption.crt", "", "encryption: at least one key"},
		"nobody who could ask":          {"metadata:\n  - file: metadata/network.xml\n    trust: file", "", "metadata: without any nobody can ask"},
		"metadata without trust":        {"metadata/network.xml\n    trust: file", "metadata/network.xml", "metadata 1 or catalogue: file and trust are both needed"},
		"a catalogue without trust":     {"catalogue.xml\n  trust: file", "catalogue.xml", "metadata 2 or catalogue: file and trust are both needed"},
		"another kind of chain":         {"network: test", "network: test\nchain: {same_register: never}", `chain.same_register: "never"`},
		"no time for the others":        {"network: test", "network: test\nchain: {discovery: 0s}", `chain.discovery: 0s leaves nobody time`},
		"mandates that never last":      {"network: test", "network: test\nunused: 3", "unused: people are told 60 days before"},
		"less than never used":          {"network: test", "network: test\nunused: -1", "unused: -1"},
		"letters without a server":      {"network: test", "network: test\nmail: {from: a@b.example}", "mail.server: without it nobody"},
		"letters from nobody":           {"network: test", "network: test\nmail: {server: \"mail.example:587\"}", "mail: from: "},
		"letters in the clear":          {"network: test", "network: test\nmail: {server: \"mail.example:25\", from: a@b.example, security: none}", "is another machine, so TLS is needed"},
		"trust in no certificate":       {"network: test", "network: test\nmail: {server: \"127.0.0.1:25\", from: a@b.example, security: none, ca: ca.pem}", "mail.ca: without TLS"},
		"a password of nobody":          {"network: test", "network: test\nmail: {server: \"mail.example:587\", from: a@b.example, password_file: p}", "user and password go together"},
		"letters of last week":          {"network: test", "network: test\nmail: {server: \"mail.example:587\", from: a@b.example, digest: 100h}", "mail.digest: 100h"},
		"a pace of less than nothing":   {"network: test", "network: test\nmanage: {per_second: -1}", "manage.per_second: -1"},
		"a price for a gift":            {"network: test", "network: test\nmanage: {prices: [{kind: gift, level: loa3, years: 1, euros: 20}]}", "manage.prices, number 1: a price is that"},
		"a price for no level":          {"network: test", "network: test\nmanage: {prices: [{kind: chain, level: loa9, years: 1, euros: 20}]}", "manage.prices, number 1: "},
		"a price in tenths":             {"network: test", "network: test\nmanage: {prices: [{kind: chain, level: loa3, years: 1, euros: 20.5}]}", `"20.5" is not an amount in euros`},
		"money back":                    {"network: test", "network: test\nmanage: {prices: [{kind: chain, level: loa3, years: 1, euros: -20}]}", `"-20" is not an amount in euros`},
		"a set of something else":       {"network: test", "network: test\nmanage: {sets: [{name: {nl: a, en: b}, services: [vat]}]}", "manage.sets, number 1: "},
		"a set without an English name": {"network: test", "network: test\nmanage: {sets: [{name: {nl: a}, services: [11111111-2222-3333-4444-555555555555]}]}", "manage.sets, number 1: a set of services has a name in nl and en"},
		"no work at all":                {"network: test", "network: test\nwork: 0", "must be positive"},
		"no lease":                      {"network: test", "network: test\nlease: 0s", "must be positive"},
		"a refresh in the past":         {"network: test", "network: test\nrefresh: -1m", "must be positive"},
		"a canary without a breath":     {"network: test", "network: test\ncanary: 1ns", "canary: 1ns is not a second or more"},
		"a canary in the past":          {"network: test", "network: test\ncanary: -1m", "canary: -1m0s is not a second or more"},
		"no age":                        {"network: test", "network: test\nages: {query: 0s}", "ages must be positive"},
		"a clock ahead of itself":       {"network: test", "network: test\nages: {skew: -1s}", "ages must be positive"},
		"another engine":                {"network: test", "network: test\nxmlsec: {engine: openssl}", "xmlsec: engine is fast or reference"},
		"a check of less than none":     {"network: test", "network: test\nxmlsec: {cross_check: -1}", "cross_check not negative"},
		"no place for mandates":         {"network: test", "network: test\nregister: ''", "register: it needs a place"},
		"no place for records":          {"network: test", "network: test\njournal: ''", "journal: it needs a place"},
		"no place for checkpoints":      {"network: test", "network: test\ncheckpoints: ''", "checkpoints: they need a file"},
		"no memory of messages":         {"network: test", "network: test\nguard: ''", "guard: it needs a place"},
		"a standby of a file":           {"network: test", "network: test\nstandby: register2.db", "standby: only a register in PostgreSQL"},
		"a sentinels' user, no secret":  {"network: test", "network: test\nredis: {addresses: [\"127.0.0.1:1\"], master: m, sentinel_user: u}", "redis.sentinel_user: "},
		"a sentinels' user, no such":    {"network: test", "network: test\nredis: {addresses: [\"127.0.0.1:1\"], sentinel_user: u, sentinel_password_file: f}", "redis.sentinel_user: "},
		"a peer that is nobody":         {"network: test", "network: test" + peers + "broker: {}", `peers: "broker"`},
		"a peer's odd refusals":         {"network: test", "network: test" + peers + entity + ": {refusals: silence}", `refusals: "silence" is not status or statement`},
		"a peer's odd encryption":       {"network: test", "network: test" + peers + entity + ": {encryption: rot13}", `encryption: "rot13" is not cbc or gcm`},
		"a provider that posts":         {"network: test", "network: test" + peers + "urn:etoegang:DV:00000004333333330000:entities:9001: {allow: [post]}", "allow: post is for brokers"},
		"a register that posts":         {"network: test", "network: test" + peers + entity + ": {allow: [post]}", "allow: post is for brokers"},
		"a peer's odd leniency":         {"network: test", "network: test" + peers + entity + ": {allow: [no-signature]}", `allow: "no-signature" is not known`},
	} {
		_, err := load(t, nil, c.old, c.new)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", why, err, c.want)
		}
	}
	_, err := load(t, nil, "network: test", "network: nowhere\nwork: 0\nlisten: here")
	for _, key := range []string{"network: ", "work, ", "listen: "} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("all contradictions are told at once, also %s: %v", key, err)
		}
	}
}

// A broker may be allowed everything that there is.
func TestBrokerIsAllowed(t *testing.T) {
	const broker = "urn:etoegang:HM:00000003222222220000:entities:9001"
	if _, err := load(t, nil, "network: test", "network: test\npeers: {"+broker+": {allow: [no-destination, no-return-context, no-environment, post]}}"); err != nil {
		t.Error(err)
	}
}

// What names no file, port or person on its own is still to be told in words.
func TestEmptyConfigurationIsExplained(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.LoadConfig(path, nil); err == nil || !strings.Contains(err.Error(), "entity") {
		t.Errorf("an empty file is told as %v; it should say what is missing", err)
	}
}

// A key without its file is a contradiction like any other: it is told by name before
// anything starts, and not as a folder that is no PEM file.
func TestKeyWithoutFileIsNamed(t *testing.T) {
	_, err := load(t, nil, "  - key: keys/signing.key\n    certificate: keys/signing.crt", "  - name: signing")
	if err == nil || !strings.Contains(err.Error(), "signing") {
		t.Errorf("a signing key without key and certificate: %v", err)
	}
}

// The environment has the last word on every key with a single value, at any depth.
func TestEnvironmentOverrides(t *testing.T) {
	c, err := load(t, []string{
		"MANDATED_NETWORK=production", "MANDATED_ENTITY=urn:etoegang:MR:00000003123456780000:entities:7",
		"MANDATED_ADDRESS=https://mr.example", "MANDATED_LISTEN=0.0.0.0:443",
		"MANDATED_TLS_CERTIFICATE=/run/secrets/tls.crt", "MANDATED_TLS_KEY=/run/secrets/tls.key",
		"MANDATED_WORK=3", "MANDATED_LEASE=2s", "MANDATED_AGES_SKEW=0s", "MANDATED_CHAIN_SAME_REGISTER=confirm",
		"MANDATED_CATALOGUE_FILE=other.xml", "MANDATED_SOMETHING_ELSE=kept by somebody else", "MANDATED_CONFIG=mandated.yaml",
		"PATH=/bin", "no pair",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Network != "production" || c.EntityID().Test() || c.Address != "https://mr.example" || c.Listen != "0.0.0.0:443" ||
		c.TLS.Certificate != "/run/secrets/tls.crt" || c.TLS.Key != "/run/secrets/tls.key" || c.Work != 3 ||
		time.Duration(c.Lease) != 2*time.Second || c.Ages.Skew != 0 || c.Chain.SameRegister != "confirm" || c.Catalogue.File != "other.xml" {
		t.Errorf("%+v", c)
	}
}

// A variable that cannot be what it says is refused by its own name; and what it brings
// is held against the rest like anything in the file.
func TestWrongEnvironmentIsNamed(t *testing.T) {
	for pair, want := range map[string]string{
		"MANDATED_WORK=many":           `MANDATED_WORK: "many" is not a number`,
		"MANDATED_LEASE=soon":          `MANDATED_LEASE: time: invalid duration`,
		"MANDATED_AGES_QUERY=1":        `MANDATED_AGES_QUERY: time: missing unit`,
		"MANDATED_SIGNING=a.key":       "MANDATED_SIGNING: a key with several values",
		"MANDATED_METADATA=a.xml":      "MANDATED_METADATA: a key with several values",
		"MANDATED_PEERS=x":             "MANDATED_PEERS: a key with several values",
		"MANDATED_LISTEN=0.0.0.0:8443": "so tls is needed",
		"MANDATED_NETWORK=production":  "entity: index 9000 and up",
	} {
		if _, err := load(t, []string{pair}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", pair, err, want)
		}
	}
}

// Paths are relative to the file, not to wherever the daemon was started.
func TestPathsAreRelativeToTheFile(t *testing.T) {
	c := sample(t, "production.yaml")
	if got := c.Path("keys/a.key"); got != filepath.Join(configs, "keys/a.key") {
		t.Errorf("a relative path becomes %s", got)
	}
	if got := c.Path("/etc/a.key"); got != "/etc/a.key" {
		t.Errorf("an absolute path becomes %s", got)
	}
}
