package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/sandbox/explain"
	"github.com/mandated/mandated/pkg/harness"
)

// logins lists the log-ins that are remembered.
func (s *Sandbox) logins(w http.ResponseWriter, r *http.Request) error {
	type row struct {
		ID, Provider string
		At           time.Time
		Messages     int
	}
	var rows []row
	for _, login := range s.Log.Logins() {
		first := login.Messages[0] // between the provider and the broker
		provider := first.From
		if provider == s.broker.title {
			provider = first.To
		}
		rows = append(rows, row{login.ID, titleIn(provider, look.LanguageOf(r)), login.Started, len(login.Messages)})
	}
	show(w, r, http.StatusOK, "logins.html", rows)
	return nil
}

// titleIn is how people call a party in that language. Who has joined has one name in all.
func titleIn(title string, language look.Language) string {
	if name, known := texts["party "+title]; known {
		return name.In(language)
	}
	return title
}

// explained shows every message of one log-in with its explanation.
func (s *Sandbox) explained(w http.ResponseWriter, r *http.Request) error {
	login, known := s.Log.Login(r.PathValue("id"))
	if !known {
		http.NotFound(w, r)
		return nil
	}
	speak := look.LanguageOf(r)
	describe(w, speak, ofExplain)
	return explain.Page(w, speak, explain.Login{
		Title:    texts.In(speak).Say("explained"),
		Outcome:  login.ending(speak),
		Messages: s.explain(login, speak),
		Links:    []explain.Link{{Text: texts.In(speak).Say("logins"), Address: "/logins/"}, {Text: texts.In(speak).Say("back"), Address: "/"}},
	})
}

// explain explains every message of a log-in. Parties are called as in that language.
func (s *Sandbox) explain(login Login, speak look.Language) []explain.Explained {
	cast := s.cast()
	messages := make([]explain.Message, len(login.Messages))
	for i, m := range login.Messages {
		messages[i] = explain.Message{At: m.At, From: entityOf(cast, m.From), To: entityOf(cast, m.To), Binding: m.Binding, Raw: m.Raw}
	}
	for i := range cast {
		cast[i].Name = titleIn(cast[i].Name, speak)
	}
	return explain.Explain(cast, messages...)
}

// ending tells in sentences what went wrong on purpose, and how the log-in ended.
func (l Login) ending(language look.Language) string {
	var parts []string
	if f := faultNamed(l.Fault); f != nil {
		parts = append(parts, texts.In(language).Say("onPurpose"), f.Name+".", f.What.In(language), f.After.In(language))
	}
	switch o := l.Outcome; {
	case o == nil:
		parts = append(parts, texts.In(language).Say("noOutcome"))
	case o.Problem != "":
		parts = append(parts, o.Problem)
	default:
		parts = append(parts, texts.In(language).Say("status"), o.Status, o.Message)
	}
	parts = append(parts, l.Troubles...)
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}

// cast is everybody who takes part, with the keys of those whom we play.
func (s *Sandbox) cast() (cast explain.Cast) {
	n := s.Network
	for _, p := range []*harness.Party{n.Broker.Party, n.Authenticator, n.First.Party, n.Second.Party} {
		cast = append(cast, explain.Party{Entity: p.Entity.String(), Name: p.Title, Signing: p.Participant().Signing, Openers: p.Openers()})
	}
	for entity, c := range s.clients() {
		cast = append(cast, explain.Party{Entity: entity.String(), Name: c.title, Signing: c.Signing, Openers: c.home().Openers()})
	}
	return cast
}

// home is who the provider is in the network.
func (c client) home() *harness.Party {
	for _, s := range c.services {
		return s.Home
	}
	return nil
}

// entityOf finds who has a title; of nobody it stays.
func entityOf(cast explain.Cast, title string) string {
	for _, p := range cast {
		if p.Name == title {
			return p.Entity
		}
	}
	return title
}
