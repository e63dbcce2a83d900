//! Learning of what happens: events to be asked for, a descriptor to poll, and waiting for the first of many streams.

use super::Client;
use super::turns::ClientSet;
use crate::cancel::CancelToken;
use crate::clock::deadline_in;
use crate::error::{Error, Result, Status};
use crate::event::{Bell, Event};
use crate::ring::Ring;
use crate::sync::{Arc, Ordering, Signal};
use std::time::Instant;

impl Client {
    /// The oldest event that nobody has asked for yet.
    pub fn next_event(&self) -> Option<Event> {
        let event = self.board.next_event();
        self.settle_bell();
        event
    }

    /// A descriptor that is readable while an event waits, or a frame newer than the armed number exists. It belongs to
    /// the client.
    ///
    /// # Errors
    /// `SYSTEM` if the operating system has none to give.
    pub fn event_fd(&self) -> Result<i32> {
        let mut bell = self.bell.lock();
        if let Some(bell) = bell.as_ref() {
            return Ok(bell.descriptor());
        }
        // What it looks at holds the signal, which holds the bell.
        let (board, view) = (Arc::downgrade(&self.board), Arc::downgrade(&self.view));
        let armed_seq = Arc::clone(&self.armed_seq);
        let new = Bell::new(move || {
            let newest = || view.upgrade()?.lock().as_ref()?.ring().map(Ring::newest_readable);
            let has_event = board.upgrade().is_some_and(|board| board.has_event());
            has_event || newest().is_some_and(|newest| newest > armed_seq.load(Ordering::SeqCst))
        })?;
        let hooked = Arc::clone(&new);
        self.board.signal.set_hook(Box::new(move || hooked.settle()));
        new.settle();
        let descriptor = new.descriptor();
        *bell = Some(new);
        Ok(descriptor)
    }

    /// Has the descriptor be readable once there is a frame newer than this one; `u64::MAX`: for no frame.
    pub fn event_arm(&self, after_seq: u64) {
        self.armed_seq.store(after_seq, Ordering::SeqCst);
        self.settle_bell();
    }

    fn settle_bell(&self) {
        let bell = self.bell.lock().clone();
        if let Some(bell) = bell {
            bell.settle();
        }
    }

    /// The newest frame's number if it is newer than `after_seq`; why there will be none, if so.
    fn newer_than(&self, after_seq: u64) -> Result<Option<u64>> {
        let view = self.view()?;
        let standstill = self.board.standstill();
        match view.ring().map_or(0, Ring::newest_readable) {
            newest if newest > after_seq => Ok(Some(newest)),
            _ if standstill.is_some() => Err(self.absence(standstill)),
            _ => Ok(None),
        }
    }
}

/// Waits until one of the clients has a frame newer than the number beside it. Returns its index; where several have one,
/// that of the client that was returned least recently.
///
/// # Errors
/// As `mpegclient_wait_any` in the C header.
pub fn wait_any(clients: &[(&Client, u64)], timeout_ms: i64, cancel: Option<&CancelToken>) -> Result<usize> {
    let deadline = deadline_in(timeout_ms);
    let set = ClientSet::of(clients.iter().map(|(client, _)| *client));
    let signal = Arc::new(Signal::default());
    let leaders = clients.iter().map(|(client, _)| &*client.board.signal).chain(cancel.map(|cancel| &cancel.signal));
    let _following: Vec<_> = leaders.map(|leader| signal.follow(leader)).collect();
    loop {
        let seen = signal.now();
        let (mut next, mut standstill, mut is_living) = (None, None, false);
        for (index, (client, after_seq)) in clients.iter().enumerate() {
            client.check_interruption(cancel)?;
            match client.newer_than(*after_seq) {
                // Of two entries of one client, the one that is farther behind is next.
                Ok(Some(_)) => next = next.into_iter().chain([(client.turns.last(set), *after_seq, index)]).min(),
                Ok(None) => is_living = true,
                Err(error) => standstill = standstill.or(Some(error)),
            }
        }
        if let Some((_, _, index)) = next {
            clients[index].0.turns.take(set);
            return Ok(index);
        }
        if let Some(error) = standstill.filter(|_| !is_living) {
            return Err(error);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::new(Status::Timeout, format!("none of {} streams has a newer frame", clients.len())));
        }
        signal.wait_after(seen, deadline);
    }
}
