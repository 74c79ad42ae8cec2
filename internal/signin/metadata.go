package signin

import (
	"time"

	"github.com/mandated/mandated/pkg/saml"
)

// metadataLifetime is how long the broker may use our metadata without asking for newer ones.
const metadataLifetime = 7 * 24 * time.Hour

// Indexes of the addresses for answers. The scheme wants artifacts, so they come first.
const (
	consumerArtifact = 1
	consumerPost     = 2
)

// Metadata are what the broker has to know of us, signed ("DV metadata for HM").
func (d *Door) Metadata() ([]byte, error) {
	c := &d.c
	signed, err := saml.Description{
		ID: saml.NewID(), Entity: c.Entity, Until: c.Now().Add(metadataLifetime), Organisation: c.Organisation, Contact: c.Contact,
		Signing: c.Signing, Encryption: c.Encryption, Consumers: c.consumers(), Offers: []saml.Offer{{Index: c.Service.Index, Default: true, Names: c.Service.Names, Wants: c.Service.Wants}},
	}.SignAlone(c.Signer)
	if err != nil {
		return nil, err
	}
	return signed.Bytes(), nil
}

// consumers are our addresses for answers, the default one first.
func (c *Config) consumers() (list []saml.Consumer) {
	add := func(index int, binding, address string) {
		if address != "" {
			list = append(list, saml.Consumer{
				Endpoint: saml.Endpoint{Binding: binding, Location: address}, Index: index, Default: len(list) == 0,
			})
		}
	}
	add(consumerArtifact, saml.BindingArtifact, c.Artifact)
	add(consumerPost, saml.BindingPOST, c.Post)
	return list
}
