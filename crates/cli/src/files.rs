//! Cards and lists as they lie in files.

use crate::failure::Failure;
use aispace_pricing::{
    CARD_BYTES_MAX, RateCard,
    request::{Cards, Code, Refusal},
};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The cards that runs are priced by: those that are named, else the built-in ones.
pub fn cards(named: &[String], with_built_in: bool) -> Result<Cards, Failure> {
    if named.is_empty() {
        return Cards::built_in().map_err(|error| Failure::built_in(&error));
    }
    let mut cards = named.iter().map(|name| card(name)).collect::<Result<Vec<_>, _>>()?;
    if with_built_in {
        let built_in = RateCard::built_in().map_err(|error| Failure::built_in(&error))?;
        cards.extend(built_in.into_iter().filter(|card| !named.iter().any(|name| name == card.id())));
    }
    Ok(Cards::new(cards)?)
}

/// The built-in card of an id, else the card in a file of that name.
pub fn card(name: &str) -> Result<RateCard, Failure> {
    if BUILT_IN.contains(&name) {
        let built_in = RateCard::built_in().map_err(|error| Failure::built_in(&error))?;
        if let Some(card) = built_in.into_iter().find(|card| card.id() == name) {
            return Ok(card);
        }
    }
    card_in(name)
}

/// The ids that name a built-in card and not a file.
const BUILT_IN: [&str; 4] = ["aispace", "aisa", "pinnora", "channel"];

/// The card in a file; `-` is standard input.
pub fn card_in(name: &str) -> Result<RateCard, Failure> {
    let bytes = read(name, CARD_BYTES_MAX)?;
    let refused = |reason: String| Refusal::new(Code::BadCard, format!("{name}: {reason}")).with("file", name);
    let text = String::from_utf8(bytes).map_err(|_| refused("not a rate card: not UTF-8".to_owned()))?;
    Ok(RateCard::from_json(&text).map_err(|error| refused(error.to_string()))?)
}

/// The bytes of a file of at most so many; `-` is standard input.
pub fn read(name: &str, most: usize) -> Result<Vec<u8>, Failure> {
    let path = Path::new(name);
    let broken = |error: io::Error| Failure::file(path, &error);
    let mut bytes = Vec::new();
    // One more than fits, so that what is too large is seen to be.
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    match name {
        "-" => io::stdin().lock().take(limit).read_to_end(&mut bytes),
        _ => File::open(path).map_err(broken)?.take(limit).read_to_end(&mut bytes),
    }
    .map_err(broken)?;
    if bytes.len() > most {
        return Err(Refusal::new(Code::BadCard, format!("{name}: larger than {most} bytes")).with("file", name).into());
    }
    Ok(bytes)
}
