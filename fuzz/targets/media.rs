#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mpegclient_fuzz::media::run(input));
