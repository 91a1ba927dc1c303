pub async fn run(_: std::time::Duration) { unimplemented!() }
