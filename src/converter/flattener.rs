//! Pictures with opacity, composited on black at the source's own size: what is scaled after that is what is seen.

use super::colour::{FloatMatrix, Model};
use super::filter::Span;
use super::kernels::{FRACTION, Samples};
use super::layout::Layout;
use super::resampler::{ChannelLayout, Grid, PlaneLayout, Resampler, Row, Rows, Task};
use crate::allocation::{NoMemory, zeros};
use crate::config::Filter;

/// Makes opaque pictures of red, green and blue.
pub(crate) struct Flattener {
    resampler: Resampler,
    matrix: FloatMatrix,
    /// Which channel the opacity is, and its sample for full.
    opacity: usize,
    opaque: f64,
    picture: Flat,
}

/// The flat picture: planes of red, green and blue, each sample 16 bits of which 14 count.
pub(crate) struct Flat {
    width: usize,
    planes: [Vec<u8>; 3],
}

impl Rows for Flat {
    fn row(&self, plane: usize, y: usize) -> &[u8] {
        &self.planes[plane][2 * self.width * y..][..2 * self.width]
    }
}

const FLAT_SAMPLES: Samples = Samples::Words { depth: 8 + FRACTION, unused: 0, is_big_endian: false };

impl Flattener {
    /// For pictures of this layout, whose channels the matrix takes to levels.
    pub(crate) fn new(layout: &Layout, matrix: FloatMatrix, width: usize, height: usize) -> Result<Self, NoMemory> {
        let whole = |length: usize| Span { begin: 0.0, length: length as f64 };
        let task = Task { filter: Filter::Auto, window: (whole(width), whole(height)), width, height };
        let kept = layout.depth.min(8 + FRACTION);
        let plane = || zeros(2 * width * height);
        Ok(Self {
            resampler: Resampler::new(&layout.planes, &layout.channels, &task)?,
            matrix,
            opacity: layout.channels.len() - 1,
            opaque: f64::from(((1_u32 << kept) - 1) << (8 + FRACTION - kept)),
            picture: Flat { width, planes: [plane()?, plane()?, plane()?] },
        })
    }

    /// How the flat picture lies in its planes.
    pub(crate) fn layout(width: usize, height: usize) -> Layout {
        let (across, down) = (Grid::full(width), Grid::full(height));
        let plane = PlaneLayout { samples: FLAT_SAMPLES, row_samples: width, vertical: down };
        let channel = |plane| ChannelLayout { plane, offset: 0, step: 1, horizontal: across };
        Layout {
            model: Model::Rgb,
            depth: 8 + FRACTION,
            planes: vec![plane; 3],
            channels: (0..3).map(channel).collect(),
            has_alpha: false,
        }
    }

    /// The flat picture, valid until the next.
    pub(crate) fn flatten(&mut self, picture: &impl Rows) -> &Flat {
        let Self { resampler, matrix, opacity, opaque, picture: flat } = self;
        resampler.run(picture, |y, row| {
            for (channel, plane) in flat.planes.iter_mut().enumerate() {
                let to = &mut plane[2 * flat.width * y..][..2 * flat.width];
                composite(row, *opacity, *opaque, matrix, channel, to);
            }
        });
        flat
    }
}

/// One row of red, green or blue.
fn composite(row: Row<'_>, colours: usize, opaque: f64, matrix: &FloatMatrix, channel: usize, to: &mut [u8]) {
    let one = f64::from(1 << FRACTION);
    // Gray with opacity has one channel besides it, which then stands for all.
    let inputs: [&[i16]; 3] = std::array::from_fn(|n| row.channel(n.min(colours - 1)));
    let opacity = row.channel(colours);
    for (x, to) in to.chunks_exact_mut(2).enumerate() {
        let level: f64 =
            (0..3).map(|n| (f64::from(inputs[n][x]) / one - matrix.middles[n]) * matrix.rows[channel][n]).sum();
        let seen = level.clamp(0.0, 255.0) * f64::from(opacity[x]) / opaque;
        to.copy_from_slice(&((seen * one).round() as u16).to_le_bytes());
    }
}
