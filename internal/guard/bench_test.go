package guard

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mandated/mandated/internal/servers"
)

func BenchmarkAdmit(b *testing.B) {
	for store, open := range map[string]func(*testing.B) (*Guard, error){
		"file": func(b *testing.B) (*Guard, error) { return Open(ctx, filepath.Join(b.TempDir(), "guard.db"), nil) },
		"postgres": func(b *testing.B) (*Guard, error) {
			return Open(ctx, servers.Postgres(b, servers.PostgresOptions{Durable: true}).DSN(), nil)
		},
		"redis": func(b *testing.B) (*Guard, error) {
			client := redis.NewClient(&redis.Options{Addr: servers.Redis(b, servers.RedisOptions{}).Addr(), Protocol: 2, DisableIdentity: true})
			b.Cleanup(func() { _ = client.Close() })
			return OpenRedis(client, make([]byte, 32), nil)
		},
	} {
		for _, parallel := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/parallel=%d", store, parallel), func(b *testing.B) {
				g, err := open(b)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { _ = g.Close() })
				benchmarkAdmit(b, g, parallel)
			})
		}
	}
}

func benchmarkAdmit(b *testing.B, g *Guard, parallel int) {
	until := time.Now().Add(time.Minute)
	work := make(chan int, parallel)
	var askers sync.WaitGroup
	for range parallel {
		askers.Go(func() {
			for i := range work {
				if err := g.Admit(ctx, broker, fmt.Sprint(i), until); err != nil {
					b.Error(err)
				}
			}
		})
	}
	i := 0
	for b.Loop() {
		work <- i
		i++
	}
	close(work)
	askers.Wait()
}
