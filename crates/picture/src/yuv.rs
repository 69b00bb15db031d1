//! Brightness and two differences of colour, as video codecs keep them, to 8-bit RGB.
//!
//! All arithmetic is in integers, so that every machine gives the same bytes. Memory: five rows.

use realsyn_av1::{Frame, Row};

use crate::PictureError;

/// What turns samples into colours, by ITU-T H.273: the numbers are those of its table 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour {
    /// Matrix coefficients.
    pub(crate) matrix: u16,
    /// Whether the smallest and largest sample are black and white; of video, 16 and 235 are.
    pub(crate) is_full: bool,
}

/// Binary places of the factors.
const PLACES: u32 = 16;

/// Offsets of the samples, and factors in units of 2⁻¹⁶.
#[derive(Debug, Clone, Copy)]
struct Factors {
    black: i32,
    neutral: i32,
    luma: i32,
    /// By red, green and blue: the factor of the first and of the second plane of colour.
    chroma: [[i32; 2]; 3],
}

impl Factors {
    fn new(colour: Colour, bits: u32) -> Result<Self, PictureError> {
        let step = f64::from(1_u32 << (bits - 8));
        let white = f64::from((1_u32 << bits) - 1);
        let (black, luma, chroma) = if colour.is_full {
            (0.0, 255.0 / white, 255.0 / white)
        } else {
            (16.0 * step, 255.0 / (219.0 * step), 255.0 / (224.0 * step))
        };
        let by_shares = |red: f64, blue: f64| {
            let green = 1.0 - red - blue;
            [
                [0.0, 2.0 * (1.0 - red)],
                [
                    -2.0 * blue * (1.0 - blue) / green,
                    -2.0 * red * (1.0 - red) / green,
                ],
                [2.0 * (1.0 - blue), 0.0],
            ]
        };
        let factors = match colour.matrix {
            1 => by_shares(0.2126, 0.0722),
            // "Unspecified" is read as BT.601, as libavif and browsers read it.
            2 | 5 | 6 => by_shares(0.299, 0.114),
            4 => by_shares(0.30, 0.11),
            7 => by_shares(0.212, 0.087),
            // YCgCo: the first plane is green's difference, the second orange's.
            8 => [[-1.0, 1.0], [1.0, 0.0], [-1.0, -1.0]],
            9 => by_shares(0.2627, 0.0593),
            other => {
                return Err(PictureError::Unsupported(format!(
                    "matrix coefficients {other} of colours"
                )));
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "factors are below 2 × 255")]
        let fixed = |factor: f64| (factor * f64::from(1_u32 << PLACES)).round() as i32;
        #[expect(clippy::cast_possible_truncation, reason = "at most 16 × 16")]
        let black = black as i32;
        Ok(Self {
            black,
            neutral: 1 << (bits - 1),
            luma: fixed(luma),
            chroma: factors.map(|pair| pair.map(|factor| fixed(factor * chroma))),
        })
    }
}

/// The frame as RGB, 3 bytes a pixel, row by row.
///
/// Planes of colour that are smaller are spread bilinearly around the centres of their samples, in sixteenths (9, 3, 3, 1),
/// as libavif does; samples beyond 8 bits are rounded to 8 after the conversion.
pub(crate) fn rgb(frame: &Frame, colour: Colour) -> Result<Vec<u8>, PictureError> {
    let (width, height) = (frame.width() as usize, frame.height());
    let mut pixels = Vec::with_capacity(width * height as usize * 3);
    let mut luma = Vec::with_capacity(width);
    let is_grey = frame.sampling() == realsyn_av1::Sampling::Grey;
    // The identity keeps green, blue and red themselves in the planes.
    let is_identity = colour.matrix == 0 && !is_grey;
    if is_identity && frame.sampling() != realsyn_av1::Sampling::Full {
        return Err(PictureError::Bad(
            "the identity matrix with smaller planes of colour".to_owned(),
        ));
    }
    let known = if is_grey || is_identity {
        Colour {
            matrix: 2,
            ..colour
        }
    } else {
        colour
    };
    let factors = Factors::new(known, frame.bits())?;
    let level = |sample: i32| (sample - factors.black) * factors.luma + HALF;
    let mut spread = [Spread::new(1), Spread::new(2)];
    for y in 0..height {
        fill(&mut luma, frame.row(0, y), 1);
        if is_grey {
            pixels.extend(luma.iter().flat_map(|&luma| [byte(level(luma)); 3]));
            continue;
        }
        let [first, second] = &mut spread;
        let (first, second) = (first.row(frame, y, width), second.row(frame, y, width));
        let samples = luma.iter().zip(first).zip(second);
        if is_identity {
            pixels.extend(samples.flat_map(|((&green, &blue), &red)| {
                [byte(level(red)), byte(level(green)), byte(level(blue))]
            }));
        } else {
            pixels.extend(samples.flat_map(|((&luma, &first), &second)| {
                let luma = level(luma);
                let (first, second) = (first - factors.neutral, second - factors.neutral);
                factors
                    .chroma
                    .map(|[a, b]| byte(luma + a * first + b * second))
            }));
        }
    }
    Ok(pixels)
}

/// Added before the binary places are cut off.
const HALF: i32 = 1 << (PLACES - 1);

fn byte(value: i32) -> u8 {
    u8::try_from((value >> PLACES).clamp(0, 255)).unwrap_or(u8::MAX)
}

/// Writes `times` each sample over `to`.
fn fill(to: &mut Vec<i32>, row: Row<'_>, times: i32) {
    to.clear();
    match row {
        Row::Bytes(row) => to.extend(row.iter().map(|&sample| times * i32::from(sample))),
        Row::Words(row) => to.extend(row.iter().map(|&sample| times * i32::from(sample))),
    }
}

/// A plane of colour, spread to the size of the picture row by row.
struct Spread {
    plane: usize,
    /// A row of the plane in quarters, and the second row that a row between two is made of.
    quarters: Vec<i32>,
    far: Vec<i32>,
    samples: Vec<i32>,
}

impl Spread {
    fn new(plane: usize) -> Self {
        Self {
            plane,
            quarters: Vec::new(),
            far: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// The samples for row `y` of the picture.
    fn row(&mut self, frame: &Frame, y: u32, width: usize) -> &[i32] {
        let (across, down) = frame.sampling().shifts();
        let near = y >> down;
        if down == 0 {
            fill(&mut self.quarters, frame.row(self.plane, near), 4);
        } else {
            // Pixels lie a quarter of a sample's height above or below its centre.
            let last = frame.height().div_ceil(2) - 1;
            let far = if y.is_multiple_of(2) {
                near.saturating_sub(1)
            } else {
                (near + 1).min(last)
            };
            fill(&mut self.quarters, frame.row(self.plane, near), 3);
            fill(&mut self.far, frame.row(self.plane, far), 1);
            for (sum, &far) in self.quarters.iter_mut().zip(&self.far) {
                *sum += far;
            }
        }
        self.samples.clear();
        let row = &self.quarters;
        if across == 0 {
            self.samples
                .extend(row.iter().map(|&sample| (sample + 2) >> 2));
        } else {
            let last = row.len() - 1;
            self.samples
                .extend(row.iter().enumerate().flat_map(|(x, &near)| {
                    let (left, right) = (row[x.saturating_sub(1)], row[(x + 1).min(last)]);
                    [(3 * near + left + 8) >> 4, (3 * near + right + 8) >> 4]
                }));
            self.samples.truncate(width);
        }
        &self.samples
    }
}
