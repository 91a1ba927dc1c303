//! What Venice says: the price of a clip, now or as it was kept, and its price list.

use crate::{
    arguments::{QuoteArguments, VeniceArguments},
    failure::Failure,
};
use aispace_client::{Deadlines, ServiceUrl, VENICE_URL, VeniceError, VeniceKey, VeniceModels, VenicePrices};
use aispace_pricing::{
    ClipQuery, LiveError, ObservedQuote, QUOTE_CACHE_BYTES_MAX, QuoteCache, RateCard, Run,
    request::{Cards, QuoteAnswer, Refusal, RunRequest, quote_observed},
};
use chrono::{DateTime, Utc};
use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

/// The card whose models are Venice's.
const CARD: &str = "aispace";
/// The variable that may hold a key.
const KEY: &str = "VENICE_API_KEY";

/// Prices a clip by what Venice says now, else by what it said before, else by the card.
pub fn quote(
    run: &RunRequest,
    cards: &Cards,
    asked: &QuoteArguments,
    at: DateTime<Utc>,
    clock: DateTime<Utc>,
) -> Result<QuoteAnswer, Failure> {
    let mut cache = asked.quotes.as_deref().map(read).transpose()?.unwrap_or_default();
    let prices = if asked.live { Some(prices(&asked.venice)?) } else { None };
    let (mut missed, mut answered) = (None, false);
    let observed = |card: &RateCard, run: &Run| {
        let Some(query) = query(card, run)? else { return Ok(None) };
        match prices
            .as_ref()
            .map(|prices| wait(prices.video_quote(&query, clock)))
            .transpose()
            .map_err(|error| Refusal::bad_request(error.to_string()))?
        {
            Some(Ok(quote)) => {
                cache.keep(&quote);
                answered = true;
                return Ok(Some(quote));
            }
            Some(Err(error)) => {
                // What it does not offer has no price there, whatever it cost once.
                if let VeniceError::Refused { refusal, .. } = &error
                    && let Some(impossible) = refusal.impossible(&query)
                {
                    return Err(impossible.into());
                }
                missed = Some(error.to_string());
            }
            None => {}
        }
        Ok::<Option<ObservedQuote>, Refusal>(cache.find(&query))
    };
    let answer = quote_observed(run, cards, at, clock, observed)?;
    if let Some(error) = missed {
        // The answer itself says what it rests on; this says why that is no live quote.
        let _ = writeln!(io::stderr(), "aispace: no live quote: {error}");
    }
    if let Some(path) = asked.quotes.as_deref().filter(|_| answered) {
        keep(path, &cache)?;
    }
    Ok(answer)
}

/// Fetches the price list of every model.
pub fn models(asked: &VeniceArguments, now: DateTime<Utc>) -> Result<Vec<u8>, Failure> {
    let prices = prices(asked)?;
    let broken = |error: String| Failure::Broken(format!("no price list of Venice: {error}"));
    wait(prices.models(VeniceModels::All, now)).map_err(|error| broken(error.to_string()))?.map_err(|error| broken(error.to_string()))
}

/// The clip that is asked for; none where the run itself is refused, which its pricing says.
fn query(card: &RateCard, run: &Run) -> Result<Option<ClipQuery>, Refusal> {
    let not_a_clip = |id: &str| Refusal::bad_request(format!("Venice quotes the clips of the card {CARD}, not {}:{id}", card.id()));
    match ClipQuery::of(card, run) {
        Ok(_) if card.id() != CARD => Err(not_a_clip(&run.model_id)),
        Ok(query) => Ok(Some(query)),
        Err(LiveError::NotAClip { model_id }) => Err(not_a_clip(&model_id)),
        Err(_) => Ok(None),
    }
}

fn prices(asked: &VeniceArguments) -> Result<VenicePrices, Failure> {
    let url = ServiceUrl::parse(asked.url.as_deref().unwrap_or(VENICE_URL)).map_err(|error| Refusal::bad_request(error.to_string()))?;
    let key = std::env::var(KEY).ok().filter(|key| !key.trim().is_empty());
    let key = key.map(|key| VeniceKey::parse(&key)).transpose().map_err(|error| Refusal::bad_request(format!("{KEY}: {error}")))?;
    Ok(VenicePrices::new(url, key, Deadlines::default()))
}

fn wait<T>(answer: impl Future<Output = T>) -> io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(answer))
}

/// The quotes in a file; none where there is no file yet.
fn read(path: &Path) -> Result<QuoteCache, Failure> {
    let name = path.display();
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(QuoteCache::new()),
        Err(error) => return Err(Failure::file(path, &error)),
        Ok(file) if file.len() > u64::try_from(QUOTE_CACHE_BYTES_MAX).unwrap_or(u64::MAX) => {
            return Err(Refusal::bad_request(format!("{name}: larger than {QUOTE_CACHE_BYTES_MAX} bytes")).into());
        }
        Ok(_) => {}
    }
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    Ok(QuoteCache::from_json(&text).map_err(|error| Refusal::bad_request(format!("{name}: {error}")))?)
}

/// Writes the quotes beside the file first, so that a crash leaves the old ones.
fn keep(path: &Path, cache: &QuoteCache) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let broken = |error: io::Error| Failure::file(path, &error);
    fs::write(&beside, cache.to_json() + "\n").map_err(broken)?;
    fs::rename(&beside, path).map_err(broken)
}
