package runtime

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
)

const addressTries = 1000

// address is a pod's, of 127.64.0.0/10: all of those are this machine's own, and nobody needs a
// right to use one. No other node process of this machine, whoever's devnet it is of, has the same
// until it is released.
type address struct {
	ip   string
	mark net.Listener
	once sync.Once
}

// reserveAddress marks an address by a name in the abstract socket namespace: the kernel keeps it unique
// among all processes, and forgets it with the process.
func reserveAddress() (*address, error) {
	for range addressTries {
		// The lowest and the highest byte of a network are left alone, as tools expect.
		ip := fmt.Sprintf("127.%d.%d.%d", 64+rand.IntN(64), rand.IntN(256), 1+rand.IntN(254))
		mark, err := net.Listen("unix", "@kompute-pod-"+ip)
		if err == nil {
			return &address{ip: ip, mark: mark}, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("an address for the pod: %w", err)
		}
	}
	return nil, fmt.Errorf("no free pod address after %d tries", addressTries)
}

func (a *address) release() {
	a.once.Do(func() { _ = a.mark.Close() })
}
