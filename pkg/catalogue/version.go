package catalogue

import (
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// issue tells one edition from another.
type issue struct {
	version, environment string
	sequence             int64
	at                   time.Time
}

func (r *reader) issue(root *xmlsec.Node) issue {
	var i issue
	var ok bool
	if i.version, ok = r.required(root, "Version"); ok {
		if i.environment, i.sequence, ok = parseVersion(i.version); !ok {
			r.fail(root, "has Version %.80q, which is neither urn:etoegang:<version>:service-catalogue:<environment>:<number> nor urn:etoegang:<version>:<number>", i.version)
		}
	}
	if at, ok := r.required(root, "IssueInstant"); ok {
		var err error
		if i.at, err = time.Parse(time.RFC3339, at); err != nil {
			r.fail(root, "has IssueInstant %.80q, which is not a time with a zone, as in 2026-11-24T12:00:00Z", at)
		}
	}
	if i.at.After(r.now.Add(time.Minute)) {
		r.warn(root, "says that it was issued in the future, at %s", i.at.Format(time.RFC3339))
	}
	return i
}

// parseVersion reads the two forms that are seen: urn:etoegang:1.11:service-catalogue:T:1
// (scheme page "Service catalog") and urn:etoegang:1.13:53 (code of providers).
func parseVersion(version string) (environment string, sequence int64, ok bool) {
	parts := strings.Split(version, ":")
	long := len(parts) == 6 && parts[3] == "service-catalogue" && parts[4] != ""
	if !long && len(parts) != 4 || parts[0] != "urn" || parts[1] != "etoegang" || parts[2] == "" {
		return "", 0, false
	}
	n, err := strconv.ParseUint(parts[len(parts)-1], 10, 63)
	if err != nil {
		return "", 0, false
	}
	if long {
		environment = parts[4]
	}
	return environment, int64(n), true
}
