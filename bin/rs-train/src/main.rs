//! rs-train.
fn main() {}
