package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const place = "/sys/fs/cgroup"

// detect finds the hierarchies of this machine: v2 where it has the controllers, else v1.
func detect() (hierarchy, error) {
	if told, err := os.ReadFile(filepath.Join(place, "cgroup.controllers")); err == nil {
		for _, controller := range []string{"cpu", "memory", "pids"} {
			if !strings.Contains(" "+strings.TrimSpace(string(told))+" ", " "+controller+" ") {
				return nil, ErrNone
			}
		}
		return unified{place}, nil
	}
	return newSeparate(place)
}

func write(file string, value string) error {
	return os.WriteFile(file, []byte(value), 0o644)
}

// change writes to a file that the kernel has; fs.ErrNotExist where this one has none of the name.
func change(file string, value string) error {
	opened, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = opened.WriteString(value)
	return errors.Join(err, opened.Close())
}

func writeNumber(file string, value int64) error {
	return write(file, strconv.FormatInt(value, 10))
}

func number(file string) (uint64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}

// fields reads a file of lines `name value`.
func fields(file string) map[string]uint64 {
	found := map[string]uint64{}
	text, err := os.ReadFile(file)
	if err != nil {
		return found
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if figure, err := strconv.ParseUint(value, 10, 64); err == nil {
			found[name] = figure
		}
	}
	return found
}

// processesBelow lists those of a group and of all below it.
func processesBelow(folder string) []int {
	var pids []int
	for _, each := range foldersBelow(folder) {
		text, err := os.ReadFile(filepath.Join(each, "cgroup.procs"))
		if err != nil {
			continue // it has gone meanwhile
		}
		for word := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// removeBelow removes a group and all below it, the lowest first.
func removeBelow(folder string) error {
	folders := foldersBelow(folder)
	for i := len(folders) - 1; i >= 0; i-- {
		if err := os.Remove(folders[i]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func foldersBelow(folder string) []string {
	var found []string
	_ = filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			found = append(found, name)
		}
		return nil
	})
	return found
}
