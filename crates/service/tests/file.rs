//! What only a SQLite file can be: no database, damaged, somewhere else.

mod support;

use aispace_api::PostedAnswer;
use aispace_service::{ServeError, StoreError, serve};
use support::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_none_is_refused_and_left_as_it_is() {
    let world = World::start().await;
    let path = |name: &str| world.directory.path().join(name);
    let refusal = async |name: &str| match serve(world.config(path(name), world.clock.clone())).await {
        Err(ServeError::Store(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{name} was accepted"),
    };
    std::fs::write(path("text.db"), "this is a letter, not a database. ".repeat(200)).expect("written");
    let before = std::fs::read(path("text.db")).expect("read");
    let error = refusal("text.db").await;
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
    assert!(error.to_string().contains("text.db"), "{error}");
    assert_eq!(std::fs::read(path("text.db")).expect("read"), before);

    std::fs::create_dir(path("directory.db")).expect("made");
    assert!(matches!(refusal("directory.db").await, StoreError::Unreadable { .. }));
    assert!(matches!(refusal("missing/service.db").await, StoreError::Unreadable { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_refused() {
    let mut world = World::start().await;
    let (account, _) = world.account().await;
    for n in 0..60 {
        let _: PostedAnswer = world.grant(&account, &format!("g{n}"), "1").await.ok(201);
    }
    world.running.take().expect("running").stop().await;
    let mut bytes = std::fs::read(world.file("service")).expect("read");
    assert!(bytes.len() > 4_096 * 8);
    for byte in bytes.iter_mut().skip(4_096 * 2) {
        *byte = !*byte;
    }
    std::fs::write(world.file("service"), bytes).expect("written");
    let outcome = serve(world.config(world.database.clone(), world.clock.clone())).await;
    assert!(matches!(outcome, Err(ServeError::Store(StoreError::Damaged { .. }))), "{:?}", outcome.err());
}
