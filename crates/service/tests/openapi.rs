//! The OpenAPI document: that it is served, whole, and says of every call what a caller has to know.

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use support::{World, get};

const STATUSES_OF_ALL: [&str; 2] = ["429", "500"];

async fn document(world: &World) -> Value {
    world.send(get("/v1/openapi.json")).await.ok(200)
}

/// Path, method and operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().expect("methods").clone();
        methods.into_iter().map(|(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

fn texts<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    value[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_says_what_a_caller_has_to_know() {
    let world = World::start().await;
    let document = document(&world).await;
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1."));
    let tags: BTreeSet<&str> = document["tags"].as_array().expect("tags").iter().filter_map(|tag| tag["name"].as_str()).collect();
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().expect(&place).to_owned()), "{place}: the id is another's too");
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.len() > 5), "{place}: no summary");
        let told = texts(&operation, "tags");
        assert!(told.len() == 1 && told.iter().all(|tag| tags.contains(tag)), "{place}: {told:?}");
        let security = operation["security"].as_array().unwrap_or_else(|| panic!("{place} does not say whose it is"));
        let named = security.iter().flat_map(|one| one.as_object().expect("an object").keys());
        assert!(!security.is_empty() && named.clone().all(|scheme| schemes.contains_key(scheme)), "{place}");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{place}: it never goes well");
        assert!(STATUSES_OF_ALL.iter().all(|status| responses.contains_key(*status)), "{place}");
        assert_eq!(named.count() > 0, responses.contains_key("401"), "{place}: a credential is refused where there is one");
        let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(in_path, path.matches('{').count(), "{place}");
        assert!(parameters.iter().all(|parameter| parameter["description"].is_string()), "{place}: a parameter without a word");
        if operation.get("requestBody").is_some() {
            assert!(["413", "415"].iter().all(|status| responses.contains_key(*status)), "{place}");
            assert_eq!(operation["requestBody"]["required"], true, "{place}");
        }
    }
    assert!(ids.len() > 20, "{ids:?}");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_an_example_and_no_other_fields() {
    let world = World::start().await;
    let document = document(&world).await;
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let requests: Vec<_> = schemas.iter().filter(|(name, _)| name.ends_with("Request") && *name != "RunRequest").collect();
    assert!(requests.len() > 10, "{}", requests.len());
    for (name, schema) in requests {
        assert!(schema["example"].is_object() || schema["examples"].is_array(), "{name}: no example");
        // A clip is asked for in Venice's format, which may have more fields.
        assert_eq!(schema["additionalProperties"] == false, name != "ClipRequest", "{name}");
    }
    for (name, schema) in schemas {
        assert!(!texts(schema, "enum").contains(&"unknown"), "{name}: the word of an older reader is not one that is said");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_for_again_at_no_cost_and_knows_the_test_clock_only_where_there_is_one() {
    let world = World::start().await;
    let first = world.send(get("/v1/openapi.json")).await;
    let tag = first.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("an entity tag").to_owned();
    let again = world.send(get("/v1/openapi.json").header("if-none-match", &tag)).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert!(document(&world).await["paths"].get("/test/clock").is_some());
    let config =
        world.config(world.directory.path().join("live.db").as_path(), std::sync::Arc::new(aispace_service::ServiceClock::system()));
    let live = aispace_service::serve(config).await.expect("starts");
    let document: Value = get("/v1/openapi.json").send(live.address()).await.ok(200);
    assert!(document["paths"].get("/test/clock").is_none() && document["paths"].get("/v1/account").is_some());
    live.stop().await;
}

/// `routes!` takes a route and its description from the handler. Anything else would add a route that nobody knows of.
#[test]
fn no_route_is_added_without_its_description() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut routes = 0;
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("read");
        routes += text.matches(".routes(routes!(").count();
        // What Prometheus asks for is on an address of its own and no part of the API.
        let bare: Vec<&str> = text.lines().filter(|line| line.contains(".route(") && !line.contains("\"/metrics\"")).collect();
        assert!(bare.is_empty(), "{}: {bare:?}", path.display());
    }
    assert!(routes > 20, "{routes}");
}
