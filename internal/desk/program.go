package desk

import (
	"context"
	"slices"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Program is the appointment of a program, with the key by which it shows who it is.
type Program struct {
	Appointment mandate.Appointment
	Public      []byte // DER, as it was registered: whoever relies on it hashes it himself
}

// Programs are those that show a certificate or key with this fingerprint, by number. There
// can be several: a key can serve several organisations, and anybody can register anybody's
// certificate for himself. So nobody is told of one of them what the others are.
func (d *Desk) Programs(ctx context.Context, fingerprint register.Digest) (list []Program, err error) {
	err = d.register.Read(ctx, func(s *register.Snapshot) error {
		appointments, err := s.Programs(fingerprint)
		for _, a := range appointments {
			if err != nil {
				break
			}
			var credentials []register.Credential
			credentials, err = s.Credentials(a.ID)
			of := slices.IndexFunc(credentials, func(c register.Credential) bool { return c.Fingerprint == fingerprint })
			if of >= 0 {
				list = append(list, Program{a, credentials[of].Public})
			}
		}
		return err
	})
	return list, err
}

// Key gives 32 secret bytes for one purpose of those who speak for the desk: see
// register.Register.Key.
func (d *Desk) Key(purpose string) []byte { return d.register.Key("desk " + purpose) }
