package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mandated/mandated/internal/daemon"
)

type serveCommand struct {
	Dev bool `help:"Accept development keys. Never in production."`
}

// drain is how long requests under way may take to end when the daemon stops.
const drain = 20 * time.Second

func (s serveCommand) Run(e *environment) error {
	c, err := e.load()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(e.err, nil))
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // also while starting, when it would end the process
	defer signal.Stop(hangup)
	d, err := daemon.Start(e.ctx, c, daemon.Options{Dev: s.Dev, Log: log})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s answers at %s\nmetadata at %s\nfor operators at %s\n", c.Entity, d.QueryAddress(), d.MetadataAddress(), d.OperationsAddress())
	for {
		select {
		case <-hangup:
			go func() { // which may take a while; it tells the log itself what is wrong
				if err := d.Reload(); err == nil {
					log.Info("reloaded")
				}
			}()
		case <-e.ctx.Done():
			log.Info("stopping")
			ctx, cancel := context.WithTimeout(context.Background(), drain)
			defer cancel()
			return d.Stop(ctx)
		}
	}
}
