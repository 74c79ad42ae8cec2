package main

import (
	"bufio"
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mandatedSandbox runs a sandbox as a process of its own, and gives its address.
func mandatedSandbox(t *testing.T, folder string) string {
	t.Helper()
	process := exec.Command("mandated", "sandbox", "--folder", folder, "--listen", "127.0.0.1:0")
	var said bytes.Buffer
	process.Stderr = &said
	out, err := process.StdoutPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Signal(os.Interrupt)
		if err := process.Wait(); err != nil {
			t.Errorf("it ends with %v: %s", err, &said)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("it tells no address: %s", &said)
	}
	return strings.TrimSuffix(strings.TrimSpace(address), "/")
}

// sandboxScripts are the commands by which people learn the APIs, and what they print in that
// order, among much else.
var sandboxScripts = map[string][]string{
	"api.sh": {
		`"name": "Elif Yilmaz"`, `"logged_in": true`, `"value": "12345678"`, `"name": "Pim Pietersen"`, `"kvk": "90123456"`,
		`"value": "90123456"`, `ArtifactResolve`, `"message": "revoked"`, `"name": "stolen-artifact"`, `"message": "replayed"`,
	},
	"journeys.sh": {
		`"message": "not-yet-granted"`, `"code":"four-eyes"`, `"where":"box 7"`, `"state":"active"`, `"logged_in": true`, `"value": "23456789"`,
		`"message": "not-yet-granted"`, `"answer":"ours"`, `"signed":1`, `"state":"active"`, `"logged_in": true`, `"value": "45678901"`,
		`"lines":900`, `"requested":900`, `"dryRun":true`, `"requested":900`, `"dryRun":false`, `"state":"active"`, `Aannemersbedrijf Aalders`,
		`"logged_in": true`, `"value": "40001014"`, `"mandates":1`, `"state":"revoked"`, `"message": "revoked"`,
	},
	"manage.sh": {
		`"role":"program"`, `"state":"requested"`, `"state":"active"`, `Roos Rekenaar`, `"logged_in": true`, `"value": "12345678"`, `"value": "87654321"`,
		`"lastUsed"`, `"state":"revoked"`, `"state":"revoked"`, `"message": "revoked"`,
	},
}

// The commands work as typed, with curl.
func TestSandboxByCurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("MANDATED_REQUIRE_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	folder := t.TempDir()
	address := mandatedSandbox(t, folder)
	for _, name := range slices.Sorted(maps.Keys(sandboxScripts)) { // the first ends with a reset
		run := exec.Command("bash", "-euo", "pipefail", "../../testdata/sandbox/"+name)
		run.Env = append(os.Environ(), "SANDBOX="+address, "CA="+filepath.Join(folder, "ca.crt"), "PROGRAMS="+filepath.Join(folder, "network", "programs"))
		out, err := run.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		rest := string(out)
		for _, want := range sandboxScripts[name] {
			_, after, found := strings.Cut(rest, want)
			if !found {
				t.Fatalf("%s: %s does not come after what went before:\n%s", name, want, out)
			}
			rest = after
		}
	}
}
