//! Which units can be trusted after a loss: those that build on nothing that is missing.

use super::{AccessUnit, Entry, Integrity};

/// Follows a stream in the order in which it is decoded.
pub(crate) struct Trust {
    state: State,
    /// Pictures shown before this time are from before the point at which decoding began anew.
    leading_before: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    /// Something is missing that what follows builds on.
    Lost,
    /// Good after so many more frames that others build on.
    Healing(u32),
}

impl Trust {
    /// A stream that is joined in its middle.
    pub(crate) fn new() -> Self {
        Self { state: State::Lost, leading_before: None }
    }

    /// Whether the picture of the next unit is right. Units are asked for one by one, none left out.
    pub(crate) fn holds(&mut self, unit: &AccessUnit) -> bool {
        match (unit.integrity, unit.entry) {
            (Integrity::Damaged, _) => self.state = State::Lost,
            (_, Entry::Clean) => self.begin_anew(None),
            (Integrity::Sound, Entry::Open) if self.state == State::Good => {}
            (_, Entry::Open) => self.begin_anew(Some(unit.timestamp)),
            (Integrity::AfterGap, Entry::None) => self.state = State::Lost,
            (Integrity::AfterGap, Entry::Gradual(frames)) => self.heal_after(frames),
            (Integrity::Sound, Entry::Gradual(frames)) if self.state == State::Lost => self.heal_after(frames),
            (Integrity::Sound, _) => self.count(unit),
        }
        let is_leading = self.leading_before.is_some_and(|time| unit.timestamp < time);
        self.state == State::Good && !is_leading
    }

    fn begin_anew(&mut self, leading_before: Option<i64>) {
        self.state = State::Good;
        self.leading_before = leading_before;
    }

    /// A frame may be coded as two fields, each a unit of its own: twice as many units are sure to be enough.
    fn heal_after(&mut self, frames: u32) {
        self.state = State::Healing(frames.saturating_add(1).saturating_mul(2));
        self.leading_before = None;
    }

    fn count(&mut self, unit: &AccessUnit) {
        if let State::Healing(left) = self.state
            && unit.starts_picture
            && unit.is_reference
        {
            self.state = if left <= 1 { State::Good } else { State::Healing(left - 1) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Entry::{Clean, Gradual, Open};
    use Integrity::{AfterGap, Damaged, Sound};

    fn trusted(units: &[(i64, Integrity, Entry)]) -> Vec<bool> {
        let mut trust = Trust::new();
        let unit = |(timestamp, integrity, entry): (i64, Integrity, Entry)| AccessUnit {
            data: Vec::new(),
            timestamp,
            lost: 0,
            integrity,
            entry,
            starts_picture: true,
            is_reference: true,
        };
        units.iter().map(|described| trust.holds(&unit(*described))).collect()
    }

    #[test]
    fn nothing_is_trusted_between_a_loss_and_a_key_frame() {
        let none = Entry::None;
        let units = [
            (0, Sound, none),
            (1, AfterGap, Clean),
            (2, Sound, none),
            (3, Damaged, none),
            (4, Sound, none),
            (5, Damaged, Clean),
            (6, Sound, none),
            (7, Sound, Clean),
            (8, AfterGap, none),
        ];
        assert_eq!(trusted(&units), [false, true, true, false, false, false, false, true, false]);
    }

    #[test]
    fn leading_pictures_are_not_trusted_where_decoding_began_anew() {
        let none = Entry::None;
        let units = [(3, Sound, Open), (1, Sound, none), (2, Sound, none), (6, Sound, none), (4, Sound, none)];
        assert_eq!(trusted(&units), [true, false, false, true, true]);
        // Nothing is missing before the second entry.
        let units = [(0, Sound, Clean), (3, Sound, Open), (1, Sound, none)];
        assert_eq!(trusted(&units), [true, true, true]);
    }

    #[test]
    fn a_refresh_in_parts_heals_after_its_frames() {
        let none = Entry::None;
        let mut units = vec![(0, Damaged, none), (1, Sound, Gradual(1))];
        units.extend((2..8).map(|time| (time, Sound, none)));
        assert_eq!(trusted(&units), [false, false, false, false, false, true, true, true]);
        units.insert(4, (4, AfterGap, none));
        assert!(trusted(&units).iter().all(|is_trusted| !is_trusted));
    }
}
