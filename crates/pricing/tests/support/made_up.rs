//! Made-up cards: every field of the format, and prices that mean nothing.

use super::draw::Draw;
use aispace_pricing::{
    AUDIO, AddOn, AudioRule, BaseRun, Bounds, CardFile, ChannelFactor, Channels, Condition, Currency, DailyWindow, Day, Denominator,
    FORMAT, FieldFactor, Kind, Meter, MeterRounding, Model, OptionValues, Posting, Price, Pricing, PrintedClip, RESOLUTION, Rate, RateUnit,
    Switch, Usage, UserFactor, Users, Variant, VideoRules,
};
use aispace_units::{Exact, Rounding};
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use std::collections::BTreeMap;

pub const TIERS: [&str; 2] = ["batch", "flex"];
const ROUNDINGS: [Rounding; 4] = [Rounding::Down, Rounding::Up, Rounding::HalfUp, Rounding::HalfEven];
const DENOMINATORS: [&str; 10] = ["1", "10", "100", "1k", "10k", "100k", "1M", "10M", "100M", "1B"];
const RESOLUTIONS: [&str; 3] = ["480p", "720p", "1080p"];
const SIZES: [u64; 5] = [0, 1, 100, 1_000, 200_000];

/// A card that holds together.
pub fn card(d: &mut Draw) -> CardFile {
    let mut models: Vec<Model> = (0..=d.index(3)).map(|at| model(d, at)).collect();
    let channels = d.once_in(2).then(|| channels(d));
    if let Some(channels) = &channels {
        let ids: Vec<String> = channels.values.iter().map(|c| c.id.clone()).collect();
        for model in &mut models {
            model.channels = d.some(&ids, 4);
        }
    }
    let users = d.once_in(2).then(|| users(d, channels.as_ref()));
    CardFile {
        format: FORMAT.to_owned(),
        id: "made-up".to_owned(),
        name: "Made up".to_owned(),
        date: day(),
        date_note: d.once_in(8).then(|| "no \"day\" is\nreal".to_owned()),
        note: d.once_in(8).then(String::new),
        unit: unit(d),
        display: if d.once_in(3) { vec![currency("cny", "7.3"), currency("usd", "1")] } else { Vec::new() },
        posting: posting(d),
        hold: aispace_pricing::HoldRule::default(),
        rounding: d.some(Meter::ALL, 12).into_iter().map(|meter| rounding(d, meter)).collect(),
        channels,
        users,
        fields: if d.once_in(3) { fields(d) } else { Vec::new() },
        add_ons: if d.once_in(2) { add_ons(d, &models) } else { Vec::new() },
        models,
    }
}

/// The day of every made-up card, a Thursday.
pub fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day")
}

/// One of few instants, so that conditions and runs meet.
pub fn instant(d: &mut Draw) -> DateTime<Utc> {
    let hours = i64::try_from(d.below(24 * 14)).expect("few");
    day().and_time(NaiveTime::MIN).and_utc() + Duration::hours(hours)
}

fn number(text: &str) -> Exact {
    text.parse().expect("a number")
}

fn currency(code: &str, per_usd: &str) -> Currency {
    Currency { code: code.to_owned(), name: code.to_uppercase(), per_usd: number(per_usd) }
}

fn unit(d: &mut Draw) -> Currency {
    match d.below(5) {
        0 | 1 => currency("usd", "1"),
        2 => currency("aispace", "10000"),
        3 => currency("cny", "7.3"),
        _ => Currency { per_usd: Exact::new(1 + d.digits(5), d.of(&[0, 1, 3])), ..currency("points", "1") },
    }
}

fn posting(d: &mut Draw) -> Posting {
    let rule = d.of(&ROUNDINGS);
    let decimals = d.once_in(2).then(|| d.of(&[9, 0, 2, 6, 12, 38]));
    let step = decimals.is_none().then(|| Exact::new(1 + d.digits(2), d.of(&[6, 0, 2, 9])));
    Posting { rule, decimals, step, minimum: d.once_in(3).then(|| Exact::new(d.digits(3), d.of(&[9, 3, 6]))) }
}

fn rounding(d: &mut Draw, meter: Meter) -> MeterRounding {
    MeterRounding { meter, rule: d.of(&ROUNDINGS), decimals: d.of(&[2, 0, 4, 6, 12]) }
}

/// A factor of a few digits, seldom 0.
pub fn factor(d: &mut Draw) -> Exact {
    if d.once_in(3) { Exact::ONE } else { Exact::new(d.digits(4), d.of(&[1, 2, 3])) }
}

fn channels(d: &mut Draw) -> Channels {
    let values: Vec<ChannelFactor> = ["default", "vip", "slow"].iter().take(1 + d.index(3)).map(|id| channel(d, id)).collect();
    Channels { name: "Group".to_owned(), default: d.of(&values).id, values }
}

fn channel(d: &mut Draw, id: &str) -> ChannelFactor {
    ChannelFactor { id: id.to_owned(), factor: factor(d), name: d.once_in(4).then(|| format!("{id}!")) }
}

fn users(d: &mut Draw, channels: Option<&Channels>) -> Users {
    let values: Vec<UserFactor> = ["new", "silver", "gold"].iter().take(1 + d.index(3)).map(|id| user(d, id, channels)).collect();
    Users { name: "Level".to_owned(), default: d.of(&values).id, values }
}

fn user(d: &mut Draw, id: &str, channels: Option<&Channels>) -> UserFactor {
    let ids: Vec<String> = channels.iter().flat_map(|c| &c.values).map(|c| c.id.clone()).collect();
    let channels = d.some(&ids, 3).into_iter().map(|id| (id, factor(d))).collect();
    let recharged_usd_at_least = d.once_in(2).then(|| Exact::new(d.digits(3), 1));
    UserFactor { id: id.to_owned(), factor: factor(d), name: None, recharged_usd_at_least, channels }
}

fn fields(d: &mut Draw) -> Vec<FieldFactor> {
    let patterns = ["*", "model-*", "*-1", "*odel*", "model-0", "other"].map(str::to_owned);
    let field = |d: &mut Draw, field: &str| FieldFactor {
        field: field.to_owned(),
        name: d.once_in(2).then(|| field.to_uppercase()),
        models: d.some(&patterns, 3),
        values: [("standard", Exact::ONE), ("fast", factor(d)), ("slow", factor(d))].map(|(v, f)| (v.to_owned(), f)).into(),
        default: d.of(&["standard", "fast"]).to_owned(),
    };
    ["pay_go", "size"].iter().take(1 + d.index(2)).map(|name| field(d, name)).collect()
}

/// Add-ons at the rates of models that have them, one a meter and group.
fn add_ons(d: &mut Draw, models: &[Model]) -> Vec<AddOn> {
    let mut all: Vec<AddOn> = Vec::new();
    for _ in 0..=d.index(3) {
        let of = d.of(models);
        let Some(rate) = of.rates.get(d.index(of.rates.len())) else { continue };
        let add_on = AddOn { meter: rate.meter, group: d.of(&[None, group(0), group(1)]), rates_of: of.id.clone() };
        if !all.iter().any(|a| a.meter == add_on.meter && a.group == add_on.group) {
            all.push(add_on);
        }
    }
    // Searches for all models and, at another price, for a group.
    let sellers: Vec<&Model> = models.iter().filter(|m| m.rates.iter().any(|r| r.meter == Meter::WebSearches)).collect();
    if d.once_in(2) && !sellers.is_empty() {
        all.retain(|a| a.meter != Meter::WebSearches);
        for group in [None, group(0)] {
            all.push(AddOn { meter: Meter::WebSearches, group, rates_of: d.of(&sellers).id.clone() });
        }
    }
    // The one for all models first: the last that fits wins.
    all.sort_by(|a, b| a.group.cmp(&b.group));
    all
}

fn group(at: usize) -> Option<String> {
    Some(format!("group-{}", at % 2))
}

/// A model of any kind.
fn model(d: &mut Draw, at: usize) -> Model {
    let mut model = if d.once_in(4) { clip_model(d) } else { plain_model(d) };
    (model.id, model.name) = (format!("model-{at}"), format!("Model {at}"));
    model.aliases = if d.once_in(3) { vec![format!("alias-{at}"), "shared".to_owned()] } else { Vec::new() };
    model.group = if d.once_in(2) { group(at) } else { None };
    model
}

fn plain_model(d: &mut Draw) -> Model {
    let mut options = BTreeMap::new();
    for (name, allowed) in [("quality", ["low", "high"]), (RESOLUTION, ["480p", "720p"]), (AUDIO, ["on", "off"])] {
        if d.once_in(4) {
            let allowed: Vec<String> = allowed.map(str::to_owned).into();
            options.insert(name.to_owned(), OptionValues { default: d.once_in(2).then(|| d.of(&allowed)), allowed });
        }
    }
    // The last one is always priced, so that the base run is.
    let always = d.of(Meter::ALL);
    let mut meters = if d.once_in(2) { d.some(Meter::ALL, 5) } else { tokens(d) };
    meters.retain(|m| *m != always);
    meters.truncate(5);
    if d.once_in(4) {
        meters.extend(
            [Meter::WebSearches, Meter::AudioSeconds].iter().filter(|m| **m != always && !meters.contains(m)).copied().collect::<Vec<_>>(),
        );
    }
    meters.push(always);
    let mut rates = rates(d, &meters, always, &options);
    if meters.contains(&Meter::AudioSeconds) && d.once_in(2) {
        let (meter, when) = (d.of(&meters), Condition { seconds: Some(bounds(d, 500)), ..Condition::default() });
        if !rates.iter().any(|r| r.meter == meter && r.when.as_deref() == Some(&when)) {
            rates.push(Rate::new(meter, amount(d)).when(when));
        }
    }
    let base = Usage::new().with(always, 1 + d.below(50));
    let mut model = Model::new("", Kind::Chat, base, rates);
    model.base.tier = d.once_in(8).then(|| "standard".to_owned());
    for (name, values) in &options {
        if d.once_in(6) {
            model.base.options.insert(name.clone(), d.of(&values.allowed));
        }
    }
    model.options = options;
    model
}

fn tokens(d: &mut Draw) -> Vec<Meter> {
    let tokens: Vec<Meter> = Meter::ALL.iter().filter(|m| m.as_str().ends_with("_tokens")).copied().collect();
    [vec![Meter::InputTokens, Meter::OutputTokens], d.some(&tokens[2..], 3)].concat()
}

/// For every meter a rate that always holds, mostly, and then some with conditions.
fn rates(d: &mut Draw, meters: &[Meter], always: Meter, options: &BTreeMap<String, OptionValues>) -> Vec<Rate> {
    let has_amounts: Vec<Meter> = meters.iter().filter(|m| **m == always || d.once_in(2)).copied().collect();
    let mut rates: Vec<Rate> = Vec::new();
    for meter in meters {
        if *meter == always || !d.once_in(8) {
            rates.push(rate(d, *meter, &has_amounts));
        }
    }
    for _ in 0..d.index(5) {
        let meter = d.of(meters);
        let new = rate(d, meter, &has_amounts).when(condition(d, options));
        // Of two rates under one condition the first would never be reached.
        if !rates.iter().any(|r| r.meter == new.meter && r.when == new.when) {
            rates.push(new);
        }
    }
    // A multiple is of a meter that has a rate.
    let priced: Vec<Meter> = rates.iter().map(|r| r.meter).collect();
    rates.retain(|r| !matches!(r.price, Price::Times { of, .. } if !priced.contains(&of)));
    rates
}

fn rate(d: &mut Draw, meter: Meter, has_amounts: &[Meter]) -> Rate {
    let price = if has_amounts.contains(&meter) || has_amounts.is_empty() {
        amount(d)
    } else {
        Price::Times { times: Exact::new(d.digits(4), d.of(&[2, 0, 1, 3])), of: d.of(has_amounts) }
    };
    let mut rate = Rate::new(meter, price);
    rate.included = if d.once_in(6) { d.of(&[1, 10, 1_000]) } else { 0 };
    rate.source = d.once_in(8).then(|| "a page".to_owned());
    rate
}

/// A price with up to 24 decimals for one, as public catalogues have it.
fn amount(d: &mut Draw) -> Price {
    let per: Denominator = d.of(&DENOMINATORS).parse().expect("a denominator");
    if d.once_in(600) {
        // Finer than 38 digits reach next to any other amount.
        let amount = Exact::new(d.digits(4), 40);
        return Price::Amount { amount, unit: RateUnit::Usd, per };
    }
    let scale = d.of(&[0, 1, 2, 2, 3, 4, 6, 9, 12, 18, 24]).min(24 - per.places());
    Price::Amount { amount: Exact::new(d.digits(scale.max(6)), scale), unit: d.of(&[RateUnit::Usd, RateUnit::Credits]), per }
}

fn condition(d: &mut Draw, options: &BTreeMap<String, OptionValues>) -> Condition {
    let mut when = Condition::default();
    for _ in 0..=d.index(2) {
        match d.below(7) {
            0 => when.prompt_tokens = Some(bounds(d, 1)),
            1 => (when.from, when.until) = (Some(instant(d)), None),
            2 => {
                let from = instant(d);
                (when.from, when.until) = (d.once_in(2).then_some(from), Some(from + Duration::days(2)));
            }
            3 => when.daily = Some(daily(d)),
            4 => when.weekdays = [vec![d.of(Day::ALL)], d.some(&Day::ALL[3..], 2)].concat(),
            5 => when.tier = Some(d.of(&TIERS).to_owned()),
            _ => option_condition(d, options, &mut when),
        }
    }
    when
}

fn option_condition(d: &mut Draw, options: &BTreeMap<String, OptionValues>, when: &mut Condition) {
    let names: Vec<&String> = options.keys().collect();
    let Some(name) = names.get(d.index(names.len())) else {
        when.seconds = Some(bounds(d, 100_000));
        return;
    };
    let value = d.of(&options[*name].allowed);
    match name.as_str() {
        RESOLUTION => when.resolution = Some(value),
        AUDIO => when.audio = value.parse().ok(),
        _ => _ = when.options.insert((*name).clone(), value),
    }
}

/// Around the sizes that runs have.
fn bounds(d: &mut Draw, parts: u64) -> Bounds {
    let low = Some(d.of(&SIZES) / parts);
    let high = low.map(|l| l + d.of(&SIZES) / parts + 1);
    match d.below(5) {
        0 => Bounds { over: low, ..Bounds::default() },
        1 => Bounds { at_least: low, ..Bounds::default() },
        2 => Bounds { under: high, ..Bounds::default() },
        3 => Bounds { at_most: high, ..Bounds::default() },
        _ => Bounds { at_least: low, under: high, ..Bounds::default() },
    }
}

fn daily(d: &mut Draw) -> DailyWindow {
    let (from, length) = (d.below(48), 1 + d.below(47));
    let time = |halves: u64| NaiveTime::MIN + Duration::minutes(i64::try_from(halves % 48).expect("a day has 48") * 30);
    DailyWindow { from: time(from), until: time(from + length) }
}

/// A model whose clips have rules: by the second, at one price, or as printed.
fn clip_model(d: &mut Draw) -> Model {
    let mut seconds = d.some(&[4u32, 5, 8, 10, 30], 2);
    seconds.extend(seconds.is_empty().then_some(6));
    let resolutions: Vec<String> = d.some(&RESOLUTIONS, 2).into_iter().map(str::to_owned).collect();
    let audio = d.of(&[AudioRule::Never, AudioRule::Always, AudioRule::Choice]);
    let mut rules = VideoRules { variant: d.of(Variant::ALL), pricing: d.of(Pricing::ALL), seconds, resolutions, audio, printed: None };
    let mut base = BaseRun { usage: Usage::new().with(Meter::VideoSeconds, u64::from(rules.seconds[0]) * 1_000), ..BaseRun::default() };
    if let Some(first) = rules.resolutions.first() {
        base.options.insert(RESOLUTION.to_owned(), first.clone());
    }
    let mut rates = Vec::new();
    if d.once_in(3) {
        // No rate holds for the first length, which is why its price is printed.
        let clip = PrintedClip { credits: Exact::new(d.digits(6), 2), seconds: rules.seconds[0], resolutions: Vec::new(), audio: false };
        rules.printed =
            Some(PrintedClip { resolutions: base.options.values().cloned().collect(), audio: audio == AudioRule::Always, ..clip });
        // Nor, sometimes, for those between the first and the last, so that they have no price at all.
        let last = rules.seconds.last().filter(|last| **last > rules.seconds[0] && d.once_in(2)).map(|last| u64::from(*last));
        let longer = Bounds { over: last.is_none().then(|| rules.seconds[0].into()), at_least: last, ..Bounds::default() };
        rates.push(Rate::new(Meter::VideoSeconds, amount(d)).when(Condition { seconds: Some(longer), ..Condition::default() }));
    } else {
        let meter = d.of(&[Meter::VideoSeconds, Meter::VideoSeconds, Meter::Generations]);
        rates.push(rate(d, meter, &[]));
        for _ in 0..d.index(3) {
            let when = clip_condition(d, &rules);
            let meter = d.of(&[Meter::VideoSeconds, Meter::VideoSeconds, Meter::Generations]);
            let new = rate(d, meter, &[]).when(when);
            if !new.when.as_ref().is_some_and(|w| w.is_empty()) && !rates.iter().any(|r: &Rate| r.when == new.when) {
                rates.push(new);
            }
        }
    }
    if d.once_in(4) {
        let heard = Condition { audio: Some(d.of(sounds(audio))), ..Condition::default() };
        rates.push(rate(d, Meter::InputImages, &[]).when(heard));
    }
    Model { video: Some(rules), base, ..Model::new("", Kind::Video, Usage::new(), rates) }
}

fn sounds(rule: AudioRule) -> &'static [Switch] {
    match rule {
        AudioRule::Always => &[Switch::On],
        AudioRule::Never => &[Switch::Off],
        AudioRule::Choice => &[Switch::On, Switch::Off],
    }
}

fn clip_condition(d: &mut Draw, rules: &VideoRules) -> Condition {
    let mut when = Condition::default();
    match d.below(4) {
        0 if !rules.resolutions.is_empty() => when.resolution = Some(d.of(&rules.resolutions)),
        1 => when.audio = Some(d.of(sounds(rules.audio))),
        2 => when.seconds = Some(Bounds { at_least: Some(d.of(&rules.seconds).into()), ..Bounds::default() }),
        _ => when.daily = Some(daily(d)),
    }
    when
}
