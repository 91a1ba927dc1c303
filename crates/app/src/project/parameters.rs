//! Between a run as the window's forms say it and a run as the engine prices it.

use crate::view::{AppErrorCode, ErrorView, EstimateRequest, ModelKind, RunParameters};
use aispace_pricing::{AUDIO, Estimate, Kind, Meter, Model, RESOLUTION, RateCard, Run, Spread, Switch, URLS_MAX, Usage};

/// Most runs of one estimate, as the window says it.
const RUNS_MAX: u32 = 10_000;
/// Most of any count of one run, as the window says it.
const COUNT_MAX: u64 = 1_000_000_000;

/// The run that a request describes.
///
/// # Errors
/// The model is unknown or does another kind of work, or a count is none.
pub(crate) fn run(card: &RateCard, request: &EstimateRequest) -> Result<Run, ErrorView> {
    let model = card.model(&request.model_id)?;
    let given = kind(&request.parameters);
    if given != model.kind {
        return Err(ErrorView::of(AppErrorCode::ParameterRefused)
            .with("parameter", "kind")
            .with("given", given)
            .with("allowed", model.kind));
    }
    if request.runs > RUNS_MAX {
        return Err(ErrorView::of(AppErrorCode::CountInvalid).with("input", request.runs));
    }
    let of = |usage| Run::new(request.model_id.clone(), usage);
    let run = match &request.parameters {
        RunParameters::Chat { input_tokens, output_tokens, web_searches, web_scrapes, output_bounds: _ } => of(Usage::new()
            .with(Meter::InputTokens, count(input_tokens)?)
            .with(Meter::OutputTokens, count(output_tokens)?)
            .with(Meter::WebSearches, count(web_searches)?)
            .with(Meter::WebScrapes, addresses(web_scrapes)?)),
        RunParameters::Image { images } => of(Usage::new().with(Meter::Images, count(images)?)),
        RunParameters::Audio { characters } => of(Usage::new().with(Meter::Characters, count(characters)?)),
        RunParameters::Video { seconds, resolution, audio } => Run::clip(request.model_id.clone(), *seconds, resolution.as_deref(), *audio),
        RunParameters::Embedding { input_tokens } => of(Usage::new().with(Meter::InputTokens, count(input_tokens)?)),
        RunParameters::Search { calls } | RunParameters::Tool { calls } => of(Usage::new().with(call_meter(model), count(calls)?)),
    };
    Ok(run.times(request.runs))
}

/// The run of a request with what of it is not known; none where all is.
///
/// # Errors
/// As [`run`]; the bounds fall, or leave the likely count out.
pub(crate) fn range(card: &RateCard, request: &EstimateRequest) -> Result<Option<Estimate>, ErrorView> {
    let RunParameters::Chat { output_tokens, output_bounds, web_scrapes, .. } = &request.parameters else { return Ok(None) };
    let mut estimate = Estimate::new(run(card, request)?);
    let urls = addresses(web_scrapes)?;
    let mut known = true;
    if let Some(bounds) = output_bounds {
        estimate = estimate.spread(Meter::OutputTokens, Spread::new(count(&bounds.least)?, count(output_tokens)?, count(&bounds.most)?)?);
        known = false;
    }
    if urls > 1 {
        estimate = estimate.spread(Meter::WebScrapes, Spread::of_urls(urls)?);
        known = false;
    }
    Ok((!known).then_some(estimate))
}

/// The request that says a model's base run; none where no form of the window can say it.
pub(crate) fn base_request(card: &RateCard, model: &Model) -> Option<EstimateRequest> {
    let base = &model.base;
    let count = |meter| base.usage.number(meter).to_string();
    let parameters = match model.kind {
        Kind::Chat => RunParameters::Chat {
            input_tokens: count(Meter::InputTokens),
            output_tokens: count(Meter::OutputTokens),
            output_bounds: None,
            web_searches: count(Meter::WebSearches),
            web_scrapes: count(Meter::WebScrapes),
        },
        Kind::Image => RunParameters::Image { images: count(Meter::Images) },
        Kind::Audio => RunParameters::Audio { characters: count(Meter::Characters) },
        Kind::Video => RunParameters::Video {
            seconds: base.usage.number(Meter::VideoSeconds).to_whole().and_then(|s| u32::try_from(s).ok())?,
            resolution: base.options.get(RESOLUTION).cloned(),
            audio: base.options.get(AUDIO).map(|word| word == Switch::On.as_str()),
        },
        Kind::Embedding => RunParameters::Embedding { input_tokens: count(Meter::InputTokens) },
        Kind::Search => RunParameters::Search { calls: count(call_meter(model)) },
        Kind::Call => RunParameters::Tool { calls: count(call_meter(model)) },
    };
    let request = EstimateRequest { model_id: model.id.clone(), runs: 1, parameters };
    // What a form leaves out, such as sound counted in seconds, would be priced as nothing.
    (run(card, &request).ok()? == Run::base(model)).then_some(request)
}

/// The tab of a kind of work.
pub(crate) fn model_kind(kind: Kind) -> ModelKind {
    match kind {
        Kind::Chat => ModelKind::Chat,
        Kind::Image => ModelKind::Image,
        Kind::Video => ModelKind::Video,
        Kind::Audio => ModelKind::Audio,
        Kind::Embedding => ModelKind::Embedding,
        Kind::Search => ModelKind::Search,
        Kind::Call => ModelKind::Tool,
    }
}

fn kind(parameters: &RunParameters) -> Kind {
    match parameters {
        RunParameters::Chat { .. } => Kind::Chat,
        RunParameters::Image { .. } => Kind::Image,
        RunParameters::Audio { .. } => Kind::Audio,
        RunParameters::Video { .. } => Kind::Video,
        RunParameters::Embedding { .. } => Kind::Embedding,
        RunParameters::Search { .. } => Kind::Search,
        RunParameters::Tool { .. } => Kind::Call,
    }
}

/// Addresses of one message.
fn addresses(text: &str) -> Result<u64, ErrorView> {
    let urls = count(text)?;
    if urls > URLS_MAX { Err(ErrorView::of(AppErrorCode::CountInvalid).with("input", text)) } else { Ok(urls) }
}

/// What a call is counted as: searches, scrapes or calls, as the model's base run counts.
fn call_meter(model: &Model) -> Meter {
    model.base.usage.iter().next().map_or(Meter::WebSearches, |(meter, _)| meter)
}

/// A whole number as typed: digits, with spaces or commas only between groups of three.
fn count(text: &str) -> Result<u64, ErrorView> {
    let refused = || ErrorView::of(AppErrorCode::CountInvalid).with("input", text);
    let trimmed = text.trim();
    let groups: Vec<&str> = trimmed.split([',', ' ', '\u{a0}', '\u{202f}']).collect();
    let grouped = groups.len() > 1;
    let right = groups.iter().enumerate().all(|(at, group)| {
        let length = if at == 0 { (1..=3).contains(&group.len()) || !grouped } else { group.len() == 3 };
        length && !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit())
    });
    let read = || groups.concat().parse().ok().filter(|n| *n <= COUNT_MAX);
    if right { read().ok_or_else(refused) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_pricing::{Price, Rate, RateUnit};

    fn card() -> RateCard {
        RateCard::aispace().expect("the card in the binary is valid")
    }

    #[test]
    fn counts_are_whole_numbers() {
        for (text, n) in [("500", 500), (" 12 ", 12), ("1,000", 1_000), ("12 345 678", 12_345_678), ("0", 0), ("1,000,000,000", COUNT_MAX)]
        {
            assert_eq!(count(text).unwrap(), n);
        }
        for bad in ["", "1.5", "-1", "1e3", "1,00", ",100", "1,0000", "ten", "1000000001", "99999999999999999999999"] {
            assert_eq!(count(bad).unwrap_err().code, AppErrorCode::CountInvalid, "{bad:?}");
        }
    }

    #[test]
    fn every_base_run_of_the_card_fits_its_form() {
        let card = card();
        for model in card.models() {
            let request = base_request(&card, model).unwrap_or_else(|| panic!("{} has no form", model.id));
            assert_eq!(run(&card, &request).unwrap(), Run::base(model));
        }
    }

    #[test]
    fn a_model_that_no_form_can_say_has_none() {
        // Made up: speech that is counted in seconds.
        let card = with_made_up(Kind::Audio, Meter::AudioSeconds);
        assert_eq!(base_request(&card, card.model("made-up").unwrap()), None);
    }

    #[test]
    fn a_tool_is_counted_by_its_calls() {
        let card = with_made_up(Kind::Call, Meter::Calls);
        let request = base_request(&card, card.model("made-up").unwrap()).unwrap();
        assert_eq!(request.parameters, RunParameters::Tool { calls: "1000".into() });
        assert_eq!(run(&card, &request).unwrap().usage, Usage::new().with(Meter::Calls, 1_000));
    }

    fn with_made_up(kind: Kind, meter: Meter) -> RateCard {
        let price = Price::Amount { amount: "1".parse().unwrap(), unit: RateUnit::Credits, per: "1".parse().unwrap() };
        let model = Model::new("made-up", kind, Usage::new().with(meter, 1_000), vec![Rate::new(meter, price)]);
        card().with_models(vec![model]).unwrap()
    }

    fn chat(output: &str, bounds: Option<(&str, &str)>, scrapes: &str) -> EstimateRequest {
        let output_bounds = bounds.map(|(least, most)| crate::view::CountBounds { least: least.into(), most: most.into() });
        let parameters = RunParameters::Chat {
            input_tokens: "500".into(),
            output_tokens: output.into(),
            output_bounds,
            web_searches: "0".into(),
            web_scrapes: scrapes.into(),
        };
        EstimateRequest { model_id: "qwen3-4b".into(), runs: 1, parameters }
    }

    #[test]
    fn what_is_not_known_is_a_range() {
        assert_eq!(range(&card(), &chat("200", None, "1")).unwrap(), None);
        let answer = range(&card(), &chat("200", Some(("100", "4000")), "0")).unwrap().unwrap();
        assert_eq!((answer.low().get(Meter::OutputTokens), answer.high().get(Meter::OutputTokens)), (100, 4_000));
        let read = range(&card(), &chat("200", None, "3")).unwrap().unwrap();
        assert_eq!((read.low().get(Meter::WebScrapes), read.run().usage.get(Meter::WebScrapes)), (1, 3));
    }

    #[test]
    fn a_range_that_falls_and_a_fourth_address_are_refused() {
        for request in [chat("200", Some(("300", "4000")), "0"), chat("5000", Some(("300", "4000")), "0"), chat("200", None, "4")] {
            assert_eq!(range(&card(), &request).unwrap_err().code, AppErrorCode::CountInvalid);
        }
    }

    #[test]
    fn a_call_of_search_is_a_search_or_a_scrape() {
        for (model_id, meter) in [("web-search", Meter::WebSearches), ("web-scraping", Meter::WebScrapes)] {
            let parameters = RunParameters::Search { calls: "3".into() };
            let run = run(&card(), &EstimateRequest { model_id: model_id.into(), runs: 1, parameters }).unwrap();
            assert_eq!(run.usage, Usage::new().with(meter, 3));
        }
    }

    #[test]
    fn another_kind_of_work_and_too_many_runs_are_refused() {
        // A chat model has a price for tokens in, so the engine alone would answer one.
        let parameters = RunParameters::Embedding { input_tokens: "5".into() };
        let request = EstimateRequest { model_id: "qwen3-4b".into(), runs: 1, parameters };
        let refused = run(&card(), &request).unwrap_err();
        assert_eq!(refused.code, AppErrorCode::ParameterRefused);
        assert_eq!((refused.params["given"].as_str(), refused.params["allowed"].as_str()), ("embedding", "chat"));
        let parameters = RunParameters::Image { images: "1".into() };
        let request = EstimateRequest { model_id: "image-generation".into(), runs: RUNS_MAX + 1, parameters };
        let refused = run(&card(), &request).unwrap_err();
        assert_eq!((refused.code, refused.params["input"].as_str()), (AppErrorCode::CountInvalid, "10001"));
    }
}
