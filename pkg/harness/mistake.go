package harness

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
)

// Mistakes lists them all.
func Mistakes() []Mistake {
	return []Mistake{Expired, WrongAudience, Altered, Replayed, WrongKey}
}
