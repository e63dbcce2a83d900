//! RTP packets in any order with any content, and pictures that were sent well, of which packets are lost: no unit is
//! told for whole that is not what was sent, and every lost packet is counted.

use super::choices::Choices;
use mpegclient::workbench::{AccessUnit, Depacketizer, Packet, parameter_sets};

/// What a JPEG's headers take, tables included.
const JPEG_HEADERS: usize = 1024;

pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    match choices.below(8) {
        0 => anything("h264", choices),
        1 => anything("h265", choices),
        2 | 3 => anything("jpeg", choices),
        4 | 5 => pictures(Codec::H264, choices),
        6 => pictures(Codec::H265, choices),
        _ => description(choices),
    }
}

/// Packets of anything.
fn anything(codec: &str, mut choices: Choices<'_>) {
    let mut depacketizer = Depacketizer::new(codec).expect("a codec that is known");
    let (mut timestamp, mut lost_in_all, mut lost_told, mut bytes_in, mut bytes_out) = (0_i64, 0, 0, 0, 0);
    while !choices.is_over() {
        let flags = choices.byte();
        timestamp = match flags >> 6 {
            0 => timestamp.wrapping_add(3000),
            1 => timestamp.wrapping_sub(i64::from(choices.byte())),
            _ => timestamp,
        };
        let lost = if flags & 0x30 == 0x30 { u64::from(choices.byte()) } else { 0 };
        // Short pieces are what an input of some hundred bytes has room for; some are repeated to real sizes.
        let payload = choices.piece().repeat(if flags & 0x0e == 0x0e { 64 } else { 1 });
        lost_in_all += lost;
        bytes_in += payload.len();
        for unit in depacketizer.push(&Packet { timestamp, is_marked: flags & 1 == 1, lost, payload: &payload }) {
            lost_told += unit.lost;
            bytes_out += unit.data.len();
            assert!(!unit.data.is_empty(), "a unit of nothing");
            assert!(codec != "jpeg" || unit.data.ends_with(&[0xff, 0xd9]), "a JPEG without its end");
            let most = if codec == "jpeg" { bytes_in * JPEG_HEADERS } else { bytes_in * 5 };
            assert!(bytes_out <= most, "{bytes_out} bytes of units came of {bytes_in} bytes");
        }
    }
    assert!(lost_told <= lost_in_all, "{lost_told} lost packets are told, {lost_in_all} were");
}

/// What a session description says of parameter sets.
fn description(mut choices: Choices<'_>) {
    let payload_type = choices.byte();
    let text = String::from_utf8_lossy(choices.rest()).into_owned();
    let sets = parameter_sets(&text, payload_type);
    assert!(sets.is_empty() || sets.starts_with(&[0, 0, 0, 1]));
    assert!(sets.len() <= text.len() * 5, "{} bytes came of {}", sets.len(), text.len());
}

// ---- Pictures that were sent well ----

#[derive(Clone, Copy, PartialEq)]
enum Codec {
    H264,
    H265,
}

/// A picture as it was sent.
struct Sent {
    nals: Vec<Vec<u8>>,
    payloads: Vec<Vec<u8>>,
    is_key: bool,
}

impl Sent {
    /// What the decoder is to get.
    fn data(&self) -> Vec<u8> {
        self.nals.iter().flat_map(|nal| [&[0, 0, 0, 1], nal.as_slice()].concat()).collect()
    }
}

fn pictures(codec: Codec, mut choices: Choices<'_>) {
    let has_markers = choices.flag();
    let (losses, mut sent) = (choices.bytes(8), Vec::new());
    while !choices.is_over() && sent.len() < 64 {
        sent.push(picture(codec, &mut choices));
    }
    // With it, whatever was lost before has to be told.
    sent.push(send(codec, true, nals(codec, true, &[0x80; 9], 1), &[]));
    let closing = sent.len() - 1;
    let name = if codec == Codec::H264 { "h264" } else { "h265" };
    let mut depacketizer = Depacketizer::new(name).expect("a codec that is known");
    let (mut units, mut has_come, mut lost, mut lost_in_all, mut number) = (Vec::new(), Vec::new(), 0, 0, 0);
    for (index, picture) in sent.iter().enumerate() {
        let mut is_whole = true;
        for (place, payload) in picture.payloads.iter().enumerate() {
            let is_lost = index != closing && is_set(losses, number);
            number += 1;
            if is_lost {
                (lost, lost_in_all, is_whole) = (lost + 1, lost_in_all + 1, false);
                continue;
            }
            let is_marked = has_markers && place + 1 == picture.payloads.len();
            let packet = Packet { timestamp: index as i64, is_marked, lost: std::mem::take(&mut lost), payload };
            units.extend(depacketizer.push(&packet));
        }
        has_come.push(is_whole);
    }
    units.extend(depacketizer.push(&Packet { timestamp: i64::MAX, is_marked: false, lost: 0, payload: &[] }));
    check(&sent, &has_come, &units, lost_in_all);
}

/// A bit among bytes that are repeated without end.
fn is_set(bytes: &[u8], number: usize) -> bool {
    !bytes.is_empty() && bytes[number / 8 % bytes.len()] >> (number % 8) & 1 == 1
}

fn picture(codec: Codec, choices: &mut Choices<'_>) -> Sent {
    let flags = choices.byte();
    let (is_key, slices) = (flags & 1 == 1, 1 + usize::from(flags >> 1 & 3));
    let sizes = choices.bytes(usize::from(flags >> 3 & 3)).to_vec();
    // None looks like a start code.
    let mut body: Vec<u8> = choices.piece().iter().map(|byte| byte | 4).collect();
    body.resize(body.len().max(2), 0xff);
    send(codec, is_key, nals(codec, is_key, &body, slices), &sizes)
}

/// The NAL units of a picture: for a key frame with parameter sets; its first slice says that the picture begins.
fn nals(codec: Codec, is_key: bool, body: &[u8], slices: usize) -> Vec<Vec<u8>> {
    let nal = |kind: u8, first: u8| {
        let header = if codec == Codec::H264 { vec![0x60 | kind] } else { vec![kind << 1, 1] };
        [header.as_slice(), &[first], &body[1..]].concat()
    };
    let (sets, slice): (&[u8], u8) = match (codec, is_key) {
        (Codec::H264, true) => (&[7, 8], 5),
        (Codec::H265, true) => (&[32, 33, 34], 21),
        (_, false) => (&[], 1),
    };
    let slices = (0..slices).map(|index| nal(slice, if index == 0 { body[0] | 0x80 } else { body[0] & 0x7f }));
    sets.iter().map(|kind| nal(*kind, body[0])).chain(slices).collect()
}

/// NAL units in packets. The sizes say for one after the other how: alone, with the next, or in pieces so large.
fn send(codec: Codec, is_key: bool, nals: Vec<Vec<u8>>, sizes: &[u8]) -> Sent {
    let (mut payloads, mut together): (Vec<Vec<u8>>, Vec<u8>) = (Vec::new(), Vec::new());
    let aggregation: &[u8] = if codec == Codec::H264 { &[0x78] } else { &[48 << 1, 1] };
    let aggregate = |together: &mut Vec<u8>| {
        let nals = std::mem::take(together);
        (!nals.is_empty()).then(|| [aggregation, &nals].concat())
    };
    for (index, nal) in nals.iter().enumerate() {
        let size = if sizes.is_empty() { 0 } else { sizes[index % sizes.len()] };
        if size == 1 {
            let length = u16::try_from(nal.len()).expect("a short one");
            together.extend(length.to_be_bytes().iter().chain(nal));
            continue;
        }
        payloads.extend(aggregate(&mut together));
        payloads.extend(if size == 0 { vec![nal.clone()] } else { pieces(codec, nal, usize::from(size)) });
    }
    payloads.extend(aggregate(&mut together));
    Sent { nals, payloads, is_key }
}

/// A NAL unit in pieces: RFC 6184, section 5.8, and RFC 7798, section 4.4.3.
fn pieces(codec: Codec, nal: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (indicator, kind, header_size) = match codec {
        Codec::H264 => (vec![nal[0] & 0xe0 | 28], nal[0] & 0x1f, 1),
        Codec::H265 => (vec![49 << 1, nal[1]], nal[0] >> 1, 2),
    };
    let chunks: Vec<&[u8]> = nal[header_size..].chunks(size).collect();
    let last = chunks.len() - 1;
    let piece = |(index, chunk): (usize, &&[u8])| {
        let flags = u8::from(index == 0) << 7 | u8::from(index == last) << 6;
        [indicator.as_slice(), &[flags | kind], chunk].concat()
    };
    chunks.iter().enumerate().map(piece).collect()
}

/// What must hold of the units that came of pictures.
fn check(sent: &[Sent], has_come: &[bool], units: &[AccessUnit], lost: u64) {
    let told: u64 = units.iter().map(|unit| unit.lost).sum();
    assert_eq!(told, lost, "so many lost packets are told, so many were");
    let mut is_broken = true;
    for (timestamp, picture) in (0..).zip(sent) {
        let is_whole = has_come[usize::try_from(timestamp).expect("not negative")];
        let unit = units.iter().find(|unit| unit.timestamp == timestamp && !unit.is_damaged);
        if let Some(unit) = unit {
            assert!(is_whole, "picture {timestamp} lacks packets and does not say so");
            assert_eq!(unit.data, picture.data(), "picture {timestamp}");
            assert_eq!(unit.is_entry, picture.is_key, "picture {timestamp}");
        }
        is_broken = !is_whole || (is_broken && unit.is_none_or(|unit| !unit.is_entry));
        let is_trusted = units.iter().any(|unit| unit.timestamp == timestamp && unit.is_trusted);
        assert!(!(is_broken && is_trusted), "picture {timestamp} is trusted after a loss");
    }
    if lost == 0 {
        assert!(units.iter().skip(1).all(|unit| !unit.is_damaged), "nothing is missing, but a unit says so");
    }
}
