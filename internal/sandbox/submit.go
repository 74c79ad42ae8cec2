package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mandated/mandated/internal/review"
)

// submitted is a provider that somebody wants to join, without a file of his own making.
type submitted struct {
	Name     string // of the files: small letters, digits and hyphens
	Metadata []byte // XML
	Services []byte // YAML; empty: none
}

// check says what is wrong before anything is written: line by line of the metadata, or of
// the rest in a sentence.
func (in submitted) check(now time.Time) (findings []review.Finding, err error) {
	if !nameOfService.MatchString(in.Name) {
		return nil, errors.New("name: a name has small letters, digits and hyphens, at most 40")
	}
	findings = review.Metadata(in.Metadata, now)
	_, err = parseBrought(in.Services)
	return findings, err
}

func bad(f review.Finding) bool { return f.Bad }

// submit puts a provider's files into the folder, and lets it take part. If it cannot, the
// folder is as it was.
func (s *Sandbox) submit(in submitted) (*joined, error) {
	path := filepath.Join(s.Providers(), in.Name+".xml")
	before, beside := readOrNil(path), readOrNil(bringsAlong(path))
	if err := errors.Join(replace(bringsAlong(path), in.Services), replace(path, in.Metadata)); err != nil {
		return nil, err
	}
	list := s.join()
	at := slices.IndexFunc(list, func(j *joined) bool { return j.File == filepath.Base(path) })
	if at >= 0 && list[at].Problem == "" {
		return list[at], nil
	}
	err := errors.New("the folder of providers was changed meanwhile")
	if at >= 0 {
		err = errors.New(list[at].Problem)
	}
	return nil, errors.Join(err, replace(bringsAlong(path), beside), replace(path, before))
}

func readOrNil(path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return text
}

// replace gives a file another content at once; none: it is removed.
func replace(path string, text []byte) error {
	if len(text) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// providersPage is where people check metadata and let a provider join.
func (s *Sandbox) providersPage(w http.ResponseWriter, r *http.Request) error {
	s.showProviders(w, r, http.StatusOK, submitted{}, map[string]any{})
	return nil
}

func (s *Sandbox) showProviders(w http.ResponseWriter, r *http.Request, status int, in submitted, data map[string]any) {
	for _, key := range []string{"Findings", "Wrong", "Good", "Joined"} {
		if _, there := data[key]; !there {
			data[key] = nil
		}
	}
	data["Name"], data["Sent"], data["Services"] = in.Name, string(in.Metadata), string(in.Services)
	show(w, r, status, "providers.html", data)
}

// submitPage checks what somebody has filled in, and lets the provider join if he wants that.
func (s *Sandbox) submitPage(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("reading the form: %w", err)
	}
	in := submitted{r.PostForm.Get("name"), []byte(r.PostForm.Get("metadata")), []byte(r.PostForm.Get("services"))}
	data := map[string]any{}
	findings, err := in.check(s.Network.Now())
	data["Findings"], data["Good"] = findings, err == nil && !slices.ContainsFunc(findings, bad)
	if data["Good"] == true && r.PostForm.Get("do") == "join" {
		data["Joined"], err = s.submit(in)
	}
	if err != nil {
		data["Wrong"], data["Good"], data["Joined"] = err.Error(), false, nil
	}
	status := http.StatusOK
	if data["Good"] != true {
		status = http.StatusUnprocessableEntity
	}
	s.showProviders(w, r, status, in, data)
	return nil
}

// addProvider lets a provider join that a program sends.
func (s *Sandbox) addProvider(r *http.Request) (answer, error) {
	sent, err := read[struct {
		Name     string    `json:"name"`
		Metadata string    `json:"metadata"`
		Services []brought `json:"services"`
	}](r)
	if err != nil {
		return answer{}, err
	}
	in := submitted{Name: sent.Name, Metadata: []byte(sent.Metadata)}
	if len(sent.Services) > 0 {
		if in.Services, err = yaml.Marshal(broughtFile{sent.Services}); err != nil {
			return answer{}, err
		}
	}
	findings, err := in.check(s.Network.Now())
	if at := slices.IndexFunc(findings, bad); err == nil && at >= 0 {
		return answer{}, unfit(findings[at].Next.EN, "metadata, line %d: %s", findings[at].Line, findings[at].What.EN)
	}
	var j *joined
	if err == nil {
		j, err = s.submit(in)
	}
	if err != nil {
		return answer{}, unfit("Correct that, and send it again.", "%v", err)
	}
	return created(viewProvider(j))
}

// checkMetadata tells programs what is wrong with metadata.
func (s *Sandbox) checkMetadata(r *http.Request) (answer, error) {
	sent, err := read[struct {
		Metadata string `json:"metadata"`
	}](r)
	if err != nil {
		return answer{}, err
	}
	findings := review.Metadata([]byte(sent.Metadata), s.Network.Now())
	if findings == nil {
		findings = []review.Finding{}
	}
	return ok(map[string]any{"good": !slices.ContainsFunc(findings, bad), "findings": findings})
}
