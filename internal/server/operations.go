package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Operations serves what operators watch, on a listener that strangers cannot reach:
// /healthz (the process runs), /readyz (it can answer; if not, why) and /metrics. ready
// gives what stands in the way, in words that name no person.
func Operations(ready func() []error, metrics prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "alive")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		problems := ready()
		if len(problems) == 0 {
			fmt.Fprintln(w, "ready")
			return
		}
		var text strings.Builder
		for _, p := range problems {
			fmt.Fprintln(&text, p)
		}
		http.Error(w, strings.TrimSpace(text.String()), http.StatusServiceUnavailable)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	return mux
}
