package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The sandbox tells one address, where a browser that trusts its certificate is welcome, and
// ends in order when it is told to.
func TestSandboxRuns(t *testing.T) {
	folder := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said, say := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		var errOut bytes.Buffer
		code := run(ctx, []string{"sandbox", "--folder", folder, "--listen", "127.0.0.1:0"}, nil, say, &errOut)
		_ = say.CloseWithError(io.ErrUnexpectedEOF)
		if !strings.Contains(errOut.String(), filepath.Join(folder, "ca.crt")) || !strings.Contains(errOut.String(), "Ctrl-C") {
			t.Errorf("it says\n%s", &errOut)
		}
		ended <- code
	}()
	line := make([]byte, 200)
	n, err := said.Read(line)
	if err != nil {
		t.Fatalf("it tells no address: %v", err)
	}
	ca, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	response, err := client.Get(strings.TrimSpace(string(line[:n])))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("HTTP %d at %s", response.StatusCode, line[:n])
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("it ends with %d", code)
	}
	if list, err := os.ReadDir(filepath.Join(folder, "providers")); err != nil || len(list) != 0 {
		t.Errorf("the folder of providers: %v %v", list, err)
	}
}

// Others must not reach it: whoever does can log in as anybody.
func TestSandboxListensOnThisMachineAlone(t *testing.T) {
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"sandbox", "--folder", t.TempDir(), "--listen", "0.0.0.0:0"}, nil, &out, &errOut)
	if code != exitFailed || !strings.Contains(errOut.String(), "take 127.0.0.1") || out.Len() > 0 {
		t.Errorf("%d: %s%s", code, &out, &errOut)
	}
}
