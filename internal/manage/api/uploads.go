package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/pkg/mandate"
)

// received is an upload. While it lasts it has one of the places for uploads.
type received struct {
	*api
	of   mandate.OrganisationID
	file *os.File
	sum  []byte // of what was sent
	dry  bool
	why  string
}

// receive keeps an upload in a file that no folder names.
func (a *api) receive(of mandate.OrganisationID, in *importIn) (*received, error) {
	u := &received{api: a, of: of, dry: in.DryRun, why: in.Why}
	file, err := os.CreateTemp(a.Folder, "upload-")
	if err != nil {
		return u, fmt.Errorf("making room for an upload: %w", err)
	}
	u.file = file
	_ = os.Remove(file.Name()) // while it is open, where the system lets us; else when it is closed
	sum := sha256.New()
	_, _ = io.WriteString(sum, in.Why+"\n")
	_, err = io.Copy(file, io.TeeReader(&arriving{in.body, in.control, a.stall, time.Now().Add(longUpload)}, sum))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return u, tooLarge
	}
	if failed, ok := errors.AsType[*os.PathError](err); ok { // our disk
		return u, fmt.Errorf("keeping an upload: %w", failed)
	}
	if err != nil {
		return u, &refusedSlow // it broke off
	}
	u.sum = sum.Sum(nil)
	return u, nil
}

// check tells whether the upload can be read, and is the one that its key was for.
func (u *received) check(ctx context.Context, in *importIn) error {
	if err := u.readable(callOf(ctx).language); err != nil || u.dry {
		return err
	}
	return u.remember(ctx, in.Key, u.sum)
}

// close forgets the upload and gives its place to another.
func (u *received) close() {
	if u.file != nil {
		_ = u.file.Close()
		_ = os.Remove(u.file.Name())
	}
	u.uploads.leave(u.of)
}

// uploads are the organisations of which something is uploaded at this moment. One of each:
// nobody takes the places of all.
type uploads struct {
	mu    sync.Mutex
	under map[mandate.OrganisationID]bool
}

func (u *uploads) enter(o mandate.OrganisationID) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.under) >= mostUploads || u.under[o] {
		return false
	}
	if u.under == nil {
		u.under = map[mandate.OrganisationID]bool{}
	}
	u.under[o] = true
	return true
}

func (u *uploads) leave(o mandate.OrganisationID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.under, o)
}

// remember binds a key to its upload: with another one it is refused.
func (a *api) remember(ctx context.Context, key string, digest []byte) error {
	name := fmt.Sprintf("api upload %d %s", callOf(ctx).organisation, key)
	err := a.Guard.Keep(ctx, name, digest, a.Now().Add(keyRemains))
	if !errors.Is(err, guard.ErrExists) {
		return err
	}
	kept, err := a.Guard.Look(ctx, name)
	switch {
	case errors.Is(err, guard.ErrNotFound): // it has just expired
		return &refusedKey
	case err == nil && subtle.ConstantTimeCompare(kept, digest) != 1:
		return &refusedKey
	}
	return err
}
