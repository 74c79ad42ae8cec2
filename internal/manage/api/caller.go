package api

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// longest is how long a token may be believed, and skew how much the clock of whoever signs
// may be ahead.
const (
	longest = 5 * time.Minute
	skew    = 30 * time.Second
)

// HeaderAppointment is where a caller with a certificate that several appointments share
// names his own.
const HeaderAppointment = "Appointment"

// identify finds out who calls: by the token if there is one, else by the client certificate.
// The handshake has shown that the caller has the certificate's key. Which of several
// appointments is meant the caller says; of those that are not his nobody is told.
func (a *api) identify(r *http.Request) (mandate.Appointment, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "bearer"):
		return a.byToken(r.Context(), token)
	case scheme != "":
		return mandate.Appointment{}, &refusedToken
	case r.TLS == nil || len(r.TLS.PeerCertificates) == 0:
		return mandate.Appointment{}, &refusedCaller
	}
	own := r.TLS.PeerCertificates[0]
	if now := a.Now(); now.Before(own.NotBefore) || now.After(own.NotAfter) {
		return mandate.Appointment{}, &refusedCaller
	}
	programs, err := a.Desk.Programs(r.Context(), sha256.Sum256(own.Raw))
	if err != nil {
		return mandate.Appointment{}, err
	}
	return meant(programs, r.Header.Get(HeaderAppointment))
}

// meant chooses the appointment that a caller means.
func meant(programs []desk.Program, number string) (mandate.Appointment, error) {
	if number != "" {
		programs = slices.DeleteFunc(programs, func(p desk.Program) bool { return fmt.Sprint(p.Appointment.ID) != number })
	}
	switch len(programs) {
	case 0:
		return mandate.Appointment{}, &refusedCaller
	case 1:
		return programs[0].Appointment, nil
	}
	return mandate.Appointment{}, &refusedSeveral
}

// byToken believes a token if it is signed by a registered key, for us, for a short time,
// and was not seen before.
func (a *api) byToken(ctx context.Context, text string) (mandate.Appointment, error) {
	var fingerprint register.Digest
	var programs []desk.Program
	var lost error // of the register
	claims := &jwt.RegisteredClaims{}
	parser := jwt.NewParser(jwt.WithTimeFunc(a.Now), jwt.WithLeeway(skew), jwt.WithAudience(a.Address), jwt.WithIssuedAt(),
		jwt.WithExpirationRequired(), jwt.WithStrictDecoding(), jwt.WithValidMethods([]string{"PS256", "ES256", "EdDSA", "RS256"}))
	_, err := parser.ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) {
		var err error
		if fingerprint, err = keyID(t); err != nil {
			return nil, err
		}
		if programs, lost = a.Desk.Programs(ctx, fingerprint); lost != nil {
			return nil, lost
		}
		return publicKey(t.Method.Alg(), fingerprint, programs)
	})
	switch {
	case lost != nil:
		return mandate.Appointment{}, lost
	case err != nil:
		return mandate.Appointment{}, &refusedToken
	case !short(claims):
		return mandate.Appointment{}, &refusedToken
	}
	appointment, err := meant(genuine(programs, fingerprint), claims.Subject)
	if err != nil {
		return appointment, err
	}
	return appointment, a.once(ctx, fingerprint, claims)
}

// keyID is the SHA-256 of the public key that a token names as its own.
func keyID(t *jwt.Token) (sum register.Digest, err error) {
	name, _ := t.Header["kid"].(string)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(name)
	if err != nil || len(raw) != len(sum) {
		return sum, errors.New("kid is not the SHA-256 of a key")
	}
	return register.Digest(raw), nil
}

// genuine leaves out appointments whose key does not have the fingerprint under which it is
// registered.
func genuine(programs []desk.Program, fingerprint register.Digest) []desk.Program {
	return slices.DeleteFunc(slices.Clone(programs), func(p desk.Program) bool {
		sum := sha256.Sum256(p.Public)
		return subtle.ConstantTimeCompare(sum[:], fingerprint[:]) != 1
	})
}

// publicKey is the key that was registered, if tokens of that algorithm are signed by such a
// one: the token does not choose how it is verified.
func publicKey(algorithm string, fingerprint register.Digest, programs []desk.Program) (crypto.PublicKey, error) {
	programs = genuine(programs, fingerprint)
	if len(programs) == 0 {
		return nil, errors.New("the key is not registered")
	}
	key, err := x509.ParsePKIXPublicKey(programs[0].Public)
	if err != nil {
		return nil, err
	}
	fits := false
	switch k := key.(type) {
	case *rsa.PublicKey:
		fits = (algorithm == "PS256" || algorithm == "RS256") && k.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		fits = algorithm == "ES256" && k.Curve == elliptic.P256()
	case ed25519.PublicKey:
		fits = algorithm == "EdDSA"
	}
	if !fits {
		return nil, errors.New("the key is not one for this algorithm")
	}
	return key, nil
}

// short tells whether a token, which was not made in the future, is for a moment, and can be
// told from all others.
func short(c *jwt.RegisteredClaims) bool {
	if c.IssuedAt == nil || c.ExpiresAt == nil || c.ID == "" || len(c.ID) > 128 || len(c.Audience) != 1 {
		return false
	}
	life := c.ExpiresAt.Sub(c.IssuedAt.Time)
	return life > 0 && life <= longest
}

// once lets a token in the first time.
func (a *api) once(ctx context.Context, key register.Digest, c *jwt.RegisteredClaims) error {
	err := a.Guard.Admit(ctx, "api token "+base64.RawURLEncoding.EncodeToString(key[:]), c.ID, c.ExpiresAt.Add(skew))
	if errors.Is(err, guard.ErrReplayed) || errors.Is(err, guard.ErrLate) {
		return &refusedToken
	}
	return err
}

// call is what is known of one request.
type call struct {
	operation    string
	language     look.Language
	caller       desk.Caller
	organisation mandate.OrganisationID
	appointment  mandate.Appointment
}

type callKey struct{}

// callOf is the call that a context belongs to.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}
