package catalogue

import (
	"fmt"
	"strings"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// Warning is something an operator should know. Line 0 means the document as a whole.
type Warning struct {
	Line int
	Text string
}

func (w Warning) String() string { return fmt.Sprintf("line %d: %s", w.Line, w.Text) }

// Problem is something because of which a catalogue is refused.
type Problem struct {
	Line int
	Text string
}

// Errors is everything that is missing or broken in a catalogue.
type Errors struct {
	List []Problem // in the order in which they were found, at most a hundred
	More int       // how many others there are
}

func (e *Errors) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "service catalogue has %d errors", len(e.List)+e.More)
	for _, p := range e.List {
		fmt.Fprintf(&b, "\nline %d: %s", p.Line, p.Text)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", e.More)
	}
	return b.String()
}

// maxFindings bounds the lists of problems and of warnings.
const maxFindings = 100

// findings are remarks about elements, before their lines are known.
type findings struct {
	list []finding
	more int
}

type finding struct {
	node *xmlsec.Node
	text string
}

func (f *findings) add(n *xmlsec.Node, format string, args ...any) {
	if len(f.list) == maxFindings {
		f.more++
		return
	}
	f.list = append(f.list, finding{n, n.Name.Local + " " + fmt.Sprintf(format, args...)})
}

// located looks the lines up, which is only worth its while if there is something
// to tell.
func (r *reader) located(root *xmlsec.Node, doc []byte) ([]Problem, []Warning) {
	wanted := map[*xmlsec.Node]int{}
	for _, f := range append(r.problems.list, r.warnings.list...) {
		wanted[f.node] = 0
	}
	locate(wanted, root, doc)
	var problems []Problem
	for _, f := range r.problems.list {
		problems = append(problems, Problem{wanted[f.node], f.text})
	}
	var warnings []Warning
	for _, f := range r.warnings.list {
		warnings = append(warnings, Warning{wanted[f.node], f.text})
	}
	if r.warnings.more > 0 {
		warnings = append(warnings, Warning{0, fmt.Sprintf("and %d more warnings", r.warnings.more)})
	}
	return problems, warnings
}
