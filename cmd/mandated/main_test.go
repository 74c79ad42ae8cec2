package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The test binary is also the program: scripts run it as "mandated", a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mandated":        main,
		"mandated-hangup": hangupWhileStarting,
	})
}

// TestScripts plays every scene of testdata/script. A scene is what somebody types, and
// what he sees.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               dates,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"network": network, "exits": exits, "sql": sqlCommand, "edit": edit,
			"serve": serve, "signal": signalDaemon, "ended": ended, "get": get,
			"keep": keep, "moment": moment,
		},
	})
}

// dates gives scenes days to speak of, so that they do not grow old.
func dates(e *testscript.Env) error {
	now := time.Now()
	for name, at := range map[string]time.Time{
		"YESTERDAY": now.AddDate(0, 0, -1), "TOMORROW": now.AddDate(0, 0, 1),
		"NEXT_MONTH": now.AddDate(0, 1, 0), "NEXT_YEAR": now.AddDate(1, 0, 0), "LATER": now.AddDate(0, 6, 0),
	} {
		e.Setenv(name, mandate.StartOfDay(at).Add(12*time.Hour).Format(time.DateOnly))
	}
	e.Setenv("SCRIPTS", filepath.Join(must(os.Getwd()), "../../testdata"))
	return nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// people are those whom the register of a network folder knows, numbered from 1. None of
// them has a mandate: scenes grant what they need.
var people = []string{"Anna", "Boris", "Daan"}

// template is one network without daemons; scenes get a copy, since its keys take longer
// to make than a scene takes to play.
var template = sync.OnceValues(func() (*harness.Network, error) {
	folder, err := os.MkdirTemp("", "mandated-template-")
	if err != nil {
		return nil, err
	}
	n, err := harness.Open(context.Background(), folder, harness.Options{RealTime: true})
	if err != nil {
		return nil, err
	}
	var persons []mandate.Person
	for _, name := range people {
		persons = append(persons, n.NewPerson(name))
	}
	_, err = n.First.Register().Change(context.Background(), register.Author{Who: "test", Why: "people"}, func(t *register.Tx) error {
		for _, p := range persons {
			if _, err := t.PutPerson(p); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = n.Save(persons...)
	}
	if err == nil {
		err = n.Stop(context.Background())
	}
	return n, err
})

// copyNetwork copies the template and gives its daemon ports of its own.
func copyNetwork(folder string) error {
	n, err := template()
	if err != nil {
		return err
	}
	if err := os.CopyFS(folder, os.DirFS(n.Folder)); err != nil {
		return err
	}
	if err := onlyForOwner(filepath.Join(folder, "keys")); err != nil {
		return err
	}
	ports := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	given := map[string]string{}
	for _, file := range []string{"register/mandated.yaml", "network.json"} {
		path := filepath.Join(folder, file)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		renamed := ports.ReplaceAllStringFunc(string(text), func(old string) string {
			if given[old] == "" {
				given[old] = freeAddress()
			}
			return given[old]
		})
		if err := os.WriteFile(path, []byte(renamed), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// onlyForOwner restores the modes of keys: copying does not keep them.
func onlyForOwner(folder string) error {
	keys, err := filepath.Glob(filepath.Join(folder, "*.key"))
	for _, key := range keys {
		if err := os.Chmod(key, 0o600); err != nil {
			return err
		}
	}
	return err
}

func freeAddress() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// network DIR makes a network folder there with a stopped daemon, and sets the
// environment so that commands work on its register: $VAT and $VAT_UUID, $PERMIT and
// $PERMIT_UUID are its services, $DAEMON and $OPERATIONS the daemon's addresses.
func network(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: network DIR")
	}
	folder := ts.MkAbs(args[0])
	ts.Check(copyNetwork(folder))
	n, _, err := harness.Attach(folder)
	ts.Check(err)
	config := filepath.Join(folder, "register", "mandated.yaml")
	text, err := os.ReadFile(config)
	ts.Check(err)
	operations := regexp.MustCompile(`operations: (\S+)`).FindStringSubmatch(string(text))
	for name, value := range map[string]string{
		"MANDATED_CONFIG": config, "DAEMON": n.First.Address, "OPERATIONS": "http://" + operations[1],
		"VAT": n.Services["vat"].ID.String(), "VAT_UUID": n.Services["vat"].UUID.String(),
		"PERMIT": n.Services["permit"].ID.String(), "PERMIT_UUID": n.Services["permit"].UUID.String(),
	} {
		ts.Setenv(name, value)
	}
}

// exits CODE PROGRAM ARGS... runs a program and wants that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	if got := exitCode(ts.Exec(args[1], args[2:]...)); fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// edit FILE OLD NEW replaces the first place where a text stands in a file.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	path := ts.MkAbs(args[0])
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}

// keep NAME PATTERN sets $NAME to what the pattern's group finds on stdout.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATTERN")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("nothing on stdout is like %q", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// moment NAME sets $NAME to a whole second that lies after everything done before it, and
// before everything that follows.
func moment(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: moment NAME")
	}
	at := time.Now().UTC().Truncate(time.Second).Add(time.Second)
	if !until(func() bool { return time.Since(at) > time.Millisecond }) { // the register writes whole milliseconds
		ts.Fatalf("the clock stands still")
	}
	ts.Setenv(args[0], at.Format(time.RFC3339))
}

// Nothing that is typed at the program may crash it, and help is on standard output with
// exit code 0 for every verb.
func TestHelpOfEveryVerb(t *testing.T) {
	for _, verb := range [][]string{
		{}, {"serve"}, {"demo"}, {"sandbox"}, {"keys"}, {"register"}, {"register", "create"}, {"organisation"}, {"person"}, {"grant"},
		{"suspend"}, {"resume"}, {"revoke"}, {"block", "person"}, {"block", "organisation"}, {"unblock", "person"}, {"unblock", "organisation"},
		{"blocked"}, {"discover"}, {"list"}, {"show"}, {"decide"}, {"ask"}, {"replay"}, {"catalogue", "check"}, {"metadata", "check"},
		{"config", "check"}, {"journal", "show"}, {"journal", "export"}, {"journal", "use"}, {"journal", "verify"}, {"journal", "retire"},
	} {
		var out, errOut strings.Builder
		code := run(context.Background(), append(verb, "--help"), nil, &out, &errOut)
		if code != 0 || !strings.Contains(out.String(), "Usage: mandated") || errOut.Len() > 0 {
			t.Errorf("%v --help: exit code %d, %q on standard error, standard output begins %.60q", verb, code, errOut.String(), out.String())
		}
	}
}

// Commands that change nothing must not need more than they say: without a
// configuration each tells where it looked, what to do, and writes no data.
func TestWithoutConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, verb := range []string{"list", "fees", "discover --intermediary 12345678", "show 1", "revoke 1 --why x", "organisation 12345678", "config check", "journal verify", "register create", "serve",
		"blocked", "block person 1 --why x", "unblock organisation 12345678 --why x", "replay x", "journal show x", "journal export", "journal use 1", "journal retire --yes"} {
		var out, errOut strings.Builder
		code := run(context.Background(), strings.Fields(verb), nil, &out, &errOut)
		if code != exitFailed || out.Len() > 0 || !strings.Contains(errOut.String(), "mandated.yaml") || !strings.Contains(errOut.String(), "--config") {
			t.Errorf("%s: exit code %d, %q, %q", verb, code, out.String(), errOut.String())
		}
	}
}
