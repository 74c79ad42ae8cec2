package sandbox

import "github.com/mandated/mandated/internal/look"

// Texts are the words of the pages.
func Texts() look.Texts { return texts }

// Faults lists the faults, for tests that want to have tried them all.
func Faults() []Fault { return faults }

// Routes lists what the API answers, for tests of the page that tells it.
func (s *Sandbox) Routes() []route { return s.apiRoutes() }
