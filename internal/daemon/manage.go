package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/mandated/mandated/internal/manage/api"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// listenForManagers opens the doors for those who manage mandates, where there are any.
func (d *Daemon) listenForManagers(o Options) error {
	at := d.desk()
	if c := d.config.Manage.API; c.Listen != "" {
		h, err := api.New(api.Config{
			Desk: at, Guard: d.guard, Address: c.Address, Catalogue: d.currentCatalogue, LastUse: d.journal.LastUse, Pace: newPace(d.config.Manage.PerSecond, d.now).allows,
			Contact: api.Contact{Name: orElse(d.config.Organisation, "mandated"), Mail: orElse(d.config.Contact, "registry@localhost"), URL: c.Address},
			Log:     d.log, Now: d.now,
		})
		if err != nil {
			return err
		}
		if err := d.openDoor("api", o.API, c.Listen, h, &tls.Config{
			// Which certificates count is a matter of who registered them.
			MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return d.apiPair.Load(), nil },
		}); err != nil {
			return err
		}
	}
	if c := d.config.Manage.Pages; c.Listen != "" {
		h, err := pages.New(pages.Config{
			Name: orElse(d.config.Organisation, "mandated"), Address: c.Address, Desk: at, Catalogue: d.currentCatalogue, SignIn: d.signIn.Load,
			Store: d.guard, Works: works{d}, SealingKey: d.register.Key("pages"), LastUse: d.journal.LastUse, Log: d.log, Now: d.now,
			Pace: newPace(d.config.Manage.PerSecond, d.now).allows,
		})
		if err != nil {
			return err
		}
		mux := http.NewServeMux()
		mux.Handle("/", h)
		mux.HandleFunc("GET /metadata", d.showProviderMetadata)
		return d.openDoor("pages", o.Pages, c.Listen, mux, &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return d.pagesPair.Load(), nil },
		})
	}
	return nil
}

// openDoor serves what there is to manage on a listener of its own.
func (d *Daemon) openDoor(name string, l net.Listener, address string, h http.Handler, t *tls.Config) error {
	l, err := open(l, address)
	if err != nil {
		return fmt.Errorf("listening for %s: %w", name, err)
	}
	s := brisk(h, d.log)
	s.TLSConfig = t
	d.managers = append(d.managers, s)
	go d.serving(name, func(l net.Listener) error { return s.ServeTLS(l, "", "") }, limit(share(l, d.config.Browser.PerAddress), maxBrowsers))
	return nil
}

// showProviderMetadata gives what the broker must know of us as a service provider.
func (d *Daemon) showProviderMetadata(w http.ResponseWriter, _ *http.Request) {
	door := d.signIn.Load()
	if door == nil {
		http.Error(w, "The broker is not among the participants: add its metadata first.", http.StatusServiceUnavailable)
		return
	}
	metadata, err := door.Metadata()
	if err != nil {
		d.log.Error("signing our metadata as a service provider", "cause", err)
		http.Error(w, "The metadata cannot be signed.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(metadata)
}

// currentCatalogue is the edition by which decisions are made now, nil if there is none to be
// had.
func (d *Daemon) currentCatalogue() (c *catalogue.Catalogue) {
	err := d.register.Read(context.Background(), func(s *register.Snapshot) (err error) {
		if s.CatalogueSequence() > 0 {
			c, err = d.catalogues.Of(s)
		}
		return err
	})
	if err != nil {
		d.log.Warn("the service catalogue cannot be shown", "cause", err)
	}
	return c
}

// refreshSignIn makes the door through which people log in anew, from what is good now.
func (d *Daemon) refreshSignIn() error {
	c := d.current.Manage.Pages
	state := d.state.Load()
	if c.Listen == "" || state == nil {
		return nil
	}
	service, err := d.signInService(c)
	if err != nil {
		return fmt.Errorf("manage.pages: %w", err)
	}
	entity, _ := etoegang.ParseEntityID(c.Entity) // checked when the configuration was read
	broker, _ := etoegang.ParseEntityID(c.Broker)
	door, err := signin.New(signin.Config{
		Entity: entity, Broker: broker, Directory: state.Receiver.Directory,
		Artifact: c.Address + pages.PathReturn, Post: c.Address + pages.PathReturn,
		Resolve: func(ctx context.Context, address string, envelope []byte) ([]byte, error) {
			from, known := d.state.Load().Receiver.Directory.Find(broker, d.now())
			if !known {
				return nil, errors.New("the metadata of the broker have expired")
			}
			return d.fetcher.Fetch(ctx, from, address, envelope)
		},
		Service: service, Signer: state.Signer, Signing: publicKeys(d.good.signing), Encryption: publicKeys(d.good.encryption),
		Openers: state.Receiver.Openers, Organisation: orElse(d.current.Organisation, "mandated"), Contact: orElse(d.current.Contact, "registry@localhost"),
		Ages: d.current.ages(), Verifier: d.current.verifier(), Now: d.now,
	})
	if err != nil {
		return fmt.Errorf("manage.pages: %w", err)
	}
	d.signIn.Store(door)
	return nil
}

// signInService is what people log in for, as the catalogue has it.
func (d *Daemon) signInService(c Pages) (s signin.Service, err error) {
	if s.ID, err = etoegang.ParseServiceID(c.Service); err != nil {
		return s, err
	}
	current := d.currentCatalogue()
	if current == nil {
		return s, errors.New("there is no service catalogue that could name the service of the log-in")
	}
	instance, known := current.Instance(s.ID)
	if !known {
		return s, fmt.Errorf("the service catalogue does not have %s, for which people are to log in", c.Service)
	}
	s.Index, s.UUID, s.Highest, s.Names = 1, instance.UUID, instance.Service().Level, instance.Definition.Names
	s.Wants = []saml.RequestedAttribute{{Name: etoegang.AttributeRepresentedName}} // so that people see for which company they are in
	s.Level, _ = etoegang.ParseLevelName(c.Level)
	return s, nil
}
