package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
)

type demoCommand struct {
	Out  string `help:"Folder to keep every message, metadata, catalogue, configuration, keys and certificates in." placeholder:"DIR"`
	Keep bool   `help:"Leave the daemons running and say how to ask them by hand. Needs --out."`
}

func (d demoCommand) Run(e *environment) error {
	folder, err := d.folder()
	if err != nil {
		return err
	}
	if d.Out == "" {
		defer func() { _ = os.RemoveAll(folder) }()
	}
	fmt.Fprintln(e.err, "making keys, metadata, a catalogue and two registers, and starting two daemons ...")
	w, err := newWorld(e.ctx, folder)
	if err != nil {
		return err
	}
	good, err := w.play(e, d.Out)
	if err == nil && d.Keep {
		w.explainKeeping(e, folder)
		<-e.ctx.Done()
	}
	if stopErr := w.network.Stop(context.Background()); err == nil {
		err = stopErr
	}
	if err == nil && !good {
		err = fmt.Errorf("not everything came out as it should")
	}
	return err
}

func (d demoCommand) folder() (string, error) {
	if d.Out == "" {
		if d.Keep {
			return "", fmt.Errorf("--keep needs --out DIR: asking by hand takes the files")
		}
		return os.MkdirTemp("", "mandated-demo-")
	}
	if list, err := os.ReadDir(d.Out); err == nil && len(list) > 0 {
		return "", fmt.Errorf("%s is not empty: choose another folder, or empty it", d.Out)
	}
	return filepath.Abs(d.Out)
}

// world is a small network of believable people.
type world struct {
	network *harness.Network
	vat     harness.Service // at the tax service
	permit  harness.Service // at the municipality

	bakery, farm, office                mandate.Organisation
	anna, boris, chris, daan, eva, fred mandate.Person
	people                              []mandate.Person
	boss                                mandate.ID // the mandate that is revoked during the demo
}

func newWorld(ctx context.Context, folder string) (*world, error) {
	n, err := harness.Open(ctx, folder, harness.Options{TwoRegisters: true, RealTime: true})
	if err != nil {
		return nil, err
	}
	w := &world{
		network: n, vat: n.Services["vat"], permit: n.Services["permit"],
		bakery: harness.Company("Bakkerij De Korenbloem", "12345678", "123456782"),
		farm:   harness.Company("Boerderij Zonzicht", "23456789", ""),
		office: harness.Company("Administratiekantoor Telraam", "87654321", "249566758"),
	}
	for name, p := range map[string]*mandate.Person{"Anna": &w.anna, "Boris": &w.boris, "Chris": &w.chris, "Daan": &w.daan, "Eva": &w.eva, "Fred": &w.fred} {
		*p = n.NewPerson(name)
		w.people = append(w.people, *p)
	}
	if err := errors.Join(w.mandates(), n.Save(w.people...)); err != nil {
		return nil, errors.Join(err, n.Stop(context.WithoutCancel(ctx)))
	}
	return w, nil
}

// mandates fills both registers. Every person stands for one story.
func (w *world) mandates() error {
	first, second := w.network.First, w.network.Second
	vat3 := harness.For(w.vat, etoegang.LoA3)
	yesterday := w.network.Now().UTC().Truncate(time.Second).AddDate(0, 0, -1)
	var chain mandate.ID
	for _, step := range []func() error{
		func() (err error) { w.boss, err = first.Direct(w.bakery, w.anna, vat3); return err },
		func() error {
			_, err := first.Direct(w.farm, w.boris, harness.For(w.vat, etoegang.LoA2Plus))
			return err
		},
		func() error {
			_, err := first.Grant(mandate.Mandate{Kind: mandate.Direct, Grantor: w.bakery, Person: w.chris, Scope: vat3,
				Validity: mandate.Validity{From: yesterday.AddDate(-1, 0, 0), To: yesterday}})
			return err
		},
		func() (err error) { chain, err = first.Chain(w.farm, w.office, vat3); return err },
		func() error {
			_, err := first.Assign(chain, w.office, w.daan, harness.For(w.vat, etoegang.LoA4))
			return err
		},
		func() (err error) { chain, err = first.ChainElsewhere(w.bakery, w.office, vat3, second); return err },
		func() error { _, err := first.Assign(chain, w.office, w.eva, vat3); return err },
		func() error { _, err := second.Chain(w.bakery, w.office, vat3); return err },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// scene is one question and what should come of it.
type scene struct {
	question string
	ask      func(context.Context) (*harness.Result, error)
	want     string // Permit, refused or fault, and the reasons
}

func (w *world) scenes() []scene {
	broker := w.network.Broker
	authorize := func(q harness.Question) func(context.Context) (*harness.Result, error) {
		return func(ctx context.Context) (*harness.Result, error) { return broker.Authorize(ctx, q) }
	}
	anna := harness.Question{Person: w.anna, Service: w.vat}
	forged, replayed, low := anna, anna, anna
	forged.Mistake, replayed.Mistake, low.Login = harness.Altered, harness.Replayed, etoegang.LoA2Plus
	var half *harness.Result // what the first register said of Eva
	return []scene{
		{"May Anna file the bakery's VAT return?", authorize(anna), "Permit"},
		{"May Daan of the office file it for the farm?", authorize(harness.Question{Person: w.daan, Service: w.vat, Login: etoegang.LoA4}), "Permit"},
		{"May Eva of the office file it for the bakery? (her register)", func(ctx context.Context) (r *harness.Result, err error) {
			half, err = broker.Authorize(ctx, harness.Question{Person: w.eva, Service: w.vat})
			return half, err
		}, "Permit"},
		{"  and does the bakery's own register confirm it?", func(ctx context.Context) (*harness.Result, error) {
			return broker.Confirm(ctx, half, w.network.Second)
		}, "Permit"},
		{"May Boris file the farm's VAT return? (mandate at a lower level)", authorize(harness.Question{Person: w.boris, Service: w.vat}), "refused assurance-too-low"},
		{"May Anna, after logging in at a lower level?", authorize(low), "refused authentication-too-low"},
		{"May Anna ask for a building permit?", authorize(harness.Question{Person: w.anna, Service: w.permit}), "refused service-not-covered"},
		{"May Chris file the bakery's VAT return? (until yesterday)", authorize(harness.Question{Person: w.chris, Service: w.vat}), "refused expired"},
		{"May Fred? (whom nobody mandated)", authorize(harness.Question{Person: w.fred, Service: w.vat}), "refused no-mandate-to-person"},
		{"A message that was changed on its way", authorize(forged), "fault"},
		{"A message that was sent before", authorize(replayed), "refused replayed"},
		{"May Anna still, now the bakery has revoked it?", func(ctx context.Context) (*harness.Result, error) {
			if err := w.network.First.Revoke(w.boss); err != nil {
				return nil, err
			}
			return broker.Authorize(ctx, anna)
		}, "refused revoked"},
	}
}

// sceneView is the outcome of a scene as programs read it.
type sceneView struct {
	Question string `json:"question"`
	replyView
	AsExpected bool `json:"as_expected"`
}

// play asks every question, and tells whether all came out as it should.
func (w *world) play(e *environment, out string) (good bool, err error) {
	good = true
	var views []sceneView
	for i, s := range w.scenes() {
		result, err := s.ask(e.ctx)
		if err != nil {
			return false, fmt.Errorf("%s: %w", s.question, err)
		}
		if out != "" {
			if err := saveMessages(filepath.Join(out, "messages"), fmt.Sprintf("%02d", i+1), result); err != nil {
				return false, err
			}
		}
		v := sceneView{Question: s.question, replyView: viewReply(result)}
		v.AsExpected = strings.TrimSpace(v.Outcome+" "+strings.Join(v.Reasons, " ")) == s.want
		good = good && v.AsExpected
		views = append(views, v)
	}
	return good, e.show(views, func() { tellScenes(e, views) })
}

func tellScenes(e *environment, views []sceneView) {
	rows := [][]string{{"QUESTION", "OUTCOME", "LEVEL", "REASONS", "SIGNATURE", "MS"}}
	for _, v := range views {
		signature := "verified"
		if !v.Verified {
			signature = "- (SOAP fault)"
		}
		why := strings.Join(v.Reasons, " ")
		if v.ConfirmAt != "" {
			why = "to be confirmed by the bakery's register"
		}
		outcome := v.Outcome
		if !v.AsExpected {
			outcome += "  <- not as it should be"
		}
		rows = append(rows, []string{v.Question, outcome, orDash(v.Level), orDash(why), signature, fmt.Sprintf("%.1f", v.Millis)})
	}
	e.table(rows)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (w *world) explainKeeping(e *environment, folder string) {
	n := w.network
	fmt.Fprintf(e.out, `
The daemons go on until you press Ctrl-C. Everything is in %[1]s. In another terminal:

  bin/mandated ask --network %[1]s --person Daan --service vat --login loa4
  bin/mandated ask --network %[1]s --person Eva --service vat
  bin/mandated list -c %[2]s
  curl -s -H 'Content-Type: text/xml' --data-binary @%[1]s/messages/01-query.xml %[3]s
  curl -s %[4]s/metrics | grep mandated_

The first curl sends a message that was answered before: it is refused.
`, folder, n.First.Config, n.First.Address, n.First.Operations)
}
