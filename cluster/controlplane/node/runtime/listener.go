package runtime

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	mostWaiting = 32 // pieces of at most a chunk that a client may be behind
	stallLimit  = 2 * time.Second
)

// errBehind is of a client that does not read: the container goes on without it.
var errBehind = fmt.Errorf("what the container prints has not been read for %s: it is shown no more", stallLimit)

// listener is one attached client. What it is shown is written by a goroutine of its own, so that
// one that has stopped reading holds up nobody for longer than stallLimit.
type listener struct {
	out, err io.Writer // nil where it does not want a stream

	waiting chan piece
	ending  chan struct{} // nothing is added any more
	left    chan struct{} // it is shown no more, for `fault`
	shown   chan struct{} // all that is written has been
	fault   error
	once    sync.Once
}

// piece of what is printed, and where it goes.
type piece struct {
	to   io.Writer
	text []byte
}

func newListener(out, err io.Writer) *listener {
	client := &listener{
		out: out, err: err, waiting: make(chan piece, mostWaiting),
		ending: make(chan struct{}), left: make(chan struct{}), shown: make(chan struct{}),
	}
	go client.write()
	return client
}

// show hands text on, which stays as it is; it waits for a client that is behind, but only until then.
func (l *listener) show(stream string, text []byte, until time.Time) {
	to := l.out
	if stream == stderr {
		to = l.err
	}
	if to == nil {
		return
	}
	select {
	case l.waiting <- piece{to, text}:
		return
	case <-l.left:
		return
	default:
	}
	late := time.NewTimer(time.Until(until))
	defer late.Stop()
	select {
	case l.waiting <- piece{to, text}:
	case <-l.left:
	case <-late.C:
		l.leave(errBehind)
	}
}

func (l *listener) write() {
	defer close(l.shown)
	for {
		select {
		case next := <-l.waiting:
			if !l.wrote(next) {
				return
			}
		case <-l.left:
			return
		case <-l.ending:
			for {
				select {
				case next := <-l.waiting:
					if !l.wrote(next) {
						return
					}
				default:
					return
				}
			}
		}
	}
}

func (l *listener) wrote(next piece) bool {
	_, err := next.to.Write(next.text)
	if err != nil {
		l.leave(nil) // it has hung up
	}
	return err == nil
}

func (l *listener) leave(fault error) {
	l.once.Do(func() {
		l.fault = fault
		close(l.left)
	})
}

// finish shows the rest, once nothing is added any more; the error says that it was not read.
func (l *listener) finish() error {
	close(l.ending)
	select {
	case <-l.shown:
	case <-time.After(stallLimit):
		l.leave(errBehind)
	}
	select {
	case <-l.left:
		return l.fault
	default:
		return nil
	}
}
