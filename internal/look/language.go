package look

import (
	"net/http"

	"golang.org/x/text/language"
)

// Language is a language of the pages. Any other value is as good as English.
type Language string

// The languages.
const (
	Dutch   Language = "nl"
	English Language = "en"
)

var (
	languages = []Language{Dutch, English}
	names     = map[Language]string{Dutch: "Nederlands", English: "English"}
	// matcher gives the first to whoever speaks neither.
	matcher = language.NewMatcher([]language.Tag{language.Dutch, language.English})
)

// The language that somebody has chosen is kept in a cookie, which holds nothing else.
const (
	languageParameter = "language"
	languageCookie    = "language"
	languageKept      = 365 * 24 * 60 * 60 // seconds
)

// LanguageOf is the language that a user has chosen, or else the one that the browser asks
// for.
func LanguageOf(r *http.Request) Language {
	if c, err := r.Cookie(languageCookie); err == nil && isLanguage(c.Value) {
		return Language(c.Value)
	}
	wanted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")) // what cannot be read is no wish
	tag, _, _ := matcher.Match(wanted...)
	base, _ := tag.Base()
	return Language(base.String())
}

func isLanguage(s string) bool { return s == string(Dutch) || s == string(English) }

// Switch lets users choose a language on every page behind it: an address with the parameter
// language leads to the same address without it, and the choice is kept. It stands in front
// of all pages of a site.
func Switch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chosen := ""
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			chosen = r.URL.Query().Get(languageParameter)
		}
		if !isLanguage(chosen) {
			next.ServeHTTP(w, r)
			return
		}
		http.SetCookie(w, &http.Cookie{
			Name: languageCookie, Value: chosen, Path: "/", MaxAge: languageKept,
			Secure: r.TLS != nil, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, with(r.URL, languageParameter, ""), http.StatusSeeOther)
	})
}
