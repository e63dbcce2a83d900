//! Whatever is sent, however it is split and whatever of it is lost: units come out whole, or are reported as not.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A picture's NAL units as they were sent, and in packets.
#[derive(Debug)]
struct Sent {
    data: Vec<u8>,
    payloads: Vec<Vec<u8>>,
}

/// How one NAL unit is sent: by itself, together with the next, or in pieces of some size.
#[derive(Debug, Clone, Copy)]
enum Split {
    Alone,
    Together,
    Pieces(usize),
}

fn split() -> impl Strategy<Value = Split> {
    prop_oneof![Just(Split::Alone), Just(Split::Together), (1_usize..40).prop_map(Split::Pieces)]
}

/// Bytes of a NAL unit behind its header: the first says that the picture begins here, and none looks like a start code.
fn body() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(4_u8..=255, 2..120).prop_map(|mut body| {
        body[0] |= 0x80;
        body
    })
}

/// The NAL units of a picture: parameter sets and a slice of a key frame, or one slice that builds on others.
fn nals(codec: Codec, is_key: bool, body: &[u8]) -> Vec<Vec<u8>> {
    let header = |kind: u8| match codec {
        Codec::H264 => vec![0x60 | kind],
        _ => vec![kind << 1, 1],
    };
    let nal = |kind| [header(kind).as_slice(), body].concat();
    match (codec, is_key) {
        (Codec::H264, true) => vec![nal(7), nal(8), nal(5)],
        (Codec::H264, false) => vec![nal(1)],
        (_, true) => vec![nal(32), nal(33), nal(34), nal(21)],
        (_, false) => vec![nal(1)],
    }
}

fn pieces(codec: Codec, nal: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (header_size, kind) = if codec == Codec::H264 { (1, nal[0] & 0x1f) } else { (2, nal[0] >> 1) };
    let chunks: Vec<&[u8]> = nal[header_size..].chunks(size).collect();
    let last = chunks.len() - 1;
    let fragment = |(index, chunk): (usize, &&[u8])| {
        let flags = u8::from(index == 0) << 7 | u8::from(index == last) << 6;
        let header = if codec == Codec::H264 { vec![nal[0] & 0xe0 | 28] } else { vec![49 << 1, nal[1]] };
        [header.as_slice(), &[flags | kind], chunk].concat()
    };
    chunks.iter().enumerate().map(fragment).collect()
}

fn send(codec: Codec, nals: &[Vec<u8>], splits: &[Split]) -> Sent {
    let mut payloads: Vec<Vec<u8>> = Vec::new();
    let mut together: Vec<u8> = Vec::new();
    for (index, nal) in nals.iter().enumerate() {
        match splits[index % splits.len()] {
            Split::Together => {
                let size = u16::try_from(nal.len()).expect("a small one");
                together.extend(size.to_be_bytes().iter().chain(nal));
                continue;
            }
            split => {
                flush(codec, &mut together, &mut payloads);
                payloads.extend(match split {
                    Split::Pieces(size) => pieces(codec, nal, size),
                    _ => vec![nal.clone()],
                });
            }
        }
    }
    flush(codec, &mut together, &mut payloads);
    Sent { data: nals.iter().flat_map(|nal| [&[0, 0, 0, 1], nal.as_slice()].concat()).collect(), payloads }
}

fn flush(codec: Codec, together: &mut Vec<u8>, payloads: &mut Vec<Vec<u8>>) {
    if !together.is_empty() {
        let header = if codec == Codec::H264 { vec![0x78] } else { vec![48 << 1, 1] };
        payloads.push([header, std::mem::take(together)].concat());
    }
}

/// Packets in the order in which they come, as numbers of those sent; what comes too late is left out, as the session
/// leaves it out.
fn arrivals(count: usize, is_lost: &[bool], delays: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).filter(|number| !is_lost[number % is_lost.len()]).collect();
    order.sort_by_key(|number| number + delays[number % delays.len()]);
    let mut next = 0;
    order.retain(|number| {
        *number >= next && {
            next = *number + 1;
            true
        }
    });
    order
}

/// Has a depacketizer take what arrives of the pictures, whose timestamps are their numbers, and one key frame more.
fn receive(codec: Codec, pictures: &[Sent], has_markers: bool, arrivals: &[usize]) -> Vec<AccessUnit> {
    let mut sent = Vec::new();
    let closing = send(codec, &nals(codec, true, &[0x80; 9]), &[Split::Alone]);
    for (timestamp, picture) in (0..).zip(pictures.iter().chain([&closing])) {
        let last = picture.payloads.len() - 1;
        sent.extend(picture.payloads.iter().enumerate().map(|(index, payload)| (timestamp, index == last, payload)));
    }
    let (mut depacketizer, mut units, mut next) = (Depacketizer::new(codec), VecDeque::new(), 0);
    for number in arrivals.iter().copied().chain(sent.len() - closing.payloads.len()..sent.len()) {
        let (timestamp, is_last, payload) = sent[number];
        let lost = (number - next) as u64;
        let packet = RtpPacket { timestamp, is_marked: is_last && has_markers, lost, payload };
        depacketizer.push(&packet, &mut units);
        next = number + 1;
    }
    // Ends the last unit where there are no markers.
    let packet = RtpPacket { timestamp: i64::MAX, is_marked: false, lost: 0, payload: &[] };
    depacketizer.push(&packet, &mut units);
    units.into()
}

fn nal_codec() -> impl Strategy<Value = Codec> {
    prop_oneof![Just(Codec::H264), Just(Codec::H265)]
}

fn pictures() -> impl Strategy<Value = (Codec, Vec<Sent>)> {
    let picture = (any::<bool>(), body(), proptest::collection::vec(split(), 1..5));
    (nal_codec(), proptest::collection::vec(picture, 1..12)).prop_map(|(codec, described)| {
        let sent =
            described.into_iter().map(|(is_key, body, splits)| send(codec, &nals(codec, is_key, &body), &splits));
        (codec, sent.collect())
    })
}

/// What must hold of the units that came of pictures, of which these packets arrived.
fn check(pictures: &[Sent], units: &[AccessUnit], arrivals: &[usize]) -> Result<(), TestCaseError> {
    let has_come = |number: usize| arrivals.binary_search(&number).is_ok();
    let known: BTreeMap<i64, &AccessUnit> = units.iter().map(|unit| (unit.timestamp, unit)).collect();
    let mut trust = Trust::new();
    let trusted: Vec<i64> =
        units.iter().filter(|unit| trust.judge(unit) == Worth::Exact).map(|unit| unit.timestamp).collect();
    let count: usize = pictures.iter().map(|picture| picture.payloads.len()).sum();
    let (mut first, mut is_broken) = (0, true);
    for (timestamp, picture) in (0..).zip(pictures) {
        let range = first..first + picture.payloads.len();
        first = range.end;
        let is_whole = range.clone().all(has_come);
        let unit = known.get(&timestamp).filter(|unit| unit.integrity != Integrity::Damaged);
        if let Some(unit) = unit {
            prop_assert!(is_whole, "picture {} lacks packets and does not say so", timestamp);
            prop_assert_eq!(&unit.data, &picture.data);
        }
        let is_undisturbed =
            is_whole && range.start > 0 && has_come(range.start - 1) && (range.end == count || has_come(range.end));
        prop_assert!(unit.is_some() || !is_undisturbed, "picture {} came whole and is reported as damaged", timestamp);
        is_broken = !is_whole || (is_broken && unit.is_none_or(|unit| unit.entry == Entry::None));
        prop_assert!(!is_broken || !trusted.contains(&timestamp), "picture {} is trusted after a loss", timestamp);
    }
    let lost: u64 = units.iter().map(|unit| unit.lost).sum();
    prop_assert_eq!(lost, (count - arrivals.len()) as u64);
    Ok(())
}

/// A JPEG's packets, with so many bytes of the scan in each.
fn send_jpeg(scan: &[u8], size: usize, quality: u8, interval: u16) -> Sent {
    let tables: Vec<u8> = (1..=128).collect();
    let mut payloads = Vec::new();
    for (index, chunk) in scan.chunks(size).enumerate() {
        let offset = u32::try_from(index * size).expect("a small one").to_be_bytes();
        let kind = if interval > 0 { 65 } else { 1 };
        let mut payload = vec![0, offset[1], offset[2], offset[3], kind, quality, 40, 30];
        if interval > 0 {
            payload.extend(interval.to_be_bytes());
            payload.extend([0xff, 0xff]);
        }
        if index == 0 && quality >= 128 {
            payload.extend([0, 0, 0, 128]);
            payload.extend(&tables);
        }
        payload.extend(chunk);
        payloads.push(payload);
    }
    Sent { data: [scan, &[0xff, 0xd9]].concat(), payloads }
}

proptest! {
    #[test]
    fn every_split_comes_out_whole((codec, sent) in pictures(), has_markers in any::<bool>()) {
        let count = sent.iter().map(|picture| picture.payloads.len()).sum();
        let all: Vec<usize> = (0..count).collect();
        let units = receive(codec, &sent, has_markers, &all);
        prop_assert_eq!(units.len(), sent.len() + 1);
        check(&sent, &units, &all)?;
    }

    #[test]
    fn whatever_is_lost_or_late_is_reported(
        (codec, sent) in pictures(),
        has_markers in any::<bool>(),
        is_lost in proptest::collection::vec(proptest::bool::weighted(0.1), 1..40),
        delays in proptest::collection::vec(0_usize..3, 1..40),
    ) {
        let count = sent.iter().map(|picture| picture.payloads.len()).sum();
        let arrivals = arrivals(count, &is_lost, &delays);
        check(&sent, &receive(codec, &sent, has_markers, &arrivals), &arrivals)?;
    }

    #[test]
    fn a_jpeg_comes_out_whole_or_not_at_all(
        scans in proptest::collection::vec((proptest::collection::vec(0_u8..255, 1..200), 1_usize..60), 1..8),
        quality in 1_u8..=255,
        interval in prop_oneof![Just(0), 1_u16..9],
        is_lost in proptest::collection::vec(proptest::bool::weighted(0.1), 1..40),
        has_markers in any::<bool>(),
    ) {
        let sent: Vec<Sent> = scans.iter().map(|(scan, size)| send_jpeg(scan, *size, quality, interval)).collect();
        let packets: Vec<(i64, bool, &Vec<u8>)> = (0..).zip(&sent).flat_map(|(time, picture)| {
            let last = picture.payloads.len() - 1;
            picture.payloads.iter().enumerate().map(move |(index, payload)| (time, index == last, payload))
        }).collect();
        let (mut depacketizer, mut units, mut lost) = (Depacketizer::new(Codec::Jpeg), VecDeque::new(), 0);
        let mut whole: Vec<i64> = (0..).take(sent.len()).collect();
        for (number, (timestamp, is_last, payload)) in packets.into_iter().enumerate() {
            if is_lost[number % is_lost.len()] {
                lost += 1;
                whole.retain(|time| *time != timestamp);
                continue;
            }
            let packet = RtpPacket { timestamp, is_marked: is_last && has_markers, lost: std::mem::take(&mut lost), payload };
            depacketizer.push(&packet, &mut units);
        }
        for unit in &units {
            prop_assert!(whole.contains(&unit.timestamp), "picture {} lacks packets", unit.timestamp);
            let data = &sent[usize::try_from(unit.timestamp).expect("not negative")].data;
            prop_assert!(unit.data.starts_with(&[0xff, 0xd8]) && unit.data.ends_with(data));
        }
        // The last one, and one before a loss, are not known to be over without a marker.
        prop_assert!(!has_markers || units.len() == whole.len());
    }

    #[test]
    fn no_bytes_do_any_harm(
        codec in prop_oneof![nal_codec(), Just(Codec::Jpeg)],
        packets in proptest::collection::vec((0_i64..4, any::<bool>(), 0_u64..3, proptest::collection::vec(any::<u8>(), 0..60)), 0..60),
    ) {
        let (mut depacketizer, mut units) = (Depacketizer::new(codec), VecDeque::new());
        let mut lost_in_all = 0;
        for (timestamp, is_marked, lost, payload) in &packets {
            lost_in_all += lost;
            let packet = RtpPacket { timestamp: *timestamp, is_marked: *is_marked, lost: *lost, payload };
            depacketizer.push(&packet, &mut units);
        }
        let mut trust = Trust::new();
        units.iter().for_each(|unit| { trust.judge(unit); });
        prop_assert!(units.iter().map(|unit| unit.lost).sum::<u64>() <= lost_in_all);
    }
}

/// Takes packets of one H.265 or H.264 stream: timestamp, marker, NAL unit.
fn assemble(codec: Codec, packets: &[(i64, bool, &[u8])]) -> Vec<AccessUnit> {
    let (mut depacketizer, mut units) = (Depacketizer::new(codec), VecDeque::new());
    for (timestamp, is_marked, payload) in packets {
        depacketizer.push(&RtpPacket { timestamp: *timestamp, is_marked: *is_marked, lost: 0, payload }, &mut units);
    }
    units.into()
}

#[test]
fn a_marker_on_every_slice_is_seen_through() {
    let (first, second): (&[u8], &[u8]) = (&[2, 1, 0x80, 1], &[2, 1, 0x40, 2]);
    let picture = |time| [(time, true, first), (time, true, second)];
    let units = assemble(Codec::H265, &[picture(0), picture(1), picture(2)].concat());
    let whole = [&[0, 0, 0, 1], first, &[0, 0, 0, 1], second].concat();
    assert_eq!(units.iter().map(|unit| &unit.data).collect::<Vec<_>>(), [&whole, &whole]);
    // Where that begins later, the cut picture and what builds on it are known for what they are.
    let honest = [(0, true, first), (1, true, first)];
    let units = assemble(Codec::H265, &[&honest[..], &picture(2), &picture(3), &picture(4)].concat());
    let kinds: Vec<(Integrity, usize)> = units.iter().map(|unit| (unit.integrity, unit.data.len())).collect();
    assert_eq!(
        kinds[1..],
        [(Integrity::Sound, 8), (Integrity::Sound, 8), (Integrity::Damaged, 8), (Integrity::Sound, 16)]
    );
    // H.264's decoder takes pictures in parts.
    let (first, second): (&[u8], &[u8]) = (&[0x65, 0x80], &[0x65, 0x40]);
    let units = assemble(Codec::H264, &[(0, true, first), (0, true, second), (1, true, first)]);
    let starts: Vec<(bool, Entry)> = units.iter().map(|unit| (unit.starts_picture, unit.entry)).collect();
    assert_eq!(starts, [(true, Entry::Clean), (false, Entry::None), (true, Entry::Clean)]);
}

#[test]
fn parameter_sets_go_with_their_key_frame_whatever_their_time_and_markers_say() {
    let (sps, pps, key): (&[u8], &[u8], &[u8]) = (&[0x67, 9], &[0x68, 9], &[0x65, 0x88]);
    let together = [&[0, 0, 0, 1], sps, &[0, 0, 0, 1], pps, &[0, 0, 0, 1], key].concat();
    for packets in [[(0, true, sps), (0, true, pps), (0, true, key)], [(0, true, sps), (0, false, pps), (9, true, key)]]
    {
        let units = assemble(Codec::H264, &packets);
        assert_eq!(units.len(), 1);
        assert_eq!(
            (&units[0].data, units[0].entry, units[0].integrity),
            (&together, Entry::Clean, Integrity::AfterGap)
        );
    }
    // All three taken for one NAL unit by their sender.
    let one = &together[4..];
    let units = assemble(Codec::H264, &[(0, true, one)]);
    assert_eq!((&units[0].data, units[0].entry), (&together, Entry::Clean));
}

#[test]
fn a_jpeg_of_ffmpegs_is_put_together_as_its_decoder_takes_it() {
    // Q 50 stands for the tables of the standard as they are.
    let sent = send_jpeg(&[1, 2, 3], 3, 50, 0);
    let units = assemble(Codec::Jpeg, &[(0, true, &sent.payloads[0])]);
    let data = &units[0].data;
    assert_eq!(data[..11], [0xff, 0xd8, 0xff, 0xdb, 0, 67, 0, 16, 11, 12, 14]);
    assert!(data.ends_with(&[0, 63, 0, 1, 2, 3, 0xff, 0xd9]));
}
