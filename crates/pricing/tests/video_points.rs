//! Every observed video price, reproduced.
#![allow(missing_docs)]

use aispace_pricing::{AudioRule, Kind, RateCard, Run, Terms, quote};
use aispace_units::Exact;
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
    usd: Exact,
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

    /// Ten thousand credits are a dollar.
    fn credits(&self) -> Exact {
        self.usd.mul(Exact::from(10_000u32)).expect("small")
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
        for model in card.models().iter().filter(|m| m.kind == Kind::Video && ids.contains(&m.id)) {
            let rules = model.video.as_ref().expect("a video model");
            // A flat model has one clip; the other lengths and resolutions of its family are its sibling's.
            if !rules.seconds.contains(&point.seconds) || point.resolution.as_ref().is_some_and(|r| !rules.resolutions.contains(r)) {
                continue;
            }
            for sound in point.sounds() {
                if rules.audio == AudioRule::Always && !sound {
                    continue;
                }
                let run = Run::clip(&model.id, point.seconds, point.resolution.as_deref(), Some(*sound));
                let quoted = quote(&card, &run, &Terms::default()).unwrap_or_else(|e| panic!("{run:?}: {e}"));
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
        "format": "aispace-rate-card/2", "id": "points", "name": "Observed prices", "date": "2026-01-01",
        "unit": {"code": "aispace", "name": "AiSpace credits", "per_usd": "10000"},
        "posting": {"rule": "half_up", "decimals": 9},
        "rounding": [{"meter": "video_seconds", "rule": "half_up", "decimals": 2}],
        "models": models,
    });
    let card = RateCard::from_json(&text.to_string()).expect("well formed");
    let mut reproduced = 0;
    for (at, group) in groups.values().enumerate() {
        for point in group {
            let run = Run::clip(format!("group-{at}"), point.seconds, None, None);
            let quoted = quote(&card, &run, &Terms::default()).expect("priced");
            assert_eq!(
                (quoted.usd, quoted.total),
                (Some(point.usd), point.credits()),
                "{} {:?} {} {} s",
                point.family,
                point.resolution,
                point.audio,
                point.seconds
            );
            reproduced += 1;
        }
    }
    assert_eq!(reproduced, 161);
}

fn model(at: usize, group: &[Point]) -> serde_json::Value {
    let first = group.first().expect("a group has a point");
    json!({
        "id": format!("group-{at}"), "name": first.family, "kind": "video",
        "base": {"usage": {"video_seconds": first.seconds}, "options": {"audio": "off"}},
        "video": {
            "variant": "text_to_video", "pricing": "dynamic", "audio": "never", "resolutions": [],
            "seconds": group.iter().map(|p| p.seconds).collect::<Vec<_>>(),
            "printed": {"credits": first.credits().to_string(), "seconds": first.seconds, "resolutions": [], "audio": false},
        },
        "rates": [{"meter": "video_seconds", "amount": first.usd_per_second, "unit": "usd", "per": "1"}],
    })
}
