package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// keeping is the keeper's script. Its input is a pipe whose other end only the test
// process holds, so it ends when that process does: also by a panic, a timeout or
// kill -9, which no code of the process itself survives. PostgreSQL is asked first (to
// quit at once), because killed it leaves its shared memory behind.
//
// The kernel's own means, Pdeathsig, will not do: it follows the thread that started the
// server, not the process, and it reaches neither the children of a server that is
// paused nor the folder.
const keeping = `
cat >/dev/null
inside() {
	for p in /proc/[0-9]*; do
		case $(readlink "$p/cwd") in "$1"/*) echo "${p#/proc/}" ;; esac
	done
}
for p in $(inside "$1"); do
	case $(cat "/proc/$p/comm") in
	postgres) kill -QUIT "$p"; kill -CONT "$p" ;;
	*) kill -KILL "$p" ;;
	esac
done
tries=0
while left=$(inside "$1"); [ -n "$left" ]; do
	tries=$((tries + 1))
	[ $tries -lt 50 ] || kill -KILL $left
	[ $tries -lt 100 ] || break
	sleep 0.1
done
rm -rf "$1"
`

// disk and memory are the folders of this process's servers, made with the first of them:
// one in the temporary folder, and one for what is small and may be lost with the
// machine. A disk takes thirty times as long to make a database, which is several hundred
// files.
var (
	disk   = sync.OnceValues(func() (string, error) { return newRoot(os.TempDir()) })
	memory = sync.OnceValues(func() (string, error) {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(shm, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < 1<<30 {
			return disk()
		}
		return newRoot(shm)
	})
)

const shm = "/dev/shm"

// newRoot makes a folder that is kept.
func newRoot(parent string) (string, error) {
	if _, err := os.Readlink("/proc/self/cwd"); err != nil {
		return "", fmt.Errorf("servers need the /proc of Linux: %w", err)
	}
	sweep(parent)
	folder, err := os.MkdirTemp(parent, prefix+"*")
	if err != nil {
		return "", err
	}
	// Where a process works, the kernel tells without symbolic links.
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return "", err
	}
	// Whom PostgreSQL runs as walks through it, and need not read it.
	if err := os.Chmod(folder, 0o711); err != nil {
		return "", err
	}
	lock, err := claim(folder)
	if err != nil {
		return "", err
	}
	return folder, keep(folder, lock)
}

const prefix = "mandated-servers-"

// keep starts the keeper of a folder and hands it the lock.
func keep(folder string, lock *os.File) error {
	defer lock.Close()
	keeper := exec.Command("/bin/sh", "-c", keeping, "keeper", folder)
	keeper.Dir, keeper.ExtraFiles = "/", []*os.File{lock}
	// A Ctrl-C at the terminal is for the tests, not for the keeper.
	keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if _, err := keeper.StdinPipe(); err != nil {
		return err
	}
	if err := keeper.Start(); err != nil {
		return err
	}
	// Waiting holds our end of the pipe, which nobody closes but the kernel.
	go keeper.Wait()
	return nil
}

// claim marks a folder as one that is kept, by a lock that the kernel releases when the
// keeper ends. It is locked before it has its name, so that sweep never finds it open.
func claim(folder string) (*os.File, error) {
	name := filepath.Join(folder, "lock")
	lock, err := os.Create(name + ".new")
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return lock, os.Rename(name+".new", name)
}

// sweep ends what earlier processes of the same user left whose keeper was killed as
// well.
func sweep(parent string) {
	locks, _ := filepath.Glob(filepath.Join(parent, prefix+"*", "lock"))
	for _, name := range locks {
		lock, err := os.Open(name)
		if err != nil {
			continue
		}
		if ours(lock) && syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			folder := filepath.Dir(name)
			kill(func() []int { return inside(folder) })
			os.RemoveAll(folder)
		}
		lock.Close()
	}
}

func ours(file *os.File) bool {
	var is syscall.Stat_t
	return syscall.Fstat(int(file.Fd()), &is) == nil && int(is.Uid) == os.Geteuid()
}
