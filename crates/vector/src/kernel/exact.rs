//! Loops along the dimension of one row: products in double precision, scaling, whole-number sums.
//!
//! They are written without intrinsics, in a fixed number of lanes, and compiled once for each instruction set. The
//! product of two single-precision numbers is exact in double precision, so whether a processor fuses the addition or not
//! changes no bit: every kernel gives the bits of the plain loop.

use super::Kernel;

/// Sums that run side by side: element i belongs to sum i mod 16.
const SUMS: usize = 16;

/// A loop that the compiler turns into each instruction set's own vectors: `run` is to be `#[inline(always)]`.
pub(super) trait Task {
    /// What it gives.
    type Output;
    /// Runs it.
    fn run(self) -> Self::Output;
}

/// The sum of the lanes, halves first: lane i with lane i + 8, then with i + 4, i + 2, i + 1.
#[inline(always)]
fn total(mut sums: [f64; SUMS]) -> f64 {
    let mut half = SUMS / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// See [`Kernel::product`].
#[inline(always)]
fn product(a: &[f32], b: &[f32]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<SUMS>(), b.as_chunks::<SUMS>());
    let mut sums = [0.0f64; SUMS];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..SUMS {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    for ((sum, &x), &y) in sums.iter_mut().zip(a_rest).zip(b_rest) {
        *sum += f64::from(x) * f64::from(y);
    }
    total(sums)
}

struct Product<'a>(&'a [f32], &'a [f32]);

impl Task for Product<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        product(self.0, self.1)
    }
}

struct Scale<'a>(&'a mut [f32], f64);

impl Task for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for x in self.0 {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "rounded once to single precision"
            )]
            let scaled = (f64::from(*x) * self.1) as f32;
            *x = scaled;
        }
    }
}

struct Accumulate<'a> {
    sums: &'a mut [i64],
    row: &'a [f32],
    scale: f32,
    negative: bool,
}

impl Task for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let scale = if self.negative {
            -self.scale
        } else {
            self.scale
        };
        for (sum, &x) in self.sums.iter_mut().zip(self.row) {
            *sum += i64::from(whole(x * scale));
        }
    }
}

/// The largest number of single precision below 2³¹.
const LARGEST: f32 = 2_147_483_520.0;

/// Cut to a whole number; what lies beyond 32 bits becomes the outermost of them, what is undefined the smallest. As the
/// language's own cast, but in three instructions for many numbers at a time.
#[inline(always)]
fn whole(x: f32) -> i32 {
    let low = if x > -LARGEST { x } else { -LARGEST };
    let x = if low < LARGEST { low } else { LARGEST };
    // SAFETY: x is a number within ±`LARGEST`.
    unsafe { x.to_int_unchecked() }
}

impl Kernel {
    /// The inner product in double precision: 16 sums, element i in sum i mod 16, added up by halves.
    ///
    /// The shorter of the two slices sets the dimension. The result is within (dim/16 + 5)·2⁻⁵³·‖a‖‖b‖ of the truth.
    ///
    /// # Panics
    /// If this processor lacks the kernel.
    #[must_use]
    pub fn product(self, a: &[f32], b: &[f32]) -> f64 {
        self.run(Product(a, b))
    }

    /// Multiplies each number by `factor`, in double precision, rounded once.
    ///
    /// # Panics
    /// If this processor lacks the kernel.
    pub fn scale(self, row: &mut [f32], factor: f64) {
        self.run(Scale(row, factor));
    }

    /// Adds the row to (or, if `negative`, takes it from) sums of whole numbers: each number times `scale`, cut to 32 bits.
    ///
    /// # Panics
    /// If this processor lacks the kernel.
    pub fn accumulate(self, sums: &mut [i64], row: &[f32], scale: f32, negative: bool) {
        self.run(Accumulate {
            sums,
            row,
            scale,
            negative,
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_kernel_gives_the_same_bits(pairs in prop::collection::vec((-3.0f32..3.0, -1e-3f32..2.0), 0..150), factor in 0.1f64..9.0) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let truth: f64 = a.iter().zip(&b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
            let first = Kernel::Portable.product(&a, &b);
            prop_assert!((first - truth).abs() <= 1e-12 * truth.abs().max(1.0));
            let scaled: Vec<f32> = a.iter().map(|&x| {
                #[expect(clippy::cast_possible_truncation, reason = "rounded once")]
                let y = (f64::from(x) * factor) as f32;
                y
            }).collect();
            for kernel in Kernel::available() {
                prop_assert_eq!(kernel.product(&a, &b).to_bits(), first.to_bits(), "{:?}", kernel);
                let mut here = a.clone();
                kernel.scale(&mut here, factor);
                prop_assert_eq!(&here, &scaled, "{:?}", kernel);
                let mut sums = vec![7i64; a.len()];
                kernel.accumulate(&mut sums, &a, 1024.0, false);
                for (&sum, &x) in sums.iter().zip(&a) {
                    #[expect(clippy::cast_possible_truncation, reason = "small")]
                    let whole = (x * 1024.0) as i64;
                    prop_assert_eq!(sum, 7 + whole, "{:?}", kernel);
                }
                kernel.accumulate(&mut sums, &a, 1024.0, true);
                prop_assert!(sums.iter().all(|&sum| sum == 7), "{:?}", kernel);
            }
        }
    }

    #[test]
    fn what_lies_beyond_32_bits_is_cut() {
        for kernel in Kernel::available() {
            let mut sums = vec![0i64; 5];
            let row = [f32::INFINITY, -1e20, f32::NAN, 2.9, -2.9];
            kernel.accumulate(&mut sums, &row, 1.0, false);
            let most = 2_147_483_520;
            assert_eq!(sums, [most, -most, -most, 2, -2], "{kernel:?}");
        }
    }
}
