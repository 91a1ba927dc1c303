//! QR codes as vector paths: what a payment link or a pairing text looks like to a phone's camera.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Light modules that have to be left free on each side for a camera to find the code (ISO/IEC 18004).
pub const QUIET_ZONE: u32 = 4;

/// A text is too long for any QR code: more than about 2,300 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text does not fit into a qr code")]
pub struct QrError;

/// A QR code of the smallest size that holds its text and stays readable with 15 % of it covered (level M).
#[derive(Clone, PartialEq, Eq)]
pub struct Qr {
    size: u32,
    /// Row by row, from the upper left.
    modules: Vec<bool>,
}

impl Qr {
    /// Encodes a text.
    ///
    /// # Errors
    /// [`QrError`] when it is too long.
    pub fn encode(text: &str) -> Result<Self, QrError> {
        let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).map_err(|_| QrError)?;
        let size = u32::try_from(code.width()).map_err(|_| QrError)?;
        let modules = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Ok(Self { size, modules })
    }

    /// Modules per side, without the quiet zone.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Whether a module is dark; outside of the code nothing is.
    #[must_use]
    pub fn is_dark(&self, x: u32, y: u32) -> bool {
        if x >= self.size || y >= self.size {
            return false;
        }
        let at = u64::from(y).saturating_mul(self.size.into()).saturating_add(x.into());
        usize::try_from(at).ok().and_then(|at| self.modules.get(at)).copied().unwrap_or(false)
    }

    /// The dark modules as data of one SVG path, one unit per module, from (0, 0), without the quiet zone: the caller's
    /// `viewBox` leaves [`QUIET_ZONE`] units free on each side. Neighbours are merged, so that no seam shows between them.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        let mut standing: Vec<Rectangle> = Vec::new();
        for y in 0..=self.size {
            let runs = self.runs(y);
            // A run that goes on below as it is grows; any other is drawn where it ends.
            let (growing, ended): (Vec<_>, Vec<_>) = standing.into_iter().partition(|above| runs.contains(&(above.x, above.width)));
            ended.iter().for_each(|rectangle| rectangle.draw(&mut path));
            let fresh = runs.into_iter().filter(|run| !growing.iter().any(|above| (above.x, above.width) == *run));
            let fresh: Vec<_> = fresh.map(|(x, width)| Rectangle { x, y, width, height: 1 }).collect();
            standing = growing.into_iter().map(Rectangle::taller).chain(fresh).collect();
        }
        path
    }

    /// Start and length of each dark run of a row; none beyond the last row.
    fn runs(&self, y: u32) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for x in (0..self.size).filter(|x| self.is_dark(*x, y)) {
            match runs.last_mut() {
                Some((start, length)) if start.saturating_add(*length) == x => *length = length.saturating_add(1),
                _ => runs.push((x, 1)),
            }
        }
        runs
    }
}

struct Rectangle {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Rectangle {
    fn taller(self) -> Self {
        Self { height: self.height.saturating_add(1), ..self }
    }

    fn draw(&self, path: &mut String) {
        let Self { x, y, width, height } = self;
        // Writing to a string cannot fail.
        let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_units::Wei;
    use proptest::prelude::*;

    /// Paints a path's rectangles onto a grid, counting how often each module is painted.
    fn painted(qr: &Qr) -> Vec<u32> {
        let side = usize::try_from(qr.size()).unwrap();
        let mut grid = vec![0; side * side];
        for rectangle in qr.path().split_terminator('z') {
            let numbers = rectangle.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty());
            let numbers: Vec<usize> = numbers.map(|n| n.parse().unwrap()).collect();
            let [x, y, width, height, back] = numbers[..] else { panic!("{rectangle}") };
            assert_eq!(width, back);
            for row in y..y + height {
                grid[row * side + x..row * side + x + width].iter_mut().for_each(|module| *module += 1);
            }
        }
        grid
    }

    fn is_whole(qr: &Qr) -> bool {
        let modules = (0..qr.size()).flat_map(|y| (0..qr.size()).map(move |x| u32::from(qr.is_dark(x, y))));
        painted(qr) == modules.collect::<Vec<_>>()
    }

    #[test]
    fn a_payment_link_has_the_three_corners_of_a_code() {
        let qr = Qr::encode(&crate::links::eip681(Wei::new(5_127_574_042_169_169))).unwrap();
        let last = qr.size() - 1;
        assert!(qr.size() >= 21 && (qr.size() - 17).is_multiple_of(4), "{}", qr.size());
        assert!(qr.is_dark(0, 0) && qr.is_dark(last, 0) && qr.is_dark(0, last));
        assert!(!qr.is_dark(7, 7) && !qr.is_dark(qr.size(), 0) && !qr.is_dark(0, u32::MAX));
        assert!(is_whole(&qr));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Qr::encode(&"a".repeat(2_331)).is_ok());
        assert_eq!(Qr::encode(&"a".repeat(2_332)).err(), Some(QrError));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn the_path_paints_every_dark_module_once_and_no_other(text in "\\PC{0,120}") {
            prop_assert!(is_whole(&Qr::encode(&text).unwrap()));
        }
    }
}
