//! Which part of the source's picture comes to lie where in the output: sizes, aspect, turning, and the way back.
//!
//! Places are in pixels from the upper left corner of a picture, x to the right and y down: the middle of its first pixel
//! is (0.5, 0.5).

use crate::config::{Conversion, Fit};

/// Pixels may be so many times wider than high, or higher than wide; what is further off is no aspect but an error.
const MAX_ASPECT: f64 = 16.0;

/// Sides of a picture that follow from its shape are no longer than those that can be asked for.
const MAX_SIDE: f64 = 16_384.0;

/// One of the eight ways to put a picture: the rows of a matrix of -1, 0 and 1 that takes directions of the stored picture
/// to those of the shown one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Orientation([[i8; 2]; 2]);

impl Orientation {
    pub(crate) const UPRIGHT: Self = Self([[1, 0], [0, 1]]);

    /// Turned clockwise.
    pub(crate) fn turned(quarters: u8) -> Self {
        Self(match quarters % 4 {
            0 => [[1, 0], [0, 1]],
            1 => [[0, -1], [1, 0]],
            2 => [[-1, 0], [0, -1]],
            _ => [[0, 1], [-1, 0]],
        })
    }

    /// All eight: four turned, then the same turned after left and right were exchanged.
    fn all() -> impl Iterator<Item = Self> {
        let mirror = |Self([[a, b], [c, d]])| Self([[-a, b], [-c, d]]);
        (0..4).map(Self::turned).chain((0..4).map(Self::turned).map(mirror))
    }

    /// The one nearest to a display matrix; see libavutil/display.h: `x' = a x + c y`, `y' = b x + d y` in 16.16 fixed point,
    /// with a, b, c and d at 0, 1, 3 and 4.
    pub(crate) fn from_display_matrix(matrix: &[i32; 9]) -> Self {
        let [a, b, c, d] = [matrix[0], matrix[1], matrix[3], matrix[4]].map(i64::from);
        let likeness = |Self([[xx, xy], [yx, yy]]): &Self| {
            a * i64::from(*xx) + c * i64::from(*xy) + b * i64::from(*yx) + d * i64::from(*yy)
        };
        // Of equals the first counts, so that a matrix of zeros changes nothing.
        let nearer = |best: Self, one: Self| if likeness(&one) > likeness(&best) { one } else { best };
        Self::all().fold(Self::UPRIGHT, nearer)
    }

    /// Whether rows become columns.
    pub(crate) fn swaps_sides(self) -> bool {
        self.0[0][0] == 0
    }

    /// Whether left and right are exchanged, besides any turning.
    pub(crate) fn is_mirrored(self) -> bool {
        let Self([[a, b], [c, d]]) = self;
        a * d - b * c < 0
    }

    /// Degrees clockwise, after left and right were exchanged if they are.
    pub(crate) fn degrees(self) -> u32 {
        let Self([[a, _], [c, _]]) = self;
        let a = if self.is_mirrored() { -a } else { a };
        let c = if self.is_mirrored() { -c } else { c };
        match (a, c) {
            (1, _) => 0,
            (_, 1) => 90,
            (-1, _) => 180,
            _ => 270,
        }
    }

    /// The place in the stored picture of a place in the shown one, both as shares of their sides, and how it moves: the
    /// rows of `x = a x' + b y' + c`.
    fn back(self) -> [[f64; 3]; 2] {
        // The inverse of such a matrix is the one with rows and columns exchanged.
        let Self([[a, b], [c, d]]) = self;
        let row = |x: i8, y: i8| [f64::from(x), f64::from(y), if x + y < 0 { 1.0 } else { 0.0 }];
        [row(a, c), row(b, d)]
    }

    /// The column and row of the stored picture, of the size given, that are shown at these.
    pub(crate) fn stored(self, x: usize, y: usize, width: usize, height: usize) -> (usize, usize) {
        let Self([[a, b], [c, d]]) = self;
        let pick = |along_x: i8, along_y: i8, side: usize| {
            let at = if along_x != 0 { x } else { y };
            if along_x + along_y < 0 { side - 1 - at } else { at }
        };
        (pick(a, c, width), pick(b, d, height))
    }
}

fn ratio((num, den): (u32, u32)) -> f64 {
    f64::from(num) / f64::from(den)
}

/// What a stream says of how its pictures are to be shown; `None` for what it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Display {
    /// Width of a pixel over its height.
    pub(crate) sample_aspect: Option<(u32, u32)>,
    pub(crate) orientation: Option<Orientation>,
}

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Where in the output a picture lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Which part of the stored picture is shown where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    /// The part that is shown, in pixels of the stored picture.
    pub(crate) window: Rect,
    pub(crate) orientation: Orientation,
    pub(crate) target: Target,
}

/// From a place in the output to one in the source's picture: `x = m[0] X + m[1] Y + m[2]`, `y = m[3] X + m[4] Y + m[5]`.
pub(crate) type ToSource = [f64; 6];

/// A picture as it is stored, and how it is to be shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Source {
    width: f64,
    height: f64,
    /// Width of a pixel over its height, if it is known.
    told_aspect: Option<(u32, u32)>,
    orientation: Orientation,
}

impl Source {
    /// A picture of this size; what the user says of its display counts before what the stream says.
    pub(crate) fn new(width: u32, height: u32, display: Display, conversion: &Conversion) -> Self {
        let told = conversion.sample_aspect.map(|aspect| (aspect.num, aspect.den)).or(display.sample_aspect);
        let is_sound = |aspect: &(u32, u32)| (1.0 / MAX_ASPECT..=MAX_ASPECT).contains(&ratio(*aspect));
        Self {
            width: f64::from(width.max(1)),
            height: f64::from(height.max(1)),
            told_aspect: told.filter(is_sound),
            orientation: conversion
                .quarter_turns
                .map(Orientation::turned)
                .or(display.orientation)
                .unwrap_or(Orientation::UPRIGHT),
        }
    }

    pub(crate) fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Width of a pixel over its height; `None` if nobody says.
    pub(crate) fn sample_aspect(&self) -> Option<(u32, u32)> {
        self.told_aspect
    }

    /// The size in square pixels, upright, with no fewer of them on either side than are stored.
    fn shown(&self) -> (f64, f64) {
        let aspect = self.told_aspect.map_or(1.0, ratio);
        let (width, height) = (self.width * aspect.max(1.0), self.height / aspect.min(1.0));
        if self.orientation.swaps_sides() { (height, width) } else { (width, height) }
    }

    /// The size of the output where 0 stands for a side that is to follow from the picture's shape.
    pub(crate) fn output_size(&self, width: u32, height: u32) -> (u32, u32) {
        let (shown_width, shown_height) = self.shown();
        let side = |length: f64| length.round().clamp(1.0, MAX_SIDE) as u32;
        match (width, height) {
            (0, 0) => (side(shown_width), side(shown_height)),
            (width, 0) => (width, side(f64::from(width) * shown_height / shown_width)),
            (0, height) => (side(f64::from(height) * shown_width / shown_height), height),
            sides => sides,
        }
    }

    /// Puts the picture into an output of this size.
    pub(crate) fn place(&self, width: u32, height: u32, fit: Fit) -> Placement {
        let (shown_width, shown_height) = self.shown();
        let (across, down) = (f64::from(width) / shown_width, f64::from(height) / shown_height);
        let whole = Target { x: 0, y: 0, width, height };
        // The shares of the shown picture that there is room for.
        let (target, visible) = match fit {
            Fit::Stretch => (whole, (1.0, 1.0)),
            Fit::Letterbox => {
                (letterboxed(whole, shown_width * across.min(down), shown_height * across.min(down)), (1.0, 1.0))
            }
            Fit::Crop => (whole, (across / across.max(down), down / across.max(down))),
        };
        let (visible_width, visible_height) =
            if self.orientation.swaps_sides() { (visible.1, visible.0) } else { visible };
        let window = Rect {
            x: self.width * (1.0 - visible_width) / 2.0,
            y: self.height * (1.0 - visible_height) / 2.0,
            width: self.width * visible_width,
            height: self.height * visible_height,
        };
        Placement { window, orientation: self.orientation, target }
    }
}

/// In the middle of a whole, so wide and so high.
fn letterboxed(whole: Target, width: f64, height: f64) -> Target {
    let side = |length: f64, most: u32| (length.round().max(1.0) as u32).min(most);
    let (width, height) = (side(width, whole.width), side(height, whole.height));
    Target { x: (whole.width - width) / 2, y: (whole.height - height) / 2, width, height }
}

impl Placement {
    /// The way from the output back to the source's picture.
    pub(crate) fn to_source(self) -> ToSource {
        let Target { x, y, width, height } = self.target;
        let (across, down) = (1.0 / f64::from(width), 1.0 / f64::from(height));
        let row = |[by_x, by_y, plus]: [f64; 3], begin: f64, length: f64| {
            let (by_x, by_y) = (length * by_x * across, length * by_y * down);
            [by_x, by_y, begin + length * plus - by_x * f64::from(x) - by_y * f64::from(y)]
        };
        let [for_x, for_y] = self.orientation.back();
        let [a, b, c] = row(for_x, self.window.x, self.window.width);
        let [d, e, f] = row(for_y, self.window.y, self.window.height);
        [a, b, c, d, e, f]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rational;
    use proptest::prelude::*;

    fn source(width: u32, height: u32, aspect: (u32, u32), orientation: Orientation) -> Source {
        let display = Display { sample_aspect: Some(aspect), orientation: Some(orientation) };
        Source::new(width, height, display, &Conversion::default())
    }

    fn back(to_source: ToSource, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = to_source;
        (a * x + b * y + c, d * x + e * y + f)
    }

    #[test]
    fn sides_that_are_not_given_follow_from_what_is_shown() {
        let hd = source(1920, 1080, (1, 1), Orientation::UPRIGHT);
        assert_eq!(hd.output_size(0, 0), (1920, 1080));
        assert_eq!(hd.output_size(640, 0), (640, 360));
        assert_eq!(hd.output_size(0, 360), (640, 360));
        assert_eq!(hd.output_size(480, 360), (480, 360));
        assert_eq!(hd.output_size(1, 0), (1, 1));
        let pal = source(720, 576, (64, 45), Orientation::UPRIGHT);
        assert_eq!(pal.output_size(0, 0), (1024, 576));
        assert_eq!(pal.output_size(512, 0), (512, 288));
        let narrow = source(704, 576, (1, 2), Orientation::UPRIGHT);
        assert_eq!(narrow.output_size(0, 0), (704, 1152));
        let phone = source(1920, 1080, (1, 1), Orientation::turned(1));
        assert_eq!(phone.output_size(0, 0), (1080, 1920));
        assert_eq!(phone.output_size(540, 0), (540, 960));
    }

    #[test]
    fn an_aspect_that_cannot_be_is_none() {
        for aspect in [(1_000_000, 1), (1, 1_000_000), (u32::MAX, 1)] {
            assert_eq!(source(64, 48, aspect, Orientation::UPRIGHT).output_size(0, 0), (64, 48));
        }
    }

    #[test]
    fn the_users_word_counts_before_the_streams() {
        let display = Display { sample_aspect: Some((2, 1)), orientation: Some(Orientation::turned(1)) };
        let conversion = Conversion {
            sample_aspect: Some(Rational { num: 1, den: 1 }),
            quarter_turns: Some(0),
            ..Conversion::default()
        };
        assert_eq!(Source::new(64, 48, display, &conversion).output_size(0, 0), (64, 48));
        assert_eq!(Source::new(64, 48, display, &Conversion::default()).output_size(0, 0), (48, 128));
    }

    #[test]
    fn a_letterboxed_picture_keeps_its_shape_in_the_middle() {
        let hd = source(1920, 1080, (1, 1), Orientation::UPRIGHT);
        let placement = hd.place(640, 640, Fit::Letterbox);
        assert_eq!(placement.target, Target { x: 0, y: 140, width: 640, height: 360 });
        assert_eq!(back(placement.to_source(), 0.0, 140.0), (0.0, 0.0));
        assert_eq!(back(placement.to_source(), 640.0, 500.0), (1920.0, 1080.0));
        let tiny = source(1000, 1, (1, 1), Orientation::UPRIGHT).place(10, 10, Fit::Letterbox);
        assert_eq!(tiny.target, Target { x: 0, y: 4, width: 10, height: 1 });
    }

    #[test]
    fn a_cropped_picture_fills_the_output_with_its_middle() {
        let hd = source(1920, 1080, (1, 1), Orientation::UPRIGHT);
        let placement = hd.place(540, 540, Fit::Crop);
        assert_eq!(placement.window, Rect { x: 420.0, y: 0.0, width: 1080.0, height: 1080.0 });
        let turned = source(1920, 1080, (1, 1), Orientation::turned(1)).place(1080, 1080, Fit::Crop);
        assert_eq!(turned.window, Rect { x: 420.0, y: 0.0, width: 1080.0, height: 1080.0 });
    }

    /// The matrix that libavutil's av_display_rotation_set writes for 90 degrees clockwise, and one that flips.
    #[test]
    fn display_matrices_are_understood() {
        let one = 1 << 16;
        let clockwise = [0, one, 0, -one, 0, 0, 0, 0, 1 << 30];
        assert_eq!(Orientation::from_display_matrix(&clockwise), Orientation::turned(1));
        let flipped = [one, 0, 0, 0, -one, 0, 0, 0, 1 << 30];
        let flipped = Orientation::from_display_matrix(&flipped);
        assert!(flipped.is_mirrored() && flipped.degrees() == 180);
        assert_eq!(Orientation::from_display_matrix(&[0; 9]), Orientation::UPRIGHT);
        assert_eq!(Orientation::from_display_matrix(&[i32::MIN; 9]).degrees() % 90, 0);
        let degrees: Vec<(u32, bool)> = Orientation::all().map(|one| (one.degrees(), one.is_mirrored())).collect();
        let all =
            [0, 90, 180, 270].map(|turn| (turn, false)).into_iter().chain([0, 90, 180, 270].map(|turn| (turn, true)));
        assert_eq!(degrees, all.collect::<Vec<_>>());
    }

    /// Turning clockwise brings the lower left corner to the upper left.
    #[test]
    fn turning_goes_clockwise() {
        assert_eq!(Orientation::turned(1).stored(0, 0, 4, 3), (0, 2));
        assert_eq!(Orientation::turned(1).stored(2, 0, 4, 3), (0, 0));
        let turned = source(4, 3, (1, 1), Orientation::turned(1)).place(3, 4, Fit::Stretch);
        assert_eq!(back(turned.to_source(), 0.0, 0.0), (0.0, 3.0));
        assert_eq!(back(turned.to_source(), 3.0, 4.0), (4.0, 0.0));
    }

    fn any_orientation() -> impl Strategy<Value = Orientation> {
        (0..8_usize).prop_map(|n| Orientation::all().nth(n).unwrap_or(Orientation::UPRIGHT))
    }

    proptest! {
        #[test]
        fn what_is_shown_lies_within_the_picture_and_the_output(
            (width, height) in (1..5_000_u32, 1..5_000_u32),
            (out_width, out_height) in (1..5_000_u32, 1..5_000_u32),
            aspect in (1..200_u32, 1..200_u32),
            orientation in any_orientation(),
            fit in prop_oneof![Just(Fit::Stretch), Just(Fit::Letterbox), Just(Fit::Crop)],
        ) {
            let placement = source(width, height, aspect, orientation).place(out_width, out_height, fit);
            let Placement { window, target, .. } = placement;
            prop_assert!(target.width >= 1 && target.x + target.width <= out_width);
            prop_assert!(target.height >= 1 && target.y + target.height <= out_height);
            prop_assert!(window.width > 0.0 && window.x >= 0.0 && window.x + window.width <= f64::from(width) + 1e-6);
            prop_assert!(window.height > 0.0 && window.y >= 0.0 && window.y + window.height <= f64::from(height) + 1e-6);
            // The corners of the target are the corners of the window.
            let corner = |x: u32, y: u32| back(placement.to_source(), f64::from(x), f64::from(y));
            let corners = [corner(target.x, target.y), corner(target.x + target.width, target.y + target.height)];
            let least = (corners[0].0.min(corners[1].0), corners[0].1.min(corners[1].1));
            let most = (corners[0].0.max(corners[1].0), corners[0].1.max(corners[1].1));
            prop_assert!((least.0 - window.x).abs() < 1e-6 && (least.1 - window.y).abs() < 1e-6);
            prop_assert!((most.0 - window.x - window.width).abs() < 1e-6);
            prop_assert!((most.1 - window.y - window.height).abs() < 1e-6);
        }

        #[test]
        fn pixels_and_places_go_back_the_same_way(
            (width, height) in (1..20_u32, 1..20_u32),
            orientation in any_orientation(),
            (x, y) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        ) {
            let (wide, high) = if orientation.swaps_sides() { (height, width) } else { (width, height) };
            let placement = source(width, height, (1, 1), orientation).place(wide, high, Fit::Stretch);
            let (x, y) = (x.index(wide as usize), y.index(high as usize));
            let stored = orientation.stored(x, y, width as usize, height as usize);
            let middle = back(placement.to_source(), x as f64 + 0.5, y as f64 + 0.5);
            prop_assert!((middle.0 - stored.0 as f64 - 0.5).abs() < 1e-9);
            prop_assert!((middle.1 - stored.1 as f64 - 0.5).abs() < 1e-9);
        }

        #[test]
        fn shapes_are_kept_where_they_are_to_be(
            (width, height) in (64..2_000_u32, 64..2_000_u32),
            aspect in (1..4_u32, 1..4_u32),
            orientation in any_orientation(),
            side in 64..2_000_u32,
        ) {
            let source = source(width, height, aspect, orientation);
            let (shown_width, shown_height) = source.shown();
            let (wide, high) = source.output_size(side, 0);
            prop_assert!((f64::from(high) - f64::from(wide) * shown_height / shown_width).abs() <= 0.5 || high == 1 || high == 16_384);
            let boxed = source.place(side, side, Fit::Letterbox).target;
            let error = f64::from(boxed.width) * shown_height - f64::from(boxed.height) * shown_width;
            prop_assert!(error.abs() <= 0.51 * shown_width.max(shown_height) || boxed.width == 1 || boxed.height == 1);
        }
    }
}
