package harness

import (
	"time"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// Mistake is something wrong that the harness does on purpose, so that others can see
// how it is answered.
type Mistake string

// The mistakes.
const (
	Expired       Mistake = "expired"        // the query was sent ten minutes ago
	WrongAudience Mistake = "wrong-audience" // the log-in is meant for another register
	Altered       Mistake = "altered"        // a letter was changed after signing
	Replayed      Mistake = "replayed"       // the same message is sent a second time
	WrongKey      Mistake = "wrong-key"      // signed with a key that is not the sender's
	SkewedClock   Mistake = "skewed-clock"   // the sender's clock is ten minutes fast
)

// Mistakes lists them all.
func Mistakes() []Mistake {
	return []Mistake{Expired, WrongAudience, Altered, Replayed, WrongKey, SkewedClock}
}

// ago is how old a message is that is sent with the mistake.
func (m Mistake) ago() time.Duration {
	switch m {
	case Expired:
		return 10 * time.Minute
	case SkewedClock:
		return -10 * time.Minute
	}
	return 0
}

// Alter changes one letter of what the signature of a message covers: the service that it
// names.
func Alter(message *xmlsec.Element) (*xmlsec.Element, error) {
	return xmlsec.Restore(alter(message.Bytes()))
}
