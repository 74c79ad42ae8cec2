//go:build ignore

// Take writes utrecht.css, and its sum: from the style of @utrecht/component-library-css, which npm
// fetches, it takes the rules for those classes that our templates use, and leaves all others.
// Run it by go generate, after a template uses another class of theirs or
// for a new version.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	name    = "@utrecht/component-library-css"
	version = "9.0.4"
	// integrity is the sum of the package that was looked at, as npm writes it.
	integrity = "sha512-gVA7D6GfP9/+fzehkYLSBR+0UPUTA97PZmgvTYQE88lPQhHGMlUk8FjmCpLKRsRC9hAYd32JuF/KzG6fmBfjJA=="
)

func main() {
	log.SetFlags(0)
	style, err := fetch()
	if err != nil {
		log.Fatal(err)
	}
	used, err := usedClasses()
	if err != nil {
		log.Fatal(err)
	}
	header := fmt.Sprintf("/* Taken by take.go from %s %s, dist/index.css: the rules for the classes that our\n   templates use. Who made it, and its licence: NOTICE. Do not change it here. */\n", name, version)
	taken := []byte(header + take(style, used))
	sum := fmt.Sprintf("%x  utrecht.css\n", sha256.Sum256(taken))
	if err := errors.Join(os.WriteFile("css/utrecht.css", taken, 0o644), os.WriteFile("css/SHA256SUMS", []byte(sum), 0o644)); err != nil {
		log.Fatal(err)
	}
}

// fetch is the style sheet of the package.
func fetch() (string, error) {
	folder, err := os.MkdirTemp("", "take")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	c := exec.Command("npm", "pack", "--silent", name+"@"+version)
	c.Dir, c.Stderr = folder, os.Stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("npm pack: %w", err)
	}
	packed, err := os.ReadFile(filepath.Join(folder, strings.TrimSpace(string(out))))
	if err != nil {
		return "", err
	}
	sum := sha512.Sum512(packed)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != integrity {
		return "", fmt.Errorf("%s %s is another package than the one that was looked at: %s", name, version, got)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	files := tar.NewReader(unzipped)
	for {
		h, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("looking for package/dist/index.css: %w", err)
		}
		if h.Name == "package/dist/index.css" {
			style, err := io.ReadAll(files)
			return string(style), err
		}
	}
}

var class = regexp.MustCompile(`utrecht-[a-z0-9-]+(?:__[a-z0-9-]+)?(?:--[a-z0-9-]+)*`)

// usedClasses are those of theirs in our templates and in the Go files beside them.
func usedClasses() (map[string]bool, error) {
	used := map[string]bool{}
	pages, err := filepath.Glob("pages/*.html")
	if err != nil {
		return nil, err
	}
	code, err := filepath.Glob("*.go")
	if err != nil {
		return nil, err
	}
	code = slices.DeleteFunc(code, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
	for _, file := range append(pages, code...) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, c := range class.FindAllString(string(text), -1) {
			used[c] = true
		}
	}
	for _, kind := range []string{"info", "ok", "warning", "error"} { // of Kind.Alert
		used["utrecht-alert--"+kind] = true
	}
	for _, kind := range []string{"neutral", "safe", "warning", "danger"} { // of Kind.Badge
		used["utrecht-status-badge--"+kind] = true
	}
	return used, nil
}

var comment = regexp.MustCompile(`(?s)/\*.*?\*/`)

// take goes through the rules of a style sheet, or of an at-rule.
func take(style string, used map[string]bool) string {
	var out strings.Builder
	style = comment.ReplaceAllString(style, "")
	for {
		open := strings.IndexByte(style, '{')
		if open < 0 {
			return out.String()
		}
		end := closing(style, open)
		head, body := strings.TrimSpace(style[:open]), style[open+1:end]
		style = style[end+1:]
		if i := strings.LastIndexByte(head, ';'); i >= 0 { // @charset
			head = strings.TrimSpace(head[i+1:])
		}
		switch {
		case strings.HasPrefix(head, "@media"), strings.HasPrefix(head, "@supports"):
			if inner := take(body, used); inner != "" {
				fmt.Fprintf(&out, "%s {\n%s}\n", head, inner)
			}
		case strings.HasPrefix(head, "@"): // key frames, which nothing of ours uses
		default:
			if kept := ofUsed(head, used); kept != "" {
				fmt.Fprintf(&out, "%s {%s}\n", kept, body)
			}
		}
	}
}

// closing is where the brace that opens there is closed.
func closing(style string, open int) int {
	depth := 0
	for i := open; i < len(style); i++ {
		switch style[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	log.Fatalf("no end to %q", style[open:min(len(style), open+80)])
	return 0
}

var unless = regexp.MustCompile(`:not\([^)]*\)`)

// ofUsed are those selectors all of whose classes we use.
func ofUsed(selectors string, used map[string]bool) string {
	var kept []string
	for _, s := range split(selectors) {
		classes := class.FindAllString(unless.ReplaceAllString(s, ""), -1)
		if len(classes) > 0 && !slices.ContainsFunc(classes, func(c string) bool { return !used[c] }) {
			kept = append(kept, strings.TrimSpace(s))
		}
	}
	return strings.Join(kept, ",\n")
}

// split divides a list of selectors at the commas that are in no parentheses.
func split(selectors string) (all []string) {
	depth, from := 0, 0
	for i, c := range selectors {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			all, from = append(all, selectors[from:i]), i+1
		}
	}
	return append(all, selectors[from:])
}
