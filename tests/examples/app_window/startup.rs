//! From the start of the process to the last known balance on the screen.

use crate::{
    median, quantile, say, verdict,
    world::{APP, BARE, BARE_ALIKE, DRIVEN, World},
};
use aispace_testkit::{
    KitError,
    process::until,
    screen::Place,
    window::{STEP, Window},
};
use serde_json::json;
use std::{fmt::Write as _, time::Duration, time::Instant};

const GOAL: f64 = 1.25;
const LIMIT: Duration = Duration::from_secs(20);
/// The service is silent for so long before the app gives up on it and says so.
const BEFORE_OFFLINE: Duration = Duration::from_secs(7);

/// A program, and what it shows when it is there.
struct Contender {
    name: &'static str,
    place: Place,
    picture: Vec<u8>,
    milliseconds: Vec<f64>,
}

pub async fn measure(quick: bool) -> Result<String, KitError> {
    let rounds = if quick { 3 } else { 20 };
    let world = World::start().await?;
    world.sign_in_to_sample().await?;
    world.silence().await;
    let mut app = Contender::prepare(&world, DRIVEN, APP).await?;
    let mut bare = Contender::prepare(&world, BARE, BARE).await?;
    let mut alike = Contender::prepare(&world, BARE, BARE_ALIKE).await?;
    for round in 1..=rounds {
        for contender in [&mut app, &mut bare, &mut alike] {
            let milliseconds = contender.start_once(&world).await?;
            contender.milliseconds.push(milliseconds);
            say(&format!("start {round} of {rounds}: {} {milliseconds:.0} ms", contender.name));
        }
    }
    let against = |other: &Contender| {
        let ratios: Vec<f64> = app.milliseconds.iter().zip(&other.milliseconds).map(|(app, bare)| app / bare).collect();
        median(&ratios)
    };
    let ratio = against(&bare);
    let mut page = String::from("| | median, ms | fastest | slowest |\n|---|---:|---:|---:|\n");
    for (title, contender) in [("AiSpace Wallet, balance", &app), ("bare window, text", &bare), ("bare window painted alike, text", &alike)]
    {
        let ms = &contender.milliseconds;
        let _ = writeln!(page, "| {title} | {:.0} | {:.0} | {:.0} |", median(ms), quantile(ms, 0.0), quantile(ms, 1.0));
    }
    let _ = writeln!(
        page,
        "\nRatio, the median of {rounds} rounds: **{ratio:.2}** (goal {GOAL}: {}); to the one that is painted alike {:.2}.",
        verdict(ratio <= GOAL),
        against(&alike)
    );
    Ok(page)
}

impl Contender {
    /// Finds where the figure stands, in the window that can be driven, and what it looks like, in the one that is measured.
    async fn prepare(world: &World, driven: &str, name: &'static str) -> Result<Self, KitError> {
        let window = world.drive(driven).await?;
        let opened = Instant::now();
        window.element("balance").await?;
        window.settle().await?;
        let place = place(&window).await?;
        if opened.elapsed() > BEFORE_OFFLINE {
            return Err(KitError::unexpected("the driven window took too long to say where the balance is"));
        }
        window.close().await;
        let nothing = empty(world, place).await?;
        let mut process = world.open(name)?;
        let picture = world.screen.settled(place, &nothing).await?;
        process.stop(STEP).await;
        let first = &picture[..4];
        if picture.chunks(4).all(|pixel| pixel == first) {
            return Err(KitError::unexpected(format!("{name} shows nothing at {place:?}")));
        }
        empty(world, place).await?;
        Ok(Self { name, place, picture, milliseconds: Vec::new() })
    }

    async fn start_once(&self, world: &World) -> Result<f64, KitError> {
        let began = Instant::now();
        let mut process = world.open(self.name)?;
        let seen = world.screen.wait_for(self.place, &self.picture, LIMIT).await?;
        process.stop(STEP).await;
        empty(world, self.place).await?;
        Ok((seen - began).as_secs_f64() * 1e3)
    }
}

/// Waits until no window is there any more: the screen's ground is black.
async fn empty(world: &World, place: Place) -> Result<Vec<u8>, KitError> {
    until("the screen to be empty", LIMIT, async || {
        let is_empty = world.screen.is_empty(place)?;
        if is_empty { world.screen.read(place).map(Some) } else { Ok(None) }
    })
    .await
}

/// Where the figure is, and nothing of the lines above and below it. Without a program that places windows, the page begins at the screen's corner.
async fn place(window: &Window) -> Result<Place, KitError> {
    let script = "const figure = document.querySelector(arguments[0]);
        const [box, line] = [figure, figure.parentElement].map((one) => one.getBoundingClientRect());
        const [top, bottom] = [Math.max(box.top, line.top), Math.min(box.bottom, line.bottom)];
        return [Math.floor(box.left), Math.ceil(top), Math.ceil(box.width), Math.floor(bottom - Math.ceil(top))];";
    let found = window.run(script, vec![json!("[data-testid=balance]")]).await?;
    let [left, top, width, height]: [u64; 4] =
        serde_json::from_value(found.clone()).map_err(|_| KitError::unexpected(format!("a place, not {found}")))?;
    Ok(Place { left, top, width, height })
}
