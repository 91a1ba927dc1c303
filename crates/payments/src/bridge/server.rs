//! HTTP/1.1 on 127.0.0.1: bounded in connections, in bytes and in time.

use super::{
    CloseReason,
    gate::{self, BODY_BYTES_MAX, Call, Refusal, Route, TOKEN_HEADER},
    page,
    session::Session,
};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot, watch},
    task::JoinSet,
    time::timeout,
};

/// A browser opens six; the rest is for a second one that is to be refused politely.
const CONNECTIONS_MAX: usize = 16;
/// For a request's head, and for its body; also how long an idle connection is kept.
const READ_LIMIT: Duration = Duration::from_secs(5);
const HEADERS_MAX: usize = 64;
const HEAD_BYTES_MAX: usize = 16 * 1024;
const PAUSE: Duration = Duration::from_millis(50);
/// For answers that are under way when the page is closed.
const LINGER: Duration = Duration::from_millis(500);

/// Serves until the handle is gone or time is up.
pub(super) async fn serve(listener: TcpListener, session: Arc<Session>, mut closed: oneshot::Receiver<()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (ending, ended) = watch::channel(false);
    let mut connections = JoinSet::new();
    let expiry = tokio::time::sleep_until(session.closes());
    tokio::pin!(expiry);
    loop {
        tokio::select! {
            biased;
            _ = &mut closed => break,
            () = &mut expiry => {
                session.end(CloseReason::Expired);
                break;
            }
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // The system has no sockets left; it may have again.
                    tokio::time::sleep(PAUSE).await;
                    continue;
                };
                // Those beyond the bound are closed at once.
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let (session, ended) = (Arc::clone(&session), ended.clone());
                connections.spawn(async move {
                    connection(stream, session, ended).await;
                    drop(place);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    // Nobody listens when every connection is gone, which is as well.
    let _ = ending.send(true);
    let _ = timeout(LINGER, async { while connections.join_next().await.is_some() {} }).await;
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, session: Arc<Session>, mut ended: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let session = Arc::clone(&session);
        async move { Ok::<_, Infallible>(respond(request, session).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(READ_LIMIT).max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
    let served = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    tokio::select! {
        // A broken connection is the other side's affair.
        _ = served.as_mut() => return,
        _ = ended.wait_for(|ended| *ended) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}

async fn respond(request: Request<Incoming>, session: Arc<Session>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    match gate::admit(&parts, session.port()) {
        Ok(Route::Page) => answer(200, "text/html; charset=utf-8", page::page(session.language())),
        Ok(Route::Call(call)) => match perform(call, &parts, body, session).await {
            Ok(said) => answer(200, "application/json", said.to_string().into()),
            Err(why) => refusal(why),
        },
        Err(why) => refusal(why),
    }
}

async fn perform(call: Call, parts: &Parts, body: Incoming, session: Arc<Session>) -> Result<Value, Refusal> {
    session.admit(call, gate::only(&parts.headers, TOKEN_HEADER))?;
    let body = whole(body).await?;
    match call {
        Call::Open => session.open(),
        Call::Resume => session.resume(),
        Call::Wallet => session.choose_wallet(&read(&body)?),
        Call::WrongChain => session.wrong_chain(&read(&body)?),
        Call::Ask => session.ask(&read(&body)?),
        Call::Unasked => session.unasked(&read(&body)?),
        Call::Answer => session.answer(&read(&body)?),
        Call::Watch => session.watch().await,
    }
}

async fn whole(body: Incoming) -> Result<Bytes, Refusal> {
    let limit = usize::try_from(BODY_BYTES_MAX).map_err(|_| Refusal::TooLong)?;
    let body = timeout(READ_LIMIT, Limited::new(body, limit).collect()).await.map_err(|_| Refusal::Slow)?;
    body.map(|body| body.to_bytes()).map_err(|_| Refusal::TooLong)
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::Unreadable)
}

fn refusal(why: Refusal) -> Response<Full<Bytes>> {
    answer(why.status().as_u16(), "application/json", json!({"error": why.word()}).to_string().into())
}

fn answer(status: u16, media: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    for (name, value) in page::headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
