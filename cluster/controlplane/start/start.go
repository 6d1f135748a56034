// Package start gives a component's heap back its usual bound once it has started.
package start

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"time"
)

const (
	// Variable names the percentage that GOGC is set to after the start. GOGC itself is the start's:
	// a component that only grows is not worth collecting, and that is a sixth of an API server's
	// processor time until it is ready.
	Variable = "KOMPUTE_GOGC_STARTED"
	// After is how long a start takes on a machine with other work.
	After = 10 * time.Second
)

// Settle sets the collector to what Variable says, after that time; without it nothing changes.
func Settle(after time.Duration) error {
	text, ok := os.LookupEnv(Variable)
	if !ok {
		return nil
	}
	percent, err := strconv.Atoi(text)
	if err != nil || percent <= 0 {
		return fmt.Errorf("%s=%q: it is a percentage, such as 100", Variable, text)
	}
	time.AfterFunc(after, func() { debug.SetGCPercent(percent) })
	return nil
}
