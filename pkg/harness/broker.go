package harness

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Broker is the broker that the harness plays.
type Broker struct {
	*Party
	network *Network
	desk    desk // of queries that travel as artifacts
}

// NewPerson makes somebody whom the network's authentication service knows.
func (n *Network) NewPerson(name string) mandate.Person {
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	pseudonym := mustParse(etoegang.ParsePseudonym(hex.EncodeToString(b[:])))
	return mandate.Person{
		Name: name, Active: true,
		Subject: etoegang.ActingSubject{Authenticator: n.Authenticator.Entity, Pseudonym: pseudonym},
	}
}

// Question is what a user wants to do, and how he logged in.
type Question struct {
	Person    mandate.Person
	Service   Service
	Login     etoegang.AssuranceLevel   // NoLevel: what the service needs
	Asked     etoegang.AssuranceLevel   // NoLevel: left out, so that the catalogue counts
	Company   etoegang.KvKNumber        // the company the broker prefers; zero: none
	Requested []saml.RequestedAttribute // further attributes that the provider wants
	Mistake   Mistake                   // "": none
	At        *RegisterNode             // the person's register, or which daemon of it; nil: the first
	LoggedIn  *LogIn                    // what the authentication service said; nil: the broker lets the person log in first
	AtLeast   register.Revision         // no answer from before this one is wanted; zero: any is good
}

// Result is one exchange, as it went over the wire and as the asker read it.
type Result struct {
	Sent, Received []byte
	HTTPStatus     int
	Took           time.Duration
	Revision       register.Revision // for which the decision is good; zero if there is none

	// Reply is the verified answer; nil after a SOAP fault.
	Reply *saml.Reply
	Fault string

	question Question
	login    LogIn
}

// LogIn is what an authentication service said of somebody.
type LogIn struct {
	Assertion *xmlsec.Element // as the authentication service signed it
	ID        string          // of the assertion
	NameID    string          // the transient name in it
	Level     etoegang.AssuranceLevel
}

// Represented is whom the answer lets the person act for, as the provider reads it: only
// he has the key.
func (r *Result) Represented() ([]etoegang.LegalSubject, error) {
	home := r.question.Service.Home
	return r.Reply.Statement.OpenRepresented(home.Entity, home.Openers())
}

// Acting is the person's specific pseudonym, as the provider reads it.
func (r *Result) Acting() (string, error) {
	home := r.question.Service.Home
	return r.Reply.Statement.OpenActing(home.Entity, home.Openers())
}

// Attributes is what else the provider reads, by name.
func (r *Result) Attributes() (map[string]string, error) {
	home := r.question.Service.Home
	return r.Reply.Statement.OpenAttributes(home.Entity, home.Openers())
}

// Authorize asks whether a person may use a service, and for whom.
func (b *Broker) Authorize(ctx context.Context, q Question) (*Result, error) {
	if q.At == nil {
		q.At = b.network.First
	}
	result, asking, err := b.prepare(q)
	if err != nil {
		return nil, err
	}
	return result, b.send(ctx, asking, q.At, result)
}

// Query makes the signed message of a question without sending it.
func (b *Broker) Query(q Question) ([]byte, error) {
	if q.At == nil {
		q.At = b.network.First
	}
	query, err := b.query(q, q.At.Address)
	if err != nil {
		return nil, err
	}
	return saml.Wrap(query), nil
}

// Bare makes the signed message of a question for another address, without SOAP around it.
func (b *Broker) Bare(q Question, destination string) ([]byte, error) {
	if q.At == nil {
		q.At = b.network.First
	}
	query, err := b.query(q, destination)
	if err != nil {
		return nil, err
	}
	return query.Bytes(), nil
}

func (b *Broker) query(q Question, destination string) (*xmlsec.Element, error) {
	_, asking, err := b.prepare(q)
	if err != nil {
		return nil, err
	}
	asking.Destination = destination
	return asking.Sign(b.Signer())
}

// prepare lets the person log in and puts his log-in into a query.
func (b *Broker) prepare(q Question) (result *Result, asking saml.Asking, err error) {
	result = &Result{question: q}
	if q.LoggedIn != nil {
		result.login = *q.LoggedIn
	} else if result.login, err = b.network.LogIn(q, saml.NewID()); err != nil {
		return nil, asking, err
	}
	asking = b.asking(result, q.At)
	asking.Assertions = []*xmlsec.Element{result.login.Assertion}
	if !q.Company.IsZero() {
		preferred, err := saml.SealName(etoegang.TypeKvKNr, q.Company.Text(), q.At.Recipient())
		if err != nil {
			return nil, asking, err
		}
		asking.Represented = []*xmlsec.Element{preferred}
	}
	return result, asking, nil
}

// Confirm asks the second register to confirm what the first one permitted.
func (b *Broker) Confirm(ctx context.Context, first *Result, at *RegisterNode) (*Result, error) {
	result, asking, err := b.prepareConfirm(first, at)
	if err != nil {
		return nil, err
	}
	return result, b.send(ctx, asking, at, result)
}

func (b *Broker) prepareConfirm(first *Result, at *RegisterNode) (*Result, saml.Asking, error) {
	if first.Reply == nil || first.Reply.Assertion == nil {
		return nil, saml.Asking{}, fmt.Errorf("the first register gave no statement to confirm")
	}
	result := &Result{question: first.question, login: first.login}
	result.question.AtLeast = 0 // it was the first register's
	asking := b.asking(result, at)
	asking.Assertions = []*xmlsec.Element{first.login.Assertion, first.Reply.Assertion}
	return result, asking, nil
}

// asking is a query about the result's question.
func (b *Broker) asking(r *Result, at *RegisterNode) saml.Asking {
	q := r.question
	issued := b.network.Now().Add(-q.Mistake.ago())
	return saml.Asking{
		ID: saml.NewID(), Issuer: b.Entity, Destination: at.Address, Issued: issued, Consumer: "1",
		Audience: q.Service.Home.Entity, SubjectID: r.login.NameID,
		ServiceID: q.Service.ID, ServiceUUID: q.Service.UUID, Level: q.Asked, Requested: q.Requested,
	}
}

// LogIn lets a person log in at the authentication service, which answers the broker's
// request of that ID.
func (n *Network) LogIn(q Question, request string) (LogIn, error) {
	at := q.At
	if at == nil {
		at = n.First
	}
	acting, err := saml.SealName(etoegang.TypePseudo, q.Person.Subject.Pseudonym.Text(), at.Recipient())
	if err != nil {
		return LogIn{}, err
	}
	in := LogIn{ID: saml.NewID(), NameID: saml.NewID(), Level: q.Login}
	if in.Level == etoegang.NoLevel {
		in.Level = q.Service.Level
	}
	audience := at.Entity
	if q.Mistake == WrongAudience {
		audience = mustParse(etoegang.ParseEntityID("urn:etoegang:MR:" + secondOIN + ":entities:9999"))
	}
	now := n.Now()
	in.Assertion, err = saml.Login{
		ID: in.ID, Issuer: n.Authenticator.Entity, NameID: in.NameID, Issued: now, Until: now.Add(2 * time.Minute),
		Recipient: n.Broker.Consumer, InResponseTo: request,
		Audiences: []etoegang.EntityID{n.Broker.Entity, audience, q.Service.Home.Entity},
		Level:     in.Level, Representation: true, Registry: at.Entity, Acting: acting, ServiceUUID: q.Service.UUID,
	}.Sign(n.Authenticator.Signer())
	return in, err
}

// send signs the query, makes the mistake if one is wanted, and exchanges messages.
func (b *Broker) send(ctx context.Context, asking saml.Asking, at *RegisterNode, result *Result) error {
	return b.network.ask(ctx, b.Party, asking, b.signs(result.question.Mistake), at, result)
}

// signs is what the broker signs with.
func (b *Broker) signs(m Mistake) xmlsec.Signer {
	signer := b.Signer()
	if m == WrongKey {
		signer.Key = b.network.Authenticator.pair.Key
	}
	return signer
}

// Send signs a query of one's own making and sends it: for questions that the harness does
// not ask by itself.
func (n *Network) Send(ctx context.Context, asker *Party, asking saml.Asking, at *RegisterNode) (*Result, error) {
	result := &Result{}
	return result, n.ask(ctx, asker, asking, asker.Signer(), at, result)
}

func (n *Network) ask(ctx context.Context, asker *Party, asking saml.Asking, signer xmlsec.Signer, at *RegisterNode, result *Result) error {
	query, err := asking.Sign(signer)
	if err != nil {
		return err
	}
	result.Sent = saml.Wrap(query)
	if result.question.Mistake == Altered {
		result.Sent = alter(result.Sent)
	}
	if result.question.Mistake == Replayed {
		if err := n.exchange(ctx, asker, at, result); err != nil {
			return err
		}
	}
	if err := n.exchange(ctx, asker, at, result); err != nil {
		return err
	}
	if result.HTTPStatus != http.StatusOK {
		result.Fault = string(result.Received)
		return nil
	}
	directory := saml.NewDirectory(at.Participant())
	result.Reply, err = saml.ReadReply(result.Received, directory, asking.ID, n.Now())
	return err
}

// alter changes one letter of what the signature covers: the service asked for.
func alter(message []byte) []byte {
	from := []byte(`:services:`)
	at := bytes.Index(message, from) + len(from)
	changed := bytes.Clone(message)
	if changed[at]++; changed[at] > '9' {
		changed[at] = '1'
	}
	return changed
}

// exchange sends the message over HTTP, as it is.
func (n *Network) exchange(ctx context.Context, asker *Party, at *RegisterNode, result *Result) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.Endpoint, bytes.NewReader(result.Sent))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", saml.ContentType)
	if least := result.question.AtLeast; least != 0 {
		request.Header.Set("At-Least-Revision", strconv.FormatInt(int64(least), 10))
	}
	started := time.Now()
	response, err := asker.httpClient(at.Party).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	result.HTTPStatus = response.StatusCode
	if result.Revision, err = revisionOf(response.Header); err != nil {
		return err
	}
	result.Received, err = io.ReadAll(response.Body)
	result.Took = time.Since(started)
	return err
}

// revisionOf reads for which revision an answer is good; zero if it does not say.
func revisionOf(h http.Header) (register.Revision, error) {
	text := h.Get("Register-Revision")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading Register-Revision: %w", err)
	}
	return register.Revision(n), nil
}
