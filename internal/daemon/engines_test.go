package daemon

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/mandated/mandated/internal/signing"
)

// Operators see which engine signs, one at a time, and hear of every wrong signature: the
// machine that makes one must not go on for long.
func TestEnginesAreTold(t *testing.T) {
	r, log := prometheus.NewRegistry(), &bytes.Buffer{}
	e := newEngines(r, slog.New(slog.NewTextHandler(log, nil)))
	e.use(signing.Go)
	e.use(signing.OpenSSL)
	e.alarm(signing.ErrWrongSignature)
	e.alarm(errors.Join(signing.ErrWrongSignature))
	page := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{"\nmandated_signatures_wrong_total 2\n", "\nmandated_signing_engine{engine=\"openssl\"} 1\n"} {
		if !strings.Contains(page.Body.String(), line) {
			t.Errorf("%q is not among the metrics:\n%s", line, page.Body)
		}
	}
	if strings.Contains(page.Body.String(), `"go"`) {
		t.Error("two engines sign at once")
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 || !strings.Contains(log.String(), "wrong signature") {
		t.Errorf("the log says\n%s", log)
	}
}
