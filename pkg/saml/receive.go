package saml

import (
	"fmt"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Question is which of the three questions a message asks: it follows from who asks and
// which assertions he brings.
type Question string

// The questions.
const (
	AskAuthorize Question = "authorize" // a broker with an authentication
	AskConfirm   Question = "confirm"   // a broker with an authentication and a register's statement
	AskRecheck   Question = "recheck"   // a provider with what its broker gave it
)

// Ages bound how old and how young messages may be. The scheme wants clocks within two
// seconds and gives no other figures.
type Ages struct {
	Query   time.Duration // how long ago a query may have been sent
	Skew    time.Duration // how much clocks may differ
	Chain   time.Duration // confirm: how much older than the first register's statement the log-in may be
	Recheck time.Duration // recheck: how old the provider's evidence may be
}

// judge tells whether a message that was sent then may be believed now.
func (a Ages) judge(issued, now time.Time) error {
	switch {
	case issued.After(now.Add(a.Skew)):
		return problem(ProblemFuture, "issued at %s", stamp(issued))
	case issued.Before(now.Add(-a.Query)):
		return problem(ProblemExpired, "issued at %s", stamp(issued))
	}
	return nil
}

// DefaultAges are the ages used where none are configured.
var DefaultAges = Ages{Query: 120 * time.Second, Skew: 2 * time.Second, Chain: 15 * time.Minute, Recheck: 12 * time.Hour}

// Receiver judges queries for one register. It is read-only and may be used by many
// goroutines.
type Receiver struct {
	Self      etoegang.EntityID
	Addresses Addresses
	Directory *Directory
	Openers   []xmlsec.Opener // our decryption keys, the newest first
	Ages      Ages
	Leniency  func(etoegang.EntityID) Leniency
	Verifier  xmlsec.Verifier // how signatures are verified
}

// Addresses are our own, as they may stand in Destination. "": there is none of that kind.
type Addresses struct {
	Queries    string // SOAP, for queries
	Browser    string // where artifacts of queries arrive
	Resolution string // SOAP, where our own artifacts are resolved
	Chain      string // SOAP, where other registers ask for chain mandates
}

// Received is a query that may be believed, and what it asks. Identities are parsed and
// decrypted; assertions have been held against each other and against the query.
type Received struct {
	Query    Query
	Sender   Participant
	Question Question

	Login          etoegang.AssuranceLevel // at which the person logged in
	Actor          etoegang.ActingSubject  // zero when the person's half is not ours
	Represented    []etoegang.LegalSubject // the company, under one or more identifiers; authorize: if the broker prefers one
	Intermediary   etoegang.Intermediary   // zero if there is none
	Previous       etoegang.AssuranceLevel // what the first register stated
	Establishments []etoegang.EstablishmentNumber

	// Links are the assertions that the answer rests on, the nearest first. The
	// answer repeats the signature of the first.
	Links []Link

	// Until is when the statement that is to be confirmed ends; zero for other questions.
	Until time.Time

	// Own is our earlier statement among the evidence of a recheck.
	Own Stated

	// Audience is the provider for whom it all is, and to whom identifiers are
	// encrypted; zero if the query does not say.
	Audience etoegang.EntityID
	Consumer Consumer // where an answer through the browser would go
}

// Stated names a statement and the transient name that it gave its subject.
type Stated struct{ ID, NameID string }

// Link names an assertion and its signature.
type Link struct{ ID, Signature string }

// The places where the signed elements of a query stand.
const (
	placeQuery     = "query"
	placeAssertion = "assertion"
	placeAdvice    = "advice"
	placeResolved  = "resolved" // around a query that was fetched
)

// paths lead to them.
type paths struct{ query, assertion, advice []xmlsec.Step }

// inBody is a path in a SOAP body.
func inBody(steps ...xmlsec.Step) []xmlsec.Step {
	return append([]xmlsec.Step{{inSOAP("Envelope")}, {inSOAP("Body")}}, steps...)
}

// below are the paths in what stands around a query.
func below(outer ...xmlsec.Step) paths {
	query := slices.Concat(outer, []xmlsec.Step{queryNames})
	assertion := slices.Concat(query, []xmlsec.Step{
		{inProtocol("Extensions")}, {inContext("Attribute")}, {inContext("AttributeValue")}, {inSAML("Assertion")},
	})
	return paths{query, assertion, slices.Concat(assertion, []xmlsec.Step{{inSAML("Advice")}, {inSAML("Assertion")}})}
}

var (
	pathsSent    = below(inBody()...)
	pathsFetched = below(inBody(resolvedName)...)
	pathsPosted  = below()
)

// places are fixed for all queries: the query itself, assertions in its extensions, and
// those in the advice of a broker's assertion. Each may be signed only by participants
// whose role says such things.
func (r *Receiver) places(now time.Time, p paths) []xmlsec.Place {
	issuer := inSAML("Issuer")
	return []xmlsec.Place{
		{Name: placeQuery, Path: p.query, Issuer: issuer, Min: 1, Max: 1, Keys: r.keysOf(now, etoegang.Broker, etoegang.Provider)},
		{Name: placeAssertion, Path: p.assertion, Issuer: issuer, Min: 0, Max: 2, Keys: r.keysOf(now, etoegang.Authenticator, etoegang.Register, etoegang.Broker)},
		{Name: placeAdvice, Path: p.advice, Issuer: issuer, Min: 0, Max: 3, Keys: r.keysOf(now, etoegang.Authenticator, etoegang.Register)},
	}
}

// keysOf gives the signing keys of whoever has one of the roles.
func (r *Receiver) keysOf(now time.Time, roles ...etoegang.Role) func(issuer string) []xmlsec.Key {
	return func(issuer string) []xmlsec.Key { return r.Directory.keys(issuer, now, roles...) }
}

// Receive reads, verifies and judges one SOAP message. Errors come in two kinds. Without
// a Received nobody is known to have sent it, and the only answer is a SOAP fault. With
// a Received the query's sender is known, and the error, an *Error, is what is wrong
// with what he sent. Nothing of it is in body: that may be changed again.
func (r *Receiver) Receive(body []byte, now time.Time) (*Received, error) {
	document, err := readEnvelope(body, queryNames, ErrNoQuery)
	if err != nil {
		return nil, err
	}
	defer document.Release()
	verified, err := r.Verifier.Verify(document, now, r.places(now, pathsSent)...)
	if err != nil {
		return nil, err
	}
	return r.judge(verified, 0, r.Addresses.Queries, now)
}

// ReceivePosted is Receive for a query that a browser brought itself, without SOAP around it
// (SAML 2.0 bindings, section 3.5).
func (r *Receiver) ReceivePosted(query []byte, now time.Time) (*Received, error) {
	document, err := readBare(query, queryNames, ErrNoQuery)
	if err != nil {
		return nil, err
	}
	defer document.Release()
	verified, err := r.Verifier.Verify(document, now, r.places(now, pathsPosted)...)
	if err != nil {
		return nil, err
	}
	return r.judge(verified, 0, r.Addresses.Browser, now)
}

// judge judges a query, which is the verified element of that number; those after it are
// in it. The address is where it must have been sent.
func (r *Receiver) judge(verified []xmlsec.Verified, query int, address string, now time.Time) (*Received, error) {
	q, err := ParseQuery(verified[query])
	sender, known := r.Directory.Find(q.Issuer, now)
	if !known {
		return nil, fmt.Errorf("saml: %s left the directory while its query was read", q.Issuer)
	}
	in := &Received{Query: q, Sender: sender, Audience: q.Audience}
	in.Consumer, _ = sender.Consumer("") // refusals go there until the query says otherwise
	if err != nil {
		return in, err
	}
	if err := r.judgeQuery(in, address, now); err != nil {
		return in, err
	}
	return in, r.judgeAssertions(in, verified, query, now)
}

// judgeQuery looks at the query alone: where it was sent, when, and where to answer.
func (r *Receiver) judgeQuery(in *Received, address string, now time.Time) error {
	q, may := &in.Query, r.Leniency(in.Query.Issuer)
	switch {
	case q.Destination == "" && !may.NoDestination, q.Destination != "" && q.Destination != address:
		return problem(ProblemDestination, "%.200q", q.Destination)
	case !q.ReturnContext && !may.NoReturnContext:
		return problem(ProblemMalformed, "ReturnContext is not true")
	case !q.hasEnvironment && !may.NoEnvironment:
		return problem(ProblemMalformed, "Environment is missing")
	}
	if err := r.Ages.judge(q.Issued, now); err != nil {
		return err
	}
	consumer, ok := in.Sender.Consumer(q.consumer)
	if !ok && q.consumer != "" {
		return problem(ProblemConsumer, "index %.20q", q.consumer)
	}
	in.Consumer = consumer
	if in.Query.Issuer.Role() == etoegang.Broker {
		return judgeAudience(q)
	}
	return nil
}

// judgeAudience: a broker says for which provider it asks, and identifiers are encrypted
// to that one. It must be the one whose service is used, or a broker could have them
// encrypted to anybody.
func judgeAudience(q *Query) error {
	switch {
	case q.Audience.IsZero():
		return problem(ProblemAudience, "IntendedAudience is missing")
	case q.Audience.Role() != etoegang.Provider || q.Audience.OIN() != q.ServiceID.Provider():
		return problem(ProblemAudience, "%s does not offer %s", q.Audience, q.ServiceID)
	}
	return nil
}

// brought are the assertions of a query, by the role of who made them.
type brought struct {
	logins     []Authentication
	statements []Statement
	brokered   []Brokered
}

// judgeAssertions finds out which question is asked. Exactly the assertions of that
// question must be there, each at its own place; more or fewer is a refusal.
func (r *Receiver) judgeAssertions(in *Received, verified []xmlsec.Verified, query int, now time.Time) error {
	direct, advised, err := r.gather(verified, query)
	if err != nil {
		return err
	}
	if values := in.assertionValues(verified[query].Root()); values != len(direct.logins)+len(direct.statements)+len(direct.brokered) {
		return problem(ProblemAssertions, "%d values under %s", values, etoegang.AttributeAssertions)
	}
	in.Links = nil
	provider := in.Query.Issuer.Role() == etoegang.Provider
	none := len(advised.logins)+len(advised.statements) == 0
	switch {
	case !provider && len(direct.logins) == 1 && len(direct.statements) == 0 && len(direct.brokered) == 0 && none:
		in.Question = AskAuthorize
		return r.judgeAuthorize(in, &direct.logins[0], now)
	case !provider && len(direct.logins) == 1 && len(direct.statements) == 1 && len(direct.brokered) == 0 && none:
		in.Question = AskConfirm
		return r.judgeConfirm(in, &direct.logins[0], &direct.statements[0], now)
	case provider && len(direct.brokered) == 1 && len(direct.logins)+len(direct.statements) == 0 &&
		len(advised.logins) == 1 && (len(advised.statements) == 1 || len(advised.statements) == 2):
		in.Question = AskRecheck
		return r.judgeRecheck(in, &direct.brokered[0], &advised.logins[0], advised.statements, now)
	}
	return problem(ProblemAssertions, "beside the query stand %d log-ins, %d statements and %d broker's assertions, in advice %d and %d",
		len(direct.logins), len(direct.statements), len(direct.brokered), len(advised.logins), len(advised.statements))
}

// gather parses every assertion from its own Verified.
func (r *Receiver) gather(verified []xmlsec.Verified, query int) (direct, advised brought, err error) {
	for _, v := range verified[query+1:] {
		into := &direct
		if v.Place() == placeAdvice {
			into = &advised
			if holder, _ := etoegang.ParseEntityID(verified[v.Parent()].Issuer()); holder.Role() != etoegang.Broker {
				return direct, advised, problem(ProblemAssertions, "only a broker's assertion carries others")
			}
		}
		issuer, err := etoegang.ParseEntityID(v.Issuer())
		if err != nil {
			return direct, advised, wrap(ProblemIdentifier, err, "Issuer")
		}
		if err := into.add(issuer.Role(), v); err != nil {
			return direct, advised, err
		}
	}
	return direct, advised, nil
}

func (b *brought) add(role etoegang.Role, v xmlsec.Verified) error {
	switch role {
	case etoegang.Authenticator:
		a, err := ParseAuthentication(v)
		b.logins = append(b.logins, a)
		return err
	case etoegang.Register:
		s, err := ParseStatement(v)
		b.statements = append(b.statements, s)
		return err
	default:
		c, err := ParseBrokered(v)
		b.brokered = append(b.brokered, c)
		return err
	}
}

// assertionValues counts the values of the attribute that carries assertions: one that
// stands anywhere else has been verified and still does not belong there.
func (in *Received) assertionValues(query *xmlsec.Node) int {
	extensions, _ := query.Maybe(inProtocol("Extensions"))
	if extensions == nil {
		return 0
	}
	n := 0
	for _, v := range contextAttribute(extensions, etoegang.AttributeAssertions) {
		if len(v.Children) == 1 {
			n++
		}
	}
	return n
}
