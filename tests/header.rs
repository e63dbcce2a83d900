//! `include/mpegclient.h` is what the sources say. `MPEGCLIENT_WRITE_HEADER=1 cargo test --test header` writes it anew.

use std::path::Path;

#[test]
fn the_committed_header_is_the_generated_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("include/cbindgen.toml")).expect("cbindgen.toml is not valid");
    let mut generated = Vec::new();
    // In the order of the header. Only these: what other rooms declare is nobody's business.
    let rooms = ["types", "library", "parameters", "client", "frames", "lease", "events", "cancel"];
    let builder = rooms.iter().fold(cbindgen::Builder::new().with_config(config), |builder, room| {
        builder.with_src(root.join(format!("src/capi/{room}.rs")))
    });
    builder.generate().expect("cbindgen could not read src/capi").write(&mut generated);
    let path = root.join("include/mpegclient.h");
    if std::env::var_os("MPEGCLIENT_WRITE_HEADER").is_some() {
        std::fs::write(&path, &generated).expect("the header could not be written");
    }
    let committed = std::fs::read(&path).unwrap_or_default();
    assert!(committed == generated, "include/mpegclient.h differs from src/capi: run `make header`");
}
