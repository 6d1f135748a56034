package sandbox

import (
	"slices"
	"strings"
	"testing"
)

func spec() Spec {
	return Spec{
		Hostname: "one", UID: 1000, GID: 1001, Folder: Mount{"/stage/0", "/srv", true}, Scratch: "/state/x",
		Mounts:      []Mount{{"/volumes/a", "/etc/a", true}, {"/volumes/b", "/data", false}},
		WorkingDir:  "/srv",
		Environment: []string{"A=b=c", "EMPTY="},
		Command:     []string{"sh", "-c", "true"},
	}
}

func has(t *testing.T, arguments []string, wanted ...string) {
	t.Helper()
	for i := range arguments {
		if i+len(wanted) <= len(arguments) && slices.Equal(arguments[i:i+len(wanted)], wanted) {
			return
		}
	}
	t.Errorf("no %q in %q", wanted, arguments)
}

func TestASandboxIsShutOnEverySide(t *testing.T) {
	arguments := spec().Arguments()
	for _, wanted := range [][]string{
		{"--unshare-user"}, {"--unshare-pid"}, {"--unshare-ipc"}, {"--unshare-uts"},
		{"--cap-drop", "ALL"}, {"--die-with-parent"}, {"--new-session"}, {"--remount-ro", "/"},
		{"--uid", "1000", "--gid", "1001"}, {"--hostname", "one"},
		{"--ro-bind", "/volumes/a", "/etc/a"}, {"--bind", "/volumes/b", "/data"},
		{"--ro-bind", "/stage/0", "/srv"}, {"--bind", "/state/x", "/tmp"}, {"--chdir", "/srv"},
		{"--setenv", "A", "b=c", "--setenv", "EMPTY", ""},
	} {
		has(t, arguments, wanted...)
	}
	for _, open := range []string{"/home", "/root", "/var", "/etc", "/etc/shadow", "/sys"} {
		if slices.Contains(arguments, open) {
			t.Errorf("%s is seen", open)
		}
	}
}

func TestASandboxEntersTheNamespaceItIsGiven(t *testing.T) {
	given := spec()
	given.Namespace = 6
	arguments := given.Arguments()
	has(t, arguments, "--userns", "6", "--unshare-pid")
	if slices.Contains(arguments, "--unshare-user") {
		t.Errorf("it makes one of its own: %q", arguments)
	}
}

func TestWhatIsTheDevnetsOwnIsEmptyWhereverItLies(t *testing.T) {
	hiding := spec()
	hiding.Hidden = []string{"/srv/.devnet", "/srv2/.devnet"}
	hiding.Visible = []Mount{{"/stage/1", "/python", true}}
	arguments := hiding.Arguments()
	has(t, arguments, "--ro-bind", "/stage/0", "/srv", "--tmpfs", "/srv/.devnet", "--remount-ro", "/srv/.devnet")
	if slices.Contains(arguments, "/srv2/.devnet") {
		t.Errorf("what is not seen is hidden: %q", arguments)
	}
}

func TestAReadOnlyRootTakesTheScratchToo(t *testing.T) {
	if slices.Contains(without(spec().Arguments(), "--bind"), "/tmp") {
		t.Error("/tmp is remounted though nobody asked for it")
	}
	closed := spec()
	closed.ReadOnlyRoot = true
	has(t, closed.Arguments(), "--remount-ro", "/tmp", "--remount-ro", "/")
}

func TestJoiningTakesTheNamespacesOfTheOther(t *testing.T) {
	plain := strings.Join(spec().Joining(6, 7, 8, false), " ")
	if !strings.HasPrefix(plain, "--pidns 6 --userns 7 --uid 1000 --gid 1001 ") {
		t.Error(plain)
	}
	nested := strings.Join(spec().Joining(6, 7, 8, true), " ")
	if !strings.HasPrefix(nested, "--pidns 6 --userns 7 --userns2 8 --uid 0 --gid 0 ") {
		t.Error(nested)
	}
	if strings.Contains(plain+nested, "--unshare-pid") || strings.Contains(plain+nested, "--unshare-user") {
		t.Error("it has namespaces of its own")
	}
}

// without drops each `option SOURCE TARGET`.
func without(arguments []string, option string) []string {
	var kept []string
	for i := 0; i < len(arguments); i++ {
		if arguments[i] == option {
			i += 2
			continue
		}
		kept = append(kept, arguments[i])
	}
	return kept
}

func TestOfItsEnvironmentOnlyServicesAreBubblewrapsOwn(t *testing.T) {
	linked := spec()
	services := []string{
		"WEB_SERVICE_HOST=10.0.0.1", "WEB_SERVICE_PORT=80", "WEB_SERVICE_PORT_HTTP=80", "WEB_PORT=tcp://10.0.0.1:80",
		"WEB_PORT_80_TCP=tcp://10.0.0.1:80", "WEB_PORT_80_TCP_PROTO=tcp", "WEB_PORT_80_UDP_ADDR=10.0.0.1",
	}
	others := []string{"LD_PRELOAD=/srv/x.so", "LD_LIBRARY_PATH=/srv", "PATH=/bin", "PORT=8080", "web_PORT=1", "MALLOC_PERTURB_=1"}
	linked.Environment = append(append([]string{}, others...), services...)
	if got := linked.Inherited(); !slices.Equal(got, services) {
		t.Errorf("inherited: %q", got)
	}
	for name, arguments := range map[string][]string{"its own": linked.Arguments(), "another's": linked.Joining(6, 7, 8, false)} {
		for _, each := range others {
			variable, value, _ := strings.Cut(each, "=")
			has(t, arguments, "--setenv", variable, value)
		}
		if slices.Contains(arguments, "WEB_PORT") {
			t.Errorf("%s has it twice: %q", name, arguments)
		}
	}
}

func TestNoValueBecomesAnArgumentOfItsOwn(t *testing.T) {
	const inside = "a\x00--bind\x00/\x00/mnt"
	if err := spec().Check(); err != nil {
		t.Errorf("without one: %v", err)
	}
	for named, change := range map[string]func(*Spec){
		`the environment variable "A"`: func(s *Spec) { s.Environment = append(s.Environment, "A="+inside) },
		"the working folder":           func(s *Spec) { s.WorkingDir = inside },
		"the hostname":                 func(s *Spec) { s.Hostname = inside },
		"the folder":                   func(s *Spec) { s.Folder.Target = inside },
		`the mount at "/data"`:         func(s *Spec) { s.Mounts = []Mount{{inside, "/data", true}} },
		"the argument":                 func(s *Spec) { s.Command = []string{inside} },
	} {
		given := spec()
		change(&given)
		if err := given.Check(); err == nil || !strings.HasPrefix(err.Error(), named) ||
			!strings.HasSuffix(err.Error(), "has a NUL byte, which no process can be given") {
			t.Errorf("%s: %v", named, err)
		}
	}
}
