//! How pixels lie in memory, by libav's own table.

use super::numbers::pixel_format_descriptor;
use super::{ffi, owned_text};
use std::ffi::c_int;

/// One component of a pixel, in bytes but for the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) plane: usize,
    /// From one of it to the next.
    pub(crate) step: usize,
    /// Before the first of it.
    pub(crate) offset: usize,
    /// Bits below it that mean nothing.
    pub(crate) unused: u32,
    /// Bits of it.
    pub(crate) depth: u32,
}

/// A pixel format. Components are in the order Y, U, V or R, G, B; opacity is the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PixelLayout {
    pub(crate) name: String,
    pub(crate) components: Vec<Component>,
    /// How many times the width is halved for U and V.
    pub(crate) chroma_shift_across: u32,
    pub(crate) chroma_shift_down: u32,
    pub(crate) is_rgb: bool,
    pub(crate) has_alpha: bool,
    pub(crate) has_palette: bool,
    pub(crate) is_big_endian: bool,
    /// Components are not whole numbers in bytes or pairs of bytes: single bits, mosaics of a sensor, floating point.
    pub(crate) is_irregular: bool,
    pub(crate) is_float: bool,
    /// In the memory of some device.
    pub(crate) is_hardware: bool,
}

impl PixelLayout {
    /// What libav's number for a pixel format means; `None` if it means nothing.
    pub(crate) fn of(format: c_int) -> Option<Self> {
        let descriptor = pixel_format_descriptor(format)?;
        let has = |flag: c_int| descriptor.flags & u64::from(flag.unsigned_abs()) != 0;
        let number = |value: c_int| u32::try_from(value).unwrap_or(0);
        let components = descriptor.comp.iter().take(descriptor.nb_components.into()).map(|component| Component {
            plane: number(component.plane) as usize,
            step: number(component.step) as usize,
            offset: number(component.offset) as usize,
            unused: number(component.shift),
            depth: number(component.depth),
        });
        // SAFETY: the name of a pixel format is a string that lives for ever.
        let name = unsafe { owned_text(descriptor.name) };
        let irregular = [ffi::AV_PIX_FMT_FLAG_BITSTREAM, ffi::AV_PIX_FMT_FLAG_BAYER, ffi::AV_PIX_FMT_FLAG_FLOAT];
        Some(Self {
            components: components.collect(),
            chroma_shift_across: descriptor.log2_chroma_w.into(),
            chroma_shift_down: descriptor.log2_chroma_h.into(),
            is_rgb: has(ffi::AV_PIX_FMT_FLAG_RGB),
            has_alpha: has(ffi::AV_PIX_FMT_FLAG_ALPHA),
            has_palette: has(ffi::AV_PIX_FMT_FLAG_PAL),
            is_big_endian: has(ffi::AV_PIX_FMT_FLAG_BE),
            is_irregular: irregular.into_iter().any(has),
            is_float: has(ffi::AV_PIX_FMT_FLAG_FLOAT),
            is_hardware: has(ffi::AV_PIX_FMT_FLAG_HWACCEL),
            name,
        })
    }
}

/// libav's numbers for some formats.
pub(crate) mod format {
    use super::ffi::AVPixelFormat;
    use std::ffi::c_int;

    pub(crate) const YUV420P: c_int = AVPixelFormat::AV_PIX_FMT_YUV420P as c_int;
    pub(crate) const RGB24: c_int = AVPixelFormat::AV_PIX_FMT_RGB24 as c_int;
    pub(crate) const RGBA: c_int = AVPixelFormat::AV_PIX_FMT_RGBA as c_int;
    pub(crate) const GRAY8: c_int = AVPixelFormat::AV_PIX_FMT_GRAY8 as c_int;
    pub(crate) const RGB48: c_int = AVPixelFormat::AV_PIX_FMT_RGB48LE as c_int;
    pub(crate) const RGBA64: c_int = AVPixelFormat::AV_PIX_FMT_RGBA64LE as c_int;
    pub(crate) const GRAY16: c_int = AVPixelFormat::AV_PIX_FMT_GRAY16LE as c_int;
    pub(crate) const YUV444P16: c_int = AVPixelFormat::AV_PIX_FMT_YUV444P16LE as c_int;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_described_as_libav_lays_them_out() {
        let rgba = PixelLayout::of(format::RGBA).expect("not known");
        assert!(rgba.is_rgb && rgba.has_alpha && !rgba.is_irregular && rgba.name == "rgba");
        let offsets: Vec<usize> = rgba.components.iter().map(|component| component.offset).collect();
        assert_eq!(offsets, [0, 1, 2, 3]);
        let gray = PixelLayout::of(format::GRAY16).expect("not known");
        assert_eq!(gray.components, [Component { plane: 0, step: 2, offset: 0, unused: 0, depth: 16 }]);
        assert_eq!(PixelLayout::of(-1), None);
        assert_eq!(PixelLayout::of(1 << 20), None);
    }
}
