package light

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
)

const good = `{"kubeconfig": "/k", "lease_seconds": 240, "label": "light", "statement": "/s",
"groups": [{"nodes": ["far-1", "far-2"], "labels": {"zone": "a", "light": "no"},
"capacity": {"cpu": "125m", "memory": "536870912"}}, {"nodes": ["near"],
"capacity": {"cpu": "1", "memory": "1Gi", "pods": "5"}}]}`

func read(t *testing.T, text string) (Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kwok.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return ReadConfig(file)
}

func TestAllThatIsWrongWithAConfigurationIsTold(t *testing.T) {
	for change, wanted := range map[string]string{
		`"kubeconfig": "/k"|"kubeconfig": "k"`:         `kubeconfig is no absolute path: "k"`,
		`"statement": "/s"|"statement": ""`:            `statement is no absolute path: ""`,
		`"lease_seconds": 240|"lease_seconds": 0`:      "lease_seconds is not above 0",
		`"label": "light"|"label": ""`:                 "label is missing",
		`"cpu": "1"|"cpu": "0"`:                        "groups[1].capacity.cpu is not above 0",
		`"memory": "536870912"|"disk": "1"`:            "groups[0].capacity.memory is not above 0",
		`["far-1", "far-2"]|[]` + "\n" + `["near"]|[]`: "groups name no node",
		`"label"|"lable"`:                              `unknown field "lable"`,
	} {
		text := good
		for _, one := range strings.Split(change, "\n") {
			from, to, _ := strings.Cut(one, "|")
			text = strings.Replace(text, from, to, 1)
		}
		if _, err := read(t, text); err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%s: %v, not %q", change, err, wanted)
		}
	}
}

func TestANodeIsItsGroupAndKeepsOffWhoDoesNotAskForIt(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	if config.count() != 3 {
		t.Errorf("%d nodes", config.count())
	}
	node := nodeOf(config.Label, "far-1", config.Groups[0])
	for label, wanted := range map[string]string{
		"light": "true", "zone": "a", v1.LabelHostname: "far-1", v1.LabelOSStable: "linux",
	} {
		if node.Labels[label] != wanted {
			t.Errorf("label %s is %q, not %q", label, node.Labels[label], wanted)
		}
	}
	if taints := node.Spec.Taints; len(taints) != 1 || taints[0].Key != "light" ||
		taints[0].Effect != v1.TaintEffectNoSchedule {
		t.Errorf("taints: %v", taints)
	}
	if cpu := node.Status.Allocatable[v1.ResourceCPU]; cpu.MilliValue() != 125 {
		t.Errorf("cpu: %v", cpu)
	}
	for n, wanted := range []int64{podsANode, 5} {
		node := nodeOf(config.Label, "one", config.Groups[n])
		if pods := node.Status.Capacity[v1.ResourcePods]; pods.Value() != wanted {
			t.Errorf("pods of group %d: %v", n, pods)
		}
	}
	if _, ok := config.Groups[0].Capacity[v1.ResourcePods]; ok {
		t.Error("a node's capacity is its group's own")
	}
}

func TestANodeIsReadyOnceItsTaintsOfAbsenceAreGone(t *testing.T) {
	node := nodeOf("light", "far-1", Group{Capacity: v1.ResourceList{}})
	if ready(node) {
		t.Error("ready without a condition")
	}
	node.Status.Conditions = []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue}}
	if !ready(node) {
		t.Error("not ready")
	}
	node.Spec.Taints = append(node.Spec.Taints, v1.Taint{Key: v1.TaintNodeNotReady})
	if ready(node) {
		t.Error("ready with a taint of its absence")
	}
}

func TestStagesAreKwoksOwnForNodesAndPods(t *testing.T) {
	found, err := stages()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for ref, stages := range found {
		counts[ref.APIGroup+" "+ref.Kind] = len(stages)
	}
	if len(counts) != 2 || counts["v1 Node"] != 2 || counts["v1 Pod"] != 3 {
		t.Errorf("stages: %v", counts)
	}
}
