package notices

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// subjects says what a letter is called that has news of one kind. Who adds a kind decides here,
// too, what may be read of it on a locked telephone.
var subjects = map[mandate.News]string{
	mandate.NewsAnswer: "subject answer", mandate.NewsSign: "subject answer",
	mandate.NewsNarrowed: "subject less", mandate.NewsPaused: "subject less", mandate.NewsEnded: "subject less",
	mandate.NewsLapsed: "subject less", mandate.NewsUnmanaged: "subject less", mandate.NewsStanding: "subject less",
	mandate.NewsAsked: "subject news", mandate.NewsAgreed: "subject news", mandate.NewsGranted: "subject news", mandate.NewsRefused: "subject news",
	mandate.NewsRecalled: "subject news", mandate.NewsUnanswered: "subject news", mandate.NewsResumed: "subject news", mandate.NewsEnding: "subject news",
	mandate.NewsUnused: "subject news", mandate.NewsAppointmentEnding: "subject news",
}

// kinds are all kinds of news for which there is a name.
func kinds(t *testing.T) (list []mandate.News) {
	t.Helper()
	file := must(parser.ParseFile(token.NewFileSet(), "../../pkg/mandate/news.go", nil, 0))
	for n := range ast.Preorder(file) {
		v, is := n.(*ast.ValueSpec)
		if !is || v.Type == nil {
			continue
		}
		if kind, named := v.Type.(*ast.Ident); named && kind.Name == "News" {
			list = append(list, mandate.News(strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)))
		}
	}
	return list
}

// tells is what a subject gives away of the scene; "": nothing.
func tells(subject string) string {
	for _, of := range []string{"Bakkerij", "Kantoor", "Bol", "Willem", "Geheim", "Person"} {
		if strings.Contains(subject, of) {
			return of
		}
	}
	if i := strings.IndexAny(subject, "0123456789@{}[]"); i >= 0 {
		return subject[i:]
	}
	return ""
}

// Whatever a letter is about, its subject names no person and no company, has no number and no
// address: in both languages, of every kind of news that there is.
func TestSubjectsNameNobody(t *testing.T) {
	all := kinds(t)
	for _, known := range [][]mandate.News{slices.Collect(maps.Keys(subjects)), mandate.AllNews} {
		if got, want := slices.Sorted(slices.Values(known)), slices.Sorted(slices.Values(all)); !slices.Equal(got, want) {
			t.Fatalf("known are %q, and there are %q", got, want)
		}
	}
	for name, text := range texts {
		if strings.HasPrefix(name, "subject ") && tells(text.NL)+tells(text.EN) != "" {
			t.Errorf("%s: %q, %q", name, text.NL, text.EN)
		}
	}

	s := newScene(t, servers.MailOptions{})
	readers := map[look.Language]desk.Caller{look.Dutch: s.appoint(bakery, mandate.Administrator, anna, "nl"), look.English: s.appoint(bakery, mandate.Administrator, bea, "en")}
	asked := must(s.desk.Ask(ctx, s.appoint(office, mandate.Administrator, bol, "nl"), "books", s.wish(1))).Mandate
	wish := s.wish(2)
	wish.Kind, wish.Intermediary, wish.Reference = mandate.Direct, desk.Party{}, "for Willem"
	wish.Person = desk.PersonWish{Subject: must(subject()), Name: "Willem Geheim"}
	granted := must(s.desk.Ask(ctx, readers[look.Dutch], "own", wish)).Mandate
	for _, kind := range all {
		notice := register.Notice{News: kind, To: granted.Grantor.ID, Days: 30, Once: string(kind)}
		switch kind {
		case mandate.NewsAppointmentEnding, mandate.NewsUnmanaged:
			notice.Appointment = readers[look.Dutch].Appointment
		case mandate.NewsStanding:
			notice.Company = granted.Grantor.ID
		case mandate.NewsAnswer, mandate.NewsSign:
			notice.Mandate = asked.ID
		default:
			notice.Mandate = granted.ID
		}
		for language, reader := range readers {
			var made register.Letter
			_ = must(s.r.Change(ctx, keeper, func(t *register.Tx) (err error) {
				notice.Once = string(kind) + string(language)
				_ = must(t.AddNotice(notice))
				waiting := must(t.Snapshot().Untold(granted.Grantor.ID, 1000))
				made, err = t.WriteLetter(reader.Appointment, []register.NoticeID{waiting[len(waiting)-1].ID})
				return err
			}))
			letter := must(s.post.letter(ctx, made))
			if got := tells(letter.Subject); got != "" || letter.Subject != texts.In(language).Say(subjects[kind]) {
				t.Errorf("%s in %s is called %q, which tells %q", kind, language, letter.Subject, got)
			}
		}
	}
}
