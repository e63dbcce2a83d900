package mpegclient

// #cgo pkg-config: mpegclient
// #include <mpegclient.h>
// #include <stdlib.h>
import "C"

import (
	"context"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// call runs one function of the library. The words for a failure belong to the thread that it ran on, which the goroutine
// must not leave before they are read.
func call(function func() C.int32_t) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	status := function()
	if status == C.MPEGCLIENT_OK {
		return nil
	}
	known := C.MpegClientError{struct_size: C.sizeof_MpegClientError}
	C.mpegclient_thread_error(&known)
	return &Error{
		Status:         Status(status),
		Message:        C.GoString(C.mpegclient_last_error()),
		Phase:          Phase(known.phase),
		AVCode:         int(known.av_code),
		ProtocolStatus: int(known.protocol_status),
		Retryable:      known.retryable != 0,
	}
}

// blocking runs one function that may wait, with a cancel token that is triggered when the context ends. A context that
// cannot end costs nothing.
func blocking(ctx context.Context, function func(token *C.MpegClientCancel) C.int32_t) error {
	if err := ctx.Err(); err != nil {
		return &Error{Status: ErrCancelled, Message: err.Error(), cause: err}
	}
	if ctx.Done() == nil {
		return call(func() C.int32_t { return function(nil) })
	}
	token := C.mpegclient_cancel_new()
	if token == nil {
		return &Error{Status: ErrOutOfMemory}
	}
	defer C.mpegclient_cancel_free(token)
	var watcher sync.WaitGroup
	returned := make(chan struct{})
	watcher.Add(1)
	go func() {
		defer watcher.Done()
		select {
		case <-ctx.Done():
			C.mpegclient_cancel_trigger(token)
		case <-returned:
		}
	}()
	err := call(func() C.int32_t { return function(token) })
	close(returned)
	watcher.Wait() // the token must outlive whoever may trigger it
	if failure, ok := err.(*Error); ok && failure.Status == ErrCancelled {
		failure.cause = ctx.Err()
	}
	return err
}

// handle keeps a C client alive while calls use it: Close refuses new ones and waits for those in progress.
type handle struct {
	pointer *C.MpegClient
	mutex   sync.Mutex // guards closed, and that no call is counted once it is set
	closed  bool
	calls   sync.WaitGroup
}

// enter counts a call, whose end is told by calls.Done.
func (h *handle) enter() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.closed {
		return &Error{Status: ErrBadState, Message: "the client is closed"}
	}
	h.calls.Add(1)
	return nil
}

// close frees the client once the calls in progress have ended, which it makes them do. It reports whether it did so:
// the second time it does nothing.
func (h *handle) close() bool {
	h.mutex.Lock()
	first := !h.closed
	h.closed = true
	h.mutex.Unlock()
	if first {
		C.mpegclient_interrupt(h.pointer, 1)
		h.calls.Wait()
		C.mpegclient_free(h.pointer)
	}
	return first
}

// do runs one function of the library on the client.
func (h *handle) do(function func(client *C.MpegClient) C.int32_t) error {
	if err := h.enter(); err != nil {
		return err
	}
	defer h.calls.Done()
	return call(func() C.int32_t { return function(h.pointer) })
}

// wait runs one function of the library on the client that may wait, until the context ends at most.
func (h *handle) wait(ctx context.Context, function func(*C.MpegClient, *C.MpegClientCancel) C.int32_t) error {
	if err := h.enter(); err != nil {
		return err
	}
	defer h.calls.Done()
	return blocking(ctx, func(token *C.MpegClientCancel) C.int32_t { return function(h.pointer, token) })
}

// cString gives text to C, to be freed by freeString. C would take a NUL within for the end.
func cString(argument, text string) (*C.char, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return nil, invalid(argument, "text with a NUL character", "text without one")
	}
	return C.CString(text), nil
}

func freeString(text *C.char) { C.free(unsafe.Pointer(text)) }

// readText calls a function that fills a buffer with text, and again with a larger one while the text does not fit.
func readText(function func(buffer *C.char, size C.size_t, needed *C.size_t) error) (string, error) {
	needed := C.size_t(1024)
	for {
		buffer := make([]byte, needed)
		err := function((*C.char)(unsafe.Pointer(&buffer[0])), C.size_t(len(buffer)), &needed)
		if err == nil {
			return string(buffer[:needed-1]), nil
		}
		if err.(*Error).Status != ErrBufferTooSmall {
			return "", err
		}
	}
}

// milliseconds rounds up, so that a short time does not become none.
func milliseconds(duration time.Duration) C.int64_t {
	whole := duration / time.Millisecond
	if duration > whole*time.Millisecond && whole < math.MaxInt64 {
		whole++
	}
	return C.int64_t(whole)
}
