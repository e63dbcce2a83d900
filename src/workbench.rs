//! The converter, laid open to the benches; no part of the library's interface.

use crate::av::{BICUBIC, BICUBIC_EXACT, Frame, Picture, Planes, Reformatter, format};
use crate::config::{Conversion, Filter, PixelFormat};
use crate::converter::Converter;
use crate::frame::Shape;
use crate::geometry::Display;

/// ITU-T H.273, table 4: BT.709.
const BT709: i32 = 1;

/// A size in pixels: width and height.
pub type Size = (u32, u32);

/// A picture in yuv420p.
pub struct Source(Frame);

impl Source {
    /// From the bytes of its planes, one after the other; `None` if there are not enough.
    pub fn new(size: Size, mut bytes: &[u8]) -> Option<Self> {
        let (width, height) = (size.0 as usize, size.1 as usize);
        let chroma = (height.div_ceil(2), width.div_ceil(2));
        if bytes.len() < width * height + 2 * chroma.0 * chroma.1 {
            return None;
        }
        let fill = |_, _, row: &mut [u8]| {
            let (head, rest) = bytes.split_at(row.len());
            row.copy_from_slice(head);
            bytes = rest;
        };
        Frame::filled(size, format::YUV420P, &[(height, width), chroma, chroma], fill).ok().map(Self)
    }
}

/// This library's converter to rgb24.
pub struct Ours(Converter);

impl Ours {
    /// To pictures of this size by a filter, named as the parameter `scale_filter` has it.
    pub fn new((width, height): Size, filter: &str) -> Self {
        let shape = Shape { height, width, pixel_format: PixelFormat::Rgb24 };
        let conversion = Conversion { filter: Filter::from_name(filter), ..Conversion::default() };
        Self(Converter::new(shape, conversion))
    }

    /// Converts a picture into `to`. Returns whether it could.
    pub fn convert(&mut self, source: &Source, to: &mut [u8]) -> bool {
        self.0.convert(&source.0, Display::default(), to).is_ok()
    }
}

/// libswscale's.
pub struct Theirs {
    reformatter: Reformatter,
    size: Size,
}

impl Theirs {
    /// From pictures of one size to rgb24 of another, bicubic, as exact as it can be or as it comes; `None` if it cannot.
    pub fn new(from: Size, to: Size, is_exact: bool) -> Option<Self> {
        let picture = |(width, height), format| Picture { width, height, format };
        let flags = if is_exact { BICUBIC_EXACT } else { BICUBIC };
        let reformatter =
            Reformatter::scaling(picture(from, format::YUV420P), picture(to, format::RGB24), flags).ok()?;
        reformatter.set_colours(BT709, false, true);
        Some(Self { reformatter, size: to })
    }

    /// Converts a picture into memory of its own. Returns whether it could.
    pub fn convert(&mut self, source: &Source) -> bool {
        self.reformatter.convert(&source.0).is_ok()
    }

    /// Copies the picture last converted, row by row.
    pub fn pixels(&self) -> Vec<u8> {
        let (height, row_bytes) = (self.size.1 as usize, 3 * self.size.0 as usize);
        let planes = Planes::new(self.reformatter.output(), [(height, row_bytes)]);
        planes.map_or_else(Vec::new, |planes| (0..height).flat_map(|y| planes.row(0, y)).copied().collect())
    }
}
