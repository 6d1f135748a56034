package node

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"kompute.network/devnet/controlplane/configfile"
)

// Config is the one file that a node is started with. Paths are absolute.
type Config struct {
	DevnetID string            `json:"devnet_id"`
	Node     string            `json:"node"`
	Labels   map[string]string `json:"labels"`
	// Capacity by resource name: cpu, memory, ephemeral-storage, extended ones. All of it can be
	// allocated.
	Capacity v1.ResourceList `json:"capacity"`

	Kubeconfig   string `json:"kubeconfig"`
	ClientCAFile string `json:"client_ca_file"` // of those who may ask the kubelet
	CertFile     string `json:"cert_file"`
	KeyFile      string `json:"key_file"`
	Port         int    `json:"port"`

	Folder       string   `json:"folder"` // the node's own
	Bubblewrap   string   `json:"bubblewrap"`
	Unsandboxed  bool     `json:"unsandboxed"` // in its place: pods are plain processes
	Visible      []string `json:"visible"`     // what of the host containers see, read-only
	Hidden       []string `json:"hidden"`      // the devnet's own, which they never see
	Folders      string   `json:"folders"`     // a file: a JSON list of the folders pods may name
	Path         string   `json:"path"`        // PATH in containers
	Enforcement  string   `json:"enforcement"` // a file to write: what holds here
	Pace         string   `json:"pace"`        // a file that may be there: what pods get of the CPU
	LeaseSeconds int32    `json:"lease_seconds"`
	// RestartSeconds is the longest pause before a container that fails is started again.
	RestartSeconds int `json:"restart_seconds"`

	disk string // where the node's own file system is mounted; empty without one
}

// ReadConfig reads and checks the file; all that is wrong with it is in the error.
func ReadConfig(file string) (Config, error) {
	return configfile.Read(file, "the node", Config.check)
}

func (c Config) check() error {
	var faults []error
	for _, field := range [][2]string{{"devnet_id", c.DevnetID}, {"node", c.Node}, {"path", c.Path}} {
		if field[1] == "" {
			faults = append(faults, fmt.Errorf("%s is missing", field[0]))
		}
	}
	for _, field := range [][2]string{
		{"kubeconfig", c.Kubeconfig}, {"client_ca_file", c.ClientCAFile}, {"cert_file", c.CertFile},
		{"key_file", c.KeyFile}, {"folder", c.Folder}, {"bubblewrap", c.Bubblewrap},
		{"enforcement", c.Enforcement}, {"folders", c.Folders}, {"pace", c.Pace},
	} {
		if c.Unsandboxed && field[0] == "bubblewrap" {
			continue
		}
		if !filepath.IsAbs(field[1]) {
			faults = append(faults, fmt.Errorf("%s is no absolute path: %q", field[0], field[1]))
		}
	}
	if c.Unsandboxed && c.Bubblewrap != "" {
		faults = append(faults, fmt.Errorf("bubblewrap %s is of no use to an unsandboxed node", c.Bubblewrap))
	}
	for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory} {
		quantity, ok := c.Capacity[name]
		if !ok || quantity.Sign() <= 0 {
			faults = append(faults, fmt.Errorf("capacity.%s is not above 0", name))
		}
	}
	if c.Port < 1 || c.Port > 65535 {
		faults = append(faults, fmt.Errorf("port %d is none", c.Port))
	}
	if c.LeaseSeconds < 1 {
		faults = append(faults, fmt.Errorf("lease_seconds is not above 0: %d", c.LeaseSeconds))
	}
	if c.RestartSeconds < 1 || c.RestartSeconds > 300 {
		faults = append(faults, fmt.Errorf("restart_seconds is not in 1 to 300: %d", c.RestartSeconds))
	}
	return errors.Join(faults...)
}

// group is where the node's processes are, below the control group of whoever started it.
func (c Config) group() string { return "kompute-" + c.DevnetID + "/" + c.Node }

func (c Config) folders() folders { return folders{c.Folders, c.Hidden} }

func (c Config) quantity(name v1.ResourceName) resource.Quantity { return c.Capacity[name] }

func (c Config) below(names ...string) string {
	return filepath.Join(append([]string{c.Folder}, names...)...)
}

// onDisk is a path on the node's own file system, where it has one: all that pods write but logs,
// which are the devnet's to read.
func (c Config) onDisk(names ...string) string {
	if c.disk == "" {
		return c.below(names...)
	}
	return filepath.Join(append([]string{c.disk}, names...)...)
}

func (c Config) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Capacity)) {
		quantity := c.Capacity[name]
		parts = append(parts, fmt.Sprintf("%s %s", name, quantity.String()))
	}
	return fmt.Sprintf("node %s of %s", c.Node, strings.Join(parts, ", "))
}
