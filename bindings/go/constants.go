package mpegclient

// #include <mpegclient.h>
import "C"

// State is where a client stands. Treat numbers that you do not know as living states.
type State int32

const (
	StateIdle            State = C.MPEGCLIENT_STATE_IDLE             // not set up
	StateConnecting      State = C.MPEGCLIENT_STATE_CONNECTING       // connecting for the first time
	StateReady           State = C.MPEGCLIENT_STATE_READY            // connected, not started
	StateWaitingKeyframe State = C.MPEGCLIENT_STATE_WAITING_KEYFRAME // started, waiting for a picture to begin with
	StateRunning         State = C.MPEGCLIENT_STATE_RUNNING          // frames are coming
	StateStalled         State = C.MPEGCLIENT_STATE_STALLED          // no packet for half the parameter stall_timeout
	StateReconnecting    State = C.MPEGCLIENT_STATE_RECONNECTING     // lost and being connected again
	StateStopped         State = C.MPEGCLIENT_STATE_STOPPED          // terminated; can be started again
	StateEnded           State = C.MPEGCLIENT_STATE_ENDED            // the source came to its end
	StateFailed          State = C.MPEGCLIENT_STATE_FAILED           // given up; LastFailure tells why
)

// String says in a few words what the state means.
func (s State) String() string { return C.GoString(C.mpegclient_state_string(C.int32_t(s))) }

// Phase is the step of a stream's life in which something failed.
type Phase int32

const (
	PhaseNone    Phase = C.MPEGCLIENT_PHASE_NONE
	PhaseResolve Phase = C.MPEGCLIENT_PHASE_RESOLVE
	PhaseConnect Phase = C.MPEGCLIENT_PHASE_CONNECT
	PhaseAuth    Phase = C.MPEGCLIENT_PHASE_AUTH
	PhaseSetup   Phase = C.MPEGCLIENT_PHASE_SETUP
	PhaseProbe   Phase = C.MPEGCLIENT_PHASE_PROBE
	PhaseRead    Phase = C.MPEGCLIENT_PHASE_READ
	PhaseDecode  Phase = C.MPEGCLIENT_PHASE_DECODE
	PhaseConvert Phase = C.MPEGCLIENT_PHASE_CONVERT
)

// String says in a few words what the phase means.
func (p Phase) String() string { return C.GoString(C.mpegclient_phase_string(C.int32_t(p))) }

// Order tells which frames a read gives.
type Order int32

const (
	Latest Order = C.MPEGCLIENT_ORDER_LATEST // the newest
	Next   Order = C.MPEGCLIENT_ORDER_NEXT   // the oldest after AfterSeq, for reading without loss
)

// PixelFormat is the order of the channels, 8 bits each.
type PixelFormat int32

const (
	RGB24 PixelFormat = C.MPEGCLIENT_PIXEL_FORMAT_RGB24
	BGR24 PixelFormat = C.MPEGCLIENT_PIXEL_FORMAT_BGR24
	RGBA  PixelFormat = C.MPEGCLIENT_PIXEL_FORMAT_RGBA
	Gray8 PixelFormat = C.MPEGCLIENT_PIXEL_FORMAT_GRAY8
)

// Device tells where frames lie.
type Device int32

// DeviceCPU is the computer's main memory.
const DeviceCPU Device = C.MPEGCLIENT_DEVICE_CPU

// CaptureClock tells where a frame's time of capture comes from.
type CaptureClock int32

const (
	ClockNone CaptureClock = C.MPEGCLIENT_CLOCK_NONE // the time is not known
	ClockRTCP CaptureClock = C.MPEGCLIENT_CLOCK_RTCP // from the sender's RTCP reports (RFC 3550, section 6.4.1)
)

// EventKind tells what happened to a stream.
type EventKind int32

const (
	EventStateChanged  EventKind = C.MPEGCLIENT_EVENT_STATE_CHANGED  // Value is the state before
	EventFormatChanged EventKind = C.MPEGCLIENT_EVENT_FORMAT_CHANGED // the source's pictures changed; Text says to what
	EventReconnected   EventKind = C.MPEGCLIENT_EVENT_RECONNECTED    // a lost stream is connected again
	EventFramesDropped EventKind = C.MPEGCLIENT_EVENT_FRAMES_DROPPED // readers hold all memory; Value is how many
	EventQueueOverflow EventKind = C.MPEGCLIENT_EVENT_QUEUE_OVERFLOW // nobody took events; Value is how many were lost
	EventNoKeyFrame    EventKind = C.MPEGCLIENT_EVENT_NO_KEY_FRAME   // frames stay marked as corrupt, also where they look right; Text says why

	// The timestamps of a live stream do not keep pace with arrival, which decides in their place; Value is 0 once they do.
	EventClockUnreliable EventKind = C.MPEGCLIENT_EVENT_CLOCK_UNRELIABLE
)

// ParameterKind tells what values a parameter takes.
type ParameterKind int32

const (
	ParameterText     ParameterKind = C.MPEGCLIENT_PARAMETER_TEXT
	ParameterSecret   ParameterKind = C.MPEGCLIENT_PARAMETER_SECRET
	ParameterInteger  ParameterKind = C.MPEGCLIENT_PARAMETER_INTEGER
	ParameterRational ParameterKind = C.MPEGCLIENT_PARAMETER_RATIONAL
	ParameterChoice   ParameterKind = C.MPEGCLIENT_PARAMETER_CHOICE
	ParameterColor    ParameterKind = C.MPEGCLIENT_PARAMETER_COLOR
)

// Scope tells when a change of a parameter counts.
type Scope int32

const (
	ScopeSetup Scope = C.MPEGCLIENT_SCOPE_SETUP // at the next setup
	ScopeNow   Scope = C.MPEGCLIENT_SCOPE_NOW   // at the next call that uses it
)

// LogLevel tells how much is logged; each level includes those before it.
type LogLevel int32

const (
	LogQuiet   LogLevel = C.MPEGCLIENT_LOG_QUIET
	LogError   LogLevel = C.MPEGCLIENT_LOG_ERROR
	LogWarning LogLevel = C.MPEGCLIENT_LOG_WARNING
	LogInfo    LogLevel = C.MPEGCLIENT_LOG_INFO
	LogDebug   LogLevel = C.MPEGCLIENT_LOG_DEBUG
)
