//! Supplemental enhancement information, of which one message matters here: ITU-T H.264 and H.265, annex D.

use super::Recovery;

/// The message that says where decoding may begin, in both.
const RECOVERY_POINT: u32 = 6;

/// A message is looked for within so many bytes.
const MAX_SEI: usize = 4096;

/// How a recovery point counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// Frames, as H.264 does.
    Frames,
    /// The order of output, which may also go back, as H.265 does. Pictures are at least one step apart.
    Order,
}

/// The recovery point among the messages of a unit, behind its header: ITU-T H.264, 7.3.2.3; H.265, 7.3.2.4.
pub(super) fn recovery_point(data: &[u8], count: Count) -> Option<Recovery> {
    let plain = without_escapes(&data[..data.len().min(MAX_SEI)]);
    let mut rest = plain.as_slice();
    // The bits that end the unit make up the last byte.
    while rest.len() > 1 {
        let kind = extended_number(&mut rest)?;
        let size = usize::try_from(extended_number(&mut rest)?).ok()?;
        let (message, others) = rest.split_at_checked(size)?;
        if kind == RECOVERY_POINT {
            return parse(Bits { bytes: message, at: 0 }, count);
        }
        rest = others;
    }
    None
}

fn parse(mut bits: Bits<'_>, count: Count) -> Option<Recovery> {
    let code = bits.exp_golomb()?;
    let frames = match count {
        Count::Frames => code,
        // Codes of signed numbers are 1, -1, 2, -2 and so on: ITU-T H.265, 9.2.2.
        Count::Order if code % 2 == 1 => code.div_ceil(2),
        Count::Order => 0,
    };
    Some(Recovery { frames, is_exact: bits.next()?, is_broken: bits.next()? })
}

/// A number in bytes of which each that is 255 says that another follows.
fn extended_number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    loop {
        let (byte, others) = rest.split_first()?;
        *rest = others;
        number = number.checked_add(u32::from(*byte))?;
        if *byte != 255 {
            return Some(number);
        }
    }
}

/// Bits, the highest of each byte first.
pub(super) struct Bits<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl Bits<'_> {
    fn next(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Some(bit)
    }

    /// An Exp-Golomb code: ITU-T H.264, 9.1.
    pub(super) fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.next()? {
            zeros += 1;
        }
        let mut number = 1_u64;
        for _ in 0..zeros {
            number = number.checked_mul(2)?.checked_add(u64::from(self.next()?))?;
        }
        u32::try_from(number - 1).ok()
    }
}

/// Bytes without those that keep start codes from showing up in them: ITU-T H.264, 7.4.1.
pub(super) fn without_escapes(data: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(data.len());
    let mut zeros = 0;
    for byte in data {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_point_is_found_behind_other_messages() {
        // A message of 3 bytes, one of 300, then a recovery point of 3 (00100), exact, and the end.
        let mut sei = vec![5, 3, 0, 0, 3, 0];
        sei.extend([5, 255, 45]);
        sei.extend([9; 300]);
        sei.extend([6, 2, 0b0010_0100, 0, 0x80]);
        let recovery = |frames, is_exact, is_broken| Some(Recovery { frames, is_exact, is_broken });
        assert_eq!(recovery_point(&sei, Count::Frames), recovery(3, true, false));
        assert_eq!(recovery_point(&sei, Count::Order), recovery(2, true, false));
        assert_eq!(recovery_point(&[6, 1, 0b1010_0000, 0x80], Count::Frames), recovery(0, false, true));
        // It goes back by one: it is over when it begins.
        assert_eq!(recovery_point(&[6, 1, 0b0111_0000, 0x80], Count::Order), recovery(0, true, false));
        for broken in [&[][..], &[6], &[6, 9, 1], &[255, 255], &[6, 1, 0, 0x80], &[6, 1, 1, 0x80]] {
            assert_eq!(recovery_point(broken, Count::Frames), None, "{broken:?}");
        }
    }
}
