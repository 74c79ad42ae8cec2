package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mandated/mandated/internal/sandbox"
)

type sandboxCommand struct {
	Folder string `help:"Folder for the certificate that browsers trust and the providers that join; everything else in it is made anew. Default: a temporary one." placeholder:"DIR"`
	Listen string `help:"Address and port on this machine. Default: 127.0.0.1 and the first free port from 8443 on." placeholder:"HOST:PORT"`
}

func (c sandboxCommand) Run(e *environment) error {
	folder, remove, err := c.folder()
	if err != nil {
		return err
	}
	defer remove()
	fmt.Fprintln(e.err, "making keys, metadata, a catalogue, people and mandates, and starting two registers ...")
	s, err := sandbox.Open(e.ctx, folder, sandbox.Options{Listen: c.Listen})
	if err != nil {
		return err
	}
	fmt.Fprintln(e.out, s.Address+"/")
	fmt.Fprintf(e.err, `
Open that address in a browser. It warns until you let it trust the certificate
  %s
which vouches for nothing but this machine. Software of a service provider joins by its
metadata, in
  %s
Programs manage mandates at %s, with the certificates in
  %s
Press Ctrl-C to stop.
`, s.CA, filepath.Join(folder, "providers"), s.Network.First.API, s.Programs())
	<-e.ctx.Done()
	return s.Stop(context.WithoutCancel(e.ctx))
}

// folder gives the sandbox its place, and how to clear it away.
func (c sandboxCommand) folder() (folder string, remove func(), err error) {
	if c.Folder != "" {
		folder, err = filepath.Abs(c.Folder)
		return folder, func() {}, err
	}
	folder, err = os.MkdirTemp("", "mandated-sandbox-")
	return folder, func() { _ = os.RemoveAll(folder) }, err
}
