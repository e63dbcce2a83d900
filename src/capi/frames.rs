//! Reading frames.

use super::handle::{Out, OutStruct, cancel_token, check_size, in_struct, with_client, write_grown};
use super::types::{
    MPEGCLIENT_BATCH_MIXED_GENERATIONS, MPEGCLIENT_BATCH_UNIFORM, MPEGCLIENT_CLOCK_NONE, MPEGCLIENT_CLOCK_RTCP,
    MPEGCLIENT_DEVICE_CPU, MPEGCLIENT_ORDER_LATEST, MPEGCLIENT_ORDER_NEXT, MPEGCLIENT_READ_MIX_GENERATIONS, MpegClient,
    MpegClientBatch, MpegClientCancel, MpegClientFrameInfo, MpegClientReadOptions,
};
use crate::client::{Client, ReadOptions};
use crate::clock::UNKNOWN_TIME;
use crate::error::{Error, Result};
use crate::frame::{CaptureClock, FrameInfo, Shape, Spacing};
use crate::ring::Order;
use std::mem::{MaybeUninit, offset_of};

/// Tells the shape of the frames: an array of N of them is (N, height, width, channels) bytes, row by row. It is fixed
/// from setup to clear, by the parameters or by the first frame; a source that changes later is fitted into it.
///
/// `timeout_ms` is how long to wait for the first frame if need be; 0: not at all; below 0: no limit. `cancel` ends the
/// wait; it may be NULL. `height`, `width`, `channels` and `frame_bytes` receive the result; each may be NULL.
/// Returns: OK; INVALID_ARGUMENT; BAD_STATE; TIMEOUT; STOPPED; ENDED; FAILED; INTERRUPTED; CANCELLED. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_output_shape(
    client: *const MpegClient,
    timeout_ms: i64,
    cancel: *const MpegClientCancel,
    height: *mut u32,
    width: *mut u32,
    channels: *mut u32,
    frame_bytes: *mut usize,
) -> i32 {
    // SAFETY: the caller vouches for all of them.
    unsafe {
        with_client(client, |client| {
            let shape = client.output_shape(timeout_ms, cancel_token(cancel)?)?;
            for (place, value) in [(height, shape.height), (width, shape.width), (channels, shape.channels())] {
                if !place.is_null() {
                    Out::new(place, "shape")?.write(value);
                }
            }
            if !frame_bytes.is_null() {
                Out::new(frame_bytes, "frame_bytes")?.write(shape.frame_bytes());
            }
            Ok(())
        })
    }
}

/// Waits for a frame newer than `after_seq`.
///
/// `timeout_ms`: 0: look only; below 0: no limit. `cancel` ends the wait; it may be NULL. `newest` receives the number of
/// the newest frame; it may be NULL.
/// Returns: OK; INVALID_ARGUMENT; BAD_STATE; TIMEOUT; STOPPED; ENDED; FAILED; INTERRUPTED; CANCELLED. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_wait(
    client: *const MpegClient,
    after_seq: u64,
    timeout_ms: i64,
    cancel: *const MpegClientCancel,
    newest: *mut u64,
) -> i32 {
    // SAFETY: the caller vouches for all of them.
    unsafe {
        with_client(client, |client| {
            let seq = client.wait(after_seq, timeout_ms, cancel_token(cancel)?)?;
            if !newest.is_null() {
                Out::new(newest, "newest")?.write(seq);
            }
            Ok(())
        })
    }
}

/// Copies frames into the caller's buffer, tightly packed as (count, height, width, channels), oldest first.
///
/// Waits until as many frames exist as are asked for, then gives what there is: fewer if fewer exist when the time runs
/// out or the stream is no longer living. With after_seq 0 the last frames stay readable after terminate and after the
/// stream's end.
///
/// `options` and `batch` have their struct_size set. `buffer` must have room for the count asked for: count times the
/// frame_bytes of mpegclient_output_shape. `infos` receives one MpegClientFrameInfo a frame and must have room for
/// options->count of them, which must then not be 0; `info_size` is sizeof(MpegClientFrameInfo); `infos` may be NULL.
/// Returns: OK; INVALID_ARGUMENT; BUFFER_TOO_SMALL (batch->buffer_needed is written); BAD_STATE; TIMEOUT (no frame, but
/// the stream lives); STALE; STOPPED; ENDED; FAILED; INTERRUPTED; CANCELLED. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_extract_frames(
    client: *const MpegClient,
    options: *const MpegClientReadOptions,
    buffer: *mut u8,
    buffer_size: usize,
    infos: *mut MpegClientFrameInfo,
    info_size: usize,
    batch: *mut MpegClientBatch,
) -> i32 {
    // SAFETY: the caller vouches for all of them.
    unsafe {
        with_client(client, |client| {
            let options = in_struct(options, "options")?;
            let out = OutStruct::new(batch, "batch")?;
            let infos = InfoArray::new(infos, info_size, options.count)?;
            let memory = buffer_slice(buffer, buffer_size)?;
            let mut needed = None;
            let outcome = client.extract(&read_options(&options)?, memory, &mut needed);
            if let (Err(_), Some(needed)) = (&outcome, needed) {
                out.write_member(offset_of!(MpegClientBatch, buffer_needed), needed);
            }
            let read = outcome?;
            infos.write(&read.infos);
            let packed = c_batch(client, read.shape, &read.infos, buffer, read.shape.frame_bytes());
            out.write(MpegClientBatch { buffer_needed: needed.unwrap_or(0), ..packed });
            Ok(())
        })
    }
}

/// Tells what is known by now of a frame that is still in the ring.
///
/// `seq` is its number. `info` receives it; `info_size` is sizeof(MpegClientFrameInfo).
/// Returns: OK; INVALID_ARGUMENT; BAD_STATE; NO_FRAME. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_frame_info(
    client: *const MpegClient,
    seq: u64,
    info: *mut MpegClientFrameInfo,
    info_size: usize,
) -> i32 {
    // SAFETY: the caller vouches for both.
    unsafe {
        with_client(client, |client| {
            if info.is_null() {
                return Err(Error::argument("info", "NULL", "a place for the result"));
            }
            let place = InfoArray::new(info, info_size, 1)?;
            place.write(&[client.frame_info(seq)?]);
            Ok(())
        })
    }
}

/// Frames that lie `frame_stride` bytes apart from `data` on, without a buffer of the caller's.
pub(super) fn c_batch(
    client: &Client,
    shape: Shape,
    infos: &[FrameInfo],
    data: *const u8,
    frame_stride: usize,
) -> MpegClientBatch {
    let spacing = Spacing::of(infos);
    MpegClientBatch {
        struct_size: 0,
        count: infos.len() as u32,
        data,
        buffer_needed: 0,
        height: shape.height,
        width: shape.width,
        channels: shape.channels(),
        pixel_format: shape.pixel_format as i32,
        frame_stride: frame_stride as u64,
        row_stride: shape.row_bytes() as u64,
        device: MPEGCLIENT_DEVICE_CPU,
        flags: batch_flags(spacing),
        first_seq: infos.first().map_or(0, |info| info.seq),
        generation: infos.last().map_or(0, |info| info.generation),
        newest_age_ns: infos.last().map_or(UNKNOWN_TIME, |info| client.age_ns(info)),
        largest_gap_ns: spacing.largest_gap_ns.unwrap_or(UNKNOWN_TIME),
    }
}

fn batch_flags(spacing: Spacing) -> u32 {
    let flag = |condition: bool, flag: u32| if condition { flag } else { 0 };
    flag(spacing.is_mixed, MPEGCLIENT_BATCH_MIXED_GENERATIONS) | flag(spacing.is_uniform, MPEGCLIENT_BATCH_UNIFORM)
}

/// # Safety
/// `options.cancel` is NULL or a token that outlives the result.
pub(super) unsafe fn read_options<'a>(options: &MpegClientReadOptions) -> Result<ReadOptions<'a>> {
    let order = match options.order {
        MPEGCLIENT_ORDER_LATEST => Order::Latest,
        MPEGCLIENT_ORDER_NEXT => Order::Next,
        other => {
            return Err(Error::argument("options->order", other, "MPEGCLIENT_ORDER_LATEST or _NEXT"));
        }
    };
    let unknown = options.flags & !MPEGCLIENT_READ_MIX_GENERATIONS;
    if unknown != 0 {
        return Err(Error::argument("options->flags", options.flags, "MPEGCLIENT_READ_* added up"));
    }
    for (name, value) in [("options->view", options.view), ("options->reserved", options.reserved)] {
        if value != 0 {
            return Err(Error::argument(name, value, "0"));
        }
    }
    if options.max_age_ms < 0 {
        return Err(Error::argument("options->max_age_ms", options.max_age_ms, "0 or more"));
    }
    Ok(ReadOptions {
        order,
        count: (options.count != 0).then_some(options.count),
        after_seq: options.after_seq,
        timeout_ms: options.timeout_ms,
        max_age_ms: (options.max_age_ms != 0).then_some(options.max_age_ms),
        mix_generations: options.flags & MPEGCLIENT_READ_MIX_GENERATIONS != 0,
        // SAFETY: the caller vouches for it.
        cancel: unsafe { cancel_token(options.cancel) }?,
    })
}

/// # Safety
/// `buffer` is NULL or may be written over `size` bytes until the function returns.
unsafe fn buffer_slice<'a>(buffer: *mut u8, size: usize) -> Result<&'a mut [MaybeUninit<u8>]> {
    if size == 0 {
        return Ok(&mut []);
    }
    if buffer.is_null() {
        return Err(Error::argument("buffer", "NULL", "a buffer of buffer_size bytes"));
    }
    if size > isize::MAX as usize {
        return Err(Error::argument("buffer_size", size, "a size that an object in memory can have"));
    }
    // SAFETY: not NULL, a possible size, and the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts_mut(buffer.cast(), size) })
}

/// The caller's array of infos, whose elements are as large as the caller's header has them.
pub(super) struct InfoArray {
    place: *mut MpegClientFrameInfo,
    element: usize,
}

impl InfoArray {
    /// # Safety
    /// `place` is NULL or may be written over `count` elements of `element` bytes until the function returns.
    pub(super) unsafe fn new(place: *mut MpegClientFrameInfo, element: usize, count: u32) -> Result<Self> {
        if !place.is_null() {
            check_size::<MpegClientFrameInfo>(element, "info_size")?;
            if count == 0 {
                return Err(Error::argument("options->count", 0, "the number of elements of infos"));
            }
        }
        Ok(Self { place, element })
    }

    pub(super) fn write(&self, infos: &[FrameInfo]) {
        if self.place.is_null() {
            return;
        }
        for (index, info) in infos.iter().enumerate() {
            // SAFETY: no more frames come than were asked for, and `new` was vouched for up to that.
            unsafe { write_grown(self.place.cast::<u8>().add(index * self.element), self.element, &c_info(info)) };
        }
    }
}

fn c_info(info: &FrameInfo) -> MpegClientFrameInfo {
    MpegClientFrameInfo {
        seq: info.seq,
        generation: info.generation,
        pts_ns: info.pts_ns.unwrap_or(UNKNOWN_TIME),
        capture_time_ns: info.capture.map_or(UNKNOWN_TIME, |(time, _)| time),
        arrival_time_ns: info.arrival.wall_ns,
        arrival_monotonic_ns: info.arrival.monotonic_ns,
        decoded_monotonic_ns: info.decoded_ns,
        published_monotonic_ns: info.published_ns,
        capture_clock: match info.capture {
            Some((_, CaptureClock::Rtcp)) => MPEGCLIENT_CLOCK_RTCP,
            None => MPEGCLIENT_CLOCK_NONE,
        },
        flags: info.flags.bits(),
        source_width: info.source_width,
        source_height: info.source_height,
        to_source: info.to_source,
    }
}
