//! Which units can be trusted after a loss: those that build on nothing that is missing.

use super::{AccessUnit, Entry, Integrity, Lead};

/// Follows a stream in the order in which it is decoded.
pub(crate) struct Trust {
    state: State,
    leading: Leading,
}

/// What is known of pictures that lead the last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leading {
    /// What they build on was good.
    Good,
    /// It was not.
    Bad,
    /// It was not, but all that may have been such pictures have come.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    /// It was joined in its middle: nothing wrong has been seen yet that could outlive a first refresh.
    Joined,
    /// Something is missing that what follows builds on.
    Lost,
    /// The picture has begun to be refreshed in parts since.
    Refreshed,
    /// It is refreshed a second time, and good after so many more frames that others build on. Encoders promise it after
    /// the first, but let some of what is wrong through: x264 often does once, and seldom for longer.
    Healing(u32),
}

impl Trust {
    /// A stream that is joined in its middle.
    pub(crate) fn new() -> Self {
        Self { state: State::Joined, leading: Leading::Good }
    }

    /// Whether the picture of the next unit is right. Units are asked for one by one, none left out.
    pub(crate) fn holds(&mut self, unit: &AccessUnit) -> bool {
        let is_joined = self.state == State::Joined && unit.lost == 0;
        match (unit.integrity, unit.entry) {
            (Integrity::Damaged, _) | (Integrity::AfterGap, Entry::None) if is_joined => {}
            (Integrity::AfterGap | Integrity::Sound, Entry::Gradual(frames)) if is_joined => self.heal_after(frames),
            (Integrity::Damaged, _) => self.state = State::Lost,
            (_, Entry::Clean) => self.begin_anew(Leading::Good),
            (Integrity::Sound, Entry::Open) if self.state == State::Good => self.begin_anew(Leading::Good),
            (_, Entry::Open) => self.begin_anew(Leading::Bad),
            (Integrity::AfterGap, Entry::None) => self.state = State::Lost,
            (Integrity::AfterGap, Entry::Gradual(_)) => self.state = State::Refreshed,
            (Integrity::Sound, Entry::Gradual(_)) if self.state == State::Lost => self.state = State::Refreshed,
            (Integrity::Sound, Entry::Gradual(frames)) if self.state == State::Refreshed => self.heal_after(frames),
            (Integrity::Sound, Entry::Gradual(_)) => {}
            (Integrity::Sound, Entry::None) => self.count(unit),
        }
        self.state == State::Good && !self.is_led_astray(unit)
    }

    fn begin_anew(&mut self, leading: Leading) {
        self.state = State::Good;
        self.leading = leading;
    }

    fn is_led_astray(&mut self, unit: &AccessUnit) -> bool {
        match (self.leading, unit.lead) {
            (Leading::Good, _) | (Leading::Over, Lead::Perhaps) => false,
            (_, Lead::Yes) | (Leading::Bad, Lead::Perhaps) => true,
            (Leading::Bad, Lead::No) if unit.starts_picture && unit.entry == Entry::None => {
                self.leading = Leading::Over;
                false
            }
            (_, Lead::No) => false,
        }
    }

    fn heal_after(&mut self, frames: u32) {
        self.state = State::Healing(frames.max(1));
        self.leading = Leading::Good;
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

    fn trusted(units: &[(Integrity, Entry, Lead)]) -> Vec<bool> {
        let mut trust = Trust::new();
        let unit = |(integrity, entry, lead): (Integrity, Entry, Lead)| AccessUnit {
            data: Vec::new(),
            timestamp: 0,
            lost: 0,
            integrity,
            entry,
            starts_picture: true,
            is_reference: true,
            lead,
        };
        units.iter().map(|described| trust.holds(&unit(*described))).collect()
    }

    #[test]
    fn nothing_is_trusted_between_a_loss_and_a_key_frame() {
        let none = Entry::None;
        let units = [
            (Sound, none),
            (AfterGap, Clean),
            (Sound, none),
            (Damaged, none),
            (Sound, none),
            (Damaged, Clean),
            (Sound, none),
            (Sound, Clean),
            (AfterGap, none),
        ];
        let units = units.map(|(integrity, entry)| (integrity, entry, Lead::No));
        assert_eq!(trusted(&units), [false, true, true, false, false, false, false, true, false]);
    }

    #[test]
    fn leading_pictures_are_not_trusted_where_decoding_began_anew() {
        let unit = |lead| (Sound, Entry::None, lead);
        for (lead, is_later_trusted) in [(Lead::Perhaps, true), (Lead::Yes, false)] {
            let mut units = vec![(Sound, Open, Lead::No), unit(lead), unit(lead), unit(Lead::No), unit(lead)];
            assert_eq!(trusted(&units), [true, false, false, true, is_later_trusted]);
            // Nothing is missing before this entry.
            units.insert(0, (Sound, Clean, Lead::No));
            assert!(trusted(&units).iter().all(|is_trusted| *is_trusted));
        }
    }

    #[test]
    fn a_refresh_in_parts_heals_when_it_has_been_done_twice() {
        let unit = |integrity, entry| (integrity, entry, Lead::No);
        let (damaged, plain) = (unit(Damaged, Entry::None), unit(Sound, Entry::None));
        let refresh = unit(Sound, Gradual(1));
        let refresh_of_2 = unit(Sound, Gradual(2));
        // Nobody knows what came before the first.
        assert_eq!(trusted(&[damaged, refresh_of_2, plain, plain, plain]), [false, false, false, true, true]);
        let mut units = vec![
            plain,
            unit(AfterGap, Entry::Clean),
            damaged,
            refresh,
            plain,
            plain,
            refresh_of_2,
            plain,
            plain,
            plain,
        ];
        assert_eq!(trusted(&units), [false, true, false, false, false, false, false, false, true, true]);
        units.insert(8, unit(AfterGap, Entry::None));
        assert!(trusted(&units)[2..].iter().all(|is_trusted| !is_trusted));
    }
}
