//! A picture's header and, where it announces few pixels, the picture: it must have the size that its header announced.
#![no_main]

use libfuzzer_sys::fuzz_target;
use realsyn_picture::Limits;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        max_pixels: 1 << 16,
        max_bytes: 1 << 20,
    };
    if let Ok(header) = realsyn_picture::header(bytes)
        && header.pixels() <= limits.max_pixels
        && let Ok(picture) = realsyn_picture::decode(bytes, &limits)
    {
        assert_eq!((picture.width, picture.height), (header.width, header.height));
    }
});
