package register

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"time"
)

// CatalogueVersion is one edition of the service catalogue. The register keeps it as
// it was signed and does not read it.
type CatalogueVersion struct {
	Sequence int64 // rises with every edition
	Version  string
	Issued   time.Time
	SHA256   [32]byte  // of Document
	Signer   string    // whose signature was verified
	Loaded   time.Time // set by PutCatalogue
	Document []byte
}

// PutCatalogue makes an edition of the service catalogue the current one. Its
// sequence must be above that of the current one (ErrStaleCatalogue), unless it is
// the very same document: that changes nothing.
func (t *Tx) PutCatalogue(v CatalogueVersion) error {
	if sha256.Sum256(v.Document) != v.SHA256 {
		return ErrDigest
	}
	if !storable(v.Version) || !storable(v.Signer) {
		return ErrText
	}
	if v.Sequence <= 0 {
		return fmt.Errorf("service catalogue %d: %w", v.Sequence, ErrStaleCatalogue)
	}
	current, err := t.followed(v)
	if err != nil || current != nil && current.SHA256 == v.SHA256 {
		return err
	}
	document, err := pack(v.Document)
	if err != nil {
		return fmt.Errorf("storing service catalogue %d: %w", v.Sequence, err)
	}
	t.touched.add(t.view.register.CatalogueParty())
	t.narrows = t.narrows || current != nil
	t.view.catalogue = v.Sequence
	return t.exec(`
		INSERT INTO catalogue_version (sequence, since, version, issued, sha256, signer, loaded, document)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
		v.Sequence, t.view.revision, v.Version, v.Issued.UnixMilli(), v.SHA256[:], v.Signer, t.now.UnixMilli(), document)
}

// followed is the edition that v replaces, if there is one. It refuses v if it is
// neither newer nor the same.
func (t *Tx) followed(v CatalogueVersion) (*CatalogueVersion, error) {
	list, err := t.view.catalogues(`sequence = (SELECT max(sequence) FROM catalogue_version)`)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if current := &list[0]; current.SHA256 == v.SHA256 || v.Sequence > current.Sequence {
		return current, nil
	}
	return nil, fmt.Errorf("service catalogue %d after %d: %w", v.Sequence, list[0].Sequence, ErrStaleCatalogue)
}

// CatalogueVersions lists every edition known, oldest first, without the documents.
func (s *Snapshot) CatalogueVersions() ([]CatalogueVersion, error) { return s.catalogues(`1 = 1`) }

// Catalogue gives one edition with its document. ErrNotFound: it was not loaded.
func (s *Snapshot) Catalogue(sequence int64) (CatalogueVersion, error) {
	list, err := s.catalogues(`sequence = ?2`, sequence)
	switch {
	case err != nil:
		return CatalogueVersion{}, err
	case len(list) == 0:
		return CatalogueVersion{}, fmt.Errorf("service catalogue %d: %w", sequence, ErrNotFound)
	}
	v := list[0]
	if v.Document, err = s.document(sequence); err != nil {
		return CatalogueVersion{}, fmt.Errorf("reading service catalogue %d: %w", sequence, err)
	}
	if sha256.Sum256(v.Document) != v.SHA256 {
		return CatalogueVersion{}, fmt.Errorf("reading service catalogue %d: %w", sequence, ErrDigest)
	}
	return v, nil
}

func (s *Snapshot) catalogues(condition string, args ...any) (list []CatalogueVersion, err error) {
	var v CatalogueVersion
	var issued, loaded int64
	var digest []byte
	err = s.each([]any{&v.Sequence, &v.Version, &issued, &digest, &v.Signer, &loaded}, func() error {
		v.Issued, v.Loaded, v.SHA256 = moment(issued), moment(loaded), [32]byte(digest)
		list = append(list, v)
		return nil
	}, `SELECT sequence, version, issued, sha256, signer, loaded FROM catalogue_version
		WHERE since <= ?1 AND `+condition+` ORDER BY sequence`, append([]any{s.revision}, args...)...)
	return list, err
}

func (s *Snapshot) document(sequence int64) ([]byte, error) {
	var packed []byte
	if err := s.one([]any{&packed}, `SELECT document FROM catalogue_version WHERE sequence = ?1`, sequence); err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func pack(document []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(document); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
