//! Pictures that become red, green and blue at the source's own size, before they are scaled: those with opacity, which is
//! composited on black or goes beside colours that are weighted by it, and those whose colours no matrix converts.

use super::colour::{FloatMatrix, Model};
use super::filter::Span;
use super::kernels::{FRACTION, Samples};
use super::layout::Layout;
use super::nonlinear::Nonlinear;
use super::resampler::{ChannelLayout, Grid, PlaneLayout, Resampler, Row, Rows, Task};
use crate::allocation::{NoMemory, zeros};
use crate::config::Filter;

/// The sample of a level of 255, which stands for full opacity too.
pub(crate) const FULL: i16 = 255 << FRACTION;

/// From the samples of a pixel, on the scale of 8 bits, to levels of red, green and blue.
pub(crate) enum ToLevels {
    Matrix(FloatMatrix),
    Nonlinear(Nonlinear),
}

impl ToLevels {
    fn levels(&self, samples: [f64; 3]) -> [f64; 3] {
        match self {
            Self::Matrix(FloatMatrix { middles, rows }) => {
                rows.map(|row| (0..3).map(|n| (samples[n] - middles[n]) * row[n]).sum())
            }
            Self::Nonlinear(nonlinear) => nonlinear.levels(samples),
        }
    }
}

/// What becomes of opacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opacity {
    /// The picture lies on black. One without opacity lies there as it is.
    Composited,
    /// It stays beside the colours as they are. Only for what is not scaled.
    Straight,
    /// It stays, and colours are weighted by it (premultiplied alpha), so that filters take none from where nothing is seen.
    Premultiplied,
}

impl Opacity {
    pub(crate) fn is_kept(self) -> bool {
        self != Self::Composited
    }
}

/// Makes pictures of red, green and blue.
pub(crate) struct Flattener {
    resampler: Resampler,
    to_levels: ToLevels,
    opacity: Opacity,
    /// Which channel the opacity is, and its sample for full.
    source: Option<(usize, f64)>,
    picture: Flat,
}

/// The flat picture: planes of red, green and blue, and of opacity where that is kept; each sample 16 bits of which 14 count.
pub(crate) struct Flat {
    width: usize,
    planes: Vec<Vec<u8>>,
}

impl Rows for Flat {
    fn row(&self, plane: usize, y: usize) -> &[u8] {
        &self.planes[plane][2 * self.width * y..][..2 * self.width]
    }
}

const FLAT_SAMPLES: Samples = Samples::Words { depth: 8 + FRACTION, unused: 0, is_big_endian: false };

impl Flattener {
    /// For pictures of this layout.
    pub(crate) fn new(
        layout: &Layout,
        to_levels: ToLevels,
        opacity: Opacity,
        (width, height): (usize, usize),
    ) -> Result<Self, NoMemory> {
        let whole = |length: usize| Span { begin: 0.0, length: length as f64 };
        let task = Task { filter: Filter::Auto, window: (whole(width), whole(height)), width, height };
        let kept = layout.depth.min(8 + FRACTION);
        let opaque = f64::from(((1_u32 << kept) - 1) << (8 + FRACTION - kept));
        let planes = (0..channels(opacity)).map(|_| zeros(2 * width * height)).collect::<Result<_, _>>()?;
        Ok(Self {
            resampler: Resampler::new(&layout.planes, &layout.channels, &task)?,
            to_levels,
            opacity,
            source: layout.has_alpha.then(|| (layout.channels.len() - 1, opaque)),
            picture: Flat { width, planes },
        })
    }

    /// How the flat picture lies in its planes.
    pub(crate) fn layout(opacity: Opacity, (width, height): (usize, usize)) -> Layout {
        let (across, down) = (Grid::full(width), Grid::full(height));
        let plane = PlaneLayout { samples: FLAT_SAMPLES, row_samples: width, vertical: down };
        let channel = |plane| ChannelLayout { plane, offset: 0, step: 1, horizontal: across };
        Layout {
            model: Model::Rgb,
            depth: 8 + FRACTION,
            planes: vec![plane; channels(opacity)],
            channels: (0..channels(opacity)).map(channel).collect(),
            has_alpha: opacity.is_kept(),
        }
    }

    /// The flat picture, valid until the next.
    pub(crate) fn flatten(&mut self, picture: &impl Rows) -> &Flat {
        let Self { resampler, to_levels, opacity, source, picture: Flat { width, planes } } = self;
        resampler.run(picture, |y, row| {
            for x in 0..*width {
                let seen = source.map_or(1.0, |(channel, opaque)| f64::from(row.channel(channel)[x]) / opaque);
                let shown = if *opacity == Opacity::Straight { 1.0 } else { seen };
                let samples = colours(row, x, source.map_or(3, |(channel, _)| channel));
                let colours = to_levels.levels(samples).map(|level| level.clamp(0.0, 255.0) / 255.0 * shown);
                for (plane, value) in planes.iter_mut().zip(colours.into_iter().chain([seen])) {
                    let sample = (value * f64::from(FULL)).round() as u16;
                    plane[2 * (*width * y + x)..][..2].copy_from_slice(&sample.to_le_bytes());
                }
            }
        });
        &self.picture
    }
}

fn channels(opacity: Opacity) -> usize {
    if opacity.is_kept() { 4 } else { 3 }
}

/// The samples of a pixel's colours, of which there are so many. One alone, which is gray, stands for all.
fn colours(row: Row<'_>, x: usize, count: usize) -> [f64; 3] {
    std::array::from_fn(|n| f64::from(row.channel(n.min(count - 1))[x]) / f64::from(1 << FRACTION))
}

/// Writes a row of a flat picture with opacity as pixels of 4 bytes.
pub(crate) fn paint(opacity: Opacity, row: Row<'_>, to: &mut [u8]) {
    let channels = [0, 1, 2, 3].map(|channel| row.channel(channel));
    for (x, pixel) in to.chunks_exact_mut(4).enumerate() {
        // Sharp filters overshoot.
        let [red, green, blue, seen] = channels.map(|channel| f32::from(channel[x].clamp(0, FULL)) / f32::from(FULL));
        // Where nothing is seen, colours are black.
        let weight = if opacity == Opacity::Straight || seen == 0.0 { 1.0 } else { seen };
        for (byte, value) in pixel.iter_mut().zip([red / weight, green / weight, blue / weight, seen]) {
            *byte = (value * 255.0).round() as u8;
        }
    }
}
