package sandbox

import (
	"maps"
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
)

// everyService gives all services by the names that mandates know them by: those of the
// sandbox by their own, those that a provider has brought along by its file and their name.
func (s *Sandbox) everyService() map[string]harness.Service {
	all := maps.Clone(s.Network.Services)
	for _, j := range s.join() {
		if j.Problem == "" {
			for name, own := range j.client.own {
				all[j.client.title+"/"+name] = own
			}
		}
	}
	return all
}

func (s *Sandbox) serviceCalled(name string) (harness.Service, bool) {
	service, known := s.everyService()[name]
	return service, known
}

// serviceNames lists the services that mandates can be about: a portal is none.
func (s *Sandbox) serviceNames() []string {
	all := s.everyService()
	maps.DeleteFunc(all, func(_ string, service harness.Service) bool { return service.Behind != nil })
	return slices.Sorted(maps.Keys(all))
}

// serviceWith names the service of that UUID; as it is, if it is of a provider that is gone.
func (s *Sandbox) serviceWith(uuid etoegang.ServiceUUID) string {
	for name, service := range s.everyService() {
		if service.UUID == uuid {
			return name
		}
	}
	return uuid.String()
}
