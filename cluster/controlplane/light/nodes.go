package light

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	atOnce    = 16
	podsANode = 110 // a kubelet's own default
)

// nodeOf is a node as it is registered: what it has, and a taint that keeps off whoever does not
// ask for it. That it is ready is kwok's to say.
func nodeOf(label, name string, group Group) *v1.Node {
	// The old names too, as a kubelet does: the control plane adds what is missing, node by node.
	labels := map[string]string{
		v1.LabelHostname: name, v1.LabelOSStable: "linux", v1.LabelArchStable: runtime.GOARCH,
		"beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": runtime.GOARCH,
	}
	maps.Copy(labels, group.Labels)
	labels[label] = "true"
	capacity := group.Capacity.DeepCopy()
	if _, ok := capacity[v1.ResourcePods]; !ok {
		capacity[v1.ResourcePods] = *resource.NewQuantity(podsANode, resource.DecimalSI)
	}
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: v1.NodeSpec{Taints: []v1.Taint{
			{Key: label, Value: "true", Effect: v1.TaintEffectNoSchedule},
		}},
		Status: v1.NodeStatus{Capacity: capacity, Allocatable: capacity},
	}
}

// register makes all nodes, some at a time; one that is there already stays as it is.
func register(ctx context.Context, client kubernetes.Interface, config Config) error {
	running, ctx := errgroup.WithContext(ctx)
	running.SetLimit(atOnce)
	for _, group := range config.Groups {
		for _, name := range group.Nodes {
			running.Go(func() error {
				node := nodeOf(config.Label, name, group)
				_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
				if err != nil && !errors.IsAlreadyExists(err) {
					return fmt.Errorf("light node %s: %w", name, err)
				}
				return nil
			})
		}
	}
	return running.Wait()
}

// ready tells whether pods that ask for light nodes can be placed on this one.
func ready(node *v1.Node) bool {
	for _, taint := range node.Spec.Taints {
		if strings.HasPrefix(taint.Key, "node.kubernetes.io/") {
			return false
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == v1.NodeReady {
			return condition.Status == v1.ConditionTrue
		}
	}
	return false
}
