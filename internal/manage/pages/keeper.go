package pages

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/seal"
	"github.com/mandated/mandated/internal/signin"
)

// keeper keeps values in the store, each sealed for its place.
type keeper struct {
	store Store
	seal  *seal.Sealer
}

// What can be wrong with it.
var (
	// errGone: nothing is kept there, no longer or never.
	errGone = errors.New("pages: nothing is kept there")

	// errKept: something is kept there already.
	errKept = errors.New("pages: something is kept there already")

	// errStore: the store gives no answer, or one that makes no sense.
	errStore = errors.New("pages: the store does not answer")
)

// keep keeps a value in a place where nothing is (errKept), put in place of what is there.
func (k keeper) keep(ctx context.Context, place string, value any, until time.Time) error {
	return k.write(ctx, k.store.Keep, place, value, until)
}

func (k keeper) put(ctx context.Context, place string, value any, until time.Time) error {
	return k.write(ctx, k.store.Replace, place, value, until)
}

func (k keeper) write(ctx context.Context, to func(context.Context, string, []byte, time.Time) error, place string, value any, until time.Time) error {
	err := to(ctx, place, k.seal.Seal(nil, plain(value), place), until)
	switch {
	case errors.Is(err, guard.ErrExists):
		return errKept
	case err != nil:
		return fmt.Errorf("%w: keeping what a page needs: %w", errStore, err)
	}
	return nil
}

// admit admits an assertion, once. Only the store's word that it was there, or came too late, is
// a reason not to believe it.
func (k keeper) admit(ctx context.Context, in signin.Visitor) error {
	err := k.store.Admit(ctx, in.Assertion.Issuer.String(), in.Assertion.ID, in.Assertion.Until)
	switch {
	case errors.Is(err, guard.ErrReplayed):
		return errors.Join(signin.ErrUnbelieved, err)
	case errors.Is(err, guard.ErrLate):
		return errors.Join(signin.ErrLate, err)
	case err != nil:
		return fmt.Errorf("%w: admitting an assertion: %w", errStore, err)
	}
	return nil
}

// look reads what is kept in a place; take does so for the last time.
func (k keeper) look(ctx context.Context, place string, value any) error {
	return k.read(ctx, k.store.Look, place, value)
}

func (k keeper) take(ctx context.Context, place string, value any) error {
	return k.read(ctx, k.store.Take, place, value)
}

func (k keeper) read(ctx context.Context, from func(context.Context, string) ([]byte, error), place string, value any) error {
	sealed, err := from(ctx, place)
	if errors.Is(err, guard.ErrNotFound) {
		return errGone
	}
	var plain []byte
	if err == nil {
		plain, err = k.seal.Open(sealed, place)
	}
	if err == nil {
		err = json.Unmarshal(plain, value)
	}
	if err != nil {
		return fmt.Errorf("%w: reading what a page needs: %w", errStore, err)
	}
	return nil
}

// text is a value as nobody can read or change it, for a page or an address; open is its
// opposite, and tells whether it is such a text.
func (k keeper) text(value any, place string) string { return k.seal.SealText(plain(value), place) }

func (k keeper) open(text, place string, value any) bool {
	plain, err := k.seal.OpenText(text, place)
	return err == nil && json.Unmarshal(plain, value) == nil
}

// plain is a value of ours as it is sealed.
func plain(value any) []byte {
	plain, err := json.Marshal(value)
	if err != nil {
		panic(err) // a type that JSON does not know
	}
	return plain
}

// newName is a name that nobody can guess: 256 random bits.
func newName() string {
	var name [32]byte
	_, _ = rand.Read(name[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(name[:])
}
