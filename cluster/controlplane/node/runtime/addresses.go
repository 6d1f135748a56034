package runtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"kompute.network/devnet/controlplane/node/reserve"
)

const (
	addressTries = 1000
	addresses    = "pod-addresses" // the kind of their reservations
)

// address is a pod's, of 127.64.0.0/10: all of those are this machine's own, and nobody needs a
// right to use one. No other node process of this machine, whoever's devnet it is of, has the same
// until it is released.
type address struct {
	ip   string
	mark *reserve.Mark
}

func reserveAddress() (*address, error) {
	for range addressTries {
		// The lowest and the highest byte of a network are left alone, as tools expect.
		ip := netip.AddrFrom4([4]byte{
			127, byte(64 + rand.IntN(64)), byte(rand.IntN(256)), byte(1 + rand.IntN(254)),
		})
		mark, err := reserve.Take(addresses, addressNumber(ip))
		if err == nil {
			return &address{ip: ip.String(), mark: mark}, nil
		}
		if !errors.Is(err, reserve.ErrTaken) {
			return nil, fmt.Errorf("an address for the pod: %w", err)
		}
	}
	return nil, fmt.Errorf("no free pod address after %d tries", addressTries)
}

func addressNumber(ip netip.Addr) int64 {
	bytes := ip.As4()
	return int64(binary.BigEndian.Uint32(bytes[:]))
}

func (a *address) release() { a.mark.Release() }
