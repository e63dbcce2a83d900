//! A client's life cycle, and what is known of its stream.

use super::handle::{Handle, Out, OutStruct, c_str, cancel_token, fixed_text, panicked, with_client, write_text};
use super::last_error;
use super::types::{MpegClient, MpegClientCancel, MpegClientError, MpegClientStats, MpegClientStreamInfo};
use crate::client::Client;
use crate::clock::UNKNOWN_TIME;
use std::ffi::c_char;
use std::panic::catch_unwind;

/// Makes a client in the state IDLE, with every parameter at its default.
///
/// Returns: a client to be freed with mpegclient_free; NULL on failure, which mpegclient_last_error explains.
/// Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_new() -> *mut MpegClient {
    match catch_unwind(|| Box::into_raw(Box::new(Handle::new(Client::new())))) {
        Ok(handle) => handle.cast(),
        Err(_) => {
            last_error::set(&panicked());
            std::ptr::null_mut()
        }
    }
}

/// Clears a client and frees it. No other call of this client may be in progress or come later.
///
/// `client` may be NULL. Blocks: 500 ms at most, in every state. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_free(client: *mut MpegClient) {
    if client.is_null() {
        return;
    }
    // SAFETY: it came from `Box::into_raw` in mpegclient_new, and the caller gives it up.
    unsafe { Box::from_raw(client.cast::<Handle<Client>>()) }.free();
}

/// Connects to a stream and finds its video. A client that was set up before is cleared first.
///
/// `url` is any address that libavformat opens, or a path, whose bytes need not be UTF-8; NULL: the parameter "url". It becomes that parameter's value.
/// `timeout_ms` is the time allowed in milliseconds, or that of the parameter "setup_timeout" if that is shorter; below
/// 0: that of the parameter alone; 0: return at once and connect in the background, again and again if need be.
/// `cancel` ends the call from another thread; it may be NULL.
/// Returns: OK, in the state READY (CONNECTING with timeout 0); INVALID_ARGUMENT; BUSY; INTERRUPTED; CANCELLED; STOPPED
/// (terminate or clear was called meanwhile); TIMEOUT; RESOLVE_FAILED; REFUSED; UNREACHABLE; UNAUTHORIZED; NOT_FOUND;
/// SERVER_GONE; NO_VIDEO; UNSUPPORTED; BAD_DATA; IO; UNTRUSTED; OUT_OF_MEMORY; SYSTEM. On failure nothing keeps running
/// and the state is IDLE, but after BUSY, or for arguments and parameters that are refused before anything is done:
/// then nothing has changed. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_setup(
    client: *mut MpegClient,
    url: *const c_char,
    timeout_ms: i64,
    cancel: *const MpegClientCancel,
) -> i32 {
    // SAFETY: the caller vouches for all of them.
    unsafe {
        with_client(client, |client| {
            let url = if url.is_null() { None } else { Some(c_str(url, "url")?.to_bytes()) };
            client.setup_bytes(url, timeout_ms, cancel_token(cancel)?)
        })
    }
}

/// Starts to decode and to put frames into the ring, from the present on. After terminate a live stream is connected
/// again in the background; a file goes on where it was, or from its beginning once it had ended.
///
/// Returns: OK, also if it is started already; BAD_STATE; BUSY; SYSTEM. Blocks: no. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_start(client: *mut MpegClient) -> i32 {
    // SAFETY: the caller vouches for it.
    unsafe { with_client(client, |client| client.start()) }
}

/// Stops decoding. A live stream is disconnected; its last frames stay readable. Ends a setup in progress.
///
/// Returns: OK, also if it is not started; BUSY if another thread's setup or start does not give way in time.
/// Blocks: 500 ms at most, in every state. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_terminate(client: *mut MpegClient) -> i32 {
    // SAFETY: the caller vouches for it.
    unsafe { with_client(client, |client| client.terminate()) }
}

/// Terminates, closes the stream and gives its frames up. The parameters stay, the default URL among them.
///
/// Returns: OK, also if nothing is open; BUSY as terminate. Blocks: 500 ms at most, in every state. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_clear(client: *mut MpegClient) -> i32 {
    // SAFETY: the caller vouches for it.
    unsafe { with_client(client, |client| client.clear()) }
}

/// Ends every waiting call of this client with INTERRUPTED, and those to come, for as long as it is on; ends a setup in
/// progress. A stream that is well goes on; terminate, clear and free work as ever.
///
/// `on` is 0 to let calls wait again, anything else to interrupt.
/// Returns: OK. Blocks: no. Threads: any; not in a signal handler. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_interrupt(client: *mut MpegClient, on: i32) -> i32 {
    // SAFETY: the caller vouches for it.
    unsafe {
        with_client(client, |client| {
            client.interrupt(on != 0);
            Ok(())
        })
    }
}

/// Tells where a client stands.
///
/// `state` receives MPEGCLIENT_STATE_*; treat numbers that you do not know as living states.
/// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_state(client: *const MpegClient, state: *mut i32) -> i32 {
    // SAFETY: the caller vouches for both.
    unsafe {
        with_client(client, |client| {
            Out::new(state, "state")?.write(client.state().code());
            Ok(())
        })
    }
}

/// Tells what is known of the stream.
///
/// `info` has its struct_size set.
/// Returns: OK; INVALID_ARGUMENT; BAD_STATE while nothing has been connected since setup. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_stream_info(client: *const MpegClient, info: *mut MpegClientStreamInfo) -> i32 {
    // SAFETY: the caller vouches for both.
    unsafe {
        with_client(client, |client| {
            let info = OutStruct::new(info, "info")?;
            let stream = client.stream_info()?;
            info.write(MpegClientStreamInfo {
                struct_size: 0,
                stream_index: stream.index,
                width: stream.width,
                height: stream.height,
                frame_rate_num: stream.frame_rate.map_or(0, |rate| rate.num),
                frame_rate_den: stream.frame_rate.map_or(0, |rate| rate.den),
                measured_frame_rate: stream.measured_frame_rate,
                is_live: u32::from(stream.is_live),
                is_hdr: u32::from(stream.is_hdr == Some(true)),
                sample_aspect_num: stream.sample_aspect_ratio.map_or(0, |aspect| aspect.num),
                sample_aspect_den: stream.sample_aspect_ratio.map_or(0, |aspect| aspect.den),
                rotation: stream.rotation.unwrap_or(u32::MAX),
                is_mirrored: u32::from(stream.is_mirrored == Some(true)),
                duration_ns: stream.duration_ns.unwrap_or(UNKNOWN_TIME),
                generation: stream.generation,
                codec: fixed_text(&stream.codec),
                pixel_format: fixed_text(&stream.pixel_format),
                container: fixed_text(&stream.container),
                color_matrix: fixed_text(&stream.color_matrix),
                color_range: fixed_text(&stream.color_range),
                color_primaries: fixed_text(&stream.color_primaries),
                color_transfer: fixed_text(&stream.color_transfer),
                engine: fixed_text(&stream.engine),
            });
            Ok(())
        })
    }
}

/// Tells the counters.
///
/// `stats` has its struct_size set.
/// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_stats(client: *const MpegClient, stats: *mut MpegClientStats) -> i32 {
    // SAFETY: the caller vouches for both.
    unsafe {
        with_client(client, |client| {
            let out = OutStruct::new(stats, "stats")?;
            let counts = client.stats();
            let ring = client.ring_status();
            let leases = client.lease_status();
            out.write(MpegClientStats {
                struct_size: 0,
                ring_capacity: ring.capacity,
                newest_seq: ring.newest_seq,
                oldest_seq: ring.oldest_seq,
                packets: counts.packets,
                bytes: counts.bytes,
                decoded: counts.decoded,
                decode_errors: counts.decode_errors,
                published: ring.newest_seq,
                corrupt: counts.corrupt,
                dropped_by_rate: counts.dropped_by_rate,
                dropped_by_lease: counts.dropped_by_lease,
                dropped_at_start: counts.dropped_at_start,
                connects: counts.connects,
                connect_attempts: counts.connect_attempts,
                reads: counts.reads,
                frames_read: counts.frames_read,
                abandoned_threads: counts.abandoned_threads,
                leases: leases.count,
                oldest_lease_age_ns: leases.oldest_age_ns,
                orphaned_rings: ring.orphans,
                dropped_corrupt: counts.dropped_corrupt,
                clock_offset_ns: counts.sender_clock.map_or(UNKNOWN_TIME, |clock| clock.offset_ns),
                lost_packets: counts.lost_packets,
                repeated: counts.repeated,
                clock_faults: counts.clock_faults,
                clock_jitter_ns: counts.sender_clock.map_or(UNKNOWN_TIME, |clock| clock.jitter_ns),
            });
            Ok(())
        })
    }
}

/// Tells the last failure of the stream, those in the background included. It stays until the next one.
///
/// `error` has its struct_size set; its status is OK if nothing has failed yet.
/// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_client_error(client: *const MpegClient, error: *mut MpegClientError) -> i32 {
    // SAFETY: the caller vouches for both.
    unsafe {
        with_client(client, |client| {
            let out = OutStruct::new(error, "error")?;
            let last = client
                .last_failure()
                .map(|failure| MpegClientError::new(&failure.error, &failure.error.to_string(), failure.wall_ns));
            out.write(last.unwrap_or(MpegClientError::NONE));
            Ok(())
        })
    }
}

/// Describes a client for a person: state, stream, counters, and the parameters that were set; some lines of UTF-8
/// without credentials and without a line break at the end.
///
/// `buffer` receives the text with its NUL; it may be NULL if `buffer_size` is 0. `needed` receives the size that the
/// text takes with its NUL, whether it fits or not; it may be NULL.
/// Returns: OK; BUFFER_TOO_SMALL; INVALID_ARGUMENT. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_describe(
    client: *const MpegClient,
    buffer: *mut c_char,
    buffer_size: usize,
    needed: *mut usize,
) -> i32 {
    // SAFETY: the caller vouches for all of them.
    unsafe { with_client(client, |client| write_text(&client.describe(), buffer, buffer_size, needed)) }
}
