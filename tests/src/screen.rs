//! A screen whose pixels lie in a file, so that what a person would see is read without asking the program that paints it.

use crate::{
    KitError,
    process::{Environment, OwnedProcess, until},
};
use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::Path,
    time::{Duration, Instant},
};

const READY: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(1);
/// For how long a picture has to stay as it is to be the last one.
const STILL: Duration = Duration::from_millis(1_500);
/// A pixel's red, green and blue may differ by so much and look the same. Layers put together in another order round differently.
const SAME: u8 = 3;

/// A place on the screen, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From the left edge.
    pub left: u64,
    /// From the top edge.
    pub top: u64,
    /// To the right.
    pub width: u64,
    /// Downwards.
    pub height: u64,
}

/// A running screen.
pub struct Screen {
    pixels: File,
    start: u64,
    line: u64,
    _server: OwnedProcess,
}

impl Screen {
    /// Starts one of this width and height, its file in this folder, and puts it into the environment.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(folder: &Path, (width, height): (u32, u32), environment: &mut Environment) -> Result<Self, KitError> {
        let (place, geometry) = (folder.to_string_lossy(), format!("{width}x{height}x24"));
        let arguments = ["-displayfd", "1", "-screen", "0", &geometry, "-nolisten", "tcp", "-noreset", "-dpi", "96", "-fbdir", &place];
        let mut server = OwnedProcess::start(Path::new("Xvfb"), &arguments, environment, &folder.join("screen.log"))?;
        let number = until("the screen to say its number", READY, async || {
            if server.has_ended() {
                return Err(KitError::unexpected(format!("the screen ended: {}", server.output())));
            }
            let said = server.output();
            Ok(said.lines().map(str::trim).find(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_digit())).map(str::to_string))
        })
        .await?;
        environment.insert("DISPLAY".into(), Some(format!(":{number}")));
        environment.insert("GDK_BACKEND".into(), Some("x11".into()));
        environment.insert("XAUTHORITY".into(), None);
        let pixels = File::open(folder.join("Xvfb_screen0")).map_err(KitError::io("opening the screen's pixels"))?;
        // The file is an XWD dump: lengths of the header, of a line and of the colour table stand in its first words.
        let word = |at: u64| -> Result<u64, KitError> {
            let mut bytes = [0; 4];
            pixels.read_exact_at(&mut bytes, at * 4).map_err(KitError::io("reading the screen's header"))?;
            Ok(u64::from(u32::from_be_bytes(bytes)))
        };
        let (header, line, colours) = (word(0)?, word(12)?, word(19)?);
        Ok(Self { start: header + colours * 12, line, pixels, _server: server })
    }

    /// What is in this place now, four bytes a pixel.
    ///
    /// # Errors
    /// When the screen's file cannot be read.
    pub fn read(&self, place: Place) -> Result<Vec<u8>, KitError> {
        let mut bytes = Vec::new();
        let width = usize::try_from(place.width * 4).unwrap_or_default();
        for row in place.top..place.top + place.height {
            let mut pixels = vec![0; width];
            let at = self.start + row * self.line + place.left * 4;
            self.pixels.read_exact_at(&mut pixels, at).map_err(KitError::io("reading the screen"))?;
            bytes.extend(pixels);
        }
        Ok(bytes)
    }

    /// Whether no window is there: the ground is black.
    ///
    /// # Errors
    /// When the screen's file cannot be read.
    pub fn is_empty(&self, place: Place) -> Result<bool, KitError> {
        Ok(self.read(place)?.chunks(4).all(|pixel| pixel[..3] == [0, 0, 0]))
    }

    /// Waits until this place looks so; answers when it did.
    ///
    /// # Errors
    /// When the screen's file cannot be read, or it does not look so in time.
    pub async fn wait_for(&self, place: Place, wanted: &[u8], limit: Duration) -> Result<Instant, KitError> {
        let began = Instant::now();
        while !looks_like(&self.read(place)?, wanted) {
            if began.elapsed() > limit {
                return Err(KitError::Late { what: "the picture to be there".into(), limit });
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Instant::now())
    }

    /// What this place looks like once it stays as it is, from something else than `before`.
    ///
    /// # Errors
    /// When the screen's file cannot be read, or the picture does not stand still.
    pub async fn settled(&self, place: Place, before: &[u8]) -> Result<Vec<u8>, KitError> {
        let (began, mut since, mut last) = (Instant::now(), Instant::now(), self.read(place)?);
        while last == before || since.elapsed() < STILL {
            if began.elapsed() > READY {
                return Err(KitError::Late { what: "the picture to stand still".into(), limit: READY });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = self.read(place)?;
            if now != last {
                (since, last) = (Instant::now(), now);
            }
        }
        Ok(last)
    }
}

fn looks_like(seen: &[u8], wanted: &[u8]) -> bool {
    seen.len() == wanted.len() && seen.iter().zip(wanted).all(|(seen, wanted)| seen.abs_diff(*wanted) <= SAME)
}
