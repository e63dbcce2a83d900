//! Which samples each pixel of the output is made of, and by what weights.

use super::kernels::UNIT;
use crate::allocation::{NoMemory, room, zeros};
use crate::config::Filter;

/// The part of a row or column of samples that is to be shown: where it begins and how much of it there is, in samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) begin: f64,
    pub(crate) length: f64,
}

/// One direction of one plane.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    /// For each output: the first sample, an even number.
    pub(crate) first: Vec<u32>,
    /// Weights for each output, an even number. Those of samples beyond the last are 0.
    pub(crate) taps: usize,
    /// `taps` for each output; they sum up to [`UNIT`].
    pub(crate) weights: Vec<i16>,
    /// Two outputs for each sample by linear interpolation, which has a shorter way: how many quarters the neighbour
    /// before counts in the first, and the one after in the second.
    pub(crate) doubling: Option<[i16; 2]>,
}

impl Axis {
    /// The weights for `outputs` pixels evenly spread over a span of `samples` samples. What a filter wants beyond the
    /// samples' ends is taken from the outermost ones.
    pub(crate) fn new(filter: Filter, span: Span, samples: usize, outputs: usize) -> Result<Self, NoMemory> {
        let scale = span.length / outputs as f64;
        let mut rows: Vec<(usize, Vec<f64>)> = room(outputs)?;
        for n in 0..outputs {
            rows.push(weights_of(filter, span.begin + n as f64 * scale, scale, samples)?);
        }
        let taps = rows.iter().map(|(first, weights)| first % 2 + weights.len()).max().unwrap_or(0).next_multiple_of(2);
        let mut axis = Self {
            first: room(outputs)?,
            taps,
            weights: zeros(taps * outputs)?,
            doubling: doubling(filter, span, samples, outputs),
        };
        for ((first, weights), fixed) in rows.iter().zip(axis.weights.chunks_exact_mut(taps.max(1))) {
            // Those at the end begin a little sooner, so that none reaches further beyond the last sample than it must.
            let even = (first - first % 2).min(samples.next_multiple_of(2).saturating_sub(taps));
            axis.first.push(even as u32);
            to_fixed(weights, &mut fixed[first - even..]);
        }
        Ok(axis)
    }

    /// Whether every output is the sample of the same number.
    pub(crate) fn is_identity(&self) -> bool {
        let is_same = |(n, weights): (usize, &[i16])| {
            self.first[n] as usize == n - n % 2 && weights[n % 2] == UNIT && weights[1 - n % 2] == 0
        };
        self.taps == 2 && self.weights.chunks_exact(2).enumerate().all(is_same)
    }
}

/// Whether outputs are two for each sample, and lie to those as the two sitings of colours in use have them.
fn doubling(filter: Filter, span: Span, samples: usize, outputs: usize) -> Option<[i16; 2]> {
    let is_double = filter == Filter::Bilinear && span.length * 2.0 == outputs as f64 && outputs.div_ceil(2) == samples;
    match span.begin {
        0.25 => Some([0, 2]),
        0.0 => Some([1, 1]),
        _ => None,
    }
    .filter(|_| is_double)
}

/// The first sample and the weights from there on, for the output that covers `scale` samples from `begin` on.
fn weights_of(filter: Filter, begin: f64, scale: f64, samples: usize) -> Result<(usize, Vec<f64>), NoMemory> {
    let centre = begin + scale / 2.0;
    let stretch = scale.max(1.0);
    let (reach, weigh): (f64, fn(f64) -> f64) = match filter {
        Filter::Nearest => return Ok((clamp_index(centre.floor(), samples), vec![1.0])),
        Filter::Area => (scale / 2.0, |_| 1.0),
        Filter::Bilinear => (stretch, triangle),
        Filter::Auto | Filter::Bicubic => (2.0 * stretch, cubic),
        Filter::Lanczos => (3.0 * stretch, lanczos),
    };
    let (low, high) = ((centre - reach).floor(), (centre + reach).ceil());
    let (first, last) = (clamp_index(low, samples), clamp_index(high - 1.0, samples));
    let mut weights: Vec<f64> = zeros(last - first + 1)?;
    // Beyond the ends nothing new is met; one sample on each side stands for all of them.
    for n in (low as i64)..(high as i64) {
        let weight = if filter == Filter::Area {
            (((n + 1) as f64).min(begin + scale) - (n as f64).max(begin)).max(0.0)
        } else {
            weigh((n as f64 + 0.5 - centre) / stretch)
        };
        weights[clamp_index(n as f64, samples) - first] += weight;
    }
    Ok(trim(first, weights))
}

fn clamp_index(n: f64, samples: usize) -> usize {
    n.clamp(0.0, samples.saturating_sub(1) as f64) as usize
}

/// Makes the weights sum up to one, and takes those away at both ends that are too small to count.
fn trim(first: usize, mut weights: Vec<f64>) -> (usize, Vec<f64>) {
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    let counts = |weight: &f64| weight.abs() > 1e-9;
    let begin = weights.iter().position(counts).unwrap_or(0);
    weights.truncate(weights.iter().rposition(counts).unwrap_or(0) + 1);
    weights.drain(..begin);
    (first + begin, weights)
}

/// Rounds weights so that they sum up to [`UNIT`]: what rounding one leaves over goes into the next.
fn to_fixed(weights: &[f64], fixed: &mut [i16]) {
    let sum: f64 = weights.iter().sum();
    let mut exact = 0.0;
    let mut given = 0.0;
    for (weight, fixed) in weights.iter().zip(fixed) {
        exact += weight / sum * f64::from(UNIT);
        *fixed = (exact - given).round() as i16;
        given += f64::from(*fixed);
    }
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// R. Keys, "Cubic convolution interpolation for digital image processing", 1981, with his a of -1/2.
fn cubic(x: f64) -> f64 {
    match x.abs() {
        x if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        x if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
        _ => 0.0,
    }
}

/// The sinc function within a window of three lobes of itself.
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}
