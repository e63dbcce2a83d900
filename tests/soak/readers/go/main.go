// One of the four readers of the soak: the Go binding. See PROTOCOL in ../../readers.py.
//
//	reader "URL KEY=VALUE ..." ...
package main

// #include <malloc.h>
import "C"

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mpegclient"
)

const (
	batchSize = 8
	wait      = 200 * time.Millisecond
	stopLimit = 500 * time.Millisecond
	tolerance = 30 * time.Second
)

var isOver atomic.Bool

// A clock compares a frame's times with those of the frames before: within a connection they go on with the local clock.
type clock struct {
	back, apart, misdated, generation         uint64
	firstPTS, firstArrival, last, span, dated time.Duration
}

func (c *clock) note(frame *mpegclient.FrameInfo) {
	if frame.PTS == mpegclient.UnknownTime {
		return
	}
	if frame.Generation != c.generation {
		c.generation = frame.Generation
		c.firstPTS, c.last, c.firstArrival = frame.PTS, frame.PTS, frame.ArrivalMonotonic
	}
	span := frame.PTS - c.firstPTS
	if frame.PTS < c.last {
		c.back++
	}
	if (span - (frame.ArrivalMonotonic - c.firstArrival)).Abs() > tolerance {
		c.apart++
	}
	if frame.CaptureClock != mpegclient.ClockNone {
		if span > c.dated {
			c.dated = span
		}
		if frame.CaptureTime.Sub(frame.ArrivalTime).Abs() > tolerance {
			c.misdated++
		}
	}
	c.last = frame.PTS
	if span > c.span {
		c.span = span
	}
}

// A stream with what its calls and frames showed.
type stream struct {
	client *mpegclient.Client
	lock   sync.Mutex // guards what follows
	late   time.Duration
	call   string
	clock  clock
}

func (s *stream) timed(call string, bound time.Duration, function func() error) error {
	begun := time.Now()
	err := function()
	late := time.Since(begun) - bound
	s.lock.Lock()
	defer s.lock.Unlock()
	if late > s.late {
		s.late, s.call = late, call
	}
	return err
}

// open opens a stream in the background: its address, then parameters.
func open(words string) (*stream, error) {
	client, err := mpegclient.New()
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(words)
	for _, parameter := range fields[1:] {
		key, value, _ := strings.Cut(parameter, "=")
		if err := client.SetParameter(key, value); err != nil {
			return nil, err
		}
	}
	s := &stream{client: client, call: "none"}
	if err := s.timed("setup", 0, func() error { return client.SetupInBackground(fields[0]) }); err != nil {
		return nil, err
	}
	return s, s.timed("start", 0, client.Start)
}

func (s *stream) read() {
	var batch mpegclient.Batch
	after := uint64(0)
	for round := 0; !isOver.Load(); round++ {
		options := mpegclient.ReadOptions{
			Order: mpegclient.Next, Count: batchSize, AfterSeq: after, Timeout: wait,
		}
		err := s.timed("extract", wait, func() error {
			return s.client.ReadInto(context.Background(), &batch, options)
		})
		if err == nil {
			after = batch.LastSeq()
			s.note(batch.Infos)
		} else {
			time.Sleep(10 * time.Millisecond)
		}
		if round%5 == 0 {
			_ = s.timed("acquire", 0, s.look)
		}
		if round%25 == 0 {
			_ = s.timed("describe", 0, s.ask)
		}
	}
}

func (s *stream) note(frames []mpegclient.FrameInfo) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for index := range frames {
		s.clock.note(&frames[index])
	}
}

func (s *stream) look() error {
	options := mpegclient.ReadOptions{Count: batchSize / 2, Timeout: mpegclient.NoWait}
	lease, err := s.client.Acquire(context.Background(), options)
	if err == nil {
		lease.Release()
	}
	return err
}

func (s *stream) ask() error {
	if _, err := s.client.Describe(); err != nil {
		return err
	}
	for {
		if event, err := s.client.NextEvent(); event == nil || err != nil {
			break
		}
	}
	_, err := s.client.StreamInfo()
	return err
}

func (s *stream) restart() {
	_ = s.timed("terminate", stopLimit, s.client.Terminate)
	_ = s.timed("start", 0, s.client.Start)
}

func (s *stream) stop() {
	_ = s.timed("terminate", stopLimit, s.client.Terminate)
	_ = s.timed("clear", stopLimit, s.client.Clear)
}

func report(streams []*stream) {
	for index, s := range streams {
		state, _ := s.client.State()
		stats, err := s.client.Stats()
		if err != nil {
			continue
		}
		s.lock.Lock()
		fmt.Printf("stream %d state %d frames %d connects %d back %d apart %d misdated %d span %d dated %d late %.1f call %s\n",
			index, state, stats.Published, stats.Connects, s.clock.back, s.clock.apart, s.clock.misdated,
			s.clock.span.Milliseconds(), s.clock.dated.Milliseconds(), float64(s.late)/1e6, s.call)
		s.late, s.call = 0, "none"
		s.lock.Unlock()
	}
	// What malloc keeps for later says nothing of a leak.
	C.malloc_trim(0)
	heap := C.mallinfo2()
	fmt.Printf("process heap %d\n", heap.uordblks+heap.hblkhd)
}

func run(arguments []string) error {
	var streams []*stream
	var readers sync.WaitGroup
	for _, words := range arguments {
		s, err := open(words)
		if err != nil {
			return err
		}
		streams = append(streams, s)
		readers.Add(1)
		go func() {
			defer readers.Done()
			s.read()
		}()
	}
	readers.Add(1)
	go func() {
		defer readers.Done()
		for ; !isOver.Load(); time.Sleep(time.Second) {
			report(streams)
		}
	}()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		index, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		streams[index].restart()
	}
	isOver.Store(true)
	readers.Wait()
	for _, s := range streams {
		s.stop()
	}
	report(streams)
	for _, s := range streams {
		if err := s.client.Close(); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(1)
	}
}
