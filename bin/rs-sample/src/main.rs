//! rs-sample.
fn main() {}
