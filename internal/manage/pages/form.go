package pages

import (
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// How much somebody may send, in bytes: nothing larger is kept or shown again.
const (
	biggestAnswer  = 1 << 20 // of the broker, in a form: an assertion is in it
	biggestForm    = 64 << 10
	biggestList    = 1 << 20  // in a form: a list of clients
	biggestEdition = 64 << 20 // in a form: an edition of the service catalogue
	longestName    = 100      // of a field
	longestValue   = 1000
	longestKey     = 16 << 10 // of a program, with the certificates of whoever issued it
	longestAddress = 6000
	longestHere    = 2000 // of an address to come back to, which becomes a part of another
)

// Somebody sends more than any page of ours asks for, or a file that is larger than the page
// takes.
var (
	errTooMuch    = errors.New("pages: a form or an address is too long")
	errBigList    = errors.New("pages: a list is too big")
	errBigEdition = errors.New("pages: an edition is too big")
)

// form is what is special about the form that a route takes.
type form struct {
	at     string // the page on which it stands, with the names of the route; "": the address to which it is sent
	most   int64  // bytes that it holds at most; 0: biggestForm
	file   string // the field of it that is a file; "": none
	tooBig error  // what a larger one is
}

// forms are those of which something is special, by their routes.
var forms = map[string]form{
	"POST /logout":                {at: "/"},
	"POST " + PathReturn:          {at: "/", most: biggestAnswer},
	"POST /mandates/{id}/suspend": {at: "/mandates/{id}"},
	"POST /mandates/{id}/resume":  {at: "/mandates/{id}"},
	"POST /requests/{id}/accept":  {at: "/requests/{id}"},
	"POST /requests/{id}/refuse":  {at: "/requests/{id}"},
	"POST /teams/{id}/name":       {at: "/teams/{id}"},
	"POST /teams/{id}/end":        {at: "/teams/{id}"},
	"POST /teams/{id}/search":     {at: "/teams/{id}/clients"},
	"POST " + manyAt:              {most: biggestList, file: "list", tooBig: errBigList},
	"POST " + pathUpload:          {at: "/catalogue", most: biggestEdition, file: "file", tooBig: errBigEdition},
}

// formOf is what is special about the form that a request sends.
func formOf(r *http.Request) form { return forms[r.Pattern] }

// formAt is where the page can be fetched on which the request was made. Nothing that was filled
// in goes along; what was chosen before does, the mandate of the client whom somebody is
// assigned to, and the one that is to be followed.
func (v *visit) formAt() string {
	at := formOf(v.r).at
	switch {
	case v.r.Pattern == "" || v.r.Pattern == "/": // it leads nowhere
		return "/"
	case at != "":
		return here(v.filled(at))
	case v.r.Method == http.MethodPost && v.r.URL.Path == assignAt:
		if client := parseID(v.r.PostFormValue("client")); client != 0 {
			return assignTo(client, parseID(v.r.PostFormValue("follows")))
		}
		return "/clients" // more was sent than is read
	}
	return here(v.r.URL.RequestURI())
}

// filled is an address with the names in it that the address of the request has.
func (v *visit) filled(at string) string {
	steps := strings.Split(at, "/")
	for i, step := range steps {
		if name, is := strings.CutPrefix(step, "{"); is {
			steps[i] = url.PathEscape(v.r.PathValue(strings.TrimSuffix(name, "}")))
		}
	}
	return strings.Join(steps, "/")
}

// limitOf is how much the form of a request may hold.
func limitOf(r *http.Request) int64 {
	f := formOf(r)
	if f.most == 0 || f.file != "" && !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return biggestForm
	}
	return f.most
}

// readForm reads what was sent, but for a form with a file in it. What the broker sends is
// checked where it is believed.
func (v *visit) readForm() error {
	var big *http.MaxBytesError
	err := v.r.ParseForm()
	switch {
	case errors.As(err, &big), len(v.r.URL.RequestURI()) > longestAddress:
		v.r.Form, v.r.PostForm = url.Values{}, url.Values{}
		return errTooMuch
	case err != nil:
		return errStale
	case v.r.URL.Path == PathReturn:
		return nil
	}
	return v.fits()
}

// readFile reads a form with a file in it, once it is known that who sends it may.
func (v *visit) readFile() error {
	f := formOf(v.r)
	if f.file == "" {
		return nil
	}
	var big *http.MaxBytesError
	switch err := v.r.ParseMultipartForm(1 << 20); {
	case errors.As(err, &big):
		return f.tooBig
	case err != nil:
		return errStale
	}
	return v.fits()
}

// fits tells that no field holds more than any page of ours lets fill in.
func (v *visit) fits() error {
	for name, values := range v.r.PostForm {
		if len(name) > longestName || slices.ContainsFunc(values, func(value string) bool { return len(value) > v.longestOf(name) }) {
			return errTooMuch
		}
	}
	return nil
}

// longestOf is how much somebody may fill in into a field.
func (v *visit) longestOf(field string) int {
	if v.r.URL.Path == appointAt && field == "certificate" {
		return longestKey
	}
	return longestValue
}

// upload is the file in the form; nil: there is none, or nothing is in it.
func (v *visit) upload() (multipart.File, error) {
	if v.r.MultipartForm == nil {
		return nil, nil
	}
	files := v.r.MultipartForm.File[formOf(v.r).file]
	if len(files) == 0 || files[0].Size == 0 {
		return nil, nil
	}
	return files[0].Open()
}
