package mpegclient

// #include <mpegclient.h>
import "C"

import (
	"context"
	"errors"
	"fmt"
)

// Status is how a call of the library failed. Every failure is an *Error that wraps its Status, so that the statuses
// serve as the errors to compare with:
//
//	if errors.Is(err, mpegclient.ErrUnauthorized) { ... }
type Status int32

const (
	ErrInvalidArgument  Status = C.MPEGCLIENT_ERROR_INVALID_ARGUMENT  // the text names the argument, its value and what was expected
	ErrUnknownParameter Status = C.MPEGCLIENT_ERROR_UNKNOWN_PARAMETER // no parameter has this name
	ErrBufferTooSmall   Status = C.MPEGCLIENT_ERROR_BUFFER_TOO_SMALL  // never seen by callers: the package makes the buffers
	ErrBadState         Status = C.MPEGCLIENT_ERROR_BAD_STATE         // the call does not fit the client's state, or the client is closed
	ErrBusy             Status = C.MPEGCLIENT_ERROR_BUSY              // another goroutine is in Setup, Start, Terminate or Clear
	ErrForked           Status = C.MPEGCLIENT_ERROR_FORKED            // the client was made before fork
	ErrTimeout          Status = C.MPEGCLIENT_ERROR_TIMEOUT           // the time allowed ran out; the stream may still be well
	ErrStale            Status = C.MPEGCLIENT_ERROR_STALE             // the newest frame is older than MaxAge
	ErrStopped          Status = C.MPEGCLIENT_ERROR_STOPPED           // the stream is not started, or was terminated
	ErrEnded            Status = C.MPEGCLIENT_ERROR_ENDED             // the stream came to its end and has no frame left for this call
	ErrInterrupted      Status = C.MPEGCLIENT_ERROR_INTERRUPTED       // Interrupt is on, or Close was called
	ErrCancelled        Status = C.MPEGCLIENT_ERROR_CANCELLED         // the context ended; the error is its error too
	ErrNoFrame          Status = C.MPEGCLIENT_ERROR_NO_FRAME          // the frame asked for is not in the ring
	ErrNoEvent          Status = C.MPEGCLIENT_ERROR_NO_EVENT          // never seen by callers: NextEvent gives nil
	ErrFailed           Status = C.MPEGCLIENT_ERROR_FAILED            // the stream has failed for good; LastFailure tells why
	ErrResolveFailed    Status = C.MPEGCLIENT_ERROR_RESOLVE_FAILED    // the host name could not be resolved
	ErrRefused          Status = C.MPEGCLIENT_ERROR_REFUSED           // nothing listens at the address
	ErrUnreachable      Status = C.MPEGCLIENT_ERROR_UNREACHABLE       // the network does not reach the server
	ErrUnauthorized     Status = C.MPEGCLIENT_ERROR_UNAUTHORIZED      // the server wants other credentials (401, 403)
	ErrNotFound         Status = C.MPEGCLIENT_ERROR_NOT_FOUND         // the server or the file system has no such stream (404)
	ErrServerGone       Status = C.MPEGCLIENT_ERROR_SERVER_GONE       // the server closed or lost the connection
	ErrStalled          Status = C.MPEGCLIENT_ERROR_STALLED           // no packet came within the parameter stall_timeout
	ErrNoVideo          Status = C.MPEGCLIENT_ERROR_NO_VIDEO          // the source has no video stream
	ErrUnsupported      Status = C.MPEGCLIENT_ERROR_UNSUPPORTED       // this build of FFmpeg lacks the protocol, format or decoder
	ErrBadData          Status = C.MPEGCLIENT_ERROR_BAD_DATA          // the data could not be understood
	ErrIO               Status = C.MPEGCLIENT_ERROR_IO                // reading failed in another way
	ErrUntrusted        Status = C.MPEGCLIENT_ERROR_UNTRUSTED         // the server's certificate cannot be verified
	ErrOutOfMemory      Status = C.MPEGCLIENT_ERROR_OUT_OF_MEMORY     // memory could not be had
	ErrSystem           Status = C.MPEGCLIENT_ERROR_SYSTEM            // the system refused a thread, a descriptor or a mapping
	ErrInternal         Status = C.MPEGCLIENT_ERROR_INTERNAL          // a defect in the library was caught; please report it
)

// Error says in one sentence what the status means.
func (s Status) Error() string { return C.GoString(C.mpegclient_status_string(C.int32_t(s))) }

// Timeout reports whether time ran out, as net.Error has it.
func (s Status) Timeout() bool { return s == ErrTimeout }

// Error is a call that failed.
type Error struct {
	// Status is what errors.Is compares with.
	Status Status
	// Message has the library's words for this very failure, without credentials.
	Message string
	// Phase is the step of the stream's life that failed; PhaseNone for a failure of the call itself.
	Phase Phase
	// AVCode is libav's error code, 0 if libav was not involved.
	AVCode int
	// ProtocolStatus is the RTSP or HTTP status that the server answered, 0 if not known.
	ProtocolStatus int
	// Retryable tells that the same attempt may succeed later.
	Retryable bool

	// What ended a call that was cancelled: the context's error.
	cause error
}

// Error gives the library's words, or the status's where it has none.
func (e *Error) Error() string {
	if e.Message == "" {
		return "mpegclient: " + e.Status.Error()
	}
	return "mpegclient: " + e.Message
}

// Unwrap gives the status.
func (e *Error) Unwrap() error { return e.Status }

// Is has a call that its context ended compare as context.Canceled or context.DeadlineExceeded too.
func (e *Error) Is(target error) bool { return e.cause != nil && errors.Is(e.cause, target) }

// Timeout reports whether time ran out, the context's included, as net.Error has it.
func (e *Error) Timeout() bool {
	return e.Status.Timeout() || errors.Is(e.cause, context.DeadlineExceeded)
}

func invalid(argument string, value any, expected string) error {
	return &Error{Status: ErrInvalidArgument, Message: fmt.Sprintf("%s is %v, expected %s", argument, value, expected)}
}
