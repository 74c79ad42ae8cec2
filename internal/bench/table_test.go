package bench

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// The names of what is measured.
const (
	cryptoSign   = "one RSA-2048 signature, crypto/rsa"
	cryptoVerify = "one RSA-2048 verification, crypto/rsa"
	floorSigning = "floor: 2 signatures, 2 verifications, SHA-256, crypto/rsa"
	floorWhole   = "whole floor: a name opened, three sealed as well"
	floorLib     = peerXMLSec + ": floor"

	verifyFast      = "verify both, extract: fast"
	verifyReference = "verify both, extract: reference"
	writeFast       = "build, sign twice: templates"
	writeReference  = "build, sign twice: etree, goxmldsig"
	writeOpenSSL    = "build, sign twice: templates, engine openssl"
	workXML         = "XML of a decision, with 4 verifications"
	workKeep        = "durable writes of a decision: guard, journal (SQLite)"

	decideFast      = "full decision in process, hot hit: fast"
	decideReference = "full decision in process, hot hit: reference"
	decideOpenSSL   = "full decision in process, hot hit: fast, engine openssl"

	lookMemory   = "decision without messages: hot hit"
	lookRedis    = "decision without messages: Redis hit"
	lookRegister = "decision without messages: register (SQLite)"

	overFloor    = "handler of the floor"
	overWhole    = "handler of the whole floor"
	overDecision = "full decision"

	peerXMLSec    = "libxmlsec1"
	peerXMLCrypto = "xml-crypto"
	byVerify      = ": verify"
	bySign        = ": sign"
)

// bar is a figure of the promise, and how much it may be at most.
type bar struct {
	what  string
	value func(*results) (value float64, known bool)
	most  float64
	unit  string // "x": times something else
}

// bars are those of the promise. Where it speaks of the floor, that is the floor of
// signing; a decision of this scheme also opens a name and seals three, so that the whole
// floor stands beside it.
var bars = []bar{
	{"full decision in process: of the floor", ratio(decideFast, floorSigning), 1.05, "x"},
	{"full decision in process: of the whole floor", ratio(decideFast, floorWhole), 1.05, "x"},
	{"verify both, build, sign twice: of the floor", sumRatio([]string{verifyFast, writeFast}, floorSigning), 1.05, "x"},
	{"HTTP, 16 connections, server: of the floor", ratio(over(overDecision, "HTTP", 16), floorSigning), 1.25, "x"},
	{"HTTP, 16 connections, server: of the whole floor", ratio(over(overDecision, "HTTP", 16), floorWhole), 1.25, "x"},
	{"HTTP, 16 connections, server: of the floor's handler", ratio(over(overDecision, "HTTP", 16), over(overFloor, "HTTP", 16)), 1.10, "x"},
	{"HTTP, 16 connections, server: of the whole floor's handler", ratio(over(overDecision, "HTTP", 16), over(overWhole, "HTTP", 16)), 1.10, "x"},
	{"HTTPS, 16 connections, server: of the whole floor's handler", ratio(over(overDecision, "HTTPS", 16), over(overWhole, "HTTPS", 16)), 1.10, "x"},
	{"all XML of a decision: of one signature", xmlShare, 0.06, "x"},
	{"allocations of a decision in process", single(decideFast, func(c cost) float64 { return c.Allocs }), 60, ""},
	{"allocated by a decision in process", single(decideFast, func(c cost) float64 { return c.Bytes / 1024 }), 10, "KB"},
	{"verify both, extract: of libxmlsec1", ratio(verifyFast, peerXMLSec+byVerify), 0.25, "x"},
	{"verify both, extract: of goxmldsig", ratio(verifyFast, verifyReference), 0.10, "x"},
	{"verify both, build, sign twice, openssl: of libcrypto's floor", sumRatio([]string{verifyFast, writeOpenSSL}, floorLib), 1.25, "x"},
	{"full decision in process, openssl: of libcrypto's floor", ratio(decideOpenSSL, floorLib), 1.25, "x"},
	{"verify both, build, sign twice, openssl: of libxmlsec1", sumRatio([]string{verifyFast, writeOpenSSL}, peerXMLSec+byVerify, peerXMLSec+bySign), 0.5, "x"},
	{"full decision in process, openssl: of libxmlsec1", ratio(decideOpenSSL, peerXMLSec+byVerify, peerXMLSec+bySign), 0.5, "x"},
	{"hot hit without messages, wall", single(lookMemory, func(c cost) float64 { return c.Wall }), 2, "us"},
	{"Redis hit without messages, wall", single(lookRedis, func(c cost) float64 { return c.Wall }), 100, "us"},
	{"wall p50 at 70 % of the highest rate", pressed(func(p pressure) float64 { return p.P50.Seconds() * 1000 }), 2.5, "ms"},
	{"wall p99 at 70 % of the highest rate", pressed(func(p pressure) float64 { return p.P99.Seconds() * 1000 }), 8, "ms"},
}

// results are what a run has measured.
type results struct {
	pace       *contender // the floor, between all others
	contenders []*contender
	hot        []func() share // in the end
	missing    []string
	pressure   *pressure // nil: not measured
}

func (r *results) find(name string) *contender {
	for _, c := range r.contenders {
		if c.name == name && len(c.costs) > 0 {
			return c
		}
	}
	return nil
}

// each gives what a formula comes to in the middle of all rounds, given what everybody took
// in floors.
func (r *results) each(formula func(took func(name string) float64) float64, names ...string) (value float64, known bool) {
	all := map[string]*contender{}
	for _, name := range names {
		if all[name] = r.find(name); all[name] == nil {
			return 0, false
		}
	}
	values := make([]float64, len(all[names[0]].costs))
	for i := range values {
		values[i] = formula(func(name string) float64 {
			if name == floorSigning { // what everything is told in
				return 1
			}
			return all[name].costs[i].Floors
		})
	}
	return median(values), true
}

// ratio is what one takes of what others take together, in processor time.
func ratio(one string, others ...string) func(*results) (float64, bool) {
	return sumRatio([]string{one}, others...)
}

func sumRatio(some []string, others ...string) func(*results) (float64, bool) {
	return func(r *results) (float64, bool) {
		return r.each(func(took func(string) float64) float64 {
			var a, b float64
			for _, name := range some {
				a += took(name)
			}
			for _, name := range others {
				b += took(name)
			}
			return a / b
		}, append(some[:len(some):len(some)], others...)...)
	}
}

// xmlShare is what XML takes of one signature, without the verifications in it.
func xmlShare(r *results) (float64, bool) {
	return r.each(func(took func(string) float64) float64 {
		return (took(workXML) - 4*took(cryptoVerify)) / took(cryptoSign)
	}, workXML, cryptoVerify, cryptoSign)
}

func single(name string, of func(cost) float64) func(*results) (float64, bool) {
	return func(r *results) (float64, bool) {
		c := r.find(name)
		if c == nil {
			return 0, false
		}
		return of(c.figure()), true
	}
}

func pressed(of func(pressure) float64) func(*results) (float64, bool) {
	return func(r *results) (float64, bool) {
		if r.pressure == nil {
			return 0, false
		}
		return of(*r.pressure), true
	}
}

// print writes the table of costs, with what was usual on this machine in floors, and the
// table of bars. The floor has its own line: the further that is from one floor, the less
// steady was the machine.
func (r *results) print(out io.Writer, usual map[string]float64) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "CPU us\twall us\tallocs\tKB\tx floor\tusual\t  what")
	for _, c := range r.contenders {
		f, note := c.figure(), ""
		if before := usual[c.name]; before > 0 && f.Floors > slower*before {
			note = fmt.Sprintf("  SLOWER than usual by %.0f %%", 100*(f.Floors/before-1))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t  %s%s\n", number(f.CPU), number(f.Wall), number(f.Allocs), number(f.Bytes/1024),
			number(f.Floors), number(usual[c.name]), c.name, note)
	}
	_ = w.Flush()
	for _, line := range r.missing {
		fmt.Fprintln(out, "left out:", line)
	}
	for _, counted := range r.hot {
		if s := counted(); s.hot < 0.99*s.all {
			fmt.Fprintf(out, "only %.1f %% came from where they should: %s\n", 100*s.hot/s.all, s.what)
		}
	}
	fmt.Fprintln(out)
	fmt.Fprintln(w, "measured\tat most\t\t  what")
	for _, b := range bars {
		value, known := b.value(r)
		measured, verdict := "-", "not measured"
		if known {
			measured, verdict = number(value)+b.unit, "ok"
			if value > b.most {
				verdict = "MISSED"
			}
		}
		fmt.Fprintf(w, "%s\t%s%s\t  %s\t  %s\n", measured, number(b.most), b.unit, verdict, b.what)
	}
	_ = w.Flush()
}

// number writes a figure as exactly as it deserves; nothing is a dash.
func number(v float64) string {
	switch {
	case v == 0:
		return "-"
	case math.Abs(v) < 0.01:
		return fmt.Sprintf("%.5f", v)
	case math.Abs(v) < 1:
		return fmt.Sprintf("%.3f", v)
	case math.Abs(v) < 10:
		return fmt.Sprintf("%.2f", v)
	case math.Abs(v) < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
