//! rs-phash-dedup.
fn main() {}
