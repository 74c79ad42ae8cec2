package pages_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/mandate"
)

// people are some of those who may come to a page. Programs and readers are none of them: they have
// keys and no log-in, and come to the API.
type people int

const (
	stranger people = 1 << iota // has not logged in
	guest                       // has logged in, and has no role
	administrator
	director
	clerk // of the register's staff

	nobody    people = 0
	companies        = administrator | director
	appointed        = companies | clerk
	visitors         = appointed | guest
	everybody        = visitors | stranger
)

// String is what one of them is called.
func (p people) String() string {
	return map[people]string{stranger: "a stranger", guest: "a guest", administrator: "an administrator", director: "a director", clerk: "the staff"}[p]
}

// access says of every page who may use it, and whom of them it asks to log in once more when his
// log-in is not of a moment ago. It is written by hand: who adds a page decides here, too, for whom.
var access = map[string]struct{ may, anew people }{
	"GET /{$}":           {everybody, nobody},
	"GET /login":         {everybody, nobody},
	"GET /login/return":  {everybody, nobody},
	"POST /login/return": {everybody, nobody},
	"POST /logout":       {everybody, nobody},
	"GET /role":          {visitors, nobody},
	"POST /role":         {visitors, nobody},
	"GET /invitation":    {everybody, nobody},
	"POST /invitation":   {visitors, nobody},

	"GET /mandates":               {companies, nobody},
	"GET /mandates/{id}":          {appointed, nobody},
	"POST /mandates/{id}/suspend": {appointed, nobody},
	"POST /mandates/{id}/resume":  {appointed, clerk},
	"GET /mandates/{id}/revoke":   {appointed, clerk},
	"POST /mandates/{id}/revoke":  {appointed, clerk},
	"GET /mandates/{id}/narrow":   {appointed, clerk},
	"POST /mandates/{id}/narrow":  {appointed, clerk},
	"GET /mandates/{id}/renew":    {companies, nobody},
	"POST /mandates/{id}/renew":   {companies, nobody},

	"GET /requests":              {appointed, nobody},
	"GET /requests/{id}":         {appointed, nobody},
	"POST /requests/{id}/accept": {appointed, clerk},
	"POST /requests/{id}/refuse": {appointed, clerk},

	"GET /grant/{kind}":          {appointed, nobody},
	"POST /grant/{kind}":         {appointed, nobody},
	"GET /drafts/{draft}/who":    {appointed, nobody},
	"POST /drafts/{draft}/who":   {appointed, nobody},
	"GET /drafts/{draft}/what":   {appointed, nobody},
	"POST /drafts/{draft}/what":  {appointed, nobody},
	"GET /drafts/{draft}/check":  {appointed, clerk},
	"POST /drafts/{draft}/check": {appointed, clerk},

	"GET /clients":                   {companies, nobody},
	"POST /clients":                  {companies, nobody},
	"GET /people/{person}/offboard":  {companies, companies},
	"POST /people/{person}/offboard": {companies, companies},

	"GET /people/{person}/handover":            {companies, companies},
	"POST /people/{person}/handover":           {companies, companies},
	"GET /people/{person}/handover/{handover}": {companies, nobody},

	"GET /people/{person}/ended": {companies, nobody},

	"GET /appointments":               {appointed, nobody},
	"GET /appointments/new":           {appointed, appointed},
	"POST /appointments/new":          {appointed, appointed},
	"GET /contact":                    {appointed, nobody},
	"POST /contact":                   {appointed, nobody},
	"GET /letters/{letter}":           {appointed, nobody},
	"GET /appointments/{id}/dismiss":  {appointed, appointed},
	"POST /appointments/{id}/dismiss": {appointed, appointed},

	"GET /parties":                      {clerk, nobody},
	"POST /parties":                     {clerk, nobody},
	"GET /organisations/{organisation}": {clerk, nobody},
	"GET /people/{person}":              {clerk, nobody},
	"GET /organisations/{organisation}/appointments/{id}":          {clerk, nobody},
	"GET /organisations/{organisation}/appointments/{id}/dismiss":  {clerk, clerk},
	"POST /organisations/{organisation}/appointments/{id}/dismiss": {clerk, clerk},

	"GET /stop":                               {clerk, nobody},
	"POST /stop":                              {clerk, nobody},
	"GET /organisations/{organisation}/stop":  {clerk, clerk},
	"POST /organisations/{organisation}/stop": {clerk, clerk},
	"GET /people/{person}/stop":               {clerk, clerk},
	"POST /people/{person}/stop":              {clerk, clerk},

	"GET /clients/list":                  {companies, nobody},
	"GET /clients/many":                  {companies, nobody},
	"POST /clients/many":                 {companies, nobody},
	"GET /clients/many/{asking}":         {companies, nobody},
	"GET /clients/many/{asking}/letters": {companies, nobody},
	"GET /clients/renew":                 {companies, nobody},
	"POST /clients/renew":                {companies, nobody},
	"GET /clients/asked":                 {companies, nobody},
	"GET /clients/asked/list":            {companies, nobody},
	"GET /clients/asked/letters":         {companies, nobody},
	"GET /requests/{id}/letter":          {companies, nobody},

	"GET /teams":                        {companies, nobody},
	"POST /teams":                       {companies, nobody},
	"GET /teams/{id}":                   {companies, nobody},
	"POST /teams/{id}/name":             {companies, nobody},
	"POST /teams/{id}/end":              {companies, nobody},
	"GET /teams/{id}/join":              {companies, nobody},
	"POST /teams/{id}/join":             {companies, nobody},
	"GET /teams/{id}/members/{person}":  {companies, nobody},
	"POST /teams/{id}/members/{person}": {companies, nobody},
	"GET /teams/{id}/clients":           {companies, nobody},
	"POST /teams/{id}/clients":          {companies, nobody},
	"POST /teams/{id}/search":           {companies, nobody},
	"GET /teams/{id}/clients/{client}":  {companies, nobody},
	"POST /teams/{id}/clients/{client}": {companies, nobody},
	"GET /teams/{id}/fill":              {companies, nobody},
	"POST /teams/{id}/fill":             {companies, nobody},
	"GET /teams/{id}/fill/{filling}":    {companies, nobody},

	"GET /costs":      {appointed, nobody},
	"GET /costs/list": {appointed, nobody},

	"GET /standing":  {clerk, clerk},
	"POST /standing": {clerk, clerk},

	"GET /journal":               {clerk, nobody},
	"POST /journal":              {clerk, nobody},
	"GET /peers":                 {clerk, nobody},
	"GET /catalogue":             {clerk, nobody},
	"POST /catalogue":            {clerk, nobody},
	"GET /catalogue/{old}/{new}": {clerk, nobody},
	"POST /catalogue/look":       {clerk, nobody},
}

// What somebody reads who tries a page: that he is in, or why not.
const (
	in         = "he is in"
	logInFirst = "he must log in"
	chooseRole = "he must choose a role"
	notThere   = "there is no such page"
	logInAnew  = "he must log in once more"
)

// Every page is for those whom the table names and for nobody else, whoever tries, whatever the page.
func TestEveryPageForEverybody(t *testing.T) {
	if got, want := slices.Sorted(slices.Values(pages.Patterns())), slices.Sorted(maps.Keys(access)); !slices.Equal(got, want) {
		t.Fatalf("the pages are not those of the table:\n%q\n%q", got, want)
	}
	s := newScene(t)
	all := s.everybody()
	s.tryAll(all, func(pattern string, who people) string {
		switch {
		case access[pattern].may&who != 0:
			return in
		case who == stranger:
			return logInFirst
		case who == guest:
			return chooseRole
		}
		return notThere
	})
	// A quarter of an hour is not over, but a log-in is no longer fresh.
	s.clock.advance(pages.Fresh + 1)
	delete(all, stranger)
	delete(all, guest)
	s.tryAll(all, func(pattern string, who people) string {
		switch {
		case access[pattern].anew&who != 0:
			return logInAnew
		case access[pattern].may&who != 0:
			return in
		}
		return notThere
	})
}

// everybody is one of each, with a browser that stays where it is sent away.
func (s *scene) everybody() map[people]*browser {
	s.Helper()
	all := map[people]*browser{
		stranger: s.browser().visit("/"), guest: s.browser().logIn("Bea Bakker"),
		administrator: s.comes("Bas Bakker", bakery, mandate.Administrator), director: s.comes("Bob Boekhouder", office, mandate.Director),
		clerk: s.comes("Rik Register", registry, mandate.Staff),
	}
	for _, b := range all {
		b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return all
}

// tryAll lets everybody try every page: with nothing behind the doors, where being in cannot be
// mistaken for a page that has reasons of its own; and who may not, with all that is behind them.
func (s *scene) tryAll(all map[people]*browser, want func(pattern string, who people) string) {
	s.Helper()
	whole, hollow := *s.handler.Load(), must(pages.Doors(s.config()))
	for pattern := range access {
		for who, b := range all {
			want := want(pattern, who)
			s.handler.Store(&hollow)
			if got := b.tries(pattern); got != want {
				s.Errorf("%s, %s: %s, but %s", pattern, who, got, want)
			}
			s.handler.Store(&whole)
			if want == in {
				continue
			}
			if got := b.tries(pattern); got != want {
				s.Errorf("%s, %s, with all behind it: %s, but %s", pattern, who, got, want)
			}
		}
	}
}

var inPattern = regexp.MustCompile(`\{[a-z]+\}`)

// tries opens a page, or sends it a form. Only who is in hears what is wrong with his form.
func (b *browser) tries(pattern string) string {
	b.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	path = inPattern.ReplaceAllString(strings.TrimSuffix(path, "{$}"), "1")
	if method == http.MethodGet {
		b.visit(path)
	} else {
		b.send(b.web.URL+path, url.Values{})
	}
	switch title := b.title(); {
	case title == pages.Inside, b.code == http.StatusConflict && strings.Contains(b.text(), b.word("wrong stale")):
		return in
	case b.code == http.StatusForbidden && title == b.word("log in first"):
		return logInFirst
	case b.code == http.StatusSeeOther && b.head.Get("Location") == "/":
		return chooseRole
	case b.code == http.StatusNotFound && title == b.word("not found"):
		return notThere
	case b.code == http.StatusForbidden && title == b.word("log in anew"):
		return logInAnew
	}
	return fmt.Sprintf("HTTP %d %s", b.code, b.title())
}
