//! Scales the channels of a picture to one size, a band of rows at a time: first down, which reads every sample once and
//! leaves the least to do after, then across.

use super::filter::{Axis, Span};
use super::kernels::{BAND, Column, ColumnPair, Samples, blend, cross, double, to_columns, to_rows};
use crate::allocation::{NoMemory, room, zeros};
use crate::config::Filter;
use fearless_simd::Level;

/// Where a picture's rows come from.
pub(crate) trait Rows {
    /// A row of a plane, `PlaneLayout::row_bytes` long.
    fn row(&self, plane: usize, y: usize) -> &[u8];
}

/// How the samples of a channel lie over the picture, in one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Grid {
    /// Pixels of the picture from one sample to the next.
    pub(crate) pitch: f64,
    /// Where the middle of the first sample lies, in pixels from the picture's edge.
    pub(crate) origin: f64,
    /// Samples.
    pub(crate) count: usize,
}

impl Grid {
    /// A sample for each pixel.
    pub(crate) fn full(count: usize) -> Self {
        Self { pitch: 1.0, origin: 0.5, count }
    }

    /// The weights for a part of the picture, given in its pixels.
    pub(crate) fn axis(self, filter: Filter, window: Span, outputs: usize) -> Result<Axis, NoMemory> {
        let begin = (window.begin - self.origin) / self.pitch + 0.5;
        let length = window.length / self.pitch;
        let pixels = window.length / outputs as f64;
        let filter = match filter {
            Filter::Auto if pixels / self.pitch > 1.0 => Filter::Area,
            Filter::Auto if pixels < 1.0 => Filter::Bicubic,
            // The picture is not enlarged, only its colours are, which it holds at a lower resolution.
            Filter::Auto => Filter::Bilinear,
            chosen => chosen,
        };
        Axis::new(filter, Span { begin, length }, self.count, outputs)
    }
}

/// A plane: rows of samples of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PlaneLayout {
    pub(crate) samples: Samples,
    /// Samples of a row, of all channels together.
    pub(crate) row_samples: usize,
    pub(crate) vertical: Grid,
}

impl PlaneLayout {
    pub(crate) fn row_bytes(&self) -> usize {
        self.row_samples * self.samples.size()
    }
}

/// A channel: every so many samples of a plane's rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ChannelLayout {
    pub(crate) plane: usize,
    pub(crate) offset: usize,
    pub(crate) step: usize,
    pub(crate) horizontal: Grid,
}

/// What a resampler reads of which picture, and what it makes of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Task {
    pub(crate) filter: Filter,
    /// The part of the picture that is shown, across and down, in pixels.
    pub(crate) window: (Span, Span),
    pub(crate) width: usize,
    pub(crate) height: usize,
}

struct Plane {
    layout: PlaneLayout,
    vertical: Axis,
    /// [`BAND`] rows, already of the output but not yet scaled across.
    blended: Vec<i16>,
    stride: usize,
}

struct Channel {
    layout: ChannelLayout,
    horizontal: Axis,
    /// Needs no scaling across: the plane's blended rows are the result.
    is_plain: bool,
    /// [`BAND`] rows of the output.
    rows: Vec<i16>,
}

/// Scales pictures of one layout by one task; what it needs for that is made once.
pub(crate) struct Resampler {
    level: Level,
    width: usize,
    height: usize,
    /// Rows of the output that are made together.
    band: usize,
    planes: Vec<Plane>,
    channels: Vec<Channel>,
    scratch: Scratch,
    /// Rows to blend; empty but while that is done.
    sources: Vec<&'static [u8]>,
}

/// What is used for one channel after the other. There is room for each from the beginning.
struct Scratch {
    split: Vec<i16>,
    pairs: Vec<ColumnPair>,
    columns: Vec<Column>,
}

/// The rows of all channels that make one row of the output.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    resampler: &'a Resampler,
    in_band: usize,
}

impl<'a> Row<'a> {
    /// The samples of a channel.
    pub(crate) fn channel(self, channel: usize) -> &'a [i16] {
        let Resampler { width, planes, channels, .. } = self.resampler;
        let channel = &channels[channel];
        let (rows, stride) = if channel.is_plain {
            let plane = &planes[channel.layout.plane];
            (&plane.blended, plane.stride)
        } else {
            (&channel.rows, padded(*width))
        };
        &rows[self.in_band * stride..][..*width]
    }
}

/// Rows are kept in multiples of a vector.
fn padded(samples: usize) -> usize {
    samples.next_multiple_of(2 * BAND)
}

impl Resampler {
    pub(crate) fn new(planes: &[PlaneLayout], channels: &[ChannelLayout], task: &Task) -> Result<Self, NoMemory> {
        let channels = channels.iter().map(|layout| Channel::new(*layout, task)).collect::<Result<Vec<_>, _>>()?;
        let planes = planes.iter().map(|layout| Plane::new(*layout, task)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            level: Level::new(),
            width: task.width,
            height: task.height,
            // Where none is filtered across, fewer stay in the nearest cache.
            band: if channels.iter().all(Channel::is_simple) { BAND / 2 } else { BAND },
            scratch: Scratch::new(&channels)?,
            sources: room(planes.iter().map(|plane| plane.vertical.taps).max().unwrap_or(0))?,
            planes,
            channels,
        })
    }

    /// Scales a picture and hands out the rows of the result from the first to the last.
    pub(crate) fn run(&mut self, picture: &impl Rows, mut sink: impl FnMut(usize, Row<'_>)) {
        for begin in (0..self.height).step_by(self.band) {
            let count = self.band.min(self.height - begin);
            self.blend_band(picture, begin, count);
            for channel in &mut self.channels {
                if !channel.is_plain {
                    channel.filter_across(&self.planes, &mut self.scratch, self.level, count);
                }
            }
            for in_band in 0..count {
                sink(begin + in_band, Row { resampler: self, in_band });
            }
        }
    }

    fn blend_band(&mut self, picture: &impl Rows, begin: usize, count: usize) {
        let mut sources: Vec<&[u8]> = std::mem::take(&mut self.sources);
        for (index, plane) in self.planes.iter_mut().enumerate() {
            let Axis { first, taps, weights, .. } = &plane.vertical;
            let last = plane.layout.vertical.count.saturating_sub(1);
            let end = (first[begin + count - 1] as usize + taps - 1).min(last);
            fetch((first[begin] as usize..=end).map(|y| picture.row(index, y)));
            for in_band in 0..count {
                let y = begin + in_band;
                sources.clear();
                sources.extend((0..*taps).map(|tap| picture.row(index, (first[y] as usize + tap).min(last))));
                let to = &mut plane.blended[in_band * plane.stride..][..plane.layout.row_samples];
                blend(self.level, plane.layout.samples, &sources, &weights[y * taps..][..*taps], to);
            }
        }
        self.sources = recycled(sources);
    }
}

/// Bytes that memory is fetched by.
const LINE: usize = 64;

/// Has all of a band's rows on their way from memory before the first is needed: a byte of each line is enough for that,
/// and nothing waits for it. Blending alone, which reads a few rows at a time, leaves the processor waiting for each.
fn fetch<'a>(rows: impl Iterator<Item = &'a [u8]>) {
    let lines = rows.flat_map(|row| row.iter().step_by(LINE));
    std::hint::black_box(lines.fold(0, |all, byte| all ^ byte));
}

/// Keeps the memory of a vector beyond the life of what it held: the standard library collects into it in place.
fn recycled(mut rows: Vec<&[u8]>) -> Vec<&'static [u8]> {
    rows.clear();
    rows.into_iter().map(|_| -> &'static [u8] { &[] }).collect()
}

impl Plane {
    fn new(layout: PlaneLayout, task: &Task) -> Result<Self, NoMemory> {
        let vertical = layout.vertical.axis(task.filter, task.window.1, task.height)?;
        let stride = padded(layout.row_samples.max(task.width) + 2);
        Ok(Self { layout, vertical, blended: zeros(BAND * stride)?, stride })
    }
}

impl Scratch {
    fn new(channels: &[Channel]) -> Result<Self, NoMemory> {
        let across = || channels.iter().filter(|channel| !channel.is_plain);
        let wide = across().map(Channel::padded_samples).max().unwrap_or(0);
        let split = across().filter(|channel| channel.layout.step > 1).map(Channel::padded_samples).max().unwrap_or(0);
        let outputs = across().map(|channel| padded(channel.horizontal.first.len())).max().unwrap_or(0);
        Ok(Self { split: room(BAND * split)?, pairs: room(wide / 2)?, columns: room(outputs)? })
    }
}

impl Channel {
    fn new(layout: ChannelLayout, task: &Task) -> Result<Self, NoMemory> {
        let horizontal = layout.horizontal.axis(task.filter, task.window.0, task.width)?;
        let is_plain = layout.step == 1 && horizontal.is_identity();
        let rows = if is_plain { Vec::new() } else { zeros(BAND * padded(task.width))? };
        Ok(Self { layout, horizontal, is_plain, rows })
    }

    /// Whether each row can be made without the others of its band.
    fn is_simple(&self) -> bool {
        self.is_plain || self.horizontal.doubling.is_some()
    }

    /// Weights reach two samples beyond the last at most.
    fn padded_samples(&self) -> usize {
        padded(self.layout.horizontal.count + 2)
    }

    fn filter_across(&mut self, planes: &[Plane], scratch: &mut Scratch, level: Level, band: usize) {
        let ChannelLayout { plane, offset, step, horizontal: Grid { count, .. } } = self.layout;
        let plane = &planes[plane];
        let outputs = self.horizontal.first.len();
        let wide = self.padded_samples();
        let mut rows: &[i16] = &plane.blended;
        let mut stride = plane.stride;
        if step > 1 {
            scratch.split.resize(BAND * wide, 0);
            for (to, from) in scratch.split.chunks_exact_mut(wide).zip(rows.chunks_exact(stride)).take(band) {
                let from = from[..plane.layout.row_samples].iter().skip(offset).step_by(step);
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
            (rows, stride) = (&scratch.split, wide);
        }
        if let Some(quarters) = self.horizontal.doubling {
            for (from, to) in rows.chunks_exact(stride).zip(self.rows.chunks_exact_mut(padded(outputs))).take(band) {
                double(level, quarters, &from[..count], &mut to[..outputs]);
            }
            return;
        }
        let Axis { first, taps, weights, .. } = &self.horizontal;
        scratch.pairs.resize(wide / 2, [0; 2 * BAND]);
        to_columns(level, rows, stride, &mut scratch.pairs);
        let wide = padded(outputs);
        scratch.columns.resize(wide, [0; BAND]);
        cross(level, &scratch.pairs, first, *taps, weights, &mut scratch.columns);
        to_rows(level, &scratch.columns, &mut self.rows, wide);
    }
}
