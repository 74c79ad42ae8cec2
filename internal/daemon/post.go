package daemon

import (
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/internal/notices"
)

// Mail says through which mail server people are written to of what is done to their
// mandates. What they are to be told is written down without it as well, and is not sent later
// than a week after.
type Mail struct {
	// Server is the host and port of your mail server, which carries letters on. Default: none,
	// and nobody is written to.
	Server string `yaml:"server"`
	// Security is starttls (usual on ports 587 and 25), tls (on 465), or none, for a server on
	// this machine. Default: starttls.
	Security string `yaml:"security"`
	// User and PasswordFile are shown to the server; the file holds the password alone.
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	// From is the address that letters come from, and to which servers return what they cannot
	// deliver: a desk's, that reads them. Name is what readers see beside it.
	From string `yaml:"from"`
	Name string `yaml:"name"`
	// CA is a PEM file of who may have signed the server's certificate. Default: whom the system
	// trusts.
	CA string `yaml:"ca"`
	// Hello is what this machine calls itself to the server. Default: the domain of from.
	Hello string `yaml:"hello"`
	// Digest is for how long news waits that needs no answer and takes nothing away, so that it
	// comes in one letter: three days at most. 0: it does not wait. Default: 24h.
	Digest Duration `yaml:"digest"`
}

// mostDigest is how long news can wait and still be some.
const mostDigest = 72 * time.Hour

// postEvery is how often somebody looks whether there is something to send.
const postEvery = 15 * time.Second

func (c *Config) checkMail(must func(ok bool, format string, args ...any)) {
	must(c.Unused >= 0, "unused: %d is not a number of months, or 0 for never", c.Unused)
	must(c.Unused == 0 || c.Unused >= 6, "unused: people are told 60 days before, so %d months are too few: 6 or more", c.Unused)
	m := c.Mail
	if m.Server == "" {
		must(m == defaults().Mail, "mail.server: without it nobody is written to, so the rest of mail says nothing")
		return
	}
	must(m.Digest >= 0 && time.Duration(m.Digest) <= mostDigest, "mail.digest: %v is not between 0 and %v", time.Duration(m.Digest), mostDigest)
	must(m.CA == "" || m.Security != mail.None, "mail.ca: without TLS (security none) the server shows no certificate")
	password := ""
	if m.PasswordFile != "" {
		password = "in the file"
	}
	err := m.sender(password).Check()
	must(err == nil, "mail: %v", err)
}

// sender is the configuration of package mail, without the certificates.
func (m Mail) sender(password string) mail.Config {
	return mail.Config{Address: m.Server, Security: m.Security, User: m.User, Password: password, From: m.From, Name: m.Name, HelloName: m.Hello}
}

// openPost opens the post office, if there is one. It connects to nothing: a mail server that
// is away stops no daemon.
func (d *Daemon) openPost() error {
	m := d.config.Mail
	if m.Server == "" {
		return nil
	}
	password, err := d.config.secret(m.PasswordFile)
	if err != nil {
		return err
	}
	c := m.sender(password)
	if m.CA != "" {
		if c.CA, err = d.config.pool(m.CA); err != nil {
			return err
		}
	}
	sender, err := mail.New(c)
	if err != nil {
		return err
	}
	d.post = notices.New(notices.Config{Register: d.register, Sender: sender, Digest: time.Duration(m.Digest), Pages: d.config.Manage.Pages.Address,
		Desk: d.config.desk(), Log: d.log, Metrics: d.metrics})
	return nil
}

// desk is to whom people can turn, as the configuration says it of our metadata.
func (c *Config) desk() string {
	switch {
	case c.Contact == "":
		return c.Organisation
	case c.Organisation == "":
		return c.Contact
	}
	return fmt.Sprintf("%s (%s)", c.Organisation, c.Contact)
}
