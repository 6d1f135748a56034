package start

import (
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// The collector's percentage now, which only setting it tells.
func percent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}

func TestTheCollectorIsSetAfterTheStart(t *testing.T) {
	before := debug.SetGCPercent(400)
	defer debug.SetGCPercent(before)
	t.Setenv(Variable, "120")
	if err := Settle(50 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if now := percent(); now != 400 {
		t.Errorf("%d during the start", now)
	}
	for end := time.Now().Add(5 * time.Second); percent() != 120; {
		if time.Now().After(end) {
			t.Fatalf("%d after the start", percent())
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestWhatIsNoPercentageIsRefused(t *testing.T) {
	for _, text := range []string{"", "much", "0", "-1", "1.5"} {
		t.Setenv(Variable, text)
		if err := Settle(time.Hour); err == nil || !strings.Contains(err.Error(), Variable) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
