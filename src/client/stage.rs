//! A client without a connection: tests publish its frames themselves.

use super::*;
use crate::clock::Moment;
use crate::frame::{Flags, FrameInfo};

/// A client whose stream runs, with frames of one page.
pub(super) fn running(parameters: &[(&str, &str)]) -> (Arc<Client>, u64) {
    let client = Client::new();
    let size = [("url", "model:"), ("width", "64"), ("height", "64"), ("pixel_format", "gray8"), ("lease_slots", "0")];
    for (key, value) in size.iter().chain(parameters) {
        client.set_parameter(key, value).expect("refused");
    }
    show_anew(&client);
    let epoch = client.begin_epoch(&client.view().expect("no view"), State::Running, true);
    (Arc::new(client), epoch)
}

/// Gives the client a new view, as setup does.
pub(super) fn show_anew(client: &Client) {
    let config = Arc::new(client.configure(None).expect("refused"));
    let view = View::new(config, Arc::clone(&client.board.signal), 0).expect("no view");
    *client.view.lock() = Some(Arc::new(view));
}

/// Publishes one frame whose every byte tells its number, if there is memory for it.
pub(super) fn publish(client: &Client, epoch: u64) -> Option<u64> {
    let view = client.view().expect("no view");
    let ring = view.ring().expect("no ring");
    let mut slot = ring.reserve(epoch).ok()?;
    slot.fill(ring.newest_seq() as u8 + 1);
    let moment = Moment { monotonic_ns: 0, wall_ns: 0 };
    ring.publish(
        slot,
        FrameInfo {
            seq: 0,
            generation: 1,
            pts_ns: None,
            capture: None,
            arrival: moment,
            decoded_ns: 0,
            published_ns: 0,
            flags: Flags::default(),
            source_width: 64,
            source_height: 64,
            to_source: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        },
    )
}
