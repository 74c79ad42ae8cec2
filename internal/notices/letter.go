package notices

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// longestList is how many things of one kind a letter names; how many more there are, it
// says.
const longestList = 50

// letter writes a letter as it is sent: at every try the same, but to where its reader wants to
// be written to now. errNobody: he does not, any more.
func (p *Post) letter(ctx context.Context, l register.Letter) (letter mail.Letter, err error) {
	letter = mail.Letter{ID: p.messageID(l.ID), Date: mandate.InAmsterdam(l.At)}
	if err := p.Register.Read(ctx, func(s *register.Snapshot) error {
		a, err := s.Appointment(l.Appointment)
		if err != nil {
			return err
		}
		if !a.ToldOf(p.Register.Now()) {
			return errNobody
		}
		letter.To = a.Contact.Email
		return nil
	}); err != nil {
		return letter, err
	}
	err = p.Register.ReadAt(ctx, l.Made, func(s *register.Snapshot) error {
		a, err := s.Appointment(l.Appointment)
		if err != nil {
			return err
		}
		list, err := s.NoticesIn(l.ID)
		if err != nil {
			return err
		}
		w := writer{s, texts.In(look.Language(a.Contact.Language))}
		letter.Language, letter.Subject = a.Contact.Language, w.subject(list)
		letter.Text, err = w.text(p, a, list)
		return err
	})
	return letter, err
}

// messageID is the name of a letter: the same for every try, of no other register's letter,
// and without its number, which would tell how many there are.
func (p *Post) messageID(id register.LetterID) string {
	mac := hmac.New(sha256.New, p.Register.Key("letters"))
	mac.Write([]byte(strconv.FormatInt(int64(id), 10)))
	return "letter-" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// writer writes in one language what was known at one revision.
type writer struct {
	*register.Snapshot
	say look.Words
}

// subject is what the most pressing of the news is about. It names nobody: subjects are shown
// on locked telephones, and kept by mail servers.
func (w writer) subject(list []register.Notice) string {
	any := func(is func(mandate.News) bool) bool {
		return slices.ContainsFunc(list, func(n register.Notice) bool { return is(n.News) })
	}
	switch {
	case any(mandate.News.NeedsAnswer):
		return w.say.Say("subject answer")
	case any(mandate.News.TakesAway):
		return w.say.Say("subject less")
	}
	return w.say.Say("subject news")
}

func (w writer) text(p *Post, a mandate.Appointment, list []register.Notice) (string, error) {
	parts := []string{w.say.Say("dear")}
	if a.Organisation.ID == 0 {
		parts = append(parts, w.say.Say("about work"))
	} else {
		parts = append(parts, w.say.Say("about", "organisation", w.company(a.Organisation)))
	}
	for _, group := range groups(list) {
		part, err := w.group(group)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	if p.Pages != "" {
		parts = append(parts, w.say.Say("pages", "address", p.Pages))
	} else {
		parts = append(parts, w.say.Say("no pages"))
	}
	if p.Desk != "" {
		parts = append(parts, w.say.Say("desk", "desk", p.Desk))
	}
	parts = append(parts, w.say.Say("why you"))
	return strings.Join(parts, "\n\n") + "\n", nil
}

// groups puts news of one kind together: what needs an answer first, then what takes something
// away, then the rest.
func groups(list []register.Notice) (groups [][]register.Notice) {
	place := func(n register.Notice) int {
		i := slices.Index(mandate.AllNews, n.News)
		switch {
		case n.News.NeedsAnswer():
			return i
		case n.News.TakesAway():
			return i + len(mandate.AllNews)
		}
		return i + 2*len(mandate.AllNews)
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b register.Notice) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Days, b.Days))
	})
	for i, n := range list {
		if i == 0 || n.News != list[i-1].News || n.Days != list[i-1].Days {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], n)
	}
	return groups
}

// group says what happened, what to do next, and to what it happened.
func (w writer) group(list []register.Notice) (string, error) {
	kind := string(list[0].News)
	lines := []string{
		w.say.Count(kind, len(list), "days", list[0].Days),
		w.say.Say(kind + " next"),
	}
	for _, n := range list[:min(len(list), longestList)] {
		line, err := w.line(n)
		if err != nil {
			return "", err
		}
		lines = append(lines, "- "+line)
	}
	if more := len(list) - longestList; more > 0 {
		lines = append(lines, "- "+w.say.Count("more", more))
	}
	return strings.Join(lines, "\n"), nil
}

// line names what a notice is about.
func (w writer) line(n register.Notice) (string, error) {
	switch {
	case n.Mandate != 0:
		return w.mandate(n)
	case n.Appointment != 0:
		a, err := w.Appointment(n.Appointment)
		return w.appointment(a), err
	}
	o, err := w.OrganisationNumbered(n.Company)
	if err != nil {
		return "", err
	}
	e, err := w.Entry(n.Company)
	return w.say.Say("company", "organisation", w.company(*o), "standing", w.say.Say("standing "+string(e.Standing))), err
}

func (w writer) mandate(n register.Notice) (string, error) {
	m, err := w.Mandate(n.Mandate)
	if err != nil {
		return "", err
	}
	client := m
	if m.Kind == mandate.Assignment {
		if client, err = w.Mandate(m.Client); err != nil {
			return "", err
		}
	}
	what := w.say.Say(string(m.Kind), "number", strconv.FormatInt(int64(m.ID), 10), "grantor", w.company(m.Grantor),
		"receiver", w.company(m.Intermediary), "client", w.company(client.Grantor))
	switch n.News {
	case mandate.NewsAnswer, mandate.NewsSign:
		r, err := w.Request(m.ID)
		return w.say.Say("answer by", "what", what, "moment", w.say.Moment(r.Expires)), err
	case mandate.NewsGranted, mandate.NewsEnding, mandate.NewsNarrowed:
		return w.say.Say("until", "what", what, "date", w.say.Date(m.Validity.To)), nil
	}
	return w.say.Say("plain", "what", what), nil
}

// appointment names an appointment, and not who has it.
func (w writer) appointment(a mandate.Appointment) string {
	number := strconv.FormatInt(int64(a.ID), 10)
	what := w.say.Say("appointment here", "number", number)
	if a.Organisation.ID != 0 {
		what = w.say.Say("appointment", "number", number, "role", w.say.Say(string(a.Role)), "organisation", w.company(a.Organisation))
	}
	return w.say.Say("until", "what", what, "date", w.say.Date(a.Validity.To))
}

// longestName is how many characters of a name stand in a letter.
const longestName = 80

// company is the name of a company as it can stand in a letter of ours. Whoever asks a company
// for a mandate may have been the first to name it: so no name is a line of its own, or leads
// anywhere.
func (w writer) company(o mandate.Organisation) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, o.Name)
	name = strings.Join(strings.Fields(strings.ReplaceAll(name, "://", " ")), " ")
	if letters := []rune(name); len(letters) > longestName {
		name = string(letters[:longestName]) + "..."
	}
	if name == "" {
		return w.say.Say("nameless", "number", o.KvK.Text())
	}
	return name
}
