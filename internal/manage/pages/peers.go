package pages

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// soon is how long before its end staff should know of a certificate: a new one takes weeks to
// get, and has to reach everybody else as well.
const soon = 60 * 24 * time.Hour

// peerRoles are those of the participants that staff deal with, in the order of the page.
// Providers are many, and their brokers' affair.
var peerRoles = []etoegang.Role{etoegang.Broker, etoegang.Authenticator, etoegang.Register, etoegang.EIDAS}

// peer is a participant with the file that describes it.
type peer struct {
	saml.Participant
	source Source
}

// peers are those whose metadata this register trusts.
func (v *visit) peers() (answer, error) {
	sources := v.c.Works.Peers()
	var list []peer
	others := 0
	for _, s := range sources {
		for _, p := range s.Participants {
			if slices.Contains(peerRoles, p.Entity.Role()) {
				list = append(list, peer{p, s})
			} else {
				others++
			}
		}
	}
	slices.SortFunc(list, func(a, b peer) int {
		return cmp.Or(slices.Index(peerRoles, a.Entity.Role())-slices.Index(peerRoles, b.Entity.Role()), strings.Compare(a.Entity.String(), b.Entity.String()))
	})
	parts := append([]look.Part{look.Paragraph{Text: v.say.Say("peers text"), Lead: true}}, v.peerNotices(sources, list)...)
	t := look.Table{Caption: v.say.Say("peers table"), Empty: &look.Empty{Title: v.say.Say("peers none")}, Columns: []look.Column{
		{Title: v.say.Say("peer"), Names: true}, {Title: v.say.Say("role")}, {Title: v.say.Say("peer first end")}, {Title: v.say.Say("peer since")}, {Title: v.say.Say("peer read")},
	}}
	details := []look.Part{look.Heading{Text: v.say.Say("peers details")}}
	for _, p := range list {
		t.Rows = append(t.Rows, v.peerRow(p))
		details = append(details, look.Details{Summary: v.say.Say("peer named", "name", v.peerName(p), "role", v.peerRole(p)), Parts: []look.Part{v.certificates(p), v.addresses(p)}})
	}
	parts = append(parts, t)
	if others > 0 {
		parts = append(parts, look.Paragraph{Text: v.say.Count("peers others", others)})
	}
	if len(list) > 0 {
		parts = append(parts, details...)
	}
	return answer{page: look.Page{Title: v.say.Say("place /peers"), Parts: parts}}, nil
}

// peerNotices are what somebody has to do something about.
func (v *visit) peerNotices(sources []Source, list []peer) (parts []look.Part) {
	for _, s := range sources {
		if s.Problem == nil {
			continue
		}
		text := v.say.Say("peers unread never")
		if !s.Read.IsZero() {
			text = v.say.Say("peers unread", "when", v.say.Moment(s.Read))
		}
		parts = append(parts, look.Notice{Kind: look.Error, Title: v.say.Say("peers unread title", "file", s.Name), Text: text, Items: []string{s.Problem.Error()}})
	}
	var ended, ending []string
	for _, p := range list {
		switch at := v.firstEnd(p); {
		case at.IsZero():
		case !v.now.Before(at):
			ended = append(ended, v.say.Say("peers end", "name", v.peerName(p), "date", v.say.Date(at)))
		case at.Sub(v.now) <= soon:
			ending = append(ending, v.say.Say("peers end", "name", v.peerName(p), "date", v.say.Date(at)))
		}
	}
	if len(ended) > 0 {
		parts = append(parts, look.Notice{Kind: look.Error, Title: v.say.Count("peers ended", len(ended)), Text: v.say.Say("peers ended text"), Items: ended})
	}
	if len(ending) > 0 {
		parts = append(parts, look.Notice{Kind: look.Warning, Title: v.say.Count("peers ending", len(ending)), Text: v.say.Say("peers ending text"), Items: ending})
	}
	return parts
}

func (v *visit) peerName(p peer) string {
	if p.Name != "" {
		return p.Name
	}
	return v.say.Say("peer nameless", "oin", p.Entity.OIN().String())
}

func (v *visit) peerRole(p peer) string { return v.say.Say("peer role " + string(p.Entity.Role())) }

// firstEnd is when the first of a participant's certificates ends, or its metadata do.
func (v *visit) firstEnd(p peer) (first time.Time) {
	ends := []time.Time{p.Until}
	for _, k := range slices.Concat(p.Signing, p.Encryption) {
		ends = append(ends, k.Certificate.NotAfter)
	}
	for _, at := range ends {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

func (v *visit) peerRow(p peer) look.Row {
	read := look.Cell{Note: v.say.Moment(p.source.Read), State: &look.State{Kind: look.Done, Text: v.say.Say("peer fresh")}}
	if p.source.Problem != nil {
		read.State = &look.State{Kind: look.Error, Text: v.say.Say("peer stale")}
	}
	return look.Row{
		{Text: v.peerName(p), Note: p.Entity.String()}, {Text: v.peerRole(p)},
		v.ends(v.firstEnd(p)), {Text: v.say.Moment(p.source.Since)}, read,
	}
}

// ends is when something ends, and how soon that is.
func (v *visit) ends(at time.Time) look.Cell {
	if at.IsZero() {
		return look.Cell{Text: v.say.Say("peer endless")}
	}
	state := &look.State{Kind: look.Done, Text: v.say.Say("peer good")}
	switch {
	case !v.now.Before(at):
		state = &look.State{Kind: look.Error, Text: v.say.Say("peer ended")}
	case at.Sub(v.now) <= soon:
		state = &look.State{Kind: look.Warning, Text: v.say.Say("peer ending")}
	}
	return look.Cell{Note: v.say.Date(at), State: state}
}

func (v *visit) certificates(p peer) look.Table {
	t := look.Table{Caption: v.say.Say("peer certificates"), Columns: []look.Column{{Title: v.say.Say("peer use"), Names: true}, {Title: v.say.Say("peer issued")}, {Title: v.say.Say("peer until")}}}
	row := func(use string, k xmlsec.Key) {
		t.Rows = append(t.Rows, look.Row{{Text: v.say.Say("peer use " + use), Note: k.Name}, {Text: k.Certificate.Issuer.CommonName}, v.ends(k.Certificate.NotAfter)})
	}
	for _, k := range p.Signing {
		row("signing", k)
	}
	for _, k := range p.Encryption {
		row("encryption", k)
	}
	t.Rows = append(t.Rows, look.Row{{Text: v.say.Say("peer metadata")}, {}, v.ends(p.Until)})
	return t
}

func (v *visit) addresses(p peer) look.Table {
	t := look.Table{Caption: v.say.Say("peer addresses"), Empty: &look.Empty{Title: v.say.Say("peer no addresses")}, Columns: []look.Column{{Title: v.say.Say("peer for"), Names: true}, {Title: v.say.Say("peer address")}}}
	add := func(what, address string) {
		t.Rows = append(t.Rows, look.Row{{Text: v.say.Say("peer for " + what)}, {Text: address, Code: true}})
	}
	for _, e := range p.Services {
		add("queries", e.Location)
	}
	for _, e := range p.Consumers {
		add("answers", e.Location)
	}
	for _, e := range p.Resolvers {
		add("artifacts", e.Location)
	}
	for _, e := range p.SignOn {
		add("log-ins", e.Location)
	}
	if p.Chain != "" {
		add("chains", p.Chain)
	}
	return t
}
