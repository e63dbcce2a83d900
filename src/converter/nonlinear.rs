//! Colours that no matrix converts, because they were coded from light: BT.2020 with constant luminance and ICtCp.

use super::colour::Scale;
use crate::allocation::{NoMemory, room};

/// ITU-T H.273, table 4: BT.2020 with constant luminance, and ICtCp of BT.2100.
const CONSTANT_LUMINANCE: i32 = 10;
const ICTCP: i32 = 14;

/// ITU-T H.273, table 3.
const LINEAR: i32 = 8;
const PQ: i32 = 16;
const HLG: i32 = 18;

/// ITU-R BT.2020, table 4: what red, green and blue have in luminance.
const LUMINANCE: [f64; 3] = [0.2627, 0.6780, 0.0593];

/// From I, Ct and Cp to the cone responses, for PQ and for HLG: the inverse of ITU-T H.273, equations 76 to 81.
const CONES_OF_PQ: Matrix = [[1.0, 0.008_609, 0.111_030], [1.0, -0.008_609, -0.111_030], [1.0, 0.560_031, -0.320_627]];
const CONES_OF_HLG: Matrix = [[1.0, 0.015_719, 0.209_581], [1.0, -0.015_719, -0.209_581], [1.0, 1.021_271, -0.605_274]];

/// From linear cone responses to linear red, green and blue: the inverse of ITU-T H.273, equations 73 to 75.
const LIGHT_OF_CONES: Matrix =
    [[3.436_607, -2.506_452, 0.069_845], [-0.791_330, 1.983_600, -0.192_271], [-0.025_950, -0.098_914, 1.124_864]];

type Matrix = [[f64; 3]; 3];

/// Whether colours of a matrix, by its number in ITU-T H.273, table 4, are such.
pub(crate) fn is_nonlinear(matrix: i32) -> bool {
    matches!(matrix, CONSTANT_LUMINANCE | ICTCP)
}

/// Converts such colours, a pixel at a time. What comes out has the transfer function that went in.
pub(crate) struct Nonlinear {
    scale: Scale,
    coding: Coding,
    curve: Curve,
}

enum Coding {
    /// Twice the largest difference of blue and of red to brightness: below it and above it.
    ConstantLuminance {
        blue: [f64; 2],
        red: [f64; 2],
    },
    Ictcp {
        cones: Matrix,
    },
}

impl Nonlinear {
    /// For a matrix, of which [`is_nonlinear`] is true, and a transfer function, by their numbers in ITU-T H.273.
    pub(crate) fn new(matrix: i32, transfer: i32, scale: Scale) -> Result<Self, NoMemory> {
        let transfer = Transfer::of(transfer);
        let coding = match (matrix, transfer) {
            (ICTCP, Transfer::Hlg) => Coding::Ictcp { cones: CONES_OF_HLG },
            (ICTCP, _) => Coding::Ictcp { cones: CONES_OF_PQ },
            // ITU-T H.273, equations 60 to 67.
            _ => {
                let differences =
                    |share: f64| [2.0 * transfer.encode(1.0 - share), 2.0 * (1.0 - transfer.encode(share))];
                Coding::ConstantLuminance { blue: differences(LUMINANCE[2]), red: differences(LUMINANCE[0]) }
            }
        };
        Ok(Self { scale, coding, curve: Curve::new(transfer)? })
    }

    /// The levels of red, green and blue for samples on the scale of 8 bits.
    pub(crate) fn levels(&self, [a, b, c]: [f64; 3]) -> [f64; 3] {
        let Self { scale, coding, curve } = self;
        let first = (a - scale.black) * scale.brightness / 255.0;
        let [second, third] = [b, c].map(|sample| (sample - 128.0) * scale.difference / 255.0);
        let colours = match coding {
            Coding::ConstantLuminance { blue, red } => {
                let add = |difference: f64, by: &[f64; 2]| first + difference * by[usize::from(difference > 0.0)];
                let (red, blue) = (add(third, red), add(second, blue));
                let [of_red, of_green, of_blue] = LUMINANCE;
                let light = curve.decode(first) - of_red * curve.decode(red) - of_blue * curve.decode(blue);
                [red, curve.encode(light / of_green), blue]
            }
            Coding::Ictcp { cones } => {
                let cones = times(cones, [first, second, third]).map(|response| curve.decode(response));
                times(&LIGHT_OF_CONES, cones).map(|light| curve.encode(light))
            }
        };
        colours.map(|colour| 255.0 * colour)
    }
}

fn times(matrix: &Matrix, vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(by, value)| by * value).sum())
}

/// A transfer function: light, from 0 to 1, to the signal for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transfer {
    /// ITU-R BT.2020, and with it BT.601 and BT.709. It stands for what is not told, and for all others.
    Bt2020,
    Linear,
    Pq,
    Hlg,
}

impl Transfer {
    fn of(number: i32) -> Self {
        match number {
            LINEAR => Self::Linear,
            PQ => Self::Pq,
            HLG => Self::Hlg,
            _ => Self::Bt2020,
        }
    }

    fn encode(self, light: f64) -> f64 {
        match self {
            Self::Linear => light,
            // ITU-R BT.2020, table 4.
            Self::Bt2020 if light < BT2020_BETA => 4.5 * light,
            Self::Bt2020 => BT2020_ALPHA * light.powf(0.45) - (BT2020_ALPHA - 1.0),
            Self::Pq => {
                let power = light.powf(PQ_M1);
                ((PQ_C1 + PQ_C2 * power) / (1.0 + PQ_C3 * power)).powf(PQ_M2)
            }
            Self::Hlg if light <= 1.0 / 12.0 => (3.0 * light).sqrt(),
            Self::Hlg => HLG_A * (12.0 * light - HLG_B).ln() + HLG_C,
        }
    }

    fn decode(self, signal: f64) -> f64 {
        match self {
            Self::Linear => signal,
            Self::Bt2020 if signal < 4.5 * BT2020_BETA => signal / 4.5,
            Self::Bt2020 => ((signal + BT2020_ALPHA - 1.0) / BT2020_ALPHA).powf(1.0 / 0.45),
            Self::Pq => {
                let power = signal.powf(1.0 / PQ_M2);
                ((power - PQ_C1).max(0.0) / (PQ_C2 - PQ_C3 * power)).powf(1.0 / PQ_M1)
            }
            Self::Hlg if signal <= 0.5 => signal * signal / 3.0,
            Self::Hlg => (((signal - HLG_C) / HLG_A).exp() + HLG_B) / 12.0,
        }
    }
}

/// ITU-R BT.2020, table 4, to more digits: where the two parts of the curve meet without a step.
const BT2020_ALPHA: f64 = 1.099_296_826_809_44;
const BT2020_BETA: f64 = 0.018_053_968_510_807;

/// ITU-R BT.2100, table 4.
const PQ_M1: f64 = 2610.0 / 16384.0;
const PQ_M2: f64 = 2523.0 / 4096.0 * 128.0;
const PQ_C1: f64 = 3424.0 / 4096.0;
const PQ_C2: f64 = 2413.0 / 4096.0 * 32.0;
const PQ_C3: f64 = 2392.0 / 4096.0 * 32.0;

/// ITU-R BT.2100, table 5.
const HLG_A: f64 = 0.178_832_77;
const HLG_B: f64 = 0.284_668_92;
const HLG_C: f64 = 0.559_910_73;

/// A transfer function and its inverse as tables, from 0 to 1; what is outside counts as the end. Powers for each pixel would
/// take ten times as long.
struct Curve {
    decoded: Vec<f64>,
    /// By the fourth root of light: curves are steep where it is dark.
    encoded: Vec<f64>,
}

/// Steps of a table: interpolated, they are a hundredth of a level apart from the function at most.
const STEPS: usize = 4096;

impl Curve {
    fn new(transfer: Transfer) -> Result<Self, NoMemory> {
        let table = |function: &dyn Fn(f64) -> f64| -> Result<Vec<f64>, NoMemory> {
            let mut table = room(STEPS + 1)?;
            table.extend((0..=STEPS).map(|step| function(step as f64 / STEPS as f64)));
            Ok(table)
        };
        Ok(Self {
            decoded: table(&|signal| transfer.decode(signal))?,
            encoded: table(&|root| transfer.encode(root.powi(4)))?,
        })
    }

    fn decode(&self, signal: f64) -> f64 {
        interpolate(&self.decoded, signal)
    }

    fn encode(&self, light: f64) -> f64 {
        interpolate(&self.encoded, light.max(0.0).sqrt().sqrt())
    }
}

fn interpolate(table: &[f64], at: f64) -> f64 {
    let at = at.clamp(0.0, 1.0) * STEPS as f64;
    let step = (at as usize).min(STEPS - 1);
    table[step] + (table[step + 1] - table[step]) * (at - step as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRANSFERS: [Transfer; 4] = [Transfer::Bt2020, Transfer::Linear, Transfer::Pq, Transfer::Hlg];

    /// ITU-R BT.2020, table 4, gives halves of them to four digits.
    #[test]
    fn the_largest_differences_are_those_of_the_standard() {
        let colours = Nonlinear::new(CONSTANT_LUMINANCE, 14, Scale::LEVELS).expect("no memory");
        let Coding::ConstantLuminance { blue, red } = colours.coding else { panic!("another coding") };
        for (ours, theirs) in [(blue, [0.9702, 0.7910]), (red, [0.8592, 0.4968])] {
            for (ours, theirs) in ours.into_iter().zip(theirs) {
                assert!((ours / 2.0 - theirs).abs() < 1.5e-4, "{ours} {theirs}");
            }
        }
    }

    #[test]
    fn tables_are_near_their_functions() {
        for transfer in TRANSFERS {
            let curve = Curve::new(transfer).expect("no memory");
            for n in 0..=100_000 {
                let signal = f64::from(n) / 100_000.0;
                assert!((curve.encode(transfer.decode(signal)) - signal).abs() < 0.02 / 255.0, "{transfer:?} {signal}");
                assert!((transfer.encode(curve.decode(signal)) - signal).abs() < 0.1 / 255.0, "{transfer:?} {signal}");
            }
        }
    }

    proptest! {
        /// Coded by the standards' own equations, in which light comes first.
        #[test]
        fn colours_come_back_as_they_were_coded(
            colour in prop::array::uniform3(0..=255_u8), matrix in prop::sample::select(&[CONSTANT_LUMINANCE, ICTCP][..]),
            transfer in prop::sample::select(&[1, 14, PQ, HLG][..]), is_full_range in any::<bool>(),
        ) {
            let scale = super::super::colour::Scale::of(10, is_full_range);
            let signal = colour.map(|level| f64::from(level) / 255.0);
            let curve = Transfer::of(if matrix == ICTCP && transfer != HLG { PQ } else { transfer });
            let light = signal.map(|signal| curve.decode(signal));
            let coded = if matrix == CONSTANT_LUMINANCE {
                let y = curve.encode(0.2627 * light[0] + 0.6780 * light[1] + 0.0593 * light[2]);
                let differ = |to: f64, share: f64| {
                    let by = if to < y { curve.encode(1.0 - share) } else { 1.0 - curve.encode(share) };
                    (to - y) / (2.0 * by)
                };
                [y, differ(signal[2], 0.0593), differ(signal[0], 0.2627)]
            } else {
                // ITU-R BT.2100, table 7.
                let cones = times(
                    &[[1688.0, 2146.0, 262.0], [683.0, 2951.0, 462.0], [99.0, 309.0, 3688.0]].map(|row| row.map(|by: f64| by / 4096.0)),
                    light,
                );
                let [l, m, s] = cones.map(|response| curve.encode(response));
                let i = (l + m) / 2.0;
                if curve == Transfer::Hlg {
                    [i, (3625.0 * l - 7465.0 * m + 3840.0 * s) / 4096.0, (9500.0 * l - 9212.0 * m - 288.0 * s) / 4096.0]
                } else {
                    [i, (6610.0 * l - 13613.0 * m + 7003.0 * s) / 4096.0, (17933.0 * l - 17390.0 * m - 543.0 * s) / 4096.0]
                }
            };
            let sample = [
                scale.black + 255.0 * coded[0] / scale.brightness,
                128.0 + 255.0 * coded[1] / scale.difference,
                128.0 + 255.0 * coded[2] / scale.difference,
            ];
            let transfer = if matrix == ICTCP && transfer != HLG { PQ } else { transfer };
            let shown = Nonlinear::new(matrix, transfer, scale).expect("no memory").levels(sample);
            for (shown, sent) in shown.iter().zip(colour) {
                // Six digits of a coefficient leave some light where there was none, of which PQ makes levels.
                let light = |level: f64| curve.decode(level / 255.0);
                let is_near = (shown - f64::from(sent)).abs() < 1.0 || (light(*shown) - light(f64::from(sent))).abs() < 1e-5;
                prop_assert!(is_near, "{:?} {:?}", colour, shown);
            }
        }
    }
}
