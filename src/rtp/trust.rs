//! Which units can be trusted after a loss: those that build on nothing that is missing.
//!
//! Only what the format itself guarantees counts as exact: a picture that builds on none before it. An encoder that
//! refreshes the picture in parts promises that it will be right, too, and says "to the bit". None keeps that: of x264's
//! streams some are wrong for two refreshes after a loss, of x265's most for ten and more. So what it promises stays told
//! apart until the next whole picture, however long that takes.

use super::{AccessUnit, Integrity};
use crate::nal::{Entry, Lead};

/// What the picture of a unit is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It is what was sent.
    Exact,
    /// It is as far as the encoder has kept its promise: all of it was refreshed since the last loss.
    Promised,
    Doubtful,
}

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
    /// Something is missing that what follows builds on.
    Lost,
    /// The picture is being refreshed in parts, which is over after so many more frames that others build on.
    Refreshing(u32),
    /// All of it was.
    Refreshed,
}

impl Trust {
    /// A stream that is joined in its middle: all that came before is missing.
    pub(crate) fn new() -> Self {
        Self { state: State::Lost, leading: Leading::Good }
    }

    /// Something that was judged is not there after all for what follows to build on.
    pub(crate) fn doubt(&mut self) {
        self.state = State::Lost;
    }

    /// What the picture of the next unit is worth. Units are asked for one by one, none left out.
    pub(crate) fn judge(&mut self, unit: &AccessUnit) -> Worth {
        let is_good = self.state == State::Good;
        match (unit.integrity, unit.entry) {
            (Integrity::Damaged, _) | (Integrity::AfterGap, Entry::None) => self.state = State::Lost,
            (_, Entry::Clean) => self.begin_anew(Leading::Good),
            (Integrity::Sound, Entry::Open) if is_good => self.begin_anew(Leading::Good),
            (_, Entry::Open | Entry::Broken) => self.begin_anew(Leading::Bad),
            (Integrity::AfterGap, Entry::Gradual(frames)) => self.refresh(frames),
            (Integrity::Sound, Entry::Gradual(frames)) if self.state == State::Lost => self.refresh(frames),
            (Integrity::Sound, Entry::Gradual(_) | Entry::None) => self.count(unit),
        }
        let is_astray = self.is_led_astray(unit);
        match self.state {
            State::Good if !is_astray => Worth::Exact,
            State::Refreshed => Worth::Promised,
            _ => Worth::Doubtful,
        }
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

    fn refresh(&mut self, frames: u32) {
        self.state = if frames == 0 { State::Refreshed } else { State::Refreshing(frames) };
    }

    fn count(&mut self, unit: &AccessUnit) {
        if let State::Refreshing(left) = self.state
            && unit.starts_picture
            && unit.is_reference
        {
            self.refresh(left - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Entry::{Broken, Clean, Gradual, Open};
    use Integrity::{AfterGap, Damaged, Sound};
    use Worth::{Doubtful, Exact, Promised};

    fn judged(units: &[(Integrity, Entry, Lead)]) -> Vec<Worth> {
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
        units.iter().map(|described| trust.judge(&unit(*described))).collect()
    }

    #[test]
    fn nothing_is_trusted_between_a_loss_and_a_key_frame() {
        let none = Entry::None;
        let units = [
            (Sound, none, Doubtful),
            (AfterGap, Clean, Exact),
            (Sound, none, Exact),
            (Damaged, none, Doubtful),
            (Sound, none, Doubtful),
            (Damaged, Clean, Doubtful),
            (Sound, none, Doubtful),
            (Sound, Clean, Exact),
            (AfterGap, none, Doubtful),
        ];
        let given = units.map(|(integrity, entry, _)| (integrity, entry, Lead::No));
        assert_eq!(judged(&given), units.map(|(_, _, worth)| worth));
    }

    #[test]
    fn leading_pictures_are_not_trusted_where_decoding_began_anew() {
        let unit = |lead| (Sound, Entry::None, lead);
        for (lead, later) in [(Lead::Perhaps, Exact), (Lead::Yes, Doubtful)] {
            for entry in [Open, Broken] {
                let mut units = vec![(Sound, entry, Lead::No), unit(lead), unit(lead), unit(Lead::No), unit(lead)];
                let anew = [Exact, Doubtful, Doubtful, Exact, later];
                assert_eq!(judged(&units), anew);
                // Nothing is missing before this entry.
                units.insert(0, (Sound, Clean, Lead::No));
                assert_eq!(judged(&units)[1..], if entry == Open { [Exact; 5] } else { anew });
            }
        }
    }

    #[test]
    fn a_refresh_in_parts_is_a_promise_and_no_more() {
        let unit = |integrity, entry| (integrity, entry, Lead::No);
        let (damaged, plain) = (unit(Damaged, Entry::None), unit(Sound, Entry::None));
        let refresh = unit(Sound, Gradual(2));
        let promised = [damaged, refresh, plain, plain, refresh, plain];
        assert_eq!(judged(&promised), [Doubtful, Doubtful, Doubtful, Promised, Promised, Promised]);
        assert_eq!(judged(&[plain, unit(AfterGap, Gradual(0)), plain]), [Doubtful, Promised, Promised]);
        // A refresh is a picture like others where nothing is missing, and what is lost in its course begins it anew.
        let units = [
            (unit(Sound, Clean), Exact),
            (refresh, Exact),
            (plain, Exact),
            (unit(AfterGap, Gradual(2)), Doubtful),
            (unit(Sound, Gradual(2)), Doubtful),
            (damaged, Doubtful),
            (plain, Doubtful),
            (unit(Sound, Clean), Exact),
        ];
        assert_eq!(judged(&units.map(|(unit, _)| unit)), units.map(|(_, worth)| worth));
    }

    #[test]
    fn what_is_doubted_from_outside_builds_on_nothing() {
        let mut trust = Trust::new();
        trust.begin_anew(Leading::Good);
        trust.doubt();
        assert_eq!(trust.state, State::Lost);
    }
}
