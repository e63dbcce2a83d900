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

/// All that there are.
const MATRICES: [i32; 7] = [1, 4, 5, 6, 7, 8, 9];

/// The negative weights of an output sum up to at least -1 times this.
const OVERSHOOT: f64 = 0.28;

/// The largest sample that is read from any format.
const LARGEST: f64 = 16_383.0;

/// What a sample may be after a pass over samples of this range.
fn after_a_pass((least, most): (f64, f64)) -> (f64, f64) {
    let up = 1.0 + OVERSHOOT;
    (up * least - OVERSHOOT * most, up * most - OVERSHOOT * least)
}

/// What a sample may be after both passes.
fn overshot() -> (f64, f64) {
    after_a_pass(after_a_pass((0.0, LARGEST)))
}

/// The extremes as often as all between them.
fn any_overshot_sample() -> impl Strategy<Value = i16> {
    let (least, most) = overshot();
    let (least, most) = (least.ceil() as i16, most.floor() as i16);
    prop_oneof![Just(least), Just(most), Just(0), Just(LARGEST as i16), least..=most]
}

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
    fn every_matrix_is_exact_for_all_that_sharp_filters_leave(
        samples in prop::collection::vec(prop::array::uniform3(any_overshot_sample()), 1..80),
        matrix in prop::sample::select(&MATRICES[..]), is_full_range in any::<bool>(), depth in 8..=16_u32,
        output in prop::sample::select(&[PixelFormat::Rgb24, PixelFormat::Bgr24][..]),
    ) {
        let colours = Colours { matrix, is_full_range };
        let exact = FloatMatrix::new(Model::Yuv, colours, Scale::of(depth, is_full_range));
        let channels: [Vec<i16>; 3] = std::array::from_fn(|n| samples.iter().map(|sample| sample[n]).collect());
        let mut pixels = vec![0; 3 * samples.len()];
        let fixed = exact.fixed(Model::Yuv, colours, output);
        mix::<3>(fearless_simd::Level::new(), &fixed, channels.each_ref().map(Vec::as_slice), &mut pixels);
        for (sample, pixel) in samples.iter().zip(pixels.chunks_exact_mut(3)) {
            if output == PixelFormat::Bgr24 {
                pixel.reverse();
            }
            for (row, shown) in exact.rows.iter().zip(pixel) {
                let level: f64 = (0..3).map(|n| (f64::from(sample[n]) / 64.0 - exact.middles[n]) * row[n]).sum();
                prop_assert!((level.clamp(0.0, 255.0) - f64::from(*shown)).abs() < 0.75, "{} {}", level, shown);
            }
        }
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

/// Every phase of a fine grid, enlarging and reducing, in the middle of a row and at its ends.
#[test]
fn no_filter_overshoots_by_more_than_there_is_room_for() {
    let mut worst: f64 = 0.0;
    let scales = (0..400).map(|n| 0.2 + 0.01 * f64::from(n)).chain([10.0, 99.9, 1_000.0]);
    for (scale, filter) in scales.flat_map(|scale| FILTERS.map(|filter| (scale, filter))) {
        for phase in 0..32 {
            let begin = f64::from(phase) / 32.0;
            let axis = Axis::new(filter, Span { begin, length: 40.0 * scale }, 60, 40).expect("no memory");
            for weights in axis.weights.chunks_exact(axis.taps) {
                let sum = |is_counted: fn(&f64) -> bool| -> f64 {
                    weights.iter().map(|weight| f64::from(*weight) / f64::from(UNIT)).filter(is_counted).sum()
                };
                let (negative, positive) = (sum(|weight| *weight < 0.0), sum(|weight| *weight > 0.0));
                assert!(negative >= -OVERSHOOT && positive <= 1.0 + OVERSHOOT, "{filter:?} by {scale}: {negative}");
                worst = worst.min(negative);
            }
        }
    }
    assert!(worst < -0.27, "{worst}: the worst was not met");
}

/// The table at the head of kernels.rs, and the sums of its last step.
#[test]
fn no_step_leaves_its_bits() {
    let fits = |value: f64| (f64::from(i16::MIN)..=f64::from(i16::MAX)).contains(&value);
    let unit = f64::from(UNIT);
    assert!(fits(-OVERSHOOT * unit) && fits((1.0 + OVERSHOOT) * unit));
    let (least, most) = overshot();
    assert!(fits(least) && fits(most));
    let once = after_a_pass((0.0, LARGEST));
    // All weights at once, and their rounding.
    let sum = (1.0 + 2.0 * OVERSHOOT) * unit * once.1.max(-once.0) + unit;
    assert!(sum < f64::from(i32::MAX));
    // Enlarging colours by two after a cubic or area filter down: the difference of two samples.
    assert!(fits(once.1 - once.0 + 2.0));
    for (matrix, depth) in MATRICES.into_iter().flat_map(|matrix| (8..=16).map(move |depth| (matrix, depth))) {
        for (model, is_full_range) in
            [(Model::Yuv, false), (Model::Yuv, true), (Model::Gray, false), (Model::Rgb, true)]
        {
            let colours = Colours { matrix, is_full_range };
            let FloatMatrix { middles, rows } = FloatMatrix::new(model, colours, Scale::of(depth, is_full_range));
            for row in rows {
                let mut sum = 0.0;
                for (middle, by) in middles.into_iter().zip(row) {
                    let middle = middle * f64::from(1 << FRACTION);
                    assert!(fits(least - middle) && fits(most - middle) && by.abs() < 4.0);
                    // With 4 bits behind the point instead of 6.
                    sum += (most - middle).max(middle - least) * by.abs() / 4.0;
                }
                assert!(sum < 20_000.0, "{sum} of matrix {matrix}");
                // Where a doubled input is cut off, the output is beyond 0 or 255 with and without it.
                if let Some(large) = row[1..].iter().find(|by| by.abs() > 1.99) {
                    let cut_off = large.abs() * f64::from(i16::MAX / 2) / f64::from(1 << FRACTION);
                    let level = |sample: f64| (sample / f64::from(1 << FRACTION) - middles[0]) * row[0];
                    assert!(row[1..].iter().filter(|by| **by != 0.0).count() == 1, "matrix {matrix}");
                    assert!(level(least) + cut_off > 256.0 && level(most) - cut_off < -1.0, "matrix {matrix}");
                }
            }
        }
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
