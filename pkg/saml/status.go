package saml

// Status is a SAML status: a top-level code and, for refusals that have one, a second.
// The scheme allows these and no others (Error handling, 1.13).
type Status struct{ Top, Second string }

const statusPrefix = "urn:oasis:names:tc:SAML:2.0:status:"

// The statuses we answer with.
var (
	Success              = Status{Top: statusPrefix + "Success"}
	RequesterFailed      = Status{Top: statusPrefix + "Requester"}
	RequesterUnsupported = Status{statusPrefix + "Requester", statusPrefix + "RequestUnsupported"}
	ResponderFailed      = Status{Top: statusPrefix + "Responder"}
	ResponderUnsupported = Status{statusPrefix + "Responder", statusPrefix + "RequestUnsupported"}
	// ResponderAuthnFailed is the refusal: nobody may act, or the user gave up.
	ResponderAuthnFailed = Status{statusPrefix + "Responder", statusPrefix + "AuthnFailed"}
)

// Short is the status as people say it: Responder/AuthnFailed.
func (s Status) Short() string {
	short := func(code string) string {
		if len(code) > len(statusPrefix) {
			return code[len(statusPrefix):]
		}
		return code
	}
	if s.Second == "" {
		return short(s.Top)
	}
	return short(s.Top) + "/" + short(s.Second)
}
