//! rs-caption.
fn main() {}
