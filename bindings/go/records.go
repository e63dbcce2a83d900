package mpegclient

// #include <mpegclient.h>
import "C"

import (
	"math"
	"time"
)

// UnknownTime stands for a duration that is not known. A time.Time that is not known is zero.
const UnknownTime time.Duration = math.MinInt64

// UnknownRotation stands for a rotation that is not known.
const UnknownRotation = math.MaxUint32

// FrameInfo is what is known of one frame.
type FrameInfo struct {
	Seq                uint64        // 1 for the first that a client ever publishes, then one more for each
	Generation         uint64        // connection that it came over, counted from 1
	PTS                time.Duration // presentation time by the stream's own clock, or UnknownTime
	CaptureTime        time.Time     // when the sender captured it, by the sender's clock
	CaptureClock       CaptureClock  // where CaptureTime comes from
	ArrivalTime        time.Time     // when its packet arrived, by the local clock
	ArrivalMonotonic   time.Duration // the same by CLOCK_MONOTONIC
	DecodedMonotonic   time.Duration // when it was decoded, by CLOCK_MONOTONIC
	PublishedMonotonic time.Duration // when it became readable, by CLOCK_MONOTONIC
	Key                bool          // it was decoded from a key frame
	Corrupt            bool          // the picture is damaged or may be
	GapBefore          bool          // frames that should lie before this one were dropped or lost
	Repeated           bool          // the picture is a repetition of the one before
	SourceWidth        int           // width of the decoded picture before scaling
	SourceHeight       int           // height of the decoded picture before scaling
	// ToSource leads from a point of the frame to the same point of the decoded picture, both in pixels:
	// x' = a*x + b*y + c and y' = d*x + e*y + f, as {a, b, c, d, e, f}.
	ToSource [6]float64
}

func frameInfo(info *C.MpegClientFrameInfo) FrameInfo {
	return FrameInfo{
		Seq:                uint64(info.seq),
		Generation:         uint64(info.generation),
		PTS:                time.Duration(info.pts_ns),
		CaptureTime:        wallTime(info.capture_time_ns),
		CaptureClock:       CaptureClock(info.capture_clock),
		ArrivalTime:        wallTime(info.arrival_time_ns),
		ArrivalMonotonic:   time.Duration(info.arrival_monotonic_ns),
		DecodedMonotonic:   time.Duration(info.decoded_monotonic_ns),
		PublishedMonotonic: time.Duration(info.published_monotonic_ns),
		Key:                info.flags&C.MPEGCLIENT_FRAME_KEY != 0,
		Corrupt:            info.flags&C.MPEGCLIENT_FRAME_CORRUPT != 0,
		GapBefore:          info.flags&C.MPEGCLIENT_FRAME_GAP_BEFORE != 0,
		Repeated:           info.flags&C.MPEGCLIENT_FRAME_REPEATED != 0,
		SourceWidth:        int(info.source_width),
		SourceHeight:       int(info.source_height),
		ToSource:           toSource(info),
	}
}

func toSource(info *C.MpegClientFrameInfo) (matrix [6]float64) {
	for index := range matrix {
		matrix[index] = float64(info.to_source[index])
	}
	return matrix
}

// StreamInfo is what is known of the stream that is connected.
type StreamInfo struct {
	StreamIndex       int           // index of the video stream within the source
	Width             int           // of the source's picture; 0 while not known
	Height            int           // of the source's picture; 0 while not known
	FrameRateNum      uint32        // declared frame rate, upper part; 0 if none is declared; often wrong
	FrameRateDen      uint32        // declared frame rate, lower part
	MeasuredFrameRate float64       // as measured over the last frames; 0 while not known
	IsLive            bool          // a live stream, not a file, which ends
	IsHDR             bool          // of high dynamic range (PQ or HLG); frames are not tone mapped; false while PixelFormat is not known
	SampleAspectNum   uint32        // width of a stored pixel over its height, upper part; 0 if not known
	SampleAspectDen   uint32        // the same, lower part
	Rotation          uint32        // degrees clockwise that pictures are turned by: 0, 90, 180 or 270; UnknownRotation while not known
	IsMirrored        bool          // pictures are mirrored left to right before they are turned; false while Rotation is not known
	Duration          time.Duration // length, or UnknownTime
	Generation        uint64        // connection that this describes, counted from 1
	Codec             string        // such as "h264"
	PixelFormat       string        // of the decoded pictures, such as "yuv420p"; empty while not known
	Container         string        // container or session protocol, such as "rtsp" or "mpegts"
	ColorMatrix       string        // such as "bt709"; empty while not known, as are those below
	ColorRange        string        // "tv" for limited, "pc" for full
	ColorPrimaries    string        // such as "bt709"
	ColorTransfer     string        // such as "smpte2084"
	Engine            string        // what reads it: "libav", or "native" for the library's own RTSP engine
}

func streamInfo(info *C.MpegClientStreamInfo) *StreamInfo {
	return &StreamInfo{
		StreamIndex:       int(info.stream_index),
		Width:             int(info.width),
		Height:            int(info.height),
		FrameRateNum:      uint32(info.frame_rate_num),
		FrameRateDen:      uint32(info.frame_rate_den),
		MeasuredFrameRate: float64(info.measured_frame_rate),
		IsLive:            info.is_live != 0,
		IsHDR:             info.is_hdr != 0,
		SampleAspectNum:   uint32(info.sample_aspect_num),
		SampleAspectDen:   uint32(info.sample_aspect_den),
		Rotation:          uint32(info.rotation),
		IsMirrored:        info.is_mirrored != 0,
		Duration:          time.Duration(info.duration_ns),
		Generation:        uint64(info.generation),
		Codec:             C.GoString(&info.codec[0]),
		PixelFormat:       C.GoString(&info.pixel_format[0]),
		Container:         C.GoString(&info.container[0]),
		ColorMatrix:       C.GoString(&info.color_matrix[0]),
		ColorRange:        C.GoString(&info.color_range[0]),
		ColorPrimaries:    C.GoString(&info.color_primaries[0]),
		ColorTransfer:     C.GoString(&info.color_transfer[0]),
		Engine:            C.GoString(&info.engine[0]),
	}
}

// Stats are counters of one client since New; none is ever reset.
type Stats struct {
	RingCapacity     uint32        // slots of the ring; frame seq lies in slot seq % RingCapacity; 0 while there is no ring
	NewestSeq        uint64        // number of the newest frame; 0 if there never was one
	OldestSeq        uint64        // number of the oldest readable frame; 0 if there is none
	Packets          uint64        // packets of the chosen video stream
	Bytes            uint64        // bytes of those packets
	Decoded          uint64        // frames that came out of the decoder
	DecodeErrors     uint64        // packets or frames that the decoder refused or reported as damaged
	Published        uint64        // frames put into the ring
	Corrupt          uint64        // published frames marked corrupt
	DroppedByRate    uint64        // frames left out to keep the frame rate asked for
	DroppedByLease   uint64        // frames left out because readers held all the memory they may
	DroppedAtStart   uint64        // frames passed over to catch up after a start
	Connects         uint64        // connections made; the newest one's number is its generation
	ConnectAttempts  uint64        // attempts to connect
	Reads            uint64        // batches handed out
	FramesRead       uint64        // frames handed out
	AbandonedThreads uint64        // writer threads that hung in a system call and were left behind
	Leases           uint64        // leases that are out, now
	OldestLeaseAge   time.Duration // since the oldest of them was taken; 0 if there is none
	OrphanedRings    uint64        // rings kept in memory by readers only, now
	DroppedCorrupt   uint64        // damaged frames left out, where the parameter corrupt is drop
	ClockOffset      time.Duration // from capture by the sender's clock to arrival by the local one, or UnknownTime
	ClockJitter      time.Duration // how much that varies from frame to frame, or UnknownTime
	LostPackets      uint64        // packets of the network that were lost, as far as the source can tell
	Repeated         uint64        // frames published once more to keep a constant rate
	ClockFaults      uint64        // times that timestamps were found not to keep pace with arrival
}

func stats(stats *C.MpegClientStats) *Stats {
	return &Stats{
		RingCapacity:     uint32(stats.ring_capacity),
		NewestSeq:        uint64(stats.newest_seq),
		OldestSeq:        uint64(stats.oldest_seq),
		Packets:          uint64(stats.packets),
		Bytes:            uint64(stats.bytes),
		Decoded:          uint64(stats.decoded),
		DecodeErrors:     uint64(stats.decode_errors),
		Published:        uint64(stats.published),
		Corrupt:          uint64(stats.corrupt),
		DroppedByRate:    uint64(stats.dropped_by_rate),
		DroppedByLease:   uint64(stats.dropped_by_lease),
		DroppedAtStart:   uint64(stats.dropped_at_start),
		Connects:         uint64(stats.connects),
		ConnectAttempts:  uint64(stats.connect_attempts),
		Reads:            uint64(stats.reads),
		FramesRead:       uint64(stats.frames_read),
		AbandonedThreads: uint64(stats.abandoned_threads),
		Leases:           uint64(stats.leases),
		OldestLeaseAge:   time.Duration(stats.oldest_lease_age_ns),
		OrphanedRings:    uint64(stats.orphaned_rings),
		DroppedCorrupt:   uint64(stats.dropped_corrupt),
		ClockOffset:      time.Duration(stats.clock_offset_ns),
		ClockJitter:      time.Duration(stats.clock_jitter_ns),
		LostPackets:      uint64(stats.lost_packets),
		Repeated:         uint64(stats.repeated),
		ClockFaults:      uint64(stats.clock_faults),
	}
}

// Failure is the last failure of a client's stream, those in the background included.
type Failure struct {
	Status         Status
	Phase          Phase
	AVCode         int       // libav's error code, 0 if libav was not involved
	ProtocolStatus int       // RTSP or HTTP status that the server answered, 0 if not known
	Retryable      bool      // the same attempt may succeed later
	Time           time.Time // when it happened, by the local clock
	Message        string    // what happened, without credentials
}

func failure(failure *C.MpegClientError) *Failure {
	return &Failure{
		Status:         Status(failure.status),
		Phase:          Phase(failure.phase),
		AVCode:         int(failure.av_code),
		ProtocolStatus: int(failure.protocol_status),
		Retryable:      failure.retryable != 0,
		Time:           wallTime(failure.time_ns),
		Message:        C.GoString(&failure.message[0]),
	}
}

// Event is something that happened to a stream.
type Event struct {
	Kind       EventKind
	State      State         // the client's state after it
	Monotonic  time.Duration // when it happened, by CLOCK_MONOTONIC
	Generation uint64        // connection at the time, counted from 1; 0 before the first
	Value      int64         // what the kind says that it is; else 0
	Text       string        // what there is to say of it, without credentials; may be empty
}

func event(event *C.MpegClientEvent) *Event {
	return &Event{
		Kind:       EventKind(event.kind),
		State:      State(event.state),
		Monotonic:  time.Duration(event.monotonic_ns),
		Generation: uint64(event.generation),
		Value:      int64(event.value),
		Text:       C.GoString(&event.text[0]),
	}
}

// wallTime is zero for a time that is not known.
func wallTime(nanoseconds C.int64_t) time.Time {
	if nanoseconds == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, int64(nanoseconds))
}
