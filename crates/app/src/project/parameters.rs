//! Between a run as the window's forms say it and a run as the engine prices it.

use crate::view::{AppErrorCode, ErrorView, EstimateRequest, ModelKind, RunParameters};
use aispace_pricing::{AUDIO, Kind, Meter, Model, RESOLUTION, RateCard, Run, Switch, Usage};

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
        RunParameters::Chat { input_tokens, output_tokens, web_searches, web_scrapes } => of(Usage::new()
            .with(Meter::InputTokens, count(input_tokens)?)
            .with(Meter::OutputTokens, count(output_tokens)?)
            .with(Meter::WebSearches, count(web_searches)?)
            .with(Meter::WebScrapes, count(web_scrapes)?)),
        RunParameters::Image { images } => of(Usage::new().with(Meter::Images, count(images)?)),
        RunParameters::Audio { characters } => of(Usage::new().with(Meter::Characters, count(characters)?)),
        RunParameters::Video { seconds, resolution, audio } => Run::clip(request.model_id.clone(), *seconds, resolution.as_deref(), *audio),
        RunParameters::Embedding { input_tokens } => of(Usage::new().with(Meter::InputTokens, count(input_tokens)?)),
        RunParameters::Search { calls } => of(Usage::new().with(call_meter(model), count(calls)?)),
    };
    Ok(run.times(request.runs))
}

/// The request that says a model's base run; none where no form of the window can say it.
pub(crate) fn base_request(card: &RateCard, model: &Model) -> Option<EstimateRequest> {
    let base = &model.base;
    let count = |meter| base.usage.number(meter).to_string();
    let parameters = match model.kind {
        Kind::Chat => RunParameters::Chat {
            input_tokens: count(Meter::InputTokens),
            output_tokens: count(Meter::OutputTokens),
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
        Kind::Call => return None,
    };
    let request = EstimateRequest { model_id: model.id.clone(), runs: 1, parameters };
    // What a form leaves out, such as sound counted in seconds, would be priced as nothing.
    (run(card, &request).ok()? == Run::base(model)).then_some(request)
}

/// The tab of a kind of work; none for one that the window has no tab for.
pub(crate) fn model_kind(kind: Kind) -> Option<ModelKind> {
    match kind {
        Kind::Chat => Some(ModelKind::Chat),
        Kind::Image => Some(ModelKind::Image),
        Kind::Video => Some(ModelKind::Video),
        Kind::Audio => Some(ModelKind::Audio),
        Kind::Embedding => Some(ModelKind::Embedding),
        Kind::Search => Some(ModelKind::Search),
        Kind::Call => None,
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
    }
}

/// What a call of a search model is counted as: searches or scrapes, as its base run counts.
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
            assert!(model_kind(model.kind).is_some());
        }
    }

    #[test]
    fn a_model_that_no_form_can_say_has_none() {
        // Made up: a call, and speech that is counted in seconds.
        let price = Price::Amount { amount: "1".parse().unwrap(), unit: RateUnit::Credits, per: "1".parse().unwrap() };
        for (kind, meter) in [(Kind::Call, Meter::Calls), (Kind::Audio, Meter::AudioSeconds)] {
            let model = Model::new("made-up", kind, Usage::new().with(meter, 1_000), vec![Rate::new(meter, price)]);
            let card = card().with_models(vec![model]).unwrap();
            assert_eq!(base_request(&card, card.model("made-up").unwrap()), None, "{kind}");
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
