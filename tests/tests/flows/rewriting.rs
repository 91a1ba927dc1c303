//! A proxy that changes what the service says.

use aispace_testkit::{
    http::{end_to_end_headers, read_message, split_url, to_bytes},
    process::free_port,
};
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Stands before the service and changes its answers; ends when dropped.
pub struct RewritingProxy {
    port: u16,
    lying: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl RewritingProxy {
    /// `change` gets each JSON answer of a path that begins with `path`.
    pub async fn start(upstream: &str, path: &'static str, change: fn(&mut Value)) -> Self {
        let port = free_port().expect("a port");
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a listener");
        let (upstream, lying) = (split_url(upstream).0.to_string(), Arc::new(AtomicBool::new(true)));
        let lies = lying.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, upstream.clone(), path, change, lies.clone()));
            }
        });
        Self { port, lying, task }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on the service's own words are passed on.
    pub fn be_honest(&self) {
        self.lying.store(false, Ordering::SeqCst);
    }
}

impl Drop for RewritingProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut client: TcpStream, upstream: String, path: &str, change: fn(&mut Value), lying: Arc<AtomicBool>) -> Option<()> {
    let request = read_message(&mut client).await.ok()??;
    let start = request.head.lines().next()?.to_string();
    let mut headers = end_to_end_headers(&request.head);
    headers.push(("host".into(), upstream.clone()));
    let mut server = TcpStream::connect(&upstream).await.ok()?;
    server.write_all(&to_bytes(&start, &headers, &request.body)).await.ok()?;
    let answer = read_message(&mut server).await.ok()??;
    let mut body = answer.body.clone();
    let asked = start.split(' ').nth(1).unwrap_or_default();
    if lying.load(Ordering::SeqCst)
        && asked.starts_with(path)
        && let Ok(mut json) = serde_json::from_slice::<Value>(&body)
    {
        change(&mut json);
        body = json.to_string().into_bytes();
    }
    client.write_all(&to_bytes(answer.head.lines().next()?, &end_to_end_headers(&answer.head), &body)).await.ok()?;
    client.shutdown().await.ok()
}
