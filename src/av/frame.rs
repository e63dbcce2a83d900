//! Decoded pictures.

use super::numbers::{number, pixel_format, pixel_format_name};
use super::pixel_format::PixelLayout;
use super::{AvError, check, ffi};
use std::ffi::c_int;
use std::ptr::NonNull;

/// An `AVFrame`.
pub(crate) struct Frame(NonNull<ffi::AVFrame>);

// SAFETY: a frame's data is reference-counted with atomics, and nothing of it is tied to a thread.
unsafe impl Send for Frame {}

impl Frame {
    pub(crate) fn new() -> Result<Self, AvError> {
        // SAFETY: takes nothing; NULL means that there is no memory.
        NonNull::new(unsafe { ffi::av_frame_alloc() }).map(Self).ok_or(AvError::NO_MEMORY)
    }

    pub(crate) fn width(&self) -> u32 {
        u32::try_from(self.get().width).unwrap_or(0)
    }

    pub(crate) fn height(&self) -> u32 {
        u32::try_from(self.get().height).unwrap_or(0)
    }

    /// The number of the packet that the frame is from.
    pub(crate) fn number(&self) -> i64 {
        self.get().pts
    }

    /// The number of the packet at which the decoder returned the frame.
    pub(crate) fn returning_number(&self) -> i64 {
        self.get().pkt_dts
    }

    /// libav's number for the pixel format.
    pub(crate) fn format(&self) -> c_int {
        self.get().format
    }

    pub(crate) fn format_name(&self) -> String {
        pixel_format_name(self.format())
    }

    /// What the stream says of the picture's colours.
    pub(crate) fn tags(&self) -> Tags {
        let frame = self.get();
        // SAFETY: valid fields of the size of a C int.
        unsafe {
            Tags {
                matrix: number!(frame.colorspace),
                range: number!(frame.color_range),
                primaries: number!(frame.color_primaries),
                transfer: number!(frame.color_trc),
                chroma_location: number!(frame.chroma_location),
            }
        }
    }

    /// Width of a pixel over its height; `None` if the stream does not say.
    pub(crate) fn sample_aspect(&self) -> Option<(u32, u32)> {
        positive(self.get().sample_aspect_ratio)
    }

    /// The matrix that brings the picture upright, as the stream has it; see libavutil/display.h.
    pub(crate) fn display_matrix(&self) -> Option<[i32; 9]> {
        let kind = ffi::AVFrameSideDataType::AV_FRAME_DATA_DISPLAYMATRIX;
        // SAFETY: a valid frame; what is returned is NULL or lives as long as the frame.
        let data = unsafe { ffi::av_frame_get_side_data(self.0.as_ptr(), kind).as_ref() }?;
        // SAFETY: side data has the size it says.
        unsafe { display_matrix(data.data, data.size) }
    }

    /// Whether the decoder says that the picture is damaged.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_marked() || self.get().decode_error_flags != 0
    }

    /// Whether the decoder shows the picture only because it was told to show damaged ones.
    pub(crate) fn is_marked(&self) -> bool {
        self.get().flags & ffi::AV_FRAME_FLAG_CORRUPT != 0
    }

    /// Gives a picture of YUV the luma of another as its opacity, without a copy. Returns whether it could: both have the
    /// same size and depth, and libav has the format with opacity.
    pub(crate) fn set_alpha(&mut self, alpha: &Self) -> bool {
        let luma = |frame: &Self| Some(PixelLayout::of(frame.format())?.components.first()?.depth);
        let is_alike = (self.width(), self.height(), luma(self)) == (alpha.width(), alpha.height(), luma(alpha));
        let name = self.format_name();
        let format = name.strip_prefix("yuv").and_then(|rest| pixel_format(&format!("yuva{rest}")));
        let (true, Some(format)) = (is_alike, format) else { return false };
        // SAFETY: a valid frame; what is returned is NULL or a buffer of it.
        let buffer = unsafe { ffi::av_frame_get_plane_buffer(alpha.0.as_ptr(), 0) };
        // SAFETY: valid and borrowed mutably.
        let fields = unsafe { self.0.as_mut() };
        let Some(place) = fields.buf.iter_mut().find(|buffer| buffer.is_null()).filter(|_| !buffer.is_null()) else {
            return false;
        };
        // SAFETY: a valid buffer; the frame owns the new reference.
        *place = unsafe { ffi::av_buffer_ref(buffer) };
        if place.is_null() {
            return false;
        }
        (fields.data[3], fields.linesize[3]) = (alpha.get().data[0], alpha.get().linesize[0]);
        fields.format = format;
        true
    }

    /// An empty picture of its own.
    pub(crate) fn with_picture(width: u32, height: u32, format: c_int) -> Result<Self, AvError> {
        let mut frame = Self::new()?;
        // SAFETY: valid and borrowed mutably.
        let fields = unsafe { frame.0.as_mut() };
        fields.width = c_int::try_from(width).map_err(|_| AvError::NO_MEMORY)?;
        fields.height = c_int::try_from(height).map_err(|_| AvError::NO_MEMORY)?;
        fields.format = format;
        // SAFETY: a valid frame with its size and format set; libav chooses the alignment.
        check(unsafe { ffi::av_frame_get_buffer(frame.0.as_ptr(), 0) })?;
        Ok(frame)
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVFrame {
        self.0.as_ptr()
    }

    pub(super) fn get(&self) -> &ffi::AVFrame {
        // SAFETY: valid for as long as `self` is.
        unsafe { self.0.as_ref() }
    }
}

/// What a stream says of its colours, by the numbers of ITU-T H.273, which are libav's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tags {
    pub(crate) matrix: c_int,
    /// libav's own number: 1 limited, 2 full.
    pub(crate) range: c_int,
    pub(crate) primaries: c_int,
    pub(crate) transfer: c_int,
    /// libav's own number, one more than that of H.273, clause 8.7.
    pub(crate) chroma_location: c_int,
}

/// A fraction of two positive numbers; `None` for what stands for "not known".
pub(super) fn positive(fraction: ffi::AVRational) -> Option<(u32, u32)> {
    let (num, den) = (u32::try_from(fraction.num).ok()?, u32::try_from(fraction.den).ok()?);
    (num > 0 && den > 0).then_some((num, den))
}

/// A display matrix from side data; `None` if it is too short to be one.
///
/// # Safety
/// `data` has `size` bytes, or is NULL.
pub(super) unsafe fn display_matrix(data: *const u8, size: usize) -> Option<[i32; 9]> {
    let fits = !data.is_null() && size >= size_of::<[i32; 9]>();
    // SAFETY: the caller vouches for the size; no alignment is assumed.
    fits.then(|| unsafe { data.cast::<[i32; 9]>().read_unaligned() })
}

impl Drop for Frame {
    fn drop(&mut self) {
        let mut frame = self.0.as_ptr();
        // SAFETY: allocated by libav and not used after.
        unsafe { ffi::av_frame_free(&mut frame) };
    }
}
