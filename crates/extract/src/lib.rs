//! Documents to image and sentence records.
