//! What each parameter of a clip may be, beside what other models take and this one does not.

use crate::view::{ChoiceOptionView, ChoiceView, ParameterName as ParameterView};
use aispace_pricing::{AUDIO, Choice, Meter, Model, ParameterName, RESOLUTION, RateCard, Run, Switch, Terms, choices};
use std::collections::BTreeSet;

/// The choices of a run, each priced, by size; values that it has not are those that other models of its kind begin with.
pub(super) fn choice_views(card: &RateCard, run: &Run, terms: &Terms) -> Vec<ChoiceView> {
    let Ok(model) = card.model(&run.model_id) else { return Vec::new() };
    choices(card, run, terms).into_iter().map(|choice| choice_view(card, model, choice)).collect()
}

fn choice_view(card: &RateCard, model: &Model, choice: Choice) -> ChoiceView {
    let own: BTreeSet<String> = choice.options.iter().map(|o| o.value.clone()).collect();
    let refused = usual(card, model, choice.parameter).into_iter().filter(|value| !own.contains(value));
    let not_taken = refused.map(|value| ChoiceOptionView { value, allowed: false, credits: None, chosen: false });
    let taken = choice.options.into_iter().map(|o| ChoiceOptionView {
        value: o.value,
        allowed: true,
        credits: o.price.map(|p| p.to_string()),
        chosen: o.chosen,
    });
    let mut options: Vec<ChoiceOptionView> = taken.chain(not_taken).collect();
    let parameter = match choice.parameter {
        ParameterName::Seconds => ParameterView::Seconds,
        ParameterName::Resolution => ParameterView::Resolution,
        ParameterName::Audio => ParameterView::Audio,
    };
    match parameter {
        // Own values keep the model's order where sizes do not tell: the sort is stable.
        ParameterView::Seconds | ParameterView::Resolution => options.sort_by_key(|o| size(&o.value)),
        ParameterView::Audio => options.sort_by_key(|o| o.value != Switch::On.as_str()),
    }
    ChoiceView { parameter, options }
}

/// What models of the same kind begin with.
fn usual(card: &RateCard, model: &Model, parameter: ParameterName) -> BTreeSet<String> {
    let alike = card.models().iter().filter(|m| m.kind == model.kind);
    match parameter {
        ParameterName::Seconds => alike.map(|m| m.base.usage.number(Meter::VideoSeconds).to_string()).filter(|s| s != "0").collect(),
        ParameterName::Resolution => alike.filter_map(|m| m.base.options.get(RESOLUTION).cloned()).collect(),
        ParameterName::Audio => alike.filter_map(|m| m.base.options.get(AUDIO).cloned()).collect(),
    }
}

/// Lines of a resolution or seconds of a duration; `4k` has 2,160 lines.
fn size(value: &str) -> u32 {
    let digits: String = value.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    let number = digits.parse().unwrap_or(u32::MAX);
    if value.ends_with('k') { number.saturating_mul(540) } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(model_id: &str, parameter: ParameterView) -> Vec<(String, bool)> {
        let card = RateCard::aispace().expect("built in");
        let run = Run::base(card.model(model_id).expect("a model"));
        let views = choice_views(&card, &run, &Terms::default());
        let found = views.into_iter().find(|c| c.parameter == parameter).expect("the choice");
        found.options.into_iter().map(|o| (o.value, o.allowed)).collect()
    }

    fn said(options: &[(&str, bool)]) -> Vec<(String, bool)> {
        options.iter().map(|(value, allowed)| ((*value).into(), *allowed)).collect()
    }

    #[test]
    fn values_of_other_models_are_there_and_refused() {
        let of = |parameter| options("sora-2-text-to-video", parameter);
        let seconds = [("4", true), ("5", false), ("6", false), ("8", true), ("12", true)];
        assert_eq!(of(ParameterView::Seconds), said(&seconds));
        assert_eq!(of(ParameterView::Resolution), said(&[("720p", true), ("1080p", false)]));
        assert_eq!(of(ParameterView::Audio), said(&[("on", true), ("off", false)]));
    }

    #[test]
    fn resolutions_stand_by_size() {
        let ltx = options("ltx-2-fast-text-to-video", ParameterView::Resolution);
        assert_eq!(ltx, said(&[("720p", false), ("1080p", true), ("1440p", true), ("2160p", true)]));
        assert_eq!((size("4k"), size("true_1080p"), size("720p")), (2_160, 1_080, 720));
    }
}
