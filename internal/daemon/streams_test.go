package daemon

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// A connection has its turns at the gates as one client has: so it must not be many.
func TestOneConnectionIsOneClient(t *testing.T) {
	const asked = 40
	var mu sync.Mutex
	var all sync.WaitGroup
	all.Add(asked)
	streams := map[string]int{} // by connection
	handler := func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		streams[r.RemoteAddr]++
		mu.Unlock()
		all.Done()
		all.Wait() // until all are under way
	}
	s := httptest.NewUnstartedServer(nil)
	s.Config = patient(http.HandlerFunc(handler), slog.New(slog.DiscardHandler))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	var answered sync.WaitGroup
	for range asked {
		answered.Go(func() {
			response, err := s.Client().Get(s.URL)
			if err != nil {
				t.Error(err)
				return
			}
			_ = response.Body.Close()
			if response.ProtoMajor != 2 {
				t.Error("not over HTTP/2")
			}
		})
	}
	answered.Wait()
	for connection, n := range streams {
		if n > 32 {
			t.Errorf("%d questions at once over %s", n, connection)
		}
	}
}
