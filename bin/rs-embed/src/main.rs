//! rs-embed.
fn main() {}
