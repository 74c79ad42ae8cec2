package daemon

import (
	"bufio"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/cache"
)

// Sentinels may have users of their own. Whoever asks them where the master is shows theirs,
// and not that of the master.
func TestSentinelsAreAskedAsTheirUser(t *testing.T) {
	sentinel, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sentinel.Close() }()
	c := Config{path: filepath.Join(t.TempDir(), "mandated.yaml"), Redis: Redis{
		Addresses: []string{sentinel.Addr().String()}, Master: "mandated", User: "node", PasswordFile: "master", SentinelUser: "watcher", SentinelPasswordFile: "sentinels",
	}}
	for file, secret := range map[string]string{"master": "first\n", "sentinels": "second\n"} {
		if err := os.WriteFile(c.Path(file), []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client, err := c.connectRedis(cache.ConnectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	asked := make(chan error, 1)
	go func() { asked <- client.Ping(context.Background()).Err() }()
	connection, err := sentinel.Accept()
	if err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(connection)
	var words []string
	for !slices.Contains(words, "second") && scanner.Scan() {
		if word := scanner.Text(); !strings.HasPrefix(word, "$") { // which tells a length
			words = append(words, word)
		}
	}
	if at := slices.Index(words, "second"); at < 1 || words[at-1] != "watcher" {
		t.Errorf("the sentinel hears %q", words)
	}
	_, _ = connection.Close(), sentinel.Close()
	if err := <-asked; err == nil {
		t.Error("a sentinel that says nothing has named a master")
	}
}
