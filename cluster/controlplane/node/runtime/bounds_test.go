package runtime

import (
	"fmt"
	"strings"
	"testing"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	eat   = `exec python3 -c 'x = bytearray(%d << 20); print("fits")'`
	spawn = `i=0; while [ $i -lt 100 ]; do sleep 30 & i=$((i+1)); done; echo started`
)

func TestWithoutControlGroupsAProcessHasLimitsOfItsOwn(t *testing.T) {
	b := newBenchIn(t, nil, nil)
	limited := func(c *cri.ContainerConfig) { c.Linux.Resources.MemoryLimitInBytes = 64 << 20 }
	for i, row := range []struct {
		script string
		change func(*cri.ContainerConfig)
		code   int32
		said   string
	}{
		{fmt.Sprintf(eat, 16), limited, 0, "fits"},
		{fmt.Sprintf(eat, 128), limited, 1, "MemoryError"},
		{fmt.Sprintf(eat, 128), nil, 0, "fits"},
		{"grep -o 'Max processes *64' /proc/self/limits", nil, 0, "Max processes"},
		{spawn, nil, 2, "annot fork"}, // the bench's pods have 64 processes
	} {
		name := fmt.Sprintf("main/%d.log", i)
		status := b.ended(b.run(row.script, func(c *cri.ContainerConfig) {
			c.LogPath = name
			if row.change != nil {
				row.change(c)
			}
		}))
		said := strings.Join(b.lines(name), "\n")
		if status.ExitCode != row.code || !strings.Contains(said, row.said) {
			t.Errorf("%q ended with %d and said %q", row.script, status.ExitCode, said)
		}
	}
}
