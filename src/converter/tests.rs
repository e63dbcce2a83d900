//! The rooms of the converter together, against arithmetic without vectors or fixed point.

use super::filter::{Axis, Span};
use super::kernels::{FRACTION, FixedMatrix, Samples, UNIT, mix};
use super::layout::Way;
use super::resampler::{ChannelLayout, Grid, PlaneLayout, Resampler, Rows, Task};
use super::*;
use crate::av::format;
use crate::config::{Filter, Fit};
use proptest::prelude::*;

const FILTERS: [Filter; 6] =
    [Filter::Auto, Filter::Area, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos, Filter::Nearest];

/// The matrices of ITU-T H.273, table 4, that are told by what red and blue have in brightness.
const BRIGHTNESS: [(i32, f64, f64); 6] = [
    (1, 0.2126, 0.0722),
    (4, 0.30, 0.11),
    (5, 0.299, 0.114),
    (6, 0.299, 0.114),
    (7, 0.212, 0.087),
    (9, 0.2627, 0.0593),
];

fn any_filter() -> impl Strategy<Value = Filter> {
    prop::sample::select(&FILTERS[..])
}

/// A plane of interleaved channels.
struct Bytes {
    data: Vec<u8>,
    row_bytes: usize,
}

impl Rows for Bytes {
    fn row(&self, _plane: usize, y: usize) -> &[u8] {
        &self.data[y * self.row_bytes..][..self.row_bytes]
    }
}

/// What a channel should become, sample by sample, by the weights that the resampler has too.
fn expected(bytes: &Bytes, offset: usize, step: usize, across: &Axis, down: &Axis, x: usize, y: usize) -> f64 {
    let weight =
        |axis: &Axis, output: usize, tap: usize| f64::from(axis.weights[output * axis.taps + tap]) / f64::from(UNIT);
    let mut sum = 0.0;
    for tap_y in 0..down.taps {
        for tap_x in 0..across.taps {
            let by = weight(down, y, tap_y) * weight(across, x, tap_x);
            if by != 0.0 {
                let (row, column) = (down.first[y] as usize + tap_y, across.first[x] as usize + tap_x);
                sum += by * f64::from(bytes.row(0, row)[offset + column * step]);
            }
        }
    }
    sum
}

proptest! {
    #[test]
    fn weights_sum_up_to_one_and_lie_on_samples(
        filter in any_filter(),
        (begin, length) in (-50.0..50.0_f64, 0.1..3_000.0_f64),
        (samples, outputs) in (1..2_000_usize, 1..300_usize),
    ) {
        let axis = Axis::new(filter, Span { begin, length }, samples, outputs).expect("no memory");
        prop_assert_eq!(axis.first.len(), outputs);
        for (first, weights) in axis.first.iter().zip(axis.weights.chunks_exact(axis.taps)) {
            prop_assert_eq!(weights.iter().map(|weight| i32::from(*weight)).sum::<i32>(), i32::from(UNIT));
            let first = *first as usize;
            prop_assert!(first.is_multiple_of(2) && first + axis.taps <= (samples + 2).next_multiple_of(2));
            prop_assert!(weights.iter().skip(samples.saturating_sub(first)).all(|weight| *weight == 0));
        }
    }

    #[test]
    fn channels_are_scaled_as_their_weights_say(
        filter in any_filter(),
        (width, height) in (1..70_usize, 1..40_usize),
        (out_width, out_height) in (1..90_usize, 1..40_usize),
        (step, pitch) in (1..4_usize, 1..3_u32),
        seed in any::<u32>(),
    ) {
        let row_samples = step * width;
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let bytes = Bytes { data: (0..row_samples * height).map(|_| next()).collect(), row_bytes: row_samples };
        let grid = Grid { pitch: pitch.into(), origin: 0.5, count: width };
        let window = Span { begin: 0.0, length: f64::from(pitch) * width as f64 };
        let down = Span { begin: 0.0, length: height as f64 };
        let task = Task { filter, window: (window, down), width: out_width, height: out_height };
        let plane = PlaneLayout { samples: Samples::Bytes, row_samples, vertical: Grid::full(height) };
        let channels: Vec<ChannelLayout> =
            (0..step).map(|offset| ChannelLayout { plane: 0, offset, step, horizontal: grid }).collect();
        let axis = |grid: Grid, span, outputs| grid.axis(filter, span, outputs).expect("no memory");
        let (across, down) = (axis(grid, window, out_width), axis(Grid::full(height), down, out_height));
        let mut rows = 0;
        let mut worst: f64 = 0.0;
        Resampler::new(&[plane], &channels, &task).expect("no memory").run(&bytes, |y, row| {
            rows += 1;
            for (offset, _) in channels.iter().enumerate() {
                for (x, sample) in row.channel(offset).iter().enumerate() {
                    let exact = expected(&bytes, offset, step, &across, &down, x, y);
                    worst = worst.max((f64::from(*sample) / f64::from(1 << FRACTION) - exact).abs());
                }
            }
        });
        prop_assert_eq!(rows, out_height);
        // Half a 64th for each of two passes, and what sharp filters make of the first of them.
        prop_assert!(worst <= 2.0 / 64.0, "{} levels off", worst);
    }

    #[test]
    fn a_matrix_in_fixed_point_is_near_the_one_it_stands_for(
        samples in prop::collection::vec((0..16_384_i16, 0..16_384_i16, 0..16_384_i16), 1..80),
        weights in prop::array::uniform3(prop::array::uniform3(-2.2..2.2_f64)),
        is_sparse in any::<bool>(),
    ) {
        let mut rows = weights.map(|[_, u, v]| [1.164, u, v]);
        if is_sparse {
            (rows[0][1], rows[2][2]) = (0.0, 0.0);
        }
        let middles = [16.0, 128.0, 128.0];
        let channels: [Vec<i16>; 3] =
            [samples.iter().map(|s| s.0).collect(), samples.iter().map(|s| s.1).collect(), samples.iter().map(|s| s.2).collect()];
        let mut pixels = vec![0; 4 * samples.len()];
        let from = [&channels[0][..], &channels[1][..], &channels[2][..]];
        mix::<4>(fearless_simd::Level::new(), &FixedMatrix::new(middles, rows), from, &mut pixels);
        for (x, pixel) in pixels.chunks_exact(4).enumerate() {
            prop_assert_eq!(pixel[3], 255);
            for (row, shown) in rows.iter().zip(pixel) {
                let level: f64 = (0..3).map(|n| (f64::from(channels[n][x]) / 64.0 - middles[n]) * row[n]).sum();
                prop_assert!((level.clamp(0.0, 255.0) - f64::from(*shown)).abs() < 0.75);
            }
        }
    }

    #[test]
    fn what_the_standard_makes_of_a_colour_becomes_that_colour_again(
        (matrix, red, blue) in prop::sample::select(&BRIGHTNESS[..]), is_full_range in any::<bool>(),
        colour in prop::array::uniform3(any::<u8>()),
    ) {
        // ITU-T H.273, equations 38 to 40, and 20 to 22 or 26 to 28 for 8 bits, without their rounding.
        let [r, g, b] = colour.map(|level| f64::from(level) / 255.0);
        let y = red * r + (1.0 - red - blue) * g + blue * b;
        let (u, v) = (0.5 * (b - y) / (1.0 - blue), 0.5 * (r - y) / (1.0 - red));
        let (black, brightness, difference) = if is_full_range { (0.0, 255.0, 255.0) } else { (16.0, 219.0, 224.0) };
        let sent = [black + brightness * y, 128.0 + difference * u, 128.0 + difference * v];

        let samples = sent.map(|sample| [(sample * f64::from(1 << FRACTION)).round() as i16]);
        let colours = Colours { matrix, is_full_range };
        let matrix = FloatMatrix::new(Model::Yuv, colours, Scale::of(8, is_full_range));
        let matrix = matrix.fixed(Model::Yuv, colours, PixelFormat::Rgb24);
        let mut shown = [0; 3];
        mix::<3>(fearless_simd::Level::new(), &matrix, samples.each_ref().map(|sample| &sample[..]), &mut shown);
        prop_assert!(colour.iter().zip(shown).all(|(sent, shown)| sent.abs_diff(shown) <= 1), "{:?} {:?}", colour, shown);
    }
}

fn way(name_of: i32) -> Way {
    let pixels = PixelLayout::of(name_of).expect("not known");
    Way::of(&pixels, 33, 17, &Tags::default())
}

#[test]
fn formats_of_whole_bytes_are_read_as_they_are() {
    for format in [format::YUV420P, format::RGB24, format::RGBA, format::RGB48, format::RGBA64, format::GRAY8] {
        assert!(matches!(way(format), Way::Direct(_)), "{format}");
    }
    let Way::Direct(layout) = way(format::YUV420P) else { panic!("not direct") };
    let sizes: Vec<(usize, usize)> =
        layout.planes.iter().map(|plane| (plane.vertical.count, plane.row_bytes())).collect();
    assert_eq!(sizes, [(17, 33), (9, 17), (9, 17)]);
}

/// Every format that libav has either goes one of the two ways or is in a device's memory; nothing panics.
#[test]
fn every_format_there_is_has_a_way() {
    let mut counts = [0; 3];
    for pixels in (0..1_000).map_while(PixelLayout::of) {
        match Way::of(&pixels, 33, 17, &Tags::default()) {
            Way::Direct(layout) => {
                assert!(!pixels.is_hardware && !pixels.has_palette, "{}", pixels.name);
                assert_eq!(layout.channels.len(), pixels.components.len());
                counts[0] += 1;
            }
            Way::By(format) => {
                assert!(matches!(way(format), Way::Direct(_)), "{} by {format}", pixels.name);
                counts[1] += 1;
            }
            Way::None => {
                assert!(pixels.is_hardware, "{}", pixels.name);
                counts[2] += 1;
            }
        }
    }
    assert!(counts[0] > 100 && counts[1] > 10 && counts[2] > 3, "{counts:?}");
}

fn converter(width: u32, height: u32, conversion: Conversion) -> Converter {
    Converter::new(Shape { height, width, pixel_format: PixelFormat::Rgb24 }, conversion)
}

fn gray(width: u32, height: u32, level: u8) -> Frame {
    let sizes = [(height as usize, width as usize)];
    Frame::filled((width, height), format::GRAY8, &sizes, |_, _, row| row.fill(level)).expect("no memory")
}

#[test]
fn every_byte_of_a_frame_is_written_anew() {
    for fit in [Fit::Stretch, Fit::Letterbox, Fit::Crop] {
        for quarter_turns in [0, 1] {
            let conversion =
                Conversion { fit, pad_color: [9; 3], quarter_turns: Some(quarter_turns), ..Conversion::default() };
            let mut converter = converter(31, 23, conversion);
            let mut to = vec![77; 31 * 23 * 3];
            converter.convert(&gray(19, 40, 200), Display::default(), &mut to).expect("refused");
            assert!(to.iter().all(|byte| *byte == 200 || *byte == 9), "{fit:?}");
            assert_eq!(to.contains(&9), fit == Fit::Letterbox);
        }
    }
}

#[test]
fn pictures_that_change_are_converted_each_in_its_way() {
    let mut converter = converter(8, 8, Conversion::default());
    let mut to = vec![0; 8 * 8 * 3];
    for (n, (width, height)) in [(8, 8), (1, 1), (500, 3), (3, 500), (8, 8)].into_iter().enumerate() {
        let level = 10 * n as u8 + 1;
        let way = converter.convert(&gray(width, height, level), Display::default(), &mut to).expect("refused");
        assert!(to.iter().all(|byte| *byte == level), "{width}x{height}");
        assert_eq!(way, [f64::from(width) / 8.0, 0.0, 0.0, 0.0, f64::from(height) / 8.0, 0.0]);
    }
}

#[test]
fn the_largest_pictures_are_converted_to_the_smallest_and_back() {
    let mut to = vec![0; 3];
    converter(1, 1, Conversion::default()).convert(&gray(16_384, 2, 50), Display::default(), &mut to).expect("refused");
    assert_eq!(to, [50; 3]);
    for filter in FILTERS {
        let mut to = vec![0; 3 * 16_384];
        let mut converter = converter(16_384, 1, Conversion { filter, ..Conversion::default() });
        converter.convert(&gray(2, 1, 50), Display::default(), &mut to).expect("refused");
        assert!(to.iter().all(|byte| *byte == 50), "{filter:?}");
    }
}
