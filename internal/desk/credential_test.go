package desk

import (
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
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
