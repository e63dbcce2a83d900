// Package mpegclient gives the newest frames of any live video stream, as bytes or images, at any moment.
//
// A thread of the library's own decodes a stream without pause into a ring of frames, scaled to one size and brought to
// one frame rate; Read copies the newest ones out of it whenever the caller is ready. A live stream that is lost is
// connected again. What a call means, waits for and may return is said in full in mpegclient.h; names differ only in
// their spelling.
//
// Every function may be called on any goroutine at any time, also on the same client. Setup, Start, Terminate and Clear
// exclude each other: Setup and Start return ErrBusy instead of waiting. Calls that may wait take a context and return
// when it ends. Failures are *Error values; compare them with errors.Is and the Err constants.
package mpegclient

// #include <mpegclient.h>
import "C"

import (
	"context"
	"math"
	"runtime"
	"strconv"
	"time"
)

// How long a call waits, other than for a time. 0 stands for the parameter read_timeout.
const (
	NoLimit time.Duration = -1            // until the context ends
	NoWait  time.Duration = math.MinInt64 // not at all
)

// Client is one stream, from setup to clear.
type Client struct {
	handle handle
}

// New makes a client in the state idle, with every parameter at its default. It is to be closed.
func New() (*Client, error) {
	client := new(Client)
	err := call(func() C.int32_t {
		if client.handle.pointer = C.mpegclient_new(); client.handle.pointer == nil {
			return C.MPEGCLIENT_ERROR_OUT_OF_MEMORY
		}
		return C.MPEGCLIENT_OK
	})
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(client, (*Client).Close)
	return client, nil
}

// Close clears the client and frees it; calls in progress on other goroutines end first, with ErrInterrupted. It returns
// within half a second whatever the network does, always nil, and does nothing the second time.
func (c *Client) Close() error {
	if c.handle.close() {
		runtime.SetFinalizer(c, nil)
	}
	return nil
}

// SetParameter sets a parameter from text, such as "frame_rate" from "5/1". Most count at the next Setup.
func (c *Client) SetParameter(key, value string) error {
	name, err := cString("key", key)
	if err != nil {
		return err
	}
	defer freeString(name)
	text, err := cString("value", value)
	if err != nil {
		return err
	}
	defer freeString(text)
	return c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_set_parameter(client, name, text) })
}

// SetParameterInt sets a parameter from a whole number.
func (c *Client) SetParameterInt(key string, value int) error {
	name, err := cString("key", key)
	if err != nil {
		return err
	}
	defer freeString(name)
	return c.handle.do(func(client *C.MpegClient) C.int32_t {
		return C.mpegclient_set_parameter_int(client, name, C.int64_t(value))
	})
}

// Parameter gives a parameter's value as text: the one set, or its default.
func (c *Client) Parameter(key string) (string, error) {
	name, err := cString("key", key)
	if err != nil {
		return "", err
	}
	defer freeString(name)
	return readText(func(buffer *C.char, size C.size_t, needed *C.size_t) error {
		return c.handle.do(func(client *C.MpegClient) C.int32_t {
			return C.mpegclient_get_parameter(client, name, buffer, size, needed)
		})
	})
}

// Setup connects to a stream and finds its video, within the parameter setup_timeout and until the context ends. The URL
// is any address that libavformat opens, or a path; "": the parameter url. A client that was set up before is cleared
// first. On failure nothing keeps running, the state is idle, and the error tells the phase.
func (c *Client) Setup(ctx context.Context, url string) error { return c.setup(ctx, url, NoLimit) }

// SetupInBackground returns at once; connecting goes on in the background, again and again if need be.
func (c *Client) SetupInBackground(url string) error { return c.setup(context.Background(), url, 0) }

func (c *Client) setup(ctx context.Context, url string, timeout time.Duration) error {
	var address *C.char
	if url != "" {
		var err error
		if address, err = cString("url", url); err != nil {
			return err
		}
		defer freeString(address)
	}
	return c.handle.wait(ctx, func(client *C.MpegClient, token *C.MpegClientCancel) C.int32_t {
		return C.mpegclient_setup(client, address, limit(timeout), token)
	})
}

// Start decodes and puts frames into the ring from the present on; it does nothing if it does so already. After
// Terminate a live stream is connected again in the background; a file goes on where it was.
func (c *Client) Start() error {
	return c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_start(client) })
}

// Terminate stops decoding and disconnects a live stream; its last frames stay readable, and Start may follow. It
// returns within half a second and ends a Setup in progress.
func (c *Client) Terminate() error {
	return c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_terminate(client) })
}

// Clear terminates, closes the stream and gives its frames up; the parameters stay, and Setup may follow. It returns
// within half a second.
func (c *Client) Clear() error {
	return c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_clear(client) })
}

// Interrupt ends every waiting call with ErrInterrupted, and those to come for as long as it is on. It ends a Setup in
// progress; a stream that is well goes on.
func (c *Client) Interrupt(on bool) error {
	number := C.int32_t(0)
	if on {
		number = 1
	}
	return c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_interrupt(client, number) })
}

// State tells where the client stands.
func (c *Client) State() (State, error) {
	var state C.int32_t
	err := c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_state(client, &state) })
	return State(state), err
}

// StreamInfo tells what is known of the stream; ErrBadState while nothing has been connected since Setup.
func (c *Client) StreamInfo() (*StreamInfo, error) {
	info := C.MpegClientStreamInfo{struct_size: C.sizeof_MpegClientStreamInfo}
	err := c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_stream_info(client, &info) })
	if err != nil {
		return nil, err
	}
	return streamInfo(&info), nil
}

// Stats tells the counters.
func (c *Client) Stats() (*Stats, error) {
	counters := C.MpegClientStats{struct_size: C.sizeof_MpegClientStats}
	err := c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_stats(client, &counters) })
	if err != nil {
		return nil, err
	}
	return stats(&counters), nil
}

// LastFailure tells the last failure of the stream, those in the background included; nil if nothing has failed yet.
func (c *Client) LastFailure() (*Failure, error) {
	last := C.MpegClientError{struct_size: C.sizeof_MpegClientError}
	err := c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_client_error(client, &last) })
	if err != nil || last.status == C.MPEGCLIENT_OK {
		return nil, err
	}
	return failure(&last), nil
}

// Describe describes the client for a person: state, stream, counters, and the parameters that were set; some lines
// without credentials.
func (c *Client) Describe() (string, error) {
	return readText(func(buffer *C.char, size C.size_t, needed *C.size_t) error {
		return c.handle.do(func(client *C.MpegClient) C.int32_t {
			return C.mpegclient_describe(client, buffer, size, needed)
		})
	})
}

// NextEvent takes the oldest event that nobody has taken yet; nil if there is none. At most 64 wait.
func (c *Client) NextEvent() (*Event, error) {
	next := C.MpegClientEvent{struct_size: C.sizeof_MpegClientEvent}
	status := C.int32_t(C.MPEGCLIENT_OK)
	err := c.handle.do(func(client *C.MpegClient) C.int32_t {
		if status = C.mpegclient_next_event(client, &next); status == C.MPEGCLIENT_ERROR_NO_EVENT {
			return C.MPEGCLIENT_OK
		}
		return status
	})
	if err != nil || status == C.MPEGCLIENT_ERROR_NO_EVENT {
		return nil, err
	}
	return event(&next), nil
}

// EventFD gives a descriptor for poll and epoll: readable while an event waits, or a frame newer than the one told to
// ArmEvents is there. Only poll it; it is the client's.
func (c *Client) EventFD() (int, error) {
	var descriptor C.int32_t
	err := c.handle.do(func(client *C.MpegClient) C.int32_t { return C.mpegclient_event_fd(client, &descriptor) })
	return int(descriptor), err
}

// ArmEvents has the descriptor become readable once a frame newer than this one is there; math.MaxUint64, as at first:
// for none.
func (c *Client) ArmEvents(afterSeq uint64) error {
	return c.handle.do(func(client *C.MpegClient) C.int32_t {
		return C.mpegclient_event_arm(client, C.uint64_t(afterSeq))
	})
}

// readTimeout is how long a call waits, with the parameter read_timeout for 0.
func (c *Client) readTimeout(timeout time.Duration) (time.Duration, error) {
	if timeout != 0 {
		return timeout, nil
	}
	number, err := c.number("read_timeout")
	if number == 0 {
		return NoWait, err
	}
	return time.Duration(number) * time.Millisecond, err
}

// number gives a parameter whose values are whole numbers.
func (c *Client) number(key string) (int, error) {
	text, err := c.Parameter(key)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// limit is a time as the library takes it.
func limit(timeout time.Duration) C.int64_t {
	switch {
	case timeout == NoWait:
		return 0
	case timeout < 0:
		return -1
	default:
		return milliseconds(timeout)
	}
}
