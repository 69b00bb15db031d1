//! Picture decoding with limits, orientation and Pillow-exact resampling.
