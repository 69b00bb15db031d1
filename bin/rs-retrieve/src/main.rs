//! rs-retrieve.
fn main() {}
