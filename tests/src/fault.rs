//! A proxy that stands between a client and a server and fails as told.

use crate::{
    KitError,
    http::{Message, end_to_end_headers, read_message, split_url, to_bytes},
    process::free_port,
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// How the proxy behaves.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Passes everything on.
    None,
    /// Nobody listens.
    Refuse,
    /// Takes the request and never answers.
    Hang,
    /// Answers this status without asking the server.
    Status(u16),
    /// Passes the request on and answers 200 with what is no JSON.
    Garble,
    /// Passes the request on and cuts the answer in the middle.
    Cut,
    /// Passes the request on and gives the answer a byte at a time with this pause between.
    Drip(Duration),
    /// Passes everything on after this pause.
    Slow(Duration),
    /// Answers these JSON-RPC methods with these results and passes the rest on.
    Override(BTreeMap<String, Value>),
    /// Never answers this JSON-RPC method, nor passes it on; passes the rest on.
    HangOn(&'static str),
    /// Passes requests with this text in their body on and never gives the answer; passes the rest on.
    Unanswered(&'static str),
    /// Answers these JSON-RPC methods, or all if there are none, with this error, and passes the rest on.
    RpcError(&'static [&'static str], i64, &'static str),
}

/// A proxy in front of one server; it ends when dropped.
pub struct FaultProxy {
    port: u16,
    mode: watch::Sender<Fault>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// Stands in front of the server at `upstream`, passing everything on.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(upstream: &str) -> Result<Self, KitError> {
        let port = free_port()?;
        let (mode, seen) = watch::channel(Fault::None);
        let listener = listen(port).await.map_err(KitError::io("listening as a proxy"))?;
        let task = tokio::spawn(serve(listener, port, split_url(upstream).0.to_string(), seen));
        Ok(Self { port, mode, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Changes how it behaves; answers under way finish as they began.
    pub async fn set(&self, fault: Fault) {
        let _ = self.mode.send(fault);
        // The listener is closed or opened by its own task.
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await
}

async fn serve(first: TcpListener, port: u16, upstream: String, mut mode: watch::Receiver<Fault>) {
    let upstream: Arc<str> = upstream.into();
    let mut listener = Some(first);
    loop {
        let fault = mode.borrow_and_update().clone();
        if fault == Fault::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = listen(port).await.ok();
        }
        tokio::select! {
            changed = mode.changed() => if changed.is_err() { return },
            accepted = accept(listener.as_ref()) => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(connection(stream, Arc::clone(&upstream), mode.clone()));
                }
            }
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<(TcpStream, std::net::SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn connection(mut client: TcpStream, upstream: Arc<str>, mode: watch::Receiver<Fault>) {
    let Ok(Some(request)) = read_message(&mut client).await else { return };
    let fault = mode.borrow().clone();
    let answer = match &fault {
        Fault::Refuse => None,
        Fault::Hang => std::future::pending().await,
        Fault::Status(status) => Some(to_bytes(&format!("HTTP/1.1 {status} Fault"), &json_type(), br#"{"message":"fault"}"#)),
        Fault::Override(results) => match overridden(&request.body, results) {
            Some(body) => Some(to_bytes("HTTP/1.1 200 OK", &json_type(), body.to_string().as_bytes())),
            None => forward(&request, &upstream).await,
        },
        Fault::RpcError(methods, code, message) if methods.is_empty() || methods.iter().any(|method| calls(&request.body, method)) => {
            Some(to_bytes("HTTP/1.1 200 OK", &json_type(), refusal(&request.body, *code, message).to_string().as_bytes()))
        }
        Fault::Unanswered(text) if String::from_utf8_lossy(&request.body).contains(text) => {
            let _ = forward(&request, &upstream).await;
            std::future::pending().await
        }
        Fault::HangOn(method) if calls(&request.body, method) => std::future::pending().await,
        Fault::Garble => forward(&request, &upstream).await.map(|_| to_bytes("HTTP/1.1 200 OK", &json_type(), br#"{"result": <oops"#)),
        Fault::Slow(pause) => {
            tokio::time::sleep(*pause).await;
            forward(&request, &upstream).await
        }
        Fault::None | Fault::Cut | Fault::Drip(_) | Fault::HangOn(_) | Fault::Unanswered(_) | Fault::RpcError(..) => {
            forward(&request, &upstream).await
        }
    };
    let Some(answer) = answer else { return };
    let _ = deliver(&mut client, &answer, &fault).await;
}

async fn deliver(client: &mut TcpStream, answer: &[u8], fault: &Fault) -> std::io::Result<()> {
    match fault {
        Fault::Cut => client.write_all(&answer[..answer.len().saturating_sub(answer.len() / 4 + 1)]).await?,
        Fault::Drip(pause) => {
            for byte in answer {
                client.write_all(&[*byte]).await?;
                tokio::time::sleep(*pause).await;
            }
        }
        _ => client.write_all(answer).await?,
    }
    client.shutdown().await
}

/// Passes a request on; `None` when the server does not answer, which closes the client's connection.
async fn forward(request: &Message, upstream: &str) -> Option<Vec<u8>> {
    let start = request.head.lines().next()?;
    let mut headers = end_to_end_headers(&request.head);
    headers.push(("host".into(), upstream.into()));
    let mut server = TcpStream::connect(upstream).await.ok()?;
    server.write_all(&to_bytes(start, &headers, &request.body)).await.ok()?;
    let answer = read_message(&mut server).await.ok()??;
    Some(to_bytes(answer.head.lines().next()?, &end_to_end_headers(&answer.head), &answer.body))
}

fn overridden(body: &[u8], results: &BTreeMap<String, Value>) -> Option<Value> {
    let request: Value = serde_json::from_slice(body).ok()?;
    let result = results.get(request["method"].as_str()?)?;
    Some(serde_json::json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
}

fn refusal(body: &[u8], code: i64, message: &str) -> Value {
    let id = serde_json::from_slice::<Value>(body).map(|request| request["id"].clone()).unwrap_or_default();
    serde_json::json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

fn calls(body: &[u8], method: &str) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|request| request["method"] == method)
}

fn json_type() -> Vec<(String, String)> {
    vec![("content-type".into(), "application/json".into())]
}
