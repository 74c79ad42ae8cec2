package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// roles gives every role of the web server its keys and whom it knows.
func (s *Sandbox) roles() {
	n := s.Network
	s.broker = &broker{role: s.role(n.Broker.Party, pathBrokerSignOn, pathBrokerResolve)}
	s.authenticator = &authenticator{role: s.role(n.Authenticator, pathAuthnSignOn, pathAuthnResolve)}
	for _, name := range counters {
		index := slices.IndexFunc(services, func(s harness.Service) bool { return s.Name == name }) + 1
		service := n.Services[name]
		s.sites = append(s.sites, &site{
			role: s.role(service.Home, "", "/"+name+pathResolve), path: name, index: strconv.Itoa(index), service: service,
		})
	}
}

func (s *Sandbox) role(p *harness.Party, signOn, resolution string) *role {
	r := &role{
		sandbox: s, entity: p.Entity, title: p.Title, signer: p.Signer(), openers: p.Openers(), resolution: s.Address + resolution,
	}
	if signOn != "" {
		r.signOn = s.Address + signOn
	}
	return r
}

// Directory is everybody who takes part now, with their keys.
func (s *Sandbox) Directory() *saml.Directory {
	n := s.Network
	all := []saml.Participant{n.Broker.Participant(), n.Authenticator.Participant(), n.First.Participant(), n.Second.Participant()}
	for _, c := range s.clients() {
		all = append(all, c.Participant)
	}
	return saml.NewDirectory(all...)
}

// routes is the one list of what the web server answers.
func (s *Sandbox) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.during(s.start))
	mux.Handle("POST /fault", ours(s.during(s.chooseFault)))
	mux.Handle("GET /providers/{$}", s.during(s.providersPage))
	mux.Handle("POST /providers/{$}", ours(s.during(s.submitPage)))
	mux.Handle("GET /logins/{$}", s.during(s.logins))
	mux.Handle("GET /logins/{id}", s.during(s.explained))
	mux.Handle("GET /ca.crt", http.HandlerFunc(s.certificate))

	mux.Handle("GET "+pathBrokerSignOn, s.during(s.broker.signOn))
	mux.Handle("POST "+pathBrokerSignOn, s.during(s.broker.signOn))
	mux.Handle("GET "+pathBrokerBack, s.during(s.broker.back))
	mux.HandleFunc("POST "+pathBrokerResolve, s.broker.handOut)
	mux.Handle("GET "+pathBrokerMetadata, step(s.broker.metadata))

	mux.Handle("GET "+pathAuthnSignOn, s.during(s.authenticator.signOn))
	mux.Handle("POST "+pathAuthnChoose, ours(s.during(s.authenticator.choose)))
	mux.HandleFunc("POST "+pathAuthnResolve, s.authenticator.handOut)
	mux.Handle("GET "+pathAuthnMetadata, step(s.authenticator.metadata))

	for _, p := range s.sites {
		mux.Handle("GET "+p.Path()+"/{$}", s.during(p.start))
		mux.Handle("POST "+p.Path()+pathLogIn, ours(s.during(p.logIn)))
		mux.Handle("GET "+p.Path()+pathBack, s.during(p.back))
		mux.Handle("POST "+p.Path()+pathBack, s.during(p.back))
		mux.Handle("POST "+p.Path()+pathPosted, s.during(p.posted))
		mux.HandleFunc("POST "+p.Path()+pathResolve, p.handOut)
		mux.Handle("GET "+p.Path()+pathMetadata, step(p.metadata))
	}
	s.api(mux)
	return private(mux)
}

// ours lets nothing but a page of our own send a form.
func ours(s step) http.Handler { return http.NewCrossOriginProtection().Handler(s) }

// start explains the network and lists what one can try.
func (s *Sandbox) start(w http.ResponseWriter, r *http.Request) error {
	speak := look.LanguageOf(r)
	type scenario struct{ Name, Story, Path, Go, Outcome string }
	var scenarios []scenario
	var managers []*Person
	for _, p := range s.people() {
		if p.Manages {
			managers = append(managers, p)
		}
		if p.Service == "" { // his story plays at no provider
			continue
		}
		scenarios = append(scenarios, scenario{
			p.Name, p.Story.In(speak), "/" + p.Service + "/", texts.In(speak).Say("to " + p.Service), p.Outcome.In(speak),
		})
	}
	show(w, r, http.StatusOK, "start.html", map[string]any{
		"Scenarios": scenarios, "Joined": s.join(), "Folder": s.Providers(), "CA": s.CA,
		"Metadata": s.Address + pathBrokerMetadata, "Entity": s.broker.entity,
		"Managers": managers, "Pages": s.Network.First.Pages, "ManagingAPI": s.Network.First.API, "Programs": s.Programs(),
		"Faults": faults, "Fault": s.broker.chosen(browserOf(w, r, "broker")),
	})
	return nil
}

// certificate is what a browser has to trust.
func (s *Sandbox) certificate(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-x509-ca-cert")
	http.ServeFile(w, r, s.CA)
}

// description is what every role publishes of itself.
func (r *role) description() saml.Description {
	keys := []xmlsec.Key{{Name: r.signer.KeyName, Certificate: r.signer.Certificate}}
	return saml.Description{
		ID: saml.NewID(), Entity: r.entity, Until: r.sandbox.Network.Now().Add(7 * 24 * time.Hour),
		Organisation: r.title, Contact: "desk@sandbox.test", Signing: keys, Encryption: keys,
	}
}

// publish sends metadata.
func publish(w http.ResponseWriter, d saml.Description, by xmlsec.Signer) error {
	signed, err := d.SignAlone(by)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, err = w.Write(signed.Bytes())
	return err
}
