//! AVIF: a container of AV1 frames, with their colours, turns and tiles.
//!
//! Memory: 3 bytes a pixel for the picture, and what the decoder of one tile holds: its planes, twice.

use std::borrow::Cow;

use image::metadata::Orientation;
use realsyn_av1::Frame;
use zenavif_parse::{AV1Metadata, AvifParser, ColorInformation, DecodeConfig};

use crate::decode::check_pixels;
use crate::yuv::{Colour, rgb};
use crate::{Format, Header, Limits, PictureError, Rgb};

/// The brand of AVIF, of one picture or of a sequence, that a file carries: as its first, or among those that a general file
/// of pictures says it is compatible with (ISO/IEC 23000-22, 10.2).
fn brand(bytes: &[u8]) -> Option<&[u8; 4]> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let brands = rest.strip_prefix(b"ftyp")?.as_chunks::<4>().0;
    let count = (u32::from_be_bytes(*size) as usize / 4).saturating_sub(2);
    let is_ours = |brand: &&[u8; 4]| matches!(*brand, b"avif" | b"avis");
    match brands.first()? {
        b"mif1" | b"msf1" => brands.iter().take(count).skip(2).find(is_ours),
        first => Some(first).filter(is_ours),
    }
}

/// Whether the bytes start as a file of AVIF.
pub(crate) fn is_avif(bytes: &[u8]) -> bool {
    brand(bytes).is_some()
}

/// An opened container.
struct Container<'a> {
    bytes: &'a [u8],
    parser: AvifParser<'a>,
}

/// How the picture is put together.
struct Layout {
    /// Width and height as stored.
    size: (u32, u32),
    /// Columns and rows of tiles, where there are any.
    tiles: Option<(u32, u32)>,
}

impl<'a> Container<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, PictureError> {
        // Lenient: reserved bits that are set harm no pixel.
        let config = DecodeConfig::default().lenient(true);
        let parser = match brand(bytes) {
            // The parser takes AVIF's brand in the first place alone.
            Some(brand) if bytes.get(8..12) != Some(brand) => {
                let mut renamed = bytes.to_vec();
                renamed[8..12].copy_from_slice(brand);
                AvifParser::from_owned_with_config(renamed, &config, &enough::Unstoppable)
            }
            _ => AvifParser::from_bytes_with_config(bytes, &config, &enough::Unstoppable),
        };
        let parser = parser.map_err(|error| sort(bytes, &error))?;
        Ok(Self { bytes, parser })
    }

    /// The stream of the one picture, or of the first frame of a sequence.
    fn stream(&self) -> Result<Cow<'_, [u8]>, PictureError> {
        let is_sequence = self.parser.major_brand() == b"avis";
        if is_sequence && self.parser.animation_info().is_some() {
            return self
                .parser
                .frame(0)
                .map(|frame| frame.data)
                .map_err(|error| sort(self.bytes, &error));
        }
        self.parser
            .primary_data()
            .map_err(|error| sort(self.bytes, &error))
    }

    fn tile(&self, index: usize) -> Result<Cow<'_, [u8]>, PictureError> {
        self.parser
            .tile_data(index)
            .map_err(|error| sort(self.bytes, &error))
    }

    fn layout(&self) -> Result<Layout, PictureError> {
        let size = |stream: &[u8]| {
            AV1Metadata::parse_av1_bitstream(stream)
                .map(|found| (found.max_frame_width.get(), found.max_frame_height.get()))
                .map_err(|error| sort(self.bytes, &error))
        };
        let Some(grid) = self.parser.grid_config() else {
            return Ok(Layout {
                size: size(&self.stream()?)?,
                tiles: None,
            });
        };
        let (columns, rows) = (u32::from(grid.columns), u32::from(grid.rows));
        if columns * rows != u32::try_from(self.parser.grid_tile_count()).unwrap_or(0) {
            return Err(PictureError::Bad(format!(
                "{columns}x{rows} tiles are announced, {} are there",
                self.parser.grid_tile_count()
            )));
        }
        let (width, height) = size(&self.tile(0)?)?;
        // A size of 0 stands for all that the tiles cover.
        let whole = |given: u32, tile: u32, count: u32| match given {
            0 => tile.checked_mul(count),
            given
                if given <= tile.saturating_mul(count)
                    && given > tile.saturating_mul(count - 1) =>
            {
                Some(given)
            }
            _ => None,
        };
        let size =
            whole(grid.output_width, width, columns).zip(whole(grid.output_height, height, rows));
        let size = size.ok_or_else(|| {
            PictureError::Bad(format!(
                "{columns}x{rows} tiles of {width}x{height} do not make {}x{}",
                grid.output_width, grid.output_height
            ))
        })?;
        Ok(Layout {
            size,
            tiles: Some((columns, rows)),
        })
    }

    /// The turn that the container asks for. EXIF does not count in AVIF (MIAF, ISO/IEC 23000-22, 7.3.6.7).
    fn orientation(&self) -> u8 {
        let turn = self.parser.rotation().map_or(0, |turn| turn.angle);
        let mirror = self.parser.mirror().map(|mirror| mirror.axis);
        // Turned counter-clockwise, then mirrored: axis 0 swaps top and bottom, 1 left and right.
        match (turn, mirror) {
            (0, Some(1)) | (180, Some(0)) => 2,
            (180, None) => 3,
            (0, Some(0)) | (180, Some(1)) => 4,
            (90, Some(0)) | (270, Some(1)) => 5,
            (270, None) => 6,
            (90, Some(1)) | (270, Some(0)) => 7,
            (90, None) => 8,
            _ => 1,
        }
    }

    fn colour(&self, frame: &Frame) -> Colour {
        if let Some(&ColorInformation::Nclx {
            matrix_coefficients,
            full_range,
            ..
        }) = self.parser.color_info()
        {
            return Colour {
                matrix: matrix_coefficients,
                is_full: full_range,
            };
        }
        let (matrix, is_full) = frame.colour();
        Colour { matrix, is_full }
    }

    /// Decodes one stream, whose frame must have the size that its own header announced.
    fn decode(&self, stream: &[u8], limits: &Limits) -> Result<Rgb, PictureError> {
        let most = u32::try_from(limits.max_pixels).unwrap_or(u32::MAX);
        let operating_point = self
            .parser
            .operating_point()
            .map_or(0, |point| point.op_index);
        let frame = realsyn_av1::frame(stream, operating_point, most).map_err(|error| {
            let why = error.to_string();
            match error {
                realsyn_av1::Error::TooManyPixels => PictureError::TooLarge {
                    bytes: 0,
                    limit: limits.max_pixels,
                },
                realsyn_av1::Error::Unsupported => PictureError::Unsupported(why),
                _ if ends_early(self.bytes) => PictureError::Truncated(why),
                _ => PictureError::Bad(why),
            }
        })?;
        Ok(Rgb {
            width: frame.width(),
            height: frame.height(),
            pixels: rgb(&frame, self.colour(&frame))?,
        })
    }
}

/// Format, size as displayed and orientation, from the container and the stream's own header.
pub(crate) fn header(bytes: &[u8]) -> Result<Header, PictureError> {
    let container = Container::open(bytes)?;
    let layout = container.layout()?;
    let orientation = Orientation::from_exif(container.orientation());
    Ok(Header::new(
        layout.size,
        orientation.unwrap_or(Orientation::NoTransforms),
        Format::Avif,
    ))
}

/// The orientation, and the pixels as stored.
pub(crate) fn pixels(bytes: &[u8], limits: &Limits) -> Result<(u8, Rgb), PictureError> {
    let container = Container::open(bytes)?;
    let layout = container.layout()?;
    let (width, height) = layout.size;
    check_pixels(width, height, limits)?;
    let picture = match layout.tiles {
        None => container.decode(&container.stream()?, limits)?,
        Some((columns, rows)) => {
            let mut whole = Rgb {
                width,
                height,
                pixels: vec![0; width as usize * height as usize * 3],
            };
            let mut first = None;
            for index in 0..columns * rows {
                let tile = container.decode(&container.tile(index as usize)?, limits)?;
                let size = *first.get_or_insert((tile.width, tile.height));
                if (tile.width, tile.height) != size {
                    return Err(PictureError::Bad("tiles of different sizes".to_owned()));
                }
                put(&tile, &mut whole, index % columns, index / columns);
            }
            whole
        }
    };
    if (picture.width, picture.height) != layout.size {
        return Err(PictureError::Bad(format!(
            "a frame of {}x{} where {width}x{height} is announced",
            picture.width, picture.height
        )));
    }
    Ok((container.orientation(), picture))
}

/// Lays a tile into its place; what reaches beyond the picture is cut off.
fn put(tile: &Rgb, whole: &mut Rgb, column: u32, row: u32) {
    let left = column as usize * tile.width as usize;
    let top = row as usize * tile.height as usize;
    let (width, height) = (whole.width as usize, whole.height as usize);
    let across = (tile.width as usize).min(width.saturating_sub(left));
    let down = (tile.height as usize).min(height.saturating_sub(top));
    for y in 0..down {
        let from = &tile.pixels[y * tile.width as usize * 3..][..across * 3];
        whole.pixels[((top + y) * width + left) * 3..][..across * 3].copy_from_slice(from);
    }
}

/// Sorts an error of the container's reader into ours.
fn sort(bytes: &[u8], error: &zenavif_parse::Error) -> PictureError {
    use zenavif_parse::Error;
    let why = error.to_string();
    match error {
        Error::Unsupported(_) => PictureError::Unsupported(why),
        Error::UnexpectedEOF => PictureError::Truncated(why),
        _ if ends_early(bytes) => PictureError::Truncated(why),
        _ => PictureError::Bad(why),
    }
}

/// Whether some box of the outermost level reaches beyond the file (ISO/IEC 14496-12, 4.2).
fn ends_early(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((size, _)) = rest.split_first_chunk::<4>() {
        let size = match u32::from_be_bytes(*size) {
            // To the end of the file.
            0 => return false,
            1 => match rest.get(8..16).and_then(|long| long.try_into().ok()) {
                Some(long) => u64::from_be_bytes(long),
                None => return true,
            },
            size => u64::from(size),
        };
        let left = usize::try_from(size).ok().filter(|&size| size >= 8);
        // A box that is smaller than its own head is damage, not an end.
        let Some(size) = left else { return false };
        match rest.get(size..) {
            Some(after) => rest = after,
            None => return true,
        }
    }
    !rest.is_empty()
}
