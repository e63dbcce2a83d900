#![no_main]

libfuzzer_sys::fuzz_target!(
    init: mpegclient_fuzz::pass_over_known_panics(),
    |input: &[u8]| mpegclient_fuzz::server::run(input)
);
