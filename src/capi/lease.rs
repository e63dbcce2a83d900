//! Frames lent without copying.

use super::frames::{InfoArray, c_batch, read_options};
use super::handle::{Handle, Out, OutStruct, in_struct, with_client};
use super::types::{MpegClient, MpegClientBatch, MpegClientFrameInfo, MpegClientLease, MpegClientReadOptions};
use crate::client::FrameLease;

/// Lends frames without copying them: batch->data points into the ring itself, which leaves these frames alone until
/// mpegclient_lease_release. Frame i of the batch begins frame_stride * i bytes after batch->data, and is row by row
/// without gaps. frame_stride is the bytes of a frame, so that the whole is one array (count, height, width, channels),
/// but for odd shapes whose slots the ring pads to whole pages. It must not be written to.
///
/// The same frames as extract_frames gives, after the same wait. A lease holds no one up: where the writer would come to
/// its frames it goes on in other memory. That memory is what a lease costs while it is held. Of frames from before and
/// after that, those from before are first copied to the others, by the call that asks for them as one array. The
/// parameters lease_slots and max_orphans say how much memory there may be; beyond it frames are dropped, which an event
/// tells, or the writer waits where the parameter overflow is block. mpegclient_stats tells how many leases are out and for
/// how long.
///
/// `options` and `batch` have their struct_size set. `lease` receives the lease. `infos` and `info_size` are those of
/// extract_frames; `infos` may be NULL.
/// Returns: OK; INVALID_ARGUMENT; BAD_STATE; TIMEOUT (no frame, but the stream lives); STALE; STOPPED; ENDED; FAILED;
/// INTERRUPTED; CANCELLED. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_acquire_frames(
    client: *const MpegClient,
    options: *const MpegClientReadOptions,
    lease: *mut *mut MpegClientLease,
    infos: *mut MpegClientFrameInfo,
    info_size: usize,
    batch: *mut MpegClientBatch,
) -> i32 {
    // SAFETY: the caller vouches for all of them.
    unsafe {
        with_client(client, |client| {
            let options = in_struct(options, "options")?;
            let place = Out::new(lease, "lease")?;
            let out = OutStruct::new(batch, "batch")?;
            let infos = InfoArray::new(infos, info_size, options.count)?;
            let lent = client.acquire(&read_options(&options)?)?;
            infos.write(lent.infos());
            let (data, stride) = (lent.pixels().as_ptr(), lent.frame_stride());
            out.write(c_batch(client, lent.shape(), lent.infos(), data, stride));
            place.write(Box::into_raw(Box::new(Handle::new(lent))).cast());
            Ok(())
        })
    }
}

/// Gives frames back. Nothing may read them any more.
///
/// `lease` may be NULL. Leases may be given back in any order, on any thread, and after terminate, clear and free of the
/// client they came from. Blocks: no. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_lease_release(lease: *mut MpegClientLease) {
    if lease.is_null() {
        return;
    }
    // SAFETY: it came from `Box::into_raw` in mpegclient_acquire_frames, and the caller gives it up.
    unsafe { Box::from_raw(lease.cast::<Handle<FrameLease>>()) }.free();
}
