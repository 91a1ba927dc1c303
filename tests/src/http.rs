//! HTTP/1.1 over plain loopback sockets, just enough to call and to stand between.

use crate::KitError;
use serde_json::Value;
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const LIMIT: Duration = Duration::from_secs(20);

/// A request or an answer as it came over the wire.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Start line and headers, each ended by CRLF, without the blank line.
    pub head: String,
    /// The body with any chunking undone.
    pub body: Vec<u8>,
}

/// What a call answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body as JSON; null when it is not.
    pub json: Value,
}

/// Calls a loopback URL with JSON.
///
/// # Errors
/// When nobody answers in 20 seconds.
pub async fn call(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Result<Answer, KitError> {
    let what = format!("{method} {url}");
    let late = |_| KitError::Late { what: what.clone(), limit: LIMIT };
    tokio::time::timeout(LIMIT, exchange(method, url, headers, body)).await.map_err(late)?.map_err(KitError::io(what.clone()))
}

/// Calls and insists on a 2xx answer.
///
/// # Errors
/// As [`call`]; another status with its body.
pub async fn call_ok(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Result<Value, KitError> {
    let answer = call(method, url, headers, body).await?;
    if (200..300).contains(&answer.status) {
        return Ok(answer.json);
    }
    Err(KitError::unexpected(format!("{method} {url} answered {}: {}", answer.status, answer.json)))
}

/// Reads one message; `None` when the other side closed before it began.
///
/// # Errors
/// When the connection breaks or the message is not HTTP.
pub async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<Message>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return if bytes.is_empty() { Ok(None) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) };
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end + 2]).into_owned();
    let rest = bytes.split_off(end + 4);
    let body = if header(&head, "transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        read_chunked(stream, rest).await?
    } else if let Some(length) = header(&head, "content-length").and_then(|v| v.parse().ok()) {
        read_exactly(stream, rest, length).await?
    } else if head.starts_with("HTTP/") {
        read_to_end(stream, rest).await?
    } else {
        rest
    };
    Ok(Some(Message { head, body }))
}

/// A header of a message's head.
#[must_use]
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| line.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim()))
}

/// Host and port of a plain `http://` URL, and its path.
#[must_use]
pub fn split_url(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    rest.find('/').map_or((rest, "/"), |at| rest.split_at(at))
}

/// A message as bytes, with a length and without a second message on the same connection.
#[must_use]
pub fn to_bytes(start: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{start}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
    [head.as_bytes(), body].concat()
}

/// The headers that are passed on: all but those that describe this very connection.
#[must_use]
pub fn end_to_end_headers(head: &str) -> Vec<(String, String)> {
    let own = ["connection", "content-length", "transfer-encoding", "keep-alive", "host", "expect"];
    let pairs = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    pairs.filter(|(n, _)| !own.contains(&n.to_ascii_lowercase().as_str())).map(|(n, v)| (n.to_string(), v.trim().to_string())).collect()
}

async fn exchange(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&Value>) -> std::io::Result<Answer> {
    let (host, path) = split_url(url);
    let mut stream = TcpStream::connect(host).await?;
    let mut all = vec![("host".to_string(), host.to_string())];
    all.extend(headers.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    let bytes = body.map(|b| b.to_string().into_bytes());
    if bytes.is_some() {
        all.push(("content-type".into(), "application/json".into()));
    }
    stream.write_all(&to_bytes(&format!("{method} {path} HTTP/1.1"), &all, &bytes.unwrap_or_default())).await?;
    let message = read_message(&mut stream).await?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = message.head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
    Ok(Answer { status, json: serde_json::from_slice(&message.body).unwrap_or(Value::Null) })
}

async fn read_exactly(stream: &mut (impl AsyncRead + Unpin), mut body: Vec<u8>, length: usize) -> std::io::Result<Vec<u8>> {
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    body.truncate(length);
    Ok(body)
}

async fn read_to_end(stream: &mut (impl AsyncRead + Unpin), mut body: Vec<u8>) -> std::io::Result<Vec<u8>> {
    while stream.read_buf(&mut body).await? > 0 {}
    Ok(body)
}

async fn read_chunked(stream: &mut (impl AsyncRead + Unpin), mut rest: Vec<u8>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = loop {
            if let Some(at) = find(&rest, b"\r\n") {
                break at;
            }
            if stream.read_buf(&mut rest).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        };
        let size = String::from_utf8_lossy(&rest[..line_end]).trim().to_string();
        let size = usize::from_str_radix(&size, 16).map_err(|_| std::io::ErrorKind::InvalidData)?;
        let mut after = rest.split_off(line_end + 2);
        while after.len() < size + 2 {
            if stream.read_buf(&mut after).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        body.extend_from_slice(&after[..size]);
        rest = after.split_off(size + 2);
        if size == 0 {
            return Ok(body);
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}
