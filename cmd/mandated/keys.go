package main

import (
	"fmt"

	"github.com/mandated/mandated/internal/devkeys"
)

type keysCommand struct {
	Folder string   `default:"dev" help:"Folder to write into; keep it out of version control." placeholder:"DIR"`
	Names  []string `arg:"" optional:"" help:"Names of the keys. Default: signing, encryption, tls."`
}

func (k keysCommand) Run(e *environment) error {
	if len(k.Names) == 0 {
		k.Names = []string{"signing", "encryption", "tls"}
	}
	for _, name := range k.Names {
		pair, err := devkeys.New(name, e.now())
		if err != nil {
			return err
		}
		if err := pair.Write(k.Folder); err != nil {
			return fmt.Errorf("writing key %s: %w", name, err)
		}
		fmt.Fprintf(e.out, "%s/%s\n%s/%s\n", k.Folder, pair.KeyFile(), k.Folder, pair.CertificateFile())
	}
	fmt.Fprintln(e.err, "These are development keys: the daemon accepts them only with --dev.")
	return nil
}
