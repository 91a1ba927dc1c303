//! This engine. usage: bench-engine CARD speed SECONDS | CARD exact COUNT | CARD first | cards FOLDER | load CARD

mod exactness;
mod load;

use aispace_pricing::{ModelRef, RateCard};
use bench_common::{ONE_MODEL, Request, Speed, Workload, answer, measure, request_of, workload};
use bench_engine::{Desk, all_names, card_text};
use std::{env, fs, path::Path};

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cards", folder] => {
            for models in [4_000, 40_000] {
                let file = Path::new(folder).join(format!("card-{models}.json"));
                fs::write(file, card_text(models)).expect("a folder to write to");
            }
        }
        ["load", file] => answer(&load::once(file)),
        [file, ..] => contend(file, &request_of(&words[1..])),
        [] => panic!("what to do?"),
    }
}

fn contend(file: &str, request: &Request) {
    let text = fs::read_to_string(file).expect("a card");
    let card = RateCard::from_json(&text).expect("a good card");
    match request {
        Request::Speed { seconds } => answer(&speeds(&card, *seconds)),
        Request::Exact { count } => answer(&exactness::compare(&card, &text, *count)),
        Request::First => {
            let mut desk = Desk::new(&card);
            desk.by_name(ONE_MODEL, workload::Counts::nth(0));
            answer(&desk.bill().total().to_string());
        }
    }
}

fn speeds(card: &RateCard, seconds: f64) -> [Speed; 6] {
    let common: Vec<&str> = workload::names().iter().map(|name| name.model).collect();
    let all = all_names(card);
    let found = |names: &[&str]| names.iter().map(|name| card.find(name).expect("a name of the card")).collect::<Vec<ModelRef>>();
    let (common_models, all_models, one) = (found(&common), found(&all), [std::hint::black_box(ONE_MODEL)]);
    let mut desk = Desk::new(card);
    let mut by_name = |workload, names: &[&str]| measure(workload, names, seconds, |name, counts| desk.by_name(name, counts));
    let names = [by_name(Workload::NamesCommon, &common), by_name(Workload::NameOne, &one), by_name(Workload::NamesAll, &all)];
    let mut of_model = |workload, models: &[ModelRef]| measure(workload, models, seconds, |model, counts| desk.of_model(*model, counts));
    let models = [
        of_model(Workload::ModelsCommon, &common_models),
        of_model(Workload::ModelOne, &found(&one)),
        of_model(Workload::ModelsAll, &all_models),
    ];
    let ([a, b, c], [d, e, f]) = (names, models);
    [a, b, c, d, e, f]
}
