package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// joined is what came of a file of metadata that somebody put into the folder of providers.
type joined struct {
	File    string
	Problem string   // what is wrong with it; "": the provider takes part
	Notes   []string // what is odd
	Clear   bool     // it also gets identifiers in the clear
	Entity  etoegang.EntityID

	stamp  string // of the file as it was read
	client client
}

// Providers is the folder in which providers that want to join put their metadata.
func (s *Sandbox) Providers() string { return filepath.Join(s.folder, "providers") }

// join looks at the folder of providers again. Files that are as they were are not read
// again; a file that is gone takes its provider along.
func (s *Sandbox) join() []*joined {
	s.mu.Lock()
	defer s.mu.Unlock()
	files, _ := filepath.Glob(filepath.Join(s.Providers(), "*.xml"))
	slices.Sort(files)
	for name := range s.joined { // first, since a file may have got another name
		if !slices.Contains(files, filepath.Join(s.Providers(), name)) {
			delete(s.joined, name)
		}
	}
	var list []*joined
	for _, path := range files {
		name := filepath.Base(path)
		if j := s.joined[name]; j == nil || j.stamp != stampOf(path) {
			s.joined[name] = s.read(path)
		}
		list = append(list, s.joined[name])
	}
	return append(list, s.astray(files)...)
}

// astray are files with services that lie beside no metadata.
func (s *Sandbox) astray(metadata []string) (list []*joined) {
	files, _ := filepath.Glob(filepath.Join(s.Providers(), "*.yaml"))
	for _, path := range files {
		if beside := strings.TrimSuffix(path, ".yaml") + ".xml"; !slices.Contains(metadata, beside) {
			list = append(list, &joined{File: filepath.Base(path), Problem: "there is no " + filepath.Base(beside) + " beside it: put the provider's metadata there"})
		}
	}
	return list
}

// stampOf tells one version of a file, and of that beside it, from another.
func stampOf(path string) string {
	stamp := ""
	for _, file := range []string{path, bringsAlong(path)} {
		if info, err := os.Stat(file); err != nil {
			stamp += err.Error()
		} else {
			stamp += fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size(), " ")
		}
	}
	return stamp
}

// read reads one file and lets its provider take part.
func (s *Sandbox) read(path string) *joined {
	j := &joined{File: filepath.Base(path), stamp: stampOf(path)}
	if err := s.admit(path, j); err != nil {
		j.Problem = err.Error()
	}
	return j
}

func (s *Sandbox) admit(path string, j *joined) error {
	doc, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	all, notes, err := saml.ParseMetadata(doc, saml.Trust{File: true}, s.Network.Now())
	if err != nil {
		return err
	}
	if len(all) != 1 || all[0].Entity.Role() != etoegang.Provider {
		return fmt.Errorf("a file describes one service provider, urn:etoegang:DV:<OIN>:entities:<index>")
	}
	j.Entity, j.Notes = all[0].Entity, notes
	for name, other := range s.joined {
		if other.Entity == j.Entity && name != j.File && other.Problem == "" {
			return fmt.Errorf("%s is described in %s already: remove one of the two", j.Entity, name)
		}
	}
	j.client = client{Participant: all[0], title: strings.TrimSuffix(j.File, ".xml"), numbers: map[int]string{}}
	brings, err := readBrought(path)
	if err != nil {
		return err
	}
	for number, service := range brings {
		j.client.numbers[number] = service.Name
	}
	if err := j.client.readWishes(doc); err != nil {
		return err
	}
	j.Clear = j.client.clear
	if j.client.services, err = s.Network.AddProvider(all[0], j.client.title, j.client.clear, brings); err != nil {
		return err
	}
	j.client.own = map[string]harness.Service{}
	for _, name := range j.client.numbers {
		j.client.own[name] = j.client.services[name]
	}
	return nil
}

const spaceMetadata = "urn:oasis:names:tc:SAML:2.0:metadata"

func inMetadata(local string) xmlsec.Name { return xmlsec.Name{Space: spaceMetadata, Local: local} }

// readWishes reads what only a broker wants to know of a provider's metadata. They have been
// read as metadata before, so that they are sound.
func (c *client) readWishes(doc []byte) error {
	document, err := xmlsec.Read(doc, xmlsec.DocumentLimits)
	if err != nil {
		return err
	}
	entity := document.Unverified()
	for entity.Name != inMetadata("EntityDescriptor") {
		next := slices.IndexFunc(entity.Children, func(n *xmlsec.Node) bool {
			return n.Name.Space == spaceMetadata && strings.HasPrefix(n.Name.Local, "Entit")
		})
		entity = entity.Children[next]
	}
	descriptor, err := entity.One(inMetadata("SPSSODescriptor"))
	if err != nil {
		return err
	}
	signed, there := descriptor.Attr("AuthnRequestsSigned")
	c.unsigned = there && (signed == "false" || signed == "0")
	c.resolvers = map[uint16]string{}
	for _, n := range descriptor.All(inMetadata("ArtifactResolutionService")) {
		text, _ := n.Attr("index")
		index, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return fmt.Errorf("ArtifactResolutionService: index %q is not a number", text)
		}
		c.resolvers[uint16(index)], _ = n.Attr("Location")
	}
	return c.readService(descriptor)
}

// readService reads which service is meant by whom does not say it in his request, and what
// the provider wants to know: names of companies, and if it requests the attribute in which
// they stood in 2020, identifiers that are not encrypted.
func (c *client) readService(descriptor *xmlsec.Node) error {
	for _, n := range descriptor.All(inMetadata("AttributeConsumingService")) {
		index, _ := n.Attr("index")
		_, known := serviceName(index)
		if number, err := strconv.Atoi(index); err == nil && c.numbers[number] != "" {
			known = true
		}
		if !known {
			return fmt.Errorf("AttributeConsumingService: index %q is none of a service here: %s", index, indexes())
		}
		if isDefault, _ := n.Attr("isDefault"); c.service == "" || isDefault == "true" || isDefault == "1" {
			c.service = index
		}
		for _, a := range n.All(inMetadata("RequestedAttribute")) {
			c.wish(a)
		}
	}
	return nil
}

// wish notes one requested attribute. What a service here does not have cannot be asked for.
func (c *client) wish(a *xmlsec.Node) {
	name, _ := a.Attr("Name")
	required, _ := a.Attr("isRequired")
	switch {
	case name == string(etoegang.TypeKvKNr):
		c.clear = true
	case slices.Contains(names, name):
		c.wants = append(c.wants, saml.RequestedAttribute{Name: name, Required: required == "true" || required == "1"})
	}
}

// ownNames lists the services that the provider has brought along, as mandates name them.
func (c client) ownNames() (list []string) {
	for name := range c.own {
		list = append(list, c.title+"/"+name)
	}
	slices.Sort(list)
	return list
}

// clients are all providers, by name.
func (s *Sandbox) clients() map[etoegang.EntityID]client {
	all := map[etoegang.EntityID]client{}
	for _, site := range s.sites {
		all[site.entity] = client{
			Participant: site.service.Home.Participant(), title: site.title, service: site.index,
			services: map[string]harness.Service{site.service.Name: site.service}, resolvers: map[uint16]string{0: site.resolution},
			wants: []saml.RequestedAttribute{{Name: etoegang.AttributeRepresentedName}},
		}
	}
	pages := s.asPages()
	all[pages.Entity] = pages
	for _, j := range s.join() {
		if j.Problem == "" {
			all[j.Entity] = j.client
		}
	}
	return all
}
