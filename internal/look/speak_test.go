package look_test

import (
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/look"
)

// Days are those of Amsterdam, numbers have the signs of their language.
func TestSpeaking(t *testing.T) {
	late := time.Date(2026, 11, 28, 23, 30, 0, 0, time.UTC)
	for got, want := range map[string]string{
		look.Dutch.Date(late): "29 november 2026", look.English.Date(late): "29 November 2026", look.Dutch.Clock(late): "00:30",
		look.Dutch.Moment(late): "29 november 2026 om 00:30 uur", look.English.Moment(late): "29 November 2026 at 00:30",
		look.Dutch.Date(time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC)): "1 april 2026", // an hour more in summer
		look.Dutch.Number(1234567):                                     "1.234.567", look.English.Number(-1234): "-1,234", look.Dutch.Number(999): "999", look.Dutch.Number(-100): "-100",
		look.English.Number(-1 << 63):  "-9,223,372,036,854,775,808",
		look.Language("de").Date(late): "29 November 2026",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The words of the look itself are all there.
func TestOurWords(t *testing.T) {
	for _, wrong := range look.Ours.Check(os.DirFS(".")) {
		t.Error(wrong)
	}
}

// Check finds each kind of mistake, and nothing in words that are right.
func TestCheck(t *testing.T) {
	good := look.Text{NL: "{n} dag | {n} dagen", EN: "{n} day | {n} days"}
	for want, c := range map[string]struct {
		texts  look.Texts
		source string
	}{
		"": {look.Texts{"days": good, "x": {NL: "ja", EN: "yes"}}, `say.Count("days", 2); say.Say("x"); say.Say("party " + name)`},
		`"x" is not said in both languages: "ja", " "`:                 {look.Texts{"x": {NL: "ja", EN: " "}}, ""},
		`"x" has the gaps ["{wie}"] in Dutch and ["{who}"] in English`: {look.Texts{"x": {NL: "{wie}", EN: "{who}"}}, ""},
		`"x" has 2 forms in Dutch and 1 in English`:                    {look.Texts{"x": {NL: "a | b", EN: "a"}}, ""},
		`room.go says "y", for which there are no words`:               {look.Texts{"x": {NL: "ja", EN: "yes"}}, `say.Say("y", "n", 1)`},
	} {
		wrong := c.texts.Check(fstest.MapFS{"room.go": {Data: []byte(c.source)}, "room_test.go": {Data: []byte(`say.Say("z")`)}})
		if want == "" && len(wrong) > 0 || want != "" && !slices.Equal(wrong, []string{want}) {
			t.Errorf("%q, want %q", wrong, want)
		}
	}
	wrong := look.Texts{}.Check(fstest.MapFS{"pages/a.html": {Data: []byte(`{{say "missing"}}`)}, "other/a.go": {Data: []byte(`say("another room's")`)}})
	if !slices.Equal(wrong, []string{`pages/a.html says "missing", for which there are no words`}) {
		t.Errorf("%q", wrong)
	}
}

// A gap is filled in once: what a stranger is called cannot fill in others.
func TestSaying(t *testing.T) {
	say := look.Texts{"hi": {NL: "Dag {a} en {b}", EN: "Hi {a} and {b}"}, "n": {NL: "één dag | {n} dagen", EN: "one day | {n} days"}}.In(look.Dutch)
	for got, want := range map[string]string{
		say.Say("hi", "a", "{b}", "b", 1234): "Dag {b} en 1.234", say.Count("n", 1): "één dag", say.Count("n", 0): "0 dagen", say.Count("n", 1000): "1.000 dagen", say.Say("no"): "[no]", say.Count("no", 1): "[no]",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The language is the one that was chosen, or the first of those that the browser wants and
// we speak.
func TestLanguageOf(t *testing.T) {
	for header, want := range map[string]look.Language{
		"": "nl", "en": "en", "en-GB,nl;q=0.5": "en", "nl-BE": "nl", "fr": "nl", "fr, en;q=0.1": "en", "\xff;;;": "nl", "*": "nl",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", header)
		if got := look.LanguageOf(r); got != want {
			t.Errorf("%q: %s", header, got)
		}
	}
}

// Each day that was is read as it was written, at its own midnight in Amsterdam; days that
// never were are told from nothing.
func TestDates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), 0)
		at, err := look.DateOf(day).At()
		if err != nil || look.Dutch.Date(at) != look.Dutch.Date(day) || look.Dutch.Clock(at) != "00:00" {
			t.Fatalf("%s became %s: %v", day, at, err)
		}
	})
	for _, bad := range []look.DateInput{{"31", "4", "2026"}, {"29", "2", "2026"}, {"1", "", "2026"}, {"x", "1", "2026"}, {"1", "13", "2026"}, {"1", "1", "26"}, {"0", "1", "2026"}, {"-1", "1", "2026"}, {"1", "1", "0026"}} {
		if _, err := bad.At(); err != look.ErrBadDate {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := (look.DateInput{" ", "", ""}).At(); err != look.ErrNoDate {
		t.Error(err)
	}
	form := url.Values{"start-day": {" 1"}, "start-month": {"12 "}, "start-year": {"2026"}}
	if at, err := look.ReadDate(form, "start").At(); err != nil || look.English.Date(at) != "1 December 2026" {
		t.Error(at, err)
	}
}
