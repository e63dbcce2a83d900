//! What a source opens and closes besides itself: playlists, segments, initialization segments.

use super::ffi;
use crate::sync::Mutex;

/// The decoder configuration of an initialization segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InitSegment {
    /// `avcC` or `hvcC`: ISO/IEC 14496-15, sections 5.3.4 and 8.3.2.
    kind: [u8; 4],
    pub(crate) configuration: Vec<u8>,
    /// Units of a second: ISO/IEC 14496-12, section 8.4.2.
    timescale: u32,
}

impl InitSegment {
    /// That of a file's beginning; `None` if it is no initialization segment of H.264 or H.265 video.
    fn parse(data: &[u8]) -> Option<Self> {
        let is_init = matches!(data.get(4..8), Some(b"ftyp" | b"moov"));
        let find = |kind: &[u8]| data.windows(4).position(|window| window == kind);
        let (kind, at) = [b"avcC", b"hvcC"].into_iter().find_map(|kind| Some((*kind, find(kind)?)))?;
        let size = be32(data, at.checked_sub(4)?)? as usize;
        let configuration = data.get(at + 4..at.checked_add(size)?.checked_sub(4)?)?.to_vec();
        let header = find(b"mdhd")?;
        // Creation and modification times stand in front, of 64 bits in version 1.
        let timescale = be32(data, header + if *data.get(header + 4)? == 1 { 24 } else { 16 })?;
        is_init.then_some(Self { kind, configuration, timescale })
    }

    /// Whether packets behind the other can be read as if they were of this one, but for the configuration.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.kind, self.timescale) == (other.kind, other.timescale)
    }
}

fn be32(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

/// Notes what is opened and closed on behalf of one source.
#[derive(Default)]
pub(super) struct NestedLog(Mutex<State>);

#[derive(Default)]
struct State {
    /// The address of each IO context that is open, and its URL.
    open: Vec<(usize, String)>,
    /// What was read to its end before the first packet: playlists, which are read again and again.
    playlists: Vec<String>,
    is_reading: bool,
    has_passed_edge: bool,
    init: Option<InitSegment>,
    new_init: Option<(InitSegment, InitSegment)>,
}

impl NestedLog {
    pub(super) fn opened(&self, io: usize, url: String) {
        self.0.lock().open.push((io, url));
    }

    /// The header has been read: what is closed from now on is a segment, unless it is known as a playlist.
    pub(super) fn begin_reading(&self) {
        self.0.lock().is_reading = true;
    }

    /// Notes that something was closed, with the data that is still in its buffer.
    pub(super) fn closed(&self, io: usize, data: &[u8]) {
        let mut state = self.0.lock();
        let Some(at) = state.open.iter().position(|(open, _)| *open == io) else { return };
        let (_, url) = state.open.swap_remove(at);
        if let Some(init) = InitSegment::parse(data) {
            let before = state.init.replace(init.clone()).filter(|before| *before != init);
            state.new_init = before.map(|before| (before, init)).or(state.new_init.take());
        }
        if !state.is_reading {
            state.playlists.push(url);
        } else if !state.playlists.contains(&url) {
            state.has_passed_edge = true;
        }
    }

    /// Whether a segment was read to its end since this was asked last.
    pub(super) fn take_edge(&self) -> bool {
        std::mem::take(&mut self.0.lock().has_passed_edge)
    }

    /// The initialization segment before and the one that took its place, since this was asked last.
    pub(super) fn take_new_init(&self) -> Option<(InitSegment, InitSegment)> {
        self.0.lock().new_init.take()
    }
}

/// What an IO context has in its buffer.
///
/// # Safety
/// The context is NULL or valid, and not in use elsewhere for as long as the slice is.
pub(super) unsafe fn buffered<'a>(io: *const ffi::AVIOContext) -> &'a [u8] {
    if io.is_null() {
        return &[];
    }
    // SAFETY: of a valid context the data lies from `buffer` up to `buf_end`, both in one allocation, or both are NULL.
    unsafe {
        let (buffer, end) = ((*io).buffer, (*io).buf_end);
        if buffer.is_null() || end <= buffer {
            return &[];
        }
        std::slice::from_raw_parts(buffer, end.offset_from_unsigned(buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).expect("too large").to_be_bytes();
        [&size[..], kind, content].concat()
    }

    fn init(configuration: &[u8], timescale: u32) -> Vec<u8> {
        let mut header = vec![0; 24];
        header[12..16].copy_from_slice(&timescale.to_be_bytes());
        let moov = [boxed(b"mdhd", &header), boxed(b"avcC", configuration)].concat();
        [boxed(b"ftyp", b"iso5"), boxed(b"moov", &moov)].concat()
    }

    #[test]
    fn initialization_segments_are_taken_apart() {
        let parsed = InitSegment::parse(&init(&[1, 2, 3], 12_800)).expect("not parsed");
        assert_eq!(
            (parsed.kind, parsed.configuration.as_slice(), parsed.timescale),
            (*b"avcC", &[1, 2, 3][..], 12_800)
        );
        let whole = init(&[1, 2, 3], 12_800);
        assert!((0..whole.len()).all(|end| InitSegment::parse(&whole[..end]).is_none()));
        assert_eq!(InitSegment::parse(&boxed(b"styp", &whole)), None);
    }

    #[test]
    fn segments_have_edges_and_playlists_have_none() {
        let log = NestedLog::default();
        log.opened(1, "list".to_owned());
        log.closed(1, b"#EXTM3U");
        log.begin_reading();
        log.opened(1, "list".to_owned());
        log.opened(2, "segment".to_owned());
        log.closed(1, b"#EXTM3U");
        assert!(!log.take_edge());
        log.closed(2, b"G");
        log.closed(3, b"");
        assert!(log.take_edge() && !log.take_edge());
    }

    #[test]
    fn only_another_initialization_segment_is_new() {
        let log = NestedLog::default();
        let close = |data: Vec<u8>| {
            log.opened(1, "init".to_owned());
            log.closed(1, &data);
            log.take_new_init().map(|(before, after)| after.is_like(&before))
        };
        assert_eq!(close(init(&[1], 90_000)), None);
        assert_eq!(close(init(&[1], 90_000)), None);
        assert_eq!(close(init(&[2], 90_000)), Some(true));
        assert_eq!(close(init(&[2], 12_800)), Some(false));
    }
}
