package runtime

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

const (
	lineBytes = 16 << 10 // longer ones are written in parts, as by other runtimes
	chunk     = 32 << 10
	tailBytes = 2 << 10
	stdout    = "stdout"
	stderr    = "stderr"
)

// output is what a container prints: its log in the format of CRI, and whoever is attached.
type output struct {
	path string

	mu        sync.Mutex
	file      *os.File
	listeners map[*listener]struct{}
	last      []byte // the end of stderr, for the message of a start that failed
	failing   bool
}

func newOutput(path string) (*output, error) {
	printed := &output{path: path, listeners: map[*listener]struct{}{}}
	return printed, printed.reopen()
}

// reopen goes on in a new file of the same name, after the old one was moved away.
func (o *output) reopen() error {
	file, err := os.OpenFile(o.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("log of a container: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file != nil {
		_ = o.file.Close()
	}
	o.file = file
	return nil
}

// pumping carries all streams to their ends.
func (o *output) pumping(from map[string]*os.File) carried {
	var all sync.WaitGroup
	for stream, file := range from {
		all.Go(func() { o.pump(stream, file) })
	}
	return carriedBy(&all, slices.Collect(maps.Values(from)))
}

// pump carries one stream to its end.
func (o *output) pump(stream string, from io.ReadCloser) {
	defer from.Close()
	var pending []byte
	buffer := make([]byte, chunk)
	for {
		count, err := from.Read(buffer)
		o.tell(stream, buffer[:count])
		pending = append(pending, buffer[:count]...)
		pending = o.lines(stream, pending)
		if err != nil {
			break
		}
	}
	if len(pending) > 0 {
		o.write(stream, "P", pending)
	}
}

// lines writes the whole ones and gives back the rest.
func (o *output) lines(stream string, text []byte) []byte {
	for {
		end := bytes.IndexByte(text, '\n')
		switch {
		case end >= 0 && end <= lineBytes:
			o.write(stream, "F", text[:end])
			text = text[end+1:]
		case len(text) > lineBytes:
			o.write(stream, "P", text[:lineBytes])
			text = text[lineBytes:]
		default:
			return append([]byte(nil), text...)
		}
	}
}

func (o *output) write(stream, tag string, line []byte) {
	entry := make([]byte, 0, len(line)+64)
	entry = time.Now().AppendFormat(entry, time.RFC3339Nano)
	entry = append(entry, " "+stream+" "+tag+" "...)
	entry = append(append(entry, line...), '\n')
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.file.Write(entry); err != nil && !o.failing {
		o.failing = true // once: a full disk would say it for every line
		klog.Background().Error(err, "a container's log is incomplete", "file", o.path)
	}
	if stream == stderr {
		o.last = append(append(o.last, line...), '\n')
		o.last = o.last[max(0, len(o.last)-tailBytes):]
	}
}

func (o *output) tell(stream string, text []byte) {
	if len(text) == 0 {
		return
	}
	o.mu.Lock()
	clients := slices.Collect(maps.Keys(o.listeners))
	o.mu.Unlock()
	if len(clients) == 0 {
		return
	}
	kept := bytes.Clone(text)           // the buffer is read into again
	until := time.Now().Add(stallLimit) // for all of them together
	for _, each := range clients {
		each.show(stream, kept, until)
	}
}

func (o *output) listen(client *listener) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listeners[client] = struct{}{}
}

func (o *output) leave(client *listener) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.listeners, client)
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(bytes.TrimSpace(o.last))
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.file.Close()
}
