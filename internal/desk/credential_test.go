package desk

import (
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
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

// With what a program shows who it is, its own organisation and the register's staff can see.
func TestCredentials(t *testing.T) {
	s := newScene(t)
	boss, baker, staff := s.appoint(office, mandate.Administrator, ""), s.appoint(bakery, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, "")
	reader := s.reader(office)
	for what, c := range map[string]struct {
		by  Caller
		err error
	}{"its own": {boss, nil}, "others": {baker, register.ErrNotFound}, "the staff": {staff, nil}} {
		s.refused(what, s.Look(ctx, c.by, 0, func(l *Look) error {
			list, err := l.Credentials(reader.Appointment)
			if (len(list) == 1) != (c.err == nil) {
				t.Errorf("%s see %d", what, len(list))
			}
			return err
		}), c.err)
	}
}
