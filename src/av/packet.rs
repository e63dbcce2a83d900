//! Compressed data.

use super::{AvError, check, ffi};
use std::ffi::c_int;
use std::ptr::NonNull;

/// An `AVPacket`: one access unit, as the containers hand it on.
pub(crate) struct Packet(NonNull<ffi::AVPacket>);

// SAFETY: a packet's data is reference-counted with atomics, and nothing of it is tied to a thread.
unsafe impl Send for Packet {}

impl Packet {
    pub(crate) fn new() -> Result<Self, AvError> {
        // SAFETY: takes nothing; NULL means that there is no memory.
        NonNull::new(unsafe { ffi::av_packet_alloc() }).map(Self).ok_or(AvError::NO_MEMORY)
    }

    /// A packet of its own memory, with the padding that decoders read beyond the data.
    pub(crate) fn from_bytes(data: &[u8]) -> Result<Self, AvError> {
        let packet = Self::new()?;
        let size = c_int::try_from(data.len()).map_err(|_| AvError::NO_MEMORY)?;
        // SAFETY: a valid, empty packet. On success libav has given it `size` bytes, which cannot overlap with the slice.
        unsafe {
            check(ffi::av_new_packet(packet.0.as_ptr(), size))?;
            (*packet.0.as_ptr()).data.copy_from_nonoverlapping(data.as_ptr(), data.len());
        }
        Ok(packet)
    }

    pub(crate) fn stream_index(&self) -> usize {
        usize::try_from(self.get().stream_index).unwrap_or(usize::MAX)
    }

    /// Presentation time in the stream's own unit.
    pub(crate) fn pts(&self) -> Option<i64> {
        known(self.get().pts)
    }

    /// Decoding time in the stream's own unit.
    pub(crate) fn dts(&self) -> Option<i64> {
        known(self.get().dts)
    }

    /// Puts a number in the place of both times. The decoder returns it with the packet's own frame, and with the frame
    /// that it returns at this packet.
    pub(crate) fn set_number(&mut self, number: i64) {
        // SAFETY: the packet is valid and borrowed mutably.
        let fields = unsafe { self.0.as_mut() };
        (fields.pts, fields.dts) = (number, number);
    }

    pub(crate) fn size(&self) -> usize {
        usize::try_from(self.get().size).unwrap_or(0)
    }

    pub(crate) fn data(&self) -> &[u8] {
        let (data, size) = (self.get().data, self.size());
        if data.is_null() || size == 0 {
            return &[];
        }
        // SAFETY: a packet has as many bytes as it says, for as long as `self` is borrowed.
        unsafe { std::slice::from_raw_parts(data, size) }
    }

    /// Whether decoding can begin here. A trusted packet wraps a whole frame, which lavfi has not marked as a key frame since
    /// FFmpeg 9.
    pub(crate) fn is_key(&self) -> bool {
        self.get().flags & (ffi::AV_PKT_FLAG_KEY | ffi::AV_PKT_FLAG_TRUSTED) != 0
    }

    pub(crate) fn is_corrupt(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_CORRUPT != 0
    }

    /// Has its picture shown, even if an edit list of the container leaves it out.
    pub(crate) fn keep(&mut self) {
        // SAFETY: valid and borrowed mutably.
        unsafe { self.0.as_mut() }.flags &= !ffi::AV_PKT_FLAG_DISCARD;
    }

    /// Has the decoder take this configuration from the packet on, in the place of the one it was opened with.
    pub(crate) fn set_configuration(&mut self, configuration: &[u8]) -> Result<(), AvError> {
        let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_NEW_EXTRADATA;
        // SAFETY: a valid packet, borrowed mutably. The memory is as large as what is written to it, and NULL if there is
        // none.
        unsafe {
            let data = ffi::av_packet_new_side_data(self.0.as_ptr(), kind, configuration.len());
            if data.is_null() {
                return Err(AvError::NO_MEMORY);
            }
            data.copy_from_nonoverlapping(configuration.as_ptr(), configuration.len());
        }
        Ok(())
    }

    /// Whether its data is encrypted, and was not decrypted for want of a key.
    pub(crate) fn is_encrypted(&self) -> bool {
        let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_ENCRYPTION_INFO;
        let mut size = 0;
        // SAFETY: a valid packet and a place for the size.
        !unsafe { ffi::av_packet_get_side_data(self.0.as_ptr(), kind, &mut size) }.is_null()
    }

    /// When the sender captured it, by the sender's clock in nanoseconds since 1970. RTP streams know it once the first
    /// RTCP report has come.
    pub(crate) fn capture_time_ns(&self) -> Option<i64> {
        let data = self.side_data(ffi::AVPacketSideDataType::AV_PKT_DATA_PRFT)?;
        if data.len() < size_of::<ffi::AVProducerReferenceTime>() {
            return None;
        }
        // SAFETY: as large as the struct that this kind of side data is.
        let reference = unsafe { data.as_ptr().cast::<ffi::AVProducerReferenceTime>().read_unaligned() };
        reference.wallclock.checked_mul(1_000)
    }

    /// The packet of opacity that Matroska has beside this one: the BlockAdditional with ID 1.
    pub(crate) fn alpha(&self) -> Option<&[u8]> {
        let data = self.side_data(ffi::AVPacketSideDataType::AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL)?;
        let (id, data) = data.split_first_chunk::<8>()?;
        (u64::from_be_bytes(*id) == 1).then_some(data)
    }

    fn side_data(&self, kind: ffi::AVPacketSideDataType) -> Option<&[u8]> {
        let mut size = 0;
        // SAFETY: a valid packet and a place for the size; NULL means that there is none.
        let data = unsafe { ffi::av_packet_get_side_data(self.0.as_ptr(), kind, &mut size) };
        // SAFETY: not NULL, with as many bytes as libav says for as long as the packet is borrowed.
        (!data.is_null()).then(|| unsafe { std::slice::from_raw_parts(data, size) })
    }

    /// Gives back what it holds.
    pub(super) fn clear(&mut self) {
        // SAFETY: valid and borrowed mutably; one that holds nothing stays as it is.
        unsafe { ffi::av_packet_unref(self.0.as_ptr()) };
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVPacket {
        self.0.as_ptr()
    }

    pub(super) fn as_ptr(&self) -> *const ffi::AVPacket {
        self.0.as_ptr()
    }

    fn get(&self) -> &ffi::AVPacket {
        // SAFETY: valid for as long as `self` is.
        unsafe { self.0.as_ref() }
    }
}

/// A timestamp, unless it stands for "none".
fn known(timestamp: i64) -> Option<i64> {
    (timestamp != ffi::AV_NOPTS_VALUE).then_some(timestamp)
}

impl Drop for Packet {
    fn drop(&mut self) {
        let mut packet = self.0.as_ptr();
        // SAFETY: allocated by libav and not used after.
        unsafe { ffi::av_packet_free(&mut packet) };
    }
}
