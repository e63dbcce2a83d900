//! Any picture into the shape of the output, written in place.
//!
//! ```text
//! decoded picture ─► (reformat) ─► (flatten) ─► resample ─► mix ─► (turn) ─► slot of the ring
//!                    odd formats   opacity,      one band of rows at a time   rotated streams
//!                                  light
//! ```
//!
//! Channels are scaled as they are stored and become red, green and blue at the size of the output, which is the cheap
//! order; a matrix and a linear filter may be exchanged. Values keep six bits behind the point on the way, so that what is
//! rounded on it does not show. Nothing here goes through libswscale but the formats of [`layout::Way`]'s lower half.
//!
//! Pictures with opacity, and those whose colours were coded from light, become red, green and blue at the size of the source.
//!
//! There is no tone mapping: pictures of high dynamic range (PQ, HLG) are converted like any other, which leaves them in their
//! own transfer function, and no primaries are changed into others. [`crate::StreamInfo`] has what a stream declares.

mod canvas;
mod colour;
mod filter;
mod flattener;
mod kernels;
mod layout;
mod nonlinear;
mod resampler;

use crate::allocation::{NoMemory, zeros};
use crate::av::{AvError, Frame, Picture, PixelLayout, Planes, Reformatter, Tags, colour_names};
use crate::config::{Conversion, PixelFormat};
use crate::error::{Error, Phase, Result, Status};
use crate::frame::Shape;
use crate::geometry::{Display, Orientation, Placement, Rect, Source, ToSource};
use canvas::Canvas;
use colour::{Colours, FloatMatrix, Model, Scale};
use fearless_simd::Level;
use filter::Span;
use flattener::{Flattener, Opacity, ToLevels};
use kernels::{FixedMatrix, mix};
use layout::{Layout, Way};
use nonlinear::{Nonlinear, is_nonlinear};
use resampler::{Resampler, Rows, Task};

/// ITU-T H.273, table 3: SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), the transfer functions of ITU-R BT.2100.
const HDR_TRANSFERS: [i32; 2] = [16, 18];

/// Scales and converts; what it needs for that is made anew when the input changes.
pub(crate) struct Converter {
    shape: Shape,
    conversion: Conversion,
    plan: Option<Plan>,
}

/// All that a plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Input {
    picture: Picture,
    tags: Tags,
    display: Display,
}

/// What is done to pictures of one kind.
struct Plan {
    input: Input,
    shape: Shape,
    placement: Placement,
    reformatter: Option<Reformatter>,
    layout: Layout,
    flattener: Option<Flattener>,
    resampler: Resampler,
    painter: Painter,
    /// A pixel of what lies around the picture.
    padding: [u8; 4],
    /// The picture before it is turned.
    unturned: Vec<u8>,
}

/// Writes pixels.
struct Painter {
    level: Level,
    matrix: FixedMatrix,
    pixel_format: PixelFormat,
    is_gray: bool,
    opacity: Opacity,
}

impl Rows for Planes<'_> {
    fn row(&self, plane: usize, y: usize) -> &[u8] {
        Planes::row(self, plane, y)
    }
}

impl Converter {
    pub(crate) fn new(shape: Shape, conversion: Conversion) -> Self {
        Self { shape, conversion, plan: None }
    }

    /// Writes the picture into `to`, which has the bytes of one frame; what the stream says of its display is `display`.
    /// Returns the way from there back to the picture.
    pub(crate) fn convert(&mut self, frame: &Frame, display: Display, to: &mut [u8]) -> Result<ToSource> {
        let picture = Picture { width: frame.width(), height: frame.height(), format: frame.format() };
        let input = Input { picture, tags: frame.tags(), display };
        if self.plan.as_ref().is_none_or(|plan| plan.input != input) {
            // The old one goes first: each may hold megabytes.
            self.plan = None;
            self.plan = Some(Plan::new(input, self.shape, &self.conversion).map_err(|problem| problem.explain(frame))?);
        }
        let outcome = self.plan.as_mut().map_or(Err(NoMemory.into()), |plan| plan.convert(frame, to));
        outcome.map_err(|problem| problem.explain(frame))
    }
}

/// Why a picture cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    /// It is not in the computer's memory.
    Hardware,
    /// Its planes are smaller than its size and format say.
    Planes,
    Libav(AvError),
}

impl From<AvError> for Problem {
    fn from(code: AvError) -> Self {
        Self::Libav(code)
    }
}

impl From<NoMemory> for Problem {
    fn from(_: NoMemory) -> Self {
        Self::Libav(AvError::NO_MEMORY)
    }
}

impl Problem {
    fn explain(self, frame: &Frame) -> Error {
        let what = format!("a {}x{} {} picture", frame.width(), frame.height(), frame.format_name());
        let (status, text, code) = match self {
            Self::Hardware => (Status::Unsupported, "it is not in the computer's memory".to_owned(), 0),
            Self::Planes => (Status::BadData, "its planes are smaller than they should be".to_owned(), 0),
            Self::Libav(code @ AvError::NO_MEMORY) => (Status::OutOfMemory, code.text(), code.0),
            Self::Libav(code) => (Status::BadData, code.text(), code.0),
        };
        let mut error = Error::new(status, format!("{what}: {text}")).in_phase(Phase::Convert);
        error = error.retryable(status != Status::Unsupported);
        error.av_code = code;
        error
    }
}

impl Plan {
    fn new(input: Input, shape: Shape, conversion: &Conversion) -> std::result::Result<Self, Problem> {
        let Input { picture: Picture { width, height, format }, tags, display } = input;
        let pixels = PixelLayout::of(format).ok_or(Problem::Planes)?;
        let (layout, reformatter) = direct_layout(&pixels, input)?;
        let colours = Colours::of(&tags, layout.model, pixels.name.starts_with("yuvj"), height, conversion);
        let scale = Scale::of(layout.depth, colours.is_full_range);
        let matrix = FloatMatrix::new(layout.model, colours, scale);
        let size = (width as usize, height as usize);
        let placement =
            Source::new(width, height, display, conversion).place(shape.width, shape.height, conversion.fit);
        let task = task(&placement, conversion);
        let pixel_format = shape.pixel_format;
        let opacity = match layout.has_alpha && pixel_format == PixelFormat::Rgba {
            false => Opacity::Composited,
            true if is_whole(&task, size) => Opacity::Straight,
            true => Opacity::Premultiplied,
        };
        // Brightness alone is that of the source, whatever its colours are coded from.
        let is_nonlinear =
            layout.model == Model::Yuv && is_nonlinear(colours.matrix) && pixel_format != PixelFormat::Gray8;
        let flattener = if layout.has_alpha || is_nonlinear {
            let to_levels = if is_nonlinear {
                ToLevels::Nonlinear(Nonlinear::new(colours.matrix, tags.transfer, scale)?)
            } else {
                ToLevels::Matrix(matrix)
            };
            Some(Flattener::new(&layout, to_levels, opacity, size)?)
        } else {
            None
        };
        let flat = flattener.is_some().then(|| Flattener::layout(opacity, size));
        let flat_matrix = FloatMatrix::new(Model::Rgb, colours, Scale::LEVELS);
        let (seen, matrix) = flat.as_ref().map_or((&layout, matrix), |flat| (flat, flat_matrix));
        // Brightness alone needs no colours.
        let is_gray = seen.model == Model::Gray || (seen.model == Model::Yuv && pixel_format == PixelFormat::Gray8);
        let count = if is_gray { 1 } else { seen.channels.len() };
        let resampler = Resampler::new(&seen.planes[..], &seen.channels[..count], &task)?;
        let painter = Painter {
            level: Level::new(),
            matrix: matrix.fixed(seen.model, colours, pixel_format),
            pixel_format,
            is_gray,
            opacity,
        };
        let turned_bytes = task.width * task.height * shape.channels() as usize;
        let unturned = zeros(if placement.orientation == Orientation::UPRIGHT { 0 } else { turned_bytes })?;
        let padding = padding(conversion.pad_color, pixel_format);
        Ok(Self { input, shape, placement, reformatter, layout, flattener, resampler, painter, padding, unturned })
    }

    fn convert(&mut self, frame: &Frame, to: &mut [u8]) -> std::result::Result<ToSource, Problem> {
        let Self { reformatter, layout, flattener, resampler, painter, placement, shape, unturned, .. } = self;
        let frame = match reformatter {
            Some(reformatter) => reformatter.convert(frame)?,
            None => frame,
        };
        let sizes = layout.planes.iter().map(|plane| (plane.vertical.count, plane.row_bytes()));
        let planes = Planes::new(frame, sizes).ok_or(Problem::Planes)?;
        let mut canvas = Canvas { shape: *shape, target: placement.target, padding: self.padding, to };
        canvas.pad();
        let mut paint = |y: usize, row: resampler::Row<'_>| {
            let bytes = row.channel(0).len() * shape.channels() as usize;
            painter.paint(row, if unturned.is_empty() { canvas.row(y) } else { &mut unturned[y * bytes..][..bytes] });
        };
        match flattener {
            Some(flattener) => resampler.run(flattener.flatten(&planes), &mut paint),
            None => resampler.run(&planes, &mut paint),
        }
        if !unturned.is_empty() {
            canvas.turn(unturned, placement.orientation);
        }
        Ok(placement.to_source())
    }
}

/// How the picture's samples lie, or those of the copy of it that can be read.
fn direct_layout(pixels: &PixelLayout, input: Input) -> std::result::Result<(Layout, Option<Reformatter>), Problem> {
    let Input { picture, tags, .. } = input;
    match Way::of(pixels, picture.width, picture.height, &tags) {
        Way::Direct(layout) => Ok((layout, None)),
        Way::None => Err(Problem::Hardware),
        Way::By(format) => {
            let pixels = PixelLayout::of(format).ok_or(Problem::Planes)?;
            let Way::Direct(layout) = Way::of(&pixels, picture.width, picture.height, &tags) else {
                return Err(Problem::Planes);
            };
            let reformatter = Reformatter::new(picture, format)?;
            // The same range on both sides: it is converted here.
            reformatter.set_colours(tags.matrix, true, true);
            Ok((layout, Some(reformatter)))
        }
    }
}

/// A pixel of a colour.
fn padding([red, green, blue]: [u8; 3], pixel_format: PixelFormat) -> [u8; 4] {
    let weighted = [(red, 299), (green, 587), (blue, 114)].map(|(level, weight)| u32::from(level) * weight);
    match pixel_format {
        PixelFormat::Rgb24 | PixelFormat::Rgba => [red, green, blue, 255],
        PixelFormat::Bgr24 => [blue, green, red, 255],
        // By the weights of BT.601, which the sum of 1000 makes whole.
        PixelFormat::Gray8 => [((weighted.iter().sum::<u32>() + 500) / 1000) as u8; 4],
    }
}

/// What is shown of a picture as it is stored: turning comes last.
fn task(placement: &Placement, conversion: &Conversion) -> Task {
    let Placement { window: Rect { x, y, width, height }, orientation, target } = *placement;
    let sides = (target.width as usize, target.height as usize);
    let (wide, high) = if orientation.swaps_sides() { (sides.1, sides.0) } else { sides };
    let window = (Span { begin: x, length: width }, Span { begin: y, length: height });
    Task { filter: conversion.filter, window, width: wide, height: high }
}

/// Whether a picture of this size is shown as a whole and pixel by pixel.
fn is_whole(task: &Task, (width, height): (usize, usize)) -> bool {
    let whole = |length: usize| Span { begin: 0.0, length: length as f64 };
    (task.width, task.height, task.window) == (width, height, (whole(width), whole(height)))
}

impl Painter {
    /// Writes a row of pixels.
    fn paint(&self, row: resampler::Row<'_>, to: &mut [u8]) {
        let from = if self.is_gray { [0, 0, 0] } else { [0, 1, 2] }.map(|channel| row.channel(channel));
        if self.opacity.is_kept() {
            return flattener::paint(self.opacity, row, to);
        }
        match self.pixel_format {
            PixelFormat::Gray8 => mix::<1>(self.level, &self.matrix, from, to),
            PixelFormat::Rgb24 | PixelFormat::Bgr24 => mix::<3>(self.level, &self.matrix, from, to),
            PixelFormat::Rgba => mix::<4>(self.level, &self.matrix, from, to),
        }
    }
}

/// What the pictures of a stream are like, besides their size and format.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Appearance {
    pub(crate) sample_aspect: Option<(u32, u32)>,
    pub(crate) rotation: u32,
    pub(crate) is_mirrored: bool,
    pub(crate) matrix: String,
    pub(crate) range: String,
    pub(crate) primaries: String,
    pub(crate) transfer: String,
    pub(crate) is_hdr: bool,
}

impl Appearance {
    /// Of pictures like this one, as they are converted.
    pub(crate) fn of(frame: &Frame, display: Display, conversion: &Conversion) -> Self {
        let tags = frame.tags();
        let model = PixelLayout::of(frame.format()).map_or(Model::Yuv, |pixels| layout::model(&pixels));
        let is_jpeg = frame.format_name().starts_with("yuvj");
        let colours = Colours::of(&tags, model, is_jpeg, frame.height(), conversion);
        let [matrix, range] = colours.names();
        let [_, primaries, transfer] = colour_names(tags.matrix, tags.primaries, tags.transfer);
        let source = Source::new(frame.width(), frame.height(), display, conversion);
        Self {
            sample_aspect: source.sample_aspect(),
            rotation: source.orientation().degrees(),
            is_mirrored: source.orientation().is_mirrored(),
            matrix: if model == Model::Rgb { "gbr".to_owned() } else { matrix },
            range,
            primaries,
            transfer,
            is_hdr: HDR_TRANSFERS.contains(&tags.transfer),
        }
    }
}

#[cfg(test)]
mod tests;
