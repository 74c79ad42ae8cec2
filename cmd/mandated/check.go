package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/review"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
)

type configCommands struct {
	Check configCheck `cmd:"" help:"Read configuration, keys, metadata, catalogue and register as the daemon would, and say what is wrong or risky. Databases of journal and guard, and Redis, are not asked."`
}

type configCheck struct {
	Dev bool `help:"Accept development keys."`
}

// verdict is what a check found.
type verdict struct {
	Good     bool     `json:"good"`
	Problems []string `json:"problems"`
	Warnings []string `json:"warnings"`
	Facts    []string `json:"facts"`
}

// newVerdict is one that has found nothing: its lists are empty, also for programs.
func newVerdict() *verdict {
	return &verdict{Problems: []string{}, Warnings: []string{}, Facts: []string{}}
}

func (v *verdict) problem(err error) {
	if err != nil {
		v.Problems = append(v.Problems, strings.Split(err.Error(), "\n")...)
	}
}

func (v *verdict) fact(format string, args ...any) {
	v.Facts = append(v.Facts, fmt.Sprintf(format, args...))
}

// tell writes the verdict; the exit code says whether it is good.
func (v *verdict) tell(e *environment) error {
	v.Good = len(v.Problems) == 0
	err := e.show(v, func() {
		for _, f := range v.Facts {
			fmt.Fprintln(e.out, "        ", f)
		}
		for _, w := range v.Warnings {
			fmt.Fprintln(e.out, "warning: ", w)
		}
		for _, p := range v.Problems {
			fmt.Fprintln(e.out, "problem: ", p)
		}
		if v.Good {
			fmt.Fprintln(e.out, "good")
		}
	})
	if err == nil && !v.Good {
		err = quietError{}
	}
	return err
}

func (c configCheck) Run(e *environment) error {
	config, err := e.load()
	if err != nil {
		return err
	}
	v := newVerdict()
	v.problem(config.CheckKeys(c.Dev))
	for _, engine := range config.Engines() {
		v.fact("%s", engine)
	}
	v.problem(config.CheckRedis())
	participants, notes, err := config.LoadMetadata(e.now())
	v.Warnings = append(v.Warnings, notes...)
	v.problem(err)
	v.fact("%d participants in the metadata", len(participants))
	v.browsers(config, participants)
	v.discovery(config, participants)
	parsed, notes, err := config.LoadCatalogue(e.now())
	v.Warnings = append(v.Warnings, notes...)
	v.problem(err)
	if err == nil {
		v.fact("service catalogue %s", parsed.Version())
		v.Warnings = append(v.Warnings, config.Unlisted(parsed)...)
	}
	r, err := daemon.LookIntoRegister(e.ctx, config, e.now) // a check changes nothing, not even an older schema
	v.problem(err)
	if err == nil {
		v.fact("register of %s", r.EntityID())
		v.problem(r.Close())
	}
	return v.tell(e)
}

// browsers tells where browsers come, and which brokers cannot send them.
func (v *verdict) browsers(c daemon.Config, all []saml.Participant) {
	if c.Browser.Listen == "" {
		return
	}
	v.fact("browsers come to %s%s", c.Browser.Address, server.PathBrowser)
	for _, p := range all {
		if p.Entity.Role() == etoegang.Broker && len(p.Resolvers) == 0 {
			v.Warnings = append(v.Warnings, fmt.Sprintf("%s cannot send anybody there by artifact: its metadata have no ArtifactResolutionService", p.Entity))
		}
	}
}

// discovery tells which other registers can be asked for chain mandates, and which cannot.
func (v *verdict) discovery(c daemon.Config, all []saml.Participant) {
	asked := 0
	for _, p := range all {
		switch {
		case p.Entity.Role() != etoegang.Register || p.Entity == c.EntityID():
		case p.Chain == "":
			v.Warnings = append(v.Warnings, fmt.Sprintf("%s cannot be asked for chain mandates: its metadata have no ChainInformationService", p.Entity))
		default:
			asked++
		}
	}
	if asked > 0 {
		v.fact("%d other registers are asked for chain mandates, for %v at most", asked, time.Duration(c.Chain.Discovery))
	}
}

type catalogueCommands struct {
	Check catalogueCheck `cmd:"" help:"Say what is wrong with a service catalogue."`
}

type catalogueCheck struct {
	File  string `arg:"" help:"The catalogue." type:"existingfile"`
	Trust string `help:"PEM file of who may have signed it. Without it only the content is checked." type:"existingfile" placeholder:"FILE"`
}

func (c catalogueCheck) Run(e *environment) error {
	doc, trust, err := readTrusted(c.File, c.Trust)
	if err != nil {
		return err
	}
	v := newVerdict()
	parsed, warnings, err := catalogue.Parse(doc, catalogue.Trust(trust), e.now())
	v.problem(err)
	for _, w := range warnings {
		v.Warnings = append(v.Warnings, fmt.Sprintf("line %d: %s", w.Line, w.Text))
	}
	if err == nil {
		definitions, instances := 0, 0
		for range parsed.Definitions() {
			definitions++
		}
		for range parsed.Instances() {
			instances++
		}
		v.fact("%s of %s, sequence %d", parsed.Version(), parsed.Issued().UTC().Format(time.RFC3339), parsed.Sequence())
		v.fact("%d definitions, %d instances", definitions, instances)
	}
	return v.tell(e)
}

type metadataCommands struct {
	Check metadataCheck `cmd:"" help:"Say in plain words what is wrong with a metadata file."`
}

type metadataCheck struct {
	File  string `arg:"" help:"The metadata." type:"existingfile"`
	Trust string `help:"PEM file of who may have signed them. Without it only the content is checked." type:"existingfile" placeholder:"FILE"`
}

func (c metadataCheck) Run(e *environment) error {
	doc, trust, err := readTrusted(c.File, c.Trust)
	if err != nil {
		return err
	}
	v := newVerdict()
	participants, notes, err := saml.ParseMetadata(doc, trust, e.now())
	if !v.review(doc, e.now()) {
		v.problem(err) // of the signature, about which a review says nothing
		v.Warnings = append(v.Warnings, notes...)
	}
	for _, p := range participants {
		v.fact("%s: %d signing and %d encryption keys, %d places for answers, %d for artifacts", p.Entity, len(p.Signing), len(p.Encryption), len(p.Consumers), len(p.Resolvers))
		for _, k := range append(p.Signing, p.Encryption...) {
			v.fact("  key %s valid until %s", k.Name, k.Certificate.NotAfter.UTC().Format(time.DateOnly))
		}
	}
	return v.tell(e)
}

// review tells line by line what is wrong. true: something is.
func (v *verdict) review(doc []byte, now time.Time) bool {
	found := false
	for _, f := range review.Metadata(doc, now) {
		text := fmt.Sprintf("%s %s", f.What.EN, f.Next.EN)
		if f.Line > 0 {
			text = fmt.Sprintf("line %d: %s", f.Line, text)
		}
		if f.Bad {
			found = true
			v.Problems = append(v.Problems, text)
		} else {
			v.Warnings = append(v.Warnings, text)
		}
	}
	return found
}

func readTrusted(file, trustFile string) ([]byte, saml.Trust, error) {
	doc, err := os.ReadFile(file)
	if err != nil {
		return nil, saml.Trust{}, err
	}
	if trustFile == "" {
		return doc, saml.Trust{File: true}, nil
	}
	certificates, err := daemon.ReadCertificates(trustFile)
	return doc, saml.Trust{Certificates: certificates}, err
}
