package node

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cadvisor2 "github.com/google/cadvisor/info/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/kubernetes/pkg/kubelet/nodestatus"

	"kompute.network/devnet/controlplane/node/cgroup"
)

const good = `{"devnet_id": "d", "node": "worker-1", "labels": {"a": "b"},
"capacity": {"cpu": "125m", "memory": "536870912", "sgx.intel.com/epc": "8388608"},
"kubeconfig": "/k", "client_ca_file": "/ca", "cert_file": "/c", "key_file": "/y", "port": 20000,
"folder": "/f", "bubblewrap": "/b", "visible": ["/v"], "folders": "/fs", "hidden": ["/h"], "path": "/bin", "enforcement": "/e", "pace": "/p",
"lease_seconds": 2, "restart_seconds": 5}`

func read(t *testing.T, text string) (Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubelet.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return ReadConfig(file)
}

func TestAllThatIsWrongWithAConfigurationIsTold(t *testing.T) {
	for change, wanted := range map[string]string{
		`"port": 20000|"port": 0`:                           "port 0 is none",
		`"node": "worker-1"|"node": ""`:                     "node is missing",
		`"cpu": "125m"|"cpu": "0"`:                          "capacity.cpu is not above 0",
		`"folder": "/f"|"folder": "f"`:                      `folder is no absolute path: "f"`,
		`"lease_seconds": 2|"lease_seconds": 0`:             "lease_seconds is not above 0",
		`"restart_seconds": 5|"restart_seconds": 301`:       "restart_seconds is not in 1 to 300: 301",
		`"devnet_id": "d"|"devnet_id": "d", "colour": "no"`: `unknown field "colour"`,
	} {
		old, changed, _ := strings.Cut(change, "|")
		_, err := read(t, strings.Replace(good, old, changed, 1))
		if err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%s: %v", changed, err)
		}
	}
	_, err := read(t, strings.NewReplacer(`"/k"`, `"k"`, `"/ca"`, `"ca"`).Replace(good))
	if err == nil || strings.Count(err.Error(), "no absolute path") != 2 {
		t.Errorf("two faults: %v", err)
	}
}

func TestANodeHasExactlyWhatItsProfileSays(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	shape := newMachine(config, idle)
	manager := newResources(config.Capacity, nil, admission{})
	node := &v1.Node{}
	fill := nodestatus.MachineInfo("worker-1", maxPods, 0, shape.MachineInfo, manager.GetCapacity,
		manager.GetDevicePluginResourceCapacity, manager.GetNodeAllocatableReservation,
		func(string, string, string) {}, true)
	if err := fill(context.Background(), node); err != nil {
		t.Fatal(err)
	}
	for name, wanted := range map[v1.ResourceName]string{
		"cpu": "125m", "memory": "512Mi", "sgx.intel.com/epc": "8Mi", "pods": "110",
	} {
		for what, list := range map[string]v1.ResourceList{
			"capacity": node.Status.Capacity, "allocatable": node.Status.Allocatable,
		} {
			got := list[name]
			if got.Cmp(quantity(t, wanted)) != 0 {
				t.Errorf("%s of %s: %s, wanted %s", what, name, got.String(), wanted)
			}
		}
	}
}

func TestANodeThatHasDoneNothingIsNotWithoutFigures(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	found, err := newMachine(config, idle).ContainerInfoV2("/", cadvisor2.RequestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stats := found["/"].Stats[0]
	if stats.Cpu.Usage.Total == 0 || stats.Memory.WorkingSet == 0 {
		t.Errorf("cpu %d, memory %d", stats.Cpu.Usage.Total, stats.Memory.WorkingSet)
	}
}

func idle() (cgroup.Usage, error) { return cgroup.Usage{}, nil }

func quantity(t *testing.T, text string) resource.Quantity {
	t.Helper()
	value, err := resource.ParseQuantity(text)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestADiskThatNobodyMeasuredIsTheHosts(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	config.Folder = t.TempDir()
	if err := config.completeDisk(); err != nil {
		t.Fatal(err)
	}
	if disk := config.quantity(v1.ResourceEphemeralStorage); disk.Value() <= 0 {
		t.Errorf("a disk of %s", disk.String())
	}
	config.Capacity[v1.ResourceEphemeralStorage] = quantity(t, "5G")
	if err := config.completeDisk(); err != nil {
		t.Fatal(err)
	}
	if disk := config.quantity(v1.ResourceEphemeralStorage); disk.Cmp(quantity(t, "5G")) != 0 {
		t.Errorf("the profile's disk became %s", disk.String())
	}
}
