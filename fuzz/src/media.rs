//! Files of any content: set up, read to their end, and taken down.

use super::choices::Choices;
use super::reading::{check_refusal, configure, read_to_the_end};
use mpegclient::Client;
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;

/// Names of libavformat's; without one it finds out by itself.
pub const FORMATS: [&str; 20] = [
    "",
    "h264",
    "hevc",
    "mjpeg",
    "mpegts",
    "mp4",
    "matroska",
    "flv",
    "avi",
    "jpeg_pipe",
    "yuv4mpegpipe",
    "mpegvideo",
    "mpeg",
    "ogg",
    "ivf",
    "gif",
    "asf",
    "png_pipe",
    "av1",
    "m4v",
];

pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let client = Client::new();
    client.set_parameter("input_format", choices.pick(&FORMATS)).expect("any text");
    client.set_parameter("setup_timeout", "2000").expect("a time");
    client.set_parameter("first_frame_timeout", "1000").expect("a time");
    let how = choices.byte();
    configure(&client, &mut choices);
    let file = MemoryFile::new(choices.rest());
    match client.setup(Some(&file.path()), -1, None) {
        Ok(()) => read_to_the_end(&client, how),
        Err(error) => check_refusal(&client, &error),
    }
    assert!(client.describe().contains("state: "));
}

/// A file that lies in memory and has a path.
pub struct MemoryFile(File);

impl MemoryFile {
    pub fn new(content: &[u8]) -> Self {
        let mut file = File::from(memfd_create("input", MemfdFlags::CLOEXEC).expect("no memory for a file"));
        file.write_all(content).expect("no memory for a file");
        Self(file)
    }

    pub fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }
}
