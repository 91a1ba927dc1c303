//! Peer: the crate `aicost`. Floats per part, each rounded to a millionth of a dollar.

use aicost::{compute, model_pricing};
use bench_common::{
    ONE_MODEL, Request, Workload, answer,
    exact::{Rates, compare},
    measure, request,
    workload::{Counts, Name, names},
};
use genai::{
    ModelIden,
    adapter::AdapterKind,
    chat::{PromptTokensDetails, Usage},
};
use std::hint::black_box;

fn usage(c: Counts) -> Usage {
    let count = |tokens: u64| i32::try_from(tokens).ok();
    Usage {
        prompt_tokens: count(c.input),
        prompt_tokens_details: Some(PromptTokensDetails { cached_tokens: count(c.cached), ..Default::default() }),
        completion_tokens: count(c.output),
        ..Default::default()
    }
}

fn rates(name: &Name) -> Option<Rates> {
    let kind = AdapterKind::from_lower_str(name.provider)?;
    let prices = model_pricing(&ModelIden::new(kind, name.model))?.prices;
    Some(Rates::of_floats(prices.input_normal, prices.input_cached?, prices.output_normal))
}

fn main() {
    let total = |name: &Name, counts| compute(name.provider, name.model, &usage(counts)).map(|cost| cost.total);
    let quote = |name: &Name, counts| _ = black_box(compute(name.provider, name.model, &usage(counts)));
    let known: Vec<Name> = names().into_iter().filter(|name| total(name, Counts::nth(0)).is_ok()).collect();
    let one = black_box([Name { provider: "openai", model: ONE_MODEL }]);
    match request() {
        Request::Speed { seconds } => {
            answer(&[measure(Workload::NamesCommon, &known, seconds, quote), measure(Workload::NameOne, &one, seconds, quote)]);
        }
        Request::Exact { count } => {
            let priced: Vec<_> = known.iter().filter_map(|name| Some((*name, rates(name)?))).collect();
            answer(&compare(&priced, count, |name, counts| total(name, counts).expect("a known name")));
        }
        Request::First => answer(&total(&one[0], Counts::nth(0)).expect("a known name")),
    }
}
