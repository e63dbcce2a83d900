//! What crosses the boundary: numbers and C structs, nothing that a caller could fill with an invalid value.

use std::ffi::{c_char, c_void};

// ---- Version ----

/// First part of the version this header belongs to.
pub const MPEGCLIENT_VERSION_MAJOR: u32 = 0;
/// Second part of the version this header belongs to.
pub const MPEGCLIENT_VERSION_MINOR: u32 = 1;
/// Third part of the version this header belongs to.
pub const MPEGCLIENT_VERSION_PATCH: u32 = 0;
/// Grows by one with every addition to this header; see mpegclient_abi_version.
pub const MPEGCLIENT_ABI_VERSION: u32 = 1;

// ---- Statuses: 0 is success, every failure is negative ----

/// Success.
pub const MPEGCLIENT_OK: i32 = 0;
/// An argument is not valid; the text names it, its value and what was expected.
pub const MPEGCLIENT_ERROR_INVALID_ARGUMENT: i32 = -1;
/// No parameter has this name.
pub const MPEGCLIENT_ERROR_UNKNOWN_PARAMETER: i32 = -2;
/// The buffer is too small; the size needed was written where the call has a place for it.
pub const MPEGCLIENT_ERROR_BUFFER_TOO_SMALL: i32 = -3;
/// The call does not fit the client's state.
pub const MPEGCLIENT_ERROR_BAD_STATE: i32 = -20;
/// Another thread is in setup, start, terminate or clear of this client.
pub const MPEGCLIENT_ERROR_BUSY: i32 = -21;
/// The client was made before fork and cannot be used in the child.
pub const MPEGCLIENT_ERROR_FORKED: i32 = -22;
/// The time allowed ran out. The stream may still be well.
pub const MPEGCLIENT_ERROR_TIMEOUT: i32 = -40;
/// The newest frame is older than max_age_ms.
pub const MPEGCLIENT_ERROR_STALE: i32 = -41;
/// The stream is not started, or was terminated.
pub const MPEGCLIENT_ERROR_STOPPED: i32 = -42;
/// The stream came to its end and has no frame left for this call.
pub const MPEGCLIENT_ERROR_ENDED: i32 = -43;
/// mpegclient_interrupt is on.
pub const MPEGCLIENT_ERROR_INTERRUPTED: i32 = -44;
/// The cancel token was triggered.
pub const MPEGCLIENT_ERROR_CANCELLED: i32 = -45;
/// The frame asked for is not in the ring.
pub const MPEGCLIENT_ERROR_NO_FRAME: i32 = -46;
/// No event is waiting.
pub const MPEGCLIENT_ERROR_NO_EVENT: i32 = -47;
/// The stream has failed for good; mpegclient_client_error tells why.
pub const MPEGCLIENT_ERROR_FAILED: i32 = -60;
/// The host name could not be resolved.
pub const MPEGCLIENT_ERROR_RESOLVE_FAILED: i32 = -61;
/// Nothing listens at the address.
pub const MPEGCLIENT_ERROR_REFUSED: i32 = -62;
/// The network does not reach the server.
pub const MPEGCLIENT_ERROR_UNREACHABLE: i32 = -63;
/// The server wants other credentials (401, 403).
pub const MPEGCLIENT_ERROR_UNAUTHORIZED: i32 = -64;
/// The server or the file system has no such stream (404).
pub const MPEGCLIENT_ERROR_NOT_FOUND: i32 = -65;
/// The server closed or lost the connection.
pub const MPEGCLIENT_ERROR_SERVER_GONE: i32 = -66;
/// No packet came within the parameter stall_timeout.
pub const MPEGCLIENT_ERROR_STALLED: i32 = -67;
/// The source has no video stream.
pub const MPEGCLIENT_ERROR_NO_VIDEO: i32 = -68;
/// This build of FFmpeg lacks the protocol, format or decoder.
pub const MPEGCLIENT_ERROR_UNSUPPORTED: i32 = -69;
/// The data could not be understood.
pub const MPEGCLIENT_ERROR_BAD_DATA: i32 = -70;
/// Reading failed in another way.
pub const MPEGCLIENT_ERROR_IO: i32 = -71;
/// The server's certificate cannot be verified.
pub const MPEGCLIENT_ERROR_UNTRUSTED: i32 = -72;
/// Memory could not be had.
pub const MPEGCLIENT_ERROR_OUT_OF_MEMORY: i32 = -80;
/// The operating system refused a thread, a descriptor or a mapping.
pub const MPEGCLIENT_ERROR_SYSTEM: i32 = -81;
/// A defect in the library was caught. The client is FAILED; please report it.
pub const MPEGCLIENT_ERROR_INTERNAL: i32 = -90;

// ---- States ----

/// Not set up.
pub const MPEGCLIENT_STATE_IDLE: i32 = 0;
/// Connecting for the first time.
pub const MPEGCLIENT_STATE_CONNECTING: i32 = 1;
/// Connected, not started. A live stream is being drained, so that start shows the present.
pub const MPEGCLIENT_STATE_READY: i32 = 2;
/// Started, waiting for a picture to begin with.
pub const MPEGCLIENT_STATE_WAITING_KEYFRAME: i32 = 3;
/// Frames are coming.
pub const MPEGCLIENT_STATE_RUNNING: i32 = 4;
/// Started, but no packet has come for half the parameter stall_timeout.
pub const MPEGCLIENT_STATE_STALLED: i32 = 5;
/// The stream was lost and is being connected again; its last frames stay readable.
pub const MPEGCLIENT_STATE_RECONNECTING: i32 = 6;
/// Terminated; can be started again.
pub const MPEGCLIENT_STATE_STOPPED: i32 = 7;
/// The source came to its end.
pub const MPEGCLIENT_STATE_ENDED: i32 = 8;
/// Given up; mpegclient_client_error tells why.
pub const MPEGCLIENT_STATE_FAILED: i32 = 9;

// ---- Phases of a stream's life, in errors ----

/// The failure belongs to no phase.
pub const MPEGCLIENT_PHASE_NONE: i32 = 0;
/// Resolving the host name.
pub const MPEGCLIENT_PHASE_RESOLVE: i32 = 1;
/// Connecting.
pub const MPEGCLIENT_PHASE_CONNECT: i32 = 2;
/// Authenticating.
pub const MPEGCLIENT_PHASE_AUTH: i32 = 3;
/// Setting up the session.
pub const MPEGCLIENT_PHASE_SETUP: i32 = 4;
/// Finding out what the stream holds.
pub const MPEGCLIENT_PHASE_PROBE: i32 = 5;
/// Reading packets.
pub const MPEGCLIENT_PHASE_READ: i32 = 6;
/// Decoding.
pub const MPEGCLIENT_PHASE_DECODE: i32 = 7;
/// Scaling and converting colours.
pub const MPEGCLIENT_PHASE_CONVERT: i32 = 8;

// ---- Order, pixel formats, devices, clocks, flags ----

/// The newest frames.
pub const MPEGCLIENT_ORDER_LATEST: i32 = 0;
/// The oldest frames after after_seq, for reading without loss as long as the reader keeps up.
pub const MPEGCLIENT_ORDER_NEXT: i32 = 1;

/// A batch may hold frames of several connections.
pub const MPEGCLIENT_READ_MIX_GENERATIONS: u32 = 1;

/// Red, green, blue; 8 bits each.
pub const MPEGCLIENT_PIXEL_FORMAT_RGB24: i32 = 0;
/// Blue, green, red; 8 bits each.
pub const MPEGCLIENT_PIXEL_FORMAT_BGR24: i32 = 1;
/// Red, green, blue, opacity; 8 bits each. Opacity is that of the source, and 255 where it has none; colours are not
/// multiplied by it (straight alpha).
pub const MPEGCLIENT_PIXEL_FORMAT_RGBA: i32 = 2;
/// Brightness (luma), 0 for black to 255 for white; 8 bits.
pub const MPEGCLIENT_PIXEL_FORMAT_GRAY8: i32 = 3;

/// The frames lie in the computer's main memory.
pub const MPEGCLIENT_DEVICE_CPU: i32 = 0;

/// The time of capture is not known.
pub const MPEGCLIENT_CLOCK_NONE: i32 = 0;
/// The time of capture comes from the sender's RTCP reports (RFC 3550, section 6.4.1).
pub const MPEGCLIENT_CLOCK_RTCP: i32 = 1;

/// The frame was decoded from a key frame.
pub const MPEGCLIENT_FRAME_KEY: u32 = 1;
/// The picture is damaged or may be. Where the native RTSP engine reads, one without this is to the bit what was sent.
pub const MPEGCLIENT_FRAME_CORRUPT: u32 = 2;
/// Frames that should lie before this one were dropped or lost.
pub const MPEGCLIENT_FRAME_GAP_BEFORE: u32 = 4;
/// The picture is a repetition of the one before.
pub const MPEGCLIENT_FRAME_REPEATED: u32 = 8;

/// The batch mixes frames of several connections.
pub const MPEGCLIENT_BATCH_MIXED_GENERATIONS: u32 = 1;
/// The frames are evenly spaced: none is missing between them, and no distance between two of them, by their
/// presentation times, differs from the mean by more than a quarter. Always so for a single frame.
pub const MPEGCLIENT_BATCH_UNIFORM: u32 = 2;

/// The state changed; value is the state before.
pub const MPEGCLIENT_EVENT_STATE_CHANGED: i32 = 1;
/// The source's pictures changed in size, format or codec; text says to what. The shape of the frames stays.
pub const MPEGCLIENT_EVENT_FORMAT_CHANGED: i32 = 2;
/// A lost stream is connected again.
pub const MPEGCLIENT_EVENT_RECONNECTED: i32 = 3;
/// Frames were dropped because readers hold all the memory they may; value is how many.
pub const MPEGCLIENT_EVENT_FRAMES_DROPPED: i32 = 4;
/// Events were lost because nobody took them; value is how many.
pub const MPEGCLIENT_EVENT_QUEUE_OVERFLOW: i32 = 5;
/// The stream shows no key frame, so that frames stay marked as corrupt, also where they look right, or left out; text
/// says more. Told once for a connection.
pub const MPEGCLIENT_EVENT_NO_KEY_FRAME: i32 = 6;
/// The timestamps of a live stream do not keep pace with the arrival of its frames: from then on, arrival decides about
/// the frame rate and about pts_ns, and capture_time_ns is not known. value is 1, or 0 once they are reliable again.
pub const MPEGCLIENT_EVENT_CLOCK_UNRELIABLE: i32 = 7;

/// The parameter takes any text.
pub const MPEGCLIENT_PARAMETER_TEXT: i32 = 0;
/// The parameter takes any text, and no message shows it.
pub const MPEGCLIENT_PARAMETER_SECRET: i32 = 1;
/// The parameter takes a whole number.
pub const MPEGCLIENT_PARAMETER_INTEGER: i32 = 2;
/// The parameter takes a fraction such as "30000/1001".
pub const MPEGCLIENT_PARAMETER_RATIONAL: i32 = 3;
/// The parameter takes one of several words.
pub const MPEGCLIENT_PARAMETER_CHOICE: i32 = 4;
/// The parameter takes a colour as six hexadecimal digits, two each for red, green and blue, such as "727272".
pub const MPEGCLIENT_PARAMETER_COLOR: i32 = 5;

/// A change counts at the next setup.
pub const MPEGCLIENT_SCOPE_SETUP: i32 = 0;
/// A change counts at the next call that uses the parameter.
pub const MPEGCLIENT_SCOPE_NOW: i32 = 1;

/// Nothing is logged; what libav says of this library's streams is swallowed. The default.
pub const MPEGCLIENT_LOG_QUIET: i32 = 0;
/// Failures.
pub const MPEGCLIENT_LOG_ERROR: i32 = 1;
/// Failures and what may become one.
pub const MPEGCLIENT_LOG_WARNING: i32 = 2;
/// Also connections made and lost.
pub const MPEGCLIENT_LOG_INFO: i32 = 3;
/// Also all that libav has to say.
pub const MPEGCLIENT_LOG_DEBUG: i32 = 4;

// ---- Objects ----

/// A stream, from setup to clear. Made by mpegclient_new.
pub struct MpegClient {
    _private: [u8; 0],
}

/// Frames held without copying. Made by mpegclient_acquire_frames.
pub struct MpegClientLease {
    _private: [u8; 0],
}

/// Ends the blocking calls it is given to. Made by mpegclient_cancel_new.
pub struct MpegClientCancel {
    _private: [u8; 0],
}

/// Receives log lines: the level (MPEGCLIENT_LOG_*), one line in UTF-8 without line break, valid until the function
/// returns, and the pointer given with the function. Called on any thread, also on several at once, and must not call
/// this library.
pub type MpegClientLogCallback = Option<unsafe extern "C" fn(level: i32, line: *const c_char, user_data: *mut c_void)>;

// ---- Structs: the caller sets struct_size to sizeof the struct before the call ----

/// What to read. All members 0 but struct_size: the newest read_size frames there are, without waiting.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MpegClientReadOptions {
    /// sizeof(MpegClientReadOptions).
    pub struct_size: u32,
    /// MPEGCLIENT_ORDER_*.
    pub order: i32,
    /// Frames wanted, 1 to cache_size; 0: the parameter read_size.
    pub count: u32,
    /// MPEGCLIENT_READ_* added up.
    pub flags: u32,
    /// Only frames with a greater number; 0: any.
    pub after_seq: u64,
    /// Milliseconds to wait for count frames; 0: do not wait; below 0: no limit.
    pub timeout_ms: i64,
    /// Greatest age of the newest frame in milliseconds since its arrival; 0: any.
    pub max_age_ms: i64,
    /// Must be 0.
    pub view: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Ends the wait from another thread; may be NULL.
    pub cancel: *const MpegClientCancel,
}

/// What was read: count consecutive frames, oldest first, as an array (count, height, width, channels) of bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MpegClientBatch {
    /// sizeof(MpegClientBatch), set by the caller.
    pub struct_size: u32,
    /// Frames in the batch, 1 to the count asked for.
    pub count: u32,
    /// First byte of the first frame: in the caller's buffer, or in the ring, where it may only be read.
    pub data: *const u8,
    /// Bytes that a buffer must have for the count asked for; written also with BUFFER_TOO_SMALL. 0 for a lease.
    pub buffer_needed: u64,
    /// Rows of a frame.
    pub height: u32,
    /// Pixels of a row.
    pub width: u32,
    /// Bytes of a pixel.
    pub channels: u32,
    /// MPEGCLIENT_PIXEL_FORMAT_*.
    pub pixel_format: i32,
    /// Bytes from one frame to the next: those of a frame, more for a lease where the ring pads its slots.
    pub frame_stride: u64,
    /// Bytes from one row to the next.
    pub row_stride: u64,
    /// MPEGCLIENT_DEVICE_*.
    pub device: i32,
    /// MPEGCLIENT_BATCH_* added up.
    pub flags: u32,
    /// Number of the first frame; those after it have the numbers after it.
    pub first_seq: u64,
    /// Connection that the newest frame came over, counted from 1.
    pub generation: u64,
    /// Nanoseconds since the newest frame's packet arrived.
    pub newest_age_ns: i64,
    /// The largest distance between two frames that follow each other, nanoseconds by their presentation times; INT64_MIN
    /// for fewer than two frames, or where a time is not known.
    pub largest_gap_ns: i64,
}

/// What is known of one frame. A time that is not known is INT64_MIN; it may become known later, and never changes then.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MpegClientFrameInfo {
    /// Number of the frame: 1 for the first that a client ever publishes, then one more for each.
    pub seq: u64,
    /// Connection that it came over, counted from 1.
    pub generation: u64,
    /// Presentation time by the stream's own clock, nanoseconds.
    pub pts_ns: i64,
    /// When the sender captured it, nanoseconds since 1970 by the sender's clock.
    pub capture_time_ns: i64,
    /// When its packet arrived, nanoseconds since 1970 by the local clock.
    pub arrival_time_ns: i64,
    /// When its packet arrived, nanoseconds of CLOCK_MONOTONIC.
    pub arrival_monotonic_ns: i64,
    /// When it was decoded, nanoseconds of CLOCK_MONOTONIC.
    pub decoded_monotonic_ns: i64,
    /// When it became readable, nanoseconds of CLOCK_MONOTONIC.
    pub published_monotonic_ns: i64,
    /// MPEGCLIENT_CLOCK_*: where capture_time_ns comes from.
    pub capture_clock: i32,
    /// MPEGCLIENT_FRAME_* added up.
    pub flags: u32,
    /// Width of the decoded picture before scaling, pixels.
    pub source_width: u32,
    /// Height of the decoded picture before scaling, pixels.
    pub source_height: u32,
    /// From a place (x, y) in the frame to the place in the decoded picture that is shown there, both in pixels from the
    /// upper left corner, so that (0.5, 0.5) is the middle of the first pixel: (m[0] x + m[1] y + m[2],
    /// m[3] x + m[4] y + m[5]). It undoes scaling, bars, cutting and turning; places in bars lead outside of the picture.
    pub to_source: [f64; 6],
}

/// What is known of the stream that is connected.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MpegClientStreamInfo {
    /// sizeof(MpegClientStreamInfo), set by the caller.
    pub struct_size: u32,
    /// Index of the video stream within the source.
    pub stream_index: u32,
    /// Width of the source's picture in pixels; 0 while not known.
    pub width: u32,
    /// Height of the source's picture in pixels; 0 while not known.
    pub height: u32,
    /// Declared frame rate, upper part; 0 if none is declared. Declared rates are often wrong.
    pub frame_rate_num: u32,
    /// Declared frame rate, lower part; 0 if none is declared.
    pub frame_rate_den: u32,
    /// Frames a second as measured over the last frames; 0 while not known.
    pub measured_frame_rate: f64,
    /// 1: a live stream; 0: a file, which ends.
    pub is_live: u32,
    /// 1: the pictures are of high dynamic range (PQ or HLG, ITU-R BT.2100). The frames keep their transfer function and
    /// primaries, and look pale where they are shown as if they were not. 0 while pixel_format is not known.
    pub is_hdr: u32,
    /// Width of a stored pixel, as far as its shape counts, by the stream or the parameter sample_aspect_ratio; 0 while not
    /// known, and if neither of them has one: then pixels are square.
    pub sample_aspect_num: u32,
    /// Height of a stored pixel for that width; 0 if not known.
    pub sample_aspect_den: u32,
    /// Degrees clockwise that pictures are turned by, by the stream or the parameter rotation: 0, 90, 180 or 270;
    /// UINT32_MAX while not known, which is until the first picture is decoded unless the parameter is set.
    pub rotation: u32,
    /// 1: left and right are exchanged before that. 0 while rotation is not known.
    pub is_mirrored: u32,
    /// Length in nanoseconds; INT64_MIN if not known.
    pub duration_ns: i64,
    /// Connection that this describes, counted from 1.
    pub generation: u64,
    /// Name of the codec, such as "h264".
    pub codec: [c_char; 32],
    /// Pixel format of the decoded pictures in libav's words, such as "yuv420p"; empty while not known.
    pub pixel_format: [c_char; 32],
    /// Container or session protocol in libav's words, such as "rtsp" or "mpegts".
    pub container: [c_char; 32],
    /// Matrix that colours are converted by, in libav's words, such as "bt709"; "gbr" for RGB; empty while not known.
    pub color_matrix: [c_char; 32],
    /// Range that they are converted from: "tv" for limited, "pc" for full; empty while not known.
    pub color_range: [c_char; 32],
    /// Primaries in libav's words, such as "bt2020"; empty if the stream does not say. They are left as they are.
    pub color_primaries: [c_char; 32],
    /// Transfer function in libav's words, such as "smpte2084"; empty if the stream does not say. It is left as it is.
    pub color_transfer: [c_char; 32],
    /// What reads it: "libav", or "native" for the RTSP engine of this library.
    pub engine: [c_char; 16],
}

/// Counters of one client since mpegclient_new; none is ever reset.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MpegClientStats {
    /// sizeof(MpegClientStats), set by the caller.
    pub struct_size: u32,
    /// Slots of the ring, more than cache_size; frame seq lies in slot seq modulo this. 0 while there is no ring.
    pub ring_capacity: u32,
    /// Number of the newest frame; 0 if there never was one.
    pub newest_seq: u64,
    /// Number of the oldest readable frame; 0 if there is none.
    pub oldest_seq: u64,
    /// Packets of the chosen video stream.
    pub packets: u64,
    /// Bytes of those packets.
    pub bytes: u64,
    /// Frames that came out of the decoder.
    pub decoded: u64,
    /// Packets or frames that the decoder refused or reported as damaged.
    pub decode_errors: u64,
    /// Frames put into the ring.
    pub published: u64,
    /// Published frames marked corrupt.
    pub corrupt: u64,
    /// Frames left out to keep the frame rate asked for.
    pub dropped_by_rate: u64,
    /// Frames left out because readers held all the memory they may.
    pub dropped_by_lease: u64,
    /// Frames passed over to catch up after a start.
    pub dropped_at_start: u64,
    /// Connections made; the newest one's number is its generation.
    pub connects: u64,
    /// Attempts to connect.
    pub connect_attempts: u64,
    /// Batches handed out.
    pub reads: u64,
    /// Frames handed out.
    pub frames_read: u64,
    /// Writer threads that hung in a system call and were left behind.
    pub abandoned_threads: u64,
    /// Leases that are out, now: those of earlier setups included.
    pub leases: u64,
    /// Nanoseconds since the oldest of them was taken; 0 if there is none.
    pub oldest_lease_age_ns: i64,
    /// Earlier memory of the ring, now: whole rings that leases hold, or that readable frames still lie in.
    pub orphaned_rings: u64,
    /// Damaged frames left out, where the parameter corrupt is drop.
    pub dropped_corrupt: u64,
    /// From the last frame's capture by the sender's clock to its arrival by the local one, nanoseconds: the difference
    /// of the clocks and the way; INT64_MIN while the sender has not told the time.
    pub clock_offset_ns: i64,
    /// How much that varies from frame to frame, nanoseconds, smoothed as in RFC 3550, section 6.4.1; INT64_MIN as above.
    pub clock_jitter_ns: i64,
    /// Packets of the network that were lost, as far as the source can tell: those of RTP.
    pub lost_packets: u64,
    /// Frames published once more to keep a constant rate, where the parameter rate_mode is cfr.
    pub repeated: u64,
    /// Times that the timestamps of a live stream were found not to keep pace with the arrival of its frames.
    pub clock_faults: u64,
}

/// A failure: the last one of a client's stream, those in the background included, or of the calling thread.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MpegClientError {
    /// sizeof(MpegClientError), set by the caller.
    pub struct_size: u32,
    /// MPEGCLIENT_ERROR_*; MPEGCLIENT_OK if nothing has failed yet.
    pub status: i32,
    /// MPEGCLIENT_PHASE_*.
    pub phase: i32,
    /// libav's error code, 0 if libav was not involved.
    pub av_code: i32,
    /// RTSP or HTTP status that the server answered, 0 if not known.
    pub protocol_status: i32,
    /// 1: the same attempt may succeed later.
    pub retryable: u32,
    /// When it happened, nanoseconds since 1970 by the local clock; INT64_MIN if nothing has failed yet.
    pub time_ns: i64,
    /// What happened, in UTF-8 without credentials, cut at the end if it is longer.
    pub message: [c_char; 512],
}

/// Something that happened to a stream.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MpegClientEvent {
    /// sizeof(MpegClientEvent), set by the caller.
    pub struct_size: u32,
    /// MPEGCLIENT_EVENT_*.
    pub kind: i32,
    /// MPEGCLIENT_STATE_* after it.
    pub state: i32,
    /// Must be ignored.
    pub reserved: u32,
    /// When it happened, nanoseconds of CLOCK_MONOTONIC.
    pub monotonic_ns: i64,
    /// Connection at the time, counted from 1; 0 before the first.
    pub generation: u64,
    /// What the kind says that it is; else 0.
    pub value: i64,
    /// What there is to say of it, in UTF-8 without credentials; may be empty.
    pub text: [c_char; 128],
}

/// One row of the table of parameters. The strings live as long as the library.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MpegClientParameterInfo {
    /// sizeof(MpegClientParameterInfo), set by the caller.
    pub struct_size: u32,
    /// MPEGCLIENT_PARAMETER_*.
    pub kind: i32,
    /// MPEGCLIENT_SCOPE_*.
    pub scope: i32,
    /// Must be ignored.
    pub reserved: u32,
    /// The name, as mpegclient_set_parameter takes it.
    pub key: *const c_char,
    /// The value while none is set.
    pub default_value: *const c_char,
    /// The values it takes, in words.
    pub range: *const c_char,
    /// What it does, in one sentence.
    pub help: *const c_char,
}
