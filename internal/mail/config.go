package mail

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mandated/mandated/internal/loopback"
)

// How a connection to the mail server is protected.
const (
	// StartTLS turns to TLS after the greeting, as is usual on ports 587 and 25. A server
	// that does not offer it gets no letter.
	StartTLS = "starttls"
	// TLS begins with TLS, as is usual on port 465 (RFC 8314).
	TLS = "tls"
	// None is for a server on this machine.
	None = "none"
)

// Config says through which server letters are sent, and from whom.
type Config struct {
	// Address is the server's host and port. With TLS its certificate must be for that host.
	// Required.
	Address string
	// Security is starttls, tls or none. Default: starttls.
	Security string
	// User and Password are shown to the server, by the mechanism PLAIN or LOGIN. Default:
	// none.
	User, Password string
	// From is the address that letters come from, to which servers also return what they
	// cannot deliver; Name is what readers see beside it. From is required.
	From, Name string
	// CA are the certificates that may have signed the server's. Default: those of the system.
	CA *x509.CertPool
	// HelloName is what this machine calls itself to the server: its name in the DNS, or its
	// address in brackets. Default: the domain of From.
	HelloName string
	// Timeout is how long the server may take over one answer. Once it has a whole letter it
	// may take ten times as long, since a letter that we give up then may arrive twice (RFC
	// 5321, 4.5.3.2.6, asks for ten minutes). Default: a minute.
	Timeout time.Duration
}

const defaultTimeout = time.Minute

// longestName is how many characters a reader's list of letters has room for, and more.
const longestName = 100

// Check names everything that is wrong with the configuration at once. It connects to
// nothing.
func (c Config) Check() error {
	var wrong []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	host, port, err := net.SplitHostPort(c.Address)
	number, notNumber := strconv.ParseUint(port, 10, 16)
	must(err == nil && host != "" && !strings.ContainsAny(host, " \t\r\n") && notNumber == nil && number > 0, "address: %q is not a host and port, such as mail.example.nl:587", c.Address)
	c.checkSecurity(must, host)
	must((c.User == "") == (c.Password == ""), "user and password go together")
	must(!strings.ContainsAny(c.User+c.Password, "\x00\r\n"), "user or password: no line break or NUL can be in them")
	_, err = ParseAddress(c.From)
	must(err == nil, "from: %v", err)
	must(utf8.RuneCountInString(c.Name) <= longestName && printable(c.Name), "name: it is one line of at most %d characters, without invisible ones", longestName)
	must(c.HelloName == "" || validHello(c.HelloName), "hello_name: %q is neither a host name nor an address in brackets", c.HelloName)
	must(c.Timeout >= 0, "timeout: %v leaves the server no time to answer", c.Timeout)
	return errors.Join(wrong...)
}

func (c *Config) checkSecurity(must func(ok bool, format string, args ...any), host string) {
	switch c.Security {
	case "", StartTLS, TLS:
	case None:
		must(loopback.Is(host), "security: %q is another machine, so TLS is needed: say starttls or tls", host)
		must(c.CA == nil, "ca: without TLS (security none) the server shows no certificate")
	default:
		must(false, "security: %q is not starttls, tls or none", c.Security)
	}
}

// validHello tells whether a name can stand in EHLO (RFC 5321, 4.1.3).
func validHello(name string) bool {
	literal, ok := strings.CutPrefix(name, "[")
	if !ok {
		ascii, err := domains.ToASCII(name)
		return err == nil && ascii == name
	}
	literal, ok = strings.CutSuffix(literal, "]")
	if six, is := strings.CutPrefix(literal, "IPv6:"); is {
		return ok && strings.Contains(six, ":") && net.ParseIP(six) != nil
	}
	return ok && net.ParseIP(literal).To4() != nil && !strings.Contains(literal, ":")
}

// complete gives a checked configuration its defaults.
func (c Config) complete() Config {
	from, _ := ParseAddress(c.From)
	c.Security = cmp.Or(c.Security, StartTLS)
	c.HelloName = cmp.Or(c.HelloName, domainOf(from))
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	return c
}

// host is the name that the server's certificate must have.
func (c *Config) host() string {
	host, _, _ := net.SplitHostPort(c.Address)
	return host
}
