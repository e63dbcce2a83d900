//! The opacity of VP8 and VP9 in Matroska and WebM. It is a video stream of its own, whose luma is the opacity: each packet
//! carries the one that belongs to it as a BlockAdditional with ID 1 (Matroska's AlphaMode, RFC 9559, section 5.1.4.1.28.4).

use crate::av::{AvError, CodecContext, Frame, Packet};
use std::collections::VecDeque;

/// Pictures that wait for theirs. A decoder with threads for several pictures holds back no more.
const MAX_WAITING: usize = 32;

/// Decodes what packets carry of opacity, and gives it to the pictures.
#[derive(Default)]
pub(super) struct AlphaDecoder {
    /// Opened for the first packet that carries any.
    context: Option<CodecContext>,
    waiting: VecDeque<Frame>,
}

impl AlphaDecoder {
    /// Whether packets of a codec may carry opacity.
    pub(super) fn is_for(codec: &str) -> bool {
        matches!(codec, "vp8" | "vp9")
    }

    /// Takes what a packet carries, if it does; `colours` decodes the rest of it.
    pub(super) fn send(&mut self, packet: &Packet, number: i64, colours: &CodecContext) -> Result<(), AvError> {
        let Some(data) = packet.alpha() else { return Ok(()) };
        let mut alpha = Packet::from_bytes(data)?;
        alpha.set_number(number);
        if self.context.is_none() {
            self.context = Some(colours.another()?);
        }
        let Some(context) = &mut self.context else { return Ok(()) };
        context.send(Some(&alpha))?;
        drain(context, &mut self.waiting)
    }

    /// No more packets come.
    pub(super) fn finish(&mut self) {
        if let Some(context) = &mut self.context {
            // Fails only if it was told already, or if what is left cannot be decoded.
            let _ = context.send(None).and_then(|()| drain(context, &mut self.waiting));
        }
    }

    /// Gives a picture its opacity, if there is one for it. Without, it is opaque.
    pub(super) fn apply(&mut self, frame: &mut Frame) {
        while self.waiting.front().is_some_and(|alpha| alpha.number() < frame.number()) {
            self.waiting.pop_front();
        }
        if let Some(alpha) = self.waiting.pop_front_if(|alpha| alpha.number() == frame.number()) {
            frame.set_alpha(&alpha);
        }
    }
}

/// Takes all pictures that a decoder has.
fn drain(context: &mut CodecContext, waiting: &mut VecDeque<Frame>) -> Result<(), AvError> {
    loop {
        let mut frame = Frame::new()?;
        match context.receive(&mut frame) {
            Ok(()) => waiting.push_back(frame),
            Err(AvError::AGAIN | AvError::END) => break,
            Err(code) => return Err(code),
        }
    }
    waiting.drain(..waiting.len().saturating_sub(MAX_WAITING));
    Ok(())
}
