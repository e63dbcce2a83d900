//! What libav reports in its log and nowhere else: data that it discarded, and why a decoder refused a packet.
//!
//! The texts are those of FFmpeg 5.1 to 9. Lines about packets that carry nothing, or whose loss another line has counted
//! already ("jitter buffer full", "dropping old packet received too late"), are left out on purpose.

use std::cell::RefCell;

/// What a line of the log means for the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Data is missing, possibly from the middle of a picture.
    Damage,
    /// Whole pictures are missing: the next key frame is intact.
    Gap,
    /// The same, unless it is tried again with success.
    PossibleGap,
    /// The file is shorter than its container declares.
    Truncation,
}

/// A text, with `{}` in place of the number of packets that were lost; one packet where it has none.
type Discard = (&'static str, Effect);

/// How libavformat reports that it discarded or missed data. Texts that begin alike stand once.
const DISCARDS: &[Discard] = {
    use Effect::{Damage, Gap, PossibleGap, Truncation};
    &[
        // rtpdec.c
        ("RTP: missed {} packets", Damage),
        (": bad cseq ", Damage),
        // rtpdec_h264.c
        ("nal size exceeds length", Damage),
        ("Too short data for FU-A H.264 RTP packet", Damage),
        ("Undefined type (", Damage),
        ("RTP H.264 NAL unit type", Damage),
        // rtpdec_hevc.c
        ("Too short RTP/HEVC packet", Damage),
        ("Illegal temporal ID in RTP/HEVC packet", Damage),
        ("Unsupported (HEVC) NAL type", Damage),
        ("Illegal combination of S and E bit in RTP/HEVC packet", Damage),
        ("Multi-layer HEVC coding", Damage),
        ("PACI packets for RTP/HEVC", Damage),
        // rtpdec_jpeg.c: whole pictures, on which no other builds.
        ("Too short RTP/JPEG packet", Gap),
        ("Invalid RTP/JPEG packet", Gap),
        ("RTP/JPEG type", Gap),
        ("No quantization tables known for", Gap),
        ("Reserved q value", Gap),
        ("Received packet without a start chunk; dropping frame", Gap),
        ("RTP timestamps don't match", Gap),
        ("Missing packets; dropping frame", Gap),
        // rtpdec_vp8.c
        ("Keyframe missing", Damage),
        (", sequence broken", Damage),
        ("Received no start marker", Damage),
        // rtpdec_vp9.c
        ("Too short RTP/VP9 packet", Damage),
        ("Invalid combination of B and M marker", Damage),
        // rtpdec_av1.c
        ("AV1 RTP packet too short", Damage),
        ("Illegal aggregation header in first AV1 RTP packet", Damage),
        ("dropping temporal unit", Damage),
        ("fragment continuation in AV1 RTP packet", Damage),
        ("larger than remaining pkt size", Damage),
        ("Unreasonable AV1 OBU size", Damage),
        ("Forbidden bit set in AV1 OBU header", Damage),
        // rtpdec_h263.c, rtpdec_h263_rfc2190.c, rtpdec_vc2hq.c, rtpdec_dv.c, rtpdec_rfc4175.c
        ("Too short H.263 RTP packet", Damage),
        ("Too short RTP/VC2hq packet", Damage),
        ("Dropping buffered RTP/VC2hq packet fragments", Damage),
        ("Too short RTP/DV packet", Damage),
        ("Missed previous RTP Marker", Damage),
        // rtpdec_mpeg4.c
        ("Invalid AU size", Damage),
        ("Error parsing AU headers", Damage),
        ("Missed some packets, discarding frame", Damage),
        ("First AU larger than packet size", Damage),
        // rtpdec_xiph.c: Theora
        ("Received packet without a start fragment; dropping", Damage),
        // udp.c, librist.c
        ("Circular buffer overrun", Damage),
        ("Fifo buffer overrun", Damage),
        ("Part of datagram lost due to insufficient buffer size", Damage),
        // hls.c, dashdec.c
        ("skipping {} segments ahead, expired from playlists", Gap),
        ("Failed to open segment", PossibleGap),
        ("Failed to open fragment", PossibleGap),
        // http.c: a segment, or the whole
        ("Stream ends prematurely at", Damage),
        // rtmppkt.c, oggdec.c
        ("RTMP packet size mismatch", Damage),
        ("CRC mismatch!", Damage),
        // mov.c, matroskadec.c, aviobuf.c, flvdec.c
        (": partial file", Truncation),
        ("File ended prematurely", Truncation),
        ("Truncating packet of size", Truncation),
        ("Premature EOF", Truncation),
    ]
};

thread_local! {
    static REMARKS: RefCell<Remarks> = const { RefCell::new(Remarks::NONE) };
    static LAST_ERROR: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What libav reported in its log and nowhere else.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Remarks {
    /// Packets, segments or other parts that were discarded or missed.
    pub(crate) lost: u64,
    /// Data is missing, possibly from the middle of a picture.
    pub(crate) is_damaged: bool,
    /// Whole pictures are missing.
    pub(crate) has_gap: bool,
    /// A packet of a transport stream was damaged. The mark on it does not survive the parser.
    pub(crate) is_corrupt: bool,
    /// The file is shorter than its container declares.
    pub(crate) is_truncated: bool,
    /// The size of a picture that a decoder refused for being too large.
    pub(crate) refused_size: Option<String>,
}

impl Remarks {
    const NONE: Self =
        Self { lost: 0, is_damaged: false, has_gap: false, is_corrupt: false, is_truncated: false, refused_size: None };

    /// Those made on this thread since they were taken last.
    pub(crate) fn take() -> Self {
        REMARKS.with_borrow_mut(std::mem::take)
    }

    /// The last error that was logged on this thread since this was called last.
    pub(crate) fn take_last_error() -> Option<String> {
        LAST_ERROR.take()
    }

    /// Notes a line that was logged on this thread.
    pub(super) fn note_here(text: &str, is_error: bool) {
        REMARKS.with_borrow_mut(|remarks| remarks.note(text));
        if is_error && !text.is_empty() {
            LAST_ERROR.set(Some(text.to_owned()));
        }
    }

    fn note(&mut self, text: &str) {
        if let Some((lost, effect)) = DISCARDS.iter().find_map(|discard| matched(text, discard)) {
            match effect {
                Effect::Damage => self.is_damaged = true,
                Effect::Gap | Effect::PossibleGap => self.has_gap = true,
                Effect::Truncation => self.is_truncated = true,
            }
            if matches!(effect, Effect::Damage | Effect::Gap) {
                self.lost = self.lost.saturating_add(lost);
            }
        }
        self.is_corrupt |= text.contains("Packet corrupt (stream");
        self.refused_size = between(text, "Picture size ", " exceeds").map(str::to_owned).or(self.refused_size.take());
    }
}

/// How much was lost, and with which effect, if the line is this one.
fn matched(text: &str, &(pattern, effect): &Discard) -> Option<(u64, Effect)> {
    let lost = match pattern.split_once("{}") {
        Some((before, after)) => between(text, before, after)?.parse().unwrap_or(0),
        None => u64::from(text.contains(pattern)),
    };
    (lost > 0).then_some((lost, effect))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remarks(lines: &[&str]) -> Remarks {
        let mut remarks = Remarks::default();
        lines.iter().for_each(|line| remarks.note(line));
        remarks
    }

    #[test]
    fn discarded_packets_are_counted_and_damage_pictures() {
        let lines = ["rtsp: RTP: missed 12 packets", "RTP: missed -1 packets", "RTP: missed", "", "anything"];
        assert_eq!(remarks(&lines), Remarks { lost: 12, is_damaged: true, ..Remarks::NONE });
        let lines = ["rtsp: RTP: PT=60: bad cseq 1389 expected=00c8", "sdp: nal size exceeds length: 9 5"];
        assert_eq!(remarks(&lines), Remarks { lost: 2, is_damaged: true, ..Remarks::NONE });
        let lines = ["rtsp: jitter buffer full", "rtsp: RTP: dropping old packet received too late"];
        assert_eq!(remarks(&lines), Remarks::NONE, "counted as missed already");
    }

    #[test]
    fn segments_that_are_passed_over_are_a_gap() {
        let lines =
            ["hls: skipping 3 segments ahead, expired from playlists", "hls: Failed to open segment 7 of playlist 0"];
        assert_eq!(remarks(&lines), Remarks { lost: 3, has_gap: true, ..Remarks::NONE });
    }

    #[test]
    fn corrupt_packets_truncated_files_and_refused_sizes_are_found() {
        let found = remarks(&[
            "mpegts: Packet corrupt (stream = 0, dts = 123).",
            "IMGUTILS: Picture size 1280x960 exceeds specified max pixel count 1048576",
            "mov,mp4,m4a,3gp,3g2,mj2: stream 0, offset 0x1a2b: partial file",
            "anything",
        ]);
        assert!(found.is_corrupt && found.is_truncated && found.refused_size.as_deref() == Some("1280x960"));
        assert_eq!((found.lost, found.is_damaged), (0, false));
    }

    #[test]
    fn the_last_error_is_kept() {
        for (text, is_error) in [("first", true), ("webp: image data not found", true), ("a warning", false)] {
            Remarks::note_here(text, is_error);
        }
        assert_eq!(Remarks::take_last_error().as_deref(), Some("webp: image data not found"));
        assert_eq!(Remarks::take_last_error(), None);
    }

    /// FFmpeg changes its words now and then: each of them is looked for in the library that the tests run with.
    #[test]
    fn this_build_of_libavformat_uses_these_texts() {
        // Added after FFmpeg 5.1, or left out of small builds.
        let optional = ["AV1", "temporal unit", "remaining pkt size", "Fifo buffer overrun", "Premature EOF"];
        let maps = std::fs::read_to_string("/proc/self/maps").expect("not Linux");
        let Some(path) =
            maps.lines().filter_map(|line| line.split_whitespace().nth(5)).find(|p| p.contains("libavformat"))
        else {
            return; // Linked statically: the texts above are in this very program.
        };
        let library = std::fs::read(path).expect("cannot be read");
        let contains = |text: &str| library.windows(text.len()).any(|window| window == text.as_bytes());
        for (pattern, _) in DISCARDS {
            let missing: Vec<&str> = pattern.split("{}").filter(|part| !contains(part)).collect();
            assert!(missing.is_empty() || optional.iter().any(|text| pattern.contains(text)), "{pattern}");
        }
    }
}
