package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mandated/mandated/internal/daemon"
)

// blocks gives the README's code blocks of one language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Fatalf("the README has no %s", language)
	}
	return out
}

// Every command of the README works as typed, one after the other, on a fresh checkout.
// "make test" is this test itself, and "make demo" builds first: here make only passes
// the demo's flags on.
func TestReadmeCommands(t *testing.T) {
	dir := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "bin", "mandated"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	testdata, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(testdata, filepath.Join(dir, "testdata")); err != nil {
		t.Fatal(err)
	}
	makefile := "demo:\n\tbin/mandated demo $(ARGS)\ntest:\n\ttrue\n"
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(makefile), 0o644); err != nil {
		t.Fatal(err)
	}
	script := strings.Join(blocks(t, "sh"), "\n")
	run := exec.Command("bash", "-euxo", "pipefail", "-c", script)
	run.Dir = dir
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// The README's fragments of configuration are together a whole one.
func TestReadmeConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mandated.yaml")
	if err := os.WriteFile(path, []byte(strings.Join(blocks(t, "yaml"), "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.LoadConfig(path, nil); err != nil {
		t.Error(err)
	}
}

// What the README says of several nodes stands in their example, to the letter.
func TestReadmeReplicas(t *testing.T) {
	example, err := os.ReadFile("../../testdata/config/replicas.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range blocks(t, "yaml replicas") {
		for _, line := range strings.Split(block, "\n") {
			if !strings.Contains(string(example), line+"\n") {
				t.Errorf("this is not in testdata/config/replicas.yaml:\n%s", line)
			}
		}
	}
}

// The README's Go stands in a test of its own, to the letter.
func TestReadmeGo(t *testing.T) {
	source, err := os.ReadFile("../../pkg/harness/readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range blocks(t, "go") {
		if !strings.Contains(string(source), block) {
			t.Errorf("this is not in pkg/harness/readme_test.go:\n%s", block)
		}
	}
}

// The README's commands for the sandbox are those that tests run against one, to the letter.
func TestReadmeSandbox(t *testing.T) {
	typed := blocks(t, "bash")
	if len(typed) != len(sandboxScripts) {
		t.Errorf("the README has %d scripts, and the tests %d", len(typed), len(sandboxScripts))
	}
	for name := range sandboxScripts {
		script, err := os.ReadFile("../../testdata/sandbox/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(typed, string(script)) {
			t.Errorf("testdata/sandbox/%s is not in the README", name)
		}
	}
}

// Catalogues of public software refuse a publiccode.yml that lacks one of these.
func TestPublicCode(t *testing.T) {
	text, err := os.ReadFile("../../publiccode.yml")
	if err != nil {
		t.Fatal(err)
	}
	var code map[string]any
	if err := yaml.Unmarshal(text, &code); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"publiccodeYmlVersion", "name", "url", "softwareType", "developmentStatus", "platforms", "description", "legal", "maintenance", "localisation"} {
		if code[key] == nil {
			t.Errorf("%s is missing", key)
		}
	}
	for language, d := range code["description"].(map[string]any) {
		if long := d.(map[string]any)["longDescription"].(string); len(long) < 150 || len(long) > 10000 {
			t.Errorf("the long description in %s has %d characters", language, len(long))
		}
	}
}
