package daemon

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/signing"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// signingKey is a key that signs, wherever it is kept.
type signingKey struct {
	name        string
	certificate *x509.Certificate
	key         *signing.Signer
}

func (k signingKey) public() xmlsec.Key { return xmlsec.Key{Name: k.name, Certificate: k.certificate} }

func (k signingKey) signer() xmlsec.Signer {
	return xmlsec.Signer{Key: k.key, KeyName: k.name, Certificate: k.certificate}
}

// engines tells operators which engine signs, and of what should never happen to it.
type engines struct {
	log   *slog.Logger
	inUse *prometheus.GaugeVec
	wrong prometheus.Counter
}

func newEngines(r prometheus.Registerer, log *slog.Logger) *engines {
	e := &engines{
		log:   log,
		inUse: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mandated_signing_engine", Help: "1 for the engine that signs answers."}, []string{"engine"}),
		wrong: prometheus.NewCounter(prometheus.CounterOpts{Name: "mandated_signatures_wrong_total", Help: "Signatures that did not fit their key and were not sent: memory, processor or security module are broken, or somebody breaks them."}),
	}
	r.MustRegister(e.inUse, e.wrong)
	return e
}

func (e *engines) alarm(err error) {
	e.wrong.Inc()
	e.log.Error("a wrong signature was made, and not sent", "cause", err)
}

func (e *engines) use(engine signing.Engine) {
	e.inUse.Reset()
	e.inUse.WithLabelValues(string(engine)).Set(1)
}

// loadSigning opens the keys that sign, each with its engine, and refuses those that are
// not safe or do not fit. alarm hears of wrong signatures; nil: nobody does.
func (c *Config) loadSigning(dev bool, alarm func(error)) ([]signingKey, error) {
	out := make([]signingKey, len(c.Signing))
	for i, k := range c.Signing {
		key, err := c.openSigning(k, dev, alarm)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.Key, err)
		}
		out[i] = key
	}
	return out, nil
}

func (c *Config) openSigning(k Key, dev bool, alarm func(error)) (signingKey, error) {
	engine, err := signing.ParseEngine(k.Engine)
	if err != nil {
		return signingKey{}, err
	}
	read := c.fileKey
	if engine == signing.PKCS11 {
		read = c.tokenKey
	}
	o, certificate, err := read(k)
	if err == nil {
		err = allowed(certificate, dev)
	}
	if err != nil {
		return signingKey{}, err
	}
	o.Alarm = alarm
	signer, err := signing.Open(engine, o)
	return signingKey{nameOf(certificate, k.Name), certificate, signer}, err
}

func (c *Config) fileKey(k Key) (signing.Options, *x509.Certificate, error) {
	private, certificate, err := ReadKey(c.Path(k.Key), c.Path(k.Certificate))
	if err != nil {
		return signing.Options{}, nil, err
	}
	return signing.Options{Private: private, Public: &private.PublicKey}, certificate, nil
}

// tokenKey is a key of which there is only the certificate to read. That they belong
// together shows when the key signs.
func (c *Config) tokenKey(k Key) (signing.Options, *x509.Certificate, error) {
	token, err := c.token(k)
	if err != nil {
		return signing.Options{}, nil, err
	}
	if _, err := token.PIN(); err != nil { // also where nobody has to log in just now
		return signing.Options{}, nil, err
	}
	certificates, err := ReadCertificates(c.Path(k.Certificate))
	if err != nil {
		return signing.Options{}, nil, err
	}
	public, ok := certificates[0].PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return signing.Options{}, nil, errors.New("not a certificate of an RSA key")
	case public.N.BitLen() < xmlsec.WeakestKey:
		return signing.Options{}, nil, errWeakKey
	}
	return signing.Options{Public: public, Token: token}, certificates[0], nil
}

// token reads where a key of the engine pkcs11 is.
func (c *Config) token(k Key) (signing.Token, error) {
	uri, err := signing.ParseURI(k.Key)
	switch {
	case err != nil:
		return signing.Token{}, err
	case uri.PINSource == "":
		return signing.Token{}, errors.New("the PKCS #11 URI lacks the file with the PIN: add ?pin-source=FILE")
	case (k.Module == "") == (uri.ModulePath == ""):
		return signing.Token{}, errors.New("the library of the security module is needed, once: as module, or as module-path in the PKCS #11 URI")
	}
	return signing.Token{
		Key: uri, Module: c.Path(k.Module + uri.ModulePath),
		PIN: func() (string, error) {
			pin, err := readSecret("PIN", c.Path(uri.PINSource))
			return strings.TrimSpace(string(pin)), err
		},
	}, nil
}

// checkEngines names what contradicts itself in the keys, before anything is read.
func (c *Config) checkEngines(must func(bool, string, ...any)) {
	for _, k := range c.Signing {
		engine, err := signing.ParseEngine(k.Engine)
		must(err == nil, "signing: engine: %v", err)
		if engine == signing.PKCS11 {
			_, err := c.token(k)
			must(err == nil, "signing: %v", err)
			continue
		}
		must(k.Module == "" && !signing.IsURI(k.Key), "signing: module and keys that begin with pkcs11: are for engine: pkcs11")
	}
	for _, k := range c.Encryption {
		must(k.Engine == "" && k.Module == "" && !signing.IsURI(k.Key), "encryption: keys that decrypt are files: engine and module are for signing")
	}
}

// OpenActive opens the key that signs, for commands that sign what the daemon does.
func (c *Config) OpenActive(dev bool) (crypto.Signer, error) {
	active, err := c.openSigning(c.Signing[0], dev, nil)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", c.Signing[0].Key, err)
	}
	return active.key, nil
}

// Engines tells which engine each signing key has, the active one first.
func (c *Config) Engines() []string {
	out := make([]string, len(c.Signing))
	for i, k := range c.Signing {
		engine, _ := signing.ParseEngine(k.Engine) // checked when the configuration was read
		out[i] = fmt.Sprintf("signing key %s: engine %s", k.Key, engine)
	}
	return out
}
