package daemon

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// trustFile is the word for believing an unsigned file because it is there.
const trustFile = "file"

// LoadMetadata reads all metadata. It says of every file that is wrong what is wrong, and
// of two files that describe one participant which they are: neither may replace the other
// unnoticed.
func (c *Config) LoadMetadata(now time.Time) (participants []saml.Participant, notes []string, err error) {
	files, notes, wrong := c.loadMetadata(now, nil)
	return c.inOrder(files), notes, c.together(wrong)
}

// loadMetadata reads every file; for one that is wrong, what was last good stands in for
// those whom no other file describes.
func (c *Config) loadMetadata(now time.Time, good map[string][]saml.Participant) (files map[string][]saml.Participant, notes []string, wrong map[string]error) {
	wrong = map[string]error{}
	files = map[string][]saml.Participant{}
	described := map[etoegang.EntityID]string{}
	var broken []Source
	for _, source := range c.Metadata {
		found, odd, err := c.loadMetadataFile(source, now)
		for _, note := range odd {
			notes = append(notes, source.File+": "+note)
		}
		if err == nil {
			err = twice(found, described)
		}
		if err != nil {
			wrong[source.File] = fmt.Errorf("%s: %w", source.File, err)
			broken = append(broken, source)
			continue
		}
		files[source.File] = found
		describe(found, source, described)
	}
	for _, source := range broken {
		left := slices.DeleteFunc(slices.Clone(good[source.File]), func(p saml.Participant) bool { return described[p.Entity] != "" })
		files[source.File] = left
		describe(left, source, described)
	}
	return files, append(notes, c.misplaced(files)...), wrong
}

// together is all that is wrong with files, in the order of the configuration's.
func (c *Config) together(wrong map[string]error) error {
	var all []error
	for _, source := range c.Metadata {
		all = append(all, wrong[source.File])
	}
	return errors.Join(all...)
}

// twice tells which participant a file describes that another describes already.
func twice(found []saml.Participant, described map[etoegang.EntityID]string) error {
	for _, p := range found {
		if other := described[p.Entity]; other != "" {
			return fmt.Errorf("%s is described in %s already: remove one of the two", p.Entity, other)
		}
	}
	return nil
}

func describe(found []saml.Participant, by Source, described map[etoegang.EntityID]string) {
	for _, p := range found {
		described[p.Entity] = by.File
	}
}

// misplaced notes the test systems on a production network.
func (c *Config) misplaced(files map[string][]saml.Participant) (notes []string) {
	for _, p := range c.inOrder(files) {
		if c.Network == "production" && p.Entity.Test() {
			notes = append(notes, fmt.Sprintf("%s is a test system on a production network", p.Entity))
		}
	}
	return notes
}

// inOrder gives the participants in the order of the configuration's files.
func (c *Config) inOrder(files map[string][]saml.Participant) (all []saml.Participant) {
	for _, source := range c.Metadata {
		all = append(all, files[source.File]...)
	}
	return all
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
	verifier := xmlsec.Verifier{Engine: c.verifier().Engine}
	if s.Trust == trustFile {
		return saml.Trust{File: true, Verifier: verifier}, nil
	}
	certificates, err := ReadCertificates(c.Path(s.Trust))
	return saml.Trust{Certificates: certificates, Verifier: verifier}, err
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

// good is what was last read without a fault, by source: what stands in while a file is
// broken.
type good struct {
	catalogue  [sha256.Size]byte // digest of the file and of whom it is trusted by
	metadata   map[string][]saml.Participant
	signing    []signingKey
	encryption []keyPair
}

// refresh looks at all files again. Whatever is wrong with one, the others come into use;
// for that one the last good version stays, and readiness and metrics tell until it is
// repaired.
func (d *Daemon) refresh(ctx context.Context) error {
	now := d.now()
	fresh, err := d.current.again()
	d.current = fresh
	d.asRead.Store(&fresh)
	problems := map[string]error{
		"configuration": err,
		"catalogue":     d.refreshCatalogue(ctx, now),
		"keys":          d.refreshKeys(),
		"metadata":      d.refreshMetadata(now),
	}
	if d.guardRedis != nil {
		problems["guard redis"] = d.refreshGuard(ctx)
	}
	if err := d.refreshState(now); err != nil {
		problems["keys"] = errors.Join(problems["keys"], err)
	}
	if d.current.Manage.Pages.Listen != "" {
		problems["log-in to pages"] = d.refreshSignIn()
	}
	var all []error
	for _, source := range slices.Sorted(maps.Keys(problems)) {
		d.watch.set(source, problems[source])
		all = append(all, problems[source])
	}
	return errors.Join(all...)
}

// refreshKeys reads the keys, that of TLS included.
func (d *Daemon) refreshKeys() error {
	signing, signingErr := d.current.loadSigning(d.dev, d.engines.alarm)
	if signingErr == nil {
		d.good.signing = signing
	}
	encryption, encryptionErr := d.current.loadKeys(d.current.Encryption, d.dev)
	if encryptionErr == nil {
		d.good.encryption = encryption
	}
	return errors.Join(signingErr, encryptionErr,
		d.refreshTLS("tls", d.current.TLS, &d.pair), d.refreshTLS("browser.tls", d.current.Browser.TLS, &d.browserPair),
		d.refreshTLS("manage.api.tls", d.current.Manage.API.TLS, &d.apiPair), d.refreshTLS("manage.pages.tls", d.current.Manage.Pages.TLS, &d.pagesPair))
}

// refreshTLS reads the certificate of a listener, if it has one.
func (d *Daemon) refreshTLS(name string, t TLS, into *atomic.Pointer[tls.Certificate]) error {
	pair, err := d.current.loadTLS(name, t, d.dev)
	if pair != nil {
		into.Store(pair)
	}
	return err
}

func (d *Daemon) refreshMetadata(now time.Time) error {
	files, notes, wrong := d.current.loadMetadata(now, d.good.metadata)
	for _, note := range notes {
		d.log.Warn("metadata", "note", note)
	}
	d.peers.note(d.current.Metadata, files, wrong, now)
	d.good.metadata = files
	return d.current.together(wrong)
}

// refreshState puts what is good together for the requests to come. Our own metadata are
// made anew each time, so that they never grow old.
func (d *Daemon) refreshState(now time.Time) error {
	if len(d.good.signing) == 0 || len(d.good.encryption) == 0 {
		return errors.New("there are no keys to work with")
	}
	active := d.good.signing[0].signer()
	if err := saml.SelfTest(d.current.EntityID(), active); err != nil {
		return err
	}
	own := d.current.description(now, d.good.signing, d.good.encryption)
	metadata, err := own.Sign(active)
	if err != nil {
		return fmt.Errorf("signing our metadata: %w", err)
	}
	participants := []saml.Participant{{Entity: own.Entity, Signing: own.Signing, Encryption: own.Encryption, Until: own.Until}}
	participants = append(participants, d.current.inOrder(d.good.metadata)...)
	state := &server.State{
		Receiver: &saml.Receiver{
			Self: own.Entity, Addresses: saml.Addresses{Queries: own.Authz, Browser: own.Browser, Resolution: own.Resolution, Chain: own.Chain}, Directory: saml.NewDirectory(participants...),
			Openers: openers(d.good.encryption), Ages: d.current.ages(), Verifier: d.current.verifier(),
		},
		Signer: active, Metadata: metadata.Bytes(), Peers: d.current.peers(),
	}
	state.Receiver.Leniency = func(e etoegang.EntityID) saml.Leniency { return state.Peers[e].Leniency }
	d.state.Store(state)
	d.engines.use(d.good.signing[0].key.Engine())
	d.watch.participants(participants)
	return nil
}

// description is what we publish of ourselves.
func (c *Config) description(now time.Time, signing []signingKey, encryption []keyPair) saml.Description {
	network := "P"
	if c.Network == "test" {
		network = "T"
	}
	d := saml.Description{
		ID: saml.NewID(), Name: fmt.Sprintf("urn:etoegang:1.13:%s:%d", network, now.Unix()), Entity: c.EntityID(), Until: now.Add(metadataLifetime),
		Organisation: orElse(c.Organisation, "mandated"), Contact: orElse(c.Contact, "registry@localhost"),
		Signing: publicKeys(signing), Encryption: publicKeys(encryption), Authz: c.Address + server.PathQuery, Chain: c.Address + server.PathChain,
	}
	if c.Browser.Listen != "" {
		d.Browser, d.Resolution = c.Browser.Address+server.PathBrowser, c.Address+server.PathResolution
	}
	return d
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (c *Config) verifier() xmlsec.Verifier {
	engine, _ := xmlsec.ParseEngine(c.XMLSec.Engine) // checked when the configuration was read
	return xmlsec.Verifier{Engine: engine, CrossCheck: c.XMLSec.CrossCheck}
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
	doc, err := os.ReadFile(d.current.Path(d.current.Catalogue.File))
	if err != nil {
		return fmt.Errorf("reading the service catalogue: %w", err)
	}
	sum := d.current.trustedDigest(doc)
	if sum == d.good.catalogue { // tens of thousands of services are not read again for nothing
		return nil
	}
	parsed, notes, err := d.current.parseCatalogue(doc, now)
	for _, note := range notes {
		d.log.Warn("catalogue", "note", note)
	}
	if err != nil {
		return fmt.Errorf("reading the service catalogue: %w", err)
	}
	version := CatalogueVersion(parsed, doc)
	var added *catalogueEntry
	_, err = d.register.Change(ctx, register.Author{Who: "daemon", Why: "service catalogue " + parsed.Version()}, func(t *register.Tx) error {
		if err := t.PutCatalogue(version); err != nil {
			return err
		}
		if e := d.catalogues.add(parsed); e != nil { // at hand before anybody is asked about it
			added = e
		}
		return nil
	})
	if err != nil && !errors.Is(err, register.ErrUnheard) {
		d.catalogues.forget(version.Sequence, added)
		return fmt.Errorf("keeping the service catalogue: %w", err)
	}
	d.good.catalogue = sum
	return nil
}

// trustedDigest is the digest of the catalogue and of those who may have signed it.
func (c *Config) trustedDigest(doc []byte) [sha256.Size]byte {
	trusted, _ := os.ReadFile(c.Path(c.Catalogue.Trust)) // what is wrong with it is found when it is used
	return sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(doc), doc, trusted))
}

// CatalogueVersion is a parsed catalogue as the register keeps it.
func CatalogueVersion(c *catalogue.Catalogue, doc []byte) register.CatalogueVersion {
	return register.CatalogueVersion{
		Sequence: c.Sequence(), Version: c.Version(), Issued: c.Issued(),
		SHA256: c.SHA256(), Signer: c.Signer(), Document: doc,
	}
}
