package server

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// What can stand in the way of delivering a Permit.
var (
	errNoKey     = errors.New("server: no valid encryption key")
	errAttribute = errors.New("server: an attribute that is requested cannot be given")
	errCompany   = errors.New("server: the statement was about another company")
)

// prepare makes everything that a Permit needs and that could fail. A provider that asks
// again has the identifiers already.
func (d *delivery) prepare(a pdp.Answer) error {
	known := d.known(a.Options[0])
	if err := judgeAttributes(d.in.Query.Requested, a.Instance.Definition, known); err != nil {
		return err
	}
	if d.in.Question == saml.AskRecheck {
		return d.sameCompany(a)
	}
	provider, err := d.provider(a)
	if err != nil {
		return err
	}
	if err := d.sealAttributes(known, provider); err != nil {
		return err
	}
	if err := d.identify(a, provider); err != nil || d.chosen == nil {
		return err
	}
	// Of two who press a button of one visit at the same time one gets the answer.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return d.end(ctx)
}

// end ends the visit, once: what fails after that is still answered.
func (d *delivery) end(ctx context.Context) error {
	if d.ended {
		return nil
	}
	err := d.server.visits.end(ctx, d.visit)
	d.ended = err == nil
	return err
}

// sameNumber: a provider may ask again about the company of our statement, and about no
// other; or one statement would tell him, number after number, for whom else the person may
// act and who is known here. Whoever knows the company by its KvK number is found out before
// anything is decided.
func (d *delivery) sameNumber() error {
	if d.in.Question != saml.AskRecheck {
		return nil
	}
	for _, subject := range d.in.Represented {
		if number, err := etoegang.ParseKvKNumber(subject.Text()); err == nil && subject.Type() == etoegang.TypeKvKNr {
			return d.about(number)
		}
	}
	return nil // known by another identifier: sameCompany compares when it is found
}

// sameCompany compares the company of a Permit with that of the statement.
func (d *delivery) sameCompany(a pdp.Answer) error { return d.about(a.Options[0].Represented.KvK) }

func (d *delivery) about(company etoegang.KvKNumber) error {
	name := StatementName(d.server.c.PseudonymKey, d.in.Own.ID, company)
	if !hmac.Equal([]byte(name), []byte(d.in.Own.NameID)) {
		return errCompany
	}
	return nil
}

// knowledge is what we can tell a provider besides, by the attribute's name, and what we
// leave to the register that has to confirm.
type knowledge struct {
	values map[string]string
	later  string
}

// known is what we know of an option. Of the company its own register speaks, and of the
// intermediary the person's: no name is told twice. A provider that asks again has them.
func (d *delivery) known(o decision.Option) knowledge {
	k := knowledge{values: map[string]string{}}
	tell := func(attribute, name string) {
		if name != "" && utf8.RuneCountInString(name) <= longestName {
			k.values[attribute] = name
		}
	}
	if d.in.Question == saml.AskRecheck {
		return k
	}
	if o.ConfirmAt.IsZero() {
		tell(etoegang.AttributeRepresentedName, o.Represented.Name)
	} else {
		k.later = etoegang.AttributeRepresentedName
	}
	if o.Intermediary != nil && d.in.Question == saml.AskAuthorize {
		tell(etoegang.AttributeIntermediaryName, o.Intermediary.Name)
	}
	return k
}

// longestName is the most letters that an attribute CompanyName has (attribute catalogue).
const longestName = 200

// judgeAttributes: an attribute must be declared for the service, and one that is required
// must be given; others are left out when we do not have them (scheme page "Attributen niet
// leverbaar of niet toegestaan").
func judgeAttributes(requested []saml.RequestedAttribute, service *catalogue.Definition, known knowledge) error {
	for _, attribute := range requested {
		declared := slices.ContainsFunc(service.Requested, func(a catalogue.RequestedAttribute) bool { return a.Name == attribute.Name })
		_, given := known.values[attribute.Name]
		if !declared || attribute.Required && !given && attribute.Name != known.later {
			return fmt.Errorf("%w: %.200q", errAttribute, attribute.Name)
		}
	}
	return nil
}

// sealAttributes makes the encrypted attributes: those that are requested, and with a chain the name
// of the intermediary, which comes along unasked.
func (d *delivery) sealAttributes(known knowledge, provider xmlsec.Recipient) error {
	for _, attribute := range slices.Sorted(maps.Keys(known.values)) {
		requested := slices.ContainsFunc(d.in.Query.Requested, func(a saml.RequestedAttribute) bool { return a.Name == attribute })
		if !requested && attribute != etoegang.AttributeIntermediaryName {
			continue
		}
		sealed, err := saml.SealAttribute(attribute, known.values[attribute], provider)
		if err != nil {
			return fmt.Errorf("encrypting an attribute: %w", err)
		}
		d.attributes = append(d.attributes, sealed)
	}
	return nil
}

// identify makes the encrypted identifiers: the company's for the provider, or for the
// register that has to confirm and for nobody else; and from the person's register his
// specific pseudonym for the provider.
func (d *delivery) identify(a pdp.Answer, provider xmlsec.Recipient) (err error) {
	o := a.Options[0]
	recipient, identifiers := provider, o.Identifiers
	if !o.ConfirmAt.IsZero() {
		identifiers = []etoegang.LegalSubject{o.Represented.KvK.LegalSubject()}
		if recipient, err = d.state.recipient(o.ConfirmAt, d.now); err != nil {
			return err
		}
	}
	for _, id := range identifiers {
		sealed, err := saml.SealName(id.Type(), id.Text(), recipient)
		if err != nil {
			return fmt.Errorf("encrypting an identifier: %w", err)
		}
		d.identifiers = append(d.identifiers, sealed)
	}
	d.clear = d.server.peer(d.state, d.in.Audience).Clear || d.server.peer(d.state, d.in.Query.Issuer).Clear
	if d.in.Question == saml.AskConfirm { // the first register has named the person
		return nil
	}
	d.actingName = d.server.pseudonym(d.in, o)
	if d.acting, err = saml.SealName(etoegang.TypePseudo113, d.actingName, provider); err != nil {
		return fmt.Errorf("encrypting the pseudonym: %w", err)
	}
	return nil
}

// provider is the service provider as a recipient: with the key that the catalogue has
// for this service, or else one of its metadata.
func (d *delivery) provider(a pdp.Answer) (xmlsec.Recipient, error) {
	keys := a.Instance.Certificates
	if len(keys) == 0 {
		keys = d.participant(d.in.Audience).Encryption
	}
	return d.state.recipientOf(d.in.Audience, keys, d.now)
}

func (d *delivery) participant(e etoegang.EntityID) saml.Participant {
	p, _ := d.state.Receiver.Directory.Find(e, d.now)
	return p
}

func valid(k xmlsec.Key, now time.Time) bool {
	return !now.Before(k.Certificate.NotBefore) && !now.After(k.Certificate.NotAfter)
}
