//! Rate cards and clips, over a real socket.

mod support;

use aispace_pricing::RateCard;
use serde_json::{Value, json};
use support::{Reply, World, get, post};

fn tag_of(reply: &Reply) -> Option<String> {
    reply.head.lines().find_map(|line| line.strip_prefix("etag: ")).map(|tag| tag.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_are_served_whole_and_not_twice() {
    let world = World::start().await;
    let first = world.send(get("/v1/rates/aispace")).await;
    let tag = tag_of(&first).expect("a tag");
    assert!(first.head.contains("cache-control: no-cache"), "{}", first.head);
    let card = RateCard::from_json(&first.body).expect("a card");
    assert_eq!(card, RateCard::aispace().expect("the built-in card"));

    let again = world.send(get("/v1/rates/aispace").header("If-None-Match", &format!("\"other\", W/{tag}"))).await;
    assert_eq!((again.status, again.body.as_str(), tag_of(&again)), (304, "", Some(tag.clone())));
    let changed = world.send(get("/v1/rates/aispace").header("If-None-Match", "\"other\"")).await;
    assert_eq!((changed.status, changed.body), (200, first.body));

    let all: Value = world.send(get("/v1/rates")).await.ok(200);
    let ids: Vec<&str> = all["cards"].as_array().expect("cards").iter().filter_map(|c| c["id"].as_str()).collect();
    assert_eq!(ids, ["aispace", "aisa", "pinnora", "channel"]);
    assert_eq!(world.send(get("/v1/rates/nobody")).await.status, 404);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_priced_in_dollars_as_venice_answers() {
    let world = World::start().await;
    for (body, expected) in [
        (json!({"model": "wan-2.5-preview-text-to-video", "duration": "5s", "resolution": "1080p"}), r#"{"quote": 0.83}"#),
        (json!({"model": "sora-2-text-to-video", "duration": "8s"}), r#"{"quote": 0.88}"#),
        (json!({"model": "kling-2.6-pro-text-to-video", "duration": "5s"}), r#"{"quote": 0.77}"#),
        (json!({"model": "kling-2.6-pro-text-to-video", "duration": "5s", "audio": false, "aspect_ratio": "16:9"}), r#"{"quote": 0.39}"#),
    ] {
        let reply = world.send(post("/v1/video/quote", body.clone())).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, expected), "{body}");
    }
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clip_cannot_be_is_refused_with_what_it_can() {
    let world = World::start().await;
    let model = "sora-2-text-to-video";
    for (body, status, field, expected) in [
        (json!({"model": model, "duration": "5s"}), 400, "duration", "'4s' | '8s' | '12s'"),
        (json!({"model": model, "duration": "auto"}), 400, "duration", "'4s' | '8s' | '12s'"),
        (json!({"model": model, "duration": "4s", "resolution": "4k"}), 400, "resolution", "'720p'"),
        (json!({"model": model, "duration": "4s", "audio": false}), 400, "audio", "'on'"),
        (json!({"model": model, "duration": "4s", "upscale_factor": 2}), 400, "upscale_factor", "no value: it has no rate here"),
        (json!({"model": "qwen3-4b", "duration": "4s"}), 400, "model", "a video model"),
    ] {
        let reply = world.send(post("/v1/video/quote", body.clone())).await;
        let answer: Value = serde_json::from_str(&reply.body).expect("JSON");
        assert_eq!(reply.status, status, "{body}");
        assert_eq!((&answer["issues"][0]["path"][0], &answer["issues"][0]["expected"]), (&json!(field), &json!(expected)), "{body}");
        assert!(answer["details"][field]["_errors"][0].is_string() && answer["error"].is_string(), "{answer}");
    }
    for (body, status) in [
        (json!({"model": "no-such-model", "duration": "4s"}), 404),
        (json!({"model": model}), 400),
        (json!({"model": model, "duration": 4}), 400),
        // The grid has no price for it, and none is made up.
        (json!({"model": "veo3-fast-text-to-video", "duration": "8s", "resolution": "720p"}), 422),
    ] {
        let reply = world.send(post("/v1/video/quote", body.clone())).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.body);
    }
    world.stop_and_verify().await;
}
