package reserve

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const taking = "KOMPUTE_TEST_TAKING" // in another process of this program

// kind of this test's own, whose file goes with it.
func kind(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test-%s-%d", t.Name(), os.Getpid())
	file, err := File(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(file) })
	return name
}

func TestANumberIsOnesUntilItIsReleased(t *testing.T) {
	of := kind(t)
	first, err := Take(of, 7)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Take(of, 7); !errors.Is(err, ErrTaken) {
		t.Errorf("twice: %v", err)
	}
	for _, beside := range []int64{6, 8, 1 << 40} {
		mark, err := Take(of, beside)
		if err != nil {
			t.Fatalf("%d: %v", beside, err)
		}
		mark.Release()
	}
	first.Release()
	first.Release()
	again, err := Take(of, 7)
	if err != nil {
		t.Fatalf("once it is released: %v", err)
	}
	again.Release()
}

func TestANumberGoesWithItsProcess(t *testing.T) {
	if of := os.Getenv(taking); of != "" {
		if _, err := Take(of, 7); err != nil {
			t.Fatal(err)
		}
		fmt.Println("taken")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until it is killed
		return
	}
	of := kind(t)
	other := exec.Command(os.Args[0], "-test.run=^TestANumberGoesWithItsProcess$")
	other.Env = append(os.Environ(), taking+"="+of)
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	said, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if line != "taken\n" || err != nil {
		t.Fatalf("it says %q, %v", line, err)
	}
	if _, err := Take(of, 7); !errors.Is(err, ErrTaken) {
		t.Errorf("while it lives: %v", err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	mark, err := Take(of, 7)
	if err != nil {
		t.Fatalf("once it is killed: %v", err)
	}
	mark.Release()
}

func TestTheFileIsEverybodys(t *testing.T) {
	of := kind(t)
	mark, err := Take(of, 1)
	if err != nil {
		t.Fatal(err)
	}
	mark.Release()
	file, err := File(of)
	if err != nil {
		t.Fatal(err)
	}
	found, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if found.Mode() != 0o666 || found.Size() != 0 {
		t.Errorf("it is %v, of %d bytes", found.Mode(), found.Size())
	}
}

func TestWhatIsNoPlainFileIsRefused(t *testing.T) {
	own := filepath.Join(t.TempDir(), "own")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, put := range map[string]func(file string) error{
		"link":   func(file string) error { return os.Symlink(own, file) },
		"folder": func(file string) error { return os.Mkdir(file, 0o755) },
	} {
		of := kind(t)
		file, err := File(of)
		if err != nil {
			t.Fatal(err)
		}
		if err := put(file); err != nil {
			t.Fatal(err)
		}
		if _, err := Take(of, 1); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("a %s: %v", what, err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFolderThatIsNotEverybodysHoldsNone(t *testing.T) {
	before := folders
	defer func() { folders = before }()
	folders = []string{t.TempDir()}
	if _, err := Take("x", 1); err == nil || !strings.Contains(err.Error(), "everybody may write to") {
		t.Errorf("said %v", err)
	}
}
