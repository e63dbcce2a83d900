//! The states of a client.

use crate::error::numbered;

numbered! {
    /// Where a client stands in its life.
    State {
        Idle = 0, "IDLE", "not set up";
        Connecting = 1, "CONNECTING", "connecting for the first time";
        Ready = 2, "READY", "connected, not started";
        WaitingKeyframe = 3, "WAITING_KEYFRAME", "started, waiting for a picture to begin with";
        Running = 4, "RUNNING", "frames are coming";
        Stalled = 5, "STALLED", "started, but no packet has come for a while";
        Reconnecting = 6, "RECONNECTING", "the stream was lost and is being connected again";
        Stopped = 7, "STOPPED", "terminated, can be started again";
        Ended = 8, "ENDED", "the source came to its end";
        Failed = 9, "FAILED", "given up, see the client's error";
    }
}

impl State {
    /// Whether new frames may still come without another call.
    pub fn is_living(self) -> bool {
        matches!(self, Self::Connecting | Self::WaitingKeyframe | Self::Running | Self::Stalled | Self::Reconnecting)
    }
}
