package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
)

// A provider may bring services of its own along, in a file beside its metadata: acme.yaml
// goes with acme.xml.

// broughtFile is that file.
type broughtFile struct {
	Services []brought `yaml:"services"`
}

// brought is one service. Whoever asks for it sends its index as
// AttributeConsumingServiceIndex.
type brought struct {
	Index          int        `yaml:"index" json:"index"`                                       // 10 or more
	Name           string     `yaml:"name" json:"name"`                                         // small letters, digits and hyphens
	Level          string     `yaml:"level" json:"level"`                                       // loa2, loa2plus, loa3 or loa4
	Establishments bool       `yaml:"establishments,omitempty" json:"establishments,omitempty"` // it may be limited to some
	Identifiers    [][]string `yaml:"identifiers,omitempty" json:"identifiers,omitempty"`       // kvk, rsin: sets, the first that a company has is sent. Default: kvk
}

// mostBrought is how many services one provider may bring.
const mostBrought = 100

// identifiers are the types of identifiers, as the file names them.
var identifiers = map[string]etoegang.EntityType{"kvk": etoegang.TypeKvKNr, "rsin": etoegang.TypeRSIN}

var nameOfService = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// bringsAlong is the file beside one of metadata.
func bringsAlong(metadata string) string { return strings.TrimSuffix(metadata, ".xml") + ".yaml" }

// readBrought reads the services that stand in the file beside metadata, by index; none if
// there is no such file.
func readBrought(metadata string) (map[int]harness.Service, error) {
	text, err := os.ReadFile(bringsAlong(metadata))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseBrought(text)
}

func parseBrought(text []byte) (map[int]harness.Service, error) {
	var file broughtFile
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("services: %w", err)
	}
	if len(file.Services) > mostBrought {
		return nil, fmt.Errorf("services: %d are more than %d", len(file.Services), mostBrought)
	}
	all := map[int]harness.Service{}
	for _, b := range file.Services {
		s, err := b.service()
		if _, twice := all[b.Index]; err == nil && twice {
			err = fmt.Errorf("index %d stands there twice: give each service an index of its own", b.Index)
		}
		if err != nil {
			return nil, fmt.Errorf("services: %q: %w", b.Name, err)
		}
		all[b.Index] = s
	}
	return all, nil
}

func (b brought) service() (s harness.Service, err error) {
	s = harness.Service{Name: b.Name, Establishments: b.Establishments, Attributes: names}
	if !nameOfService.MatchString(b.Name) {
		return s, errors.New("a name has small letters, digits and hyphens, at most 40")
	}
	if b.Index < 10 || b.Index > 65535 {
		return s, fmt.Errorf("index %d is not between 10 and 65535", b.Index)
	}
	if s.Level, err = etoegang.ParseLevelName(b.Level); err != nil || !s.Level.Supported() {
		return s, fmt.Errorf("level %q is none of loa2, loa2plus, loa3 and loa4", b.Level)
	}
	for _, set := range b.Identifiers {
		var types []etoegang.EntityType
		for _, name := range set {
			t, known := identifiers[name]
			if !known {
				return s, fmt.Errorf("identifier %q is neither kvk nor rsin", name)
			}
			types = append(types, t)
		}
		s.EntityTypes = append(s.EntityTypes, types)
	}
	return s, nil
}

// offered is the service that somebody means who asks for that index at the provider; "": for
// none, and the metadata name none either.
func (c client) offered(index string) (harness.Service, bool) {
	number, _ := strconv.Atoi(index) // 0 if it is none, which no service of the provider's own has
	name, own := c.numbers[number]
	if !own {
		name, _ = serviceName(index)
	}
	s, there := c.services[name]
	return s, there
}
