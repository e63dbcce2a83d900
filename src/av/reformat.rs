//! Other pixel formats by libswscale, without scaling.

use super::{AvError, Frame, check, ffi};
use std::ffi::{CStr, c_int};
use std::ptr::{NonNull, null_mut};

/// Size and pixel format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// libav's number.
    pub(crate) format: c_int,
}

/// A `SwsContext` for one kind of input and one kind of output, with the picture it writes.
pub(crate) struct Reformatter {
    context: NonNull<ffi::SwsContext>,
    output: Frame,
}

// SAFETY: a context may be used from any thread, one at a time.
unsafe impl Send for Reformatter {}

#[cfg(not(sws_flags_enum))]
use ffi as flags;
#[cfg(sws_flags_enum)]
use ffi::SwsFlags as flags;

/// No change of brightness, contrast and saturation, in libswscale's 16.16 fixed point.
const NEUTRAL: (c_int, c_int, c_int) = (0, 1 << 16, 1 << 16);

/// libswscale's bicubic filter: as it comes, and as exact as it can be.
pub(crate) const BICUBIC: c_int = flags::SWS_BICUBIC as c_int;
pub(crate) const BICUBIC_EXACT: c_int = BICUBIC | FULL_CHROMA;

/// Without scaling, what is nearest is exact.
const EXACT: c_int = flags::SWS_POINT as c_int | FULL_CHROMA;

/// Nothing is rounded early, and no colours are left out.
const FULL_CHROMA: c_int =
    flags::SWS_ACCURATE_RND as c_int | flags::SWS_FULL_CHR_H_INT as c_int | flags::SWS_FULL_CHR_H_INP as c_int;

impl Reformatter {
    /// From a picture to one of the same size and another format.
    pub(crate) fn new(source: Picture, format: c_int) -> Result<Self, AvError> {
        Self::scaling(source, Picture { format, ..source }, EXACT)
    }

    /// From a picture to one of any size, with libswscale's own flags: what this library measures itself against.
    pub(crate) fn scaling(source: Picture, target: Picture, flags: c_int) -> Result<Self, AvError> {
        let output = Frame::with_picture(target.width, target.height, target.format)?;
        // SAFETY: takes nothing; NULL means that there is no memory.
        let context = NonNull::new(unsafe { ffi::sws_alloc_context() }).ok_or(AvError::NO_MEMORY)?;
        let reformatter = Self { context, output };
        reformatter.set(c"srcw", source.width.into())?;
        reformatter.set(c"srch", source.height.into())?;
        reformatter.set(c"src_format", source.format.into())?;
        reformatter.set(c"dstw", target.width.into())?;
        reformatter.set(c"dsth", target.height.into())?;
        reformatter.set(c"dst_format", target.format.into())?;
        reformatter.set(c"sws_flags", flags.into())?;
        // SAFETY: a context with all its options set; no filters.
        check(unsafe { ffi::sws_init_context(context.as_ptr(), null_mut(), null_mut()) })?;
        Ok(reformatter)
    }

    fn set(&self, option: &CStr, value: i64) -> Result<(), AvError> {
        // SAFETY: a valid context, whose first member is its class, as options need it.
        check(unsafe { ffi::av_opt_set_int(self.context.as_ptr().cast(), option.as_ptr(), value, 0) }).map(drop)
    }

    /// Says by which matrix, a number of ITU-T H.273, table 4, and in which ranges colours are; where it is not said, the
    /// ranges stay what they are.
    pub(crate) fn set_colours(&self, matrix: c_int, is_full_source: bool, is_full_target: bool) {
        let (brightness, contrast, saturation) = NEUTRAL;
        // SAFETY: a valid context and libswscale's own table for the matrix, of which any number gives one. It fails for
        // formats that have no matrix, such as RGB: then there is nothing to set.
        unsafe {
            let table = ffi::sws_getCoefficients(matrix);
            ffi::sws_setColorspaceDetails(
                self.context.as_ptr(),
                table,
                is_full_source.into(),
                table,
                is_full_target.into(),
                brightness,
                contrast,
                saturation,
            );
        }
    }

    /// The picture last converted.
    pub(crate) fn output(&self) -> &Frame {
        &self.output
    }

    /// The picture in the other format, valid until the next.
    pub(crate) fn convert(&mut self, frame: &Frame) -> Result<&Frame, AvError> {
        let from = frame.get();
        // SAFETY: valid and borrowed mutably.
        let to = unsafe { &mut *self.output.as_mut_ptr() };
        // SAFETY: the frame is of the size and format that the context was made for, which the caller checks by making a
        // new one when they change; the output was allocated for the context's own.
        check(unsafe {
            ffi::sws_scale(
                self.context.as_ptr(),
                from.data.as_ptr().cast::<*const u8>(),
                from.linesize.as_ptr(),
                0,
                from.height,
                to.data.as_ptr(),
                to.linesize.as_ptr(),
            )
        })?;
        Ok(&self.output)
    }
}

impl Drop for Reformatter {
    fn drop(&mut self) {
        // SAFETY: allocated by libswscale and not used after.
        unsafe { ffi::sws_freeContext(self.context.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::format;
    use super::*;

    /// Nothing of it is left behind either, which a sanitizer sees.
    #[test]
    fn a_picture_larger_than_any_is_an_error() {
        for width in [1 << 30, u32::MAX] {
            let source = Picture { width, height: 1 << 20, format: format::GRAY8 };
            assert!(Reformatter::new(source, format::GRAY8).is_err(), "{width}");
        }
    }
}
