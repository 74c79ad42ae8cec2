package corpus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// World is what a register and a catalogue hold. Numbers that the file leaves out are
// made up from the order in which things are named, the same on every run.
type World struct {
	Services  map[string]*etoegang.Service
	Order     []string          // the services' names, as they stand in the file
	Instances map[string]string // service name -> ServiceID
	Companies []mandate.Organisation
	Persons   []mandate.Person
	Mandates  []mandate.Mandate

	providers []string
	unblocked []string // companies and persons who were blocked for a while
}

// The participants of every world.
var (
	Here          = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003123456780000:entities:9001"))
	Elsewhere     = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003876543210000:entities:9002"))
	Authenticator = must(etoegang.ParseEntityID("urn:etoegang:AD:00000003123456780000:entities:9003"))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *World) read(text string) error {
	w.Services, w.Instances = map[string]*etoegang.Service{}, map[string]string{}
	for _, line := range lines(text) {
		words := strings.Fields(line)
		var err error
		switch words[0] {
		case "service", "portal":
			err = w.readService(words)
		case "company":
			err = w.readCompany(words)
		case "person":
			err = w.readPerson(words)
		case "mandate":
			err = w.readMandate(words)
		default:
			err = fmt.Errorf("a world has services, portals, companies, persons and mandates")
		}
		if err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
	}
	return nil
}

// fields reads "key value value key value" into a map; a key that takes no value maps
// to an empty list. A slip of the pen is an error: a word that a key cannot take must
// not silently make another case of this one.
func fields(words []string, keys ...string) (map[string][]string, error) {
	out := map[string][]string{}
	key := ""
	for _, word := range words {
		switch {
		case slices.Contains(keys, word) && out[word] != nil:
			return nil, fmt.Errorf("%s stands there twice", word)
		case slices.Contains(keys, word):
			key = word
			out[key] = []string{}
		case key == "" || slices.Contains(flags, key):
			return nil, fmt.Errorf("%q is not one of %s", word, strings.Join(keys, ", "))
		default:
			out[key] = append(out[key], word)
		}
	}
	for key, values := range out {
		if len(values) != 1 && !slices.Contains(flags, key) && !slices.Contains(lists, key) {
			return nil, fmt.Errorf("%s takes one word", key)
		}
	}
	return out, nil
}

// The keys that take no word, and those that take several. All others take one.
var (
	flags = []string{"hidden", "inactive", "blocked", "unblocked", "elsewhere", "confirm-here", "test", "chosen",
		"suspended", "revoked", "lapsed-unused", "requested", "superseded"}
	lists = []string{"by", "opens", "opening", "for", "only"}
)

func one(list []string) string {
	if len(list) != 1 {
		return ""
	}
	return list[0]
}

func (w *World) readService(words []string) error {
	f, err := fields(words[2:], "of", "needs", "by", "with", "shares", "hidden", "opens")
	if err != nil {
		return err
	}
	name := words[1]
	level, err := etoegang.ParseLevelName(one(f["needs"]))
	if err != nil {
		return err
	}
	s := &etoegang.Service{
		UUID:           must(etoegang.ParseServiceUUID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", len(w.Order)+1))),
		Provider:       w.provider(one(f["of"])),
		Level:          level,
		Establishments: one(f["with"]) == "establishments",
		Public:         f["hidden"] == nil,
	}
	if same := one(f["shares"]); same != "" {
		if w.Services[same] == nil {
			return fmt.Errorf("no service %q above", same)
		}
		s.UUID = w.Services[same].UUID
	}
	for set := range strings.SplitSeq(strings.Join(f["by"], " "), " or ") {
		var types []etoegang.EntityType
		for short := range strings.SplitSeq(set, "+") {
			types = append(types, entityType(short))
		}
		s.EntityTypes = append(s.EntityTypes, types)
	}
	if words[0] == "portal" {
		s.Underlying = []etoegang.Target{}
		for _, behind := range f["opens"] {
			if w.Services[behind] == nil {
				return fmt.Errorf("no service %q above", behind)
			}
			s.Underlying = append(s.Underlying, w.Services[behind].Targets()...)
		}
	}
	w.Order = append(w.Order, name)
	w.Services[name] = s
	w.Instances[name] = fmt.Sprintf("urn:etoegang:DV:%s:services:%d", s.Provider, len(w.Order))
	return nil
}

func entityType(short string) etoegang.EntityType {
	for _, t := range []etoegang.EntityType{etoegang.TypeKvKNr, etoegang.TypeRSIN, etoegang.TypeBSN, etoegang.TypePseudoID, etoegang.TypeEIDASLegal} {
		if t.Short() == short {
			return t
		}
	}
	return etoegang.EntityType(short)
}

// provider gives the number of a provider by its name, made up at first sight.
func (w *World) provider(name string) etoegang.OIN {
	i := slices.Index(w.providers, name)
	if i < 0 {
		i = len(w.providers)
		w.providers = append(w.providers, name)
	}
	return must(etoegang.ParseOIN(fmt.Sprintf("00000001%08d0000", i+1)))
}

func (w *World) readCompany(words []string) error {
	f, err := fields(words[2:], "kvk", "rsin", "inactive", "blocked", "unblocked")
	if err != nil {
		return err
	}
	o := mandate.Organisation{
		ID:      mandate.OrganisationID(len(w.Companies) + 1),
		Name:    words[1],
		Active:  f["inactive"] == nil,
		Blocked: f["blocked"] != nil,
	}
	if o.KvK, err = etoegang.ParseKvKNumber(one(f["kvk"])); err != nil {
		return err
	}
	if f["rsin"] != nil {
		o.RSIN, err = etoegang.ParseRSIN(one(f["rsin"]))
	}
	w.Companies = append(w.Companies, o)
	w.noteUnblocked(words[1], f)
	return err
}

func (w *World) noteUnblocked(name string, f map[string][]string) {
	if f["unblocked"] != nil {
		w.unblocked = append(w.unblocked, name)
	}
}

func (w *World) readPerson(words []string) error {
	f, err := fields(words[2:], "inactive", "blocked", "unblocked")
	if err != nil {
		return err
	}
	id := len(w.Persons) + 1
	pseudonym, err := etoegang.ParsePseudonym(fmt.Sprintf("%064x", id))
	w.noteUnblocked(words[1], f)
	w.Persons = append(w.Persons, mandate.Person{
		ID:      mandate.PersonID(id),
		Name:    words[1],
		Subject: etoegang.ActingSubject{Authenticator: Authenticator, Pseudonym: pseudonym},
		Active:  f["inactive"] == nil,
		Blocked: f["blocked"] != nil,
	})
	return err
}

func (w *World) readMandate(words []string) error {
	if words[1] != fmt.Sprint(len(w.Mandates)+1) {
		return fmt.Errorf("mandates are numbered 1, 2, 3 in order")
	}
	f, err := fields(words[3:], "to", "for", "from", "until", "only", "client", "elsewhere",
		"suspended", "revoked", "lapsed-unused", "requested", "superseded")
	if err != nil {
		return err
	}
	m := mandate.Mandate{ID: mandate.ID(len(w.Mandates) + 1), Kind: mandate.Direct, State: mandate.Active}
	grantor := w.company(words[2])
	if grantor == nil {
		return fmt.Errorf("no company %q above", words[2])
	}
	m.Grantor = *grantor
	switch to := one(f["to"]); {
	case w.person(to) != nil:
		m.Person = *w.person(to)
	case w.company(to) != nil:
		m.Kind, m.Intermediary = mandate.Chain, *w.company(to)
	default:
		return fmt.Errorf("nobody %q above", to)
	}
	if f["client"] != nil {
		m.Kind = mandate.Assignment
		if _, err := fmt.Sscan(one(f["client"]), &m.Client); err != nil || int(m.Client) > len(w.Mandates) {
			return fmt.Errorf("client is the number of a mandate above")
		}
	}
	if f["elsewhere"] != nil {
		m.Register = Elsewhere
	}
	return w.readDetails(&m, f)
}

func (w *World) readDetails(m *mandate.Mandate, f map[string][]string) (err error) {
	for _, item := range f["for"] {
		parsed, err := w.item(item)
		if err != nil {
			return err
		}
		m.Scope = append(m.Scope, parsed)
	}
	for _, e := range f["only"] {
		number, err := etoegang.ParseEstablishmentNumber(e)
		if err != nil {
			return err
		}
		m.Establishments = append(m.Establishments, number)
	}
	for _, state := range []mandate.State{mandate.Suspended, mandate.Revoked, mandate.LapsedUnused, mandate.Requested, mandate.Superseded} {
		if f[string(state)] != nil {
			m.State = state
		}
	}
	if m.Validity.From, err = mandate.ParseMoment(one(f["from"])); err != nil {
		return err
	}
	if m.Validity.To, err = mandate.ParseMoment(one(f["until"])); err != nil {
		return err
	}
	w.Mandates = append(w.Mandates, *m)
	return nil
}

// item reads vat@loa3, taxoffice@loa3 or everything@loa3, by the names of the world.
func (w *World) item(text string) (mandate.Item, error) {
	what, level, _ := strings.Cut(text, "@")
	l, err := etoegang.ParseLevelName(level)
	if err != nil {
		return mandate.Item{}, err
	}
	switch {
	case what == "everything":
		return mandate.Everything(l), nil
	case w.Services[what] != nil:
		return mandate.Item{Service: w.Services[what].UUID, Level: l}, nil
	case slices.Contains(w.providers, what):
		return mandate.Item{Provider: w.provider(what), Level: l}, nil
	}
	return mandate.Item{}, fmt.Errorf("%q is no service or provider above", what)
}

func (w *World) company(name string) *mandate.Organisation {
	for i := range w.Companies {
		if w.Companies[i].Name == name {
			return &w.Companies[i]
		}
	}
	return nil
}

func (w *World) companyOf(s etoegang.LegalSubject) *mandate.Organisation {
	for i := range w.Companies {
		if w.Companies[i].Is(s) {
			return &w.Companies[i]
		}
	}
	return nil
}

func (w *World) person(name string) *mandate.Person {
	for i := range w.Persons {
		if w.Persons[i].Name == name {
			return &w.Persons[i]
		}
	}
	return nil
}

func (w *World) serviceName(uuid etoegang.ServiceUUID) string {
	for _, name := range w.Order {
		if w.Services[name].UUID == uuid {
			return name
		}
	}
	return uuid.String()
}

// renderMoment writes a date where the moment is midnight in Amsterdam.
func renderMoment(at time.Time) string {
	if at.Equal(mandate.StartOfDay(at)) {
		return at.Add(12 * time.Hour).UTC().Format(time.DateOnly)
	}
	return at.UTC().Format(time.RFC3339)
}
