//! The one table of which pixel format goes which way, and where its samples lie.

use super::colour::Model;
use super::kernels::Samples;
use super::resampler::{ChannelLayout, Grid, PlaneLayout};
use crate::av::{Component, PixelLayout, Tags, format};

/// ITU-T H.273, table 4: BT.2020 with and without constant luminance, and ICtCp.
const BT2020: [i32; 3] = [9, 10, 14];

/// How a picture's channels lie in its planes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub(crate) model: Model,
    pub(crate) depth: u32,
    pub(crate) planes: Vec<PlaneLayout>,
    /// One or three; then opacity, if there is any.
    pub(crate) channels: Vec<ChannelLayout>,
    pub(crate) has_alpha: bool,
}

/// How pictures of a format are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Way {
    /// Straight from the decoder's memory.
    Direct(Layout),
    /// From a copy in this format, which libswscale makes without loss.
    By(i32),
    /// Not at all: it is not in the computer's memory.
    None,
}

impl Way {
    /// | format | way |
    /// |---|---|
    /// | planar and packed YUV of 8 to 16 bits, any subsampling: yuv420p, yuvj422p, nv12, yuyv422, p010le, yuv444p12be ... | direct |
    /// | gray and RGB of 8 to 16 bits, planar and packed: gray, gray10le, rgb24, bgr0, gbrp, rgb48be ... | direct |
    /// | the same with opacity: yuva420p, rgba, gbrap12le, ya8 ... | direct, at first to red, green, blue and opacity |
    /// | pal8 | rgba |
    /// | monow, monob | gray |
    /// | RGB of which components share a byte: rgb565le, rgb8, x2rgb10le ...; sensors' mosaics | rgb24, or rgb48le from 9 bits on |
    /// | floating point, CIE XYZ | gray16le, rgb48le, rgba64le |
    /// | YUV of which they do: xv30le, uyyvyy411 ... | yuv444p16le |
    /// | pictures in a device's memory | none |
    pub(crate) fn of(pixels: &PixelLayout, width: u32, height: u32, tags: &Tags) -> Self {
        if pixels.is_hardware || pixels.components.is_empty() {
            return Self::None;
        }
        let is_plain =
            !pixels.has_palette && !pixels.is_irregular && !IRREGULAR.iter().any(|name| pixels.name.starts_with(name));
        match layout(pixels, width as usize, height as usize, tags) {
            Some(layout) if is_plain => Self::Direct(layout),
            _ => Self::By(substitute(pixels)),
        }
    }
}

/// Formats that libav's table describes as others and which are not: four pixels of 4:1:1 in six bytes, and CIE XYZ.
const IRREGULAR: [&str; 2] = ["uyyvyy411", "xyz"];

/// A format that holds all that this one does.
fn substitute(pixels: &PixelLayout) -> i32 {
    let depth = pixels.components.iter().map(|component| component.depth).max().unwrap_or(8);
    let is_deep = pixels.is_float || depth > 8;
    let is_color = pixels.components.len() >= 3;
    match (pixels.is_rgb || pixels.name.starts_with("bayer") || pixels.name.starts_with("xyz"), is_deep) {
        _ if pixels.has_palette => format::RGBA,
        (true, false) if pixels.has_alpha => format::RGBA,
        (true, false) => format::RGB24,
        (true, true) if pixels.has_alpha => format::RGBA64,
        (true, true) => format::RGB48,
        (false, _) if is_color => format::YUV444P16,
        (false, false) => format::GRAY8,
        (false, true) => format::GRAY16,
    }
}

/// What the channels of a format are.
pub(crate) fn model(pixels: &PixelLayout) -> Model {
    match pixels.components.len().saturating_sub(pixels.has_alpha.into()) {
        _ if pixels.is_rgb => Model::Rgb,
        1 => Model::Gray,
        _ => Model::Yuv,
    }
}

/// Where the samples lie, if every component is whole bytes or pairs of them, alike within each plane.
fn layout(pixels: &PixelLayout, width: usize, height: usize, tags: &Tags) -> Option<Layout> {
    let model = model(pixels);
    let depth = pixels.components.first()?.depth;
    let mut planes: Vec<Option<PlaneLayout>> = Vec::new();
    let mut channels = Vec::new();
    for (index, component) in pixels.components.iter().enumerate() {
        let samples = samples_of(component, pixels.is_big_endian).filter(|_| component.depth == depth)?;
        let (across, down) = match (model, index) {
            (Model::Yuv, 1 | 2) => chroma_grids(pixels, width, height, tags),
            _ => (Grid::full(width), Grid::full(height)),
        };
        let size = samples.size();
        if component.step % size != 0 || component.offset % size != 0 || component.step == 0 {
            return None;
        }
        let channel = ChannelLayout {
            plane: component.plane,
            offset: component.offset / size,
            step: component.step / size,
            horizontal: across,
        };
        let row_samples = channel.offset + channel.step * (across.count.saturating_sub(1)) + 1;
        planes.resize(planes.len().max(component.plane + 1), None);
        let plane = planes[component.plane].get_or_insert(PlaneLayout { samples, row_samples, vertical: down });
        if plane.samples != samples || plane.vertical != down {
            return None;
        }
        plane.row_samples = plane.row_samples.max(row_samples);
        channels.push(channel);
    }
    let planes = planes.into_iter().collect::<Option<Vec<PlaneLayout>>>()?;
    Some(Layout { model, depth, planes, channels, has_alpha: pixels.has_alpha })
}

fn samples_of(component: &Component, is_big_endian: bool) -> Option<Samples> {
    match (component.depth, component.unused) {
        (8, 0) => Some(Samples::Bytes),
        (depth @ 9..=16, unused) if depth + unused <= 16 => Some(Samples::Words { depth, unused, is_big_endian }),
        _ => None,
    }
}

/// Where the samples of colour differences lie. Not told, they lie beside those of brightness to the left and between
/// two lines of them, as H.262, H.264 (annex E, chroma_sample_loc_type 0) and H.265 have it; in the middle of four, as
/// JPEG has it (JFIF 1.02); or on the upper left of four, as BT.2020 has it.
fn chroma_grids(pixels: &PixelLayout, width: usize, height: usize, tags: &Tags) -> (Grid, Grid) {
    // libav's numbers: 1 left, 2 centre, 3 top left, 4 top, 5 bottom left, 6 bottom.
    let location = match tags.chroma_location {
        told @ 1..=6 => told,
        _ if pixels.name.starts_with("yuvj") => 2,
        _ if BT2020.contains(&tags.matrix) => 3,
        _ => 1,
    };
    let grid = |shift: u32, count: usize, near: bool, far: bool| {
        let pitch = f64::from(1_u32 << shift);
        let origin = if near {
            0.5
        } else if far {
            pitch - 0.5
        } else {
            pitch / 2.0
        };
        Grid { pitch, origin, count: count.div_ceil(1 << shift) }
    };
    let across = grid(pixels.chroma_shift_across, width, matches!(location, 1 | 3 | 5), false);
    let down = grid(pixels.chroma_shift_down, height, matches!(location, 3 | 4), matches!(location, 5 | 6));
    (across, down)
}
