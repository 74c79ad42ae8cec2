package desk

import (
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// A certificate counts from its first moment to its last, as it does where the program comes in.
func TestCertificateThatHasEnded(t *testing.T) {
	pair := must(devkeys.New("ledger", time.Now()))
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate.Raw})
	from, to := pair.Certificate.NotBefore, pair.Certificate.NotAfter
	for at, want := range map[time.Time]error{from.Add(-1): ErrEndedCertificate, from: nil, to: nil, to.Add(1): ErrEndedCertificate} {
		if _, err := ReadCredential(text, at); !errors.Is(err, want) {
			t.Errorf("at %s: %v, want %v", at, err, want)
		}
	}
}

// Who signs by law, or keeps the register, logs in. That one of them shows a key in place of that
// only whoever keeps the register says, at its command line.
func TestWhoMayShowAKey(t *testing.T) {
	s := newScene(t)
	staff := s.appoint(Party{}, mandate.Staff, "")
	wish := Appointment{Company: bakery.KvK, Role: mandate.Director, Authority: mandate.Jointly, Name: "Anna", Level: etoegang.LoA3, Validity: year(s.clock.Now()),
		Credentials: []register.Credential{{Fingerprint: sha256.Sum256([]byte("key")), Public: []byte("key")}}}
	_, err := s.Appoint(ctx, staff, "x", wish)
	s.refused("by the staff", err, register.ErrCredential)
	made := must(s.AppointAtDesk(ctx, keeper, wish))
	if made.Appointment.State != mandate.Appointed || made.Invitation != "" {
		t.Errorf("at the command line: %s, with the invitation %q", made.Appointment.State, made.Invitation)
	}
	wish.Role, wish.Authority = mandate.Administrator, ""
	_, err = s.AppointAtDesk(ctx, keeper, wish)
	s.refused("for an administrator", err, register.ErrCredential)
}
