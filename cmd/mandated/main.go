// Command mandated is a mandate register and authorization decision point for
// eHerkenning: the daemon, and the command line with which its keepers work.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// commands is the table of verbs.
type commands struct {
	Config string `short:"c" default:"mandated.yaml" env:"MANDATED_CONFIG" help:"Configuration file." placeholder:"FILE"`
	JSON   bool   `name:"json" help:"Write data as JSON, for programs."`

	Serve   serveCommand   `cmd:"" help:"Run the daemon."`
	Demo    demoCommand    `cmd:"" help:"Ask a whole network real questions, with nothing installed."`
	Sandbox sandboxCommand `cmd:"" help:"Run a whole network for people with a browser."`
	Keys    keysCommand    `cmd:"" help:"Make development keys."`

	Register     registerCommands    `cmd:"" help:"The register itself."`
	Organisation organisationPut     `cmd:"" help:"Record an organisation, or what changed of it."`
	Person       personPut           `cmd:"" help:"Record a person who can act."`
	Grant        grantCommand        `cmd:"" help:"Record a mandate."`
	Suspend      suspendCommand      `cmd:"" help:"Stop a mandate for the time being."`
	Resume       resumeCommand       `cmd:"" help:"Let a suspended mandate go on."`
	Revoke       revokeCommand       `cmd:"" help:"End a mandate for good."`
	Staff        staffCommands       `cmd:"" help:"Who keeps the register."`
	Appointment  appointmentCommands `cmd:"" help:"Who manages mandates for a company."`
	Block        blockCommands       `cmd:"" help:"Emergency stop: nothing is permitted to, from or through somebody."`
	Unblock      unblockCommands     `cmd:"" help:"Lift an emergency stop."`
	Blocked      blockedCommand      `cmd:"" help:"List who is blocked."`
	List         listCommand         `cmd:"" help:"List mandates."`
	Show         showCommand         `cmd:"" help:"Show one mandate and its history."`
	Fees         feesCommand         `cmd:"" help:"List what companies have to pay for their mandates."`
	Import       importCommand       `cmd:"" help:"Record many mandates from a CSV file or JSON lines."`
	Discover     discoverCommand     `cmd:"" help:"Ask the other registers which companies have mandated an intermediary there."`

	Decide decideCommand `cmd:"" help:"Explain a decision, rule by rule, without a message."`
	Ask    askCommand    `cmd:"" help:"Play the broker against a running daemon."`
	Replay replayCommand `cmd:"" help:"Decide a recorded question again, from history, and compare."`

	Journal   journalCommands   `cmd:"" help:"The journal of decisions."`
	Catalogue catalogueCommands `cmd:"" help:"The service catalogue."`
	Metadata  metadataCommands  `cmd:"" help:"The metadata of participants."`
	Settings  configCommands    `cmd:"" name:"config" help:"The configuration."`
}

// environment is what a command may touch of the outside world. Data go to out, words
// for people to err.
type environment struct {
	ctx      context.Context
	out, err io.Writer
	environ  []string
	now      func() time.Time
	config   string
	json     bool
}

// Exit codes.
const (
	exitFailed = 1 // what was asked could not be done, or did not come out as it should
	exitUsage  = 2 // what was typed makes no sense
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program without its process, for tests.
func run(ctx context.Context, args, environ []string, out, errOut io.Writer) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("mandated"), kong.Description("Mandate register and authorization decision point for eHerkenning."),
		kong.Writers(out, errOut), kong.Exit(func(code int) { exited = code }), kong.UsageOnError(),
	)
	if err != nil {
		fmt.Fprintln(errOut, "mandated:", err)
		return exitUsage
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(errOut, "mandated: %v\nTry \"mandated --help\".\n", err)
		return exitUsage
	}
	e := &environment{ctx: ctx, out: out, err: errOut, environ: environ, now: time.Now, config: c.Config, json: c.JSON}
	if err := parsed.Run(e); err != nil {
		var quiet quietError
		if !errors.As(err, &quiet) {
			fmt.Fprintln(errOut, "mandated:", err)
		}
		return exitFailed
	}
	return 0
}

// quietError fails without a word: what is wrong has been told already.
type quietError struct{}

func (quietError) Error() string { return "failed" }
