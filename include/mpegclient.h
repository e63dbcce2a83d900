/*
 * mpegclient: the newest N frames of any live video stream, as one array, at any moment.
 *
 * This file is generated from src/capi; change it there.
 *
 * ---- A stream's life -------------------------------------------------------------------------------------------
 *
 *     MpegClient *client = mpegclient_new();
 *     mpegclient_set_parameter(client, "width", "480");           parameters first: all of them have defaults
 *     mpegclient_setup(client, "rtsp://camera/1", -1, NULL);      connect
 *     mpegclient_start(client);                                   decode from now on
 *     mpegclient_extract_frames(client, &options, ...);           the newest frames, as often as you like; or, without
 *     mpegclient_acquire_frames(client, &options, &lease, ...);   copying them, until mpegclient_lease_release(lease)
 *     mpegclient_terminate(client);                               stop; start may follow
 *     mpegclient_clear(client);                                   close; setup may follow
 *     mpegclient_free(client);
 *
 * A writer thread of the library's own decodes without pause into a ring of frames. A reader never holds it up, and a
 * reader that comes late finds the newest frames, not the next ones. A live stream that is lost is connected again.
 *
 * ---- Objects ---------------------------------------------------------------------------------------------------
 *
 * MpegClient         one stream.
 * MpegClientLease    frames of a stream that are read where they lie, without copying.
 * MpegClientCancel   a token that ends the blocking calls it is given to, for callers with cancellation of their own.
 *
 * ---- Results ---------------------------------------------------------------------------------------------------
 *
 * Functions that can fail return an int32_t: 0 is success, every failure is negative. The names of statuses are written
 * here without MPEGCLIENT_ERROR_. Every function may also return INVALID_ARGUMENT, FORKED and INTERNAL. Results are
 * written on success only, except sizes needed. mpegclient_last_error has the words for the calling thread's last
 * failure, mpegclient_thread_error its phase and details too; mpegclient_client_error has those of the stream's last
 * failure, also of what happens in the background.
 *
 * ---- Ownership -------------------------------------------------------------------------------------------------
 *
 * What a function called ..._new returns is given back to the function called ..._free, and a lease to
 * mpegclient_lease_release. The frames of a lease are the library's and may be read until then; they never change while
 * the lease is held, and outlive terminate, clear and free of the client. Strings that the library returns are the
 * library's. All other memory is the caller's, is used during the call only, and stays the caller's after a failure.
 * Strings are UTF-8 and end with NUL. NULL is an error wherever a function does not say otherwise.
 *
 * ---- Threads ---------------------------------------------------------------------------------------------------
 *
 * Every function may be called on any thread at any time, also on the same object, except ..._free: when that begins, no
 * other call of the object may be in progress or come later (nor may anybody read the frames of a lease, when
 * mpegclient_lease_release begins). setup and start do not wait for another thread's call in progress: they return BUSY.
 * The library installs no signal handler and prints nothing unless asked to (libsrt, where FFmpeg uses it, may say
 * something on the standard error stream by itself).
 * After fork a child must not use the parent's clients and cancel tokens: every call returns FORKED, and free only leaves
 * them alone. So does release with the parent's leases, whose frames a child must not read: the memory is shared with the
 * parent, which writes to it again once it has given the lease back. A child may make clients of its own, whatever the
 * parent's threads did when it forked.
 *
 * ---- Blocking --------------------------------------------------------------------------------------------------
 *
 * Only functions with a timeout_ms wait: milliseconds; 0 does not wait; below 0 waits without limit (setup: for the
 * parameter setup_timeout). A cancel token or mpegclient_interrupt ends the wait at once. terminate, clear and free
 * return within 500 ms in every state, whatever the network does: a thread that hangs in a system call is left to end
 * by itself.
 *
 * ---- Callbacks -------------------------------------------------------------------------------------------------
 *
 * The log callback is the only one. It may run on any thread and must not call the library. libav's own log callback is
 * one for the whole process: the first mpegclient_new sets it, passes lines that are not of this library's streams on to
 * libav's default output, and cannot know of a callback that was set before. One that is set later takes away what libav
 * only logs: lost_packets stays 0 and pictures behind a loss are not marked where libavformat reads the stream, and
 * failures to connect have fewer reasons. That is logged once, as a warning. Only set one if you can do without.
 *
 * ---- Growth ----------------------------------------------------------------------------------------------------
 *
 * Structs begin with struct_size, which the caller sets to sizeof the struct; arrays of structs come with the size of an
 * element. New members are added at the end, so that old programs run with new libraries; a new program finds with an
 * old library that what it sets beyond is refused and what it reads beyond is 0. A size that no header ever had (less than
 * in the first version, or no multiple of the struct's alignment) is INVALID_ARGUMENT. Numbers may be added to every group
 * of constants: treat one that you do not know as unknown. MPEGCLIENT_ABI_VERSION grows with each addition.
 *
 * ---- State x call ----------------------------------------------------------------------------------------------
 *
 * What a call returns in each state; after the colon the state it leads to, if another.
 *
 *   ok     OK
 *   bad    BAD_STATE
 *   live   OK once what is asked for is there, else TIMEOUT
 *   last   OK while what is asked for is still there, else STOPPED, ENDED or FAILED as the state is
 *   seen   OK if the frame is in the ring, else NO_FRAME
 *   some   OK if an event waits, else NO_EVENT
 *   once   OK once a connection was made since setup, else BAD_STATE
 *   LIVING CONNECTING for a live stream after terminate and for a source that ended or failed, else WAITING_KEYFRAME
 *
 * call            IDLE      CONNECTING   READY      WAITING_KEYFRAME RUNNING    STALLED    RECONNECTING STOPPED     ENDED         FAILED
 * set_parameter   ok        ok           ok         ok               ok         ok         ok           ok          ok            ok
 * get_parameter   ok        ok           ok         ok               ok         ok         ok           ok          ok            ok
 * setup           ok:READY  ok:READY     ok:READY   ok:READY         ok:READY   ok:READY   ok:READY     ok:READY    ok:READY      ok:READY
 * start           bad       ok           ok:LIVING  ok               ok         ok         ok           ok:LIVING   ok:LIVING     ok:LIVING
 * terminate       ok        ok:STOPPED   ok:STOPPED ok:STOPPED       ok:STOPPED ok:STOPPED ok:STOPPED   ok          ok            ok
 * clear           ok        ok:IDLE      ok:IDLE    ok:IDLE          ok:IDLE    ok:IDLE    ok:IDLE      ok:IDLE     ok:IDLE       ok:IDLE
 * interrupt       ok        ok           ok         ok               ok         ok         ok           ok          ok            ok
 * state           ok        ok           ok         ok               ok         ok         ok           ok          ok            ok
 * output_shape    bad       live         last       live             live       live       live         last        last          last
 * wait            bad       live         last       live             live       live       live         last        last          last
 * extract_frames  bad       live         last       live             live       live       live         last        last          last
 * acquire_frames  bad       live         last       live             live       live       live         last        last          last
 * frame_info      bad       seen         seen       seen             seen       seen       seen         seen        seen          seen
 * stream_info     bad       once         ok         ok               ok         ok         ok           once        ok            once
 * stats           ok        ok           ok         ok               ok         ok         ok           ok          ok            ok
 * client_error    ok        ok           ok         ok               ok         ok         ok           ok          ok            ok
 * describe        ok        ok           ok         ok               ok         ok         ok           ok          ok            ok
 * next_event      some      some         some       some             some       some       some         some        some          some
 * event_fd        ok        ok           ok         ok               ok         ok         ok           ok          ok            ok
 * event_arm       ok        ok           ok         ok               ok         ok         ok           ok          ok            ok
 *
 * READY counts as STOPPED for reading, and so does CONNECTING until start was called. The calls that wait return
 * INTERRUPTED in every state but IDLE while mpegclient_interrupt is on. stream_info goes on telling of the last connection
 * while the next is being made.
 */


#ifndef MPEGCLIENT_H
#define MPEGCLIENT_H

#include <stddef.h>
#include <stdint.h>

// First part of the version this header belongs to.
#define MPEGCLIENT_VERSION_MAJOR 0

// Second part of the version this header belongs to.
#define MPEGCLIENT_VERSION_MINOR 1

// Third part of the version this header belongs to.
#define MPEGCLIENT_VERSION_PATCH 0

// Grows by one with every addition to this header; see mpegclient_abi_version.
#define MPEGCLIENT_ABI_VERSION 1

// Success.
#define MPEGCLIENT_OK 0

// An argument is not valid; the text names it, its value and what was expected.
#define MPEGCLIENT_ERROR_INVALID_ARGUMENT -1

// No parameter has this name.
#define MPEGCLIENT_ERROR_UNKNOWN_PARAMETER -2

// The buffer is too small; the size needed was written where the call has a place for it.
#define MPEGCLIENT_ERROR_BUFFER_TOO_SMALL -3

// The call does not fit the client's state.
#define MPEGCLIENT_ERROR_BAD_STATE -20

// Another thread is in setup, start, terminate or clear of this client.
#define MPEGCLIENT_ERROR_BUSY -21

// The client was made before fork and cannot be used in the child.
#define MPEGCLIENT_ERROR_FORKED -22

// The time allowed ran out. The stream may still be well.
#define MPEGCLIENT_ERROR_TIMEOUT -40

// The newest frame is older than max_age_ms.
#define MPEGCLIENT_ERROR_STALE -41

// The stream is not started, or was terminated.
#define MPEGCLIENT_ERROR_STOPPED -42

// The stream came to its end and has no frame left for this call.
#define MPEGCLIENT_ERROR_ENDED -43

// mpegclient_interrupt is on.
#define MPEGCLIENT_ERROR_INTERRUPTED -44

// The cancel token was triggered.
#define MPEGCLIENT_ERROR_CANCELLED -45

// The frame asked for is not in the ring.
#define MPEGCLIENT_ERROR_NO_FRAME -46

// No event is waiting.
#define MPEGCLIENT_ERROR_NO_EVENT -47

// The stream has failed for good; mpegclient_client_error tells why.
#define MPEGCLIENT_ERROR_FAILED -60

// The host name could not be resolved.
#define MPEGCLIENT_ERROR_RESOLVE_FAILED -61

// Nothing listens at the address.
#define MPEGCLIENT_ERROR_REFUSED -62

// The network does not reach the server.
#define MPEGCLIENT_ERROR_UNREACHABLE -63

// The server wants other credentials (401, 403).
#define MPEGCLIENT_ERROR_UNAUTHORIZED -64

// The server or the file system has no such stream (404).
#define MPEGCLIENT_ERROR_NOT_FOUND -65

// The server closed or lost the connection.
#define MPEGCLIENT_ERROR_SERVER_GONE -66

// No packet came within the parameter stall_timeout.
#define MPEGCLIENT_ERROR_STALLED -67

// The source has no video stream.
#define MPEGCLIENT_ERROR_NO_VIDEO -68

// This build of FFmpeg lacks the protocol, format or decoder.
#define MPEGCLIENT_ERROR_UNSUPPORTED -69

// The data could not be understood.
#define MPEGCLIENT_ERROR_BAD_DATA -70

// Reading failed in another way.
#define MPEGCLIENT_ERROR_IO -71

// The server's certificate cannot be verified.
#define MPEGCLIENT_ERROR_UNTRUSTED -72

// Memory could not be had.
#define MPEGCLIENT_ERROR_OUT_OF_MEMORY -80

// The operating system refused a thread, a descriptor or a mapping.
#define MPEGCLIENT_ERROR_SYSTEM -81

// A defect in the library was caught. The client is FAILED; please report it.
#define MPEGCLIENT_ERROR_INTERNAL -90

// Not set up.
#define MPEGCLIENT_STATE_IDLE 0

// Connecting for the first time.
#define MPEGCLIENT_STATE_CONNECTING 1

// Connected, not started. A live stream is being drained, so that start shows the present.
#define MPEGCLIENT_STATE_READY 2

// Started, waiting for a picture to begin with.
#define MPEGCLIENT_STATE_WAITING_KEYFRAME 3

// Frames are coming.
#define MPEGCLIENT_STATE_RUNNING 4

// Started, but no packet has come for half the parameter stall_timeout.
#define MPEGCLIENT_STATE_STALLED 5

// The stream was lost and is being connected again; its last frames stay readable.
#define MPEGCLIENT_STATE_RECONNECTING 6

// Terminated; can be started again.
#define MPEGCLIENT_STATE_STOPPED 7

// The source came to its end.
#define MPEGCLIENT_STATE_ENDED 8

// Given up; mpegclient_client_error tells why.
#define MPEGCLIENT_STATE_FAILED 9

// The failure belongs to no phase.
#define MPEGCLIENT_PHASE_NONE 0

// Resolving the host name.
#define MPEGCLIENT_PHASE_RESOLVE 1

// Connecting.
#define MPEGCLIENT_PHASE_CONNECT 2

// Authenticating.
#define MPEGCLIENT_PHASE_AUTH 3

// Setting up the session.
#define MPEGCLIENT_PHASE_SETUP 4

// Finding out what the stream holds.
#define MPEGCLIENT_PHASE_PROBE 5

// Reading packets.
#define MPEGCLIENT_PHASE_READ 6

// Decoding.
#define MPEGCLIENT_PHASE_DECODE 7

// Scaling and converting colours.
#define MPEGCLIENT_PHASE_CONVERT 8

// The newest frames.
#define MPEGCLIENT_ORDER_LATEST 0

// The oldest frames after after_seq, for reading without loss as long as the reader keeps up.
#define MPEGCLIENT_ORDER_NEXT 1

// A batch may hold frames of several connections.
#define MPEGCLIENT_READ_MIX_GENERATIONS 1

// Red, green, blue; 8 bits each.
#define MPEGCLIENT_PIXEL_FORMAT_RGB24 0

// Blue, green, red; 8 bits each.
#define MPEGCLIENT_PIXEL_FORMAT_BGR24 1

// Red, green, blue, opacity; 8 bits each. Opacity is that of the source, and 255 where it has none; colours are not
// multiplied by it (straight alpha).
#define MPEGCLIENT_PIXEL_FORMAT_RGBA 2

// Brightness (luma), 0 for black to 255 for white; 8 bits.
#define MPEGCLIENT_PIXEL_FORMAT_GRAY8 3

// The frames lie in the computer's main memory.
#define MPEGCLIENT_DEVICE_CPU 0

// The time of capture is not known.
#define MPEGCLIENT_CLOCK_NONE 0

// The time of capture comes from the sender's RTCP reports (RFC 3550, section 6.4.1).
#define MPEGCLIENT_CLOCK_RTCP 1

// The frame was decoded from a key frame.
#define MPEGCLIENT_FRAME_KEY 1

// The picture is damaged or may be. Where the native RTSP engine reads, one without this is to the bit what was sent.
#define MPEGCLIENT_FRAME_CORRUPT 2

// Frames that should lie before this one were dropped or lost.
#define MPEGCLIENT_FRAME_GAP_BEFORE 4

// The picture is a repetition of the one before.
#define MPEGCLIENT_FRAME_REPEATED 8

// The batch mixes frames of several connections.
#define MPEGCLIENT_BATCH_MIXED_GENERATIONS 1

// The frames are evenly spaced: none is missing between them, and no distance between two of them, by their
// presentation times, differs from the mean by more than a quarter. Always so for a single frame.
#define MPEGCLIENT_BATCH_UNIFORM 2

// The state changed; value is the state before.
#define MPEGCLIENT_EVENT_STATE_CHANGED 1

// The source's pictures changed in size, format or codec; text says to what. The shape of the frames stays.
#define MPEGCLIENT_EVENT_FORMAT_CHANGED 2

// A lost stream is connected again.
#define MPEGCLIENT_EVENT_RECONNECTED 3

// Frames were dropped because readers hold all the memory they may; value is how many.
#define MPEGCLIENT_EVENT_FRAMES_DROPPED 4

// Events were lost because nobody took them; value is how many.
#define MPEGCLIENT_EVENT_QUEUE_OVERFLOW 5

// The stream shows no key frame, so that frames stay marked as corrupt, also where they look right, or left out; text
// says more. Told once for a connection.
#define MPEGCLIENT_EVENT_NO_KEY_FRAME 6

// The timestamps of a live stream do not keep pace with the arrival of its frames: from then on, arrival decides about
// the frame rate and about pts_ns, and capture_time_ns is not known. value is 1, or 0 once they are reliable again.
#define MPEGCLIENT_EVENT_CLOCK_UNRELIABLE 7

// The parameter takes any text.
#define MPEGCLIENT_PARAMETER_TEXT 0

// The parameter takes any text, and no message shows it.
#define MPEGCLIENT_PARAMETER_SECRET 1

// The parameter takes a whole number.
#define MPEGCLIENT_PARAMETER_INTEGER 2

// The parameter takes a fraction such as "30000/1001".
#define MPEGCLIENT_PARAMETER_RATIONAL 3

// The parameter takes one of several words.
#define MPEGCLIENT_PARAMETER_CHOICE 4

// The parameter takes a colour as six hexadecimal digits, two each for red, green and blue, such as "727272".
#define MPEGCLIENT_PARAMETER_COLOR 5

// A change counts at the next setup.
#define MPEGCLIENT_SCOPE_SETUP 0

// A change counts at the next call that uses the parameter.
#define MPEGCLIENT_SCOPE_NOW 1

// Nothing is logged; what libav says of this library's streams is swallowed. The default.
#define MPEGCLIENT_LOG_QUIET 0

// Failures.
#define MPEGCLIENT_LOG_ERROR 1

// Failures and what may become one.
#define MPEGCLIENT_LOG_WARNING 2

// Also connections made and lost.
#define MPEGCLIENT_LOG_INFO 3

// Also all that libav has to say.
#define MPEGCLIENT_LOG_DEBUG 4

// A stream, from setup to clear. Made by mpegclient_new.
typedef struct MpegClient MpegClient;

// Ends the blocking calls it is given to. Made by mpegclient_cancel_new.
typedef struct MpegClientCancel MpegClientCancel;

// Frames held without copying. Made by mpegclient_acquire_frames.
typedef struct MpegClientLease MpegClientLease;

// A failure: the last one of a client's stream, those in the background included, or of the calling thread.
typedef struct {
  // sizeof(MpegClientError), set by the caller.
  uint32_t struct_size;
  // MPEGCLIENT_ERROR_*; MPEGCLIENT_OK if nothing has failed yet.
  int32_t status;
  // MPEGCLIENT_PHASE_*.
  int32_t phase;
  // libav's error code, 0 if libav was not involved.
  int32_t av_code;
  // RTSP or HTTP status that the server answered, 0 if not known.
  int32_t protocol_status;
  // 1: the same attempt may succeed later.
  uint32_t retryable;
  // When it happened, nanoseconds since 1970 by the local clock; INT64_MIN if nothing has failed yet.
  int64_t time_ns;
  // What happened, in UTF-8 without credentials, cut at the end if it is longer.
  char message[512];
} MpegClientError;

// Receives log lines: the level (MPEGCLIENT_LOG_*), one line in UTF-8 without line break, valid until the function
// returns, and the pointer given with the function. Called on any thread, also on several at once, and must not call
// this library.
typedef void (*MpegClientLogCallback)(int32_t level, const char *line, void *user_data);

// One row of the table of parameters. The strings live as long as the library.
typedef struct {
  // sizeof(MpegClientParameterInfo), set by the caller.
  uint32_t struct_size;
  // MPEGCLIENT_PARAMETER_*.
  int32_t kind;
  // MPEGCLIENT_SCOPE_*.
  int32_t scope;
  // Must be ignored.
  uint32_t reserved;
  // The name, as mpegclient_set_parameter takes it.
  const char *key;
  // The value while none is set.
  const char *default_value;
  // The values it takes, in words.
  const char *range;
  // What it does, in one sentence.
  const char *help;
} MpegClientParameterInfo;

// What is known of the stream that is connected.
typedef struct {
  // sizeof(MpegClientStreamInfo), set by the caller.
  uint32_t struct_size;
  // Index of the video stream within the source.
  uint32_t stream_index;
  // Width of the source's picture in pixels; 0 while not known.
  uint32_t width;
  // Height of the source's picture in pixels; 0 while not known.
  uint32_t height;
  // Declared frame rate, upper part; 0 if none is declared. Declared rates are often wrong.
  uint32_t frame_rate_num;
  // Declared frame rate, lower part; 0 if none is declared.
  uint32_t frame_rate_den;
  // Frames a second as measured over the last frames; 0 while not known.
  double measured_frame_rate;
  // 1: a live stream; 0: a file, which ends.
  uint32_t is_live;
  // 1: the pictures are of high dynamic range (PQ or HLG, ITU-R BT.2100). The frames keep their transfer function and
  // primaries, and look pale where they are shown as if they were not. 0 while pixel_format is not known.
  uint32_t is_hdr;
  // Width of a stored pixel, as far as its shape counts, by the stream or the parameter sample_aspect_ratio; 0 while not
  // known, and if neither of them has one: then pixels are square.
  uint32_t sample_aspect_num;
  // Height of a stored pixel for that width; 0 if not known.
  uint32_t sample_aspect_den;
  // Degrees clockwise that pictures are turned by, by the stream or the parameter rotation: 0, 90, 180 or 270;
  // UINT32_MAX while not known, which is until the first picture is decoded unless the parameter is set.
  uint32_t rotation;
  // 1: left and right are exchanged before that. 0 while rotation is not known.
  uint32_t is_mirrored;
  // Length in nanoseconds; INT64_MIN if not known.
  int64_t duration_ns;
  // Connection that this describes, counted from 1.
  uint64_t generation;
  // Name of the codec, such as "h264".
  char codec[32];
  // Pixel format of the decoded pictures in libav's words, such as "yuv420p"; empty while not known.
  char pixel_format[32];
  // Container or session protocol in libav's words, such as "rtsp" or "mpegts".
  char container[32];
  // Matrix that colours are converted by, in libav's words, such as "bt709"; "gbr" for RGB; empty while not known.
  char color_matrix[32];
  // Range that they are converted from: "tv" for limited, "pc" for full; empty while not known.
  char color_range[32];
  // Primaries in libav's words, such as "bt2020"; empty if the stream does not say. They are left as they are.
  char color_primaries[32];
  // Transfer function in libav's words, such as "smpte2084"; empty if the stream does not say. It is left as it is.
  char color_transfer[32];
  // What reads it: "libav", or "native" for the RTSP engine of this library.
  char engine[16];
} MpegClientStreamInfo;

// Counters of one client since mpegclient_new; none is ever reset.
typedef struct {
  // sizeof(MpegClientStats), set by the caller.
  uint32_t struct_size;
  // Slots of the ring, more than cache_size; frame seq lies in slot seq modulo this. 0 while there is no ring.
  uint32_t ring_capacity;
  // Number of the newest frame; 0 if there never was one.
  uint64_t newest_seq;
  // Number of the oldest readable frame; 0 if there is none.
  uint64_t oldest_seq;
  // Packets of the chosen video stream.
  uint64_t packets;
  // Bytes of those packets.
  uint64_t bytes;
  // Frames that came out of the decoder.
  uint64_t decoded;
  // Packets or frames that the decoder refused or reported as damaged.
  uint64_t decode_errors;
  // Frames put into the ring.
  uint64_t published;
  // Published frames marked corrupt.
  uint64_t corrupt;
  // Frames left out to keep the frame rate asked for.
  uint64_t dropped_by_rate;
  // Frames left out because readers held all the memory they may.
  uint64_t dropped_by_lease;
  // Frames passed over to catch up after a start.
  uint64_t dropped_at_start;
  // Connections made; the newest one's number is its generation.
  uint64_t connects;
  // Attempts to connect.
  uint64_t connect_attempts;
  // Batches handed out.
  uint64_t reads;
  // Frames handed out.
  uint64_t frames_read;
  // Writer threads that hung in a system call and were left behind.
  uint64_t abandoned_threads;
  // Leases that are out, now: those of earlier setups included.
  uint64_t leases;
  // Nanoseconds since the oldest of them was taken; 0 if there is none.
  int64_t oldest_lease_age_ns;
  // Earlier memory of the ring, now: whole rings that leases hold, or that readable frames still lie in.
  uint64_t orphaned_rings;
  // Damaged frames left out, where the parameter corrupt is drop.
  uint64_t dropped_corrupt;
  // From the last frame's capture by the sender's clock to its arrival by the local one, nanoseconds: the difference
  // of the clocks and the way; INT64_MIN while the sender has not told the time.
  int64_t clock_offset_ns;
  // How much that varies from frame to frame, nanoseconds, smoothed as in RFC 3550, section 6.4.1; INT64_MIN as above.
  int64_t clock_jitter_ns;
  // Packets of the network that were lost, as far as the source can tell: those of RTP.
  uint64_t lost_packets;
  // Frames published once more to keep a constant rate, where the parameter rate_mode is cfr.
  uint64_t repeated;
  // Times that the timestamps of a live stream were found not to keep pace with the arrival of its frames.
  uint64_t clock_faults;
} MpegClientStats;

// What to read. All members 0 but struct_size: the newest read_size frames there are, without waiting.
typedef struct {
  // sizeof(MpegClientReadOptions).
  uint32_t struct_size;
  // MPEGCLIENT_ORDER_*.
  int32_t order;
  // Frames wanted, 1 to cache_size; 0: the parameter read_size.
  uint32_t count;
  // MPEGCLIENT_READ_* added up.
  uint32_t flags;
  // Only frames with a greater number; 0: any.
  uint64_t after_seq;
  // Milliseconds to wait for count frames; 0: do not wait; below 0: no limit.
  int64_t timeout_ms;
  // Greatest age of the newest frame in milliseconds since its arrival; 0: any.
  int64_t max_age_ms;
  // Must be 0.
  uint32_t view;
  // Must be 0.
  uint32_t reserved;
  // Ends the wait from another thread; may be NULL.
  const MpegClientCancel *cancel;
} MpegClientReadOptions;

// What is known of one frame. A time that is not known is INT64_MIN; it may become known later, and never changes then.
typedef struct {
  // Number of the frame: 1 for the first that a client ever publishes, then one more for each.
  uint64_t seq;
  // Connection that it came over, counted from 1.
  uint64_t generation;
  // Presentation time by the stream's own clock, nanoseconds.
  int64_t pts_ns;
  // When the sender captured it, nanoseconds since 1970 by the sender's clock.
  int64_t capture_time_ns;
  // When its packet arrived, nanoseconds since 1970 by the local clock.
  int64_t arrival_time_ns;
  // When its packet arrived, nanoseconds of CLOCK_MONOTONIC.
  int64_t arrival_monotonic_ns;
  // When it was decoded, nanoseconds of CLOCK_MONOTONIC.
  int64_t decoded_monotonic_ns;
  // When it became readable, nanoseconds of CLOCK_MONOTONIC.
  int64_t published_monotonic_ns;
  // MPEGCLIENT_CLOCK_*: where capture_time_ns comes from.
  int32_t capture_clock;
  // MPEGCLIENT_FRAME_* added up.
  uint32_t flags;
  // Width of the decoded picture before scaling, pixels.
  uint32_t source_width;
  // Height of the decoded picture before scaling, pixels.
  uint32_t source_height;
  // From a place (x, y) in the frame to the place in the decoded picture that is shown there, both in pixels from the
  // upper left corner, so that (0.5, 0.5) is the middle of the first pixel: (m[0] x + m[1] y + m[2],
  // m[3] x + m[4] y + m[5]). It undoes scaling, bars, cutting and turning; places in bars lead outside of the picture.
  double to_source[6];
} MpegClientFrameInfo;

// What was read: count consecutive frames, oldest first, as an array (count, height, width, channels) of bytes.
typedef struct {
  // sizeof(MpegClientBatch), set by the caller.
  uint32_t struct_size;
  // Frames in the batch, 1 to the count asked for.
  uint32_t count;
  // First byte of the first frame: in the caller's buffer, or in the ring, where it may only be read.
  const uint8_t *data;
  // Bytes that a buffer must have for the count asked for; written also with BUFFER_TOO_SMALL. 0 for a lease.
  uint64_t buffer_needed;
  // Rows of a frame.
  uint32_t height;
  // Pixels of a row.
  uint32_t width;
  // Bytes of a pixel.
  uint32_t channels;
  // MPEGCLIENT_PIXEL_FORMAT_*.
  int32_t pixel_format;
  // Bytes from one frame to the next: those of a frame, more for a lease where the ring pads its slots.
  uint64_t frame_stride;
  // Bytes from one row to the next.
  uint64_t row_stride;
  // MPEGCLIENT_DEVICE_*.
  int32_t device;
  // MPEGCLIENT_BATCH_* added up.
  uint32_t flags;
  // Number of the first frame; those after it have the numbers after it.
  uint64_t first_seq;
  // Connection that the newest frame came over, counted from 1.
  uint64_t generation;
  // Nanoseconds since the newest frame's packet arrived.
  int64_t newest_age_ns;
  // The largest distance between two frames that follow each other, nanoseconds by their presentation times; INT64_MIN
  // for fewer than two frames, or where a time is not known.
  int64_t largest_gap_ns;
} MpegClientBatch;

// Something that happened to a stream.
typedef struct {
  // sizeof(MpegClientEvent), set by the caller.
  uint32_t struct_size;
  // MPEGCLIENT_EVENT_*.
  int32_t kind;
  // MPEGCLIENT_STATE_* after it.
  int32_t state;
  // Must be ignored.
  uint32_t reserved;
  // When it happened, nanoseconds of CLOCK_MONOTONIC.
  int64_t monotonic_ns;
  // Connection at the time, counted from 1; 0 before the first.
  uint64_t generation;
  // What the kind says that it is; else 0.
  int64_t value;
  // What there is to say of it, in UTF-8 without credentials; may be empty.
  char text[128];
} MpegClientEvent;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Tells the version of the loaded library as one number, to compare with mpegclient_version_number of another.
//
// Returns: major * 1000000 + minor * 1000 + patch. Since: 0.1.
uint32_t mpegclient_version_number(void);

// Tells the version of the loaded library as text, such as "0.1.0".
//
// Returns: a string that lives as long as the library. Since: 0.1.
const char *mpegclient_version(void);

// Tells the ABI number of the loaded library. A program built with this header runs with every library of the same
// SONAME whose number is at least MPEGCLIENT_ABI_VERSION.
//
// Returns: the number, 1 or more. Since: 0.1.
uint32_t mpegclient_abi_version(void);

// Tells how the library was built: its version, FFmpeg's versions and licence.
//
// Returns: one line of text that lives as long as the library. Since: 0.1.
const char *mpegclient_build_info(void);

// Says in one sentence what a status means.
//
// Returns: a string that lives as long as the library, for any number; never NULL. Since: 0.1.
const char *mpegclient_status_string(int32_t status);

// Says in a few words what a state means.
//
// Returns: a string that lives as long as the library, for any number; never NULL. Since: 0.1.
const char *mpegclient_state_string(int32_t state);

// Says in a few words what a phase means.
//
// Returns: a string that lives as long as the library, for any number; never NULL. Since: 0.1.
const char *mpegclient_phase_string(int32_t phase);

// Gives a text without the credentials in it: of addresses it keeps scheme, host, port, path and the values of the query
// that are known to be harmless, of all else what does not follow the name of a secret. What is hidden becomes "***".
// It is what every text of the library has been through, for programs that show addresses themselves.
//
// `text` may hold bytes that are not UTF-8, which become U+FFFD. `buffer` receives the text with its NUL; it may be NULL
// if `buffer_size` is 0. `needed` receives the size that the text takes with its NUL, whether it fits or not; it may be
// NULL.
// Returns: OK; BUFFER_TOO_SMALL; INVALID_ARGUMENT. Threads: any. Since: 0.1.
int32_t mpegclient_redact(const char *text,
                          char *buffer,
                          size_t buffer_size,
                          size_t *needed);

// Tells in words what went wrong in the last call on this thread that failed. A call that succeeds leaves it alone.
//
// Returns: UTF-8 text without credentials, empty if nothing has failed; valid until the next failing call on this
// thread. Threads: each has its own. Since: 0.1.
const char *mpegclient_last_error(void);

// Tells all that is known of the last call on this thread that failed: what mpegclient_last_error has in words, its phase,
// and what libav and the server said. A call that succeeds leaves it alone, this one too.
//
// `error` has its struct_size set; its status is OK if nothing has failed yet.
// Returns: OK; INVALID_ARGUMENT. Threads: each has its own. Since: 0.1.
int32_t mpegclient_thread_error(MpegClientError *error);

// Sets how much is logged, for the whole process. Without a callback the lines go to the standard error stream.
//
// `level` is MPEGCLIENT_LOG_*.
// Returns: OK; INVALID_ARGUMENT. Threads: any. Since: 0.1.
int32_t mpegclient_set_log_level(int32_t level);

// Has a function receive the log lines, for the whole process, instead of the one before.
//
// `callback` may be NULL: the lines go to the standard error stream again. `user_data` is handed to it as it is and
// must stay valid until another callback is set and the calls in progress have returned.
// Returns: OK. Threads: any. Since: 0.1.
int32_t mpegclient_set_log_callback(MpegClientLogCallback callback,
                                    void *user_data);

// Sets a parameter from text. Most parameters count at the next setup; see mpegclient_parameter_describe.
//
// `key` is a name of the table, or "av." and the name of a libav option, which setup refuses if libav does not take it.
// `value` is UTF-8 text, but for "url", which may be a path of any bytes; an empty value takes a libav option away.
// Returns: OK; INVALID_ARGUMENT; UNKNOWN_PARAMETER. On failure nothing has changed. Since: 0.1.
int32_t mpegclient_set_parameter(MpegClient *client,
                                 const char *key,
                                 const char *value);

// Sets a parameter from a whole number, as mpegclient_set_parameter does from its decimal text.
//
// Returns: OK; INVALID_ARGUMENT; UNKNOWN_PARAMETER. On failure nothing has changed. Since: 0.1.
int32_t mpegclient_set_parameter_int(MpegClient *client, const char *key, int64_t value);

// Gets a parameter's value as text: the one set, or its default.
//
// `buffer` receives the text with its NUL; it may be NULL if `buffer_size` is 0. `needed` receives the size that the
// text takes with its NUL, whether it fits or not; it may be NULL.
// Returns: OK; BUFFER_TOO_SMALL; INVALID_ARGUMENT; UNKNOWN_PARAMETER. Since: 0.1.
int32_t mpegclient_get_parameter(const MpegClient *client,
                                 const char *key,
                                 char *buffer,
                                 size_t buffer_size,
                                 size_t *needed);

// Tells how many rows the table of parameters has.
//
// Returns: the number. Since: 0.1.
size_t mpegclient_parameter_count(void);

// Describes one row of the table of parameters.
//
// `index` is 0 to mpegclient_parameter_count() - 1. `info` has its struct_size set.
// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
int32_t mpegclient_parameter_describe(size_t index, MpegClientParameterInfo *info);

// Makes a client in the state IDLE, with every parameter at its default.
//
// Returns: a client to be freed with mpegclient_free; NULL on failure, which mpegclient_last_error explains.
// Since: 0.1.
MpegClient *mpegclient_new(void);

// Clears a client and frees it. No other call of this client may be in progress or come later.
//
// `client` may be NULL. Blocks: 500 ms at most, in every state. Since: 0.1.
void mpegclient_free(MpegClient *client);

// Connects to a stream and finds its video. A client that was set up before is cleared first.
//
// `url` is any address that libavformat opens, or a path, whose bytes need not be UTF-8; NULL: the parameter "url". It becomes that parameter's value.
// `timeout_ms` is the time allowed in milliseconds, or that of the parameter "setup_timeout" if that is shorter; below
// 0: that of the parameter alone; 0: return at once and connect in the background, again and again if need be.
// `cancel` ends the call from another thread; it may be NULL.
// Returns: OK, in the state READY (CONNECTING with timeout 0); INVALID_ARGUMENT; BUSY; INTERRUPTED; CANCELLED; STOPPED
// (terminate or clear was called meanwhile); TIMEOUT; RESOLVE_FAILED; REFUSED; UNREACHABLE; UNAUTHORIZED; NOT_FOUND;
// SERVER_GONE; NO_VIDEO; UNSUPPORTED; BAD_DATA; IO; UNTRUSTED; OUT_OF_MEMORY; SYSTEM. On failure nothing keeps running
// and the state is IDLE, but after BUSY, or for arguments and parameters that are refused before anything is done:
// then nothing has changed. Since: 0.1.
int32_t mpegclient_setup(MpegClient *client,
                         const char *url,
                         int64_t timeout_ms,
                         const MpegClientCancel *cancel);

// Starts to decode and to put frames into the ring, from the present on. After terminate a live stream is connected
// again in the background; a file goes on where it was, or from its beginning once it had ended.
//
// Returns: OK, also if it is started already; BAD_STATE; BUSY; SYSTEM. Blocks: no. Since: 0.1.
int32_t mpegclient_start(MpegClient *client);

// Stops decoding. A live stream is disconnected; its last frames stay readable. Ends a setup in progress.
//
// Returns: OK, also if it is not started; BUSY if another thread's setup or start does not give way in time.
// Blocks: 500 ms at most, in every state. Since: 0.1.
int32_t mpegclient_terminate(MpegClient *client);

// Terminates, closes the stream and gives its frames up. The parameters stay, the default URL among them.
//
// Returns: OK, also if nothing is open; BUSY as terminate. Blocks: 500 ms at most, in every state. Since: 0.1.
int32_t mpegclient_clear(MpegClient *client);

// Ends every waiting call of this client with INTERRUPTED, and those to come, for as long as it is on; ends a setup in
// progress. A stream that is well goes on; terminate, clear and free work as ever.
//
// `on` is 0 to let calls wait again, anything else to interrupt.
// Returns: OK. Blocks: no. Threads: any; not in a signal handler. Since: 0.1.
int32_t mpegclient_interrupt(MpegClient *client,
                             int32_t on);

// Tells where a client stands.
//
// `state` receives MPEGCLIENT_STATE_*; treat numbers that you do not know as living states.
// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
int32_t mpegclient_state(const MpegClient *client, int32_t *state);

// Tells what is known of the stream.
//
// `info` has its struct_size set.
// Returns: OK; INVALID_ARGUMENT; BAD_STATE while nothing has been connected since setup. Since: 0.1.
int32_t mpegclient_stream_info(const MpegClient *client, MpegClientStreamInfo *info);

// Tells the counters.
//
// `stats` has its struct_size set.
// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
int32_t mpegclient_stats(const MpegClient *client, MpegClientStats *stats);

// Tells the last failure of the stream, those in the background included. It stays until the next one.
//
// `error` has its struct_size set; its status is OK if nothing has failed yet.
// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
int32_t mpegclient_client_error(const MpegClient *client, MpegClientError *error);

// Describes a client for a person: state, stream, counters, and the parameters that were set; some lines of UTF-8
// without credentials and without a line break at the end.
//
// `buffer` receives the text with its NUL; it may be NULL if `buffer_size` is 0. `needed` receives the size that the
// text takes with its NUL, whether it fits or not; it may be NULL.
// Returns: OK; BUFFER_TOO_SMALL; INVALID_ARGUMENT. Since: 0.1.
int32_t mpegclient_describe(const MpegClient *client,
                            char *buffer,
                            size_t buffer_size,
                            size_t *needed);

// Tells the shape of the frames: an array of N of them is (N, height, width, channels) bytes, row by row. It is fixed
// from setup to clear, by the parameters or by the first frame; a source that changes later is fitted into it.
//
// `timeout_ms` is how long to wait for the first frame if need be; 0: not at all; below 0: no limit. `cancel` ends the
// wait; it may be NULL. `height`, `width`, `channels` and `frame_bytes` receive the result; each may be NULL.
// Returns: OK; INVALID_ARGUMENT; BAD_STATE; TIMEOUT; STOPPED; ENDED; FAILED; INTERRUPTED; CANCELLED. Since: 0.1.
int32_t mpegclient_output_shape(const MpegClient *client,
                                int64_t timeout_ms,
                                const MpegClientCancel *cancel,
                                uint32_t *height,
                                uint32_t *width,
                                uint32_t *channels,
                                size_t *frame_bytes);

// Waits for a frame newer than `after_seq`.
//
// `timeout_ms`: 0: look only; below 0: no limit. `cancel` ends the wait; it may be NULL. `newest` receives the number of
// the newest frame; it may be NULL.
// Returns: OK; INVALID_ARGUMENT; BAD_STATE; TIMEOUT; STOPPED; ENDED; FAILED; INTERRUPTED; CANCELLED. Since: 0.1.
int32_t mpegclient_wait(const MpegClient *client,
                        uint64_t after_seq,
                        int64_t timeout_ms,
                        const MpegClientCancel *cancel,
                        uint64_t *newest);

// Copies frames into the caller's buffer, tightly packed as (count, height, width, channels), oldest first.
//
// Waits until as many frames exist as are asked for, then gives what there is: fewer if fewer exist when the time runs
// out or the stream is no longer living. With after_seq 0 the last frames stay readable after terminate and after the
// stream's end.
//
// `options` and `batch` have their struct_size set. `buffer` must have room for the count asked for: count times the
// frame_bytes of mpegclient_output_shape. `infos` receives one MpegClientFrameInfo a frame and must have room for
// options->count of them, which must then not be 0; `info_size` is sizeof(MpegClientFrameInfo); `infos` may be NULL.
// Returns: OK; INVALID_ARGUMENT; BUFFER_TOO_SMALL (batch->buffer_needed is written); BAD_STATE; TIMEOUT (no frame, but
// the stream lives); STALE; STOPPED; ENDED; FAILED; INTERRUPTED; CANCELLED. Since: 0.1.
int32_t mpegclient_extract_frames(const MpegClient *client,
                                  const MpegClientReadOptions *options,
                                  uint8_t *buffer,
                                  size_t buffer_size,
                                  MpegClientFrameInfo *infos,
                                  size_t info_size,
                                  MpegClientBatch *batch);

// Tells what is known by now of a frame that is still in the ring.
//
// `seq` is its number. `info` receives it; `info_size` is sizeof(MpegClientFrameInfo).
// Returns: OK; INVALID_ARGUMENT; BAD_STATE; NO_FRAME. Since: 0.1.
int32_t mpegclient_frame_info(const MpegClient *client,
                              uint64_t seq,
                              MpegClientFrameInfo *info,
                              size_t info_size);

// Lends frames without copying them: batch->data points into the ring itself, which leaves these frames alone until
// mpegclient_lease_release. Frame i of the batch begins frame_stride * i bytes after batch->data, and is row by row
// without gaps. frame_stride is the bytes of a frame, so that the whole is one array (count, height, width, channels),
// but for odd shapes whose slots the ring pads to whole pages. It must not be written to.
//
// The same frames as extract_frames gives, after the same wait. A lease holds no one up: where the writer would come to
// its frames it goes on in other memory. That memory is what a lease costs while it is held. Of frames from before and
// after that, those from before are first copied to the others, by the call that asks for them as one array. The
// parameters lease_slots and max_orphans say how much memory there may be; beyond it frames are dropped, which an event
// tells, or the writer waits where the parameter overflow is block. mpegclient_stats tells how many leases are out and for
// how long.
//
// `options` and `batch` have their struct_size set. `lease` receives the lease. `infos` and `info_size` are those of
// extract_frames; `infos` may be NULL.
// Returns: OK; INVALID_ARGUMENT; BAD_STATE; TIMEOUT (no frame, but the stream lives); STALE; STOPPED; ENDED; FAILED;
// INTERRUPTED; CANCELLED. Since: 0.1.
int32_t mpegclient_acquire_frames(const MpegClient *client,
                                  const MpegClientReadOptions *options,
                                  MpegClientLease **lease,
                                  MpegClientFrameInfo *infos,
                                  size_t info_size,
                                  MpegClientBatch *batch);

// Gives frames back. Nothing may read them any more.
//
// `lease` may be NULL. Leases may be given back in any order, on any thread, and after terminate, clear and free of the
// client they came from. Blocks: no. Since: 0.1.
void mpegclient_lease_release(MpegClientLease *lease);

// Takes the oldest event that nobody has taken yet: changes of state and of the source's pictures, connections made
// again, frames dropped. At most 64 wait; what is lost beyond is told by an event.
//
// `event` has its struct_size set.
// Returns: OK; NO_EVENT; INVALID_ARGUMENT. Blocks: no. Since: 0.1.
int32_t mpegclient_next_event(MpegClient *client,
                              MpegClientEvent *event);

// Gives a descriptor for poll, epoll and event loops: readable while an event waits, or a frame newer than the one told
// to mpegclient_event_arm is there. Only poll it: do not read it, write to it or close it; it is the client's. Once
// awake, take events until NO_EVENT. It may be asked for in every state, before setup too.
//
// `descriptor` receives it: non-blocking, close-on-exec, the same one at every call.
// Returns: OK; INVALID_ARGUMENT; SYSTEM. Since: 0.1.
int32_t mpegclient_event_fd(MpegClient *client,
                            int32_t *descriptor);

// Has the descriptor become readable once a frame newer than this one is there. Holds until it is called again: after
// each read call it with the last frame's number, or the descriptor stays readable.
//
// `after_seq` is a frame's number, such as the last one that was read; UINT64_MAX, as at first: frames are not told.
// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
int32_t mpegclient_event_arm(MpegClient *client,
                             uint64_t after_seq);

// Waits until one of several clients has a frame newer than the number given for it.
//
// Where several have one, the client that was returned least recently is next, so that a slow caller gets all of them in
// turn. Each set of clients takes turns of its own, in whatever order and on whatever thread it is passed.
//
// `clients` and `after_seqs` have `count` elements each, 1 or more. `timeout_ms`: 0: look only; below 0: no limit.
// `cancel` ends the wait; it may be NULL. `index` receives the place of that client in `clients`.
// Returns: OK; INVALID_ARGUMENT; TIMEOUT; INTERRUPTED (one of them is); CANCELLED; BAD_STATE, STOPPED, ENDED or FAILED
// if none of them is living, as the first one is. Since: 0.1.
int32_t mpegclient_wait_any(const MpegClient *const *clients,
                            const uint64_t *after_seqs,
                            size_t count,
                            int64_t timeout_ms,
                            const MpegClientCancel *cancel,
                            size_t *index);

// Makes a cancel token, for one caller whose blocking calls may have to end early.
//
// Returns: a token to be freed with mpegclient_cancel_free; NULL if there is no memory. Since: 0.1.
MpegClientCancel *mpegclient_cancel_new(void);

// Ends every call that has this token, those to come included, with CANCELLED, until it is reset.
//
// `cancel` must not be NULL.
// Returns: OK; INVALID_ARGUMENT. Blocks: no. Threads: any; not in a signal handler. Since: 0.1.
int32_t mpegclient_cancel_trigger(const MpegClientCancel *cancel);

// Makes a triggered token usable again.
//
// `cancel` must not be NULL.
// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
int32_t mpegclient_cancel_reset(const MpegClientCancel *cancel);

// Frees a token. No call may have it any more.
//
// `cancel` may be NULL. Since: 0.1.
void mpegclient_cancel_free(MpegClientCancel *cancel);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MPEGCLIENT_H */
