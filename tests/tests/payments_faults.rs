//! Every question to a node and every source of a price, with everything that can be wrong with it: one bad one changes no
//! answer, two make a plain refusal at worst, and none ever a wrong statement.

#[path = "payments_faults/nodes.rs"]
mod nodes;
#[path = "payments_faults/prices.rs"]
mod prices;

use aispace_testkit::KitError;
use tokio::{io::AsyncWriteExt as _, net::TcpListener, task::JoinHandle};

/// A port that speaks plain text, whatever a TLS client says.
pub struct PlainPort {
    port: u16,
    task: JoinHandle<()>,
}

impl PlainPort {
    /// Listens.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> Result<Self, KitError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(KitError::io("listening"))?;
        let port = listener.local_addr().map_err(KitError::io("reading a port"))?.port();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        Ok(Self { port, task })
    }

    /// Where it listens, as if it spoke TLS.
    #[must_use]
    pub fn https(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

impl Drop for PlainPort {
    fn drop(&mut self) {
        self.task.abort();
    }
}
