// Package light is nodes by the thousand that run nothing: kwok's controllers, one process for all
// of them, beside real kubelets. A pod that is placed on one is said to run.
package light

import (
	"errors"
	"fmt"
	"path/filepath"

	v1 "k8s.io/api/core/v1"

	"kompute.network/devnet/controlplane/configfile"
)

// Config is the one file that the light nodes are started with. Paths are absolute.
type Config struct {
	Kubeconfig   string  `json:"kubeconfig"`
	LeaseSeconds uint    `json:"lease_seconds"` // renewed at a quarter of it
	Label        string  `json:"label"`         // who carries it is light: their label and their taint
	Statement    string  `json:"statement"`     // a file to write: how many are ready
	Groups       []Group `json:"groups"`
}

// Group is nodes that differ by their names alone.
type Group struct {
	Nodes    []string          `json:"nodes"`
	Labels   map[string]string `json:"labels"`
	Capacity v1.ResourceList   `json:"capacity"` // all of it can be allocated
}

// ReadConfig reads and checks the file; all that is wrong with it is in the error.
func ReadConfig(file string) (Config, error) {
	return configfile.Read(file, "the light nodes", Config.check)
}

func (c Config) check() error {
	var faults []error
	for _, field := range [][2]string{{"kubeconfig", c.Kubeconfig}, {"statement", c.Statement}} {
		if !filepath.IsAbs(field[1]) {
			faults = append(faults, fmt.Errorf("%s is no absolute path: %q", field[0], field[1]))
		}
	}
	if c.Label == "" {
		faults = append(faults, errors.New("label is missing"))
	}
	if c.LeaseSeconds == 0 {
		faults = append(faults, errors.New("lease_seconds is not above 0"))
	}
	if c.count() == 0 {
		faults = append(faults, errors.New("groups name no node"))
	}
	for n, group := range c.Groups {
		for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory} {
			if quantity, ok := group.Capacity[name]; !ok || quantity.Sign() <= 0 {
				faults = append(faults, fmt.Errorf("groups[%d].capacity.%s is not above 0", n, name))
			}
		}
	}
	return errors.Join(faults...)
}

func (c Config) count() int {
	count := 0
	for _, group := range c.Groups {
		count += len(group.Nodes)
	}
	return count
}
