//! One frame of AV1: `rav1d`'s C interface behind a safe one.
//!
//! A still picture in AVIF is the first shown frame of an AV1 stream. The one well-kept decoder in Rust speaks as `dav1d`
//! does, in pointers; this crate is the only place that knows them. [`frame`] gives the decoded planes, colours as
//! they are coded: turning them into RGB is the caller's work.
//!
//! Memory: the planes (a byte a sample, two beyond 8 bits), a copy of the stream, and about as much again inside the
//! decoder. No thread is started, and nothing is printed.

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use re_rav1d::Dav1dResult;
use re_rav1d::include::dav1d::data::Dav1dData;
use re_rav1d::include::dav1d::dav1d::{Dav1dContext, Dav1dLogger, Dav1dSettings};
use re_rav1d::include::dav1d::headers::{
    DAV1D_PIXEL_LAYOUT_I400, DAV1D_PIXEL_LAYOUT_I420, DAV1D_PIXEL_LAYOUT_I422,
};
use re_rav1d::include::dav1d::picture::Dav1dPicture;
use re_rav1d::src::lib::{
    dav1d_close, dav1d_data_create, dav1d_data_unref, dav1d_default_settings, dav1d_get_picture,
    dav1d_open, dav1d_picture_unref, dav1d_send_data,
};

/// Why a stream gave no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A frame has more pixels than the caller allows.
    #[error("a frame is larger than allowed")]
    TooManyPixels,
    /// A profile or a tool that the decoder does not know.
    #[error("not a stream that the decoder knows")]
    Unsupported,
    /// The stream breaks the rules of AV1, or ends inside a frame.
    #[error("the stream is damaged")]
    Damaged,
    /// The stream is whole, and shows no frame.
    #[error("the stream shows no frame")]
    Empty,
}

impl Error {
    /// The decoder's negative error numbers, the operating system's.
    fn of(result: Dav1dResult) -> Result<(), Self> {
        match -result.0 {
            0 => Ok(()),
            libc::ERANGE => Err(Self::TooManyPixels),
            libc::EAGAIN => Err(Self::Empty),
            libc::ENOPROTOOPT => Err(Self::Unsupported),
            _ => Err(Self::Damaged),
        }
    }
}

/// How the two planes of colour are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// There are none.
    Grey,
    /// 4:2:0, half as wide and half as high.
    Quarter,
    /// 4:2:2, half as wide.
    Half,
    /// 4:4:4, as many as of brightness.
    Full,
}

impl Sampling {
    /// By how much width and height of a colour plane are halved: 0 or 1 each.
    #[must_use]
    pub fn shifts(self) -> (u32, u32) {
        match self {
            Self::Grey | Self::Full => (0, 0),
            Self::Quarter => (1, 1),
            Self::Half => (1, 0),
        }
    }
}

/// A row of samples.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// Samples of 8 bits.
    Bytes(&'a [u8]),
    /// Samples of 10 or 12 bits.
    Words(&'a [u16]),
}

/// A decoded frame.
pub struct Frame {
    picture: Dav1dPicture,
    sampling: Sampling,
}

/// Decodes the first frame that the stream of OBUs shows.
///
/// Of a stream in several spatial layers, the last layer of `operating_point` (0 to 31) is taken. A frame of more than
/// `max_pixels` is refused before anything is allocated for it. Film grain is applied, as the standard asks.
///
/// # Errors
/// See [`Error`].
pub fn frame(obus: &[u8], operating_point: u8, max_pixels: u32) -> Result<Frame, Error> {
    if obus.is_empty() {
        return Err(Error::Empty);
    }
    let decoder = Decoder::open(operating_point.min(31), max_pixels)?;
    let mut data = Data::copy(obus)?;
    // A shown frame that waits is taken first, then the rest of the stream is sent. Two rounds do; a decoder that takes
    // nothing and gives nothing is left alone.
    for _ in 0..8 {
        match decoder.send(&mut data) {
            Ok(()) | Err(Error::Empty) => {}
            Err(error) => return Err(error),
        }
        match decoder.picture() {
            Err(Error::Empty) if data.0.sz > 0 => {}
            result => return result,
        }
    }
    Err(Error::Damaged)
}

impl Frame {
    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.picture.p.w.unsigned_abs()
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.picture.p.h.unsigned_abs()
    }

    /// Bits of a sample: 8, 10 or 12.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.picture.p.bpc.unsigned_abs()
    }

    /// How colour is sampled.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// Matrix coefficients and full range, as the sequence header says (ITU-T H.273, table 4).
    #[must_use]
    pub fn colour(&self) -> (u16, bool) {
        #[expect(unsafe_code, reason = "the header lies behind a pointer")]
        // SAFETY: a picture that the decoder gave out holds a reference to its sequence header until it is given back,
        // which only `drop` does.
        let header = self
            .picture
            .seq_hdr
            .map(|header| unsafe { &*header.as_ptr() });
        header.map_or((2, true), |header| {
            let matrix = u16::try_from(header.mtrx).unwrap_or(2);
            (matrix, header.color_range != 0)
        })
    }

    /// Row `y` of `plane`: 0 is brightness, 1 and 2 are colour. Where there is no such plane or row, it is empty.
    #[must_use]
    pub fn row(&self, plane: usize, y: u32) -> Row<'_> {
        let (across, down) = match plane {
            0 => (0, 0),
            _ => self.sampling.shifts(),
        };
        let width = self.width().div_ceil(1 << across) as usize;
        let rows = self.height().div_ceil(1 << down);
        let data = self.picture.data.get(plane).copied().flatten();
        let is_wide = self.bits() > 8;
        let Some(data) = data.filter(|_| y < rows) else {
            return Row::Bytes(&[]);
        };
        let stride = self.picture.stride[usize::from(plane > 0)];
        #[expect(
            clippy::cast_possible_wrap,
            reason = "rows of a picture are fewer than 2³¹"
        )]
        let offset = stride * y as isize;
        #[expect(
            unsafe_code,
            clippy::cast_ptr_alignment,
            reason = "planes are pointers, as their rows aligned to 64 bytes"
        )]
        // SAFETY: each plane that is there holds `rows` rows of at least `width` samples, `stride` bytes apart, written
        // before the picture was given out, and left alone until it is given back, which only `drop` does. Rows start
        // at multiples of 64 bytes, so samples of two bytes are aligned.
        unsafe {
            let start = data.as_ptr().cast::<u8>().offset(offset);
            if is_wide {
                Row::Words(std::slice::from_raw_parts(start.cast::<u16>(), width))
            } else {
                Row::Bytes(std::slice::from_raw_parts(start, width))
            }
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        give_back(&mut self.picture);
    }
}

/// Gives a picture, or what `dav1d_get_picture` left in place of one, back to the decoder.
fn give_back(picture: &mut Dav1dPicture) {
    #[expect(unsafe_code, reason = "the decoder's interface is C's")]
    // SAFETY: the picture is the decoder's own, and is given back once. What the decoder leaves in its place is empty but for
    // a list of its metadata, made anew; it is taken out, so that it is freed once. (48 bytes a picture: left where they are
    // they kept megabytes around them from being used again.)
    unsafe {
        dav1d_picture_unref(Some(NonNull::from(&mut *picture)));
        drop(picture.itut_t35_ref.take().map(|list| list.into_arc()));
    }
}

/// A decoder that is closed when it goes.
struct Decoder(Option<Dav1dContext>);

impl Decoder {
    fn open(operating_point: u8, max_pixels: u32) -> Result<Self, Error> {
        let mut settings = MaybeUninit::<Dav1dSettings>::uninit();
        let mut context = None;
        #[expect(unsafe_code, reason = "the decoder's interface is C's")]
        // SAFETY: `dav1d_default_settings` writes every field before they are read. The logger that replaces the default
        // calls nothing. `dav1d_open` reads the settings, which own nothing, and writes `context`.
        let result = unsafe {
            dav1d_default_settings(NonNull::from(&mut settings).cast());
            let settings = settings.assume_init_mut();
            settings.n_threads = 1;
            settings.max_frame_delay = 1;
            settings.operating_point = operating_point.into();
            settings.all_layers = 0;
            settings.frame_size_limit = max_pixels.max(1);
            settings.logger = Dav1dLogger::new(None, None);
            dav1d_open(
                Some(NonNull::from(&mut context)),
                Some(NonNull::from(settings)),
            )
        };
        Error::of(result)?;
        Ok(Self(context))
    }

    /// Decodes until a frame is shown or the data are used up.
    fn send(&self, data: &mut Data) -> Result<(), Error> {
        #[expect(unsafe_code, reason = "the decoder's interface is C's")]
        // SAFETY: the context is open, and `data` was made by `dav1d_data_create`.
        Error::of(unsafe { dav1d_send_data(self.0, Some(NonNull::from(&mut data.0))) })
    }

    fn picture(&self) -> Result<Frame, Error> {
        let mut picture = Dav1dPicture::default();
        #[expect(unsafe_code, reason = "the decoder's interface is C's")]
        // SAFETY: the context is open; what is written over owns nothing.
        let result = unsafe { dav1d_get_picture(self.0, Some(NonNull::from(&mut picture))) };
        if let Err(error) = Error::of(result) {
            give_back(&mut picture);
            return Err(error);
        }
        let sampling = match picture.p.layout {
            DAV1D_PIXEL_LAYOUT_I400 => Sampling::Grey,
            DAV1D_PIXEL_LAYOUT_I420 => Sampling::Quarter,
            DAV1D_PIXEL_LAYOUT_I422 => Sampling::Half,
            _ => Sampling::Full,
        };
        Ok(Frame { picture, sampling })
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the decoder's interface is C's")]
        // SAFETY: the context is open, and is closed once; pictures hold their memory by references of their own.
        unsafe {
            dav1d_close(Some(NonNull::from(&mut self.0)));
        }
    }
}

/// Bytes that belong to the decoder.
struct Data(Dav1dData);

impl Data {
    fn copy(bytes: &[u8]) -> Result<Self, Error> {
        let mut data = Self(Dav1dData::default());
        #[expect(unsafe_code, reason = "the decoder's interface is C's")]
        // SAFETY: `dav1d_data_create` gives `bytes.len()` bytes that nothing else holds, or null.
        unsafe {
            let room = dav1d_data_create(Some(NonNull::from(&mut data.0)), bytes.len());
            let room = NonNull::new(room).ok_or(Error::Damaged)?;
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), room.as_ptr(), bytes.len());
        }
        Ok(data)
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the decoder's interface is C's")]
        // SAFETY: the data came from the decoder's interface, or are empty.
        unsafe {
            dav1d_data_unref(Some(NonNull::from(&mut self.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole streams are decoded in the tests of `realsyn-picture`, from files that other software wrote.
    #[test]
    fn what_shows_no_frame_is_said_to() {
        // Nothing, and a temporal delimiter alone.
        for obus in [&b""[..], b"\x12\x00"] {
            assert_eq!(frame(obus, 0, 100).err(), Some(Error::Empty));
        }
    }

    #[test]
    fn what_is_no_stream_is_damaged() {
        // A unit that reaches beyond the end, and a sequence header of nothing but ones.
        for obus in [
            &b"\x0a\xff"[..],
            b"\x0a\x04\xff\xff\xff\xff",
            b"no stream at all",
        ] {
            let error = frame(obus, 0, 100).err();
            assert!(
                matches!(error, Some(Error::Damaged | Error::Unsupported)),
                "{error:?}"
            );
        }
    }
}
