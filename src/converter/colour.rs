//! What colours are, by the stream's word, the user's, or the custom of the trade; and the numbers that follow.

use super::kernels::FixedMatrix;
use crate::av::{Tags, colour_names};
use crate::config::{Conversion, Matrix, PixelFormat};

/// Pictures without a told matrix are BT.709 from this many lines on, as broadcasting has it.
const HD_LINES: u32 = 720;

/// libav's number for full range, in `AVColorRange`.
const FULL_RANGE: i32 = 2;
/// libav's number for limited range.
const LIMITED_RANGE: i32 = 1;

/// What the three channels of a picture are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// Brightness and two differences.
    Yuv,
    Rgb,
    /// Brightness alone.
    Gray,
}

/// How colours are to be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colours {
    /// By the numbers of ITU-T H.273, table 4.
    pub(crate) matrix: i32,
    pub(crate) is_full_range: bool,
}

impl Colours {
    /// What the user says, else the stream, else custom. `is_jpeg` is for formats that are of full range by their name.
    pub(crate) fn of(tags: &Tags, model: Model, is_jpeg: bool, height: u32, conversion: &Conversion) -> Self {
        let untold = if height >= HD_LINES { Matrix::Bt709 } else { Matrix::Bt601 };
        let told = Some(tags.matrix).filter(|matrix| coefficients(*matrix).is_some());
        let is_full_range = match (model, conversion.is_full_range, tags.range) {
            // There is RGB that is marked as of limited range and is not: every libx264rgb stream.
            (Model::Rgb, ..) => true,
            (_, Some(is_full), _) => is_full,
            _ if is_jpeg => true,
            (_, None, LIMITED_RANGE) => false,
            (_, None, FULL_RANGE) => true,
            // Still pictures: only they come as gray.
            (model, ..) => model == Model::Gray,
        };
        Self { matrix: conversion.matrix.map(|matrix| matrix as i32).or(told).unwrap_or(untold as i32), is_full_range }
    }

    /// The names of matrix and range, in libav's words.
    pub(crate) fn names(self) -> [String; 2] {
        let [matrix, ..] = colour_names(self.matrix, 0, 0);
        [matrix, if self.is_full_range { "pc" } else { "tv" }.to_owned()]
    }
}

/// What red, green and blue have to do with the three channels of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Coefficients {
    /// What one of U and one of V add to red, green and blue.
    differences: [[f64; 2]; 3],
    /// What red, green and blue have in brightness.
    brightness: [f64; 3],
}

/// By ITU-T H.273, table 4 and equations 38 to 59; `None` for what is unknown or no matrix. BT.2020 with constant luminance
/// and ICtCp, which [`Nonlinear`] converts, have those of BT.2020.
///
/// [`Nonlinear`]: super::nonlinear::Nonlinear
fn coefficients(matrix: i32) -> Option<Coefficients> {
    let (red, blue) = match matrix {
        1 => (0.2126, 0.0722),
        4 => (0.30, 0.11),
        5 | 6 => (0.299, 0.114),
        7 => (0.212, 0.087),
        8 => {
            let differences = [[-1.0, 1.0], [1.0, 0.0], [-1.0, -1.0]];
            return Some(Coefficients { differences, brightness: [0.25, 0.5, 0.25] });
        }
        9 | 10 | 14 => (0.2627, 0.0593),
        _ => return None,
    };
    let green = 1.0 - red - blue;
    let (u, v) = (2.0 * (1.0 - blue), 2.0 * (1.0 - red));
    let differences = [[0.0, v], [-u * blue / green, -v * red / green], [u, 0.0]];
    Some(Coefficients { differences, brightness: [red, green, blue] })
}

/// How the samples of a picture are scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// What the samples of black and of no difference are, in 8-bit terms.
    pub(crate) black: f64,
    /// The levels of a screen, 255 of them, that one of brightness is worth in 8-bit terms, and one of a difference.
    pub(crate) brightness: f64,
    pub(crate) difference: f64,
}

impl Scale {
    /// Of samples of so many bits, by ITU-T H.273, equations 20 to 31.
    pub(crate) fn of(depth: u32, is_full_range: bool) -> Self {
        // The largest value is not quite that of 8 bits with zeros after it.
        let full = 255.0 / (f64::from((1_u32 << depth) - 1) / f64::from(1_u32 << (depth - 8)));
        if is_full_range {
            return Self { black: 0.0, brightness: full, difference: full };
        }
        Self { black: 16.0, brightness: 255.0 / 219.0, difference: 255.0 / 224.0 }
    }

    /// Samples that are levels of a screen.
    pub(crate) const LEVELS: Self = Self { black: 0.0, brightness: 1.0, difference: 1.0 };
}

/// Three channels to the levels of red, green and blue: each row is what one of each channel, less its middle, is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FloatMatrix {
    pub(crate) middles: [f64; 3],
    pub(crate) rows: [[f64; 3]; 3],
}

impl FloatMatrix {
    pub(crate) fn new(model: Model, colours: Colours, scale: Scale) -> Self {
        let Scale { black, brightness, difference } = scale;
        let rows = match (model, coefficients(colours.matrix)) {
            (Model::Yuv, Some(Coefficients { differences, .. })) => {
                differences.map(|[u, v]| [brightness, difference * u, difference * v])
            }
            (Model::Rgb, _) => [[brightness, 0.0, 0.0], [0.0, brightness, 0.0], [0.0, 0.0, brightness]],
            _ => [[brightness, 0.0, 0.0]; 3],
        };
        Self { middles: if model == Model::Yuv { [black, 128.0, 128.0] } else { [black; 3] }, rows }
    }

    /// To brightness alone, thrice.
    fn gray(mut self, model: Model, colours: Colours) -> Self {
        let row = match (model, coefficients(colours.matrix)) {
            (Model::Rgb, Some(Coefficients { brightness, .. })) => {
                std::array::from_fn(|channel| self.rows[channel][channel] * brightness[channel])
            }
            _ => [self.rows[0][0], 0.0, 0.0],
        };
        self.rows = [row; 3];
        self
    }

    /// The same in fixed point, for the channels of an output.
    pub(crate) fn fixed(self, model: Model, colours: Colours, output: PixelFormat) -> FixedMatrix {
        let Self { middles, mut rows } = if output == PixelFormat::Gray8 { self.gray(model, colours) } else { self };
        if output == PixelFormat::Bgr24 {
            rows.reverse();
        }
        FixedMatrix::new(middles, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colours(tags: Tags, height: u32, conversion: Conversion) -> (i32, bool) {
        let colours = Colours::of(&tags, Model::Yuv, false, height, &conversion);
        (colours.matrix, colours.is_full_range)
    }

    #[test]
    fn the_users_word_counts_before_the_streams_and_that_before_custom() {
        let tags = Tags { matrix: 9, range: FULL_RANGE, ..Tags::default() };
        let untold = Tags { matrix: 2, ..Tags::default() };
        let user = Conversion { matrix: Some(Matrix::Bt601), is_full_range: Some(false), ..Conversion::default() };
        assert_eq!(colours(tags, 1080, user), (5, false));
        assert_eq!(colours(tags, 1080, Conversion::default()), (9, true));
        assert_eq!(colours(untold, 720, Conversion::default()), (1, false));
        assert_eq!(colours(untold, 719, Conversion::default()), (5, false));
        assert_eq!(colours(Tags { matrix: 10, ..untold }, 720, Conversion::default()), (10, false));
    }

    #[test]
    fn formats_that_are_of_full_range_by_their_nature_are_so() {
        let range = |model, is_jpeg, range| {
            let tags = Tags { range, ..Tags::default() };
            Colours::of(&tags, model, is_jpeg, 480, &Conversion::default()).is_full_range
        };
        assert!(range(Model::Yuv, true, 0) && range(Model::Yuv, true, LIMITED_RANGE));
        assert!(range(Model::Gray, false, 0) && !range(Model::Gray, false, LIMITED_RANGE));
        assert!(range(Model::Rgb, false, LIMITED_RANGE));
        assert!(!range(Model::Yuv, false, 0));
    }

    #[test]
    fn white_is_white_and_black_is_black_at_every_depth() {
        for depth in 8..=16 {
            for is_full_range in [false, true] {
                let scale = Scale::of(depth, is_full_range);
                let steps = f64::from(1_u32 << (depth - 8));
                let white = if is_full_range { f64::from((1_u32 << depth) - 1) / steps } else { 235.0 };
                assert!(((white - scale.black) * scale.brightness - 255.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn brightness_is_the_middle_of_every_matrix() {
        for matrix in [1, 4, 5, 6, 7, 8, 9] {
            let Coefficients { differences, brightness } = coefficients(matrix).expect("none");
            assert!((brightness.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            // Differences change no brightness.
            let change = |difference: fn([f64; 2]) -> f64| -> f64 {
                differences.into_iter().map(difference).zip(brightness).map(|(by, share)| by * share).sum()
            };
            assert!(change(|[u, _]| u).abs() < 1e-9 && change(|[_, v]| v).abs() < 1e-9, "matrix {matrix}");
        }
        assert_eq!(coefficients(0), None);
        assert_eq!(coefficients(2), None);
    }
}
