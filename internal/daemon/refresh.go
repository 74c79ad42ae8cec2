package daemon

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// trustFile is the word for believing an unsigned file because it is there.
const trustFile = "file"

// LoadMetadata reads all metadata. It says of every file that is wrong what is wrong.
func (c *Config) LoadMetadata(now time.Time) (participants []saml.Participant, notes []string, err error) {
	var wrong []error
	for _, source := range c.Metadata {
		found, odd, err := c.loadMetadataFile(source, now)
		for _, note := range odd {
			notes = append(notes, source.File+": "+note)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", source.File, err))
		}
		participants = append(participants, found...)
	}
	for _, p := range participants {
		if c.Network == "production" && p.Entity.Test() {
			notes = append(notes, fmt.Sprintf("%s is a test system on a production network", p.Entity))
		}
	}
	return participants, notes, errors.Join(wrong...)
}

func (c *Config) loadMetadataFile(s Source, now time.Time) ([]saml.Participant, []string, error) {
	doc, err := os.ReadFile(c.Path(s.File))
	if err != nil {
		return nil, nil, err
	}
	trust, err := c.trust(s)
	if err != nil {
		return nil, nil, err
	}
	return saml.ParseMetadata(doc, trust, now)
}

func (c *Config) trust(s Source) (saml.Trust, error) {
	if s.Trust == trustFile {
		return saml.Trust{File: true}, nil
	}
	certificates, err := ReadCertificates(c.Path(s.Trust))
	return saml.Trust{Certificates: certificates}, err
}

// LoadCatalogue reads the service catalogue.
func (c *Config) LoadCatalogue(now time.Time) (parsed *catalogue.Catalogue, notes []string, err error) {
	doc, err := os.ReadFile(c.Path(c.Catalogue.File))
	if err != nil {
		return nil, nil, err
	}
	return c.parseCatalogue(doc, now)
}

func (c *Config) parseCatalogue(doc []byte, now time.Time) (parsed *catalogue.Catalogue, notes []string, err error) {
	trust, err := c.trust(c.Catalogue)
	if err != nil {
		return nil, nil, err
	}
	parsed, warnings, err := catalogue.Parse(doc, catalogue.Trust(trust), now)
	if err == nil && trust.File && parsed.Signer() == "" {
		notes = append(notes, c.Catalogue.File+": unsigned: believed only because its entry says trust: file")
	}
	for _, w := range warnings {
		notes = append(notes, fmt.Sprintf("%s:%d: %s", c.Catalogue.File, w.Line, w.Text))
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", c.Catalogue.File, err)
	}
	return parsed, notes, err
}

// metadataLifetime is how long others may use our metadata; they are made anew at every
// refresh.
const metadataLifetime = 7 * 24 * time.Hour

// refresh looks at all files again. What is wrong keeps the last good version in use,
// and is told by readiness and metrics until it is repaired.
func (d *Daemon) refresh(ctx context.Context) error {
	now := d.now()
	catalogueErr := d.refreshCatalogue(ctx, now)
	d.watch.set("catalogue", catalogueErr)
	stateErr := d.refreshState(now)
	d.watch.set("metadata", stateErr)
	return errors.Join(catalogueErr, stateErr)
}

func (d *Daemon) refreshState(now time.Time) error {
	participants, notes, err := d.config.LoadMetadata(now)
	for _, note := range notes {
		d.log.Warn("metadata", "note", note)
	}
	if err != nil {
		return fmt.Errorf("reading metadata: %w", err)
	}
	signing, err := d.config.loadKeys(d.config.Signing, d.dev)
	if err != nil {
		return fmt.Errorf("reading signing keys: %w", err)
	}
	encryption, err := d.config.loadKeys(d.config.Encryption, d.dev)
	if err != nil {
		return fmt.Errorf("reading encryption keys: %w", err)
	}
	own := d.config.description(now, signing, encryption)
	self := saml.Participant{Entity: own.Entity, Signing: own.Signing, Encryption: own.Encryption, Until: own.Until}
	metadata, err := own.Sign(signing[0].signer())
	if err != nil {
		return fmt.Errorf("signing our metadata: %w", err)
	}
	state := &server.State{
		Receiver: &saml.Receiver{
			Self: own.Entity, Addresses: []string{own.Authz}, Directory: saml.NewDirectory(append(participants, self)...),
			Openers: openers(encryption), Ages: d.config.ages(),
		},
		Signer: signing[0].signer(), Metadata: metadata.Bytes(), Peers: d.config.peers(),
	}
	state.Receiver.Leniency = func(e etoegang.EntityID) saml.Leniency { return state.Peers[e].Leniency }
	d.state.Store(state)
	d.watch.participants(append(participants, self))
	return nil
}

// description is what we publish of ourselves.
func (c *Config) description(now time.Time, signing, encryption []keyPair) saml.Description {
	return saml.Description{
		ID: saml.NewID(), Entity: c.EntityID(), Until: now.Add(metadataLifetime),
		Organisation: orElse(c.Organisation, "mandated"), Contact: orElse(c.Contact, "registry@localhost"),
		Signing: publicKeys(signing), Encryption: publicKeys(encryption), Authz: c.Address + server.PathQuery,
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (c *Config) ages() saml.Ages {
	return saml.Ages{
		Query: time.Duration(c.Ages.Query), Skew: time.Duration(c.Ages.Skew),
		Chain: time.Duration(c.Ages.Chain), Recheck: time.Duration(c.Ages.Recheck),
	}
}

func (c *Config) peers() map[etoegang.EntityID]server.Peer {
	peers := map[etoegang.EntityID]server.Peer{}
	for name, p := range c.Peers {
		e, _ := etoegang.ParseEntityID(name) // checked when the configuration was read
		peers[e], _ = p.habits(name)
	}
	return peers
}

// refreshCatalogue reads the catalogue's file and, if it is newer than what the register
// has, keeps it there: from that revision on decisions rest on it.
func (d *Daemon) refreshCatalogue(ctx context.Context, now time.Time) error {
	doc, err := os.ReadFile(d.config.Path(d.config.Catalogue.File))
	if err != nil {
		return fmt.Errorf("reading the service catalogue: %w", err)
	}
	sum := sha256.Sum256(doc)
	if sum == d.lastCatalogue { // tens of thousands of services are not read again for nothing
		return nil
	}
	parsed, notes, err := d.config.parseCatalogue(doc, now)
	for _, note := range notes {
		d.log.Warn("catalogue", "note", note)
	}
	if err != nil {
		return fmt.Errorf("reading the service catalogue: %w", err)
	}
	version := CatalogueVersion(parsed, doc)
	_, err = d.register.Change(ctx, register.Author{Who: "daemon", Why: "service catalogue " + parsed.Version()}, func(t *register.Tx) error {
		return t.PutCatalogue(version)
	})
	if err != nil {
		return fmt.Errorf("keeping the service catalogue: %w", err)
	}
	d.catalogues.add(parsed)
	d.lastCatalogue = sum
	return nil
}

// CatalogueVersion is a parsed catalogue as the register keeps it.
func CatalogueVersion(c *catalogue.Catalogue, doc []byte) register.CatalogueVersion {
	return register.CatalogueVersion{
		Sequence: c.Sequence(), Version: c.Version(), Issued: c.Issued(),
		SHA256: c.SHA256(), Signer: c.Signer(), Document: doc,
	}
}
