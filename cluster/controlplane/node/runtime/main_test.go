package runtime

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"kompute.network/devnet/controlplane/node/identity"
)

const unshared = "KOMPUTE_TEST_UNSHARED"

// machine as the node finds it; nil where tests run as a user.
var machine *identity.Machine

// TestMain gives root's tests a mount namespace of their own, as a node has one.
func TestMain(m *testing.M) {
	if os.Geteuid() == 0 {
		if os.Getenv(unshared) == "" {
			unshare, err := exec.LookPath("unshare")
			if err != nil {
				panic(err)
			}
			words := append([]string{"unshare", "--mount"}, os.Args...)
			panic(syscall.Exec(unshare, words, append(os.Environ(), unshared+"=1")))
		}
		var err error
		if machine, err = identity.Try(os.TempDir(), os.Getenv("KOMPUTE_BUBBLEWRAP")); err != nil {
			fmt.Fprintln(os.Stderr, "pods without ids of their own:", err)
		}
	}
	os.Exit(m.Run())
}
