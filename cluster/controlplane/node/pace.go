package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"k8s.io/klog/v2"

	"kompute.network/devnet/controlplane/node/cgroup"
)

const (
	paceLooks    = 100 * time.Millisecond
	wholePercent = 100
)

// pace is what a file says that a node's pods get of its processors: `{"percent": 25}`, all of them
// where there is no file. Whoever breaks the node writes it (a fault of the devnet).
type pace struct {
	file    string
	percent int64 // in force
}

// read gives the percentage that the file asks for.
func (p *pace) read() (int64, error) {
	text, err := os.ReadFile(p.file)
	if errors.Is(err, fs.ErrNotExist) {
		return wholePercent, nil
	}
	if err != nil {
		return 0, err
	}
	var asked struct {
		Percent int64 `json:"percent"`
	}
	if err := json.Unmarshal(text, &asked); err != nil {
		return 0, fmt.Errorf("%s: %w", p.file, err)
	}
	if asked.Percent < 1 || asked.Percent > wholePercent {
		return 0, fmt.Errorf("%s: percent is not in 1 to 100: %d", p.file, asked.Percent)
	}
	return asked.Percent, nil
}

// follow puts into force what the file asks for, where that is something else than before.
func (p *pace) follow(group *cgroup.Group) error {
	percent, err := p.read()
	if err != nil || percent == p.percent {
		return err
	}
	if err := group.Pace(percent); err != nil {
		return err
	}
	p.percent = percent
	return nil
}

// keepPace follows the file until the context ends; what fails is tried again.
func keepPace(ctx context.Context, file string, group *cgroup.Group) {
	if group == nil {
		return
	}
	kept := pace{file, wholePercent}
	ticks := time.NewTicker(paceLooks)
	defer ticks.Stop()
	said := ""
	for {
		switch err := kept.follow(group); {
		case err == nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			klog.FromContext(ctx).Error(err, "the node keeps its pace")
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}
