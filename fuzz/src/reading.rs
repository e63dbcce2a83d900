//! Reading a client to its end, and what must hold of all that is read.

use super::choices::Choices;
use mpegclient::{Client, Error, FrameInfo, Order, ReadOptions, Shape, State, Status};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// How long a stream is read at most.
const LONGEST: Duration = Duration::from_millis(800);

/// How long one read waits.
const PATIENCE_MS: i64 = 20;

/// Frames that are enough of a stream.
const MOST: u64 = 200;

/// The pixels that a picture may have, in units of the parameter `max_picture_size`: one.
const MAX_PIXELS: u64 = 1 << 20;

/// What every call is back in, on a slow machine and under a sanitizer too: its own limits are some hundred milliseconds.
const BOUND: Duration = Duration::from_secs(10);

/// Makes a call that has to come back in its time.
pub fn in_time<T>(name: &str, call: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let outcome = call();
    assert!(begun.elapsed() < BOUND, "{name} took {:?}", begun.elapsed());
    outcome
}

/// Small limits, and an output of the input's choice.
pub fn configure(client: &Client, choices: &mut Choices<'_>) {
    let sides = ["0", "0", "16", "1", "33", "64"];
    let (rate, mode) = (choices.pick(&["0", "0", "5", "30000/1001"]), choices.pick(&["drop", "cfr"]));
    for (key, value) in [
        ("max_picture_size", "1"),
        ("max_ring_size", "16"),
        ("cache_size", "3"),
        ("read_size", "2"),
        ("realtime", "off"),
        ("width", choices.pick(&sides)),
        ("height", choices.pick(&sides)),
        ("pixel_format", choices.pick(&["rgb24", "bgr24", "rgba", "gray8"])),
        ("scale_filter", choices.pick(&["auto", "area", "bilinear", "bicubic", "lanczos", "nearest"])),
        ("fit", choices.pick(&["stretch", "letterbox", "crop"])),
        ("rotation", choices.pick(&["auto", "90", "180"])),
        ("frame_rate", rate),
        // A rate that is kept must be one.
        ("rate_mode", if rate == "0" { "drop" } else { mode }),
        ("corrupt", choices.pick(&["mark", "drop", "keep"])),
        ("decode", choices.pick(&["all", "all", "nonref", "keyframes"])),
        ("overflow", choices.pick(&["drop", "block"])),
        ("threads", choices.pick(&["0", "2"])),
    ] {
        client.set_parameter(key, value).expect("a value within its range");
    }
}

/// Starts a client that is set up, reads until nothing comes any more, and stops it in one of several ways.
pub fn read_to_the_end(client: &Client, how: u8) {
    client.start().expect("a client that is set up");
    let (begun, mut last) = (Instant::now(), None);
    while begun.elapsed() < LONGEST && last.as_ref().is_none_or(|info: &FrameInfo| info.seq < MOST) {
        let after_seq = last.as_ref().map_or(0, |info| info.seq);
        match read(client, after_seq, how & 1 == 0) {
            Ok((shape, infos)) => last = Some(check(client, shape, &infos, last.as_ref())),
            Err(error) if matches!(error.status, Status::Timeout | Status::Stale) => {}
            Err(error) => {
                let ends = [Status::Ended, Status::Failed, Status::Stopped];
                assert!(ends.contains(&error.status), "a read ended with {error}");
                break;
            }
        }
    }
    match how >> 1 & 3 {
        0 => client.clear().expect("nobody else uses the client"),
        1 => client.terminate().expect("nobody else uses the client"),
        2 => {
            client.terminate().expect("nobody else uses the client");
            client.start().expect("a client that is set up");
        }
        _ => {}
    }
}

fn read(client: &Client, after_seq: u64, is_copied: bool) -> Result<(Shape, Vec<FrameInfo>), Error> {
    let timeout_ms = PATIENCE_MS;
    let options = ReadOptions { order: Order::Next, count: Some(2), after_seq, timeout_ms, ..ReadOptions::default() };
    if !is_copied {
        let lease = client.acquire(&options)?;
        let bytes: usize = (0..lease.infos().len()).filter_map(|index| lease.frame(index)).map(<[u8]>::len).sum();
        assert_eq!(bytes, lease.infos().len() * lease.shape().frame_bytes());
        return Ok((lease.shape(), lease.infos().to_vec()));
    }
    let shape = client.output_shape(PATIENCE_MS, None)?;
    let mut buffer = vec![MaybeUninit::uninit(); 2 * shape.frame_bytes()];
    let batch = client.extract(&options, &mut buffer, &mut None)?;
    Ok((batch.shape, batch.infos))
}

/// Looks at a batch; gives its last frame.
fn check(client: &Client, shape: Shape, infos: &[FrameInfo], before: Option<&FrameInfo>) -> FrameInfo {
    assert_eq!(client.output_shape(0, None).as_ref(), Ok(&shape), "the shape of the frames has changed");
    assert!((1..=2).contains(&infos.len()), "{} frames, 1 or 2 were asked for", infos.len());
    let mut last = before;
    for info in infos {
        if let Some(last) = last {
            assert!(info.seq > last.seq, "frame {} comes after {}", info.seq, last.seq);
            let is_one_stream = info.generation == last.generation;
            let times = last.pts_ns.zip(info.pts_ns).filter(|_| is_one_stream);
            assert!(times.is_none_or(|(before, now)| before <= now), "time went back: {times:?}");
        }
        let pixels = u64::from(info.source_width) * u64::from(info.source_height);
        assert!((1..=MAX_PIXELS).contains(&pixels), "{} x {}", info.source_width, info.source_height);
        assert!(info.to_source.iter().all(|number| number.is_finite()), "{:?}", info.to_source);
        last = Some(info);
    }
    assert!(infos.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq), "frames are missing within a batch");
    *infos.last().expect("checked above")
}

/// A setup that failed left nothing behind, and said why in a way that the header knows.
pub fn check_refusal(client: &Client, error: &Error) {
    assert_eq!(client.state(), State::Idle, "after {error}");
    let known = super::header::returns("mpegclient_setup");
    let is_known = error.status == Status::InvalidArgument || known.contains(&error.status);
    assert!(is_known, "setup returned {:?}, which its documentation does not name: {error}", error.status);
    assert!(!error.message.is_empty(), "{:?} without a word", error.status);
}
