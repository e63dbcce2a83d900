//! Sets what rustc leaves open for a shared library on Linux, and tells which FFmpeg there is.

fn main() {
    // FFmpeg 6.1 moved what a stream's packets have in common to where decoders find it by themselves.
    println!("cargo:rustc-check-cfg=cfg(stream_side_data)");
    if std::env::var("DEP_FFMPEG_FFMPEG_6_1").is_ok_and(|is_there| is_there != "true") {
        println!("cargo:rustc-cfg=stream_side_data");
    }
    // FFmpeg 8 made an enum of what libswscale's flags were macros for.
    println!("cargo:rustc-check-cfg=cfg(sws_flags_enum)");
    if std::env::var("DEP_FFMPEG_FFMPEG_8_0").is_ok_and(|is_there| is_there == "true") {
        println!("cargo:rustc-cfg=sws_flags_enum");
    }
    println!("cargo:rerun-if-changed=src/build.rs");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if linux {
        // rustc sets no SONAME. The number grows only when a program built before would no longer run.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmpegclient.so.0");
        // A writer that hangs in a name lookup outlives its client: its code must stay mapped after dlclose.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
