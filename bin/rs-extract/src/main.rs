//! rs-extract.
fn main() {}
