//! Every observed video price, reproduced.
#![allow(missing_docs)]

use aispace_pricing::{AudioRule, Kind, Parameters, RateCard, Run, quote};
use aispace_units::{CreditAmount, CreditOwner, Usd};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

const POINTS: &str = include_str!("../../../tests/fixtures/aispace_video_points.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Points {
    points: Vec<Point>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Point {
    family: String,
    resolution: Option<String>,
    audio: String,
    seconds: u32,
    usd: Usd,
    usd_per_second: Option<String>,
}

impl Point {
    fn sounds(&self) -> &'static [bool] {
        match self.audio.as_str() {
            "on" => &[true],
            "off" | "none" => &[false],
            "either" => &[true, false],
            other => panic!("unknown sound {other:?}"),
        }
    }

    fn credits(&self) -> CreditAmount {
        CreditAmount::from_usd(CreditOwner::AiSpace, self.usd).expect("small")
    }
}

fn points() -> Vec<Point> {
    serde_json::from_str::<Points>(POINTS).expect("the fixture is well formed").points
}

#[test]
fn every_point_of_a_model_in_the_card_is_reproduced() {
    let card = RateCard::aispace().expect("well formed");
    let mut reproduced = 0;
    for point in points() {
        let ids = [format!("{}-text-to-video", point.family), format!("{}-image-to-video", point.family)];
        let mut priced = false;
        for model in card.models().iter().filter(|m| m.kind() == Kind::Video && ids.iter().any(|id| id == m.id())) {
            let rules = model.video().expect("a video model");
            // A flat model has one clip; the other lengths and resolutions of its family are its sibling's.
            if !rules.seconds.contains(&point.seconds) || point.resolution.as_ref().is_some_and(|r| !rules.resolutions.contains(r)) {
                continue;
            }
            for sound in point.sounds() {
                if rules.audio == AudioRule::Always && !sound {
                    continue;
                }
                let parameters = Parameters::Video { seconds: point.seconds, resolution: point.resolution.clone(), audio: Some(*sound) };
                let run = Run { model_id: model.id().to_owned(), parameters, runs: 1 };
                let quoted = quote(&card, &run).unwrap_or_else(|e| panic!("{run:?}: {e}"));
                assert_eq!(quoted.total, point.credits(), "{run:?}");
                priced = true;
            }
        }
        let listed = ids.iter().any(|id| card.model(id).is_ok());
        assert_eq!(priced, listed, "{} {:?} {} s", point.family, point.resolution, point.seconds);
        reproduced += u32::from(priced);
    }
    assert_eq!(reproduced, 64);
}

/// The families that the card does not sell prove the rule itself, through a card made of their rates.
#[test]
fn every_point_of_any_family_follows_the_rule() {
    let mut groups: BTreeMap<(String, Option<String>, String), Vec<Point>> = BTreeMap::new();
    for point in points().into_iter().filter(|p| p.usd_per_second.is_some()) {
        groups.entry((point.family.clone(), point.resolution.clone(), point.audio.clone())).or_default().push(point);
    }
    assert_eq!(groups.len(), 45);
    let models: Vec<serde_json::Value> = groups.values().enumerate().map(|(at, group)| model(at, group)).collect();
    let text = json!({
        "format": "aispace-rate-card/1", "id": "points", "name": "Observed prices", "date": "2026-01-01", "owner": "aispace",
        "posting": {"rule": "half_up", "decimals": 9},
        "meter_rounding": [{"meter": "video_seconds", "rule": "half_up", "decimals": 2}],
        "models": models,
    });
    let card = RateCard::from_json(&text.to_string()).expect("well formed");
    let mut reproduced = 0;
    for (at, group) in groups.values().enumerate() {
        for point in group {
            let parameters = Parameters::Video { seconds: point.seconds, resolution: None, audio: None };
            let quoted = quote(&card, &Run { model_id: format!("group-{at}"), parameters, runs: 1 }).expect("priced");
            assert_eq!(quoted.usd, point.usd, "{} {:?} {} {} s", point.family, point.resolution, point.audio, point.seconds);
            reproduced += 1;
        }
    }
    assert_eq!(reproduced, 161);
}

fn model(at: usize, group: &[Point]) -> serde_json::Value {
    let first = group.first().expect("a group has a point");
    json!({
        "id": format!("group-{at}"), "name": first.family, "capabilities": [],
        "base": {"kind": "video", "seconds": first.seconds, "audio": false},
        "video": {
            "variant": "text_to_video", "pricing": "dynamic", "audio": "never", "resolutions": [],
            "seconds": group.iter().map(|p| p.seconds).collect::<Vec<_>>(),
            "printed": {"credits": first.credits().credits().to_string(), "seconds": first.seconds, "resolutions": [], "audio": false},
        },
        "rates": [{"meter": "video_seconds", "amount": first.usd_per_second, "unit": "usd", "per": "1"}],
    })
}
