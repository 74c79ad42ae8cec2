package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

type askCommand struct {
	Network string        `required:"" help:"Folder of a played network, as \"mandated demo --out DIR --keep\" leaves it." placeholder:"DIR" type:"existingdir"`
	Person  string        `required:"" help:"Who logs in." placeholder:"NAME"`
	Service string        `required:"" help:"Which service he wants to use." placeholder:"NAME"`
	For     string        `help:"KvK number of the company he wants to act for." placeholder:"KVK"`
	Login   string        `help:"Level at which he logs in. Default: what the service needs."`
	Asked   string        `help:"Level that the service asks for. Default: the catalogue's."`
	AtLeast int64         `name:"at-least-revision" help:"Want no answer from before this revision of the register, as a change tells it." placeholder:"N"`
	Mistake string        `help:"Something to do wrong on purpose: expired, wrong-audience, altered, replayed, wrong-key or skewed-clock."`
	Wait    time.Duration `default:"1s" help:"How long to wait for a daemon that is still starting."`
	Out     string        `help:"Folder to keep the messages in." placeholder:"DIR"`
}

func (a askCommand) Run(e *environment) error {
	network, people, err := harness.Attach(a.Network)
	if err != nil {
		return err
	}
	question, err := a.question(network, people)
	if err != nil {
		return err
	}
	if err := awaitDaemon(e.ctx, network.First.Address, a.Wait); err != nil {
		return err
	}
	result, err := network.Broker.Authorize(e.ctx, question)
	if err != nil {
		return fmt.Errorf("asking %s: %w", network.First.Address, err)
	}
	steps := []*harness.Result{result}
	if s := result.Reply; s != nil && s.Permitted() && network.Second != nil && s.Statement.Confirm == network.Second.Entity {
		if result, err = network.Broker.Confirm(e.ctx, result, network.Second); err != nil {
			return fmt.Errorf("asking %s: %w", network.Second.Address, err)
		}
		steps = append(steps, result)
	}
	if err := a.keep(steps); err != nil {
		return err
	}
	views := []replyView{}
	for _, step := range steps {
		views = append(views, viewReply(step))
	}
	return e.show(views, func() {
		for _, v := range views {
			v.tell(e)
		}
	})
}

// awaitDaemon waits until somebody listens at the address.
func awaitDaemon(ctx context.Context, address string, patience time.Duration) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("nobody answers at %s: is the daemon running? (%w)", address, err)
		}
	}
}

func (a askCommand) question(n *harness.Network, people map[string]mandate.Person) (q harness.Question, err error) {
	var known bool
	if q.Person, known = people[a.Person]; !known {
		return q, fmt.Errorf("nobody called %q can log in here; known are %s", a.Person, names(people))
	}
	if q.Service, known = n.Services[a.Service]; !known {
		return q, fmt.Errorf("there is no service %q; known are %s", a.Service, names(n.Services))
	}
	for text, level := range map[*string]*etoegang.AssuranceLevel{&a.Login: &q.Login, &a.Asked: &q.Asked} {
		if *text != "" {
			if *level, err = etoegang.ParseLevelName(*text); err != nil {
				return q, err
			}
		}
	}
	if a.For != "" {
		if q.Company, err = etoegang.ParseKvKNumber(a.For); err != nil {
			return q, err
		}
	}
	q.AtLeast = register.Revision(a.AtLeast)
	if q.Mistake = harness.Mistake(a.Mistake); a.Mistake != "" && !slices.Contains(harness.Mistakes(), q.Mistake) {
		return q, fmt.Errorf("mistake %q is not one of %v", a.Mistake, harness.Mistakes())
	}
	return q, nil
}

func names[V any](m map[string]V) string {
	var list []string
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func (a askCommand) keep(steps []*harness.Result) error {
	if a.Out == "" {
		return nil
	}
	for i, step := range steps {
		if err := saveMessages(a.Out, fmt.Sprintf("ask-%d", i+1), step); err != nil {
			return err
		}
	}
	return nil
}

// saveMessages keeps both messages of an exchange as they went over the wire.
func saveMessages(folder, name string, r *harness.Result) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, name+"-query.xml"), r.Sent, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+"-answer.xml"), r.Received, 0o644)
}

// replyView is an answer as programs read it.
type replyView struct {
	Outcome     string   `json:"outcome"` // Permit, Deny, or fault
	Status      string   `json:"status,omitempty"`
	Reasons     []string `json:"reasons,omitempty"`
	Verified    bool     `json:"signature_verified"`
	Level       string   `json:"level_used,omitempty"`
	Represented []string `json:"represented,omitempty"` // as the provider reads it
	Through     string   `json:"intermediary,omitempty"`
	ConfirmAt   string   `json:"confirm_at,omitempty"`
	Acting      string   `json:"acting,omitempty"`
	Millis      float64  `json:"milliseconds"`

	Revision register.Revision `json:"revision,omitempty"` // of the register, for which the answer is good
}

func viewReply(r *harness.Result) replyView {
	v := replyView{Outcome: "fault", Millis: float64(r.Took.Microseconds()) / 1000, Revision: r.Revision}
	if r.Reply == nil {
		return v
	}
	v.Verified, v.Status, v.Reasons, v.Outcome = true, r.Reply.Status.Short(), r.Reply.Codes(), "refused"
	s := r.Reply.Statement
	if s == nil {
		return v
	}
	v.Outcome = s.Decision
	if s.Decision != "Permit" {
		return v
	}
	v.Level, v.ConfirmAt, v.Through = s.Used.String(), s.Confirm.String(), s.Intermediary().KvK.Text()
	if s.Confirm.IsZero() {
		represented, err := r.Represented()
		for _, id := range represented {
			v.Represented = append(v.Represented, id.Type().Short()+" "+id.Text())
		}
		if err != nil {
			v.Represented = []string{"unreadable: " + err.Error()}
		}
	}
	v.Acting, _ = r.Acting()
	return v
}

func (v replyView) tell(e *environment) {
	fmt.Fprintf(e.out, "%s", v.Outcome)
	if v.Status != "" {
		fmt.Fprintf(e.out, "  (%s)", v.Status)
	}
	fmt.Fprintf(e.out, "  signature verified: %v  %.1f ms\n", v.Verified, v.Millis)
	for _, line := range [][2]string{
		{"reasons", strings.Join(v.Reasons, " ")}, {"level used", v.Level}, {"for", strings.Join(v.Represented, ", ")},
		{"through", v.Through}, {"to confirm at", v.ConfirmAt}, {"acting person", v.Acting},
	} {
		if line[1] != "" {
			fmt.Fprintf(e.out, "  %-13s %s\n", line[0], line[1])
		}
	}
}
