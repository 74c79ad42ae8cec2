package servers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Site is a web server that runs other people's software, in a folder of its own.
type Site struct {
	Folder string
	server *process
}

// apacheModules is where Debian puts them.
const apacheModules = "/usr/lib/apache2/modules"

// Apache starts an Apache that is this test's alone, with these modules (auth_mellon) beside
// those that every one needs, these settings and these files in its folder, where relative
// names begin. It listens on the port, and is removed at the test's end.
func Apache(t TB, port int, modules []string, settings string, files map[string]string) *Site {
	t.Helper()
	binary := program(t, "apache2", "/usr/sbin/apache2")
	modules = slices.Concat([]string{"mpm_prefork", "authn_core", "authz_core", "authz_user", "alias", "cgi", "mime"}, modules)
	conf := []string{
		"ServerRoot .", "PidFile pid", "ErrorLog errors", fmt.Sprintf("ServerName 127.0.0.1:%d", port), fmt.Sprintf("Listen 127.0.0.1:%d", port),
		"StartServers 1", "MinSpareServers 1", "TypesConfig /dev/null",
	}
	for _, m := range modules {
		file := filepath.Join(apacheModules, "mod_"+m+".so")
		if _, err := os.Stat(file); err != nil {
			unavailable(t, "Apache has no module %s: %v", m, err)
		}
		conf = append(conf, "LoadModule "+m+"_module "+file)
	}
	s := newSite(t, "Apache", port, files)
	// Mellon wants whole paths, and Apache resolves some against its own folder.
	text := strings.ReplaceAll(strings.Join(conf, "\n")+"\n"+settings+"\n", "@FOLDER@", s.Folder)
	s.write(t, "apache.conf", strings.Replace(text, "ServerRoot .", "ServerRoot "+s.Folder, 1))
	s.server.argv = []string{binary, "-D", "FOREGROUND", "-f", filepath.Join(s.Folder, "apache.conf")}
	s.server.start()
	return s
}

// Python starts a program, which has to listen on the port that is its first argument, with
// the Python that Debian's packages belong to; the program needs a module. It is removed at
// the test's end.
func Python(t TB, port int, module, text string, files map[string]string) *Site {
	t.Helper()
	const binary = "/usr/bin/python3"
	if out, err := exec.Command(binary, "-c", "import "+module).CombinedOutput(); err != nil {
		unavailable(t, "%s has no %s: %v %s", binary, module, err, out)
	}
	s := newSite(t, "Python", port, files)
	s.write(t, "program.py", text)
	s.server.argv = []string{binary, filepath.Join(s.Folder, "program.py"), strconv.Itoa(port)}
	s.server.start()
	return s
}

// Log is what the program has said.
func (s *Site) Log() string {
	text := tail(s.server.log())
	if errors := filepath.Join(s.Folder, "errors"); exists(errors) { // Apache's own
		text += "\n" + tail(errors)
	}
	return text
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// program finds a program in the path or where its package puts it.
func program(t TB, name, otherwise string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if _, err := os.Stat(otherwise); err != nil {
		unavailable(t, "%s is not installed: %v", name, err)
	}
	return otherwise
}

func newSite(t TB, name string, port int, files map[string]string) *Site {
	t.Helper()
	s := &Site{Folder: folder(t, disk, strings.ToLower(name))}
	s.server = &process{
		t: t, name: fmt.Sprintf("%s on port %d", name, port), folder: s.Folder, as: nobody(t),
		quit: syscall.SIGTERM, drop: syscall.SIGTERM, answer: func() error {
			c, err := net.DialTimeout("tcp", loopback(port), patience)
			if err == nil {
				err = c.Close()
			}
			return err
		},
	}
	t.Cleanup(s.server.remove)
	s.give(t, s.Folder)
	for file, text := range files {
		s.write(t, file, text)
	}
	return s
}

// write puts a file into the folder, which programs may run if its text begins as scripts do.
func (s *Site) write(t TB, name, text string) {
	t.Helper()
	mode := os.FileMode(0o600)
	if strings.HasPrefix(text, "#!") {
		mode = 0o700
	}
	path := filepath.Join(s.Folder, name)
	if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		t.Fatalf("writing %s: %v", name, err)
	}
	s.give(t, path)
}

// give lets whom the server runs as have a file.
func (s *Site) give(t TB, path string) {
	t.Helper()
	if as := s.server.as; as != nil {
		if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatalf("giving %s away: %v", path, err)
		}
	}
}

// nobody is whom such a server runs as: ourselves (nil), or nobody when we are root, whom
// Apache refuses to serve.
func nobody(t TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		unavailable(t, "there is no user nobody: %v", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatalf("user nobody: %v", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
