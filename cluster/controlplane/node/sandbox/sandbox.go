// Package sandbox says how bubblewrap is told to run one container's command: its own pid, ipc, uts
// and mount namespaces, empty capability sets, no new privileges, a read-only root.
package sandbox

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Mount binds a path of the host into the sandbox.
type Mount struct {
	Source, Target string
	ReadOnly       bool
}

// Spec is what one command of a container sees.
type Spec struct {
	Hostname string
	UID, GID int64
	// Visible of the host beside the system's own, read-only; what is not there is left out.
	Visible []Mount
	// Folder is the working folder, read-only; without a target there is none.
	Folder Mount
	// Hidden folders are empty where they lie in what is visible or in the folder.
	Hidden []string
	// Scratch is a folder of the host that becomes /tmp; read-only where ReadOnlyRoot is set.
	Scratch      string
	ReadOnlyRoot bool
	Mounts       []Mount
	WorkingDir   string
	Terminal     bool
	Unconfined   bool     // without Filter
	Namespace    int      // a descriptor of the user namespace to enter; 0 for one of its own
	Environment  []string // NAME=value
	Command      []string
}

// system is what a program of the host needs to run: no home, no /var, no keys of /etc.
var system = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix",
}

var etc = []string{
	"alternatives", "ca-certificates", "crypto-policies", "group", "host.conf", "ld.so.cache",
	"ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "passwd", "pki",
	"protocols", "resolv.conf", "services", "ssl", "timezone",
}

// Check names what cannot be handed to bubblewrap: its arguments end with a NUL byte, and what follows
// one inside of a value would be arguments of the pod's own making.
func (s Spec) Check() error {
	values := [][2]string{
		{"the hostname", s.Hostname}, {"the working folder", s.WorkingDir},
		{"the folder", s.Folder.Source}, {"the folder", s.Folder.Target}, {"the scratch folder", s.Scratch},
	}
	for _, each := range s.Environment {
		name, _, _ := strings.Cut(each, "=")
		values = append(values, [2]string{fmt.Sprintf("the environment variable %q", name), each})
	}
	for _, mount := range append(append([]Mount{}, s.Visible...), s.Mounts...) {
		what := fmt.Sprintf("the mount at %q", mount.Target)
		values = append(values, [2]string{what, mount.Source}, [2]string{what, mount.Target})
	}
	for _, each := range s.Command {
		values = append(values, [2]string{fmt.Sprintf("the argument %q", each), each})
	}
	for _, each := range values {
		if strings.Contains(each[1], "\x00") {
			return fmt.Errorf("%s has a NUL byte, which no process can be given", each[0])
		}
	}
	return nil
}

// Arguments for bubblewrap, up to the command. They hold the container's environment, so
// hand them over by `--args FD`, where no other process reads them. Bubblewrap's own environment is
// passed on too, and is to be Inherited.
func (s Spec) Arguments() []string {
	users := []string{"--unshare-user"}
	if s.Namespace != 0 {
		users = []string{"--userns", strconv.Itoa(s.Namespace)}
	}
	return s.options(append(users, "--unshare-pid",
		"--uid", strconv.FormatInt(s.UID, 10), "--gid", strconv.FormatInt(s.GID, 10))...)
}

// Joining gives the arguments for one more command inside the sandbox of a running one, whose pid
// namespace and the user namespaces that own it and that the command is in are these descriptors.
// The other namespaces are made anew and alike: all that can be written is shared by its mounts.
func (s Spec) Joining(pids, owner, users int, nested bool) []string {
	arguments := []string{"--pidns", strconv.Itoa(pids), "--userns", strconv.Itoa(owner)}
	if nested {
		// The uid asked for exists in the inner one only; the outer has 0.
		arguments = append(arguments, "--userns2", strconv.Itoa(users), "--uid", "0", "--gid", "0")
	} else {
		arguments = append(arguments,
			"--uid", strconv.FormatInt(s.UID, 10), "--gid", strconv.FormatInt(s.GID, 10))
	}
	return s.options(arguments...)
}

func (s Spec) options(first ...string) []string {
	list := append(first,
		"--die-with-parent", "--unshare-ipc", "--unshare-uts", "--hostname", s.Hostname,
		"--cap-drop", "ALL")
	if !s.Terminal {
		list = append(list, "--new-session") // a terminal's session is made before
	}
	for _, path := range system {
		list = append(list, bindSystem(path)...)
	}
	for _, name := range etc {
		path := filepath.Join("/etc", name)
		list = append(list, "--ro-bind-try", path, path)
	}
	list = append(list, "--proc", "/proc", "--dev", "/dev", "--dir", "/run", "--dir", "/var/tmp")
	list = append(list, bind(Mount{s.Scratch, "/tmp", false})...)
	for _, mount := range s.Visible {
		list = append(list, "--ro-bind-try", mount.Source, mount.Target)
	}
	if s.Folder.Target != "" {
		list = append(list, "--ro-bind", s.Folder.Source, s.Folder.Target)
	}
	for _, path := range s.Hidden {
		for _, mount := range append([]Mount{s.Folder}, s.Visible...) {
			if mount.Target != "" && strings.HasPrefix(path, strings.TrimSuffix(mount.Target, "/")+"/") {
				list = append(list, "--tmpfs", path, "--remount-ro", path)
				break
			}
		}
	}
	for _, mount := range s.Mounts {
		list = append(list, bind(mount)...)
	}
	if s.ReadOnlyRoot { // only now: what lies below it had to be made first
		list = append(list, "--remount-ro", "/tmp")
	}
	list = append(list, "--remount-ro", "/")
	if s.WorkingDir != "" {
		list = append(list, "--chdir", s.WorkingDir)
	}
	for _, each := range s.Environment {
		if name, value, _ := strings.Cut(each, "="); !serviceLink.MatchString(name) {
			list = append(list, "--setenv", name, value)
		}
	}
	return list
}

// serviceLink is the name of a variable by which Kubernetes tells a pod of a Service: seven each, of
// every Service of its namespace, and bubblewrap takes 3000 variables as arguments.
var serviceLink = regexp.MustCompile(
	`^[A-Z0-9_]+_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// Inherited is the part of the environment that is to be bubblewrap's own, which it passes on. Only
// names that mean nothing to it nor to the loader: bubblewrap itself runs outside of the sandbox.
func (s Spec) Inherited() (found []string) {
	for _, each := range s.Environment {
		if name, _, _ := strings.Cut(each, "="); serviceLink.MatchString(name) {
			found = append(found, each)
		}
	}
	return found
}

func bind(mount Mount) []string {
	if mount.ReadOnly {
		return []string{"--ro-bind", mount.Source, mount.Target}
	}
	return []string{"--bind", mount.Source, mount.Target}
}

// bindSystem keeps a symbolic link one: /bin is /usr/bin on most systems.
func bindSystem(path string) []string {
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		return []string{"--symlink", strings.TrimPrefix(target, "/"), path}
	}
	return []string{"--ro-bind-try", path, path}
}
