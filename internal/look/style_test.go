package look_test

import (
	"crypto/sha256"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/look"
)

// The style is one file that browsers keep for good, and its address tells of its content.
func TestStyle(t *testing.T) {
	w := httptest.NewRecorder()
	look.Style(w, httptest.NewRequest(http.MethodGet, look.StylePath, nil))
	h := w.Header()
	if w.Code != http.StatusOK || h.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(h.Get("Cache-Control"), "immutable") || !regexp.MustCompile(`^/look/[0-9a-f]{16}\.css$`).MatchString(look.StylePath) {
		t.Errorf("HTTP %d at %s: %v", w.Code, look.StylePath, h)
	}
	// Nothing is fetched from anywhere, and nothing is a picture in disguise.
	if strings.Contains(w.Body.String(), "url(") || strings.Contains(w.Body.String(), "@import") || strings.Contains(w.Body.String(), "@font-face") {
		t.Error("the style loads something")
	}
}

// Other people's style is as it was taken, of the version that NOTICE names: what is to look otherwise
// is changed in ours, where the next version does not undo it.
func TestTheirStyleIsTheirs(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		content, err := os.ReadFile(filepath.Join("css", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	style := read("utrecht.css")
	if got, want := fmt.Sprintf("%x  utrecht.css\n", sha256.Sum256([]byte(style))), read("SHA256SUMS"); got != want {
		t.Errorf("it was taken as %s, and is now %s: change css/look.css, or run go generate", want, got)
	}
	version := regexp.MustCompile(`@utrecht/component-library-css [0-9.]+[0-9]`)
	if got, want := version.FindString(style), version.FindString(read("NOTICE")); got != want || got == "" {
		t.Errorf("the style is of %q, and NOTICE says %q", got, want)
	}
}

var class = regexp.MustCompile(`\b(?:utrecht|look)-[a-z0-9-]+(?:__[a-z0-9-]+)?(?:--[a-z0-9-]+)*`)

// classes are those that files speak of, where this stands before them.
func classes(t *testing.T, pattern, before string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue // what a test speaks of is not used by that
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range class.FindAllIndex(source, -1) {
			if before == "" || strings.HasSuffix(string(source[:at[0]]), before) {
				found[string(source[at[0]:at[1]])] = true
			}
		}
	}
	return found
}

// made are the classes that templates make of a beginning and a kind.
func made() (list []string) {
	for _, k := range []look.Kind{look.Info, look.Done, look.Warning, look.Error} {
		list = append(list, "utrecht-alert--"+k.Alert(), "utrecht-status-badge--"+k.Badge(), "look-svg-"+k.Name(), "look-key-"+k.Name())
	}
	for _, part := range (look.DateInput{}).Asked() {
		list = append(list, fmt.Sprint("look-wide-", part.Width))
	}
	return list
}

// Of other people's style we have what we use and nothing else, and of our own no more. What
// templates make has a rule.
func TestOnlyWhatIsUsed(t *testing.T) {
	used := classes(t, "pages/*.html", "")
	for c := range classes(t, "*.go", "") {
		used[c] = true
	}
	for _, c := range made() {
		used[c] = true
	}
	ruled := map[string]bool{}
	for _, file := range []string{"css/utrecht.css", "css/look.css"} {
		for c := range classes(t, file, ".") {
			ruled[c] = true
			if !used[c] && c != "utrecht-button--disabled" { // what their buttons must not be
				t.Errorf("%s has a rule for %s, which no template uses", file, c)
			}
		}
	}
	for _, c := range made() {
		if !ruled[c] {
			t.Errorf("templates make %s, for which there is no rule", c)
		}
	}
}

var token = regexp.MustCompile(`(--look-[a-z-]+): (#[0-9a-f]{6});`)

// colours are the tokens of one scheme, light or dark.
func colours(t *testing.T, dark bool) map[string]float64 {
	t.Helper()
	source, err := os.ReadFile("css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, found := strings.Cut(string(source), "@media screen and (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("there is no dark")
	}
	all := map[string]float64{}
	for _, m := range token.FindAllStringSubmatch(light, -1) {
		all[m[1]] = luminance(t, m[2])
	}
	if dark {
		n := 0
		for _, m := range token.FindAllStringSubmatch(rest, -1) {
			all[m[1]] = luminance(t, m[2])
			n++
		}
		if n != len(all) {
			t.Errorf("%d colours in the dark, %d in the light", n, len(all))
		}
	}
	return all
}

// luminance is WCAG's relative luminance.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(v uint64) float64 {
		s := float64(v&0xff) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}

// Whatever stands on something can be read on it: letters with 4.5 to 1, lines and surfaces
// that mean something with 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11).
func TestContrast(t *testing.T) {
	for _, dark := range []bool{false, true} {
		c := colours(t, dark)
		check := func(front, back string, want float64) {
			t.Helper()
			f, known := c["--look-"+front]
			b, alsoKnown := c["--look-"+back]
			if got := (max(f, b) + 0.05) / (min(f, b) + 0.05); !known || !alsoKnown || got < want {
				t.Errorf("dark %v: %s on %s is %.2f to 1", dark, front, back, got)
			}
		}
		for _, paper := range []string{"paper", "surface", "info-paper", "done-paper", "warning-paper", "danger-paper"} {
			check("ink", paper, 7)
		}
		for _, paper := range []string{"paper", "surface"} {
			for _, letters := range []string{"soft", "accent", "accent-strong", "danger"} {
				check(letters, paper, 4.5)
			}
			check("edge", paper, 3)
		}
		for _, kind := range []string{"done", "warning", "danger"} {
			check(kind, kind+"-paper", 4.5)
			check(kind, "track", 3)
			check(kind, "paper", 3)
		}
		check("accent", "info-paper", 4.5)
		check("accent-strong", "info-paper", 4.5)
		check("accent", "track", 3)
		for _, ground := range []string{"accent", "accent-strong"} {
			check("on-accent", ground, 4.5)
		}
		for _, ground := range []string{"danger", "danger-strong"} {
			check("on-danger", ground, 4.5)
		}
	}
}
