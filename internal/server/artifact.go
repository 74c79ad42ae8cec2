package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/seal"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// artifactLifetime is how long an answer waits behind its artifact: a browser is sent on at
// once, and the broker asks when it arrives.
const artifactLifetime = 2 * time.Minute

// artifacts keep answers until the broker for whom they are fetches them, once, from
// whichever node it asks. They are sealed: what lies in the store names people.
type artifacts struct {
	self   etoegang.EntityID
	store  Guard
	absent error // what the store says when there is nothing
	seal   *seal.Sealer
}

func newArtifacts(c *Config) *artifacts {
	return &artifacts{self: c.Self, store: c.Guard, absent: c.Absent, seal: seal.New(c.SealingKey)}
}

// name is the key of an artifact for one broker: nobody else's question finds it, nor uses
// it up.
func (a *artifacts) name(artifact saml.Artifact, broker etoegang.EntityID) string {
	return "artifact " + artifact.String() + " " + broker.String()
}

// keep holds an answer for a broker, and gives the artifact that stands for it.
func (a *artifacts) keep(ctx context.Context, answer *xmlsec.Element, broker etoegang.EntityID, now time.Time) (saml.Artifact, error) {
	artifact := saml.NewArtifact(a.self, 0)
	name := a.name(artifact, broker)
	return artifact, a.store.Keep(ctx, name, a.seal.Seal(nil, answer.Bytes(), name), now.Add(artifactLifetime))
}

// take gives the answer to the broker for whom it was kept, once; nil if there is none.
func (a *artifacts) take(ctx context.Context, artifact saml.Artifact, broker etoegang.EntityID) (*xmlsec.Element, error) {
	name := a.name(artifact, broker)
	sealed, err := a.store.Take(ctx, name)
	if errors.Is(err, a.absent) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	answer, err := a.seal.Open(sealed, name)
	if err != nil {
		return nil, fmt.Errorf("server: what is kept under an artifact is not ours: %w", err)
	}
	return xmlsec.Restore(answer)
}
