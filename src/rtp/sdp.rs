//! What a session description tells of a video stream besides what everybody asks for: RFC 8866.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Senders leave the padding away as they like.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The parameters of a video stream's payload format; empty if there are none.
pub(crate) fn format_parameters(sdp: &str, payload_type: u8) -> &str {
    let number = payload_type.to_string();
    let mut is_video = false;
    for line in sdp.lines().map(str::trim) {
        if let Some(media) = line.strip_prefix("m=") {
            is_video = media.starts_with("video ");
        }
        let described = line.strip_prefix("a=fmtp:").filter(|_| is_video).and_then(|rest| rest.split_once(' '));
        if let Some((_, parameters)) = described.filter(|(described, _)| *described == number) {
            return parameters;
        }
    }
    ""
}

/// One of the parameters.
pub(crate) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let pairs = parameters.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

/// The parameter sets (RFC 6184, section 8.1, and RFC 7798, section 7.1), each behind a start code.
pub(crate) fn parameter_sets(parameters: &str) -> Vec<u8> {
    let names = ["sprop-vps", "sprop-sps", "sprop-pps", "sprop-parameter-sets"];
    let sets = names.iter().filter_map(|name| parameter(parameters, name)).flat_map(|sets| sets.split(','));
    let decoded = sets.filter_map(|set| BASE64.decode(set.trim()).ok()).filter(|set| !set.is_empty());
    decoded.flat_map(|set| [vec![0, 0, 0, 1], set].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\nm=audio 0 RTP/AVP 96\r\na=fmtp:96 mode=x\r\nm=video 0 RTP/AVP 96\r\n\
        a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0I=,aM48gA;x=y=z\r\n";

    #[test]
    fn parameters_are_those_of_the_video() {
        let parameters = format_parameters(SDP, 96);
        assert_eq!(parameter(parameters, "Packetization-Mode"), Some("1"));
        assert_eq!((parameter(parameters, "x"), parameter(parameters, "mode")), (Some("y=z"), None));
        assert_eq!(format_parameters(SDP, 97), "");
        assert_eq!(format_parameters("a=fmtp:96\r\nm=video\r\na=fmtp:", 96), "");
    }

    #[test]
    fn parameter_sets_come_out_behind_start_codes() {
        let sets = parameter_sets(format_parameters(SDP, 96));
        assert_eq!(sets, [0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80]);
        assert_eq!(parameter_sets("sprop-parameter-sets=,!,===;sprop-pps="), []);
    }
}
