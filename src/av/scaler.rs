//! Scaling and colour conversion by libswscale.

use super::{AvError, Frame, check, ffi};
use crate::config::Filter;
use std::ffi::{CStr, c_int};
use std::ptr::{NonNull, null_mut};

/// What libswscale must know of a picture's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colours {
    /// By the numbers of ITU-T H.273, table 4, as libswscale takes them.
    pub(crate) matrix: c_int,
    pub(crate) is_full_range: bool,
}

/// Size and pixel format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// libav's number.
    pub(crate) format: c_int,
}

/// A `SwsContext` for one kind of input and one kind of output.
pub(crate) struct Scaler {
    context: NonNull<ffi::SwsContext>,
    source_height: c_int,
    target: Picture,
}

// SAFETY: a context may be used from any thread, one at a time.
unsafe impl Send for Scaler {}

/// No change of brightness, contrast and saturation, in libswscale's 16.16 fixed point.
const NEUTRAL: (c_int, c_int, c_int) = (0, 1 << 16, 1 << 16);

impl Scaler {
    pub(crate) fn new(source: Picture, colours: Colours, target: Picture, filter: Filter) -> Result<Self, AvError> {
        // SAFETY: takes nothing; NULL means that there is no memory.
        let context = NonNull::new(unsafe { ffi::sws_alloc_context() }).ok_or(AvError::NO_MEMORY)?;
        let source_height = c_int::try_from(source.height).unwrap_or(0);
        let scaler = Self { context, source_height, target };
        // An area filter does not alias when shrinking; there is nothing to average when enlarging.
        let shrinks = target.width < source.width || target.height < source.height;
        let filter = match filter {
            Filter::Auto if shrinks => ffi::SWS_AREA,
            Filter::Auto | Filter::Bicubic => ffi::SWS_BICUBIC,
            Filter::Area => ffi::SWS_AREA,
            Filter::Bilinear => ffi::SWS_BILINEAR,
            Filter::Lanczos => ffi::SWS_LANCZOS,
            Filter::Nearest => ffi::SWS_POINT,
        };
        let flags = filter | ffi::SWS_ACCURATE_RND | ffi::SWS_FULL_CHR_H_INT | ffi::SWS_FULL_CHR_H_INP;
        scaler.set(c"srcw", source.width.into())?;
        scaler.set(c"srch", source.height.into())?;
        scaler.set(c"src_format", source.format.into())?;
        scaler.set(c"dstw", target.width.into())?;
        scaler.set(c"dsth", target.height.into())?;
        scaler.set(c"dst_format", target.format.into())?;
        scaler.set(c"sws_flags", flags.into())?;
        // SAFETY: a context with all its options set; no filters.
        check(unsafe { ffi::sws_init_context(context.as_ptr(), null_mut(), null_mut()) })?;
        scaler.set_colours(colours);
        Ok(scaler)
    }

    fn set(&self, option: &CStr, value: i64) -> Result<(), AvError> {
        // SAFETY: a valid context, whose first member is its class, as options need it.
        check(unsafe { ffi::av_opt_set_int(self.context.as_ptr().cast(), option.as_ptr(), value, 0) }).map(drop)
    }

    fn set_colours(&self, colours: Colours) {
        let (brightness, contrast, saturation) = NEUTRAL;
        // SAFETY: a valid context and libswscale's own table for the matrix, of which any number gives one.
        unsafe {
            let table = ffi::sws_getCoefficients(colours.matrix);
            // It fails for formats that have no matrix, such as RGB: then there is nothing to set.
            ffi::sws_setColorspaceDetails(
                self.context.as_ptr(),
                table,
                c_int::from(colours.is_full_range),
                table,
                1,
                brightness,
                contrast,
                saturation,
            );
        }
    }

    /// Converts a picture into `to`, rows tightly packed with `row_bytes` each.
    ///
    /// libswscale may write a little beyond the end of rows that are no multiple of 16 pixels; see [`Self::is_exact`].
    pub(crate) fn convert(&mut self, frame: &Frame, to: &mut [u8], row_bytes: usize) -> Result<(), AvError> {
        let rows = usize::try_from(self.target.height).unwrap_or(usize::MAX);
        if row_bytes.checked_mul(rows).is_none_or(|bytes| bytes > to.len()) {
            return Err(AvError::NO_MEMORY);
        }
        let frame = frame.get();
        let planes = [to.as_mut_ptr(), null_mut(), null_mut(), null_mut()];
        let strides = [c_int::try_from(row_bytes).map_err(|_| AvError::NO_MEMORY)?, 0, 0, 0];
        // SAFETY: the frame is of the size and format that the context was made for, which the caller checks by making a
        // new one when they change; the target has room for every row.
        check(unsafe {
            ffi::sws_scale(
                self.context.as_ptr(),
                frame.data.as_ptr().cast::<*const u8>(),
                frame.linesize.as_ptr(),
                0,
                self.source_height,
                planes.as_ptr(),
                strides.as_ptr(),
            )
        })
        .map(drop)
    }

    /// Whether rows of this width are written to their end and no further.
    pub(crate) fn is_exact(width: u32) -> bool {
        width.is_multiple_of(16)
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: allocated by libswscale and not used after.
        unsafe { ffi::sws_freeContext(self.context.as_ptr()) };
    }
}

/// libav's numbers for the formats that frames are given out in.
pub(crate) mod format {
    use super::ffi::AVPixelFormat;
    use std::ffi::c_int;

    pub(crate) const RGB24: c_int = AVPixelFormat::AV_PIX_FMT_RGB24 as c_int;
    pub(crate) const BGR24: c_int = AVPixelFormat::AV_PIX_FMT_BGR24 as c_int;
    pub(crate) const RGBA: c_int = AVPixelFormat::AV_PIX_FMT_RGBA as c_int;
    pub(crate) const GRAY8: c_int = AVPixelFormat::AV_PIX_FMT_GRAY8 as c_int;
}
