package mail

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"
)

// What contradicts itself is named, with the key to look at.
func TestConfigThatCannotWork(t *testing.T) {
	good := Config{Address: "mail.example.nl:587", From: "register@example.nl", Name: "Register"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no address":               {func(c *Config) { c.Address = "" }, "address:"},
		"no port":                  {func(c *Config) { c.Address = "mail.example.nl" }, "address:"},
		"no host":                  {func(c *Config) { c.Address = ":587" }, "address:"},
		"port 0":                   {func(c *Config) { c.Address = "mail.example.nl:0" }, "address:"},
		"port too high":            {func(c *Config) { c.Address = "mail.example.nl:65536" }, "address:"},
		"port by name":             {func(c *Config) { c.Address = "mail.example.nl:smtp" }, "address:"},
		"unknown security":         {func(c *Config) { c.Security = "ssl" }, "security:"},
		"none for another machine": {func(c *Config) { c.Security = None }, "security:"},
		"CA without TLS": {func(c *Config) {
			c.Security, c.Address, c.CA = None, "127.0.0.1:25", x509.NewCertPool()
		}, "ca:"},
		"user without password":    {func(c *Config) { c.User = "register" }, "user and password"},
		"password without user":    {func(c *Config) { c.Password = "secret" }, "user and password"},
		"NUL in the password":      {func(c *Config) { c.User, c.Password = "register", "a\x00b" }, "user or password:"},
		"line break in the user":   {func(c *Config) { c.User, c.Password = "register\n", "a" }, "user or password:"},
		"no from":                  {func(c *Config) { c.From = "" }, "from:"},
		"from with a name":         {func(c *Config) { c.From = "Register <register@example.nl>" }, "from:"},
		"line break in the name":   {func(c *Config) { c.Name = "Register\r\nBcc: x@example.nl" }, "name:"},
		"name turned around":       {func(c *Config) { c.Name = "Register \u202egnal" }, "name:"},
		"name too long":            {func(c *Config) { c.Name = strings.Repeat("é", 101) }, "name:"},
		"hello with a space":       {func(c *Config) { c.HelloName = "my host" }, "hello_name:"},
		"hello with a line break":  {func(c *Config) { c.HelloName = "host\r\nNOOP" }, "hello_name:"},
		"hello is a bare address":  {func(c *Config) { c.HelloName = "::1" }, "hello_name:"},
		"hello in half a bracket":  {func(c *Config) { c.HelloName = "[192.0.2.1" }, "hello_name:"},
		"hello in other alphabets": {func(c *Config) { c.HelloName = "café.example" }, "hello_name:"},
		"no time":                  {func(c *Config) { c.Timeout = -time.Second }, "timeout:"},
	} {
		config := good
		c.change(&config)
		_, err := New(config)
		if err == nil || !strings.HasPrefix(err.Error(), "mail: "+c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	nothing := Config{Security: "ssl", User: "a", Timeout: -1}.Check()
	for _, key := range []string{"address:", "security:", "user", "from:", "timeout:"} {
		if !strings.Contains(nothing.Error(), key) {
			t.Errorf("everything wrong, and %s is not named: %v", key, nothing)
		}
	}
}

// The defaults are those of the manual, and what is allowed on this machine works there.
func TestConfigThatWorks(t *testing.T) {
	s, err := New(Config{Address: "mail.example.nl:587", From: " Register@Bücher.Example "})
	if err != nil {
		t.Fatal(err)
	}
	if s.from != "Register@xn--bcher-kva.example" || s.author != s.from || s.domain != "xn--bcher-kva.example" ||
		s.config.Security != StartTLS || s.config.HelloName != s.domain || s.config.Timeout != time.Minute {
		t.Errorf("%+v", s)
	}
	for _, c := range []Config{
		{Address: "127.0.0.1:25", Security: None}, {Address: "[::1]:25", Security: None}, {Address: "localhost:25", Security: None},
		{Address: "[2001:db8::1]:465", Security: TLS, CA: x509.NewCertPool(), User: "a", Password: "b"},
		{Address: "mail:25", HelloName: "host"}, {Address: "mail:25", HelloName: "[192.0.2.1]"}, {Address: "mail:25", HelloName: "[IPv6:2001:db8::1]"},
	} {
		c.From = "register@example.nl"
		if _, err := New(c); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
