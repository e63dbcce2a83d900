//! The inner loops, each over one row or one band of rows, on whatever vectors the processor has.
//!
//! A sample is 16 bits with [`FRACTION`] of them behind the point, on the scale of 8-bit pictures: 16320 is white in full
//! range. A weight is 16 bits with [`UNIT`] for one. Sums are kept in 32 bits, so that a pass rounds once.
//!
//! Bounds, which the test `no_step_leaves_its_bits` computes. The negative weights of an output sum up to at least -n, so
//! the positive ones to at most 1 + n; n is 0.2764 for Lanczos and 0.1344 for the cubic filter, and taken as 0.28.
//!
//! | step | least | most |
//! |---|---|---|
//! | sample as read, of any depth | 0 | m = 16383 |
//! | weight | -n = -4587 | 1 + n = 20971 |
//! | after the first pass | -n m = -4587 | (1 + n) m = 20970 |
//! | after the second pass | -2 n (1 + n) m = -11743 | ((1 + n)^2 + n^2) m = 28126 |
//! | less its middle, which is 8192 at most | -19935 | 28126 |
//! | sum of a pass, in 32 bits | -2^29 | 2^29 |
//!
//! What has been through both passes fits in 16 bits, and twice that does not: see [`products`].

use fearless_simd::{Level, Simd, dispatch, i16x8, i16x16, i32x4, i32x8, prelude::*, u8x16, u16x16};

/// Bits of a sample behind the point: enough for two passes and a matrix, with room for what sharp filters overshoot.
pub(crate) const FRACTION: u32 = 6;

/// The weight of one.
pub(crate) const UNIT: i16 = 1 << WEIGHT_BITS;
const WEIGHT_BITS: u32 = 14;

/// Rows that are filtered across together: as many as a vector of 32-bit sums holds.
pub(crate) const BAND: usize = 8;

/// Two neighbouring columns of a band, each row's pair side by side.
pub(crate) type ColumnPair = [i16; 2 * BAND];

/// One column of a band.
pub(crate) type Column = [i16; BAND];

/// How the bytes of a row are samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Samples {
    /// Each byte is one, of 8 bits.
    Bytes,
    /// Each two bytes are one, of which the lower `unused` bits mean nothing and the next `depth` do.
    Words { depth: u32, unused: u32, is_big_endian: bool },
}

impl Samples {
    /// Bytes of a sample.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::Words { .. } => 2,
        }
    }
}

/// Adds up rows by weights into one. There are as many weights as rows, an even number; `to` has a place for each sample
/// that the rows have.
pub(crate) fn blend(level: Level, samples: Samples, rows: &[&[u8]], weights: &[i16], to: &mut [i16]) {
    match (samples, coarse(rows, weights)) {
        (Samples::Bytes, Some((&[row], &[weight]))) => {
            dispatch!(level, simd => take_bytes(simd, row, weight / COARSE, to));
        }
        (Samples::Bytes, Some((&[one, other], &[first, second]))) => {
            let weights = [first / COARSE, second / COARSE];
            dispatch!(level, simd => blend_two(simd, [one, other], weights, to));
        }
        (Samples::Bytes, _) => dispatch!(level, simd => blend_bytes(simd, rows, weights, to)),
        (Samples::Words { depth, unused, is_big_endian }, _) => {
            let word = Word::new(depth, unused, is_big_endian);
            dispatch!(level, simd => blend_words(simd, word, rows, weights, to));
        }
    }
}

/// The rows that count, if their weights are coarse.
fn coarse<'a, 'b>(rows: &'a [&'b [u8]], weights: &'a [i16]) -> Option<(&'a [&'b [u8]], &'a [i16])> {
    let begin = weights.iter().position(|weight| *weight != 0)?;
    let end = weights.iter().rposition(|weight| *weight != 0)? + 1;
    let is_coarse = weights.iter().all(|weight| weight % COARSE == 0);
    is_coarse.then(|| (&rows[begin..end], &weights[begin..end]))
}

/// Weights that are multiples of this, such as the quarters by which colours are sited, need no more than 16 bits: what is
/// left of them is as many bits as a sample has behind the point.
const COARSE: i16 = 1 << (WEIGHT_BITS - FRACTION);

#[inline(always)]
fn take_bytes<S: Simd>(_: S, row: &[u8], weight: i16, to: &mut [i16]) {
    for (to, from) in to.iter_mut().zip(row) {
        *to = i16::from(*from).wrapping_mul(weight);
    }
}

#[inline(always)]
fn blend_two<S: Simd>(_: S, [one, other]: [&[u8]; 2], [first, second]: [i16; 2], to: &mut [i16]) {
    for ((to, one), other) in to.iter_mut().zip(one).zip(other) {
        *to = i16::from(*one).wrapping_mul(first).wrapping_add(i16::from(*other).wrapping_mul(second));
    }
}

/// Samples that one step of [`blend_bytes`] takes from each row.
const STEP: usize = 32;

#[inline(always)]
fn blend_bytes<S: Simd>(simd: S, rows: &[&[u8]], weights: &[i16], to: &mut [i16]) {
    let mut chunks = to.chunks_exact_mut(STEP);
    let mut at = 0;
    for to in &mut chunks {
        let mut sums = [i32x8::splat(simd, 1 << (WEIGHT_BITS - FRACTION - 1)); STEP / 8];
        for (pair, weights) in rows.chunks_exact(2).zip(weights.chunks_exact(2)) {
            let weights = pair_of(simd, weights);
            let (upper, lower) = (&pair[0][at..at + STEP], &pair[1][at..at + STEP]);
            for half in 0..2 {
                let upper = u8x16::from_slice(simd, &upper[16 * half..16 * half + 16]);
                let lower = u8x16::from_slice(simd, &lower[16 * half..16 * half + 16]);
                let parts = [upper.zip_low(lower), upper.zip_high(lower)];
                for (sum, part) in sums[2 * half..2 * half + 2].iter_mut().zip(parts) {
                    let (low, high) = part.widen();
                    let pairs: i16x16<S> = low.combine(high).bitcast();
                    *sum += pairs.pairwise_dot_product(weights);
                }
            }
        }
        for (to, sums) in to.chunks_exact_mut(16).zip(sums.chunks_exact(2)) {
            let shift = WEIGHT_BITS - FRACTION;
            (sums[0] >> shift).saturating_narrow(sums[1] >> shift).store_slice(to);
        }
        at += STEP;
    }
    for (x, to) in chunks.into_remainder().iter_mut().enumerate() {
        let sum: i32 = rows.iter().zip(weights).map(|(row, weight)| i32::from(row[at + x]) * i32::from(*weight)).sum();
        *to = saturate((sum + (1 << (WEIGHT_BITS - FRACTION - 1))) >> (WEIGHT_BITS - FRACTION));
    }
}

/// Two weights, over and over.
#[inline(always)]
fn pair_of<S: Simd>(simd: S, weights: &[i16]) -> i16x16<S> {
    let both = u32::from(weights[0] as u16) | u32::from(weights[1] as u16) << 16;
    i32x8::splat(simd, both as i32).bitcast()
}

#[inline(always)]
fn saturate(sum: i32) -> i16 {
    sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// How to read a sample of two bytes.
#[derive(Clone, Copy)]
struct Word {
    is_big_endian: bool,
    right: u32,
    most: u16,
    left: u32,
}

impl Word {
    fn new(depth: u32, unused: u32, is_big_endian: bool) -> Self {
        let kept = depth.min(8 + FRACTION);
        Self {
            is_big_endian,
            right: unused + depth - kept,
            most: ((1_u32 << kept) - 1) as u16,
            left: 8 + FRACTION - kept,
        }
    }

    /// Larger values than the depth allows, which only a broken stream has, count as the largest.
    #[inline(always)]
    fn read(self, bytes: [u8; 2]) -> i16 {
        let value = if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        ((value >> self.right).min(self.most) << self.left) as i16
    }
}

#[inline(always)]
fn blend_words<S: Simd>(_: S, word: Word, rows: &[&[u8]], weights: &[i16], to: &mut [i16]) {
    let mut at = 0;
    for to in to.chunks_mut(STEP) {
        let mut sums = [1_i32 << (WEIGHT_BITS - 1); STEP];
        for (row, weight) in rows.iter().zip(weights) {
            let row = &row[2 * at..2 * (at + to.len())];
            for (sum, bytes) in sums.iter_mut().zip(row.chunks_exact(2)) {
                *sum += i32::from(word.read([bytes[0], bytes[1]])) * i32::from(*weight);
            }
        }
        for (to, sum) in to.iter_mut().zip(sums) {
            *to = saturate(sum >> WEIGHT_BITS);
        }
        at += STEP;
    }
}

/// Samples that one step of [`double`] takes.
const SAMPLES: usize = 8;

/// Makes two samples of each by linear interpolation; the quarters are those of [`Axis::doubling`].
///
/// [`Axis::doubling`]: super::filter::Axis::doubling
pub(crate) fn double(level: Level, quarters: [i16; 2], from: &[i16], to: &mut [i16]) {
    let Some(last) = from.len().checked_sub(1) else { return };
    // The first and the last have but one neighbour; all between go in steps, and what those leave over one by one.
    let steps = last.saturating_sub(1) / SAMPLES;
    dispatch!(level, simd => double_with(simd, quarters, from, to, steps));
    for n in std::iter::once(0).chain(1 + steps * SAMPLES..from.len()) {
        let neighbours = [from[n.saturating_sub(1)], from[(n + 1).min(last)]];
        for (p, neighbour) in neighbours.into_iter().enumerate() {
            if let Some(to) = to.get_mut(2 * n + p) {
                *to = towards(from[n], neighbour, quarters[p]);
            }
        }
    }
}

#[inline(always)]
fn double_with<S: Simd>(simd: S, quarters: [i16; 2], from: &[i16], to: &mut [i16], steps: usize) {
    for step in 0..steps {
        let at = 1 + step * SAMPLES;
        let load = [at - 1, at, at + 1];
        let [before, near, after] = load.map(|at| i16x8::from_slice(simd, &from[at..at + SAMPLES]));
        let part = |difference: i16x8<S>, quarters| match quarters {
            0 => i16x8::splat(simd, 0),
            1 => (difference + 2) >> 2,
            _ => (difference + 1) >> 1,
        };
        let first = near + part(before - near, quarters[0]);
        let second = near + part(after - near, quarters[1]);
        let to = &mut to[2 * at..2 * (at + SAMPLES)];
        first.zip_low(second).store_slice(&mut to[..SAMPLES]);
        first.zip_high(second).store_slice(&mut to[SAMPLES..]);
    }
}

/// A sample, so many quarters of the way to its neighbour, two at most. What sharp filters have overshot leaves 16 bits no
/// room to multiply the difference.
fn towards(near: i16, far: i16, quarters: i16) -> i16 {
    let difference = far.wrapping_sub(near);
    near.wrapping_add(match quarters {
        0 => 0,
        1 => difference.wrapping_add(2) >> 2,
        _ => difference.wrapping_add(1) >> 1,
    })
}

/// Lays a band out by columns: `rows` are eight rows one after the other, each with two samples for each pair of columns.
pub(crate) fn to_columns(level: Level, rows: &[i16], stride: usize, columns: &mut [ColumnPair]) {
    dispatch!(level, simd => to_columns_with(simd, rows, stride, columns));
}

#[inline(always)]
fn to_columns_with<S: Simd>(simd: S, rows: &[i16], stride: usize, columns: &mut [ColumnPair]) {
    let mut rows = rows.chunks_exact(stride);
    let rows: [&[i16]; BAND] = std::array::from_fn(|_| rows.next().unwrap_or_default());
    for (block, columns) in columns.chunks_exact_mut(4).enumerate() {
        let upper = turn_pairs(simd, [rows[0], rows[1], rows[2], rows[3]], 8 * block);
        let lower = turn_pairs(simd, [rows[4], rows[5], rows[6], rows[7]], 8 * block);
        for (n, column) in columns.iter_mut().enumerate() {
            upper[n].combine(lower[n]).store_slice(column);
        }
    }
}

/// Four pairs of samples of four rows each, turned.
#[inline(always)]
fn turn_pairs<S: Simd>(simd: S, rows: [&[i16]; 4], at: usize) -> [i16x8<S>; 4] {
    let even = (load_pairs(simd, rows[0], at), load_pairs(simd, rows[2], at));
    let odd = (load_pairs(simd, rows[1], at), load_pairs(simd, rows[3], at));
    let (even_low, even_high) = (even.0.zip_low(even.1), even.0.zip_high(even.1));
    let (odd_low, odd_high) = (odd.0.zip_low(odd.1), odd.0.zip_high(odd.1));
    [
        even_low.zip_low(odd_low).bitcast(),
        even_low.zip_high(odd_low).bitcast(),
        even_high.zip_low(odd_high).bitcast(),
        even_high.zip_high(odd_high).bitcast(),
    ]
}

#[inline(always)]
fn load_pairs<S: Simd>(simd: S, row: &[i16], at: usize) -> i32x4<S> {
    i16x8::from_slice(simd, &row[at..at + 8]).bitcast()
}

/// Filters a band across: the column `to[x]` is made of columns from `first[x]` on, which is even, by `taps` weights.
pub(crate) fn cross(
    level: Level,
    columns: &[ColumnPair],
    first: &[u32],
    taps: usize,
    weights: &[i16],
    to: &mut [Column],
) {
    dispatch!(level, simd => cross_with(simd, columns, first, taps, weights, to));
}

#[inline(always)]
fn cross_with<S: Simd>(
    simd: S,
    columns: &[ColumnPair],
    first: &[u32],
    taps: usize,
    weights: &[i16],
    to: &mut [Column],
) {
    for ((to, first), weights) in to.iter_mut().zip(first).zip(weights.chunks_exact(taps)) {
        let first = *first as usize / 2;
        let mut sum = i32x8::splat(simd, 1 << (WEIGHT_BITS - 1));
        for (pair, weights) in columns[first..first + taps / 2].iter().zip(weights.chunks_exact(2)) {
            sum += i16x16::from_slice(simd, pair).pairwise_dot_product(pair_of(simd, weights));
        }
        let (upper, lower) = (sum >> WEIGHT_BITS).split();
        upper.saturating_narrow(lower).store_slice(to);
    }
}

/// Lays a band out by rows again.
pub(crate) fn to_rows(level: Level, columns: &[Column], rows: &mut [i16], stride: usize) {
    dispatch!(level, simd => to_rows_with(simd, columns, rows, stride));
}

#[inline(always)]
fn to_rows_with<S: Simd>(simd: S, columns: &[Column], rows: &mut [i16], stride: usize) {
    for (block, columns) in columns.chunks_exact(BAND).enumerate() {
        let mut vectors: [i16x8<S>; BAND] = std::array::from_fn(|n| i16x8::from_slice(simd, &columns[n]));
        // Three rounds of putting the halves together turn eight vectors of columns into eight of rows.
        for _ in 0..3 {
            let before = vectors;
            for n in 0..BAND / 2 {
                vectors[2 * n] = before[n].zip_low(before[n + BAND / 2]);
                vectors[2 * n + 1] = before[n].zip_high(before[n + BAND / 2]);
            }
        }
        for (n, vector) in vectors.iter().enumerate() {
            let at = n * stride + BAND * block;
            vector.store_slice(&mut rows[at..at + BAND]);
        }
    }
}

/// Three channels to three others, in fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FixedMatrix {
    /// What is subtracted from each input.
    middles: [i16; 3],
    /// For each output what one of each input is worth.
    rows: [[Coefficient; 3]; 3],
    /// The first output has nothing of the second input, and the last nothing of the third: the shape of nearly every
    /// matrix there is.
    is_sparse: bool,
}

/// A number less than 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Coefficient {
    /// The number, or half of it, with [`WEIGHT_BITS`] bits behind the point.
    fixed: i16,
    /// One if `fixed` is half of the number, so that the product is doubled.
    shift: u32,
}

impl Coefficient {
    fn new(value: f64) -> Self {
        // The largest that 16 bits hold is a little less than 2.
        let is_large = value.abs() > 1.99;
        let fixed = if is_large { value / 2.0 } else { value } * f64::from(UNIT);
        Self { fixed: fixed.round() as i16, shift: u32::from(is_large) }
    }
}

impl FixedMatrix {
    /// Each output is the sum of the inputs less their middles, each by its weight, which is less than 4.
    pub(crate) fn new(middles: [f64; 3], rows: [[f64; 3]; 3]) -> Self {
        let middles = middles.map(|middle| (middle * f64::from(1 << FRACTION)).round() as i16);
        let rows = rows.map(|row| row.map(Coefficient::new));
        Self { middles, rows, is_sparse: rows[0][1].fixed == 0 && rows[2][2].fixed == 0 }
    }
}

/// Bits of what [`FixedMatrix`] yields behind the point.
const SUM_FRACTION: u32 = 4;

/// Half a level, and what is lost on average by cutting off three products.
const ROUNDING: i16 = (1 << (SUM_FRACTION - 1)) + 1;

/// Pixels that one step of [`mix`] takes.
const PIXELS: usize = 32;

/// Three channels to pixels of `N` bytes by a matrix; a fourth byte is 255, and a single one is the first.
pub(crate) fn mix<const N: usize>(level: Level, matrix: &FixedMatrix, from: [&[i16]; 3], to: &mut [u8]) {
    if matrix.is_sparse && N != 1 {
        dispatch!(level, simd => mix_with::<_, N, true>(simd, matrix, from, to));
    } else {
        dispatch!(level, simd => mix_with::<_, N, false>(simd, matrix, from, to));
    }
}

#[inline(always)]
fn mix_with<S: Simd, const N: usize, const IS_SPARSE: bool>(
    simd: S,
    matrix: &FixedMatrix,
    [a, b, c]: [&[i16]; 3],
    to: &mut [u8],
) {
    let chunks = a.chunks(PIXELS).zip(b.chunks(PIXELS)).zip(c.chunks(PIXELS));
    for (((a, b), c), to) in chunks.zip(to.chunks_mut(N * PIXELS)) {
        if let (Ok(a), Ok(b), Ok(c)) = (a.try_into(), b.try_into(), c.try_into()) {
            mix_block::<_, N, IS_SPARSE>(simd, matrix, [a, b, c], to);
            continue;
        }
        let mut inputs = [[0; PIXELS]; 3];
        for (input, rest) in inputs.iter_mut().zip([a, b, c]) {
            input[..rest.len()].copy_from_slice(rest);
        }
        let mut pixels = [0; 4 * PIXELS];
        mix_block::<_, N, IS_SPARSE>(simd, matrix, inputs.each_ref(), &mut pixels[..N * PIXELS]);
        to.copy_from_slice(&pixels[..to.len()]);
    }
}

#[inline(always)]
fn mix_block<S: Simd, const N: usize, const IS_SPARSE: bool>(
    simd: S,
    matrix: &FixedMatrix,
    from: [&[i16; PIXELS]; 3],
    to: &mut [u8],
) {
    let mut channels = [[255; PIXELS]; 4];
    let [a, b, c] = matrix.middles;
    for (row, (channel, weights)) in channels.iter_mut().zip(matrix.rows).enumerate().take(N) {
        let mut sums = products(simd, from[0], a, weights[0]).map(|sum| sum + ROUNDING);
        if !IS_SPARSE || row > 0 {
            add(&mut sums, products(simd, from[1], b, weights[1]));
        }
        if !IS_SPARSE || row < 2 {
            add(&mut sums, products(simd, from[2], c, weights[2]));
        }
        // Three products are within 20,000 of 0, so that none of these sums wraps.
        for (sum, to) in sums.iter().zip(channel.chunks_exact_mut(16)) {
            let levels: i16x16<S> = (*sum >> SUM_FRACTION).max(0).min(255);
            let levels: u16x16<S> = levels.bitcast();
            let (low, high) = levels.split();
            low.saturating_narrow(high).store_slice(to);
        }
    }
    if N == 1 {
        to.copy_from_slice(&channels[0]);
    } else {
        interleave::<_, N>(simd, &channels, to);
    }
}

#[inline(always)]
fn add<S: Simd>(sums: &mut [i16x16<S>; 2], more: [i16x16<S>; 2]) {
    sums[0] += more[0];
    sums[1] += more[1];
}

/// What an input is worth, with [`SUM_FRACTION`] bits behind the point: the upper halves of products of 32 bits, which the
/// compiler knows an instruction for.
///
/// The product of a large coefficient is doubled, not its input: after both passes of a sharp filter twice an input is more
/// than 16 bits hold, while a product is less than 28126 * 32767 >> 16 = 14063.
#[inline(always)]
fn products<S: Simd>(simd: S, from: &[i16; PIXELS], middle: i16, by: Coefficient) -> [i16x16<S>; 2] {
    let mut upper = [0; PIXELS];
    for (upper, sample) in upper.iter_mut().zip(from) {
        let sample = sample.wrapping_sub(middle);
        let product = ((i32::from(sample) * i32::from(by.fixed)) >> 16) as i16;
        *upper = product.wrapping_shl(by.shift);
    }
    [i16x16::from_slice(simd, &upper[..16]), i16x16::from_slice(simd, &upper[16..])]
}

/// The first `N` channels as pixels.
#[inline(always)]
fn interleave<S: Simd, const N: usize>(simd: S, channels: &[[u8; PIXELS]; 4], to: &mut [u8]) {
    for (half, to) in to.chunks_exact_mut(N * PIXELS / 2).enumerate() {
        let [red, green, blue, opacity] = channels.map(|channel| u8x16::from_slice(simd, &channel[16 * half..][..16]));
        if N == 4 {
            u8x16::store_four_interleaved([red, green, blue, opacity], to);
            continue;
        }
        for (to, places) in to.chunks_exact_mut(16).zip(&PLACES) {
            let [reds, greens, blues] = places.map(|places| u8x16::from_slice(simd, &places));
            let parts =
                (red.swizzle_dyn_precise(reds), green.swizzle_dyn_precise(greens), blue.swizzle_dyn_precise(blues));
            (parts.0 | parts.1 | parts.2).store_slice(to);
        }
    }
}

/// For each 16 bytes of 16 pixels of three: which of each channel's values stand there, 255 for none.
const PLACES: [[[u8; 16]; 3]; 3] = {
    let mut places = [[[255; 16]; 3]; 3];
    let mut n = 0;
    while n < 48 {
        places[n / 16][n % 3][n % 16] = (n / 3) as u8;
        n += 1;
    }
    places
};
