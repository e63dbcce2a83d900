//! The names and values that are known to be harmless, and the names that are known to hold secrets.

/// Schemes whose addresses are read as URLs even where the slashes after the colon are missing, as libavformat does.
pub(super) const SCHEMES: &str = "
    ftp ftps gopher gophers hls http httpproxy https icecast mms mmsh mmst rist rtmp rtmpe rtmps rtmpt rtmpte rtmpts
    rtp rtsp rtsps rtspt rtspu scp sftp sip smb srt srtp tcp tls udp udplite unix webrtc whep whip ws wss zmq";

/// Schemes that only wrap another address.
pub(super) const WRAPPERS: &str = "async cache concat concatf crypto tee";

/// Keys of queries whose plain values say which stream is wanted and how, and never who wants it.
const HARMLESS_KEYS: &str = "
    action audio bitrate buffer_size camera camid ch chan channel channelid codec compression connect_timeout
    fifo_size format fps framerate height latency linger listen localport maxbw mode oheight overrun_nonfatal
    payload_size pbkeylen pkt_size profile proto protocol quality rate rcvlatency real_stream reconnect resolution
    reuse rotation rtcpport rw_timeout size speed stream streamtype subtype timeout tlpktdrop track trackid
    transport transtype ttl type unicast v verify video videocodec w width";

/// Words of queries that stand alone and mean something to a server.
const HARMLESS_WORDS: &str = "
    audio auto caller false file h264 h265 hevc http image jpeg jpg listener live main mjpeg mpeg4 multicast no none
    off on real_stream rendezvous rtp_unicast sub tcp true udp unicast video yes";

/// Words that make a name that of a secret, wherever in the name they stand.
pub(super) const SECRET_PARTS: &str = "
    accesskey acl apikey auth authorization bearer cookie credential credentials hmac jwt key keypair loginpas
    loginuse passcode passphrase passw passwd password passwort policy pwd secret signature token";

/// Names that are those of a secret as a whole.
const SECRET_NAMES: &str = "
    account cnonce code conn exp expires hash hdnea hdntl hdnts license login md5 nonce pas pass pin playpath psw pw
    response sas session sessionid sid sig sign srtp_in_params srtp_out_params streamid ticket user userid username
    usr wssecret wstime";

/// Words that names of secrets are made of beside [`SECRET_NAMES`] and [`SECRET_PARTS`].
const JOINED: &str = "access amz api auth client id key pair password secret security stream token x";

/// What secrets are called in prose and headers, where a colon follows the name: `password: abc`.
pub(super) const SECRET_LABELS: &str =
    "apikey cookie credentials passcode passphrase passwd password passwort pwd secret token";

/// libav's options that hold no secret, whatever their value.
const HARMLESS_OPTIONS: &str = "
    advanced_editlist allowed_extensions allowed_media_types analyzeduration apply_cropping avioflags blocksize
    buffer_size ca_file chunked_post codec_whitelist color_range colorspace connect_timeout correct_ts_overflow ec
    end_offset enforced_encryption err_detect export_side_data fflags fifo_size fix_teletext_pts flags flags2
    format_whitelist fpsprobesize framerate http_multiple http_persistent http_seekable icy idct ignore_chapters
    ignore_editlist initial_pause inputbw iptos ipttl latency linger listen listen_timeout live_start_index
    local_port localaddr localport loop lossmaxttl lowres m3u8_hold_counters max_delay max_pixels max_port
    max_probe_packets max_redirects max_reload max_streams maxbw merge_pmt_versions min_port minversion mode mss
    multiple_requests nakreport offset oheadbw overrun_nonfatal pattern_type payload_size pbkeylen peerlatency
    pixel_format pkt_size prefer_x_start probesize protocol_whitelist rcvbuf rcvlatency reconnect reconnect_at_eof
    reconnect_delay_max reconnect_on_http_error reconnect_on_network_error reconnect_streamed recv_buffer_size
    reorder_queue_size resync_size reuse rtbufsize rtmp_buffer rtmp_flashver rtmp_live rtpflags rtsp_flags
    rtsp_transport rw_timeout safe sample_rate scan_all_pmts sdp_flags seek2any seekable send_buffer_size skip_alpha
    skip_bottom skip_estimate_duration_from_pts skip_frame skip_idct skip_initial_bytes skip_loop_filter skip_top
    sndbuf snddropdelay srtp_in_suite start_number stimeout strict tcp_mss tcp_nodelay thread_type threads timeout
    tlpktdrop tls_verify transtype tsbpd ttl udplite_coverage use_wallclock_as_timestamps usetoc video_size";

/// Whether a list holds a word.
pub(super) fn holds(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|listed| listed == word)
}

/// A name in small letters, without what separates its words.
fn squeezed(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a name is that of a secret: one of the list, or made of a word that means one.
pub(super) fn is_secret_name(name: &str) -> bool {
    let small = name.to_ascii_lowercase();
    let squeezed = squeezed(name);
    let last = small.rsplit(['_', '-', '.']).next().unwrap_or_default();
    [small.as_str(), last].iter().any(|name| holds(SECRET_NAMES, name))
        || holds(SECRET_NAMES, &squeezed)
        || SECRET_PARTS.split_whitespace().any(|part| squeezed.contains(part))
}

/// Whether a name stands in one of the lists.
pub(super) fn is_listed_name(name: &str) -> bool {
    holds(HARMLESS_KEYS, &name.to_ascii_lowercase()) || is_listed_secret(name)
}

/// Whether a name stands in a list of those of secrets, or is made of such words alone.
pub(super) fn is_listed_secret(name: &str) -> bool {
    let (small, squeezed) = (name.to_ascii_lowercase(), squeezed(name));
    let is_part = |word| [SECRET_NAMES, SECRET_PARTS, JOINED].iter().any(|list| holds(list, word));
    let is_joined = || small.contains(['_', '-', '.']) && small.split(['_', '-', '.']).all(is_part);
    holds(SECRET_NAMES, &small) || holds(SECRET_PARTS, &squeezed) || is_joined()
}

/// Whether a name may be shown: it is listed, or so short that it can be no secret itself.
pub(super) fn is_known_name(name: &str) -> bool {
    let is_short = name.len() < super::SHORTEST && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_listed_name(name) || is_short
}

/// Whether `key=value` may be shown as it is.
pub(super) fn is_harmless_pair(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let is_plain = value.len() <= 24 && value.chars().all(|c| c.is_ascii_alphanumeric() || "._:x-".contains(c));
    let may_hold_any = holds(HARMLESS_KEYS, &key);
    let may_hold_little = is_known_name(&key) && !is_secret_name(&key) && is_harmless_word(value);
    value.is_empty() && is_known_name(&key)
        || may_hold_little
        || (may_hold_any && is_plain && !super::url::is_token(value))
}

/// Whether a word may be shown that stands alone in a query.
pub(super) fn is_harmless_word(word: &str) -> bool {
    let is_short_number = word.len() < super::SHORTEST && word.bytes().all(|digit| digit.is_ascii_digit());
    is_short_number || holds(HARMLESS_WORDS, &word.to_ascii_lowercase())
}

/// Whether an option of libav's may be shown with its value.
pub fn is_harmless_option(name: &str) -> bool {
    holds(HARMLESS_OPTIONS, name)
}
